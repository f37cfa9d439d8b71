"""The door: the ``payroute`` command, its subcommands and their exit codes.

Takes the command line; gives output on standard output (one JSON object and nothing else with
``--json``), messages and progress on standard error, and an exit code: 0 done, 1 our bug, 2 the
input is wrong, 3 a check failed, 4 the machine said no, 130 Ctrl-C. Commands import what is heavy
when they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sim.cli import qr
from sim.cli.audit import audit_command
from sim.cli.compare import compare_command
from sim.cli.diff import diff_command
from sim.cli.explain import explain_command
from sim.cli.export import export_command
from sim.cli.fuzz import fuzz_command
from sim.cli.guard import BUG_EXIT
from sim.cli.manual import manual_command
from sim.cli.report import report_command
from sim.cli.reproduce import reproduce_command
from sim.cli.run import run_command
from sim.cli.scenarios import new_command, scenarios_command
from sim.cli.schema import schema_command
from sim.cli.sensitivity import sensitivity_command
from sim.cli.streams import guard_streams
from sim.cli.stress import stress_command
from sim.cli.sweep import sweep_command
from sim.cli.validate import validate_command
from sim.cli.verify import verify_command
from sim.errors import MachineError

_UNPRINTED = "not everything was printed, but nothing that was kept in files is lost"

app = typer.Typer(
    name="payroute",
    help="Simulate cross-border payment routing around Cambodia.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("run")(run_command)
app.command("validate")(validate_command)
app.command("explain")(explain_command)
app.command("report")(report_command)
app.command("export")(export_command)
app.command("audit")(audit_command)
app.command("compare")(compare_command)
app.command("diff")(diff_command)
app.command("sweep")(sweep_command)
app.command("stress")(stress_command)
app.command("sensitivity")(sensitivity_command)
app.command("verify")(verify_command)
app.command("fuzz")(fuzz_command)
app.command("reproduce")(reproduce_command)
app.command("scenarios")(scenarios_command)
app.command("new")(new_command)
app.command("schema")(schema_command)
app.command("manual")(manual_command)
app.add_typer(qr.app)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from sim import __version__

        typer.echo(f"payroute {__version__}")
        raise typer.Exit(0)


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Simulate cross-border payment routing around Cambodia."""
    del version


def run_commands() -> int:
    """Run the command line and return its exit code, once everything is printed."""
    outlet = guard_streams()
    code = _run()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if outlet is None or outlet.refusal is None:
        return code
    typer.echo(f"error: standard output: {outlet.refusal}; {_UNPRINTED}", err=True)
    # What the command found out about the world goes before what became of the words.
    return code or MachineError.exit_code


def _run() -> int:
    """Run the command line and return its exit code."""
    try:
        app(prog_name="payroute")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else BUG_EXIT if end.code else 0
    return 0


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run_commands())

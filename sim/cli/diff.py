"""The ``diff`` command: in what two scenarios, or two runs, differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import completing
from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.showing import FormatOption, JsonOption, OutputOption, TableOption, showing
from sim.errors import CheckFailed

if TYPE_CHECKING:
    from sim.report.blocks import Document

_RUN_FILE = "run.json"
_SCENARIO_FILE = "scenario.yaml"


@guarded
def diff_command(
    one: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="A scenario, or a run folder.",
            autocompletion=completing.scenarios_or_runs,
        ),
    ],
    other: Annotated[
        str,
        typer.Argument(
            metavar="B",
            help="What it is held against.",
            autocompletion=completing.scenarios_or_runs,
        ),
    ],
    form: FormatOption = None,
    output: OutputOption = None,
    table: TableOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say in what two scenarios differ, defaults filled in, or two runs.

    Of two runs also what was asked and found, the versions, every measure and the first event that
    differs. Ends with 0 where nothing differs and with 3 where something does.
    """
    wanted = showing(form, output, as_json=as_json, table=table, has_table=True)
    document, is_equal = _difference(one, other)
    wanted.show(document)
    if not is_equal:
        # As with `diff`, a difference is an answer and no mistake; nothing more is to be said.
        raise typer.Exit(CheckFailed.exit_code)


def _difference(one: str, other: str) -> tuple[Document, bool]:
    """Return the document, and whether nothing differs."""
    if _is_run(one) and _is_run(other):
        from sim.report.documents.diff import run_diff_document
        from sim.study.difference.runs import diff_runs
        from sim.tables.damage import damage_told

        with damage_told(Path(one), Path(other)):
            runs = diff_runs(Path(one), Path(other))
        return run_diff_document(runs, _names(one, other)), runs.is_equal
    from sim.report.documents.diff import scenario_diff_document
    from sim.scenario.scenario import load_scenario
    from sim.study.difference.scenarios import diff_scenarios

    first, second = (load_scenario(_scenario_of(given)) for given in (one, other))
    found = diff_scenarios(first, second)
    remarks = [
        f"{given} is a run: held against a scenario only what it ran counts, not what came of it."
        for given in (one, other)
        if _is_run(given)
    ]
    document = scenario_diff_document(found, _names(one, other), remarks=remarks)
    return document, found.is_equal


def _is_run(given: str) -> bool:
    path = Path(given)
    return (path / _RUN_FILE).exists() or (path.name == _RUN_FILE and path.is_file())


def _scenario_of(given: str) -> Path:
    if _is_run(given):
        from sim.tables.open_run import open_run

        return open_run(Path(given)).path / _SCENARIO_FILE
    return scenario_file(given)


def _names(one: str, other: str) -> tuple[str, str]:
    """Return the heads of both columns: the last parts of the paths, as many as it takes."""
    parts = Path(one).absolute().parts, Path(other).absolute().parts
    for length in range(1, max(map(len, parts)) + 1):
        first, second = ("/".join(part[-length:]) for part in parts)
        if first != second:
            return first, second
    return one, other

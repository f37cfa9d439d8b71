"""The ``run`` command: run a scenario, print its summary, write a run folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.audit import refuse_violations
from sim.cli.given import scenario_file
from sim.cli.guard import guarded

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Change a field, as in routing.policy=fastest."
    ),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Seed of all luck; default: the file's.")
]


@guarded
def run_command(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario file.")],
    changes: SetOption = None,
    seed: SeedOption = None,
    engine: Annotated[
        str, typer.Option(metavar="compiled|reference", help="Which engine runs it.")
    ] = "compiled",
    record: Annotated[
        str,
        typer.Option(metavar="none|payments|stages|events", help="How much is written down."),
    ] = "payments",
    audit: Annotated[
        bool, typer.Option("--audit", help="Replay the event log independently on the way.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder; default below results/.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a finished run in --out.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON object.")
    ] = False,
) -> None:
    """Run a scenario: print a summary, write a run folder."""
    from sim.cli.progress import TerminalWatcher
    from sim.experiment.run import run_scenario

    result = run_scenario(
        scenario_file(scenario),
        seed=seed,
        engine=engine,
        record=record,
        audit=audit,
        out=out,
        force=force,
        overrides=tuple(changes or ()),
        progress=TerminalWatcher(),
        command=("payroute", *sys.argv[1:]),
    )
    if result.repeat is not None and not result.repeat[0]:
        typer.echo(f"warning: {result.repeat[1]}", err=True)
    if as_json:
        content: dict[str, object] = {**result.summary.as_json()}
        if result.audit is not None:
            content["audit"] = result.audit.as_json()
        content["run_folder"] = str(result.folder)
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
    else:
        from sim.cli.summary import print_result

        print_result(result)
    if result.audit is not None:
        refuse_violations(result.audit)

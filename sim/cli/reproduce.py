"""The ``reproduce`` command: run again from a run folder and compare every figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.guard import guarded
from sim.errors import CheckFailed

_SHOWN = 20


@guarded
def reproduce_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Processes for replications.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run again from a run's own provenance and say whether every figure is identical."""
    from sim.cli.progress import TerminalWatcher
    from sim.study.pool import wanted_jobs
    from sim.study.reproduce import reproduce_run
    from sim.study.result_json import object_as_json

    processes = wanted_jobs(jobs)
    found = reproduce_run(run, jobs=processes, watcher=TerminalWatcher())
    if as_json:
        typer.echo(json.dumps(object_as_json(found), indent=2, allow_nan=False))
    elif found.is_identical:
        typer.echo(f"identical: all {found.figures} figures, digest {found.digest}")
    else:
        for difference in found.differences[:_SHOWN]:
            typer.echo(f"{difference.figure}: {difference.before} before, {difference.now} now")
        more = len(found.differences) - _SHOWN
        if more > 0:
            typer.echo(f"and {more} more")
    if not found.is_identical:
        raise CheckFailed(
            f"{run}: {len(found.differences)} of {found.figures} figures differ; {found.cause}"
        )

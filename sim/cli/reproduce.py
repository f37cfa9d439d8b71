"""The ``reproduce`` command: run again from a run folder and compare every figure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.guard import guarded
from sim.cli.options import JobsOption
from sim.cli.showing import FormatOption, JsonOption, OutputOption, showing
from sim.errors import CheckFailed


@guarded
def reproduce_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    jobs: JobsOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run again from a run's own provenance and say whether every figure is identical."""
    from sim.cli.progress import TerminalWatcher
    from sim.report.documents.reproduce import reproduce_document
    from sim.study.pool import wanted_jobs
    from sim.study.reproduce import reproduce_run

    processes = wanted_jobs(jobs)
    wanted = showing(form, output, as_json=as_json)
    found = reproduce_run(run, jobs=processes, watcher=TerminalWatcher())
    wanted.show(reproduce_document(found))
    if not found.is_identical:
        raise CheckFailed(
            f"{run}: {len(found.differences)} of {found.figures} figures differ; {found.cause}"
        )

"""The ``reproduce`` command: run again from a run folder and compare every figure."""

from __future__ import annotations

from sim.cli.guard import guarded
from sim.cli.options import JobsOption, RunArgument
from sim.cli.showing import FormatOption, JsonOption, OutputOption, showing
from sim.errors import CheckFailed


@guarded
def reproduce_command(
    run: RunArgument,
    *,
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

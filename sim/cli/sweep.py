"""The ``sweep`` command: many points over any fields, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sim.cli.given import scenario_file
from sim.cli.guard import BUG_EXIT, fail, guarded
from sim.cli.options import JobsOption, SeedOption, SetOption
from sim.cli.showing import FormatOption, JsonOption, OutputOption, command_words, showing

if TYPE_CHECKING:
    from sim.study.sweep.study import SweepResult

_ERRORS_SHOWN = 3
_BUG_TOLD = "This is a bug in payroute, not in your input. Please report it with the lines above."


@guarded
def sweep_command(
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="The experiment file.")],
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder or address of the points; kept between runs."),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run on the Dask scheduler there.")
    ] = None,
    changes: SetOption = None,
    replications: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Replications of every point.")
    ] = None,
    seed: SeedOption = None,
    jobs: JobsOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the table with every digit here too."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a grid, a list or a space-filling design; finished points are never run again."""
    from sim.cli.progress import RunCounter
    from sim.report.documents.sweep import sweep_document
    from sim.study.cluster import ClusterPool
    from sim.study.experiment_file import load_experiment
    from sim.study.pool import LocalPool, wanted_jobs
    from sim.study.run import checked_seed, find_engine
    from sim.study.sweep.study import default_folder, run_sweep
    from sim.tables.provenance import origin

    processes, command = wanted_jobs(jobs), command_words()
    wanted = showing(form, output, as_json=as_json, table=table, option="--table", has_table=True)
    loaded = load_experiment(scenario_file(experiment))
    folder = out or default_folder(loaded)
    if cluster is None:
        find_engine("compiled")
        pool: LocalPool | ClusterPool = LocalPool(processes)
    else:
        pool = ClusterPool(cluster)
    with pool, RunCounter("points") as counter:
        found = run_sweep(
            loaded,
            folder,
            pool,
            overrides=tuple(changes or ()),
            replications=replications,
            seed=None if seed is None else checked_seed(seed),
            notice=counter.tell,
            command=command,
        )
    wanted.show(sweep_document(found, folder, origin(command)))
    if found.exit_code:
        _tell_failures(found)


def _tell_failures(found: SweepResult) -> NoReturn:
    """Say how many points failed, and end with the exit code of the worst."""
    shown = [f"  {error.rstrip()}" for error in found.errors[:_ERRORS_SHOWN]]
    if len(found.errors) > len(shown):
        shown.append(f"  and {len(found.errors) - len(shown)} more; the table has them all")
    points = len(found.table.rows)
    message = f"{found.failed} of {points} points failed\n" + "\n".join(shown)
    if found.exit_code == BUG_EXIT:
        message += f"\n{_BUG_TOLD}"
    fail(message, found.exit_code)

"""The ``sweep`` command: many points over any fields, resumable."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sim.cli.given import scenario_file
from sim.cli.guard import BUG_EXIT, fail, guarded
from sim.cli.run import SeedOption

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
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field in every point."),
    ] = None,
    replications: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Replications of every point.")
    ] = None,
    seed: SeedOption = None,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes.")] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the table here too: .csv, .md, .tex, .json."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a grid, a list or a space-filling design; finished points are never run again."""
    from sim.cli.counting import RunCounter
    from sim.report.tabular import choose_format, write_table
    from sim.study.cluster import ClusterPool
    from sim.study.experiment_file import load_experiment
    from sim.study.pool import LocalPool, wanted_jobs
    from sim.study.run import Silence, checked_seed, find_engine
    from sim.study.sweep.study import default_folder, run_sweep
    from sim.tables.provenance import origin

    processes, form = wanted_jobs(jobs), choose_format(None, table, option="--table")
    command = ("payroute", *sys.argv[1:])
    loaded = load_experiment(scenario_file(experiment))
    folder = out or default_folder(loaded)
    if cluster is None:
        find_engine("compiled", Silence())
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
    if table is not None and form is not None:
        write_table(found.table, form, table, origin=origin(command))
    _show(found, folder, as_json=as_json)
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


def _show(found: SweepResult, folder: str, *, as_json: bool) -> None:
    from sim.report.tabular import render
    from sim.study.sweep.store import TABLE

    if as_json:
        content = {
            "folder": folder,
            "run": found.run,
            "kept": found.kept,
            "failed": found.failed,
            "points": found.table.records(),
        }
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    typer.echo(render(found.table, "markdown"))
    typer.echo(f"{found.run} points run, {found.kept} kept from before, {found.failed} failed")
    typer.echo(f"table: {folder}/{TABLE}")

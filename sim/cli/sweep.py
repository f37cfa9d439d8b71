"""The ``sweep`` command: many points over any fields, resumable."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.given import scenario_file
from sim.cli.guard import guarded

if TYPE_CHECKING:
    from sim.experiment.sweep import SweepResult


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
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes.")] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the table here too: .csv, .md, .tex, .json."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a grid, a list or a space-filling design; finished points are never run again."""
    from sim.cli.counting import RunCounter
    from sim.experiment.cluster import ClusterPool
    from sim.experiment.experiment_file import load_experiment
    from sim.experiment.pool import LocalPool, wanted_jobs
    from sim.experiment.run import Silence, find_engine
    from sim.experiment.sweep import default_folder, run_sweep
    from sim.experiment.tabular import choose_format, write_table
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
            notice=counter.tell,
            command=command,
        )
    if table is not None and form is not None:
        write_table(found.table, form, table, origin=origin(command))
    _show(found, folder, as_json=as_json)


def _show(found: SweepResult, folder: str, *, as_json: bool) -> None:
    from sim.experiment.sweep_store import TABLE
    from sim.experiment.tabular import render

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

"""The ``compare`` command: arms on the same luck, with a verdict per measure."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.given import scenario_file
from sim.cli.guard import guarded

if TYPE_CHECKING:
    from sim.study.compare.arms import ComparisonWork
    from sim.study.compare.comparison import Comparison, ComparisonPlan

JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", metavar="N", help="Processes; default: one per processor."),
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", metavar="FORMAT", help="markdown, latex, csv, json or parquet."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the table of differences here.")
]


ArmsOption = Annotated[
    Path | None,
    typer.Option("--arms", metavar="FILE", help="Write every arm's own figures here."),
]

BestOption = Annotated[
    str | None,
    typer.Option("--best", metavar="MEASURE=lowest±WIDTH", help="Choose the best arm, as above."),
]


@guarded
def compare_command(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="EXPERIMENT | SCENARIO...", help="An experiment, or two scenarios."),
    ],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field in every arm."),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of every arm.")] = None,
    replications: Annotated[
        int | None, typer.Option(metavar="N", help="Replications of every arm.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="MEASURE±WIDTH", help="Go on until differences are so precise."),
    ] = None,
    measures: Annotated[
        str | None, typer.Option(metavar="A,B", help="Measures to compare.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="ARM", help="Arm the others are compared with.")
    ] = None,
    best: BestOption = None,
    jobs: JobsOption = None,
    form: FormatOption = None,
    out: OutOption = None,
    arms_out: ArmsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare arms on the same customers, with intervals and a verdict per measure.

    --best "payer_cost_bps=lowest±0.5" goes on replicating until the arm with the lowest cost to the
    payer, or one within 0.5 bps of it, is known with probability 0.95.
    """
    from sim.cli.counting import RunCounter
    from sim.report.tabular import choose_format, write_table
    from sim.study.compare.arms import parse_best, run_comparison
    from sim.study.compare.output import arms_table
    from sim.study.pool import LocalPool, wanted_jobs
    from sim.study.run import Silence, find_engine
    from sim.tables.provenance import origin

    processes = wanted_jobs(jobs)
    form, arms_form = choose_format(form, out), choose_format(None, arms_out)
    work = _work(inputs, tuple(changes or ()))
    plan = _changed(
        work.plan,
        seed=seed,
        replications=replications,
        precision=precision,
        measures=measures,
        baseline=baseline,
    )
    work = replace(work, plan=plan)
    if best is not None:
        work = replace(work, select=parse_best(best))
    find_engine("compiled", Silence())
    with LocalPool(processes) as pool, RunCounter() as counter:
        found = run_comparison(work, pool, notice=counter.tell)
    if arms_out is not None and arms_form is not None:
        write_table(arms_table(found), arms_form, arms_out, origin=origin(_command()))
    _show(found, form=form, out=out, as_json=as_json)


def _work(inputs: list[str], changes: tuple[str, ...]) -> ComparisonWork:
    """Resolve one experiment, or two scenarios and more."""
    from sim.study.compare.arms import work_of_experiment, work_of_scenarios
    from sim.study.experiment_file import load_experiment

    paths = [scenario_file(given) for given in inputs]
    if len(paths) > 1:
        return work_of_scenarios(paths, changes)
    return work_of_experiment(load_experiment(paths[0]), changes)


def _changed(
    plan: ComparisonPlan,
    *,
    seed: int | None,
    replications: int | None,
    precision: str | None,
    measures: str | None,
    baseline: str | None,
) -> ComparisonPlan:
    """Let the command line win over the file."""
    from sim.study.measure_key import full_key
    from sim.study.replicate.precision import parse_precision
    from sim.study.run import checked_seed

    if seed is not None:
        plan = replace(plan, seed=checked_seed(seed))
    if replications is not None:
        plan = replace(plan, replications=replications)
    if precision is not None:
        plan = replace(plan, precision=parse_precision(precision))
    if measures is not None:
        plan = replace(plan, measures=tuple(full_key(key.strip()) for key in measures.split(",")))
    if baseline is not None:
        plan = replace(plan, baseline=baseline)
    return plan


def _show(found: Comparison, *, form: str | None, out: Path | None, as_json: bool) -> None:
    from sim.report.tabular import render, write_table
    from sim.study.compare.output import as_json_object, pairs_table
    from sim.tables.provenance import origin

    table = pairs_table(found)
    if out is not None and form is not None:
        write_table(table, form, out, origin=origin(_command()))
    if as_json:
        content = {**as_json_object(found), **origin(_command())}
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    if out is None and form is not None:
        typer.echo(render(table, form), nl=False)
        return
    _print(found)
    if out is not None:
        typer.echo(f"written to {out}", err=True)


def _command() -> tuple[str, ...]:
    return ("payroute", *sys.argv[1:])


def _print(found: Comparison) -> None:
    """Print the verdict in words, then a table per pair."""
    from rich.console import Console
    from rich.text import Text

    from sim.cli.compare_tables import legend, pair_tables
    from sim.cli.summary import WIDTH
    from sim.study.compare.output import footnotes, sentences

    console = Console(highlight=False)
    width = min(console.width, WIDTH)
    for line in sentences(found):
        console.print(Text(line, style="bold"), width=width)
    for title, table in pair_tables(found):
        console.print(Text(f"\n{title}", style="bold"), width=width)
        console.print(table, width=width)
    console.print()
    for line in (legend(), *footnotes(found)):
        console.print(Text(line), width=width)

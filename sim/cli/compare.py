"""The ``compare`` command: arms on the same luck, with a verdict per measure."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.errors import UserError

if TYPE_CHECKING:
    from sim.analysis.selection import SelectionRule
    from sim.experiment.compare import ArmWork, Comparison, ComparisonPlan
    from sim.experiment.experiment_file import LoadedExperiment

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
    jobs: JobsOption = None,
    form: FormatOption = None,
    out: OutOption = None,
    arms_out: ArmsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare arms on the same customers, with intervals and a verdict per measure."""
    from sim.cli.counting import RunCounter
    from sim.experiment.compare import compare_arms
    from sim.experiment.compare_output import arms_table
    from sim.experiment.pool import LocalPool, wanted_jobs
    from sim.experiment.run import Silence, find_engine
    from sim.experiment.tabular import choose_format, write_table
    from sim.tables.provenance import origin

    processes = wanted_jobs(jobs)
    form, arms_form = choose_format(form, out), choose_format(None, arms_out)
    loaded = _experiment(inputs)
    arms, plan = _arms(inputs, loaded, tuple(changes or ()))
    plan = _changed(
        plan,
        seed=seed,
        replications=replications,
        precision=precision,
        measures=measures,
        baseline=baseline,
    )
    find_engine("compiled", Silence())
    with LocalPool(processes) as pool, RunCounter() as counter:
        found = compare_arms(arms, plan, pool, notice=counter.tell)
        found = _selected(found, arms, loaded, pool)
    if arms_out is not None and arms_form is not None:
        write_table(arms_table(found), arms_form, arms_out, origin=origin(_command()))
    _show(found, form=form, out=out, as_json=as_json)


def _experiment(inputs: list[str]) -> LoadedExperiment | None:
    """Return the experiment, None where scenarios were given."""
    from sim.experiment.experiment_file import load_experiment

    if len(inputs) > 1:
        return None
    loaded = load_experiment(scenario_file(inputs[0]))
    if not loaded.experiment.arms:
        raise UserError(
            f"{inputs[0]}: found no arms; allowed: arms to compare, or `payroute sweep`"
        )
    return loaded


def _arms(
    inputs: list[str], loaded: LoadedExperiment | None, changes: tuple[str, ...]
) -> tuple[list[ArmWork], ComparisonPlan]:
    """Resolve every arm; all problems of an arm are told at once."""
    from sim.compiler.compile import compile_scenario
    from sim.experiment.compare import DEFAULT_MEASURES, ArmWork, ComparisonPlan
    from sim.experiment.picking import full_key
    from sim.experiment.precision import parse_precision
    from sim.scenario.loader import dump_resolved
    from sim.scenario.scenario import load_scenario

    if loaded is None:
        paths = [scenario_file(given) for given in inputs]
        names = _names(paths)
        scenarios = [load_scenario(path, changes) for path in paths]
        for scenario in scenarios:
            compile_scenario(scenario, with_tables=False)
        arms = [
            ArmWork(name, dump_resolved(scenario.document))
            for name, scenario in zip(names, scenarios, strict=True)
        ]
        return arms, ComparisonPlan(seed=scenarios[0].scenario.seed)
    experiment = loaded.experiment
    scenarios = [loaded.arm(name, changes) for name in experiment.arms]
    for scenario in scenarios:
        # Every problem of every arm shows here, at its own file and line, before anything runs.
        compile_scenario(scenario, with_tables=False)
    arms = [
        ArmWork(name, dump_resolved(scenario.document))
        for name, scenario in zip(experiment.arms, scenarios, strict=True)
    ]
    seed = scenarios[0].scenario.seed if experiment.seed is None else experiment.seed
    return arms, ComparisonPlan(
        seed=seed,
        replications=experiment.replications,
        measures=tuple(map(full_key, experiment.measures)) or DEFAULT_MEASURES,
        baseline=experiment.baseline,
        precision=parse_precision(experiment.precision) if experiment.precision else (),
    )


def _names(paths: list[Path]) -> list[str]:
    """Name arms after their files, in full where two files have the same name."""
    stems = [path.stem for path in paths]
    if len(set(paths)) < len(paths):
        raise UserError("compare: found a scenario twice; allowed: different ones")
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]


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
    from dataclasses import replace

    from sim.experiment.picking import full_key
    from sim.experiment.precision import parse_precision
    from sim.experiment.run import checked_seed

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


def _selected(
    found: Comparison, arms: list[ArmWork], loaded: LoadedExperiment | None, pool: object
) -> Comparison:
    """Choose the best arm where the experiment asks for it."""
    from dataclasses import replace

    from sim.experiment.compare import choose_best
    from sim.experiment.picking import full_key
    from sim.experiment.pool import LocalPool

    select = None if loaded is None else loaded.experiment.select
    if select is None or not isinstance(pool, LocalPool):
        return found
    rule = _rule(float(select.indifference), select.best == "lowest", float(select.probability))
    rule = replace(rule, replications_max=select.replications_max)
    chosen = choose_best(found, arms, rule, measure=full_key(select.measure), pool=pool)
    return replace(found, selection=chosen)


def _rule(indifference: float, is_lower_better: bool, probability: float) -> SelectionRule:
    from sim.analysis.selection import SelectionRule

    return SelectionRule(indifference, is_lower_better, probability)


def _show(found: Comparison, *, form: str | None, out: Path | None, as_json: bool) -> None:
    from sim.experiment.compare_output import as_json_object, pairs_table
    from sim.experiment.tabular import render, write_table
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
    from rich.padding import Padding
    from rich.text import Text

    from sim.cli.compare_tables import controlled_lines, legend, pair_tables
    from sim.cli.summary import WIDTH
    from sim.experiment.compare_output import footnotes, sentences

    console = Console(highlight=False)
    width = min(console.width, WIDTH)
    for line in sentences(found):
        console.print(Text(line, style="bold"), width=width)
    for title, table in pair_tables(found):
        console.print(Text(f"\n{title}", style="bold"), width=width)
        console.print(Padding(table, (0, 0, 0, 2), expand=False), width=width)
    console.print()
    for line in (legend(), *footnotes(found)):
        console.print(Text(line), width=width)
    for line in controlled_lines(found):
        console.print(Text(f"  {line}"), width=width)

"""The ``compare`` command: arms on the same luck, with a verdict per measure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import completing
from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.keeping import keep
from sim.cli.options import JobsOption, MeasuresOption, SeedOption, SetOption
from sim.cli.showing import (
    Beside,
    FormatOption,
    JsonOption,
    OutputOption,
    TableOption,
    command_words,
    showing,
)
from sim.errors import OptionError

if TYPE_CHECKING:
    from sim.study.compare.arms import ComparisonWork
    from sim.study.compare.comparison import ComparisonPlan

ArmsOption = Annotated[
    Path | None,
    typer.Option("--arms", metavar="FILE", help="Write every arm's own figures here."),
]

RegretOption = Annotated[
    Path | None,
    typer.Option("--regret", metavar="FILE", help="Write what arms regret against oracles here."),
]

BestOption = Annotated[
    str | None,
    typer.Option("--best", metavar="MEASURE=lowest±WIDTH", help="Choose the best arm, as above."),
]

ArmsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="EXPERIMENT | SCENARIO...",
        help="An experiment, or two scenarios.",
        autocompletion=completing.scenarios,
    ),
]

ReplicationsOption = Annotated[
    int | None, typer.Option(metavar="N", help="Replications of every arm.")
]

PrecisionOption = Annotated[
    str | None,
    typer.Option(metavar="MEASURE±WIDTH", help="Go on until differences are so precise."),
]

BaselineOption = Annotated[
    str | None, typer.Option(metavar="ARM", help="Arm the others are compared with.")
]

MixOption = Annotated[
    bool, typer.Option("--same-mix", help="Also at one mix of corridors, where demand differs.")
]


OracleOption = Annotated[
    bool,
    typer.Option("--oracle", help="Also against oracles that know each payment's luck: regret."),
]


@guarded
def compare_command(
    inputs: ArmsArgument,
    changes: SetOption = None,
    seed: SeedOption = None,
    replications: ReplicationsOption = None,
    precision: PrecisionOption = None,
    measures: MeasuresOption = None,
    baseline: BaselineOption = None,
    same_mix: MixOption = False,
    oracle: OracleOption = False,
    best: BestOption = None,
    jobs: JobsOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    table: TableOption = None,
    arms_out: ArmsOption = None,
    regret_out: RegretOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare arms on the same customers, with intervals and a verdict per measure.

    --best "payer_cost_bps=lowest±0.5" goes on replicating until the arm with the lowest cost to the
    payer, or one within 0.5 bps of it, is known with probability 0.95.
    """
    from sim.cli.progress import RunCounter
    from sim.report.documents.compare import compare_document
    from sim.report.rendering import choose_format
    from sim.study.compare.arms import parse_best, run_comparison
    from sim.study.compare.output import arms_table, as_json_object, regret_table
    from sim.study.pool import LocalPool, wanted_jobs
    from sim.study.run import find_engine
    from sim.tables.provenance import origin

    processes = wanted_jobs(jobs)
    wanted = showing(form, output, as_json=as_json, table=table, has_table=True)
    arms_form = choose_format(None, arms_out, option="--arms")
    regret_form = choose_format(None, regret_out, option="--regret")
    work = _work(inputs, tuple(changes or ()), oracle=oracle)
    plan = _changed(
        work.plan,
        seed=seed,
        replications=replications,
        precision=precision,
        measures=measures,
        baseline=baseline,
    )
    work = replace(work, plan=replace(plan, same_mix=same_mix or plan.same_mix))
    if best is not None:
        work = replace(work, select=parse_best(best))
    if regret_out is not None:
        _refuse_without_oracle(work)
    find_engine("compiled")
    with LocalPool(processes) as pool, RunCounter() as counter:
        found = run_comparison(work, pool, notice=counter.tell)
    made = origin(command_words())
    keep("compare", "-vs-".join(Path(given).stem for given in inputs), as_json_object(found), made)
    files = ((arms_table, arms_form, arms_out), (regret_table, regret_form, regret_out))
    beside = [Beside(table_of(found), its, to) for table_of, its, to in files if to is not None]
    wanted.show(compare_document(found, made), beside=beside)


def _refuse_without_oracle(work: ComparisonWork) -> None:
    """Refuse to write regret where no arm is an oracle."""
    if not any(arm.foresees for arm in work.arms):
        raise OptionError(
            "regret",
            "found no arm with an oracle; allowed: with --oracle, or an arm whose routing.policy "
            "is oracle_cost or oracle_time",
        )


def _work(inputs: list[str], changes: tuple[str, ...], *, oracle: bool) -> ComparisonWork:
    """Resolve one experiment, or two scenarios and more; with oracles one scenario will do."""
    from sim.study.compare.arms import work_of_experiment, work_of_scenarios
    from sim.study.experiment_file import is_experiment, load_experiment

    paths = [scenario_file(given) for given in inputs]
    if len(paths) > 1 or (oracle and not is_experiment(paths[0])):
        return work_of_scenarios(paths, changes, oracle=oracle)
    return work_of_experiment(load_experiment(paths[0]), changes, oracle=oracle)


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

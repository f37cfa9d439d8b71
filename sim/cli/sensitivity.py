"""The ``sensitivity`` command: which estimate should be measured first."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli import completing
from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.keeping import keep
from sim.cli.options import JobsOption, ScenarioArgument, SeedOption, SetOption
from sim.cli.showing import (
    FormatOption,
    JsonOption,
    OutputOption,
    TableOption,
    command_words,
    showing,
)
from sim.errors import UserError

AnswersOption = Annotated[
    str,
    typer.Option(
        "--measure",
        metavar="A,B",
        help="The answers that are asked about.",
        autocompletion=completing.measures,
    ),
]

RangeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--range",
        metavar="FIELD=LOW..HIGH",
        help="Range of one assumption: factors (0.5..3), or values (0.5 s..5 s, =4..=13).",
    ),
]


@guarded
def sensitivity_command(
    scenario: ScenarioArgument,
    measures: AnswersOption = "end_to_end_mean",
    low: Annotated[float, typer.Option(metavar="F", help="Smallest factor.")] = 0.5,
    high: Annotated[float, typer.Option(metavar="F", help="Largest factor.")] = 2.0,
    ranges: RangeOption = None,
    assumed: Annotated[
        bool, typer.Option("--assumed", help="Also vary defaults without any published figure.")
    ] = False,
    replications: Annotated[int, typer.Option(metavar="N", min=1, help="Runs of each.")] = 5,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="How many get Sobol indices.")] = 5,
    sobol: Annotated[
        int, typer.Option(metavar="N", help="Base sample of the indices; 0 leaves them out.")
    ] = 32,
    sobol_replications: Annotated[
        int, typer.Option(metavar="N", min=1, help="Runs of each point of the sample.")
    ] = 1,
    changes: SetOption = None,
    seed: SeedOption = None,
    jobs: JobsOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    table: TableOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which estimated assumptions move the answer, and which to measure first."""
    from sim.cli.progress import RunCounter
    from sim.model.evidence import Evidence
    from sim.report.documents.sensitivity import sensitivity_document
    from sim.scenario.scenario import load_scenario
    from sim.study.pool import LocalPool, wanted_jobs
    from sim.study.run import checked_seed, find_engine
    from sim.study.sensitivity.output import answer_object
    from sim.study.sensitivity.plan import SensitivityPlan
    from sim.study.sensitivity.study import find_sensitivity
    from sim.tables.provenance import origin

    processes = wanted_jobs(jobs)
    wanted = showing(form, output, as_json=as_json, table=table, has_table=True)
    loaded = load_scenario(scenario_file(scenario), tuple(changes or ()))
    plan = SensitivityPlan(
        measures=tuple(key.strip() for key in measures.split(",") if key.strip()),
        seed=loaded.scenario.seed if seed is None else checked_seed(seed),
        replications=replications,
        low=low,
        high=high,
        ranges=tuple(_named_range(text) for text in ranges or ()),
        top=top,
        sobol=sobol,
        sobol_replications=sobol_replications,
        grades=(Evidence.ESTIMATED, *((Evidence.ASSUMED,) if assumed else ())),
    )
    find_engine("compiled")
    with LocalPool(processes) as pool, RunCounter() as counter:
        found = find_sensitivity(loaded, plan, pool, listener=counter)
    made, name = origin(command_words()), loaded.scenario.scenario
    answers = [answer_object(found, answer) for answer in found.answers]
    keep("sensitivity", name, {"answers": answers}, made)
    wanted.show(sensitivity_document(found, made))


def _named_range(text: str) -> tuple[str, str]:
    name, equals, span = text.partition("=")
    if not equals or not name.strip():
        raise UserError(
            f"--range: found {text!r}; allowed: such as rails.bakong.vote_delay=0.5..3 (factors) "
            f"or 'rails.bakong.round_interval=0.5 s..5 s' (values)"
        )
    return name.strip(), span.strip()

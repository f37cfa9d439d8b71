"""The ``sensitivity`` command: which estimate should be measured first."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.compare import FormatOption, JobsOption
from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.run import SeedOption, SetOption
from sim.errors import UserError

if TYPE_CHECKING:
    from sim.study.sensitivity.study import Sensitivity, SensitivityStudy

_SHOWN = 25
"""Rows of a table in the terminal."""

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
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario file.")],
    measures: Annotated[
        str, typer.Option("--measure", metavar="A,B", help="The answers that are asked about.")
    ] = "end_to_end_mean",
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
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the whole table here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which estimated assumptions move the answer, and which to measure first."""
    from sim.cli.counting import RunCounter
    from sim.model.evidence import Evidence
    from sim.report.tabular import choose_format
    from sim.scenario.scenario import load_scenario
    from sim.study.pool import LocalPool, wanted_jobs
    from sim.study.run import Silence, checked_seed, find_engine
    from sim.study.sensitivity.plan import SensitivityPlan
    from sim.study.sensitivity.study import find_sensitivity

    processes = wanted_jobs(jobs)
    form = choose_format(form, out)
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
    find_engine("compiled", Silence())
    with LocalPool(processes) as pool, RunCounter() as counter:
        found = find_sensitivity(loaded, plan, pool, listener=counter)
    _show(found, form=form, out=out, as_json=as_json)


def _named_range(text: str) -> tuple[str, str]:
    name, equals, span = text.partition("=")
    if not equals or not name.strip():
        raise UserError(
            f"--range: found {text!r}; allowed: such as rails.bakong.vote_delay=0.5..3 (factors) "
            f"or 'rails.bakong.round_interval=0.5 s..5 s' (values)"
        )
    return name.strip(), span.strip()


def _show(found: SensitivityStudy, *, form: str | None, out: Path | None, as_json: bool) -> None:
    from sim.report.tabular import render, write_table
    from sim.study.sensitivity.output import as_json_object, full_table
    from sim.tables.provenance import origin

    table, made = full_table(found), origin(("payroute", *sys.argv[1:]))
    if out is not None and form is not None:
        write_table(table, form, out, origin=made)
    if as_json:
        content = {**as_json_object(found), **made}
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    if out is None and form is not None:
        typer.echo(render(table, form), nl=False)
        return
    for answer in found.answers:
        _show_answer(answer)
    if out is not None:
        typer.echo(f"written to {out}", err=True)


def _show_answer(answer: Sensitivity) -> None:
    from sim.report.tabular import render
    from sim.study.sensitivity.output import not_varied, sentences, short_table, tornado

    for line in sentences(answer):
        typer.echo(line)
    typer.echo("")
    bars = tornado(answer)
    for line in [*bars, ""] if bars else []:
        typer.echo(line)
    typer.echo(render(short_table(answer, _SHOWN), "markdown"))
    more = len(answer.swings) - _SHOWN
    if more > 0:
        typer.echo(f"and {more} more that move {answer.measure} less; --out FILE.csv has them all")
    for line in not_varied(answer):
        typer.echo(line)
    typer.echo("")

"""The ``sensitivity`` command: which estimate should be measured first."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.errors import UserError

if TYPE_CHECKING:
    from sim.experiment.sensitivity import Sensitivity

_RANGE = re.compile(r"(?P<name>[^=]+)=(?P<low>\d+(?:\.\d+)?)\.\.(?P<high>\d+(?:\.\d+)?)")
_SHOWN = 20


@guarded
def sensitivity_command(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario file.")],
    measure: Annotated[
        str, typer.Option(metavar="MEASURE", help="The answer that is asked about.")
    ] = "end_to_end_mean",
    low: Annotated[float, typer.Option(metavar="F", help="Smallest factor.")] = 0.5,
    high: Annotated[float, typer.Option(metavar="F", help="Largest factor.")] = 2.0,
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="FIELD=LOW..HIGH", help="Factors of one assumption."),
    ] = None,
    replications: Annotated[int, typer.Option(metavar="N", min=1, help="Runs of each.")] = 3,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="How many get Sobol indices.")] = 5,
    sobol: Annotated[
        int, typer.Option(metavar="N", help="Base sample of the indices; 0 leaves them out.")
    ] = 32,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change a field.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of all luck.")] = None,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which estimated assumptions move the answer, and which to measure first."""
    from sim.cli.counting import RunCounter
    from sim.experiment.picking import full_key
    from sim.experiment.pool import LocalPool, wanted_jobs
    from sim.experiment.run import Silence, checked_seed, find_engine
    from sim.experiment.sensitivity import SensitivityPlan, find_sensitivity
    from sim.scenario.scenario import load_scenario

    processes = wanted_jobs(jobs)
    loaded = load_scenario(scenario_file(scenario), tuple(changes or ()))
    plan = SensitivityPlan(
        measure=full_key(measure),
        seed=loaded.scenario.seed if seed is None else checked_seed(seed),
        low=low,
        high=high,
        ranges=tuple(_parse_range(text) for text in ranges or ()),
        replications=replications,
        top=top,
        sobol=sobol,
    )
    find_engine("compiled", Silence())
    with LocalPool(processes) as pool, RunCounter() as counter:
        found = find_sensitivity(loaded, plan, pool, notice=counter.tell)
    _show(found, as_json=as_json)


def _parse_range(text: str) -> tuple[str, tuple[float, float]]:
    found = _RANGE.fullmatch(text)
    if found is None or not 0 < float(found["low"]) < float(found["high"]):
        raise UserError(
            f"--range: found {text!r}; allowed: such as rails.bakong.vote_delay=0.5..3 (factors)"
        )
    return found["name"].strip(), (float(found["low"]), float(found["high"]))


def _show(found: Sensitivity, *, as_json: bool) -> None:
    from sim.experiment.tabular import TabularData, render

    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2, allow_nan=False))
        return
    typer.echo(found.sentence())
    typer.echo("")
    columns = ("assumption", "factors", "low", "high", "swing", "S1", "ST", "note")
    rows = tuple(
        (
            swing.assumption.name,
            f"{swing.factors[0]:g}..{swing.factors[1]:g}",
            swing.low,
            swing.high,
            swing.size(found.base),
            swing.first_order,
            swing.total,
            swing.note,
        )
        for swing in found.swings[:_SHOWN]
    )
    typer.echo(render(TabularData(columns, rows), "markdown"))
    more = len(found.swings) - _SHOWN
    if more > 0:
        typer.echo(f"and {more} more that move {found.plan.measure} less")

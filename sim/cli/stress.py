"""The ``stress`` command: the highest load that meets objectives, and what stops it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.errors import CheckFailed, UserError, suggest

if TYPE_CHECKING:
    from sim.experiment.stress import Stress

_LOAD = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>x|/\s*s)\s*")


@guarded
def stress_command(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario file.")],
    slo: Annotated[
        str, typer.Option(metavar="OBJECTIVES", help="As in 'p99<=5s,success>=99.5%'.")
    ] = "p99<=5s",
    load: Annotated[
        str | None, typer.Option(metavar="1.5x|1500/s", help="Test this load only.")
    ] = None,
    stream: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Demand that scales; default all.")
    ] = None,
    profile: Annotated[
        str, typer.Option(metavar="step|ramp|soak", help="How loads follow each other.")
    ] = "step",
    window: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Seconds measured, at least 600.")
    ] = None,
    replications: Annotated[int, typer.Option(metavar="N", min=1, help="Runs of every load.")] = 2,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change a field.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of all luck.")] = None,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ramp the load: the highest that meets the objectives, and the bottleneck."""
    from sim.cli.counting import RunCounter
    from sim.experiment.pool import LocalPool, wanted_jobs
    from sim.experiment.run import Silence, checked_seed, find_engine
    from sim.experiment.slo import parse_slo
    from sim.experiment.stress import (
        PROFILES,
        SOAK_WINDOW_S,
        LoadTest,
        Stress,
        StressPlan,
        choose_streams,
        find_capacity,
    )
    from sim.scenario.scenario import load_scenario

    processes = wanted_jobs(jobs)
    if profile not in PROFILES:
        raise UserError(
            f"--profile: found {profile!r}; allowed: {', '.join(PROFILES)}."
            f"{suggest(profile, PROFILES)}"
        )
    given = None if load is None else _parse_load(load)
    loaded = load_scenario(scenario_file(scenario), tuple(changes or ()))
    plan = StressPlan(
        objectives=parse_slo(slo),
        streams=choose_streams(loaded, tuple(stream or ())),
        seed=loaded.scenario.seed if seed is None else checked_seed(seed),
        replications=replications,
        window_s=window or (SOAK_WINDOW_S if profile == "soak" else 600),
        profile=profile,
    )
    find_engine("compiled", Silence())
    with LocalPool(processes) as pool, RunCounter() as counter:
        test = LoadTest(loaded, plan, pool, notice=counter.say)
        if given is None and profile != "soak":
            found = find_capacity(test, plan)
        else:
            number, is_factor = given or (1.0, True)
            point = test.at(number * test.base if is_factor else number)
            is_met = point.verdict == "PASS"
            found = Stress(plan, (point,), point if is_met else None, None if is_met else point)
    _show(found, as_json=as_json)
    if found.verdict != "PASS":
        reasons = [reason for point in found.points for reason in point.reasons]
        raise CheckFailed(f"stress: {slo} not met: {'; '.join(dict.fromkeys(reasons))}")


def _parse_load(text: str) -> tuple[float, bool]:
    """Return the number and whether it is a factor of the scenario's own load."""
    found = _LOAD.fullmatch(text)
    if found is None or float(found["number"]) == 0:
        raise UserError(f"--load: found {text!r}; allowed: such as 1.5x or 1500/s")
    return float(found["number"]), found["unit"] == "x"


def _show(found: Stress, *, as_json: bool) -> None:
    from sim.experiment.stress_output import as_json_object, points_table, sentences
    from sim.experiment.tabular import render

    if as_json:
        typer.echo(json.dumps(as_json_object(found), indent=2, allow_nan=False))
        return
    typer.echo(render(points_table(found), "markdown"))
    for line in sentences(found):
        typer.echo(line)

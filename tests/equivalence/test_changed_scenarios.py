"""Change two random fields of a library scenario: what validates runs, alike and audit clean.

Each number is one scenario: a library scenario cut short, two of its fields at random places with
random values of their types, drawn again until the checks let it pass. A crash, a difference
between engines or a finding of the audit is a limit that stands in a later stage and belongs to
the checks.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from sim.model.quantities import PPB
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.fuzz.field_changes import Place, changed_text, extremes, places
from tests.theory.driver import ROOT, SCENARIOS, run

FILES = (
    *sorted(path for path in SCENARIOS.rglob("*.yaml") if path.parent.name != "experiments"),
    ROOT / "sim" / "study" / "fuzz" / "everything.yaml",
)
CI, ALL = 40, 300
DRAWS_MAX = 400
PAYMENTS_MAX = 3_000
ROUNDS_MAX = 100_000
"""Most payments, and most rounds or steps of a scenario here: more is right and takes long."""


@cache
def _base(path: Path) -> LoadedScenario:
    """Load a scenario cut to a few seconds; a written list of payments stays whole."""
    for horizon in ("8 s", "1 s", "1 min", "1 h"):
        try:
            loaded = load_scenario(path, [f"clock.horizon={horizon}", "clock.warm_up=0 s"])
        except ScenarioError:
            continue
        if _is_short(loaded):
            return loaded
    return load_scenario(path)


@cache
def _places(path: Path) -> tuple[Place, ...]:
    return tuple(places(_base(path)))


def _draw(number: int, folder: Path) -> tuple[LoadedScenario, str]:
    """Return the scenario of a number, and what was changed in it."""
    chance = random.Random(f"changed {number}")
    path = FILES[number % len(FILES)]
    for _ in range(DRAWS_MAX):
        loaded, told = _base(path), [path.name]
        try:
            for place in chance.sample(_places(path), 2):
                values = (*place.others, *extremes(loaded, place))
                if not values:
                    raise LookupError
                other = chance.choice(values)
                told.append(f"{'.'.join(map(str, place.path))}={other!r}")
                file = folder / "changed.yaml"
                file.write_text(changed_text(loaded, place, other), encoding="utf-8")
                loaded = load_scenario(file)
            compile_scenario(loaded, with_tables=False)
        # The second change may stand in what the first took away.
        except (ScenarioError, LookupError):
            continue
        if _is_short(loaded):
            return loaded, ", ".join(told)
    raise AssertionError(f"no valid scenario in {DRAWS_MAX} draws of number {number}")


def _is_short(loaded: LoadedScenario) -> bool:
    """Tell whether a scenario takes seconds, not hours: nothing else is asked of it."""
    clock, scenario = loaded.scenario.clock, loaded.scenario
    gaps = [scenario.routing.view_interval, scenario.fx.step]
    for rail in scenario.rails.values():
        gaps += [getattr(rail, "round_interval", clock.horizon)]
    if clock.horizon / min(gaps) > ROUNDS_MAX:
        return False
    payments = sum(
        demand.rate.per_second * clock.horizon / 1e6 * max([PPB, *demand.steps.values()]) / PPB
        for demand in scenario.demand.values()
        if demand.rate is not None
    )
    return payments < PAYMENTS_MAX


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=[] if number < CI else [pytest.mark.large])
        for number in range(ALL)
    ],
)
def test_what_validates_runs_alike_and_audit_clean(number: int, tmp_path: Path) -> None:
    loaded, told = _draw(number, tmp_path)
    first, second = run(loaded, "reference"), run(loaded, "compiled")
    assert (first.log == second.log).all(), told
    assert (first.records == second.records).all(), told

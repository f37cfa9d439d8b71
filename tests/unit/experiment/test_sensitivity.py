"""Sensitivity names the assumption that matters, and leaves alone what is no quantity."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import UserError
from sim.experiment.assumptions import find_assumptions, scale
from sim.experiment.pool import LocalPool
from sim.experiment.sensitivity import SensitivityPlan, find_sensitivity
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.scenario.tree import Tree
from tests.unit.experiment.tiny import SEED, YAML

ROOT = Path(__file__).parents[3]


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedScenario:
    """Return a shop whose rate matters and whose queue limit hardly does."""
    text = YAML.replace("2.4 /s", "{value: 2 /s, evidence: estimated, source: guess of the rate}")
    text = text.replace(
        "queue_limit: 4", "queue_limit: {value: 400, evidence: estimated, source: guess}"
    )
    path = tmp_path / "tiny.yaml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


@pytest.mark.slow
def test_the_assumption_that_matters_comes_first(loaded: LoadedScenario) -> None:
    plan = SensitivityPlan("waiting_mean", SEED, replications=3, sobol=8, high=1.5)
    found = find_sensitivity(loaded, plan, LocalPool(1))
    assert [swing.assumption.name for swing in found.swings] == [
        "demand.customers.rate",
        "rails.shop.stations.till.queue_limit",
    ]
    first = found.first
    assert first is not None
    assert first.low is not None
    assert first.high is not None
    assert first.low < found.base < first.high
    assert first.total is not None
    assert found.swings[1].size(found.base) == 0
    assert found.sentence().startswith("Measure demand.customers.rate first (guess of the rate)")


@pytest.mark.parametrize(
    ("tree", "factor", "expected"),
    [
        ("0.8 s", 2.0, "1.6 s"),
        ("1500", 0.5, "750"),
        ("1 500 000 KHR", 2.0, "3000000 KHR"),
        ("7", 0.01, "1"),
        ("80 %", 2.0, "100 %"),
        ("2500 /s", 0.5, "1250 /s"),
        ("12.34 USD", 0.5, "6.17 USD"),
        (
            {"lognormal": {"median": "0.15 s", "sigma": "0.5"}},
            2.0,
            {"lognormal": {"median": "0.3 s", "sigma": "0.5"}},
        ),
        ({"KHR": "4000", "USD": "1"}, 2.0, {"KHR": "8000", "USD": "2"}),
        ("USD", 2.0, None),
        ("2026-12-31", 2.0, None),
        (["6", "3"], 2.0, None),
    ],
)
def test_quantities_are_multiplied_and_other_values_are_not(
    tree: Tree, factor: float, expected: Tree | None
) -> None:
    assert scale(tree, factor) == expected


def test_estimates_of_a_real_scenario_are_found_and_can_all_be_varied() -> None:
    path = ROOT / "scenarios" / "china-two-way.yaml"
    loaded = load_scenario(path)
    found = {assumption.name: assumption for assumption in find_assumptions(loaded)}
    assert "rails.bakong.round_interval" in found
    # One assumption for every bank that leaves the default alone.
    assert len(found["institutions.*.core.service_time"].paths) > 5
    scalable = [assumption for assumption in found.values() if assumption.is_scalable]
    assert len(scalable) > 20
    for assumption in scalable:
        # Unchanged values must load again: the text written is one the field reads.
        load_scenario(path, assumption.overrides(1.0))


def test_a_factor_range_around_1_is_required() -> None:
    with pytest.raises(UserError, match="a factor below 1 and one above 1"):
        SensitivityPlan("success_rate", SEED, low=1.2)
    with pytest.raises(UserError, match="power of two"):
        SensitivityPlan("success_rate", SEED, sobol=6)

"""Compare waits with Pollaczek and Khinchine: constant, hyperexponential and lognormal service."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sim.contract.meaning import Cause
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, run_large, seconds, served_in
from tests.theory.oracle import Estimate, agrees, batch_means, mg1_wait

pytestmark = pytest.mark.slow
MD1 = SCENARIOS / "theory" / "md1.yaml"
MG1 = SCENARIOS / "theory" / "mg1.yaml"

ROWS = {
    # M/D/1: E[S^2] = 0.8^2.
    "constant": (MD1, (), 0.8, 0.8**2, "0.82 s"),
    # Hyperexponential: 0.2 of mean 2 s, 0.8 of mean 0.25 s: mean 0.6, E[S^2] = 2 (0.8 + 0.05).
    "hyperexponential": (
        MG1,
        (),
        0.6,
        2 * (0.2 * 4 + 0.8 * 0.0625),
        "{hyperexponential: {p: 20 %, mean_1: 2.2 s, mean_2: 0.2 s}}",
    ),
    # Lognormal of mean 0.7 s: E[S^2] = mean^2 exp(sigma^2).
    "lognormal": (
        MG1,
        (served_in("{lognormal: {mean: 0.7 s, sigma: 0.8}}"),),
        0.7,
        0.7**2 * math.exp(0.64),
        "{lognormal: {mean: 0.7 s, sigma: 1.0}}",
    ),
}
"""Scenario, overrides, mean and mean square of service, and another service."""


def _waits(path: Path, *overrides: str) -> Estimate:
    return batch_means(seconds(run_large(load_scenario(path, overrides)), Cause.WAITING))


@pytest.mark.parametrize("name", ROWS)
def test_one_server_waits_as_pollaczek_and_khinchine_say(name: str) -> None:
    path, settings, mean, second, other = ROWS[name]
    waits = _waits(path, *settings)
    theory = mg1_wait(1.0, mean, second)
    assert waits.error < 0.03 * theory
    assert agrees(waits, theory), (waits, theory)
    # Slower or, at the same mean, more variable service is not taken for it.
    waits = _waits(path, served_in(other))
    assert not agrees(waits, theory), (waits, theory)

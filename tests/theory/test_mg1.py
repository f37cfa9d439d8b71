"""Compare waits with Pollaczek and Khinchine: constant, lognormal and hyperexponential service."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sim.contract.spec import Cause
from tests.theory.driver import load_text, queue_text, run_large, seconds
from tests.theory.oracle import agrees, batch_means, mg1_wait

pytestmark = pytest.mark.slow

ROWS = [
    # M/D/1: E[S^2] = 0.8^2.
    ("constant", "0.8 s", 0.8, 0.8**2, "0.84 s"),
    # Lognormal of mean 0.7 s: E[S^2] = mean^2 exp(sigma^2).
    (
        "lognormal",
        "{lognormal: {mean: 0.7 s, sigma: 0.8}}",
        0.7,
        0.7**2 * math.exp(0.64),
        "{lognormal: {mean: 0.7 s, sigma: 1.0}}",
    ),
    # Hyperexponential: 0.2 of mean 2 s, 0.8 of mean 0.25 s: mean 0.6, E[S^2] = 2 (0.8 + 0.05).
    (
        "hyperexponential",
        "{hyperexponential: {p: 0.2, mean_1: 2 s, mean_2: 0.25 s}}",
        0.6,
        2 * (0.2 * 4 + 0.8 * 0.0625),
        "{hyperexponential: {p: 0.2, mean_1: 2.2 s, mean_2: 0.2 s}}",
    ),
]


@pytest.mark.parametrize(("time", "mean", "second", "other"), [r[1:] for r in ROWS],
                         ids=[r[0] for r in ROWS])  # fmt: skip
def test_one_server_waits_as_pollaczek_and_khinchine_say(
    tmp_path: Path, time: str, mean: float, second: float, other: str
) -> None:
    text = queue_text(horizon="200 000 s", time=time, rate="1", seed=5)
    waits = batch_means(seconds(run_large(load_text(tmp_path, text)), Cause.WAITING))
    theory = mg1_wait(1.0, mean, second)
    assert waits.error < 0.05 * theory
    assert agrees(waits, theory), (waits, theory)
    # Slower or, at the same mean, more variable service is not taken for it.
    changed = load_text(tmp_path, text.replace(time, other))
    assert not agrees(batch_means(seconds(run_large(changed), Cause.WAITING)), theory)

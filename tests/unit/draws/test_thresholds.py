"""Probabilities and weights become exact thresholds."""

from __future__ import annotations

import math

import pytest

from sim.contract.layout import CERTAIN
from sim.draws.thresholds import cumulative62, threshold62


@pytest.mark.parametrize(
    ("probability", "threshold"),
    [(0.0, 0), (1.0, 2**62), (0.5, 2**61), (0.25, 2**60), (2.0**-62, 1), (2.0**-64, 0)],
)
def test_threshold_is_the_share_of_all_draws(probability: float, threshold: int) -> None:
    assert threshold62(probability) == threshold


@pytest.mark.parametrize("probability", [-0.1, 1.0000001, math.nan, math.inf])
def test_what_is_no_probability_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        threshold62(probability)


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ([1.0], [1.0]),
        ([1.0, 3.0], [0.25, 1.0]),
        ([0.0, 2.0, 0.0, 2.0, 0.0], [0.0, 0.5, 0.5, 1.0, 1.0]),
        ([1e300, 1e300], [0.5, 1.0]),
    ],
)
def test_weights_become_running_shares(weights: list[float], shares: list[float]) -> None:
    assert cumulative62(weights).tolist() == [round(share * CERTAIN) for share in shares]


def test_sums_end_at_certainty_whatever_the_weights() -> None:
    assert int(cumulative62([0.1] * 977)[-1]) == CERTAIN


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "at least one"),
        ([0.0, 0.0], "all weights are zero"),
        ([1.0, -1.0], "weight -1.0 of item 1"),
        ([math.nan], "weight nan of item 0"),
        ([math.inf], "weight inf of item 0"),
    ],
)
def test_wrong_weights_are_refused(weights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cumulative62(weights)

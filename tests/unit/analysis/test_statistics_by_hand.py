"""Statistics small enough for pencil and paper, each with its arithmetic.

Distributions of Student's t have closed forms for two and three degrees of freedom; nothing here
is compared with another program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from sim.analysis.censoring import Survival, kaplan_meier, pooled_quantiles
from sim.analysis.comparison import adjust_holm, compare_paired, control_variate
from sim.analysis.intervals import no_event_bound
from sim.analysis.selection import SelectionRule, select_best
from sim.analysis.warm_up import find_truncation
from sim.tables.durations import Between, Durations
from sim.units import SECOND_US as S


def exactly(value: float) -> object:
    # No absolute slack: the p value of a sure difference would be within it whatever it is.
    return pytest.approx(value, rel=1e-9, abs=0)


def test_a_p_value_has_one_degree_of_freedom_less_than_pairs_and_two_sides() -> None:
    found = compare_paired([1, 2, 3, 4], [2, 5, 4, 7])
    # Differences 1, 3, 1, 3: mean 2, variance 4/3, standard error sqrt(4/3 / 4) = 1 / sqrt(3).
    assert found.interval.value == 2
    assert found.interval.standard_error == exactly(1 / math.sqrt(3))
    # t = 2 sqrt(3) with three degrees of freedom, of which at t = sqrt(3) x a share of
    # 1/2 + (x / (1 + x^2) + arctan x) / pi lies below; x = 2. On both sides what is left of 1 is
    # 1 - 2 / pi (2/5 + arctan 2) = 0.0405.
    assert found.p_value == exactly(1 - 2 / math.pi * (2 / 5 + math.atan(2)))
    assert 0.0405 < found.p_value < 0.0406
    # Apart, variances are 5/3 and 13/3; both over 4 make 3/2, against 1/3 paired.
    assert found.unpaired_standard_error == exactly(math.sqrt(1.5))
    assert found.variance_ratio == exactly(2 / 9)


def test_where_nothing_happened_both_ends_are_looked_at() -> None:
    # exp(-10 m) = 2.5 %: m = ln(40) / 10.
    assert no_event_bound(10) == exactly(math.log(40) / 10)


def test_holm_asks_most_of_the_least_and_never_less_of_a_larger_one() -> None:
    # In order 0.01, 0.011, 0.5: 3 * 0.01 = 0.03; 2 * 0.011 = 0.022, raised to 0.03; 1 * 0.5.
    assert adjust_holm([0.5, 0.011, 0.01]) == exactly([0.5, 0.03, 0.03])  # type: ignore[arg-type]


def test_a_control_takes_two_degrees_of_freedom() -> None:
    found = control_variate([1, 4, 3, 8], [0, 2, 0, 2])
    assert found is not None
    # Means 4 and 1. Products -1 * -3, 1 * 0, -1 * -1, 1 * 4 sum to 8 over squares of 4: slope 2.
    assert found.coefficient == exactly(2)
    # What is left at a control of 0: 4 - 2 * 1.
    assert found.interval.value == exactly(2)
    # Residuals -1, -2, 1, 2: squares sum to 10, over 4 - 2 is 5; times 1/4 + 1^2/4 is 2.5.
    assert found.interval.standard_error == exactly(math.sqrt(2.5))
    # Of two degrees of freedom a share c lies within c sqrt(2 / (1 - c^2)) on either side: 4.3027.
    reach = 0.95 * math.sqrt(2 / (1 - 0.95**2))
    assert found.interval.half_width == exactly(reach * math.sqrt(2.5))
    # Plain: squares 9, 0, 1, 16 over 3 are 26/3, over 4 are 13/6.
    assert found.variance_ratio == exactly(2.5 / (13 / 6))


def test_an_arm_drops_out_when_it_is_far_enough_behind() -> None:
    behind = [0.0, 1.0, -1.0, 1.0, 1.0, 1.0]

    def draw(replication: int, arms: Sequence[str]) -> dict[str, float]:
        return {arm: behind[replication] * (arm == "slow") for arm in arms}

    rule = SelectionRule(indifference=2.0, replications_max=6)
    found = select_best(["fast", "slow"], draw, rule, first_stage=3)
    # n0 = 3, k = 2, alpha = 5 %: h^2 = 2 ((2 * 0.05)^(-2/2) - 1) = 18. Differences 0, 1, -1 have a
    # variance of 1, so after r replications one may be (18 / 2 - 2 r) / 2 behind: 1.5 after three,
    # when it is 0 behind, and 0.5 after four, when it is 1.
    assert (found.best, found.eliminated) == ("fast", {"slow": 4})


def test_what_is_left_out_makes_the_mean_of_the_rest_most_certain() -> None:
    # A five, then 1 and -1 in turn. Without the five 15 are left, whose squares around their mean
    # of 1/15 sum to 15 - 1/15; over 15^2 that is 0.0664. Without two it is 14 / 14^2 = 0.0714, and
    # more from there on; with the five it is (40 - 36/16) / 16^2 = 0.1475.
    series = [5.0, *(1.0 if at % 2 == 0 else -1.0 for at in range(15))]
    found = find_truncation(series, batch=1)
    assert (found.observations, found.is_settled) == (1, True)
    assert found.score == exactly((15 - 1 / 15) / 225)


def _known(*cells: tuple[int, int]) -> Durations:
    """Return durations between bounds, one payment each."""
    low, high = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    return Durations(low, high, np.ones_like(low))


@pytest.mark.parametrize(
    ("ended", "still_open"), [((10, 10), (10, 10)), ((8, 12), (9, 11))], ids=["instant", "cell"]
)
def test_who_is_cut_off_where_others_end_has_outlasted_them(
    ended: tuple[int, int], still_open: tuple[int, int]
) -> None:
    found = kaplan_meier(_known(ended, (20, 20)), _known(still_open))
    # All three lasted to 10, where one ended: a third is done. At 20 the one left ends. Had the
    # one cut off left first, half would be done at 10.
    assert found["p50"] == Between(20, 20)


def test_of_runs_together_who_is_cut_off_has_outlasted_who_ends_in_the_cell() -> None:
    run = Survival((1, 2), (10 * S, 20 * S), (12 * S, 22 * S), (1, 1), (1, 0))
    # As above, twice: six lasted to the first cell, where two ended and two were cut off.
    assert pooled_quantiles([run, run])[0.5].value == Between(20, 22)

"""Hold the statistics against worked examples, closed forms and repeated sampling."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest
from scipy import stats

from sim.analysis.comparison import adjust_holm, compare_paired, control_variate
from sim.analysis.intervals import mean_interval, share_interval
from sim.analysis.selection import SelectionRule, select_best
from sim.analysis.warm_up import find_truncation


def test_mean_interval_matches_the_worked_example_of_a_table() -> None:
    # t(0.975, 4) = 2.776445; values 1..5 have mean 3 and standard error sqrt(2.5 / 5).
    found = mean_interval([1, 2, 3, 4, 5])
    half = 2.7764451051977987 * sqrt(0.5)
    assert found.value == 3
    assert found.low == pytest.approx(3 - half, rel=1e-12)
    assert found.high == pytest.approx(3 + half, rel=1e-12)
    assert found.half_width == pytest.approx(half, rel=1e-12)


def test_mean_interval_of_one_value_is_unbounded() -> None:
    found = mean_interval([7.0])
    assert (found.value, found.low, found.high) == (7.0, -inf, inf)


def test_mean_interval_of_equal_values_has_no_width() -> None:
    found = mean_interval([0.1] * 7)
    assert found.low == found.high == found.value == 0.1


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [inf, 1.0]])
def test_mean_interval_refuses_what_has_no_mean(values: list[float]) -> None:
    with pytest.raises(ValueError, match="mean_interval"):
        mean_interval(values)


def test_share_interval_of_no_failures_is_not_of_width_zero() -> None:
    # Closed form: low = (alpha / 2)^(1/n).
    found = share_interval(100, 100)
    assert found.value == found.high == 1
    assert found.low == pytest.approx(0.025 ** (1 / 100), rel=1e-9)


def test_holm_matches_the_worked_example() -> None:
    # Four hypotheses: 4 * 0.005, 3 * 0.01, then 2 * 0.03 and 0.04 lifted to what came before.
    assert adjust_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_holm([]) == []
    assert adjust_holm([0.9, 0.8]) == [1.0, 1.0]


def test_paired_difference_equals_the_paired_t_test_of_scipy() -> None:
    rng = np.random.default_rng(20250917)
    a = rng.normal(size=30)
    b = a + rng.normal(0.3, 0.1, size=30)
    found = compare_paired(list(a), list(b))
    expected = stats.ttest_rel(b, a)
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=1e-9, abs=0)
    low, high = expected.confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), rel=1e-9)
    assert found.variance_ratio < 0.05


def test_independent_arms_gain_nothing_from_pairing() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=4000), rng.normal(size=4000)
    assert compare_paired(list(a), list(b)).variance_ratio == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("shift", "p_value"), [(0.0, 1.0), (1.0, 0.25)])
def test_arms_that_always_differ_alike_are_as_certain_as_signs_can_be(
    shift: float, p_value: float
) -> None:
    # Of 2^3 ways three signs fall under "no difference", two are as one-sided as all three alike.
    assert compare_paired([1, 2, 3], [1 + shift, 2 + shift, 3 + shift]).p_value == p_value


def test_control_variate_removes_what_the_control_explains() -> None:
    rng = np.random.default_rng(11)
    control = rng.normal(size=400)
    values = 5 + 2 * control + rng.normal(scale=0.2, size=400)
    found = control_variate(list(values), list(control))
    assert found is not None
    assert found.coefficient == pytest.approx(2, abs=0.05)
    assert found.interval.covers(5)
    assert found.variance_ratio == pytest.approx(0.04 / 4.04, rel=0.3)
    assert control_variate([1, 2, 3, 4, 5], [1, 1, 1, 1, 1]) is None


@pytest.mark.slow
def test_control_variate_intervals_cover_at_their_level() -> None:
    rng = np.random.default_rng(12)
    hits = 0
    for _ in range(2000):
        control = rng.normal(size=10)
        found = control_variate(list(control + rng.normal(size=10)), list(control))
        assert found is not None
        hits += found.interval.covers(0)
    assert 0.93 <= hits / 2000 <= 0.97


def test_truncation_leaves_out_a_start_and_nothing_else() -> None:
    rng = np.random.default_rng(5)
    start = 20 * np.exp(-np.arange(1000) / 40)
    assert 100 <= find_truncation(list(start + rng.normal(size=1000))).observations <= 300
    stationary = find_truncation(list(rng.normal(size=1000)))
    assert stationary.is_settled
    assert stationary.observations <= 250


def test_truncation_says_when_a_series_never_settles() -> None:
    found = find_truncation([float(at * at) for at in range(200)])
    assert not found.is_settled
    assert found.observations == 0


def test_truncation_refuses_a_series_that_is_too_short() -> None:
    with pytest.raises(ValueError, match="at least 50"):
        find_truncation([1.0] * 49)


def _selected(means: list[float], seed: int, common: float) -> tuple[str, bool]:
    rng = np.random.default_rng(seed)
    arms = [str(at) for at in range(len(means))]

    def draw(replication: int, names: object) -> dict[str, float]:
        luck = rng.normal(scale=common)
        noise = rng.normal(size=len(means))
        return {arm: means[at] + luck + float(noise[at]) for at, arm in enumerate(arms)}

    found = select_best(arms, draw, SelectionRule(0.5, replications_max=5000))
    return found.best, found.is_proven


@pytest.mark.slow
@pytest.mark.parametrize("common", [0.0, 3.0])
def test_selection_is_right_at_least_as_often_as_stated(common: float) -> None:
    # The least favourable case: all others exactly the indifference behind the best.
    found = [_selected([0.0, 0.5, 0.5, 0.5, 0.5], seed, common) for seed in range(300)]
    assert all(proven for _, proven in found)
    right = sum(best == "0" for best, _ in found)
    # The stated probability, less four standard errors of 300 trials.
    assert right / 300 >= 0.95 - 4 * sqrt(0.95 * 0.05 / 300)


def test_selection_that_runs_out_of_replications_says_so() -> None:
    rng = np.random.default_rng(1)
    found = select_best(
        ["a", "b"],
        lambda replication, arms: {arm: float(rng.normal()) for arm in ("a", "b")},
        SelectionRule(0.001, replications_max=20),
    )
    assert not found.is_proven
    assert found.replications == 20
    assert set(found.left) == {"a", "b"}


def test_selection_prefers_the_larger_where_larger_is_better() -> None:
    found = select_best(
        ["a", "b"],
        lambda replication, arms: {"a": 1.0 + replication % 2, "b": 9.0 + replication % 2},
        SelectionRule(0.5, is_lower_better=False),
    )
    assert (found.best, found.is_proven, found.eliminated) == ("b", True, {"a": 10})

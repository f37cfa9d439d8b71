"""Many payments have the distribution asked for; each check also rejects a slightly wrong one."""

from __future__ import annotations

import gc
import math
import tracemalloc
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pytest

from sim.contract.layout import NEVER_US
from sim.contract.plan import Array
from sim.contract.records import WorkloadColumn as Column
from sim.units import DAY_US, HOUR_US, SECOND_US
from sim.workload.arrivals import HAZARD_UNIT, burst_sigma_ppb, hazard_path
from sim.workload.stream_demand import StreamDemand
from sim.workload.streams import draw_workload
from tests.unit.workload import demands
from tests.unit.workload.demands import demand, draw, flat, ints, key_of

Floats = npt.NDArray[np.float64]

START = datetime(2025, 9, 1, tzinfo=timezone(timedelta(hours=7)))
# Tenths of a per cent of a day by local hour, demand.hourly_weight of the calibration.
HOURLY = [6, 3, 2, 2, 4, 12, 32, 56, 58, 52, 54, 70, 74, 52, 44, 46, 54, 72, 82, 78, 60, 44, 28, 15]
BUSIEST_MINUTE = 1.5
"""demand.burst_within_hour of the calibration."""
NATIONWIDE_PER_SECOND = 42
COUNT = 200_000


def _path(
    rate_per_second: int, horizon_us: int, sigma_ppb: int = 0, seed: int = 0
) -> tuple[Array, Array]:
    return hazard_path(
        rate_numerator=rate_per_second,
        rate_denominator=SECOND_US,
        horizon_us=horizon_us,
        start=START,
        hourly=HOURLY,
        weekday=None,
        burst_sigma_ppb=sigma_ppb,
        profile_name="nationwide",
        seed=seed,
        replication=0,
    )


def _along(path: tuple[Array, Array], *, seed: int = 0) -> StreamDemand:
    """Return a stream along a path of which nothing but the times is of interest."""
    return replace(
        demands.without_merchants(demand()),
        hazard_time_us=path[0],
        hazard=path[1],
        key=key_of("counter", seed),
        amount_fixed=1,
        payers=1,
    )


@pytest.fixture(scope="module")
def crowd() -> Array:
    time_us, hazard = flat(100, 10_000 * SECOND_US)
    stream = replace(demand(), hazard_time_us=time_us, hazard=hazard, count_max=COUNT)
    return draw(stream, horizon_us=10_000 * SECOND_US)


def _chi_square(found: Array, expected: Floats) -> float:
    return float(np.sum((found - expected) ** 2 / expected))


@pytest.mark.parametrize("seed", [0, 1, 20_250_901])
def test_hours_have_poisson_counts_of_their_weight(seed: int) -> None:
    rows = draw(_along(_path(3, DAY_US), seed=seed), horizon_us=DAY_US)
    found = np.bincount(rows[:, Column.TIME_US] // HOUR_US, minlength=24)
    expected = np.array(HOURLY) / sum(HOURLY) * 3 * 86_400
    # Sum of 24 squares of standard normal numbers: mean 24, variance 48.
    bound = 24 + 4 * math.sqrt(48)
    assert _chi_square(found, expected) < bound, seed
    assert _chi_square(found, np.roll(expected, 1)) > bound  # negative control: an hour off
    assert _chi_square(found, expected * 1.05) > bound  # negative control: 5 % more


@pytest.mark.parametrize("seed", [0, 7])
def test_gaps_of_a_flat_stream_are_exponential(seed: int) -> None:
    horizon_us = 2_000 * SECOND_US
    rows = draw(_along(flat(100, horizon_us), seed=seed), horizon_us=horizon_us)
    gaps = np.diff(rows[:, Column.TIME_US]) / 10_000
    # Kolmogorov: P(D > d) is close to 2 exp(-2 n d^2); the bound has probability about 1e-5.
    bound = math.sqrt(math.log(2e5) / 2 / len(gaps))
    assert _distance(gaps) < bound, seed
    assert _distance(gaps * 1.05) > bound  # negative control: 5 % slower


def _distance(values: Floats) -> float:
    """Return the greatest distance of values from the unit exponential distribution."""
    shares = -np.expm1(-np.sort(values))
    steps = np.arange(len(shares) + 1) / len(shares)
    return float(max(np.max(steps[1:] - shares), np.max(shares - steps[:-1])))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_busiest_second_of_a_nationwide_day_is_what_bakong_sees(seed: int) -> None:
    sigma = burst_sigma_ppb(BUSIEST_MINUTE)
    assert 150 < _busiest_second(_path(NATIONWIDE_PER_SECOND, DAY_US, sigma, seed), seed) < 280


@pytest.mark.slow
def test_without_bursts_the_busiest_second_stays_too_quiet() -> None:
    assert _busiest_second(_path(NATIONWIDE_PER_SECOND, DAY_US), 0) < 150


def _busiest_second(path: tuple[Array, Array], seed: int) -> int:
    counts = np.zeros(86_400, dtype=np.int64)
    for rows in draw_workload(demands.TABLE, [_along(path, seed=seed)], horizon_us=DAY_US):
        counts += np.bincount(rows[:, Column.TIME_US] // SECOND_US, minlength=86_400)
    assert abs(int(counts.sum()) - int(path[1][-1]) / HAZARD_UNIT) < 4 * math.sqrt(counts.sum())
    return int(counts.max())


def test_amounts_have_the_mean_and_shape_of_their_distribution(crowd: Array) -> None:
    amounts = crowd[:, Column.AMOUNT]
    assert len(amounts) == COUNT
    assert not (amounts % 100).any()
    assert amounts.min() >= 100
    # Rounding down to 100 takes 50 on average, far below a standard error.
    error = demands.AMOUNT_MEAN / math.sqrt(COUNT)
    assert abs(amounts.mean() - demands.AMOUNT_MEAN) < 4 * error
    assert abs(amounts.mean() - demands.AMOUNT_MEAN * 1.05) > 4 * error  # negative control
    bound = math.sqrt(math.log(2e5) / 2 / COUNT)
    values = amounts / demands.AMOUNT_MEAN
    assert _distance(values) < bound
    assert _distance(values**1.05) > bound  # negative control


def test_amounts_below_one_granule_are_one_granule() -> None:
    rows = draw(replace(demand(), amount_granule=10**9))
    assert (rows[:, Column.AMOUNT] == 10**9).all()


def test_amounts_below_what_a_scheme_carries_are_its_least() -> None:
    plain = draw(demand())[:, Column.AMOUNT]
    least = int(np.quantile(plain, 0.5, method="lower"))
    assert plain.min() < least < plain.max()
    raised = draw(replace(demand(), amount_least=least))[:, Column.AMOUNT]
    np.testing.assert_array_equal(raised, np.maximum(plain, least))


@pytest.mark.parametrize(("first", "last"), [(0, 1), (0, 10), (10, 100), (500, 1000), (900, 1000)])
def test_payers_are_as_busy_as_their_skew_says(crowd: Array, first: int, last: int) -> None:
    payers = crowd[:, Column.PAYER]
    assert payers.min() >= 0
    assert payers.max() < 1000
    found = float(((payers >= first) & (payers < last)).mean())
    # P(floor(1000 u^k) < j) = (j / 1000)^(1 / k).
    share = (last / 1000) ** (1 / 3) - (first / 1000) ** (1 / 3)
    wrong = (last / 1000) ** (1 / 2) - (first / 1000) ** (1 / 2)
    bound = 4 * math.sqrt(share * (1 - share) / COUNT)
    assert abs(found - share) < bound
    assert abs(found - wrong) > bound  # negative control: k = 2


def test_without_skew_payers_are_all_alike() -> None:
    rows = draw(replace(demand(), payers=10, payer_skew=1))
    found = np.bincount(rows[:, Column.PAYER], minlength=10)
    bound = 9 + 4 * math.sqrt(18)
    assert _chi_square(found, np.full(10, len(rows) / 10)) < bound
    tilted = np.arange(10, 20) / 145 * len(rows)
    assert _chi_square(found, tilted) > bound  # negative control


def test_agents_merchants_and_codes_come_by_their_shares(crowd: Array) -> None:
    agents = zip((4, 9, 2), demands.AGENT_WEIGHTS, strict=True)
    rows = [
        *((Column.DEBTOR_AGENT, agent, weight / 10) for agent, weight in agents),
        *((Column.MERCHANT, 20 + at, 1 / 7) for at in range(7)),
        (Column.CODE_STATE, 1, 0.05),
        (Column.CODE_EXPIRY_US, NEVER_US, 0.6),
    ]
    for column, value, share in rows:
        found = float((crowd[:, column] == value).mean())
        bound = 4 * math.sqrt(share * (1 - share) / COUNT)
        assert abs(found - share) < bound, (column, value)
        assert abs(found - share * 1.05) > bound, (column, value)  # negative control


def test_draws_for_different_things_say_nothing_of_each_other(crowd: Array) -> None:
    columns = [
        np.diff(crowd[:, Column.TIME_US], prepend=0),
        crowd[:, Column.AMOUNT],
        crowd[:, Column.PAYER],
        crowd[:, Column.DEBTOR_AGENT],
        crowd[:, Column.MERCHANT],
        crowd[:, Column.CODE_STATE],
        crowd[:, Column.CODE_EXPIRY_US] == NEVER_US,
    ]
    correlation = np.corrcoef(np.array(columns, dtype=np.float64)) - np.eye(len(columns))
    bound = 4.5 / math.sqrt(COUNT)
    assert np.abs(correlation).max() < bound
    # Negative control: one column mixed into another by one part in twenty.
    mixed = crowd[:, Column.AMOUNT] / demands.AMOUNT_MEAN + crowd[:, Column.PAYER] / 5000
    assert abs(np.corrcoef(mixed, crowd[:, Column.PAYER])[0, 1]) > bound


@pytest.mark.slow
def test_memory_does_not_grow_with_the_horizon() -> None:
    short, long = _peak_bytes(1), _peak_bytes(10)
    assert long < 1.3 * short
    # Negative control: keeping the chunks is noticed.
    assert _peak_bytes(10, is_kept=True) > 1.3 * short


def _peak_bytes(days: int, *, is_kept: bool = False) -> int:
    """Return the greatest memory taken while drawing 1 payment a second for some days."""
    path = _path(1, days * DAY_US)
    kept = []
    gc.collect()
    tracemalloc.start()
    try:
        count = 0
        streams = [_along(path), replace(demand("other", stream=1), hazard=ints(0, 0))]
        for rows in draw_workload(demands.TABLE, streams, horizon_us=days * DAY_US, chunk=1 << 14):
            count += len(rows)
            if is_kept:
                kept.append(rows)
        assert abs(count - days * 86_400) < 4 * math.sqrt(days * 86_400)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

"""The expected number of payments follows rate, profile and bursts exactly."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sim.contract.plan import Array
from sim.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from sim.workload.arrivals import (
    HAZARD_MAX,
    HAZARD_UNIT,
    burst_sigma_ppb,
    expected_arrivals,
    hazard_path,
)

PHNOM_PENH = timezone(timedelta(hours=7))
MONDAY = datetime(2025, 9, 1, tzinfo=PHNOM_PENH)
RISING = list(range(1, 25))


def _path(**changes: Any) -> tuple[Array, Array]:
    parts: dict[str, Any] = {
        "rate_numerator": 42,
        "rate_denominator": SECOND_US,
        "horizon_us": DAY_US,
        "start": MONDAY,
        "hourly": None,
        "weekday": None,
        "burst_sigma_ppb": 0,
        "profile_name": "nationwide",
        "seed": 0,
        "replication": 0,
    }
    return hazard_path(**(parts | changes))


def test_a_flat_rate_has_two_points_and_rate_times_horizon_payments() -> None:
    time_us, hazard = _path()
    assert time_us.tolist() == [0, DAY_US]
    assert hazard.tolist() == [0, 42 * 86_400 * HAZARD_UNIT]
    assert expected_arrivals(hazard) == 42 * 86_400


def test_no_rate_expects_nothing_flat_or_by_the_hour() -> None:
    assert _path(rate_numerator=0)[1].tolist() == [0, 0]
    assert not _path(rate_numerator=0, hourly=RISING)[1].any()


def test_breakpoints_are_the_local_minutes_and_both_ends() -> None:
    start = MONDAY.replace(second=40, microsecond=5)
    time_us, _ = _path(start=start, horizon_us=150 * SECOND_US, hourly=RISING)
    first = 20 * SECOND_US - 5
    assert time_us.tolist() == [0, first, first + MINUTE_US, first + 2 * MINUTE_US, 150 * SECOND_US]


def test_hour_and_weekday_change_at_local_midnight() -> None:
    # Half a minute of Sunday 23:00-24:00, half of Monday 00:00-01:00, in Phnom Penh.
    start = datetime(2025, 9, 7, 23, 59, 30, tzinfo=PHNOM_PENH)
    weekday = [3, 1, 1, 1, 1, 1, 2]
    time_us, hazard = _path(
        start=start, horizon_us=MINUTE_US, hourly=RISING, weekday=weekday, rate_numerator=1
    )
    sunday = Fraction(24 * 24, 300) * Fraction(2 * 7, 10) * 30
    monday = Fraction(1 * 24, 300) * Fraction(3 * 7, 10) * 30
    assert time_us.tolist() == [0, 30 * SECOND_US, MINUTE_US]
    assert hazard.tolist() == [
        0,
        math.floor(sunday * HAZARD_UNIT),
        math.floor((sunday + monday) * HAZARD_UNIT),
    ]


def test_a_profile_keeps_the_mean_of_its_week_and_rounding_does_not_add_up() -> None:
    weights = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4]
    _, hazard = _path(
        horizon_us=7 * DAY_US,
        hourly=weights,
        weekday=[7, 7, 8, 7, 9, 8, 6],
        rate_numerator=1,
        rate_denominator=7_000_003,
    )
    assert int(hazard[-1]) == HAZARD_UNIT * 7 * DAY_US // 7_000_003
    # Negative control: one part in 10^12 more would show.
    assert int(hazard[-1]) != HAZARD_UNIT * 7 * (DAY_US + 1) // 7_000_003


def test_an_hour_without_weight_expects_nothing() -> None:
    _, hazard = _path(hourly=[0, *[1] * 23], horizon_us=2 * HOUR_US)
    assert not hazard[:61].any()
    assert hazard[61] > 0


def test_minutes_burst_with_mean_one_and_the_given_spread() -> None:
    _, hazard = _path(burst_sigma_ppb=300_000_000, horizon_us=20 * DAY_US)
    factor = np.diff(hazard) / (42 * 60 * HAZARD_UNIT)
    count = len(factor)
    spread = math.sqrt(math.exp(0.09) - 1)
    assert abs(factor.mean() - 1) < 4 * spread / math.sqrt(count)
    assert abs(np.log(factor).std() - 0.3) < 4 * 0.3 / math.sqrt(2 * count)
    assert abs(np.log(factor).std() - 0.31) > 4 * 0.3 / math.sqrt(2 * count)  # negative control


def test_bursts_belong_to_the_minute_and_not_to_the_start() -> None:
    _, early = _path(burst_sigma_ppb=10**8, horizon_us=2 * HOUR_US)
    _, late = _path(burst_sigma_ppb=10**8, horizon_us=HOUR_US, start=MONDAY + timedelta(minutes=30))
    shared = np.diff(early)[30:90] - np.diff(late)
    assert np.abs(shared).max() <= 1  # each point is rounded down on its own


@pytest.mark.parametrize("change", [{"seed": 1}, {"replication": 1}, {"profile_name": "other"}])
def test_seed_replication_and_profile_change_the_bursts(change: dict[str, Any]) -> None:
    base = np.diff(_path(burst_sigma_ppb=10**8)[1])
    assert (np.diff(_path(burst_sigma_ppb=10**8, **change)[1]) != base).mean() > 0.99
    assert (np.diff(_path(burst_sigma_ppb=10**8)[1]) == base).all()


def test_the_busiest_minute_of_an_hour_has_the_asked_median() -> None:
    sigma = burst_sigma_ppb(1.5)
    _, hazard = _path(burst_sigma_ppb=sigma, horizon_us=40 * DAY_US)
    busiest = (np.diff(hazard) / (42 * 60 * HAZARD_UNIT)).reshape(-1, 60).max(axis=1)
    above = (busiest > 1.5).mean()
    bound = 4 * math.sqrt(0.25 / len(busiest))
    assert abs(above - 0.5) < bound
    assert abs((busiest > 1.4).mean() - 0.5) > bound  # negative control
    assert burst_sigma_ppb(1.0) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate_numerator": -1}, "rate -1/1000000 is not allowed"),
        ({"rate_denominator": 0}, "denominator 1 or more"),
        ({"horizon_us": 0}, "horizon_us is 0"),
        ({"hourly": [1] * 23}, "hourly has 23 weights; it needs 24"),
        ({"hourly": [0] * 24}, "not all 0"),
        ({"weekday": [1, 1, 1, -1, 1, 1, 1]}, "must be 0 or more"),
        ({"burst_sigma_ppb": -5}, "burst_sigma_ppb is -5"),
        ({"burst_sigma_ppb": 7 * 10**9}, "sigma"),
        ({"start": datetime(2025, 9, 1)}, "has no time zone"),
        ({"start": datetime(1969, 9, 1, tzinfo=UTC), "hourly": RISING}, "before 1970"),
        ({"rate_numerator": 10**11}, "nationwide: 8.64e[+]15 payments are expected"),
        ({"rate_numerator": 10**11, "hourly": RISING}, "at most 2.31e[+]09 can be counted"),
    ],
)
def test_impossible_demand_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        _path(**changes)


@pytest.mark.parametrize("ratio", [0.9, 11.0, math.nan])
def test_a_busiest_minute_out_of_range_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="it must be from 1 to 10"):
        burst_sigma_ppb(ratio)


def test_the_greatest_hazard_is_accepted_and_one_more_is_not() -> None:
    fits = {"rate_denominator": HAZARD_UNIT, "horizon_us": 1}
    assert int(_path(rate_numerator=HAZARD_MAX, **fits)[1][-1]) == HAZARD_MAX
    with pytest.raises(ValueError, match="can be counted"):
        _path(rate_numerator=HAZARD_MAX + 1, **fits)

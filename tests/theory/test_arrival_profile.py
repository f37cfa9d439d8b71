"""Count arrivals along a profile: Poisson by minute, hour, weekday and payer's institution.

Payments are not drawn at the busiest rate and thinned (Lewis and Shedler 1979); their times are
read off the expected number of payments. Either way they are a Poisson process of that course, and
so are those of each institution among them. Lambda, the expected number up to an instant, is summed
up here from the weights alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sim.contract.plan import Array
from sim.contract.records import RecordColumn
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, SECOND, load_text, queue_text, run_large
from tests.theory.oracle import BOUND, Estimate, Floats, agrees

pytestmark = pytest.mark.slow

HOURLY = [6, 3, 2, 2, 4, 12, 32, 56, 58, 52, 54, 70, 74, 52, 44, 46, 54, 72, 82, 78, 60, 44, 28, 15]
WEEKDAY = [100, 100, 102, 100, 105, 103, 90]
"""Both as in the library; weekdays from Monday."""
ALIKE = [1] * 7
RATE = 1.0
MINUTES_OF_WEEK = 7 * 24 * 60
START = "2025-09-20T13:30:00+07:00"
"""A Saturday: a week from here has the end of one week, a whole Sunday and most of another week."""
START_MINUTE = (5 * 24 + 13) * 60 + 30
"""Its minute of the local week."""


def _arrivals(
    folder: Path,
    hourly: Sequence[int],
    weekday: Sequence[int] = ALIKE,
    *,
    burst: str = "0 %",
    week: bool = False,
) -> Array:
    """Return instants of submission over a day from midnight, or over a week from START."""
    horizon = "7 d" if week else "24 h"
    text = queue_text(horizon=horizon, servers=1000, time="1 s", rate=str(RATE), seed=9)
    if week:
        text = text.replace("2025-09-17T00:00:00+07:00", START)
    text = text.replace(f"rate: {RATE} /s", f"rate: {RATE} /s, profile: day")
    weights = f"hourly: {list(hourly)}, weekday: {list(weekday)}, burst_sigma: {burst}"
    text += f"profiles: {{day: {{{weights}}}}}\n"
    ran = run_large(load_text(folder, text))
    times: Array = np.sort(ran.records[:, RecordColumn.SUBMITTED_US])
    return times


def _per_minute(hourly: Sequence[int]) -> Floats:
    """Return the expected number of every minute of a day."""
    share: Floats = np.repeat(np.array(hourly) / sum(hourly), 60)
    return share * RATE * 24 * 60


def _week(hourly: Sequence[int], weekday: Sequence[int]) -> Floats:
    """Return the expected number of every minute of the week from START."""
    by_day = np.repeat(np.array(weekday) / np.mean(weekday), 24 * 60)
    return np.roll(by_day * np.tile(_per_minute(hourly), 7), -START_MINUTE)


def _counts(times: Array, cells: int, per_cell: int) -> Array:
    """Return how many fell into each cell of some minutes."""
    found: Array = np.bincount(times // (per_cell * 60 * SECOND), minlength=cells)
    return found


def _scores(found: Array, expected: Floats) -> Estimate:
    """Return the mean of (found - expected)^2 / expected, which is 1 for Poisson counts.

    Notes
    -----
    Of a Poisson number of mean m, E (N - m)^4 = m + 3 m^2: a score's variance is 2 + 1 / m.
    """
    scores = (found - expected) ** 2 / expected
    error = np.sqrt(np.sum(2 + 1 / expected)) / len(expected)
    return Estimate(float(scores.mean()), float(error))


def _statistic(times: Array, expected: Floats, per_cell: int = 1) -> Estimate:
    cells = expected.reshape(-1, per_cell).sum(axis=1)
    return _scores(_counts(times, len(cells), per_cell), cells)


def _gaps(times: Array, expected: Floats) -> Floats:
    """Return the differences of Lambda from each arrival to the next."""
    begin = np.arange(len(expected) + 1) * 60.0 * SECOND
    cumulative = np.concatenate([[0.0], np.cumsum(expected)])
    return np.diff(np.interp(times, begin, cumulative))


def _are_exponential(gaps: Floats) -> bool:
    """Say whether gaps have mean 1, mean square 2 and nothing to do with each other."""
    count = len(gaps)
    mean = Estimate(float(gaps.mean()), 1 / np.sqrt(count))
    # Var gap^2 = 24 - 4; the correlation of what is uncorrelated has a variance of 1 / count.
    square = Estimate(float((gaps**2).mean()), float(np.sqrt(20 / count)))
    scaled = (gaps - gaps.mean()) / gaps.std()
    next_to = Estimate(float((scaled[1:] * scaled[:-1]).mean()), 1 / np.sqrt(count))
    return agrees(mean, 1.0) and agrees(square, 2.0) and agrees(next_to, 0.0)


def test_counts_by_minute_are_poisson_around_the_profile(tmp_path: Path) -> None:
    times = _arrivals(tmp_path, HOURLY)
    assert agrees(_statistic(times, _per_minute(HOURLY)), 1.0)
    total = RATE * 24 * 3600
    assert abs(len(times) - total) <= BOUND * np.sqrt(total)


def test_the_check_rejects_another_profile_and_bursts(tmp_path: Path) -> None:
    expected = _per_minute(HOURLY)
    # A twentieth of the busiest hour moved to the hour before it.
    moved = [*HOURLY]
    moved[17], moved[18] = HOURLY[17] + 4, HOURLY[18] - 4
    assert not agrees(_statistic(_arrivals(tmp_path, moved), expected, 60), 1.0)
    bursts = _arrivals(tmp_path, HOURLY, burst="20 %")
    assert not agrees(_statistic(bursts, expected), 1.0)
    flat = _arrivals(tmp_path, [1] * 24)
    assert not agrees(_statistic(flat, expected), 1.0)


def test_a_week_has_its_weekdays_and_the_stated_rate(tmp_path: Path) -> None:
    times = _arrivals(tmp_path, HOURLY, WEEKDAY, week=True)
    expected = _week(HOURLY, WEEKDAY)
    for per_cell in (1, 60, 24 * 60):
        found = _statistic(times, expected, per_cell)
        assert agrees(found, 1.0), (per_cell, found)
    # A week's mean is the stated rate, whatever day it begins on.
    total = Estimate(len(times) / (MINUTES_OF_WEEK * 60), np.sqrt(RATE / MINUTES_OF_WEEK / 60))
    assert expected.sum() == pytest.approx(RATE * MINUTES_OF_WEEK * 60)
    assert agrees(total, RATE)
    assert not agrees(total, 1.01 * RATE)


def test_the_check_rejects_another_week(tmp_path: Path) -> None:
    times = _arrivals(tmp_path, HOURLY, WEEKDAY, week=True)
    for weekday in (ALIKE, np.roll(WEEKDAY, 1), WEEKDAY[::-1]):
        assert not agrees(_statistic(times, _week(HOURLY, weekday), 24 * 60), 1.0), weekday
    # An hour off, as with another zone than the scenario's own.
    assert not agrees(_statistic(times, np.roll(_week(HOURLY, WEEKDAY), 60), 60), 1.0)


@pytest.mark.parametrize(("sigma", "other"), [(0.2, 0.22), (0.4, 0.44)])
def test_bursts_spread_the_minutes_as_much_as_stated(
    tmp_path: Path, sigma: float, other: float
) -> None:
    times = _arrivals(tmp_path, HOURLY, WEEKDAY, week=True, burst=f"{100 * sigma:g} %")
    expected = _week(HOURLY, WEEKDAY)
    found = _counts(times, MINUTES_OF_WEEK, 1)
    # A minute's factor F is lognormal with mean 1: Var N = m + m^2 Var F, Var F = exp(sigma^2) - 1.
    # Summed, a minute counts by what it can tell; the error is that of 10080 independent minutes.
    excess = (found - expected) ** 2 - expected
    weight = np.sum(expected**2)
    spread = float(excess.sum() / weight)
    error = float(np.sqrt(np.sum((excess - spread * expected**2) ** 2)) / weight)
    assert error < 0.05 * spread
    assert agrees(Estimate(spread, error), np.exp(sigma**2) - 1), (spread, error)
    assert not agrees(Estimate(spread, error), np.exp(other**2) - 1), (spread, error)
    # Bursts only move payments about: F has mean 1.
    total = RATE * MINUTES_OF_WEEK * 60
    noise = np.sqrt(total + np.sum(expected**2) * (np.exp(sigma**2) - 1))
    assert agrees(Estimate(len(times), noise), total)


def test_gaps_of_a_flat_stream_are_exponential(tmp_path: Path) -> None:
    gaps = np.diff(_arrivals(tmp_path, [1] * 24)) / SECOND
    assert _are_exponential(gaps * RATE)
    # A twentieth longer; half as uneven; each next to itself.
    assert not _are_exponential(gaps * 1.05)
    assert not _are_exponential(0.5 + gaps / 2)
    assert not _are_exponential(np.repeat(gaps, 2))


def test_gaps_along_a_profile_are_exponential_in_expected_payments(tmp_path: Path) -> None:
    # Time change: Lambda of the arrivals is a Poisson process of rate 1 (Daley and Vere-Jones, An
    # Introduction to the Theory of Point Processes, volume 1, 2003, theorem 7.4.I).
    times = _arrivals(tmp_path, HOURLY, WEEKDAY, week=True)
    assert _are_exponential(_gaps(times, _week(HOURLY, WEEKDAY)))
    # By the clock they are not, nor along another course of the day.
    assert not _are_exponential(np.diff(times) / SECOND * RATE)
    assert not _are_exponential(_gaps(times, np.roll(_week(HOURLY, WEEKDAY), 60)))
    bursts = _arrivals(tmp_path, HOURLY, WEEKDAY, week=True, burst="20 %")
    assert not _are_exponential(_gaps(bursts, _week(HOURLY, WEEKDAY)))


def test_the_payments_of_each_institution_are_a_thinned_profile() -> None:
    # Points kept with one probability each: Kingman, Poisson Processes (1993), section 5.1.
    settings = [
        "clock.start=2025-09-17T00:00:00+07:00",
        "clock.horizon=24 h",
        f"demand.payments.rate={RATE} /s",
        "demand.payments.profile=day",
        f"profiles={{day: {{hourly: {HOURLY}, burst_sigma: 0 %}}}}",
    ]
    ran = run_large(load_scenario(SCENARIOS / "theory" / "bulk-ledger.yaml", settings))
    times = ran.records[:, RecordColumn.SUBMITTED_US]
    agents = ran.records[:, RecordColumn.DEBTOR_AGENT]
    expected = _per_minute(HOURLY).reshape(-1, 10).sum(axis=1)
    members = np.unique(agents)
    assert len(members) == 10
    by_member = np.array([_counts(times[agents == member], 144, 10) for member in members])
    # A tenth each, in every ten minutes of the day.
    tenth = np.tile(expected / 10, (10, 1))
    assert agrees(_scores(by_member.ravel(), tenth.ravel()), 1.0)
    # A fifth more to the first and a fifth less to the second is no longer a tenth each.
    other = tenth * np.array([1.2, 0.8, *[1.0] * 8])[:, None]
    assert not agrees(_scores(by_member.ravel(), other.ravel()), 1.0)
    # What is kept says nothing of what is not: no more covariance of two members than by luck.
    z = (by_member - tenth) / np.sqrt(tenth)
    pairs = [float((z[a] * z[b]).sum()) for a in range(10) for b in range(a)]
    assert agrees(Estimate(sum(pairs) / len(pairs) / 144, 1 / np.sqrt(144 * len(pairs))), 0.0)
    # Payments dealt out in turn have the right numbers, but each tells of the others'.
    order = np.argsort(np.argsort(times, kind="stable"), kind="stable") % 10
    dealt = np.array([_counts(times[order == member], 144, 10) for member in range(10)])
    assert not agrees(_scores(dealt.ravel(), tenth.ravel()), 1.0)

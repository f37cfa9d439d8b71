"""How many payments are expected by when: the clock of a demand stream.

Takes a rate, a profile over the hours and weekdays, how much minutes differ from each other, and
multiples from instants on; gives the breakpoints of the cumulative number of expected payments,
linear between them. The payments themselves are drawn along it by ``workload``. Everything is
counted in whole numbers: the exact sum is kept as a fraction and rounded down at each breakpoint,
so that no rounding adds up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate, pairwise
from statistics import NormalDist
from typing import cast

import numpy as np

from sim.contract.plan import Array
from sim.draws.arrays import draw_array, quantile_array
from sim.units import DAY_US, MINUTE_US, SECOND_US

HAZARD_UNIT = 1_000_000_000
"""Cumulative hazard of one expected payment."""

HAZARD_MAX = (1 << 61) - 1
"""Greatest cumulative hazard; 2.3 thousand million payments of one stream."""

MINUTE_PURPOSE = "minute"
"""Purpose of the draw of a minute's factor; its key is that of the profile, n the minute."""

_HOURS = 24
_WEEKDAYS = 7
_EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday, counted from Monday."""
_FACTOR_UNIT = 1_000_000_000
_STEP_UNIT = 1_000_000_000
_PARTS_PER_BILLION = 1_000_000_000
_MINUTES_PER_HOUR = 60


def hazard_path(
    *,
    rate_numerator: int,
    rate_denominator: int,
    horizon_us: int,
    start: datetime,
    hourly: Sequence[int] | None,
    weekday: Sequence[int] | None,
    burst_sigma_ppb: int,
    profile_name: str,
    seed: int,
    replication: int,
    steps: Sequence[tuple[int, int]] = (),
) -> tuple[Array, Array]:
    """Return when how many payments are expected.

    Parameters
    ----------
    rate_numerator, rate_denominator : int
        Mean rate over an average week of the profile, in payments per microsecond, as a fraction.
    horizon_us : int
        End of the path, in microseconds after ``start``; above 0.
    start : datetime
        Local time of the scenario's start, with its zone.
    hourly : sequence of int, length 24, or None
        Weight of each local hour from midnight, constant within the hour. Only proportions count.
    weekday : sequence of int, length 7, or None
        Weight of each local weekday, Monday first. Only proportions count.
    burst_sigma_ppb : int
        Standard deviation, in 10^-9, of the logarithm of the factor each local minute has of its
        own. The factors are lognormal with mean 1; 0 for none.
    profile_name : str
        Name of the profile. Streams of the same profile share its minutes.
    seed, replication : int
        What the factors of the minutes are drawn from.
    steps : sequence of (int, int)
        Microseconds after ``start``, ascending, and the multiple from then on in 10^-9; before the
        first it is 1. They multiply rate, profile and bursts alike.

    Returns
    -------
    time_us : ndarray of int64
        Breakpoints, from 0 to ``horizon_us``.
    hazard : ndarray of int64
        Expected payments up to each, in 1 / :data:`HAZARD_UNIT`, from 0, not falling.

    Raises
    ------
    ValueError
        If a number is out of its range, or more payments are expected than can be counted.

    Notes
    -----
    Without profile and bursts there are two points. With either there is one at every local minute
    and both ends, and in any case one at every step between the ends. The offset from UTC at the
    start holds throughout, as everywhere in a plan. A minute's factor depends on its absolute
    number since 1970 and not on the start, so two scenarios that overlap in time share their
    bursts.
    """
    _check_rate(rate_numerator, rate_denominator, horizon_us)
    _check_weights("hourly", hourly, _HOURS)
    _check_weights("weekday", weekday, _WEEKDAYS)
    if start.utcoffset() is None:
        raise ValueError(f"start {start.isoformat()} has no time zone; local hours need one")
    if burst_sigma_ppb < 0:
        raise ValueError(f"burst_sigma_ppb is {burst_sigma_ppb}; it must be 0 or more")
    _check_steps(steps)
    is_even = hourly is None and weekday is None and burst_sigma_ppb == 0
    # Exactly two breakpoints, and no look at any minute: most small scenarios.
    if is_even and not steps:
        total = HAZARD_UNIT * rate_numerator * horizon_us // rate_denominator
        _check_sum(total, profile_name)
        return _array([0, horizon_us]), _array([0, total])

    # Minutes matter only where something changes with them.
    local_us = 0 if is_even else _local_us(start)
    minutes = [0, horizon_us] if is_even else _minutes(local_us, horizon_us)
    first_minute = local_us // MINUTE_US
    factors = _minute_factors(
        first_minute,
        len(minutes) - 1,
        sigma_ppb=burst_sigma_ppb,
        profile_name=profile_name,
        seed=seed,
        replication=replication,
    )
    # Weights of 1 stand for no profile; only proportions count.
    by_hour = hourly if hourly is not None else [1] * _HOURS
    by_day = weekday if weekday is not None else [1] * _WEEKDAYS
    weights = list(_weighted(factors, first_minute, by_hour, by_day))
    times, spans = _stepped(minutes, weights, steps)
    # Exact whole numbers up to here, of any size.
    weighted = accumulate(spans, initial=0)
    # Over an average week the weights of all hours and days have the mean 1: 24 times 7 over
    # the sums of both.
    scale = HAZARD_UNIT * rate_numerator * _HOURS * _WEEKDAYS
    divisor = rate_denominator * sum(by_hour) * sum(by_day) * _FACTOR_UNIT * _STEP_UNIT
    # Rounded down at each breakpoint from the exact sum, so that no rounding adds to another.
    hazard = [scale * exact // divisor for exact in weighted]
    _check_sum(hazard[-1], profile_name)
    return _array(times), _array(hazard)


def expected_arrivals(hazard: Array) -> float:
    """Return how many payments are expected along a path of :func:`hazard_path`."""
    return int(hazard[-1]) / HAZARD_UNIT


def burst_sigma_ppb(busiest_minute_ratio: float) -> int:
    """Return the spread of minutes at which the busiest of an hour is so many times their mean.

    Parameters
    ----------
    busiest_minute_ratio : float
        Median of the busiest minute's factor in an hour, from 1 (no bursts) to 10.

    Returns
    -------
    int
        Standard deviation of the logarithm of a minute's factor, in 10^-9.

    Raises
    ------
    ValueError
        If the ratio is out of its range.

    Notes
    -----
    The greatest of 60 standard normal numbers has the median ``z`` with ``Phi(z)^60 = 1/2``; a
    lognormal factor of mean 1 is ``exp(sigma * z - sigma^2 / 2)`` there, which is solved for the
    smaller sigma.
    """
    if not 1.0 <= busiest_minute_ratio <= 10.0:
        raise ValueError(
            f"busiest minute of an hour is {busiest_minute_ratio} times the mean; "
            "it must be from 1 to 10"
        )
    z = NormalDist().inv_cdf(0.5 ** (1.0 / _MINUTES_PER_HOUR))
    # The smaller root: with the larger one most minutes would be nearly empty.
    sigma = z - math.sqrt(z * z - 2.0 * math.log(busiest_minute_ratio))
    return round(sigma * _PARTS_PER_BILLION)


def _weighted(
    factors: Sequence[int], first_minute: int, hourly: Sequence[int], weekday: Sequence[int]
) -> Iterator[int]:
    """Give each minute's factor times the weights of its local hour and weekday."""
    for minute, factor in enumerate(factors, first_minute):
        # The number of the local minute since 1970 gives hour and weekday without a calendar.
        day, hour = divmod(minute // _MINUTES_PER_HOUR, _HOURS)
        yield factor * hourly[hour] * weekday[(day + _EPOCH_WEEKDAY) % _WEEKDAYS]


def _stepped(
    minutes: Sequence[int], weights: Sequence[int], steps: Sequence[tuple[int, int]]
) -> tuple[list[int], list[int]]:
    """Return all breakpoints, and what each span between two of them adds to the exact sum."""
    # Steps at the very start or beyond the end add no breakpoint.
    inside = [at for at, _ in steps if 0 < at < minutes[-1]]
    times = sorted({*minutes, *inside})
    spans = []
    minute = step = 0
    multiple = _STEP_UNIT
    for begin, end in pairwise(times):
        while minutes[minute + 1] <= begin:
            minute += 1
        while step < len(steps) and steps[step][0] <= begin:
            multiple = steps[step][1]
            step += 1
        spans.append((end - begin) * weights[minute] * multiple)
    return times, spans


def _check_rate(numerator: int, denominator: int, horizon_us: int) -> None:
    """Refuse a rate or a horizon nothing can be expected from."""
    if numerator < 0 or denominator < 1:
        raise ValueError(
            f"rate {numerator}/{denominator} is not allowed; the numerator must be 0 or more, "
            "the denominator 1 or more"
        )
    if horizon_us < 1:
        raise ValueError(f"horizon_us is {horizon_us}; it must be above 0")


def _check_weights(name: str, weights: Sequence[int] | None, length: int) -> None:
    """Refuse weights that are no profile."""
    if weights is None:
        return
    if len(weights) != length:
        raise ValueError(f"{name} has {len(weights)} weights; it needs {length}")
    if min(weights) < 0 or sum(weights) == 0:
        raise ValueError(f"{name} weights {list(weights)} must be 0 or more and not all 0")


def _check_steps(steps: Sequence[tuple[int, int]]) -> None:
    """Refuse steps that are no course of multiples."""
    times = [at for at, _ in steps]
    if any(later <= earlier for earlier, later in pairwise(times)) or min(times, default=0) < 0:
        raise ValueError(f"steps at {times} us must be 0 or more and each after the one before")
    if any(multiple < 0 for _, multiple in steps):
        raise ValueError(f"steps {[multiple for _, multiple in steps]} must be 0 or more")


def _check_sum(total: int, profile_name: str) -> None:
    """Refuse more payments than can be counted."""
    if total > HAZARD_MAX:
        raise ValueError(
            f"{profile_name}: {total / HAZARD_UNIT:.3g} payments are expected in one stream; "
            f"at most {HAZARD_MAX / HAZARD_UNIT:.3g} can be counted. "
            "Lower the rate or shorten the horizon"
        )


def _local_us(start: datetime) -> int:
    """Return the local time as microseconds since 1970 on the local clock."""
    elapsed = start.replace(tzinfo=None) - datetime(1970, 1, 1)
    if elapsed.days < 0:
        raise ValueError(f"start {start.isoformat()} lies before 1970")
    return elapsed.days * DAY_US + elapsed.seconds * SECOND_US + elapsed.microseconds


def _minutes(local_us: int, horizon_us: int) -> list[int]:
    """Return both ends and the local full minutes between them."""
    # A scenario may begin within a minute; the first breakpoint is its end.
    first = MINUTE_US - local_us % MINUTE_US
    return [0, *range(first, horizon_us, MINUTE_US), horizon_us]


def _minute_factors(
    first_minute: int,
    count: int,
    *,
    sigma_ppb: int,
    profile_name: str,
    seed: int,
    replication: int,
) -> list[int]:
    """Return each minute's factor in 1 / _FACTOR_UNIT."""
    # No draws are made where every factor is one.
    if sigma_ppb == 0:
        return [_FACTOR_UNIT] * count

    # Numba is not wanted where a scenario is only read.
    from sim.draws.keys import stream_key
    from sim.draws.quantile import build_table

    sigma = sigma_ppb / _PARTS_PER_BILLION
    table = build_table("lognormal", {"mean": float(_FACTOR_UNIT), "sigma": sigma})
    minute = first_minute + np.arange(count, dtype=np.int64)
    key = stream_key(seed, replication, "profile", profile_name)
    draws = draw_array(_array(key), minute, MINUTE_PURPOSE)
    return cast(list[int], quantile_array(table, draws).tolist())


def _array(values: Sequence[int]) -> Array:
    return np.array(values, dtype=np.int64)

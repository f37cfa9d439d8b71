"""What a router expects of a route: its time without waiting, and which queues it looks at.

Takes a symbolic program and the places it visits; gives whole microseconds and views. Means are
closed forms; the vote of a ledger is the mean of the order statistic, by integrating the quantile
function.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from statistics import NormalDist

from sim.compiler.parts import View
from sim.contract.layout import CERTAIN
from sim.contract.meaning import Op
from sim.model.distributions import DurationDistribution
from sim.rails.resources import BlockLedger, Resource, Station
from sim.rails.stages import Program, Stage

_GRID = 2000


Places = Mapping[str, Resource]
"""Stations and ledgers by name."""


def expected_us(places: Places, program: Program) -> int:
    """Return the expected time of a payment that meets no queue and no failure."""
    total = 0.0
    for stage in likely_path(program):
        if stage.op in (Op.SERVE, Op.TRANSIT) and stage.time is not None:
            total += stage.time.mean()
        elif stage.op is Op.BATCH:
            assert isinstance(stage.place, str)
            ledger = places[stage.place]
            assert isinstance(ledger, BlockLedger)
            total += ledger.round_interval_us / 2 + vote_mean(ledger)
    return round(total)


def likely_path(program: Program) -> Iterator[Stage]:
    """Yield the stages of the payment nothing goes wrong for, up to its END."""
    marks = {stage.mark: number for number, stage in enumerate(program) if stage.mark}
    position = 0
    while position < len(program):
        stage = program[position]
        yield stage
        if stage.op is Op.END:
            return
        is_likely_jump = stage.op is Op.DECIDE and 2 * stage.value > CERTAIN
        position = marks[stage.target] if is_likely_jump else position + 1


def vote_mean(ledger: BlockLedger) -> float:
    """Return the mean of the vote that completes a quorum, in microseconds."""
    return order_statistic_mean(ledger.vote_delay, ledger.quorum, ledger.peers)


@lru_cache(maxsize=64)
def order_statistic_mean(time: DurationDistribution, rank: int, count: int) -> float:
    """Return the mean of the smallest but ``rank - 1`` of ``count`` delays, in microseconds.

    Notes
    -----
    The k-th smallest of n delays is the quantile function at a Beta(k, n - k + 1) variable (David
    and Nagaraja, Order Statistics, 2003, section 2.1); integrated at the middle of equal cells.
    """
    choose = math.comb(count, rank) * rank
    total = 0.0
    for cell in range(_GRID):
        position = (cell + 0.5) / _GRID
        density = choose * position ** (rank - 1) * (1 - position) ** (count - rank)
        total += _quantile(time, position) * density
    return total / _GRID


def _quantile(time: DurationDistribution, position: float) -> float:
    """Return the quantile of a delay; for families without a simple one, its mean."""
    parameters = time.parameters()
    if time.family == "lognormal":
        sigma = parameters["sigma"]
        median = parameters.get("median", time.mean() / math.exp(sigma * sigma / 2))
        return median * math.exp(sigma * NormalDist().inv_cdf(position))
    if time.family == "exponential":
        return -parameters["mean"] * math.log1p(-position)
    if time.family == "uniform":
        return parameters["low"] + (parameters["high"] - parameters["low"]) * position
    return time.mean()


def views(places: Places, program: Program) -> Iterator[View]:
    """Yield the queues a router looks at; those at an agent of the payment are not its own."""
    for stage in likely_path(program):
        if not isinstance(stage.place, str):
            continue
        if stage.op is Op.BATCH:
            yield View(stage.place, is_ledger=True)
        elif stage.op is Op.SERVE:
            station = places[stage.place]
            assert isinstance(station, Station)
            per_item = _per_item_us(station, stage)
            if per_item:
                yield View(stage.place, is_ledger=False, per_item_us=per_item)


def _per_item_us(station: Station, stage: Stage) -> int:
    """Return how much one waiting payment delays the next: by servers, or by the rate limit."""
    by_servers, by_rate = 0.0, 0.0
    if station.servers is not None and stage.time is not None:
        by_servers = stage.time.mean() / station.servers
    if station.rate_limit is not None:
        by_rate = station.rate_limit.denominator / station.rate_limit.numerator
    return round(max(by_servers, by_rate))

"""What a router expects of a route: its time without waiting, and which queues it looks at.

Takes a symbolic program; gives whole microseconds and view rows. Means are closed forms; the vote
of a ledger is the mean of the order statistic, by integrating the quantile function.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from statistics import NormalDist

from sim.compiler.builder import SERVERS_UNLIMITED, PlanBuilder
from sim.contract.spec import Op, StationColumn
from sim.model.distributions import DurationDistribution
from sim.rails.bakong import BakongRail
from sim.rails.stages import Program, Stage
from sim.rails.wallet_gateway import THRESHOLD_ONE
from sim.scenario.scenario import Scenario

_GRID = 2000


def expected_us(scenario: Scenario, program: Program) -> int:
    """Return the expected time of a payment that meets no queue and no failure."""
    total = 0.0
    for stage in likely_path(program):
        if stage.op in (Op.SERVE, Op.TRANSIT) and stage.time is not None:
            total += stage.time.mean()
        elif stage.op is Op.BATCH:
            assert isinstance(stage.place, str)
            rail = scenario.rails[stage.place.rpartition(".")[0]]
            assert isinstance(rail, BakongRail)
            total += rail.round_interval / 2 + vote_mean(rail)
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
        is_likely_jump = stage.op is Op.DECIDE and 2 * stage.value > THRESHOLD_ONE
        position = marks[stage.target] if is_likely_jump else position + 1


def vote_mean(rail: BakongRail) -> float:
    """Return the mean of the vote that completes a quorum, in microseconds."""
    return order_statistic_mean(rail.vote_delay, rail.quorum, rail.peers)


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


def view_rows(builder: PlanBuilder, program: Program) -> list[tuple[int, int, int]]:
    """Return the queues a router looks at: (kind, subject, microseconds per waiting payment)."""
    rows = []
    for stage in likely_path(program):
        if not isinstance(stage.place, str):
            continue
        if stage.op is Op.BATCH:
            rows.append((1, builder.ledgers[stage.place], 0))
        elif stage.op is Op.SERVE:
            station = builder.stations[stage.place]
            per_item = _per_item_us(builder, station, stage)
            if per_item:
                rows.append((0, station, per_item))
    return rows


def _per_item_us(builder: PlanBuilder, station: int, stage: Stage) -> int:
    """Return how much one waiting payment delays the next: by servers, or by the rate limit."""
    row = builder.station_row(station)
    servers, count = row[StationColumn.SERVERS], row[StationColumn.RATE_COUNT]
    by_servers = 0.0
    if servers < SERVERS_UNLIMITED and stage.time is not None:
        by_servers = stage.time.mean() / servers
    by_rate = row[StationColumn.RATE_PERIOD_US] / count if count else 0.0
    return round(max(by_servers, by_rate))

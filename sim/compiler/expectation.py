"""What a router expects of a route: its time without waiting, and which queues it looks at.

Takes a symbolic program and the places it visits; gives whole microseconds and views. Means are
closed forms; the vote of a ledger is the mean of the order statistic, by integrating the quantile
function.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist

from sim.compiler.parts import View
from sim.contract.layout import CERTAIN
from sim.contract.meaning import Op
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.sections import Corridor
from sim.rails.resources import BlockLedger, OwnShare, OwnTime, Resource, Station
from sim.rails.stages import ByRole, Program, Stage, Time

_GRID = 2000


Places = Mapping[str, Resource]
"""Stations and ledgers by name."""


@dataclass(frozen=True, slots=True)
class Typical:
    """What is expected of the payers' and the payees' institutions, before any is known.

    Means over institutions, each weighted by its share of the payers or payees of the corridor; a
    stage that names no institution is what it is.

    Attributes
    ----------
    weights : pair of mapping of str to int
        Of the institutions in the role of debtor and of creditor agent.
    means, shares : mapping of (str, str) to float, and to int
        By institution and kind: mean durations in microseconds, and 62-bit thresholds.
    """

    weights: tuple[Mapping[str, int], Mapping[str, int]]
    means: Mapping[tuple[str, str], float]
    shares: Mapping[tuple[str, str], int]

    @classmethod
    def everywhere(cls, parts: Iterable[object]) -> Typical:
        """Return what institutions have of their own, at no corridor's ends yet."""
        found = [part for part in parts if isinstance(part, OwnTime | OwnShare)]
        return cls(
            weights=({}, {}),
            means={(o.owner, o.kind): o.time.mean() for o in found if isinstance(o, OwnTime)},
            shares={(o.owner, o.kind): o.threshold for o in found if isinstance(o, OwnShare)},
        )

    def at(self, corridor: Corridor, members: Sequence[Member]) -> Typical:
        """Return what is typical at the two ends of a corridor."""
        weights = (
            _weights(members, corridor.from_.country, "payer_share"),
            _weights(members, corridor.to.country, "merchant_share"),
        )
        return replace(self, weights=weights)

    def mean_us(self, time: Time) -> float:
        """Return the mean of a duration, in microseconds."""
        return self._mean(time, self.means) if isinstance(time, ByRole) else time.mean()

    def threshold(self, stage: Stage) -> float:
        """Return the 62-bit threshold of a branch."""
        return stage.value if stage.share is None else self._mean(stage.share, self.shares)

    def _mean(self, named: ByRole, values: Mapping[tuple[str, str], float]) -> float:
        weights = self.weights[named.role]
        # Nobody at all: what is wrong then is said where payments would lack an institution.
        total = sum(weights.values()) or 1
        return sum(w * values[name, named.kind] for name, w in weights.items()) / total


def _weights(members: Sequence[Member], country: str, share: str) -> dict[str, int]:
    """Return the weights of the institutions of a country; alike where none has a share."""
    here = [member for member in members if member.entry.country == country and member.holds_money]
    found = {member.name: getattr(member, share) for member in here if getattr(member, share)}
    # A written list may name every bank, and then needs no shares.
    return found or {member.name: 1 for member in here or members}


def expected_us(places: Places, program: Program, typical: Typical) -> int:
    """Return the expected time of a payment that meets no queue and no failure."""
    total = 0.0
    for stage in likely_path(program, typical):
        if stage.op in (Op.SERVE, Op.TRANSIT) and stage.time is not None:
            total += typical.mean_us(stage.time)
        elif stage.op is Op.BATCH:
            assert isinstance(stage.place, str)
            ledger = places[stage.place]
            assert isinstance(ledger, BlockLedger)
            # A payment meets a round half an interval away on average, and nobody before it.
            total += ledger.round_interval_us / 2 + vote_mean(ledger)
    return round(total)


def likely_path(program: Program, typical: Typical) -> Iterator[Stage]:
    """Yield the stages of the payment nothing goes wrong for, up to its END."""
    marks = {stage.mark: number for number, stage in enumerate(program) if stage.mark}
    position = 0
    while position < len(program):
        stage = program[position]
        yield stage
        if stage.op is Op.END:
            return
        # Of the two ways of a fork the likelier; a tie stays on the row behind.
        is_likely_jump = stage.op is Op.DECIDE and 2 * typical.threshold(stage) > CERTAIN
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
    # 1 / B(rank, count - rank + 1), in whole numbers.
    choose = math.comb(count, rank) * rank
    total = 0.0
    for cell in range(_GRID):
        position = (cell + 0.5) / _GRID
        density = choose * position ** (rank - 1) * (1 - position) ** (count - rank)
        total += quantile_of(time, position) * density
    return total / _GRID


def quantile_of(time: DurationDistribution, position: float) -> float:
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


def views(places: Places, program: Program, typical: Typical) -> Iterator[View]:
    """Yield the queues a router looks at; those at an agent of the payment are not its own."""
    for stage in likely_path(program, typical):
        # A queue that depends on the payment's bank is unknown when a route is chosen.
        if not isinstance(stage.place, str):
            continue
        if stage.op is Op.BATCH:
            yield View(stage.place, is_ledger=True)
        elif stage.op is Op.SERVE:
            station = places[stage.place]
            assert isinstance(station, Station)
            per_item = _per_item_us(station, stage, typical)
            # Stations without a limit never make anybody wait.
            if per_item:
                yield View(stage.place, is_ledger=False, per_item_us=per_item)


def _per_item_us(station: Station, stage: Stage, typical: Typical) -> int:
    """Return how much one waiting payment delays the next: by servers, or by the rate limit."""
    by_servers, by_rate = 0.0, 0.0
    if station.servers is not None and stage.time is not None:
        by_servers = typical.mean_us(stage.time) / station.servers
    if station.rate_limit is not None:
        by_rate = station.rate_limit.denominator / station.rate_limit.numerator
    # Whichever is the tighter holds the next payment back.
    return round(max(by_servers, by_rate))

"""Places that are closed or work otherwise for a while, for random plans.

Takes a plan under construction and a seed of its own; adds rows of the agenda by which stations
change their pace, rate and servers, and ledgers the size of their blocks.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from sim.compiler.builder import PlanBuilder
from sim.contract.agenda import PACE_MAX, AgendaKind
from sim.contract.layout import PPM
from sim.units import SECOND_US

_AMOUNTS = {
    AgendaKind.STATION_PACE: (PPM, 1, PPM // 2, 3 * PPM, 1_234_567, PACE_MAX),
    AgendaKind.STATION_RATE: (SECOND_US // 2, SECOND_US, 1_700_001, 5 * SECOND_US),
    AgendaKind.STATION_SERVERS: (1, 2, 3, 7),
}


def add_closures(
    luck: random.Random, b: PlanBuilder, stations: Sequence[int], *, span_us: int
) -> None:
    """Close stations for a while, by the luck of the whole plan."""
    for station in stations:
        for _ in range(luck.choice((0, 0, 1, 2))):
            first = luck.randrange(span_us // SECOND_US)
            length = luck.randint(1, 10)
            b.close_station(station, first * SECOND_US, (first + length) * SECOND_US)


def add_slower(
    seed: int, b: PlanBuilder, places: tuple[Sequence[int], Sequence[int]], *, span_us: int
) -> None:
    """Add changes of stations and ledgers, in no order of time.

    Parameters
    ----------
    seed : int
    b : PlanBuilder
    places : pair of sequence of int
        Stations and ledgers.
    span_us : int
        Changes begin within it.
    """
    luck = random.Random(f"slower {seed}")
    stations, ledgers = places
    for station in stations:
        for _ in range(luck.choice((0, 0, 2, 4))):
            kind = luck.choice(tuple(_AMOUNTS))
            at = luck.randrange(span_us // SECOND_US) * SECOND_US
            b.change(at, kind, station, luck.choice(_AMOUNTS[kind]))
    for ledger in ledgers:
        for _ in range(luck.choice((0, 0, 2))):
            at = luck.randrange(span_us // SECOND_US) * SECOND_US
            b.change(at, AgendaKind.LEDGER_BLOCK, ledger, luck.choice((1, 2, 9)))

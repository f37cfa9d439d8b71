"""Rebuild from the log who stayed where and for how long, and hold an engine's counters to it.

Takes rows of the log and of the records; gives stays by place and, by :func:`differences`, every
counter of the engine that Little's law contradicts. An engine adds to its areas whenever a level
changes and never looks at a payment; here the stays of single payments are added up and no level is
kept. Nothing of the engines or of the audit is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sim.contract.meaning import Cause, LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LedgerTotal, LogColumn, RecordColumn, StationTotal
from sim.contract.run import Totals

STATION, LEDGER = 0, 1
"""Places a payment waits for, as LEAVE rows number them."""

_KINDS = (
    LogKind.JOIN,
    LogKind.START,
    LogKind.FINISH,
    LogKind.LEAVE,
    LogKind.ENQUEUE,
    LogKind.IN_BLOCK,
    LogKind.COMMIT,
)


class Stay(NamedTuple):
    """Be one payment's time in one place, until the horizon where it is still there."""

    payment: int
    begin_us: int
    end_us: int
    is_over: bool
    """False where the horizon ended it, and for a wait that was given up."""

    def within(self, begin_us: int, end_us: int) -> int:
        """Return how much of it lies in a window."""
        return max(0, min(self.end_us, end_us) - max(self.begin_us, begin_us))


@dataclass
class Stays:
    """Hold all stays, by number of station or ledger."""

    waits: defaultdict[int, list[Stay]] = field(default_factory=lambda: defaultdict(list))
    """In a station's queue; of length 0 where service began at once."""
    services: defaultdict[int, list[Stay]] = field(default_factory=lambda: defaultdict(list))
    """On a server, its payment gone elsewhere or not."""
    lines: defaultdict[int, list[Stay]] = field(default_factory=lambda: defaultdict(list))
    """Before a ledger, until the block."""
    blocks: defaultdict[int, list[Stay]] = field(default_factory=lambda: defaultdict(list))
    """At a ledger, from the queue to the commit."""
    commits: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Instants at which a ledger committed."""


def rebuild(log: Array, horizon_us: int) -> Stays:
    """Return every stay the log tells of."""
    stays = Stays()
    rows = log[np.isin(log[:, LogColumn.KIND], _KINDS)].tolist()
    joined: dict[int, tuple[int, int]] = {}
    serving: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    queued: dict[int, tuple[int, int]] = {}
    in_block: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for now, _, kind, payment, _, place, _, value in rows:
        if kind == LogKind.JOIN:
            joined[payment] = (place, now)
        elif kind == LogKind.START:
            _, since = joined.pop(payment, (place, now))
            stays.waits[place].append(Stay(payment, since, now, True))
            serving[place, payment].append(now)
        elif kind == LogKind.FINISH:
            begun = serving[place, payment].pop(0)
            stays.services[place].append(Stay(payment, begun, now, True))
        elif kind == LogKind.ENQUEUE:
            queued[payment] = (place, now)
        elif kind == LogKind.IN_BLOCK:
            _, since = queued.pop(payment)
            stays.lines[place].append(Stay(payment, since, now, True))
            in_block[place, value].append((payment, since))
        elif kind == LogKind.COMMIT:
            stays.commits[place].append(now)
            stays.blocks[place] += [
                Stay(p, since, now, True) for p, since in in_block.pop((place, value), [])
            ]
        elif value == STATION:
            _, since = joined.pop(payment)
            stays.waits[place].append(Stay(payment, since, now, False))
        elif value == LEDGER:
            _, since = queued.pop(payment)
            stays.lines[place].append(Stay(payment, since, now, False))
            stays.blocks[place].append(Stay(payment, since, now, False))
    for payment, (place, since) in joined.items():
        stays.waits[place].append(Stay(payment, since, horizon_us, False))
    for (place, payment), begun_at in serving.items():
        stays.services[place] += [Stay(payment, at, horizon_us, False) for at in begun_at]
    for payment, (place, since) in queued.items():
        stays.lines[place].append(Stay(payment, since, horizon_us, False))
        stays.blocks[place].append(Stay(payment, since, horizon_us, False))
    for (place, _), block in in_block.items():
        stays.blocks[place] += [Stay(p, since, horizon_us, False) for p, since in block]
    return stays


def differences(plan: Plan, totals: Totals, stays: Stays) -> list[str]:
    """Return every counter of an engine, of every station and ledger, that the stays contradict.

    Notes
    -----
    Little (1961); on a finite window the law is an identity (Little 2011, Operations Research 59):
    the area under the number in a place over [warm-up, horizon) is the sum of the stays, each cut
    to the window. Divided by the window's length it reads L = lambda W, with lambda the payments
    that were there per second and W their mean time there. Integers are compared, so that it holds
    to the microsecond.
    """
    found = [
        *_of_stations(plan, totals.station, stays),
        *_of_ledgers(plan, totals.ledger, stays),
    ]
    return [
        f"{place} {counter}: engine {engine}, rebuilt {rebuilt}"
        for place, counter, engine, rebuilt in found
        if engine != rebuilt
    ]


def seen(plan: Plan, stays: Stays) -> set[str]:
    """Return the stations and ledgers at which a payment was."""
    stations = {plan.names.stations[at] for at in (*stays.waits, *stays.services)}
    return stations | {plan.names.ledgers[at] for at in stays.lines}


def disagreeing_records(records: Array, stays: Stays) -> list[int]:
    """Return the payments whose record tells another wait or another time at the ledger.

    A payment that failed over is left out: its earlier times count as RETRY.
    """
    waited = _by_payment(stays.waits.values())
    at_ledger = _by_payment(stays.blocks.values())
    column = RecordColumn.TIME_0
    wrong = []
    for row in records.tolist():
        payment = row[RecordColumn.PAYMENT]
        if row[column + Cause.RETRY]:
            continue
        told = row[column + Cause.WAITING], row[column + Cause.LEDGER]
        if told != (waited.get(payment, 0), at_ledger.get(payment, 0)):
            wrong.append(payment)
    return wrong


Counter = tuple[str, str, int, int]
"""Place, name of the counter, the engine's number, the rebuilt one."""


def _of_stations(plan: Plan, totals: Array, stays: Stays) -> Iterator[Counter]:
    begin, end = plan.warm_up_us, plan.horizon_us
    for at, name in enumerate(plan.names.stations):
        counted = [s for s in stays.waits.get(at, []) if s.is_over and s.end_us >= begin]
        rebuilt = {
            StationTotal.QUEUE_AREA: _area(stays.waits.get(at, []), begin, end),
            StationTotal.BUSY_AREA: _area(stays.services.get(at, []), begin, end),
            StationTotal.STARTS: len(counted),
            StationTotal.WAIT_SUM_US: sum(s.end_us - s.begin_us for s in counted),
        }
        for column, number in rebuilt.items():
            yield name, column.name, int(totals[at, column]), number


def _of_ledgers(plan: Plan, totals: Array, stays: Stays) -> Iterator[Counter]:
    begin, end = plan.warm_up_us, plan.horizon_us
    for at, name in enumerate(plan.names.ledgers):
        counted = [s for s in stays.blocks.get(at, []) if s.is_over and s.end_us >= begin]
        rebuilt = {
            LedgerTotal.QUEUE_AREA: _area(stays.lines.get(at, []), begin, end),
            LedgerTotal.BLOCKS: sum(now >= begin for now in stays.commits.get(at, [])),
            LedgerTotal.INCLUDED: len(counted),
            LedgerTotal.WAIT_SUM_US: sum(s.end_us - s.begin_us for s in counted),
        }
        for column, number in rebuilt.items():
            yield name, column.name, int(totals[at, column]), number


def _area(stays: Sequence[Stay], begin_us: int, end_us: int) -> int:
    return sum(stay.within(begin_us, end_us) for stay in stays)


def _by_payment(places: Iterable[list[Stay]]) -> dict[int, int]:
    total: defaultdict[int, int] = defaultdict(int)
    for stays in places:
        for stay in stays:
            total[stay.payment] += stay.end_us - stay.begin_us
    return dict(total)

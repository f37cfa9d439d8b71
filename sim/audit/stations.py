"""Rebuild every station from the log: who waits, who is served, what the rate allows.

Takes rows that touch a station, in order; reports what a station of that size, discipline and rate
could not have done. Stations are named by their number, their state by its row in things.
"""

from __future__ import annotations

from sim.audit.accounts import touch
from sim.audit.containers import append, check, find, number_of, place, remove, unlink
from sim.audit.messages import Check
from sim.audit.pools import Service
from sim.audit.state import NOBODY, Count, Pay, StationState, Things
from sim.audit.world import COMPLETE_KEY, World
from sim.contract.layout import STATION_PSEUDO, STEP_BITS, StationColumn
from sim.contract.meaning import Discipline, LogKind, WhenClosed
from sim.jit.functions import called


@called
def join(w: World, station: int, p: int) -> None:
    """Let a payment join the queue."""
    s, g, number = w.first[Things.STATION] + station, w.g, w.pay[p, Pay.NUMBER]
    waiting, limit = w.things[s, StationState.WAITING], w.things[s, StationColumn.QUEUE_LIMIT]
    # The same order as in the specification, read the other way: a JOIN row says that the doors
    # were not closed for good, that no service could start and that there was room.
    check(g, Check.CLOSED_JOIN, not _rejects(w, s), (station,))
    busy = waiting > 0 or not _can_start(w, s)
    check(g, Check.COULD_START, busy, (number, station))
    check(g, Check.QUEUE_FULL, waiting < limit, (number, waiting, station, limit))
    append(w, _line(w, station, p), p)
    w.things[s, StationState.WAITING] += 1
    touch(w, s, StationState.TOUCHED)


@called
def leave_station(w: World, station: int, p: int) -> None:
    """Take a payment out of the queue."""
    s = w.first[Things.STATION] + station
    # Counted only if it stood there, so that a wrong row does not empty the queue twice.
    if w.pay[p, Pay.LINE] == _line(w, station, p):
        unlink(w, p)
        w.things[s, StationState.WAITING] -= 1
    touch(w, s, StationState.TOUCHED)


@called
def start_service(w: World, station: int, p: int, stage: int, service_us: int) -> None:
    """Start the service of a payment that came without waiting or waits: see its LINE."""
    # The caller takes a waiting payment out of the queue afterwards, with `leave_station`.
    s, g, now, number = w.first[Things.STATION] + station, w.g, w.g[Count.NOW], w.pay[p, Pay.NUMBER]
    busy, servers = w.things[s, StationState.BUSY], w.things[s, StationColumn.SERVERS]
    check(g, Check.CLOSED_START, w.things[s, StationState.CLOSED] == 0, (station, number))
    check(g, Check.ALL_BUSY, busy < servers, (station, number, busy))
    rate = w.things[s, StationColumn.RATE_COUNT]
    if rate > 0:
        tat = w.things[s, StationState.TAT]
        check(g, Check.RATE_EARLY, now * rate >= tat, (station, number))
        # The rate's schedule is rebuilt from START rows; the engine's own is never asked.
        late = now * rate - tat
        # Less than one microsecond late is the rounding of the wake-up, which nobody makes up for.
        if late >= rate:
            tat += late
        w.things[s, StationState.TAT] = tat + w.things[s, StationColumn.RATE_PERIOD_US]
    check(g, Check.SERVED_FOR, service_us >= 0, (number, service_us))
    w.things[s, StationState.BUSY] += 1
    # Steps may go beyond their bits in a key; the key of the service does as its FINISH will.
    key = (number << STEP_BITS) | (w.pay[p, Pay.STEPS] & ((1 << STEP_BITS) - 1))
    # Found again by payment and step, since its FINISH comes even if the payment has long gone.
    at = place(w.service, key)
    w.g[Count.SERVICES] += 1
    w.service[at, Service.STATION] = station
    w.service[at, Service.DUE_US] = now + service_us
    w.service[at, Service.STAGE] = stage
    touch(w, s, StationState.TOUCHED)


@called
def check_direct(w: World, station: int, p: int) -> None:
    """Check that a payment that did not wait starts past nobody."""
    waiting = w.things[w.first[Things.STATION] + station, StationState.WAITING]
    check(w.g, Check.STARTS_PAST, waiting == 0, (w.pay[p, Pay.NUMBER], station, waiting))


@called
def check_next(w: World, station: int, p: int) -> None:
    """Check that a waiting payment is the next, and that the station did not sleep."""
    s, head = w.first[Things.STATION] + station, _head(w, station)
    # By discipline: the oldest, the newest, or the oldest of the lowest rank.
    check(w.g, Check.NOT_NEXT, head == p, (station, w.pay[p, Pay.NUMBER], number_of(w, head)))
    start_by_us = w.things[s, StationState.START_BY_US]
    # A station that could have started earlier has slept.
    if start_by_us >= 0:
        check(w.g, Check.RATE_LATE, w.g[Count.NOW] <= start_by_us, (station, start_by_us))
        # Further starts of the same event may be allowed by the rate as it is by then.
        w.things[s, StationState.START_BY_US] = -1


@called
def finish_service(w: World, station: int, payment: int, step: int, stage: int) -> None:
    """End a service, orphaned or not."""
    at = find(w.service, (payment << STEP_BITS) | step)
    # Nothing else can be said of a service that is not there.
    if not check(w.g, Check.NEVER_BEGAN, at != NOBODY, (payment, station, step)):
        return
    where, due_us = w.service[at, Service.STATION], w.service[at, Service.DUE_US]
    # Three ways to be wrong: another station, another instant, another stage.
    right = where == station and due_us == w.g[Count.NOW] and w.service[at, Service.STAGE] == stage
    check(w.g, Check.FINISH_DUE, right, (payment, station, stage, due_us, where))
    remove(w.service, at)
    w.g[Count.SERVICES] -= 1
    s = w.first[Things.STATION] + where
    w.things[s, StationState.BUSY] -= 1
    touch(w, s, StationState.TOUCHED)


@called
def refuse(w: World, station: int, reason: int, stage_reason: int) -> None:
    """Check that a station had cause to refuse a payment."""
    s = w.first[Things.STATION] + station
    # Closed for good decides first, as in the specification.
    if _rejects(w, s):
        right = reason == w.things[s, StationColumn.REASON_CLOSED]
        check(w.g, Check.CLOSED_REASON, right, (reason,))
        return
    waiting, limit = w.things[s, StationState.WAITING], w.things[s, StationColumn.QUEUE_LIMIT]
    # A refusal needs both: no start was possible and no place in the queue was left.
    is_full = (waiting > 0 or not _can_start(w, s)) and waiting >= limit
    right = is_full and reason == stage_reason
    check(w.g, Check.REFUSED, right, (station, reason, waiting, limit))


@called
def set_closed(w: World, station: int, closed: int) -> None:
    """Open or close a station."""
    s = w.first[Things.STATION] + station
    w.things[s, StationState.CLOSED] = closed
    touch(w, s, StationState.TOUCHED)


@called
def slow_station(w: World, station: int, kind: int, amount: int) -> None:
    """Let a station work at another pace, rate or size from here on."""
    s = w.first[Things.STATION] + station
    if kind == LogKind.STATION_PACE:
        w.things[s, StationState.PACE_PPM] = amount
    elif kind == LogKind.STATION_RATE:
        w.things[s, StationColumn.RATE_PERIOD_US] = amount
    else:
        w.things[s, StationColumn.SERVERS] = amount
        touch(w, s, StationState.TOUCHED)


@called
def look_after_station(w: World, s: int) -> None:
    """Check at the end of an event that a station leaves nobody waiting who could start."""
    w.things[s, StationState.TOUCHED] = 0
    waiting = w.things[s, StationState.WAITING]
    full = w.things[s, StationState.BUSY] >= w.things[s, StationColumn.SERVERS]
    # Whoever waits has a reason to, so the station owes nobody anything.
    if waiting == 0 or full or w.things[s, StationState.CLOSED] != 0:
        w.things[s, StationState.START_BY_US] = -1
        return
    rate, station = w.things[s, StationColumn.RATE_COUNT], s - w.first[Things.STATION]
    # Rounded up, as the wake-up is due at the first instant at which the rate allows it.
    wake_us = -(-w.things[s, StationState.TAT] // rate) if rate > 0 else -1
    # A wake-up due at this instant that has not had its turn yet will start it.
    wake_key = COMPLETE_KEY + ((STATION_PSEUDO - station) << STEP_BITS)
    wakes = wake_us == w.g[Count.NOW] and w.g[Count.KEY] < wake_key
    check(w.g, Check.IDLE, wakes or not _can_start(w, s), (station, waiting))
    w.things[s, StationState.START_BY_US] = wake_us


@called
def finish_stations(w: World, horizon_us: int) -> None:
    """Check that every service due before the horizon has ended and every wake-up came."""
    # Services that end at the horizon or later are rightly still under way.
    for at in range(len(w.service)):
        key = w.service[at, Service.KEY]
        if key != NOBODY:
            due_us, station = w.service[at, Service.DUE_US], w.service[at, Service.STATION]
            figures = (key >> STEP_BITS, station, due_us)
            check(w.g, Check.NEVER_FINISHED, due_us >= horizon_us, figures)
    for station in range(w.size[Things.STATION]):
        due_us = w.things[w.first[Things.STATION] + station, StationState.START_BY_US]
        woke = due_us < 0 or due_us >= horizon_us
        check(w.g, Check.NEVER_WOKE, woke, (station, due_us))


@called
def _line(w: World, station: int, p: int) -> int:
    """Return the line in which a payment waits at a station."""
    discipline = w.things[w.first[Things.STATION] + station, StationColumn.DISCIPLINE]
    rank = w.pay[p, Pay.RANK] if discipline == Discipline.PRIORITY else 0
    return int(station * w.g[Count.PRIORITIES] + rank)


@called
def _head(w: World, station: int) -> int:
    """Return the payment that must start next, -1 if none waits."""
    discipline = w.things[w.first[Things.STATION] + station, StationColumn.DISCIPLINE]
    # Head or tail of the line.
    end = 1 if discipline == Discipline.LIFO else 0
    first = station * w.g[Count.PRIORITIES]
    # Ranks in ascending order; without PRIORITY all stand in the first.
    for line in range(first, first + w.g[Count.PRIORITIES]):
        if w.line[line, end] != NOBODY:
            return int(w.line[line, end])
    return NOBODY


@called
def _rejects(w: World, s: int) -> bool:
    closed = w.things[s, StationState.CLOSED] != 0
    return bool(closed and w.things[s, StationColumn.WHEN_CLOSED] == WhenClosed.REJECT)


@called
def _can_start(w: World, s: int) -> bool:
    full = w.things[s, StationState.BUSY] >= w.things[s, StationColumn.SERVERS]
    if full or w.things[s, StationState.CLOSED] != 0:
        return False
    rate = w.things[s, StationColumn.RATE_COUNT]
    return bool(rate <= 0 or w.g[Count.NOW] * rate >= w.things[s, StationState.TAT])

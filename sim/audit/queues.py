"""Walk the rebuilt queues of large-value systems, in their order.

Takes a system and a payment in its queue; gives who stands first, and who stands behind. A system
has a line for every rank of the plan's priorities.
"""

from __future__ import annotations

from sim.audit.state import NOBODY, Count, Pay, SystemState, Things
from sim.audit.world import World
from sim.contract.large_value import Order, SystemColumn
from sim.jit.functions import called


@called
def order_of(w: World, system: int) -> int:
    """Return in which order a system settles."""
    return int(w.things[w.first[Things.SYSTEM] + system, SystemColumn.ORDER])


@called
def line_of(w: World, p: int, system: int) -> int:
    """Return the line of a system in which a payment stands, or would."""
    rank = 0
    if order_of(w, system) == Order.PRIORITY:
        rank = w.pay[p, Pay.RANK]
    return int(w.g[Count.SYSTEM_LINES] + system * w.g[Count.PRIORITIES] + rank)


@called
def first_waiting(w: World, system: int) -> int:
    """Return who stands first in a system's queue, -1 for nobody."""
    begin = w.g[Count.SYSTEM_LINES] + system * w.g[Count.PRIORITIES]
    return _first_from(w, begin, begin + w.g[Count.PRIORITIES])


@called
def next_waiting(w: World, system: int, p: int) -> int:
    """Return who stands behind a payment in a system's queue, -1 for nobody."""
    behind = w.pay[p, Pay.NEXT]
    if behind != NOBODY:
        return int(behind)
    end = w.g[Count.SYSTEM_LINES] + (system + 1) * w.g[Count.PRIORITIES]
    return _first_from(w, w.pay[p, Pay.LINE] + 1, end)


@called
def waiting_count(w: World, system: int) -> int:
    """Return how many wait in a system."""
    count = 0
    begin = w.g[Count.SYSTEM_LINES] + system * w.g[Count.PRIORITIES]
    for line in range(begin, begin + w.g[Count.PRIORITIES]):
        count += w.line[line, 2]
    return count


@called
def waiting_before(w: World, system: int, row: int) -> int:
    """Return how many wait in a system since before a row of the log."""
    count = 0
    begin = w.g[Count.SYSTEM_LINES] + system * w.g[Count.PRIORITIES]
    for line in range(begin, begin + w.g[Count.PRIORITIES]):
        p = w.line[line, 0]
        while p != NOBODY:
            # Who settled in the close may come again, at a later stage: it waits for the next one.
            count += w.pay[p, Pay.QUEUED_ROW] < row
            p = w.pay[p, Pay.NEXT]
    return count


@called
def touch_system(w: World, system: int) -> None:
    """Note that a system is to be looked at when the event ends."""
    w.things[w.first[Things.SYSTEM] + system, SystemState.TOUCHED] = 1


@called
def _first_from(w: World, begin: int, end: int) -> int:
    for line in range(begin, end):
        if w.line[line, 0] != NOBODY:
            return int(w.line[line, 0])
    return NOBODY

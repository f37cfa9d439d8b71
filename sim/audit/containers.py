"""Keep violations, waiting lines and tables of the replay: what every rule is written with.

Takes the arrays of :class:`~sim.audit.world.World` or the world itself. Nothing here knows
what a payment is allowed to do.
"""

from __future__ import annotations

from sim.audit.findings import VIOLATIONS_KEPT
from sim.audit.messages import MESSAGES
from sim.audit.pools import Held
from sim.audit.state import NOBODY, Count, Pay, Wait
from sim.audit.world import VIOLATION_WIDTH, World, place_of
from sim.contract.plan import Array
from sim.jit.functions import called

_VIOLATIONS = int(Count.CHECKED) + len(MESSAGES)

find_first = called(place_of)


@called
def add(g: Array, message: int, figures: tuple[int, ...]) -> None:
    """Keep a violation at the row at hand."""
    found = g[Count.FOUND]
    g[Count.FOUND] += 1
    # All are counted, the first few are kept: a broken log has millions.
    if found < VIOLATIONS_KEPT:
        at = _VIOLATIONS + found * VIOLATION_WIDTH
        g[at] = message
        g[at + 1] = g[Count.ROW]
        g[at + 2] = g[Count.NOW]
        at += 3
        for figure in figures:
            g[at] = figure
            at += 1


@called
def check(g: Array, message: int, holds: bool, figures: tuple[int, ...]) -> bool:
    """Count one check; where it does not hold, keep the violation."""
    # "Nothing found" is worth something only beside how much was looked at.
    g[Count.CHECKED + message] += 1
    if not holds:
        add(g, message, figures)
    return holds


@called
def append(w: World, line: int, p: int) -> None:
    """Put a payment at the end of a line."""
    # In a right log it stands nowhere. In a wrong one it would be in two lines at once, which
    # ends in a circle.
    if w.pay[p, Pay.LINE] != NOBODY:
        unlink(w, p)
    tail = w.line[line, 1]
    w.pay[p, Pay.LINE] = line
    w.pay[p, Pay.PREVIOUS] = tail
    w.pay[p, Pay.NEXT] = NOBODY
    if tail == NOBODY:
        w.line[line, 0] = p
    else:
        w.pay[tail, Pay.NEXT] = p
    w.line[line, 1] = p
    w.line[line, 2] += 1


@called
def unlink(w: World, p: int) -> None:
    """Take a payment out of the line it stands in."""
    line, before, after = w.pay[p, Pay.LINE], w.pay[p, Pay.PREVIOUS], w.pay[p, Pay.NEXT]
    if before == NOBODY:
        w.line[line, 0] = after
    else:
        w.pay[before, Pay.NEXT] = after
    if after == NOBODY:
        w.line[line, 1] = before
    else:
        w.pay[after, Pay.PREVIOUS] = before
    w.line[line, 2] -= 1
    w.pay[p, Pay.LINE] = NOBODY


@called
def number_of(w: World, p: int) -> int:
    """Return the number of the payment in a slot, -1 for nobody."""
    if p == NOBODY:
        return NOBODY
    return int(w.pay[p, Pay.NUMBER])


@called
def find(table: Array, key: int) -> int:
    """Return the place of a key, -1 where it is not."""
    mask = len(table) - 1
    at = find_first(key, len(table))
    # Open addressing: the table is at most half full (``world.make_room``), so the search ends.
    while table[at, 0] != NOBODY:
        if table[at, 0] == key:
            return at
        at = (at + 1) & mask
    return NOBODY


@called
def place(table: Array, key: int) -> int:
    """Return where a key is or comes; it is put there."""
    mask = len(table) - 1
    at = find_first(key, len(table))
    while table[at, 0] != NOBODY and table[at, 0] != key:
        at = (at + 1) & mask
    table[at, 0] = key
    return at


@called
def remove(table: Array, at: int) -> None:
    """Empty a place; whoever had to go past it moves up."""
    mask = len(table) - 1
    # Without a mark for removed rows the chain has to be closed: each row behind the hole moves
    # up unless it would come before its own place.
    hole = at
    at = (at + 1) & mask
    while table[at, 0] != NOBODY:
        home = find_first(table[at, 0], len(table))
        if ((at - home) & mask) >= ((at - hole) & mask):
            for column in range(table.shape[1]):
                table[hole, column] = table[at, column]
            hole = at
        at = (at + 1) & mask
    table[hole, 0] = NOBODY


@called
def slot_of(w: World, payment: int) -> int:
    """Return the slot of an open payment, -1 where it is not open."""
    if payment < 0:
        return NOBODY
    at = find(w.slot, payment)
    return NOBODY if at == NOBODY else w.slot[at, 1]


@called
def open_slot(w: World, payment: int) -> int:
    """Return an empty slot for a payment that is submitted."""
    at = find(w.slot, payment)
    # Submitted twice; the first of the two is forgotten.
    if at != NOBODY:
        close_slot(w, w.slot[at, 1])
    p = w.g[Count.FREE_PAYMENT]
    w.g[Count.FREE_PAYMENT] = w.pay[p, Pay.NEXT]
    w.g[Count.PAYMENTS] += 1
    # A slot is used again, and most columns begin at 0.
    for column in range(w.pay.shape[1]):
        w.pay[p, column] = 0
    w.pay[p, Pay.LINE] = NOBODY
    w.pay[p, Pay.HELD] = NOBODY
    at = place(w.slot, payment)
    w.slot[at, 1] = p
    return int(p)


@called
def close_slot(w: World, p: int) -> None:
    """Forget a payment."""
    if w.pay[p, Pay.LINE] != NOBODY:
        unlink(w, p)
    # Reported as MONEY_HELD; here only the nodes are given back.
    while w.pay[p, Pay.HELD] != NOBODY:
        release_held(w, p, w.pay[p, Pay.HELD])
    remove(w.slot, find(w.slot, w.pay[p, Pay.NUMBER]))
    # Lists that still name the slot see that nobody is in it.
    w.pay[p, Pay.WAIT] = Wait.ENDED
    w.pay[p, Pay.NEXT] = w.g[Count.FREE_PAYMENT]
    w.g[Count.FREE_PAYMENT] = p
    w.g[Count.PAYMENTS] -= 1


@called
def held_of(w: World, p: int, transfer: int) -> int:
    """Return a payment's reservation of a transfer, -1 where it has none."""
    node = w.pay[p, Pay.HELD]
    while node != NOBODY and w.held[node, Held.TRANSFER] != transfer:
        node = w.held[node, Held.NEXT]
    return int(node)


@called
def hold(w: World, p: int, transfer: int) -> int:
    """Return a payment's reservation of a transfer, made now if need be; ordered by transfer."""
    node = held_of(w, p, transfer)
    if node != NOBODY:
        return node
    node = w.g[Count.FREE_HELD]
    w.g[Count.FREE_HELD] = w.held[node, Held.NEXT]
    w.g[Count.HELD] += 1
    w.held[node, Held.TRANSFER] = transfer
    # In ascending order of transfer row, the order in which VOID writes its rows.
    before, after = NOBODY, w.pay[p, Pay.HELD]
    while after != NOBODY and w.held[after, Held.TRANSFER] < transfer:
        before, after = after, w.held[after, Held.NEXT]
    w.held[node, Held.NEXT] = after
    if before == NOBODY:
        w.pay[p, Pay.HELD] = node
    else:
        w.held[before, Held.NEXT] = node
    return int(node)


@called
def release_held(w: World, p: int, gone: int) -> None:
    """Forget a reservation."""
    before, node = NOBODY, w.pay[p, Pay.HELD]
    while node != gone:
        before, node = node, w.held[node, Held.NEXT]
    if before == NOBODY:
        w.pay[p, Pay.HELD] = w.held[gone, Held.NEXT]
    else:
        w.held[before, Held.NEXT] = w.held[gone, Held.NEXT]
    w.held[gone, Held.NEXT] = w.g[Count.FREE_HELD]
    w.g[Count.FREE_HELD] = gone
    w.g[Count.HELD] -= 1


@called
def bear(w: World, key: int) -> None:
    """Note that an event is scheduled for this very instant."""
    # A heap of keys: what is scheduled for this same instant (delays and services of 0) has to
    # come in order of key before the clock moves.
    at = w.g[Count.BORN]
    w.g[Count.BORN] += 1
    w.born[at] = key
    while at > 0 and w.born[(at - 1) >> 1] > w.born[at]:
        up = (at - 1) >> 1
        w.born[up], w.born[at] = w.born[at], w.born[up]
        at = up


@called
def bury(w: World, key: int) -> bool:
    """Take a key out of those due at this instant; say whether it was there."""
    at = 0
    while at < w.g[Count.BORN] and w.born[at] != key:
        # Only the least is due; another is searched for in a log that is out of order.
        if w.born[0] > key:
            return False
        at += 1
    if at >= w.g[Count.BORN]:
        return False
    w.g[Count.BORN] -= 1
    last = w.g[Count.BORN]
    # The last key fills the gap, up or down, whichever way it belongs.
    w.born[at] = w.born[last]
    while at > 0 and w.born[(at - 1) >> 1] > w.born[at]:
        up = (at - 1) >> 1
        w.born[up], w.born[at] = w.born[at], w.born[up]
        at = up
    while 2 * at + 1 < last:
        down = 2 * at + 1
        if down + 1 < last and w.born[down + 1] < w.born[down]:
            down += 1
        if w.born[down] >= w.born[at]:
            break
        w.born[down], w.born[at] = w.born[at], w.born[down]
        at = down
    return True

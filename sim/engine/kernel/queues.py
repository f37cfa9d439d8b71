"""Waiting lines of payments, linked through the pool; any payment leaves any place at once.

Takes the pool and ``ends`` (head and tail of every line). A payment stands in one line at most.
"""

from __future__ import annotations

from sim.contract.plan import Array
from sim.engine.kernel.state import P_NEXT, P_PREVIOUS, P_QUEUE, Q_HEAD, Q_TAIL
from sim.jit.functions import called, inlined


@inlined
def append(pool: Array, ends: Array, queue: int, slot: int) -> None:
    """Put a payment at the end of a line."""
    # Links lie in the payments' own rows: a line needs no memory of its own, and leaving it
    # from the middle (a time-out) takes as long as from the head.
    tail = ends[queue, Q_TAIL]
    pool[slot, P_QUEUE] = queue
    pool[slot, P_PREVIOUS] = tail
    pool[slot, P_NEXT] = -1
    if tail >= 0:
        pool[tail, P_NEXT] = slot
    else:
        ends[queue, Q_HEAD] = slot
    ends[queue, Q_TAIL] = slot


@called
def prepend(pool: Array, ends: Array, queue: int, slot: int) -> None:
    """Put a payment at the head of a line."""
    # Only LIFO asks for this: the newest stands at the head and is taken first.
    head = ends[queue, Q_HEAD]
    pool[slot, P_QUEUE] = queue
    pool[slot, P_PREVIOUS] = -1
    pool[slot, P_NEXT] = head
    if head >= 0:
        pool[head, P_PREVIOUS] = slot
    else:
        ends[queue, Q_TAIL] = slot
    ends[queue, Q_HEAD] = slot


@called
def insert_behind(pool: Array, ends: Array, queue: int, slot: int, before: int) -> None:
    """Put a payment right behind another one of a line; at its head where ``before`` is -1."""
    if before == ends[queue, Q_TAIL]:
        append(pool, ends, queue, slot)
    elif before < 0:
        prepend(pool, ends, queue, slot)
    else:
        after = pool[before, P_NEXT]
        pool[slot, P_QUEUE] = queue
        pool[slot, P_PREVIOUS] = before
        pool[slot, P_NEXT] = after
        pool[before, P_NEXT] = slot
        pool[after, P_PREVIOUS] = slot


@inlined
def unlink(pool: Array, ends: Array, slot: int) -> None:
    """Take a payment out of the line it stands in."""
    # The payment knows its line. P_NEXT is used for the list of free slots, too, but a free
    # slot stands in no line.
    queue = pool[slot, P_QUEUE]
    before = pool[slot, P_PREVIOUS]
    after = pool[slot, P_NEXT]
    if before >= 0:
        pool[before, P_NEXT] = after
    else:
        ends[queue, Q_HEAD] = after
    if after >= 0:
        pool[after, P_PREVIOUS] = before
    else:
        ends[queue, Q_TAIL] = before

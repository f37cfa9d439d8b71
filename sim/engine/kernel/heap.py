"""What is scheduled, in order of (time, key): a heap of four children each, in one array.

Takes the cursor and the heap; a row is (time, key, slot, place) and lies in half a cache line, the
four children of a row in two. Four children make half as many levels as two, and which of them is
earliest is computed without a branch nobody could predict.

Where very many events are scheduled, those from ``C_EDGE`` on stand in no order at the end of the
array, from its last row down, until Python deals them out (``engine.later``): a heap that outgrows
the processor's cache waits for memory at every level.
"""

from __future__ import annotations

from sim.contract.plan import Array
from sim.engine.kernel.state import C_EDGE, C_HEAP, C_LATER, H_KEY, H_PLACE, H_SLOT, H_TIME
from sim.jit.functions import called, inlined


@inlined
def push(cursor: Array, heap: Array, time_us: int, key: int, slot: int, place: int) -> None:
    """Schedule an event; the caller has made sure there is room."""
    if time_us >= cursor[C_EDGE]:
        cursor[C_LATER] += 1
        at = heap.shape[0] - cursor[C_LATER]
    else:
        at = cursor[C_HEAP]
        cursor[C_HEAP] = at + 1
        at = _rise(heap, at, time_us, key)
    heap[at, H_TIME] = time_us
    heap[at, H_KEY] = key
    heap[at, H_SLOT] = slot
    heap[at, H_PLACE] = place


@inlined
def drop_first(cursor: Array, heap: Array) -> None:
    """Take the earliest event out; the caller has read it.

    The hole goes down to a leaf and the last event up from there, not down from the top: it nearly
    always belongs near the bottom, so this spares a comparison per level.
    """
    last = cursor[C_HEAP] - 1
    cursor[C_HEAP] = last
    # The only event there was: nothing to move.
    if last == 0:
        return
    at = 0
    child = 1
    # As long as all four children are there. Times are loaded once and compared without
    # branches, as which child is earliest is as good as random.
    while child + 3 < last:
        first_us = heap[child, H_TIME]
        second_us = heap[child + 1, H_TIME]
        third_us = heap[child + 2, H_TIME]
        fourth_us = heap[child + 3, H_TIME]
        left_us = min(first_us, second_us)
        right_us = min(third_us, fourth_us)
        left = child + int(second_us < first_us)
        right = child + 2 + int(fourth_us < third_us)
        # Ties by time are for the keys to decide, in a function of their own that is seldom
        # called. ``|`` and not ``or``: one branch instead of three.
        if (first_us == second_us) | (third_us == fourth_us) | (left_us == right_us):
            child = _earliest(heap, child, child + 4)
        else:
            child = right if right_us < left_us else left
        _copy(heap, child, at)
        at = child
        child = 4 * at + 1
    # The last family may be incomplete; the rows behind the end hold events long handled.
    if child < last:
        child = _earliest(heap, child, last)
        _copy(heap, child, at)
        at = child
    # The hole is at a leaf now; the last event goes into it and up as far as it belongs.
    at = _rise(heap, at, heap[last, H_TIME], heap[last, H_KEY])
    _copy(heap, last, at)


@inlined
def _rise(heap: Array, at: int, time_us: int, key: int) -> int:
    """Move what comes later than an event down along the way up from a hole; return its place."""
    while at > 0:
        # Children of row i are 4 i + 1 to 4 i + 4.
        parent = (at - 1) >> 2
        above = heap[parent, H_TIME]
        # Keys are unique, so there is no third case in which the order of insertion could
        # decide.
        if above < time_us or (above == time_us and heap[parent, H_KEY] < key):
            break
        _copy(heap, parent, at)
        at = parent
    return at


@called
def _earliest(heap: Array, child: int, end: int) -> int:
    """Return the earliest of some events, by time and key."""
    best = child
    for other in range(child + 1, end):
        time_us = heap[other, H_TIME]
        best_us = heap[best, H_TIME]
        if time_us < best_us or (time_us == best_us and heap[other, H_KEY] < heap[best, H_KEY]):
            best = other
    return best


@inlined
def _copy(heap: Array, source: int, target: int) -> None:
    """Copy an event to another place."""
    heap[target, H_TIME] = heap[source, H_TIME]
    heap[target, H_KEY] = heap[source, H_KEY]
    heap[target, H_SLOT] = heap[source, H_SLOT]
    heap[target, H_PLACE] = heap[source, H_PLACE]

"""What is scheduled, in order of (time, key): a binary heap in one array.

Takes the cursor and the heap; a row is (time, key, slot, place) and lies in half a cache line.
"""

from __future__ import annotations

from sim.contract.plan import Array
from sim.engine.kernel.jit import inlined
from sim.engine.kernel.state import C_HEAP, H_KEY, H_PLACE, H_SLOT, H_TIME


@inlined
def push(cursor: Array, heap: Array, time_us: int, key: int, slot: int, place: int) -> None:
    """Schedule an event; the caller has made sure there is room."""
    at = cursor[C_HEAP]
    cursor[C_HEAP] = at + 1
    while at > 0:
        parent = (at - 1) >> 1
        above = heap[parent, H_TIME]
        if above < time_us or (above == time_us and heap[parent, H_KEY] < key):
            break
        heap[at, H_TIME] = above
        heap[at, H_KEY] = heap[parent, H_KEY]
        heap[at, H_SLOT] = heap[parent, H_SLOT]
        heap[at, H_PLACE] = heap[parent, H_PLACE]
        at = parent
    heap[at, H_TIME] = time_us
    heap[at, H_KEY] = key
    heap[at, H_SLOT] = slot
    heap[at, H_PLACE] = place


@inlined
def drop_first(cursor: Array, heap: Array) -> None:
    """Take the earliest event out; the caller has read it."""
    last = cursor[C_HEAP] - 1
    cursor[C_HEAP] = last
    if last == 0:
        return
    time_us = heap[last, H_TIME]
    key = heap[last, H_KEY]
    at = 0
    child = 1
    while child < last:
        below = heap[child, H_TIME]
        if child + 1 < last:
            other = heap[child + 1, H_TIME]
            if other < below or (other == below and heap[child + 1, H_KEY] < heap[child, H_KEY]):
                child += 1
                below = other
        if time_us < below or (time_us == below and key < heap[child, H_KEY]):
            break
        heap[at, H_TIME] = below
        heap[at, H_KEY] = heap[child, H_KEY]
        heap[at, H_SLOT] = heap[child, H_SLOT]
        heap[at, H_PLACE] = heap[child, H_PLACE]
        at = child
        child = 2 * at + 1
    heap[at, H_TIME] = time_us
    heap[at, H_KEY] = key
    heap[at, H_SLOT] = heap[last, H_SLOT]
    heap[at, H_PLACE] = heap[last, H_PLACE]

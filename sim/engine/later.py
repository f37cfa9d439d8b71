"""Events far ahead, kept out of the heap of those that come next.

Takes the kernel's state when its heap is full, or when the events in it come behind some that were
set aside; gives it back with the events that come next in a heap that the processor's cache holds.
All others wait in stretches of time, unsorted, and are sorted when their stretch is near: a heap of
a million events would wait for memory at every level of every event. Events are taken in order of
time and key however they are kept, so nothing that a run tells depends on this.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sim.contract.plan import Array
from sim.engine.kernel.laying import lay_heap
from sim.engine.kernel.state import (
    C_EDGE,
    C_HEAP,
    C_LATER,
    C_LIVE,
    H_KEY,
    H_TIME,
    NO_EDGE,
    KernelState,
)

_NEAR = 1 << 14
"""Events in the heap at first, and in a stretch: half a megabyte."""
_MANY = 2 * _NEAR
"""Events from which on those far ahead are set aside, or a stretch is cut."""
_SPARE = 128
"""Room beyond an event for every payment in flight."""


class Later:
    """The events of one run that were set aside.

    Notes
    -----
    Of each stretch of time the instant it begins at and its events, in ascending order; the last
    one never ends. The first begins at the cursor's ``C_EDGE``.
    """

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._rows: list[list[Array]] = []

    def deal(self, state: KernelState) -> KernelState:
        """Return the state with room for what one step may schedule, and what comes next near.

        Parameters
        ----------
        state : KernelState
            Between two events.
        """
        cursor = state.cursor
        near, aside = _scheduled(state)
        if self._begins:
            is_near = near[:, H_TIME] < self._begins[0]
            self._put(np.concatenate([near[~is_near], aside]))
            near = self._with_next(near[is_near])
        near = _in_order(near)
        if len(near) > _MANY:
            near = self._cut(near)
        rows = 2 * (len(near) + int(cursor[C_LIVE]) + _SPARE)
        heap = state.heap
        # A smaller one where nothing is set aside any more, so that a new crowd is noticed.
        if len(heap) < rows or not self._begins:
            heap = lay_heap(rows)
        # Sorted rows are a heap already: no child is earlier than its parent.
        heap[: len(near)] = near
        cursor[C_HEAP], cursor[C_LATER] = len(near), 0
        cursor[C_EDGE] = self._begins[0] if self._begins else NO_EDGE
        return state._replace(heap=heap)

    def gathered(self, state: KernelState) -> Array:
        """Return all events of a run in order, for a heap of which nothing is set aside."""
        aside = [row for rows in self._rows for row in rows]
        return _in_order(np.concatenate([*_scheduled(state), *aside]))

    def _put(self, rows: Array) -> None:
        """Put events into their stretches; none comes before the first."""
        found = np.searchsorted(self._begins[1:], rows[:, H_TIME], side="right")
        # Numbers of 16 bits are sorted by radix. Nearly always there are some sixty stretches.
        order = np.argsort(found.astype(np.uint16 if len(self._begins) < 1 << 16 else np.int64),
                           kind="stable")  # fmt: skip
        ends = np.cumsum(np.bincount(found, minlength=len(self._begins)))
        rows = rows[order]
        for at, (first, last) in enumerate(pairwise([0, *ends.tolist()])):
            if first < last:
                # A copy: a few events of the last stretch would keep all of these.
                self._rows[at].append(rows[first:last].copy())

    def _with_next(self, near: Array) -> Array:
        """Return events and those of the next stretches, which end, until there are enough."""
        pieces, count = [near], len(near)
        while self._begins and count < _NEAR // 2:
            self._begins.pop(0)
            rows = self._rows.pop(0)
            pieces += rows
            count += sum(map(len, rows))
        return np.concatenate(pieces)

    def _cut(self, near: Array) -> Array:
        """Return the first of some events in order; the others become stretches."""
        times = near[:, H_TIME]
        # Events of one instant stay together.
        cuts = np.unique(np.searchsorted(times, times[_NEAR::_NEAR])).tolist()
        cuts = [at for at in cuts if at > 0]
        if cuts:
            self._begins[:0] = times[cuts].tolist()
            self._rows[:0] = [[near[a:b].copy()] for a, b in pairwise([*cuts, len(near)])]
            near = near[: cuts[0]]
        return near


def _scheduled(state: KernelState) -> tuple[Array, Array]:
    """Return the events in the heap, and those set aside since it was dealt."""
    heap, cursor = state.heap, state.cursor
    return heap[: cursor[C_HEAP]], heap[len(heap) - cursor[C_LATER] :]


def _in_order(rows: Array) -> Array:
    """Return events by time and key."""
    rows = rows[np.argsort(rows[:, H_TIME])]
    times = rows[:, H_TIME]
    # Keys decide nothing where all instants differ, and are slow to sort by.
    if bool((times[1:] == times[:-1]).any()):
        rows = rows[np.lexsort((rows[:, H_KEY], times))]
    return rows

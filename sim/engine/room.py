"""The arrays of a compiled run, laid out once and used again by the next replication of a plan.

Takes a plan; gives the plan and the state a run works on, as they are before the first event. Small
runs spend most of their time on checking a plan and laying out arrays: replications that differ by
nothing but the keys of their draws need neither twice. Large arrays are not kept, as there a run
takes far longer than what comes before it.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from sim.contract.plan import Array, Plan
from sim.contract.plan_check import check_plan
from sim.contract.records import HISTOGRAM_LENGTH
from sim.contract.run import Sink
from sim.engine.kernel import state as st
from sim.engine.kernel.laying import lay_rows, lay_state, more_rows
from sim.engine.kernel.state import ACCOUNT_WIDTH, KernelState

COPIED_MAX, KEPT_MAX = 1 << 23, 1 << 26
"""Bytes that are copied for every run, and that are kept between two, at most (8 and 64 MB)."""
_SPARE_FROM = 1 << 12
"""Rows from which on an array gets room to grow where it lies."""
ROOMS_MAX = 4
"""Plans whose arrays are kept: the arms of a comparison take turns."""

_KEYS = ("stream_key", "ledger_key")
_NUMBERED = frozenset({*_KEYS, "seed", "replication"})
"""What replications of one plan differ by; an engine looks up keys and no number."""
_LISTED = {"pool": (st.C_FREE, st.P_NEXT), "node": (st.C_NODE, st.N_NEXT)} | {
    "timer": (st.C_TIMER, st.T_NEXT)
}
"""Arrays that grow as they are needed: where their list of free rows begins, what links it."""
_LEFT = frozenset({*_LISTED, "heap", "log", "record", "chunk", "order", "entry", "scratch"})
"""Arrays of which a run reads nothing it has not written, beyond what is put right here."""


def lay_for(plan: Plan, sink: Sink) -> KernelState:
    """Return the state before the first event, for what a sink wants."""
    wants_log, wants_records, wants_samples = wants_of(sink)
    return lay_state(
        plan, wants_log=wants_log, wants_records=wants_records, wants_samples=wants_samples
    )


def wants_of(sink: Sink) -> tuple[bool, bool, bool]:
    """Return whether a sink wants the log, records and samples."""
    return sink.wants_log, sink.wants_records, bool(getattr(sink, "wants_samples", False))


def is_small(plan: Plan) -> bool:
    """Say whether copying the arrays of a plan costs little, by those that grow with places."""
    places = len(plan.station) + len(plan.ledger)
    words = places * HISTOGRAM_LENGTH + 2 * plan.limit_cells + len(plan.account) * ACCOUNT_WIDTH
    return words * 8 <= COPIED_MAX


class Room:
    """Arrays for runs that differ by nothing but the keys of their draws.

    Parameters
    ----------
    plan : Plan
        Any of these.
    sink : Sink
        Receiver of the first run; those of others must want the same.

    Attributes
    ----------
    plan : Plan
        The plan with keys of its own, which each run has written over.
    state : KernelState
        What the run works on.

    Raises
    ------
    InvariantViolation
        If the plan is not one.
    """

    def __init__(self, plan: Plan, sink: Sink) -> None:
        # Once for all of them: the only arrays that differ hold keys, of which any is right.
        check_plan(plan)
        self._like, self._wants = plan, wants_of(sink)
        self.plan = replace(
            plan, stream_key=plan.stream_key.copy(), ledger_key=plan.ledger_key.copy()
        )
        self._first = lay_for(plan, sink)
        self.state = KernelState(*(array.copy() for array in self._first))

    @property
    def bytes(self) -> int:
        """Return how much what has grown in it takes."""
        return sum(array.nbytes for array in self.state)

    def fits(self, plan: Plan, sink: Sink) -> bool:
        """Say whether a run of a plan finds all it needs here.

        Notes
        -----
        By identity: replications of a scenario that is compiled once share its arrays. Policies of
        the user's own live as long as one run.
        """
        if self._wants != wants_of(sink) or len(plan.own):
            return False
        return all(
            getattr(plan, entry.name) is getattr(self._like, entry.name)
            for entry in fields(plan)
            if entry.name not in _NUMBERED
        )

    def begin(self, plan: Plan) -> KernelState:
        """Return the state before the first event of a plan that fits."""
        for name in _KEYS:
            getattr(self.plan, name)[:] = getattr(plan, name)
        for name, first, now in zip(KernelState._fields, self._first, self.state, strict=True):
            if name not in _LEFT:
                now[...] = first
        heap = self._first.heap
        self.state.heap[: len(heap)] = heap
        cursor = self.state.cursor
        for name, (column, link) in _LISTED.items():
            rows = getattr(self.state, name)
            if len(rows):
                cursor[column] = 0
                link_free(rows, link)
        # -1 is nobody's id; an event that finds it here is orphaned.
        self.state.pool[:, st.P_ID] = -1
        self.state.entry[:] = 0
        self.state = self.state._replace(chunk=self._first.chunk, order=self._first.order)
        return self.state


def kept_rooms(rooms: list[Room]) -> list[Room]:
    """Return the rooms that are kept of some, those used last first."""
    found, taken = list[Room](), 0
    for one in rooms[:ROOMS_MAX]:
        taken += one.bytes
        if taken > KEPT_MAX:
            break
        found.append(one)
    return found


def link_free(rows: Array, link: int, first: int = 0) -> None:
    """Link rows from one on to a list of free rows, in ascending order."""
    rows[first:, link] = np.arange(first + 1, len(rows) + 1)
    rows[-1, link] = -1


def doubled(array: Array, *, link: int, rows_min: int) -> Array:
    """Return an array of twice the rows, the new ones linked to a list of free rows.

    Parameters
    ----------
    array : ndarray of int64, shape (rows, width)
        Every row is in use.
    link : int
        Column that names the next free row.
    rows_min : int
        Least rows of the result.
    """
    rows = len(array)
    wanted = max(rows_min, 2 * rows)
    larger = more_rows(array, wanted) if rows else None
    if larger is None:
        # Most of what a crowd costs is memory that is written for the first time.
        larger = lay_rows(wanted, array.shape[1], spare=3 * wanted if rows >= _SPARE_FROM else 0)
        larger[:rows] = array
    # The pool was exhausted, so the new rows are the whole list of free ones.
    link_free(larger, link, rows)
    return larger

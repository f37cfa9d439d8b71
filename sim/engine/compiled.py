"""The compiled engine: drives the kernel, feeds it workload and room, empties its buffers.

Takes a plan, workload chunks and a sink; gives totals equal to those of ``reference`` to the last
bit. The meaning is in :mod:`sim.contract.meaning`; the event loop is in :mod:`sim.engine.kernel`.
Memory depends on the payments in flight, not on how many there are in all. Python is returned to
several times a second, so that an interrupt is answered and progress is shown.

Numba is imported inside the functions: commands that run nothing do not wait for it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sim.contract.inquiries import INQUIRY_FIRST
from sim.contract.layout import RouteSetColumn
from sim.contract.plan import Array, Plan
from sim.contract.plan_check import check_plan
from sim.contract.records import (
    LOG_WIDTH,
    RECORD_WIDTH,
    AccountTotal,
    RecordColumn,
)
from sim.contract.run import Sink, Totals, WorkloadSource
from sim.engine.chunks import checked_chunks
from sim.engine.foreseen import Watcher, worth_of
from sim.engine.kernel import state as st
from sim.engine.kernel.broken import ERRORS, OWN_POLICY, TOO_LARGE
from sim.engine.kernel.laying import lay_entries, lay_state
from sim.engine.kernel.state import KernelState
from sim.engine.later import Later
from sim.engine.read_out import check_balances, read_out
from sim.engine.room import Room, doubled, is_small, kept_rooms, lay_for
from sim.errors import InvariantViolation, TooLargeError, UserError
from sim.policies.asking import broken_words, kernel_addresses

if TYPE_CHECKING:
    from sim.engine.kernel.cache import Kernel

# Two megabytes of log and some of records: large enough for few hand-overs, small enough for
# the processor's cache.
_LOG_ROWS = 1 << 15
_RECORD_ROWS = 1 << 13
_SLOTS_FIRST = 256
# From this the budget grows until a turn takes about _TURN_SECONDS: the pace of events is not
# known beforehand and changes within a run.
_BUDGET_FIRST = 1 << 12
_BUDGET_MAX = 1 << 26
_TURN_SECONDS = 0.2
_COURSE_FIRST, _COURSE_RECORDS = 1 << 6, 1 << 8
"""Events and room of a course that is foreseen: most payments end soon."""
_CHANGING = tuple(
    name
    for name in KernelState._fields
    if name not in ("log", "record", "chunk", "order", "rank", "line", "own", "scratch", "wait")
    and name not in ("commit_wait", "heap")
)
"""Arrays a copy of a run needs for itself."""


def run_compiled(
    plan: Plan, workload: WorkloadSource, sink: Sink, *, jit: bool | None = None
) -> Totals:
    """Run a plan to its horizon with the compiled kernel.

    Parameters
    ----------
    plan : Plan
        What to run.
    workload : iterable of ndarray
        Chunks of shape (payments, WORKLOAD_WIDTH), in order of submission; read as far as the
        horizon.
    sink : Sink
        Receives log rows, payment records and progress while the run goes on.
    jit : bool, optional
        Insist on machine code (True) or on plain Python (False); by default whatever this process
        was started with.

    Returns
    -------
    Totals
        Sums over the run.

    Raises
    ------
    InvariantViolation
        If the kernel finds the run's state contradictory: a bug, or a plan nobody compiled.
    TooLargeError
        If a balance or an area outgrows its bound.
    ValueError
        If ``jit`` asks for what this process was not started with, or the workload is not in order.
    """
    from sim.engine.kernel.cache import load_kernel
    from sim.jit.cache import is_jit_disabled

    if jit is not None and jit == is_jit_disabled():
        wanted = "0 or not at all" if jit else "1"
        raise ValueError(
            f"jit={jit}: whether the kernel is compiled is decided when Python starts; set the "
            f"environment variable NUMBA_DISABLE_JIT to {wanted} and start again"
        )
    return CompiledRun(plan, workload, sink).finish(load_kernel())


class Replications:
    """The compiled engine for one run after the other, in the arrays of the last where they fit."""

    def __init__(self) -> None:
        self._rooms: list[Room] = []
        self._lock = threading.Lock()

    def __call__(self, plan: Plan, workload: WorkloadSource, sink: Sink) -> Totals:
        """Run a plan; as :func:`run_compiled`, and with the same result."""
        from sim.engine.kernel.cache import load_kernel

        # Taken away and given back behind: a run of another thread has a room of its own, and one
        # that breaks takes it along.
        with self._lock:
            room = next((one for one in self._rooms if one.fits(plan, sink)), None)
            self._rooms = [one for one in self._rooms if one is not room]
        if room is None:
            if len(plan.own) or not is_small(plan):
                return run_compiled(plan, workload, sink)
            room = Room(plan, sink)
        run = CompiledRun(plan, workload, sink, room)
        totals = run.finish(load_kernel())
        room.state = run.state
        with self._lock:
            others = [one for one in self._rooms if not one.fits(plan, sink)]
            self._rooms = kept_rooms([room, *others])
        # The next run counts where this one did.
        return replace(
            totals,
            **{name: getattr(totals, name).copy() for name in ("station_wait", "ledger_wait")},
            **{name: getattr(totals, name).copy() for name in ("file", "refund")},
        )


def is_compiled_cached() -> bool:
    """Tell whether a first run will find its machine code ready instead of compiling it."""
    from sim.engine.kernel import cache

    return cache.is_compiled_cached()


def warm_up() -> float:
    """Compile the kernel, or read it from the cache, and return the seconds it took."""
    from sim.engine.kernel.cache import load_kernel

    began = time.perf_counter()
    plan = Plan.empty()
    # A plan in which nothing happens still compiles everything, as types and not values decide.
    state = lay_state(plan, wants_log=False, wants_records=False)
    state.cursor[st.C_WORKLOAD_DONE] = 1
    load_kernel()(plan, state, 0)
    return time.perf_counter() - began


class CompiledRun:
    """One run: its arrays, and answers to what the kernel asks for."""

    def __init__(
        self, plan: Plan, workload: WorkloadSource, sink: Sink, room: Room | None = None
    ) -> None:
        # The kernel checks no index, so this is the door (see plan_check: the builder did so as
        # well). Whatever fits a room was checked with it.
        if room is None:
            check_plan(plan)
        self.plan, self.sink = plan if room is None else room.plan, sink
        self.chunks = checked_chunks(workload, plan.horizon_us)
        # Functions of the user's own live as long as the run that calls them by their addresses.
        addresses, self._kept = kernel_addresses(plan)
        self.state = lay_for(plan, sink) if room is None else room.begin(plan)
        self.state.own[:] = np.array(addresses, dtype=np.int64).reshape(-1, 2)
        self.engine_seconds, self.later = 0.0, Later()
        self.unread: tuple[Array, Array] | None = None

    def finish(self, kernel: Kernel) -> Totals:
        """Run the kernel turn by turn until nothing is left, and sum up."""
        budget = _BUDGET_FIRST
        said = time.perf_counter()
        while True:
            began = time.perf_counter()
            status = kernel(self.plan, self.state, budget)
            now = time.perf_counter()
            self.engine_seconds += now - began
            # Doubled and halved, with a gap of two between both bounds so that it does not
            # swing. Only turns that spent their budget tell anything about the pace.
            if status == st.BUDGET_SPENT and now - began < _TURN_SECONDS / 2:
                budget = min(2 * budget, _BUDGET_MAX)
            # Too long: an interrupt would be answered late.
            elif now - began > _TURN_SECONDS:
                budget = max(budget // 2, _BUDGET_FIRST)
            if now - said > _TURN_SECONDS:
                self._say_progress()
                said = now
            if status == st.FINISHED:
                break
            # Whatever it wants; a spent budget wants nothing and is called again.
            self._answer(status)
        self._flush()
        self._say_progress()
        return self._totals()

    def _answer(self, status: int) -> None:
        """Provide what the kernel stopped for."""
        if status == st.WANTS_WORKLOAD:
            self._load_chunk()
        elif status == st.WANTS_FLUSH:
            self._flush()
            self._fit_buffers()
        elif status in (st.WANTS_HEAP, st.WANTS_EVENTS):
            self.state = self.later.deal(self.state)
        elif status == st.WANTS_SLOTS:
            self._grow_pool()
        elif status == st.WANTS_NODES:
            self._grow_nodes()
        elif status == st.WANTS_TIMERS:
            self._grow_timers()
        elif status == st.WANTS_FORESIGHT:
            self._foresee()
        elif status == st.AT_HORIZON:
            self._begin_closing()
        elif status == st.BROKEN:
            self._raise_broken()

    def _foresee(self) -> None:
        """Score the candidates an oracle asks about by trying each on a copy of the run."""
        cursor, foreseen = self.state.cursor, self.state.foreseen
        slot = -int(cursor[st.C_ASKS]) - 1
        # The question is whom it may take; the answer is what that comes to.
        for position in np.flatnonzero(foreseen).tolist():
            foreseen[position] = Course(self, slot, position).score()
        cursor[st.C_ASKS] = slot + 1

    def _load_chunk(self) -> None:
        """Give the kernel the next payments, or tell it there are no more."""
        cursor = self.state.cursor
        # One chunk at a time: a year of payments never lies in memory.
        chunk = next(self.chunks, None)
        if chunk is None:
            cursor[st.C_WORKLOAD_DONE] = 1
        else:
            self.state = self.state._replace(chunk=chunk)
            cursor[st.C_ARRIVAL], cursor[st.C_CHUNK] = 0, len(chunk)

    def _flush(self) -> None:
        """Hand log rows and records to the sink."""
        cursor = self.state.cursor
        if cursor[st.C_LOG] > 0:
            # A copy, because the sink may keep what it is given and the buffer is used again.
            self.sink.take_log(self.state.log[: cursor[st.C_LOG]].copy())
            cursor[st.C_LOG] = 0
        rows = self.state.record
        if cursor[st.C_RECORDS] == len(rows) > 0:
            # A whole buffer is given away, which costs less than to copy it.
            self.state = self.state._replace(record=np.empty_like(rows))
            self.sink.take_records(rows)
        elif cursor[st.C_RECORDS] > 0:
            self.sink.take_records(rows[: cursor[st.C_RECORDS]].copy())
        cursor[st.C_RECORDS] = 0

    def _fit_buffers(self) -> None:
        """Make the buffers large enough for the longest step the pool allows; they are empty."""
        if self.state.cursor[st.C_WANTS_LOG] != st.LOG_NONE:
            # As many live payments as the pool can hold, since the pool may fill up before the
            # buffer is looked at again.
            cursor = self.state.cursor
            each = 1 + 2 * int(cursor[st.C_GUARDED])
            longest = len(self.state.pool) * each + int(cursor[st.C_MARGIN])
            rows = max(_LOG_ROWS, 2 * longest)
            if len(self.state.log) < rows:
                self.state = self.state._replace(log=np.empty((rows, LOG_WIDTH), dtype=np.int64))
        if self.sink.wants_records and len(self.state.record) == 0:
            record = np.empty((_RECORD_ROWS, RECORD_WIDTH), dtype=np.int64)
            self.state = self.state._replace(record=record)

    def _grow_pool(self) -> None:
        """Double the room for payments in flight."""
        self.state.cursor[st.C_FREE] = len(self.state.pool)
        pool = doubled(self.state.pool, link=st.P_NEXT, rows_min=_SLOTS_FIRST)
        # -1 is nobody's id; an event that finds it here is orphaned.
        pool[len(self.state.pool) :, st.P_ID] = -1
        entry = lay_entries(self.plan, len(pool))
        entry[: len(self.state.entry)] = self.state.entry
        self.state = self.state._replace(pool=pool, entry=entry)

    def _grow_nodes(self) -> None:
        """Double the room for open reservations."""
        self.state.cursor[st.C_NODE] = len(self.state.node)
        self.state = self.state._replace(
            node=doubled(self.state.node, link=st.N_NEXT, rows_min=_SLOTS_FIRST)
        )

    def _grow_timers(self) -> None:
        """Double the room for time-outs."""
        self.state.cursor[st.C_TIMER] = len(self.state.timer)
        self.state = self.state._replace(
            timer=doubled(self.state.timer, link=st.T_NEXT, rows_min=_SLOTS_FIRST)
        )

    def _begin_closing(self) -> None:
        """Let the kernel write down the payments that are open at the horizon."""
        cursor = self.state.cursor
        # Horizon rows come in order of payment id, as the specification says; slots do not.
        pool = self.state.pool
        # One that is only paid back has ended before; of inquiries nothing is told there.
        is_open = (pool[:, st.P_ID] >= 0) & (pool[:, st.P_ID] < INQUIRY_FIRST)
        slots = np.flatnonzero(is_open & ~np.isin(pool[:, st.P_WAIT], (st.W_REFUND, st.W_ORDER)))
        order = slots[np.argsort(self.state.pool[slots, st.P_ID])].astype(np.int64)
        self.state = self.state._replace(order=order)
        cursor[st.C_NOW], cursor[st.C_CLOSING] = self.plan.horizon_us, 0

    def _raise_broken(self) -> None:
        """Raise what the kernel found, after handing over the log up to there."""
        # The log up to the fault is what one needs to find it.
        self._flush()
        cursor = self.state.cursor
        error = int(cursor[st.C_ERROR])
        if error in TOO_LARGE:
            raise TooLargeError(TOO_LARGE[error])
        if error == OWN_POLICY:
            raise UserError(_broken_policy(self.plan, int(cursor[st.C_ERROR_PAYMENT])))
        raise InvariantViolation(
            ERRORS[error],
            seed=self.plan.seed,
            # Counted from 0, and the event at hand is counted already.
            event=int(cursor[st.C_EVENTS]) - 1,
            payment=int(cursor[st.C_ERROR_PAYMENT]),
        )

    def _say_progress(self) -> None:
        """Tell the sink how far the run is."""
        cursor = self.state.cursor
        self.sink.take_progress(
            int(cursor[st.C_NOW]), int(cursor[st.C_NEXT_PAYMENT]), int(cursor[st.C_EVENTS])
        )

    def _totals(self) -> Totals:
        """Sum up the run."""
        cursor = self.state.cursor
        own = self.state.account
        station, ledger = self.state.station[:, st.S_TOTAL :], self.state.ledger[:, st.L_TOTAL :]
        account = own[:, st.A_TOTAL :].copy()
        account[:, AccountTotal.POSTED_END] = own[:, st.A_POSTED]
        account[:, AccountTotal.PENDING_END] = own[:, st.A_PENDING]
        check_balances(self.plan, own[:, st.A_POSTED])
        totals, readings = read_out(
            self.plan,
            (station.copy(), ledger.copy(), account),
            (self.state.station_read, self.state.ledger_read, self.state.account_read),
        )
        return Totals(
            payments=int(cursor[st.C_NEXT_PAYMENT]),
            events=int(cursor[st.C_EVENTS]),
            station=totals[0],
            ledger=totals[1],
            account=totals[2],
            station_wait=self.state.wait,
            ledger_wait=self.state.commit_wait,
            member=self.state.member.copy(),
            end_posted=own[:, st.A_POSTED].copy(),
            end_pending=own[:, st.A_PENDING].copy(),
            file=self.state.filed,
            refund=self.state.refund,
            shop=self.state.shop[:, st.O_TOTAL :].copy(),
            station_reading=readings[0],
            ledger_reading=readings[1],
            account_reading=readings[2],
            engine_seconds=self.engine_seconds,
        )


class Course(CompiledRun):
    """What becomes of a payment over one candidate: a copy of a run nobody else is submitted to."""

    def __init__(self, run: CompiledRun, slot: int, position: int) -> None:
        self.plan, self.chunks, self._kept = run.plan, iter(()), run._kept
        self.sink = self.watcher = Watcher()
        self.engine_seconds, self.later = 0.0, Later()
        self.payment = int(run.state.pool[slot, st.P_ID])
        route_set = run.state.pool[slot, st.P_ROUTE_SET]
        self.policy = int(run.plan.route_set[route_set, RouteSetColumn.POLICY])
        # Large, and nobody reads what is counted there: one pair for all courses.
        run.unread = run.unread or (run.state.wait.copy(), run.state.commit_wait.copy())
        # A copy of all that changes; what is told of the run itself is not told twice.
        self.state = run.state._replace(
            **{name: getattr(run.state, name).copy() for name in _CHANGING},
            heap=run.later.gathered(run.state),
            wait=run.unread[0],
            commit_wait=run.unread[1],
            log=np.empty((0, LOG_WIDTH), dtype=np.int64),
            record=np.empty((_COURSE_RECORDS, RECORD_WIDTH), dtype=np.int64),
        )
        cursor = self.state.cursor
        cursor[[st.C_LOG, st.C_RECORDS, st.C_LATER]] = 0
        cursor[st.C_HEAP], cursor[st.C_EDGE] = len(self.state.heap), st.NO_EDGE
        cursor[st.C_WANTS_LOG], cursor[st.C_WANTS_RECORDS] = st.LOG_NONE, 1
        cursor[st.C_WORKLOAD_DONE], cursor[st.C_CHUNK] = 1, cursor[st.C_ARRIVAL]
        cursor[st.C_ASKS], cursor[st.C_COURSE] = slot + 1, position + 1
        # Where the run itself stops on its way, what it foresees does not.
        cursor[st.C_HORIZON] = run.plan.horizon_us

    def score(self) -> int:
        """Return what is foreseen; see :mod:`sim.contract.policies`."""
        began_us = int(self.state.cursor[st.C_NOW])
        return worth_of(self.record(), self.policy, began_us)

    def record(self) -> list[int] | None:
        """Return the record the payment ends with, None where the horizon finds it open."""
        from sim.engine.kernel.cache import load_kernel

        kernel, budget = load_kernel(), _COURSE_FIRST
        while True:
            status = kernel(self.plan, self.state, budget)
            self._flush()
            for row in self.watcher.found:
                if row[RecordColumn.PAYMENT] == self.payment:
                    return row
            self.watcher.found.clear()
            if status in (st.AT_HORIZON, st.FINISHED):
                return None
            budget = min(2 * budget, _BUDGET_FIRST)
            self._answer(status)


def _broken_policy(plan: Plan, payment: int) -> str:
    """Return what is said where a function of the user's own went wrong at a payment."""
    names = ", ".join(plan.names.policies)
    return broken_words(names, f"at payment {payment} a function raised or answered out of bounds")

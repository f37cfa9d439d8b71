"""What comes from outside: payments of the workload and rows of the agenda.

Takes the plan and the state; puts the next payment into the pool, or does what a row of the agenda
says. When it is their turn is decided by ``loop``.
"""

from __future__ import annotations

from sim.contract.agenda import AgendaKind
from sim.contract.layout import NULL, AccountColumn, AgendaColumn, StreamColumn
from sim.contract.meaning import Cause, LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import WorkloadColumn
from sim.contract.shops import OrderStatus
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import transfer
from sim.engine.kernel.clearing import follow_clearing
from sim.engine.kernel.guards import look_at
from sim.engine.kernel.journal import break_off, write_log
from sim.engine.kernel.large_value import follow_system
from sim.engine.kernel.prefetch import prefetch_arrival, prefetch_row
from sim.engine.kernel.readings import read_places
from sim.engine.kernel.shops import ask_about_orders
from sim.engine.kernel.state import (
    C_ACTIVE,
    C_ARRIVAL,
    C_CHUNK,
    C_FREE,
    C_GUARDED,
    C_LIVE,
    C_LIVE_MAX,
    C_NEXT_PAYMENT,
    C_NOW,
    P_ID,
    P_STAGE,
    S_OPEN,
    KernelState,
)
from sim.engine.kernel.stations import start_waiting
from sim.jit.functions import called, inlined

_CAUSES = len(Cause)
_FETCHED_AHEAD, _SEEN_AHEAD = 4, 12
"""Payments from now on of which limits are fetched, and their own rows before that."""


@inlined
def submit(plan: Plan, state: KernelState) -> None:
    """Put the next payment of the workload into the pool and at its first stage."""
    cursor = state.cursor
    pool, chunk = state.pool, state.chunk
    row = cursor[C_ARRIVAL]
    # Ids are counted: the workload comes in order of (time, stream, n), which is that of ids.
    cursor[C_ARRIVAL] = row + 1
    slot = cursor[C_FREE]
    cursor[C_FREE] = pool[slot, st.P_NEXT]
    cursor[C_LIVE] += 1
    cursor[C_LIVE_MAX] = max(cursor[C_LIVE_MAX], cursor[C_LIVE])
    payment = cursor[C_NEXT_PAYMENT]
    cursor[C_NEXT_PAYMENT] = payment + 1
    stream = chunk[row, WorkloadColumn.STREAM]
    now = cursor[C_NOW]
    _fetch_ahead(plan, state, row)
    # Registers, fees and limits are marked unused by P_PRICING, P_CHARGED and P_LIMITS.
    pool[slot, P_ID] = payment
    pool[slot, st.P_STREAM] = stream
    pool[slot, st.P_ORDINAL] = chunk[row, WorkloadColumn.ORDINAL]
    pool[slot, st.P_ROUTE_SET] = chunk[row, WorkloadColumn.ROUTE_SET]
    pool[slot, st.P_INSTRUMENT] = chunk[row, WorkloadColumn.INSTRUMENT]
    pool[slot, st.P_INSTRUMENT_2] = chunk[row, WorkloadColumn.INSTRUMENT_2]
    pool[slot, st.P_ROUTE_SET_2] = chunk[row, WorkloadColumn.ROUTE_SET_2]
    pool[slot, st.P_PAYER] = chunk[row, WorkloadColumn.PAYER]
    pool[slot, st.P_DEBTOR_AGENT] = chunk[row, WorkloadColumn.DEBTOR_AGENT]
    pool[slot, st.P_CREDITOR_AGENT] = chunk[row, WorkloadColumn.CREDITOR_AGENT]
    pool[slot, st.P_CODE_STATE] = chunk[row, WorkloadColumn.CODE_STATE]
    pool[slot, st.P_CODE_EXPIRY] = chunk[row, WorkloadColumn.CODE_EXPIRY_US]
    pool[slot, st.P_INSTRUCTED] = chunk[row, WorkloadColumn.AMOUNT]
    # Whatever a payment may read is written here: other columns are of an earlier payment's.
    entry = plan.stream[stream, StreamColumn.ENTRY]
    pool[slot, P_STAGE] = entry
    pool[slot, st.P_STEP] = 0
    # No step is ever -1: nothing is awaited and no time-out is armed.
    pool[slot, st.P_WAIT_STEP] = -1
    pool[slot, st.P_WAIT] = st.W_NOTHING
    pool[slot, st.P_ARMED_STEP] = -1
    pool[slot, st.P_SINCE] = now
    pool[slot, st.P_ROUTE] = -1
    pool[slot, st.P_ATTEMPTS] = 0
    pool[slot, st.P_TRIED] = 0
    _ask_nothing(pool, slot)
    pool[slot, st.P_LAPSED] = 0
    pool[slot, st.P_REASON] = 0
    # NULL lies before every instant, so CONVERT without a quote lapses; programs quote first.
    pool[slot, st.P_EXPIRY] = NULL
    pool[slot, st.P_SUBMITTED] = now
    pool[slot, st.P_SETTLED] = NULL
    pool[slot, st.P_QUOTED] = NULL
    pool[slot, st.P_CREDITED] = NULL
    pool[slot, st.P_PRICING] = -1
    pool[slot, st.P_CHARGED] = 0
    pool[slot, st.P_PAYER_FEE] = 0
    pool[slot, st.P_MERCHANT_FEE] = 0
    pool[slot, st.P_NODE] = -1
    pool[slot, st.P_LIMITS] = 0
    pool[slot, st.P_STANDING] = 0
    pool[slot, st.P_DOUBT_SINCE] = NULL
    pool[slot, st.P_UNANSWERED] = -1
    for cause in range(_CAUSES):
        pool[slot, st.P_TIME + cause] = 0
    amount = chunk[row, WorkloadColumn.AMOUNT]
    ordinal = chunk[row, WorkloadColumn.ORDINAL]
    write_log(cursor, state.log, LogKind.SUBMIT, payment, entry, stream, amount, ordinal)
    cursor[C_ACTIVE] = slot


@inlined
def _fetch_ahead(plan: Plan, state: KernelState, row: int) -> None:
    """Ask for payments to come, and for what their payers have used of their limits.

    There is a cell for every customer of every bank: without asking ahead, each limit would wait
    for memory.
    """
    chunk = state.chunk
    prefetch_arrival(chunk, row + _SEEN_AHEAD)
    row += _FETCHED_AHEAD
    if row < state.cursor[C_CHUNK]:
        payer = chunk[row, WorkloadColumn.PAYER]
        for limit in range(plan.limit_first.shape[0]):
            first = plan.limit_first[limit, chunk[row, WorkloadColumn.STREAM]]
            if first >= 0:
                prefetch_row(state.limit, first + payer)


@inlined
def _ask_nothing(pool: Array, slot: int) -> None:
    """Note that nothing was asked about a payment yet, nor asked or tried again, nor heard of.

    Its payer waits for nothing, is there, and nobody was ever in doubt.
    """
    pool[slot, st.P_PATIENCE_STEP] = -1
    for column in (st.P_GONE, st.P_DOUBTED, st.P_KNOWN):
        pool[slot, column] = NULL
    pool[slot, st.P_ORDER] = OrderStatus.NONE
    pool[slot, st.P_ORDER_STEP] = -1
    pool[slot, st.P_HEARD] = 0
    pool[slot, st.P_REQUOTES] = 0
    pool[slot, st.P_VISIT] = 0
    pool[slot, st.P_RETRIES] = 0
    pool[slot, st.P_BEGUN] = 0
    pool[slot, st.P_RESENT] = 0
    pool[slot, st.P_INQUIRED] = 0
    pool[slot, st.P_INQUIRY] = -1
    pool[slot, st.P_INQUIRY_LAST] = -1
    pool[slot, st.P_ASKS] = -1


@called
def follow_agenda(plan: Plan, state: KernelState, row: int) -> None:
    """Do what a row of the agenda says."""
    cursor = state.cursor
    kind = plan.agenda[row, AgendaColumn.KIND]
    subject = plan.agenda[row, AgendaColumn.SUBJECT]
    if kind == AgendaKind.DEPOSIT:
        amount = plan.agenda[row, AgendaColumn.AMOUNT]
        world = plan.world[plan.account[subject, AccountColumn.CURRENCY]]
        # ``check_plan`` refuses such a plan at the door; this is the second half of that pair,
        # should the two ever disagree.
        if world < 0:
            break_off(cursor, st.E_NO_ACCOUNT, -1)
        # Transfers of 0 leave no trace, the agenda's like any other; the event still counts.
        elif amount != 0:
            write_log(cursor, state.log, LogKind.DEPOSIT, -1, -1, world, amount, subject)
            transfer(plan, state, world, subject, amount)
        elif cursor[C_GUARDED] != 0:
            look_at(plan, state, subject)
    elif kind == AgendaKind.STATION_CLOSE:
        write_log(cursor, state.log, LogKind.CLOSE, -1, -1, subject, -1, -1)
        # What is in service goes on, so nothing else happens at closing time.
        state.station[subject, S_OPEN] = 0
    elif kind == AgendaKind.STATION_OPEN:
        write_log(cursor, state.log, LogKind.OPEN, -1, -1, subject, -1, -1)
        state.station[subject, S_OPEN] = 1
        # The queue moves on within this event; those who start are already waiting for their
        # COMPLETE.
        start_waiting(plan, state, subject)
    elif kind == AgendaKind.READING:
        read_places(plan, state, subject)
    elif kind == AgendaKind.SHOP_ASKS:
        ask_about_orders(state, subject)
    elif kind >= AgendaKind.STATION_PACE:
        _slow(plan, state, row)
    elif kind >= AgendaKind.SYSTEM_OFFSET:
        follow_system(state, kind, subject)
    else:
        follow_clearing(plan, state, kind, subject)


@called
def _slow(plan: Plan, state: KernelState, row: int) -> None:
    """Let a place work at another pace, rate or size from here on."""
    kind = plan.agenda[row, AgendaColumn.KIND]
    subject = plan.agenda[row, AgendaColumn.SUBJECT]
    amount = plan.agenda[row, AgendaColumn.AMOUNT]
    # Both enumerations have these in one order.
    told = kind - AgendaKind.STATION_PACE + LogKind.STATION_PACE
    write_log(state.cursor, state.log, told, -1, -1, subject, amount, -1)
    if kind == AgendaKind.STATION_PACE:
        state.station[subject, st.S_PACE] = amount
    elif kind == AgendaKind.STATION_RATE:
        state.station[subject, st.S_PERIOD] = amount
    elif kind == AgendaKind.STATION_SERVERS:
        state.station[subject, st.S_SERVERS] = amount
        # Those that start are already waiting for their COMPLETE, as behind an opening.
        start_waiting(plan, state, subject)
    else:
        state.ledger[subject, st.L_BLOCK_LIMIT] = amount

"""The next event, and what it does.

Takes the plan and the state; ``run`` handles events until it has handled as many as asked, needs
something, reaches the end or finds an invariant broken, and returns which. It can be called again
at once: everything it knows is in the state, down to the payment at hand.
"""

from __future__ import annotations

from sim.contract.layout import (
    LEDGER_PSEUDO,
    NEVER_US,
    NULL,
    PAYMENT_BITS,
    PAYMENTS_MAX,
    STATION_PSEUDO,
    STEP_BITS,
    STEP_MASK,
    AccountColumn,
    AgendaColumn,
    StageColumn,
    StreamColumn,
)
from sim.contract.meaning import AgendaKind, Cause, EventClass, LogKind
from sim.contract.plan import Plan
from sim.contract.records import WorkloadColumn
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import settle_account, transfer
from sim.engine.kernel.heap import drop_first
from sim.engine.kernel.journal import account_time, break_off, write_log
from sim.engine.kernel.ledgers import (
    begin_commit,
    commit_next,
    run_round,
    settle_queue_area,
)
from sim.engine.kernel.operations import advance, close_open, expire
from sim.engine.kernel.payments import EXPIRE_BASE
from sim.engine.kernel.prefetch import prefetch_payment
from sim.engine.kernel.queues import unlink
from sim.engine.kernel.routing import sample
from sim.engine.kernel.state import (
    C_ACTIVE,
    C_AGENDA,
    C_ARRIVAL,
    C_BLOCK,
    C_CHUNK,
    C_CLOSING,
    C_ERROR,
    C_EVENTS,
    C_FREE,
    C_HEAD_KEY,
    C_HEAD_LINE,
    C_HEAD_TIME,
    C_HEAP,
    C_HORIZON,
    C_KEY,
    C_LIVE,
    C_LIVE_MAX,
    C_LOG,
    C_MARGIN,
    C_NEXT_PAYMENT,
    C_NODE,
    C_NOW,
    C_READY,
    C_RECORDS,
    C_SAMPLE,
    C_SAMPLE_INTERVAL,
    C_TIMER,
    C_WANTS_LOG,
    C_WANTS_RECORDS,
    C_WORKLOAD_DONE,
    H_KEY,
    H_PLACE,
    H_SLOT,
    H_TIME,
    P_ID,
    P_STAGE,
    PLACE_BITS,
    Q_HEAD,
    S_OPEN,
    S_WAKE_PENDING,
    KernelState,
)
from sim.engine.kernel.stations import (
    finish_service,
    settle_areas,
    start_waiting,
)
from sim.engine.kernel.timers import drop_due, note_first
from sim.jit.functions import called, inlined

PAYMENT_MASK = (1 << PAYMENT_BITS) - 1
CLASS_SHIFT = PAYMENT_BITS + STEP_BITS
CALENDAR_BASE = EventClass.CALENDAR << CLASS_SHIFT
SUBMIT_BASE = EventClass.SUBMIT << CLASS_SHIFT
SAMPLE_BASE = EventClass.SAMPLE << CLASS_SHIFT
HORIZON_BASE = EventClass.HORIZON << CLASS_SHIFT
STAGES_MAX = 1_000_000
_CAUSES = len(Cause)


@inlined
def run(plan: Plan, state: KernelState, budget: int) -> int:
    """Handle events until something is wanted.

    Parameters
    ----------
    plan : Plan
        Arrays of the plan.
    state : KernelState
        Arrays of the run; changed in place.
    budget : int
        Most events to handle before returning ``BUDGET_SPENT``.

    Returns
    -------
    int
        One of the constants of ``state``, from ``BUDGET_SPENT`` to ``BROKEN``.
    """
    cursor = state.cursor
    stop = cursor[C_EVENTS] + budget
    stages = 0
    # New workload may have come since the last call.
    _find_head(plan, state)
    while True:
        # 1. Every step below writes a bounded number of rows and events; make sure they fit.
        lack = _find_lack(state)
        if lack != st.GOES_ON:
            return lack
        # 2. The payment at hand goes first, then those it set free, then the rest of the block.
        slot = cursor[C_ACTIVE]
        if slot >= 0:
            stages += 1
            if stages > STAGES_MAX:
                break_off(cursor, st.E_ENDLESS, state.pool[slot, P_ID])
            if not advance(plan, state, slot):
                cursor[C_ACTIVE] = -1
                stages = 0
            if cursor[C_ERROR] != 0:
                return st.BROKEN
            continue
        slot = state.ends[cursor[C_READY], Q_HEAD]
        if slot >= 0:
            unlink(state.pool, state.ends, slot)
            cursor[C_ACTIVE] = slot
            continue
        if cursor[C_BLOCK] >= 0:
            commit_next(plan, state)
            continue
        # 3. Nothing is left of the last event: take the next one.
        if cursor[C_CLOSING] >= 0:
            return _close_next(plan, state)
        if cursor[C_EVENTS] >= stop:
            return st.BUDGET_SPENT
        if cursor[C_ARRIVAL] == cursor[C_CHUNK] and cursor[C_WORKLOAD_DONE] == 0:
            return st.WANTS_WORKLOAD
        if cursor[C_FREE] < 0:
            return st.WANTS_SLOTS
        if not _take_event(plan, state):
            return st.AT_HORIZON
        if cursor[C_ERROR] != 0:
            return st.BROKEN


@inlined
def _find_lack(state: KernelState) -> int:
    """Return what has to be provided before the next step can be taken."""
    cursor = state.cursor
    live = cursor[C_LIVE]
    if cursor[C_HEAP] + live + 8 > state.heap.shape[0]:
        return st.WANTS_HEAP
    if cursor[C_NODE] | cursor[C_TIMER] < 0:
        return st.WANTS_NODES if cursor[C_NODE] < 0 else st.WANTS_TIMERS
    # One test for both buffers where neither is wanted, which is when every nanosecond counts.
    if cursor[C_WANTS_LOG] | cursor[C_WANTS_RECORDS] == 0:
        return st.GOES_ON
    if cursor[C_WANTS_LOG] != 0 and (cursor[C_LOG] + live + cursor[C_MARGIN] > state.log.shape[0]):
        return st.WANTS_FLUSH
    if cursor[C_WANTS_RECORDS] != 0 and cursor[C_RECORDS] == state.record.shape[0]:
        return st.WANTS_FLUSH
    return st.GOES_ON


@inlined
def _take_event(plan: Plan, state: KernelState) -> bool:
    """Handle the earliest event up to where payments advance; False at the horizon."""
    cursor = state.cursor
    heap = state.heap
    time_us = cursor[C_HEAD_TIME]
    key = cursor[C_HEAD_KEY]
    is_scheduled = False
    if cursor[C_HEAP] > 0:
        first_us = heap[0, H_TIME]
        if first_us < time_us or (first_us == time_us and heap[0, H_KEY] < key):
            time_us = first_us
            key = heap[0, H_KEY]
            is_scheduled = True
    if time_us >= cursor[C_HORIZON]:
        return False
    payment = (key >> STEP_BITS) & PAYMENT_MASK
    if time_us < cursor[C_NOW] or (time_us == cursor[C_NOW] and key == cursor[C_KEY]):
        break_off(cursor, st.E_ORDER, payment)
    cursor[C_NOW] = time_us
    cursor[C_KEY] = key
    cursor[C_EVENTS] += 1
    if is_scheduled:
        slot = heap[0, H_SLOT]
        place = heap[0, H_PLACE]
        drop_first(cursor, heap)
        # Whose event comes next is known; it is on its way while this one is handled.
        prefetch_payment(state.pool, heap[0, H_SLOT])
        if key >= EXPIRE_BASE:
            _expire_armed(plan, state, slot, payment)
        else:
            _complete(plan, state, slot, payment, place)
        return True
    if key >= SAMPLE_BASE:
        sample(plan, state)
        cursor[C_SAMPLE] += 1
    elif key >= SUBMIT_BASE:
        _submit(plan, state)
    elif key >= EXPIRE_BASE:
        slot = drop_due(cursor, state.timer, state.due, cursor[C_HEAD_LINE])
        _expire_armed(plan, state, slot, payment)
    else:
        _follow_agenda(plan, state, payment)
        cursor[C_AGENDA] += 1
    _find_head(plan, state)
    return True


@inlined
def _expire_armed(plan: Plan, state: KernelState, slot: int, payment: int) -> None:
    """Let a time-out fire unless it was forgotten or its payment has ended."""
    pool = state.pool
    if (
        pool[slot, P_ID] == payment
        and pool[slot, st.P_ARMED_STEP] == state.cursor[C_KEY] & STEP_MASK
    ):
        expire(plan, state, slot)


@inlined
def _complete(plan: Plan, state: KernelState, slot: int, payment: int, place: int) -> None:
    """Handle the end of a service or a transit, a wake-up, a round or a commit."""
    cursor = state.cursor
    pool = state.pool
    step = cursor[C_KEY] & STEP_MASK
    if payment < PAYMENTS_MAX:
        is_awaited = pool[slot, P_ID] == payment and pool[slot, st.P_WAIT_STEP] == step
        if place == 0 and not is_awaited:
            return
        s = (place & STEP_MASK) - 1
        if place != 0:
            finish_service(plan, state, s, payment, place >> PLACE_BITS)
    elif payment > STATION_PSEUDO:
        ledger = LEDGER_PSEUDO - payment
        if step & 1:
            begin_commit(state, ledger, (step >> 1) & 1)
        else:
            run_round(plan, state, ledger)
        return
    else:
        is_awaited = False
        s = STATION_PSEUDO - payment
        state.station[s, S_WAKE_PENDING] = 0
    if s >= 0:
        start_waiting(plan, state, s)
    if is_awaited:
        at = pool[slot, P_STAGE]
        account_time(cursor, pool, slot, plan.stage[at, StageColumn.CAUSE])
        pool[slot, st.P_WAIT_STEP] = -1
        pool[slot, st.P_WAIT] = st.W_NOTHING
        pool[slot, P_STAGE] = at + 1
        cursor[C_ACTIVE] = slot


@inlined
def _submit(plan: Plan, state: KernelState) -> None:
    """Put the next payment of the workload into the pool and at its first stage."""
    cursor = state.cursor
    pool = state.pool
    chunk = state.chunk
    row = cursor[C_ARRIVAL]
    cursor[C_ARRIVAL] = row + 1
    slot = cursor[C_FREE]
    cursor[C_FREE] = pool[slot, st.P_NEXT]
    cursor[C_LIVE] += 1
    cursor[C_LIVE_MAX] = max(cursor[C_LIVE_MAX], cursor[C_LIVE])
    payment = cursor[C_NEXT_PAYMENT]
    cursor[C_NEXT_PAYMENT] = payment + 1
    stream = chunk[row, WorkloadColumn.STREAM]
    now = cursor[C_NOW]
    # Registers, fees and limits are marked unused by P_PRICING, P_CHARGED and P_LIMITS.
    pool[slot, P_ID] = payment
    pool[slot, st.P_STREAM] = stream
    pool[slot, st.P_ORDINAL] = chunk[row, WorkloadColumn.ORDINAL]
    pool[slot, st.P_ROUTE_SET] = chunk[row, WorkloadColumn.ROUTE_SET]
    pool[slot, st.P_PAYER] = chunk[row, WorkloadColumn.PAYER]
    pool[slot, st.P_DEBTOR_AGENT] = chunk[row, WorkloadColumn.DEBTOR_AGENT]
    pool[slot, st.P_CREDITOR_AGENT] = chunk[row, WorkloadColumn.CREDITOR_AGENT]
    pool[slot, st.P_CODE_STATE] = chunk[row, WorkloadColumn.CODE_STATE]
    pool[slot, st.P_CODE_EXPIRY] = chunk[row, WorkloadColumn.CODE_EXPIRY_US]
    pool[slot, st.P_INSTRUCTED] = chunk[row, WorkloadColumn.AMOUNT]
    entry = plan.stream[stream, StreamColumn.ENTRY]
    pool[slot, P_STAGE] = entry
    pool[slot, st.P_STEP] = 0
    pool[slot, st.P_WAIT_STEP] = -1
    pool[slot, st.P_WAIT] = st.W_NOTHING
    pool[slot, st.P_ARMED_STEP] = -1
    pool[slot, st.P_SINCE] = now
    pool[slot, st.P_ROUTE] = -1
    pool[slot, st.P_ATTEMPTS] = 0
    pool[slot, st.P_TRIED] = 0
    pool[slot, st.P_REQUOTES] = 0
    pool[slot, st.P_LAPSED] = 0
    pool[slot, st.P_REASON] = 0
    pool[slot, st.P_EXPIRY] = NEVER_US
    pool[slot, st.P_SUBMITTED] = now
    pool[slot, st.P_SETTLED] = NULL
    pool[slot, st.P_CREDITED] = NULL
    pool[slot, st.P_PRICING] = -1
    pool[slot, st.P_CHARGED] = 0
    pool[slot, st.P_PAYER_FEE] = 0
    pool[slot, st.P_MERCHANT_FEE] = 0
    pool[slot, st.P_NODE] = -1
    pool[slot, st.P_LIMITS] = 0
    for cause in range(_CAUSES):
        pool[slot, st.P_TIME + cause] = 0
    amount = chunk[row, WorkloadColumn.AMOUNT]
    ordinal = chunk[row, WorkloadColumn.ORDINAL]
    write_log(cursor, state.log, LogKind.SUBMIT, payment, entry, stream, amount, ordinal)
    cursor[C_ACTIVE] = slot


@called
def _follow_agenda(plan: Plan, state: KernelState, row: int) -> None:
    """Do what a row of the agenda says."""
    cursor = state.cursor
    kind = plan.agenda[row, AgendaColumn.KIND]
    subject = plan.agenda[row, AgendaColumn.SUBJECT]
    if kind == AgendaKind.DEPOSIT:
        amount = plan.agenda[row, AgendaColumn.AMOUNT]
        world = plan.world[plan.account[subject, AccountColumn.CURRENCY]]
        if world < 0:
            break_off(cursor, st.E_NO_ACCOUNT, -1)
        elif amount != 0:
            write_log(cursor, state.log, LogKind.DEPOSIT, -1, -1, world, amount, subject)
            transfer(plan, state, world, subject, amount)
    elif kind == AgendaKind.STATION_CLOSE:
        write_log(cursor, state.log, LogKind.CLOSE, -1, -1, subject, -1, -1)
        state.station[subject, S_OPEN] = 0
    else:
        write_log(cursor, state.log, LogKind.OPEN, -1, -1, subject, -1, -1)
        state.station[subject, S_OPEN] = 1
        start_waiting(plan, state, subject)


@called
def _find_head(plan: Plan, state: KernelState) -> None:
    """Find the earliest of next agenda row, first time-outs, next arrival and next sample."""
    cursor = state.cursor
    time_us = NEVER_US
    key = 0
    # Looked at in order of class, so that the first of one instant stays.
    at = cursor[C_AGENDA]
    if at < plan.agenda.shape[0]:
        time_us = plan.agenda[at, AgendaColumn.TIME_US]
        key = CALENDAR_BASE | (at << STEP_BITS)
    at = cursor[C_ARRIVAL]
    if at < cursor[C_CHUNK] and state.chunk[at, WorkloadColumn.TIME_US] < time_us:
        time_us = state.chunk[at, WorkloadColumn.TIME_US]
        key = SUBMIT_BASE | (cursor[C_NEXT_PAYMENT] << STEP_BITS)
    interval = cursor[C_SAMPLE_INTERVAL]
    if interval > 0 and cursor[C_SAMPLE] * interval < time_us:
        time_us = cursor[C_SAMPLE] * interval
        key = SAMPLE_BASE | (cursor[C_SAMPLE] << STEP_BITS)
    cursor[C_HEAD_TIME] = time_us
    cursor[C_HEAD_KEY] = key
    for line in range(state.due.shape[0]):
        first = state.due[line, Q_HEAD]
        if first >= 0:
            note_first(cursor, state.timer, line, first)


@called
def _close_next(plan: Plan, state: KernelState) -> int:
    """Write down payments the horizon finds open, then bring all totals up to it."""
    cursor = state.cursor
    order = state.order
    while cursor[C_CLOSING] < order.shape[0]:
        lack = _find_lack(state)
        if lack != st.GOES_ON:
            return lack
        slot = order[cursor[C_CLOSING]]
        cursor[C_KEY] = HORIZON_BASE | (state.pool[slot, P_ID] << STEP_BITS)
        close_open(plan, state, slot)
        cursor[C_CLOSING] += 1
    for s in range(state.station.shape[0]):
        settle_areas(cursor, state.station, s)
    for ledger in range(state.ledger.shape[0]):
        settle_queue_area(cursor, state.ledger, ledger)
    for account in range(state.account.shape[0]):
        settle_account(plan, state, account)
    return st.FINISHED

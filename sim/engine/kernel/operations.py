"""One stage of one payment, and its time-out.

Takes the payment at hand; ``advance`` runs the stage it is at and tells whether it goes on. The
meaning of every operation is in ``meaning.Op``.
"""

from __future__ import annotations

from sim.contract.layout import NULL, StageColumn
from sim.contract.meaning import LogKind, Op, Outcome, Reason
from sim.contract.plan import Plan
from sim.contract.shops import OrderStatus
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import post_rows, reserve, void_all
from sim.engine.kernel.health import SAYS_NOTHING, SUCCEEDED, end_attempt
from sim.engine.kernel.inquiries import (
    answer,
    ask,
    begin_inquiry,
    free_slot,
    inquire,
    retry,
    tell_outcome,
)
from sim.engine.kernel.journal import account_time, break_off, write_log, write_record
from sim.engine.kernel.large_value import settle
from sim.engine.kernel.ledgers import enqueue
from sim.engine.kernel.payments import (
    draw,
    draw_time,
    fail,
    resolve,
    schedule,
)
from sim.engine.kernel.prices import charge, check_limit, convert, give_back_limits, quote
from sim.engine.kernel.refunds import await_part, begin_refunds
from sim.engine.kernel.routing import choose_route, switch
from sim.engine.kernel.shops import note_late, poll, release_paid, take_order
from sim.engine.kernel.state import (
    C_NOW,
    C_WANTS_RECORDS,
    P_ID,
    P_STAGE,
    KernelState,
)
from sim.engine.kernel.stations import serve
from sim.engine.kernel.time_outs import arm_time_out, set_deadline, set_patience, waiting_cause
from sim.jit.functions import called, inlined


@inlined
def advance(plan: Plan, state: KernelState, slot: int) -> bool:
    """Run the stage a payment is at; tell whether it goes on within this event."""
    cursor = state.cursor
    pool = state.pool
    # Every column of a stage that names another stage is checked with the plan. What is checked
    # here is the step from a row to the next, which leads out of the table if a program does
    # not end.
    at = pool[slot, P_STAGE]
    if at < 0 or at >= plan.stage.shape[0]:
        break_off(cursor, st.E_STAGE, pool[slot, P_ID])
        return False
    # In order of frequency: the processor predicts the first tests best. Each branch that can
    # wait says itself whether the payment goes on.
    op = plan.stage[at, StageColumn.OP]
    if op == Op.SERVE:
        return serve(plan, state, slot)
    if op == Op.TRANSIT:
        _depart(plan, state, slot)
        return False
    if op == Op.END:
        _end(plan, state, slot)
        return False
    if op == Op.BATCH:
        enqueue(plan, state, slot)
        return False
    if op == Op.RESERVE:
        return reserve(plan, state, slot)
    if op == Op.AWAIT:
        return _await_answer(plan, state, slot)
    if op == Op.SETTLE:
        return settle(plan, state, slot)
    if op == Op.ASK:
        return ask(plan, state, slot)
    if op == Op.POLL:
        return poll(plan, state, slot)
    if op == Op.ANSWER:
        _answer(plan, state, slot)
        return False
    if op == Op.ROUTE:
        # True in every case: it took a route, failed over to TARGET or passed on, and each of
        # these has set the next stage already.
        choose_route(plan, state, slot)
        return True
    if _passes(plan, state, slot, op):
        # Only where a stage passes. One that failed or jumped has written its own next stage.
        pool[slot, P_STAGE] = at + 1
    return True


@called
def _passes(plan: Plan, state: KernelState, slot: int, op: int) -> bool:
    """Run a stage that never waits; tell whether the next row follows, else it has jumped."""
    if op == Op.POST:
        post_rows(plan, state, slot)
    elif op == Op.DEADLINE:
        set_deadline(plan, state, slot)
    elif op == Op.DECIDE:
        return _decide(plan, state, slot)
    elif op == Op.CHARGE:
        charge(plan, state, slot)
    elif op == Op.QUOTE:
        return quote(plan, state, slot)
    elif op == Op.CONVERT:
        return convert(plan, state, slot)
    elif op == Op.LIMIT:
        return check_limit(plan, state, slot)
    elif op == Op.CODE:
        return _read_code(plan, state, slot)
    elif op == Op.ON_US:
        return _stay_inside(plan, state, slot)
    elif op == Op.SWITCH:
        return switch(plan, state, slot)
    elif op == Op.RETRY:
        return retry(plan, state, slot)
    elif op == Op.INQUIRE:
        inquire(plan, state, slot)
    elif op == Op.VOID:
        # What the far side may still be paid with is not free.
        if state.pool[slot, st.P_DOUBT_SINCE] != NULL:
            break_off(state.cursor, st.E_IN_DOUBT, state.pool[slot, P_ID])
        void_all(plan, state, slot)
        give_back_limits(plan, state, slot)
    elif op == Op.RESOLVE:
        _resolve(state, slot)
    elif op == Op.PATIENCE:
        set_patience(plan, state, slot)
    elif op == Op.ORDER:
        return take_order(plan, state, slot)
    # ``check_plan`` admits members of Op only, so this is an operation that was added to the
    # specification and forgotten here.
    else:
        break_off(state.cursor, st.E_OPERATION, state.pool[slot, P_ID])
    return True


@called
def _answer(plan: Plan, state: KernelState, own: int) -> None:
    """End an inquiry; of one about orders release what is found paid."""
    pool = state.pool
    # Read before it ends: its slot is given back then.
    at, number, slot = pool[own, P_STAGE], pool[own, P_ID], pool[own, st.P_ASKS]
    is_told = pool[own, st.P_TOLD] != NULL
    answer(plan, state, own)
    shop = plan.stage[at, StageColumn.FIRST]
    if shop >= 0 and plan.stage[at, StageColumn.VALUE] == 1:
        release_paid(plan, state, shop, number, -1 if is_told else slot)


@called
def close_open(plan: Plan, state: KernelState, slot: int) -> None:
    """Write down a payment the horizon finds open."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    reason = pool[slot, st.P_REASON]
    account_time(cursor, pool, slot, waiting_cause(plan, pool[slot, st.P_WAIT], at))
    # Its reason is kept, usually NONE: a payment on its way back already has the one it failed
    # with.
    outcome = Outcome.IN_PROGRESS
    write_log(cursor, state.log, LogKind.OUTCOME, pool[slot, P_ID], at, outcome, reason, -1)
    # NULL as the end, since it has none; its times by cause reach up to the horizon and add up
    # all the same.
    if cursor[C_WANTS_RECORDS] != 0:
        write_record(plan, state, slot, outcome, reason, NULL)


@inlined
def _depart(plan: Plan, state: KernelState, slot: int) -> None:
    """Send a payment on its way."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    delay_us = draw_time(plan, state, slot, at)
    cause = plan.stage[at, StageColumn.CAUSE]
    write_log(cursor, state.log, LogKind.DELAY, pool[slot, P_ID], at, cause, delay_us, -1)
    # A delay of 0 is scheduled like any other: the payment comes again at the same instant,
    # behind all that is to happen before it.
    schedule(cursor, state.heap, pool, slot, delay_us, 0)
    pool[slot, st.P_WAIT] = st.W_TRANSIT


@called
def _decide(plan: Plan, state: KernelState, slot: int) -> bool:
    """Branch at random."""
    pool = state.pool
    at = pool[slot, P_STAGE]
    threshold = plan.stage[at, StageColumn.VALUE]
    if threshold < 0:
        threshold = resolve(plan.agent_share, pool, slot, threshold)
        if threshold < 0:
            break_off(state.cursor, st.E_NO_HABIT, pool[slot, P_ID])
    # Not a hit, by far the most frequent case, leaves no row: the log tells what happened.
    if draw(plan.stream_key, pool, slot, plan.stage[at, StageColumn.PURPOSE]) >= threshold:
        return True
    reason = plan.stage[at, StageColumn.REASON]
    # With a reason the branch is a failure, and goes to the same TARGET as any failure; NONE
    # (0) or -1 make it a fork.
    if reason > 0:
        fail(plan, state, slot, reason)
        return False
    target = plan.stage[at, StageColumn.TARGET]
    write_log(state.cursor, state.log, LogKind.DECIDE, pool[slot, P_ID], at, target, -1, -1)
    pool[slot, P_STAGE] = target
    return False


@called
def _stay_inside(plan: Plan, state: KernelState, slot: int) -> bool:
    """Branch where payer and payee are customers of one institution."""
    pool = state.pool
    # The creditor agent's column follows the debtor agent's.
    agent = pool[slot, st.P_DEBTOR_AGENT]
    if agent < 0 or agent != pool[slot, st.P_DEBTOR_AGENT + 1]:
        return True
    at = pool[slot, P_STAGE]
    target = plan.stage[at, StageColumn.TARGET]
    write_log(state.cursor, state.log, LogKind.DECIDE, pool[slot, P_ID], at, target, -1, -1)
    pool[slot, P_STAGE] = target
    return False


@called
def _read_code(plan: Plan, state: KernelState, slot: int) -> bool:
    """Read the code on the counter, or fail."""
    pool = state.pool
    # Damage first: who cannot read a code cannot read its expiry either.
    if pool[slot, st.P_CODE_STATE] == 1:
        fail(plan, state, slot, Reason.FF01)
        return False
    # A code is good up to and including its last instant.
    if state.cursor[C_NOW] > pool[slot, st.P_CODE_EXPIRY]:
        fail(plan, state, slot, Reason.AEXR)
        return False
    return True


@called
def _await_answer(plan: Plan, state: KernelState, slot: int) -> bool:
    """Wait for the answer to a request in doubt; tell whether the payment goes on."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    if pool[slot, st.P_DOUBT_SINCE] == NULL:
        pool[slot, P_STAGE] = plan.stage[at, StageColumn.TARGET]
        return True
    polls = plan.stage[at, StageColumn.SUBJECT]
    # It has come while the payment was at something else.
    if pool[slot, st.P_UNANSWERED] < 0 and polls < 0:
        pool[slot, P_STAGE] = at + 1
        return True
    longest_us = plan.stage[at, StageColumn.VALUE]
    write_log(cursor, state.log, LogKind.AWAIT, pool[slot, P_ID], at, -1, longest_us, -1)
    arm_time_out(state, slot, at, longest_us)
    pool[slot, st.P_WAIT] = st.W_ANSWER
    if polls < 0:
        # The event it gave up at the time-out is what it waits for again.
        pool[slot, st.P_WAIT_STEP] = pool[slot, st.P_UNANSWERED]
    else:
        # Nobody hears of the end of the request itself.
        begin_inquiry(plan, state, slot, at, -1, -1)
    return False


@called
def _resolve(state: KernelState, slot: int) -> None:
    """End a payment's doubt."""
    cursor = state.cursor
    pool = state.pool
    pool[slot, st.P_ARMED_STEP] = -1
    since = pool[slot, st.P_DOUBT_SINCE]
    if since != NULL:
        at = pool[slot, P_STAGE]
        spent_us = cursor[C_NOW] - since
        write_log(cursor, state.log, LogKind.KNOWN, pool[slot, P_ID], at, -1, spent_us, -1)
        pool[slot, st.P_DOUBT_SINCE] = NULL
        pool[slot, st.P_KNOWN] = cursor[C_NOW]
        pool[slot, st.P_UNANSWERED] = -1


@inlined
def _end(plan: Plan, state: KernelState, slot: int) -> None:
    """End a payment and give its slot back."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    outcome = plan.stage[at, StageColumn.VALUE]
    reason = plan.stage[at, StageColumn.REASON]
    # A program's last stage usually has no reason of its own: the payment ends for the one it
    # failed with.
    if reason < 0:
        reason = pool[slot, st.P_REASON]
    # Money would stay pending for a payment that no longer exists. Every path through a program
    # posts or voids what it reserved.
    if pool[slot, st.P_NODE] >= 0:
        break_off(cursor, st.E_OPEN_RESERVATION, pool[slot, P_ID])
    # It would come back, or not, before anybody knows where it is.
    if pool[slot, st.P_DOUBT_SINCE] != NULL:
        break_off(cursor, st.E_IN_DOUBT, pool[slot, P_ID])
    # Where no stage had the flag CREDITS the end of the program is the credit.
    if outcome == Outcome.COMPLETED and pool[slot, st.P_CREDITED] == NULL:
        pool[slot, st.P_CREDITED] = cursor[C_NOW]
    end_attempt(plan, state, slot, SUCCEEDED if outcome == Outcome.COMPLETED else SAYS_NOTHING)
    order = pool[slot, st.P_ORDER]
    refund_us = -1
    # What becomes of an order decides whether it is paid back, which no payment's end does.
    if order in (OrderStatus.NONE, OrderStatus.EXPIRED):
        refund_us = begin_refunds(plan, state, slot)
    parts = 1 if refund_us >= 0 else -1
    write_log(cursor, state.log, LogKind.OUTCOME, pool[slot, P_ID], at, outcome, reason, parts)
    if cursor[C_WANTS_RECORDS] != 0:
        write_record(plan, state, slot, outcome, reason, cursor[C_NOW])
    if pool[slot, st.P_INQUIRY] >= 0:
        tell_outcome(state, slot, outcome)
    if order == OrderStatus.OPEN:
        # A time-out still scheduled must find nobody.
        pool[slot, st.P_ARMED_STEP] = -1
        pool[slot, st.P_PATIENCE_STEP] = -1
        pool[slot, st.P_WAIT] = st.W_ORDER
        pool[slot, st.P_OUTCOME] = outcome
        return
    if order == OrderStatus.EXPIRED and outcome == Outcome.COMPLETED:
        note_late(plan, state, slot)
    # It keeps its slot, registers and agents included, until nothing more of it is paid back.
    if refund_us >= 0:
        await_part(state, slot, refund_us)
        return
    free_slot(cursor, pool, slot)

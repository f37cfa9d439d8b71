"""One stage of one payment, and its time-out.

Takes the payment at hand; ``advance`` runs the stage it is at and tells whether it goes on. The
meaning of every operation is in ``meaning.Op``.
"""

from __future__ import annotations

from sim.contract.layout import NULL, STEP_BITS, StageColumn
from sim.contract.meaning import Cause, Flag, LogKind, Op, Outcome, Reason
from sim.contract.plan import Plan
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import free_node, post_rows, release_waiting, reserve, void_all
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
from sim.engine.kernel.large_value import leave_system, settle
from sim.engine.kernel.ledgers import enqueue, leave_ledger
from sim.engine.kernel.levels import note_refused
from sim.engine.kernel.payments import (
    EXPIRE_BASE,
    draw,
    draw_time,
    fail,
    next_step,
    resolve,
    schedule,
)
from sim.engine.kernel.prices import charge, check_limit, convert, give_back_limits, quote
from sim.engine.kernel.queues import unlink
from sim.engine.kernel.refunds import await_part, begin_refunds
from sim.engine.kernel.routing import choose_route, switch
from sim.engine.kernel.state import (
    C_ACTIVE,
    C_NOW,
    C_WANTS_RECORDS,
    P_ID,
    P_STAGE,
    KernelState,
)
from sim.engine.kernel.stations import leave_queue, serve
from sim.engine.kernel.timers import arm
from sim.jit.functions import called, inlined

# Numba knows members of an IntEnum as constants, those of an IntFlag it does not.
_ASKS = int(Flag.ASKS)


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
    if op == Op.ANSWER:
        answer(plan, state, slot)
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
        _set_deadline(plan, state, slot)
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
    # ``check_plan`` admits members of Op only, so this is an operation that was added to the
    # specification and forgotten here.
    else:
        break_off(state.cursor, st.E_OPERATION, state.pool[slot, P_ID])
    return True


@called
def expire(plan: Plan, state: KernelState, slot: int) -> None:
    """Let a payment's time-out fire: it abandons its wait and goes on at the target."""
    cursor = state.cursor
    pool = state.pool
    payment = pool[slot, P_ID]
    at = pool[slot, P_STAGE]
    armed = pool[slot, st.P_ARMED_STAGE]
    # The stage that armed the time-out says where it leads and why, not the stage the payment
    # happens to wait at.
    reason = plan.stage[armed, StageColumn.REASON]
    # Who waits for an answer has failed for a reason before; to wait in vain is no other.
    if reason < 0:
        reason = pool[slot, st.P_REASON]
    # Before the payment's stage changes: EXPIRE and LEAVE carry the stage it waited at.
    write_log(cursor, state.log, LogKind.EXPIRE, payment, at, reason, -1, -1)
    end_attempt(plan, state, slot, reason)
    wait = pool[slot, st.P_WAIT]
    # Everything that says what it waits for is read before it is cleared below.
    place = pool[slot, st.P_PLACE]
    pool[slot, st.P_ARMED_STEP] = -1
    if wait == st.W_SERVICE and (plan.stage[at, StageColumn.FLAGS] & _ASKS) != 0:
        _doubt(state, slot)
    # From here on the completion it waited for is orphaned: it frees its server when it comes
    # and does nothing else.
    pool[slot, st.P_WAIT_STEP] = -1
    pool[slot, st.P_WAIT] = st.W_NOTHING
    pool[slot, st.P_REASON] = reason
    pool[slot, P_STAGE] = plan.stage[armed, StageColumn.TARGET]
    # The abandoned wait has taken its time, whether or not it led to anything.
    account_time(cursor, pool, slot, _waiting_cause(plan, wait, at))
    # A payment in service or in transit leaves no queue. One in a block cannot be here, since
    # its time-out was disarmed when the block was filled.
    if wait == st.W_STATION:
        leave_queue(state, place, slot)
        write_log(cursor, state.log, LogKind.LEAVE, payment, at, place, -1, 0)
    elif wait == st.W_LEDGER:
        leave_ledger(state, place, slot)
        write_log(cursor, state.log, LogKind.LEAVE, payment, at, place, -1, 1)
    elif wait == st.W_SYSTEM:
        leave_system(state, place, slot)
        write_log(cursor, state.log, LogKind.LEAVE, payment, at, place, -1, 3)
    elif wait == st.W_ACCOUNT:
        unlink(pool, state.ends, slot)
        amount = state.node[pool[slot, st.P_WANTED], st.N_AMOUNT]
        state.account[place, st.A_WAITING] -= amount
        note_refused(state, place, amount)
        # The node was taken when it began to wait, so that the reservation could be made at
        # once; it was never held, hence pending is not touched.
        free_node(cursor, state.node, pool[slot, st.P_WANTED])
        write_log(cursor, state.log, LogKind.LEAVE, payment, at, place, -1, 2)
        # It may have stood at the head and asked for more than there was, while those behind it
        # ask for less. They join the ready list, so the timed-out payment itself advances
        # first.
        release_waiting(plan, state, place)
    cursor[C_ACTIVE] = slot


@called
def close_open(plan: Plan, state: KernelState, slot: int) -> None:
    """Write down a payment the horizon finds open."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    reason = pool[slot, st.P_REASON]
    account_time(cursor, pool, slot, _waiting_cause(plan, pool[slot, st.P_WAIT], at))
    # Its reason is kept, usually NONE: a payment on its way back already has the one it failed
    # with.
    outcome = Outcome.IN_PROGRESS
    write_log(cursor, state.log, LogKind.OUTCOME, pool[slot, P_ID], at, outcome, reason, -1)
    # NULL as the end, since it has none; its times by cause reach up to the horizon and add up
    # all the same.
    if cursor[C_WANTS_RECORDS] != 0:
        write_record(plan, state, slot, outcome, reason, NULL)


@inlined
def _waiting_cause(plan: Plan, wait: int, at: int) -> int:
    """Return the cause a wait of some kind at some stage is accounted to."""
    # Two waits have a cause of their own. Service, transit and a ledger take the stage's.
    if wait == st.W_STATION:
        return Cause.WAITING
    if wait == st.W_ACCOUNT:
        return Cause.LIQUIDITY
    return int(plan.stage[at, StageColumn.CAUSE])


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
def _set_deadline(plan: Plan, state: KernelState, slot: int) -> None:
    """Arm a payment's only time-out, disarm it, or lead it elsewhere."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    delay_us = plan.stage[at, StageColumn.VALUE]
    # The instant stays; if none is armed, nobody will ask for the stage.
    if delay_us < 0:
        pool[slot, st.P_ARMED_STAGE] = at
        return
    # Disarming leaves no row, and the time-out that is scheduled stays where it is: no step is
    # -1, so it will find itself forgotten.
    if delay_us == 0:
        pool[slot, st.P_ARMED_STEP] = -1
        return
    write_log(cursor, state.log, LogKind.DEADLINE, pool[slot, P_ID], at, -1, delay_us, -1)
    # A payment has one time-out. Arming another one overwrites the step, and with that forgets
    # the earlier one.
    _arm(state, slot, at, delay_us)


@called
def _arm(state: KernelState, slot: int, at: int, delay_us: int) -> None:
    """Schedule a payment's time-out."""
    cursor = state.cursor
    pool = state.pool
    step = next_step(cursor, pool, slot)
    pool[slot, st.P_ARMED_STEP] = step
    key = EXPIRE_BASE | (pool[slot, P_ID] << STEP_BITS) | step
    arm(state, state.line[at], cursor[C_NOW] + delay_us, key, slot)
    # Kept, because TARGET and REASON are looked up only if it fires.
    pool[slot, st.P_ARMED_STAGE] = at


@called
def _doubt(state: KernelState, slot: int) -> None:
    """Note that nobody knows how the service will end that a payment gives up."""
    cursor = state.cursor
    pool = state.pool
    s = pool[slot, st.P_PLACE]
    at = pool[slot, P_STAGE]
    write_log(cursor, state.log, LogKind.IN_DOUBT, pool[slot, P_ID], at, s, -1, -1)
    pool[slot, st.P_UNANSWERED] = pool[slot, st.P_WAIT_STEP]
    # A second request given up while the first is open makes the doubt no younger.
    if pool[slot, st.P_DOUBT_SINCE] == NULL:
        pool[slot, st.P_DOUBT_SINCE] = cursor[C_NOW]


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
    _arm(state, slot, at, longest_us)
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
    refund_us = begin_refunds(plan, state, slot)
    parts = 1 if refund_us >= 0 else -1
    write_log(cursor, state.log, LogKind.OUTCOME, pool[slot, P_ID], at, outcome, reason, parts)
    if cursor[C_WANTS_RECORDS] != 0:
        write_record(plan, state, slot, outcome, reason, cursor[C_NOW])
    if pool[slot, st.P_INQUIRY] >= 0:
        tell_outcome(state, slot, outcome)
    # It keeps its slot, registers and agents included, until nothing more of it is paid back.
    if refund_us >= 0:
        await_part(state, slot, refund_us)
        return
    free_slot(cursor, pool, slot)

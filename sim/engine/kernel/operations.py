"""One stage of one payment, and its time-out.

Takes the payment at hand; ``advance`` runs the stage it is at and tells whether it goes on. The
meaning of every operation is in ``meaning.Op``.
"""

from __future__ import annotations

from sim.contract.layout import NULL, STEP_BITS, StageColumn
from sim.contract.meaning import Cause, LogKind, Op, Outcome, Reason
from sim.contract.plan import Plan
from sim.draws.lookup import quantile
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import free_node, post_rows, release_waiting, reserve, void_all
from sim.engine.kernel.journal import account_time, break_off, write_log, write_record
from sim.engine.kernel.ledgers import enqueue, leave_ledger
from sim.engine.kernel.payments import (
    EXPIRE_BASE,
    draw,
    fail,
    next_step,
    schedule,
)
from sim.engine.kernel.prices import charge, check_limit, convert, give_back_limits, quote
from sim.engine.kernel.queues import unlink
from sim.engine.kernel.routing import choose_route
from sim.engine.kernel.state import (
    C_ACTIVE,
    C_FREE,
    C_LIVE,
    C_NOW,
    C_WANTS_RECORDS,
    P_ID,
    P_STAGE,
    KernelState,
)
from sim.engine.kernel.stations import leave_queue, serve
from sim.engine.kernel.timers import arm
from sim.jit.functions import called, inlined


@inlined
def advance(plan: Plan, state: KernelState, slot: int) -> bool:
    """Run the stage a payment is at; tell whether it goes on within this event."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    if at < 0 or at >= plan.stage.shape[0]:
        break_off(cursor, st.E_STAGE, pool[slot, P_ID])
        return False
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
    if op == Op.ROUTE:
        choose_route(plan, state, slot)
        return True
    if _passes(plan, state, slot, op):
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
    elif op == Op.VOID:
        void_all(plan, state, slot)
        give_back_limits(state, slot)
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
    reason = plan.stage[armed, StageColumn.REASON]
    write_log(cursor, state.log, LogKind.EXPIRE, payment, at, reason, -1, -1)
    wait = pool[slot, st.P_WAIT]
    place = pool[slot, st.P_PLACE]
    pool[slot, st.P_ARMED_STEP] = -1
    pool[slot, st.P_WAIT_STEP] = -1
    pool[slot, st.P_WAIT] = st.W_NOTHING
    pool[slot, st.P_REASON] = reason
    pool[slot, P_STAGE] = plan.stage[armed, StageColumn.TARGET]
    account_time(cursor, pool, slot, _waiting_cause(plan, wait, at))
    if wait == st.W_STATION:
        leave_queue(state, place, slot)
        write_log(cursor, state.log, LogKind.LEAVE, payment, at, place, -1, 0)
    elif wait == st.W_LEDGER:
        leave_ledger(state, place, slot)
        write_log(cursor, state.log, LogKind.LEAVE, payment, at, place, -1, 1)
    elif wait == st.W_ACCOUNT:
        unlink(pool, state.ends, slot)
        free_node(cursor, state.node, pool[slot, st.P_WANTED])
        write_log(cursor, state.log, LogKind.LEAVE, payment, at, place, -1, 2)
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
    outcome = Outcome.IN_PROGRESS
    write_log(cursor, state.log, LogKind.OUTCOME, pool[slot, P_ID], at, outcome, reason, -1)
    if cursor[C_WANTS_RECORDS] != 0:
        write_record(plan, state, slot, outcome, reason, NULL)


@inlined
def _waiting_cause(plan: Plan, wait: int, at: int) -> int:
    """Return the cause a wait of some kind at some stage is accounted to."""
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
    u62 = draw(plan.stream_key, pool, slot, plan.stage[at, StageColumn.PURPOSE])
    delay_us = quantile(plan.table, plan.stage[at, StageColumn.TABLE], u62)
    if delay_us < 0:
        break_off(cursor, st.E_DURATION, pool[slot, P_ID])
    cause = plan.stage[at, StageColumn.CAUSE]
    write_log(cursor, state.log, LogKind.DELAY, pool[slot, P_ID], at, cause, delay_us, -1)
    schedule(cursor, state.heap, pool, slot, delay_us, 0)
    pool[slot, st.P_WAIT] = st.W_TRANSIT


@called
def _decide(plan: Plan, state: KernelState, slot: int) -> bool:
    """Branch by luck."""
    pool = state.pool
    at = pool[slot, P_STAGE]
    if (
        draw(plan.stream_key, pool, slot, plan.stage[at, StageColumn.PURPOSE])
        >= plan.stage[at, StageColumn.VALUE]
    ):
        return True
    reason = plan.stage[at, StageColumn.REASON]
    if reason > 0:
        fail(plan, state, slot, reason)
        return False
    target = plan.stage[at, StageColumn.TARGET]
    write_log(state.cursor, state.log, LogKind.DECIDE, pool[slot, P_ID], at, target, -1, -1)
    pool[slot, P_STAGE] = target
    return False


@called
def _read_code(plan: Plan, state: KernelState, slot: int) -> bool:
    """Read the code on the counter, or fail."""
    pool = state.pool
    if pool[slot, st.P_CODE_STATE] == 1:
        fail(plan, state, slot, Reason.FF01)
        return False
    if state.cursor[C_NOW] > pool[slot, st.P_CODE_EXPIRY]:
        fail(plan, state, slot, Reason.AEXR)
        return False
    return True


@called
def _set_deadline(plan: Plan, state: KernelState, slot: int) -> None:
    """Arm a payment's only time-out, or disarm it."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    delay_us = plan.stage[at, StageColumn.VALUE]
    if delay_us == 0:
        pool[slot, st.P_ARMED_STEP] = -1
        return
    write_log(cursor, state.log, LogKind.DEADLINE, pool[slot, P_ID], at, -1, delay_us, -1)
    step = next_step(cursor, pool, slot)
    pool[slot, st.P_ARMED_STEP] = step
    key = EXPIRE_BASE | (pool[slot, P_ID] << STEP_BITS) | step
    arm(state, state.line[at], cursor[C_NOW] + delay_us, key, slot)
    pool[slot, st.P_ARMED_STAGE] = at


@inlined
def _end(plan: Plan, state: KernelState, slot: int) -> None:
    """End a payment and give its slot back."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    outcome = plan.stage[at, StageColumn.VALUE]
    reason = plan.stage[at, StageColumn.REASON]
    if reason < 0:
        reason = pool[slot, st.P_REASON]
    if pool[slot, st.P_NODE] >= 0:
        break_off(cursor, st.E_OPEN_RESERVATION, pool[slot, P_ID])
    if outcome == Outcome.COMPLETED and pool[slot, st.P_CREDITED] == NULL:
        pool[slot, st.P_CREDITED] = cursor[C_NOW]
    write_log(cursor, state.log, LogKind.OUTCOME, pool[slot, P_ID], at, outcome, reason, -1)
    if cursor[C_WANTS_RECORDS] != 0:
        write_record(plan, state, slot, outcome, reason, cursor[C_NOW])
    # Events of this payment may still be scheduled; they find another id here, or none.
    pool[slot, P_ID] = -1
    pool[slot, st.P_NEXT] = cursor[C_FREE]
    cursor[C_FREE] = slot
    cursor[C_LIVE] -= 1

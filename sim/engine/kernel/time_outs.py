"""Time-outs and patience of a payment: armed, and what firing does to whatever it waits for.

Takes the payment at hand. Its time-out and its payer's patience are events of one class; both end a
wait without what it was for.
"""

from __future__ import annotations

from sim.contract.layout import NULL, STEP_BITS, StageColumn, StreamColumn
from sim.contract.meaning import Cause, Flag, LogKind, Reason
from sim.contract.plan import Plan
from sim.draws.lookup import quantile
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import free_node, release_waiting
from sim.engine.kernel.health import end_attempt
from sim.engine.kernel.journal import account_time, write_log
from sim.engine.kernel.large_value import leave_system
from sim.engine.kernel.ledgers import leave_ledger
from sim.engine.kernel.levels import note_refused
from sim.engine.kernel.payments import EXPIRE_BASE, draw, next_step
from sim.engine.kernel.queues import unlink
from sim.engine.kernel.state import C_ACTIVE, C_NOW, P_ID, P_STAGE, KernelState
from sim.engine.kernel.stations import leave_queue
from sim.engine.kernel.timers import arm
from sim.jit.functions import called, inlined

# Numba knows members of an IntEnum as constants, those of an IntFlag it does not.
_ASKS = int(Flag.ASKS)


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
    pool[slot, st.P_ARMED_STEP] = -1
    _abandon(plan, state, slot, reason, plan.stage[armed, StageColumn.TARGET])


@called
def walk_away(plan: Plan, state: KernelState, slot: int) -> None:
    """Let a payer leave: the payment is given up with him, or goes its way."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    pool[slot, st.P_PATIENCE_STEP] = -1
    pool[slot, st.P_GONE] = cursor[C_NOW]
    target = plan.stage[pool[slot, st.P_PATIENCE_STAGE], StageColumn.TARGET]
    wait = pool[slot, st.P_WAIT]
    is_given_up = target >= 0 and wait not in (st.W_BLOCK, st.W_ANSWER)
    given_up = 1 if is_given_up else 0
    write_log(cursor, state.log, LogKind.GONE, pool[slot, P_ID], at, given_up, -1, -1)
    if is_given_up:
        _abandon(plan, state, slot, Reason.DS02, target)
    elif pool[slot, st.P_SETTLED] == NULL:
        pool[slot, st.P_REASON] = Reason.DS02


@called
def _abandon(plan: Plan, state: KernelState, slot: int, reason: int, target: int) -> None:
    """End a payment's wait without what it waited for, for a reason, and lead it elsewhere."""
    cursor = state.cursor
    pool = state.pool
    payment = pool[slot, P_ID]
    at = pool[slot, P_STAGE]
    end_attempt(plan, state, slot, reason)
    wait = pool[slot, st.P_WAIT]
    # Everything that says what it waits for is read before it is cleared below.
    place = pool[slot, st.P_PLACE]
    if wait == st.W_SERVICE and (plan.stage[at, StageColumn.FLAGS] & _ASKS) != 0:
        _doubt(state, slot)
    # From here on the completion it waited for is orphaned: it frees its server when it comes
    # and does nothing else.
    pool[slot, st.P_WAIT_STEP] = -1
    pool[slot, st.P_WAIT] = st.W_NOTHING
    pool[slot, st.P_REASON] = reason
    pool[slot, P_STAGE] = target
    # The abandoned wait has taken its time, whether or not it led to anything.
    account_time(cursor, pool, slot, waiting_cause(plan, wait, at))
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


@inlined
def waiting_cause(plan: Plan, wait: int, at: int) -> int:
    """Return the cause a wait of some kind at some stage is accounted to."""
    # Two waits have a cause of their own. Service, transit and a ledger take the stage's.
    if wait == st.W_STATION:
        return Cause.WAITING
    if wait == st.W_ACCOUNT:
        return Cause.LIQUIDITY
    return int(plan.stage[at, StageColumn.CAUSE])


@called
def set_deadline(plan: Plan, state: KernelState, slot: int) -> None:
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
    arm_time_out(state, slot, at, delay_us)


@called
def set_patience(plan: Plan, state: KernelState, slot: int) -> None:
    """Let the payer begin to wait, or wait no more, or lead elsewhere."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    value = plan.stage[at, StageColumn.VALUE]
    if value == 0:
        pool[slot, st.P_PATIENCE_STEP] = -1
        return
    pool[slot, st.P_PATIENCE_STAGE] = at
    table = plan.stream[pool[slot, st.P_STREAM], StreamColumn.PATIENCE]
    # Who waits already waits on.
    if value < 0 or table < 0 or pool[slot, st.P_PATIENCE_STEP] >= 0:
        return
    pool[slot, st.P_GONE] = NULL
    drawn = draw(plan.stream_key, pool, slot, plan.stage[at, StageColumn.PURPOSE])
    patience_us = max(1, quantile(plan.table, table, drawn))
    write_log(cursor, state.log, LogKind.PATIENCE, pool[slot, P_ID], at, -1, patience_us, -1)
    step = next_step(cursor, pool, slot)
    pool[slot, st.P_PATIENCE_STEP] = step
    key = EXPIRE_BASE | (pool[slot, P_ID] << STEP_BITS) | step
    # Drawn, and so in no line of equal time-outs.
    arm(state, -1, cursor[C_NOW] + patience_us, key, slot)


@called
def arm_time_out(state: KernelState, slot: int, at: int, delay_us: int) -> None:
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
    if pool[slot, st.P_DOUBTED] == NULL:
        pool[slot, st.P_DOUBTED] = cursor[C_NOW]

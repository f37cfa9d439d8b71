"""What every family of operations does to a payment: wait, fail, draw.

Takes the cursor, the pool, the heap and the log; changes one payment.
"""

from __future__ import annotations

from sim.contract.layout import (
    PAYMENT_BITS,
    ROLE_KINDS_MAX,
    STEP_BITS,
    STEP_MASK,
    StageColumn,
)
from sim.contract.meaning import EventClass, LogKind
from sim.contract.plan import Array, Plan
from sim.draws.lookup import draw62, quantile
from sim.engine.kernel.health import end_attempt
from sim.engine.kernel.heap import push
from sim.engine.kernel.journal import break_off, write_log
from sim.engine.kernel.state import (
    C_NOW,
    E_DURATION,
    E_NO_HABIT,
    E_STEP,
    P_DEBTOR_AGENT,
    P_ID,
    P_ORDINAL,
    P_REASON,
    P_STAGE,
    P_STEP,
    P_STREAM,
    P_VISIT,
    P_WAIT_STEP,
    KernelState,
)
from sim.jit.functions import called, inlined

COMPLETE_BASE = EventClass.COMPLETE << (PAYMENT_BITS + STEP_BITS)
EXPIRE_BASE = EventClass.EXPIRE << (PAYMENT_BITS + STEP_BITS)


@inlined
def schedule(cursor: Array, heap: Array, pool: Array, slot: int, delay_us: int, place: int) -> None:
    """Schedule the COMPLETE a payment waits for, under its next step."""
    # COMPLETE and EXPIRE share a counter, so no two events of a payment have the same step, and
    # a key names an event for good.
    step = next_step(cursor, pool, slot)
    pool[slot, P_WAIT_STEP] = step
    key = COMPLETE_BASE | (pool[slot, P_ID] << STEP_BITS) | step
    push(cursor, heap, cursor[C_NOW] + delay_us, key, slot, place)


@inlined
def next_step(cursor: Array, pool: Array, slot: int) -> int:
    """Count one more event scheduled for a payment, and return its step."""
    step = pool[slot, P_STEP] + 1
    pool[slot, P_STEP] = step
    # 20 bits of a key hold the step. A million events of one payment are not a payment.
    if step > STEP_MASK:
        break_off(cursor, E_STEP, pool[slot, P_ID])
    return int(step)


@called
def fail(plan: Plan, state: KernelState, slot: int, reason: int) -> None:
    """Log a failure and go on at the stage's target."""
    at = state.pool[slot, P_STAGE]
    # At the stage that failed, then the jump: the log tells where.
    write_log(state.cursor, state.log, LogKind.FAIL, state.pool[slot, P_ID], at, reason, -1, -1)
    end_attempt(plan, state, slot, reason)
    state.pool[slot, P_REASON] = reason
    state.pool[slot, P_STAGE] = plan.stage[at, StageColumn.TARGET]


@inlined
def draw(stream_key: Array, pool: Array, slot: int, purpose: int) -> int:
    """Return a payment's 62-bit draw for a purpose at its present visit."""
    key = stream_key[pool[slot, P_STREAM]]
    return draw62(key, pool[slot, P_ORDINAL], purpose, pool[slot, P_VISIT])


@called
def resolve(by_agent: Array, pool: Array, slot: int, ref: int) -> int:
    """Return what a role reference means for a payment; -1 if its agent has nothing like it."""
    # The inverse of ``layout.role_ref``. -1 means that nothing was named at all.
    number = -ref - 2
    if number < 0:
        return -1
    # The creditor agent's column follows the debtor agent's, so the role is an offset.
    agent = pool[slot, P_DEBTOR_AGENT + number // ROLE_KINDS_MAX]
    if agent < 0:
        return -1
    return int(by_agent[agent, number % ROLE_KINDS_MAX])


@inlined
def draw_time(plan: Plan, state: KernelState, slot: int, at: int) -> int:
    """Draw the duration of a payment's stage."""
    # Keyed by payment, purpose and visit and not by station: moving a payment to another queue
    # leaves its service time what it was.
    u62 = draw(plan.stream_key, state.pool, slot, plan.stage[at, StageColumn.PURPOSE])
    table = plan.stage[at, StageColumn.TABLE]
    if table < 0:
        table = resolve(plan.agent_time, state.pool, slot, table)
        if table < 0:
            break_off(state.cursor, E_NO_HABIT, state.pool[slot, P_ID])
            return 0
    time_us = quantile(plan.table, table, u62)
    # Only a table of rates holds negative values, and no stage may name one of these.
    if time_us < 0:
        break_off(state.cursor, E_DURATION, state.pool[slot, P_ID])
    return int(time_us)

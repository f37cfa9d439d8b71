"""What every family of operations does to a payment: wait, fail, draw.

Takes the cursor, the pool, the heap and the log; changes one payment.
"""

from __future__ import annotations

from sim.contract.layout import PAYMENT_BITS, STEP_BITS, STEP_MASK, StageColumn
from sim.contract.meaning import EventClass, LogKind
from sim.contract.plan import Array, Plan
from sim.draws.lookup import draw62
from sim.engine.kernel.heap import push
from sim.engine.kernel.journal import break_off, write_log
from sim.engine.kernel.state import (
    C_NOW,
    E_STEP,
    P_ATTEMPTS,
    P_ID,
    P_ORDINAL,
    P_REASON,
    P_REQUOTES,
    P_STAGE,
    P_STEP,
    P_STREAM,
    P_WAIT_STEP,
    KernelState,
)
from sim.jit.functions import called, inlined

COMPLETE_BASE = EventClass.COMPLETE << (PAYMENT_BITS + STEP_BITS)
EXPIRE_BASE = EventClass.EXPIRE << (PAYMENT_BITS + STEP_BITS)


@inlined
def schedule(cursor: Array, heap: Array, pool: Array, slot: int, delay_us: int, place: int) -> None:
    """Schedule the COMPLETE a payment waits for, under its next step."""
    step = next_step(cursor, pool, slot)
    pool[slot, P_WAIT_STEP] = step
    key = COMPLETE_BASE | (pool[slot, P_ID] << STEP_BITS) | step
    push(cursor, heap, cursor[C_NOW] + delay_us, key, slot, place)


@inlined
def next_step(cursor: Array, pool: Array, slot: int) -> int:
    """Count one more event scheduled for a payment, and return its step."""
    step = pool[slot, P_STEP] + 1
    pool[slot, P_STEP] = step
    if step > STEP_MASK:
        break_off(cursor, E_STEP, pool[slot, P_ID])
    return int(step)


@called
def fail(plan: Plan, state: KernelState, slot: int, reason: int) -> None:
    """Log a failure and go on at the stage's target."""
    at = state.pool[slot, P_STAGE]
    write_log(state.cursor, state.log, LogKind.FAIL, state.pool[slot, P_ID], at, reason, -1, -1)
    state.pool[slot, P_REASON] = reason
    state.pool[slot, P_STAGE] = plan.stage[at, StageColumn.TARGET]


@inlined
def draw(stream_key: Array, pool: Array, slot: int, purpose: int) -> int:
    """Return a payment's 62-bit draw for a purpose at its present visit."""
    visit = pool[slot, P_REQUOTES]
    if pool[slot, P_ATTEMPTS] > 1:
        visit += (pool[slot, P_ATTEMPTS] - 1) * 64
    return draw62(stream_key[pool[slot, P_STREAM]], pool[slot, P_ORDINAL], purpose, visit)

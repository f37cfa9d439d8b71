"""INQUIRE, ASK, ANSWER, RETRY: what is asked about a payment, and what is asked again.

Takes the plan, the state and a slot, of a payment or of an inquiry; an inquiry has a slot of its
own in the pool and stands in the list of its payment until it ends.
"""

from __future__ import annotations

from sim.contract.inquiries import INQUIRY_FIRST, INQUIRY_VISIT, RESENT_VISIT
from sim.contract.layout import NULL, StageColumn
from sim.contract.meaning import RETRY_REASONS, Flag, LogKind, Op, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.shops import OrderStatus
from sim.engine.kernel import state as st
from sim.engine.kernel.journal import account_time, break_off, write_log
from sim.engine.kernel.queues import append
from sim.engine.kernel.routing import forget_failure
from sim.engine.kernel.state import (
    C_FREE,
    C_INQUIRIES,
    C_LIVE,
    C_LIVE_MAX,
    C_NOW,
    C_READY,
    P_ID,
    P_STAGE,
    KernelState,
)
from sim.jit.functions import called, inlined

_SAME, _NEXT = int(Flag.SAME), int(Flag.NEXT)
_RETRY_MASK = sum(1 << int(reason) for reason in RETRY_REASONS)
_ANSWERED, _UNASKED = 1, -1


@called
def begin_inquiry(
    plan: Plan, state: KernelState, slot: int, stage: int, place: int, before: int
) -> None:
    """Begin an inquiry about a payment; a place below 0 is of a chain of AWAIT.

    The stage is the one that begins it, ``before`` the inquiry before it in its chain, -1 for none.
    """
    cursor = state.cursor
    pool = state.pool
    own = cursor[C_FREE]
    cursor[C_FREE] = pool[own, st.P_NEXT]
    cursor[C_LIVE] += 1
    cursor[C_LIVE_MAX] = max(cursor[C_LIVE_MAX], cursor[C_LIVE])
    number = INQUIRY_FIRST + cursor[C_INQUIRIES]
    cursor[C_INQUIRIES] += 1
    pool[slot, st.P_INQUIRED] += 1
    pool[own, P_ID] = number
    pool[own, P_STAGE] = plan.stage[stage, StageColumn.SUBJECT]
    for column in (
        st.P_STREAM,
        st.P_ORDINAL,
        st.P_DEBTOR_AGENT,
        st.P_CREDITOR_AGENT,
        st.P_PAYER,
    ):
        pool[own, column] = pool[slot, column]
    pool[own, st.P_VISIT] = INQUIRY_VISIT + pool[slot, st.P_INQUIRED]
    pool[own, st.P_STEP] = 0
    pool[own, st.P_WAIT_STEP] = -1
    pool[own, st.P_WAIT] = st.W_NOTHING
    pool[own, st.P_ARMED_STEP] = -1
    pool[own, st.P_PATIENCE_STEP] = -1
    pool[own, st.P_SINCE] = cursor[C_NOW]
    pool[own, st.P_HEARD] = 0
    pool[own, st.P_NODE] = -1
    pool[own, st.P_UNANSWERED] = -1
    pool[own, st.P_DOUBT_SINCE] = NULL
    pool[own, st.P_REASON] = Reason.NONE
    pool[own, st.P_INQUIRY] = -1
    pool[own, st.P_TOLD] = NULL
    pool[own, st.P_CHAIN] = place
    # Of the attempt it belongs to; a later one has inquiries of its own.
    pool[own, st.P_BEGUN] = pool[slot, st.P_ATTEMPTS]
    op = plan.stage[stage, StageColumn.OP]
    pool[own, st.P_OF_ORDER] = 1 if op in (Op.ORDER, Op.POLL) else 0
    pool[own, st.P_ORDER] = OrderStatus.NONE
    pool[own, st.P_ORDER_STEP] = -1
    _link(pool, slot, own)
    times = pool[slot, st.P_INQUIRED]
    write_log(cursor, state.log, LogKind.ASKED, number, stage, pool[slot, P_ID], times, before)
    append(pool, state.ends, cursor[C_READY], own)


@called
def inquire(plan: Plan, state: KernelState, slot: int) -> None:
    """Begin a chain of inquiries."""
    begin_inquiry(plan, state, slot, state.pool[slot, P_STAGE], 1, -1)


@called
def ask(plan: Plan, state: KernelState, own: int) -> bool:
    """Ask, if there is still something to ask about; tell whether the inquiry goes on."""
    pool = state.pool
    slot = pool[own, st.P_ASKS]
    if slot < 0:
        break_off(state.cursor, st.E_NO_INQUIRY, pool[own, P_ID])
        return False
    place = pool[own, st.P_CHAIN]
    if (
        pool[own, st.P_TOLD] != NULL
        or pool[slot, st.P_ATTEMPTS] != pool[own, st.P_BEGUN]
        or (place < 0 and pool[slot, st.P_WAIT] != st.W_ANSWER)
    ):
        finish(state, own, _UNASKED)
        return False
    at = pool[own, P_STAGE]
    following = plan.stage[at, StageColumn.SUBJECT]
    if following >= 0 and abs(place) < plan.stage[at, StageColumn.VALUE]:
        further = place + 1 if place > 0 else place - 1
        begin_inquiry(plan, state, slot, at, further, pool[own, P_ID])
    pool[own, P_STAGE] = at + 1
    return True


@called
def answer(plan: Plan, state: KernelState, own: int) -> None:
    """End an inquiry; the same answer as the payment's own is waited for."""
    cursor = state.cursor
    pool = state.pool
    slot = pool[own, st.P_ASKS]
    if slot < 0:
        break_off(cursor, st.E_NO_INQUIRY, pool[own, P_ID])
        return
    at = pool[own, P_STAGE]
    is_open = pool[own, st.P_TOLD] == NULL
    if is_open and (plan.stage[at, StageColumn.FLAGS] & _SAME) != 0:
        write_log(cursor, state.log, LogKind.AWAIT, pool[own, P_ID], at, -1, -1, -1)
        pool[own, st.P_WAIT] = st.W_OUTCOME
        return
    answered = plan.stage[at, StageColumn.VALUE]
    finish(state, own, answered)
    if answered != _ANSWERED or not is_open or pool[slot, st.P_WAIT] != st.W_ANSWER:
        return
    # Who waits to be told: by then the request must have ended, or there is nothing to tell.
    waits = pool[slot, P_STAGE]
    if plan.stage[waits, StageColumn.SUBJECT] >= 0 and pool[slot, st.P_UNANSWERED] < 0:
        account_time(cursor, pool, slot, plan.stage[waits, StageColumn.CAUSE])
        pool[slot, st.P_WAIT] = st.W_NOTHING
        pool[slot, P_STAGE] = waits + 1
        append(pool, state.ends, cursor[C_READY], slot)


@called
def tell_outcome(state: KernelState, slot: int, outcome: int) -> None:
    """Let a payment's inquiries know how it ended; answer those that wait for it."""
    pool = state.pool
    own = pool[slot, st.P_INQUIRY]
    while own >= 0:
        # Read before the slot is given back.
        following = pool[own, st.P_SIBLING]
        # A shop asks on while its order is open. Of all others the slot is nobody's to look at any
        # more, though it may stay in use.
        if pool[own, st.P_OF_ORDER] == 0 or pool[slot, st.P_ORDER] != OrderStatus.OPEN:
            _unlink(pool, slot, own)
            pool[own, st.P_TOLD] = outcome
            if pool[own, st.P_WAIT] == st.W_OUTCOME:
                finish(state, own, _ANSWERED)
        own = following


@called
def retry(plan: Plan, state: KernelState, slot: int) -> bool:
    """Try again, by the payer or by the institution; tell whether the payment passes on instead."""
    pool = state.pool
    at = pool[slot, P_STAGE]
    is_resent = (plan.stage[at, StageColumn.FLAGS] & _NEXT) != 0
    times = pool[slot, st.P_RESENT] if is_resent else pool[slot, st.P_RETRIES]
    can_help = (_RETRY_MASK >> pool[slot, st.P_REASON]) & 1
    if can_help == 0 or times >= plan.stage[at, StageColumn.VALUE]:
        return True
    write_log(state.cursor, state.log, LogKind.RETRY, pool[slot, P_ID], at, -1, times + 1, -1)
    if is_resent:
        pool[slot, st.P_RESENT] += 1
        pool[slot, st.P_VISIT] += RESENT_VISIT
        pool[slot, st.P_REASON] = Reason.NONE
    else:
        pool[slot, st.P_RETRIES] += 1
        forget_failure(pool, slot)
    pool[slot, P_STAGE] = plan.stage[at, StageColumn.TARGET]
    return False


@inlined
def free_slot(cursor: Array, pool: Array, slot: int) -> None:
    """Give the slot of a payment or an inquiry back."""
    # Events of it may still be scheduled; they find another id here, or none.
    pool[slot, P_ID] = -1
    pool[slot, st.P_NEXT] = cursor[C_FREE]
    cursor[C_FREE] = slot
    cursor[C_LIVE] -= 1


@called
def finish(state: KernelState, own: int, answered: int) -> None:
    """End an inquiry, answered (1), turned away (0) or not asked (-1), and give its slot back."""
    pool = state.pool
    told = pool[own, st.P_TOLD]
    if told == NULL:
        told = Outcome.IN_PROGRESS + 0
        _unlink(pool, pool[own, st.P_ASKS], own)
    number, at = pool[own, P_ID], pool[own, P_STAGE]
    write_log(state.cursor, state.log, LogKind.ANSWERED, number, at, told, answered, -1)
    free_slot(state.cursor, pool, own)


@called
def _link(pool: Array, slot: int, own: int) -> None:
    """Put an inquiry at the end of its payment's list."""
    last = pool[slot, st.P_INQUIRY_LAST]
    pool[own, st.P_ASKS] = slot
    pool[own, st.P_SIBLING] = -1
    pool[own, st.P_SIBLING_BEFORE] = last
    if last >= 0:
        pool[last, st.P_SIBLING] = own
    else:
        pool[slot, st.P_INQUIRY] = own
    pool[slot, st.P_INQUIRY_LAST] = own


@called
def _unlink(pool: Array, slot: int, own: int) -> None:
    """Take an inquiry out of its payment's list, while the payment is open."""
    before, after = pool[own, st.P_SIBLING_BEFORE], pool[own, st.P_SIBLING]
    if before >= 0:
        pool[before, st.P_SIBLING] = after
    else:
        pool[slot, st.P_INQUIRY] = after
    if after >= 0:
        pool[after, st.P_SIBLING_BEFORE] = before
    else:
        pool[slot, st.P_INQUIRY_LAST] = before

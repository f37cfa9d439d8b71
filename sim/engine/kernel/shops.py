"""ORDER and POLL, release and expiry: orders of shops.

Takes the plan, the state and a slot, of a payment that is an order or of an inquiry about orders.
Open orders of a shop are a list through the pool, in the order in which they were taken.
"""

from __future__ import annotations

from sim.contract.layout import NULL, STEP_BITS, StageColumn
from sim.contract.meaning import LogKind, Outcome
from sim.contract.plan import Plan
from sim.contract.shops import OrderStatus, ShopColumn, ShopTotal
from sim.engine.kernel import state as st
from sim.engine.kernel.inquiries import begin_inquiry, finish, free_slot, tell_outcome
from sim.engine.kernel.journal import break_off, write_log, write_refund
from sim.engine.kernel.payments import EXPIRE_BASE, fail, next_step
from sim.engine.kernel.refunds import await_part, begin_refunds
from sim.engine.kernel.state import (
    C_CALLING,
    C_NOW,
    C_WARM_UP,
    O_HEAD,
    O_LEFT,
    O_OPEN,
    O_TAIL,
    O_TAT,
    O_TOTAL,
    P_ID,
    P_STAGE,
    KernelState,
)
from sim.engine.kernel.timers import arm
from sim.jit.functions import called

_ANSWERED, _UNASKED = 1, -1


@called
def take_order(plan: Plan, state: KernelState, slot: int) -> bool:
    """Take an order, or refuse it for want of stock; tell whether the payment passes."""
    cursor, pool = state.cursor, state.pool
    at = pool[slot, P_STAGE]
    shop = plan.stage[at, StageColumn.FIRST]
    if pool[slot, st.P_ORDER] != OrderStatus.NONE:
        break_off(cursor, st.E_ORDERED_TWICE, pool[slot, P_ID])
    if state.shop[shop, O_LEFT] <= 0:
        _count(state, shop, ShopTotal.SOLD_OUT + 0, 1)
        fail(plan, state, slot, plan.stage[at, StageColumn.REASON])
        return False
    _count(state, shop, ShopTotal.ORDERS + 0, 1)
    state.shop[shop, O_LEFT] -= plan.shop[shop, ShopColumn.HOLDS]
    life_us = plan.shop[shop, ShopColumn.LIFE_US]
    # Whatever the code of the sample was: this one is made for the order.
    pool[slot, st.P_CODE_STATE] = 0
    pool[slot, st.P_CODE_EXPIRY] = cursor[C_NOW] + life_us
    pool[slot, st.P_ORDER] = OrderStatus.OPEN
    pool[slot, st.P_ORDER_STAGE] = at
    pool[slot, st.P_CALL] = -1
    pool[slot, st.P_POLLS] = 0
    _append_order(state, shop, slot)
    left = state.shop[shop, O_LEFT]
    write_log(cursor, state.log, LogKind.ORDERED, pool[slot, P_ID], at, shop, left, life_us)
    step = next_step(cursor, pool, slot)
    pool[slot, st.P_ORDER_STEP] = step
    key = EXPIRE_BASE | (pool[slot, P_ID] << STEP_BITS) | step
    # Only DEADLINE and AWAIT have lines of equal time-outs.
    arm(state, -1, cursor[C_NOW] + life_us, key, slot)
    if plan.shop[shop, ShopColumn.PER_CALL] == 0:
        begin_inquiry(plan, state, slot, at, 1, -1)
    return True


@called
def ask_about_orders(state: KernelState, shop: int) -> None:
    """Begin to cut a shop's open orders into calls."""
    orders = state.shop[shop, O_OPEN]
    write_log(state.cursor, state.log, LogKind.SHOP_ASKS, -1, -1, shop, orders, -1)
    state.cursor[C_CALLING] = state.shop[shop, O_HEAD] + 1


@called
def begin_call(plan: Plan, state: KernelState) -> None:
    """Begin the next call: an inquiry takes one slot, and a step no more than that."""
    cursor, pool = state.cursor, state.pool
    slot = cursor[C_CALLING] - 1
    at = pool[slot, st.P_ORDER_STAGE]
    own = cursor[st.C_FREE]
    begin_inquiry(plan, state, slot, at, 1, -1)
    number = pool[own, P_ID]
    room = plan.shop[plan.stage[at, StageColumn.FIRST], ShopColumn.PER_CALL]
    while slot >= 0 and room > 0:
        pool[slot, st.P_CALL] = number
        slot = pool[slot, st.P_ORDER_NEXT]
        room -= 1
    cursor[C_CALLING] = slot + 1


@called
def poll(plan: Plan, state: KernelState, own: int) -> bool:
    """Ask about an order, if it is open and the token allows it; tell whether it goes on."""
    cursor, pool = state.cursor, state.pool
    slot = pool[own, st.P_ASKS]
    if slot < 0:
        break_off(cursor, st.E_NO_INQUIRY, pool[own, P_ID])
        return False
    if pool[own, st.P_TOLD] != NULL or pool[slot, st.P_ORDER] != OrderStatus.OPEN:
        finish(state, own, _UNASKED)
        return False
    at = pool[own, P_STAGE]
    place = pool[own, st.P_CHAIN]
    if plan.stage[at, StageColumn.SUBJECT] >= 0 and place < plan.stage[at, StageColumn.VALUE]:
        begin_inquiry(plan, state, slot, at, place + 1, pool[own, P_ID])
    shop = plan.stage[at, StageColumn.FIRST]
    count = plan.shop[shop, ShopColumn.TOKEN_COUNT]
    if count > 0:
        period_us = plan.shop[shop, ShopColumn.TOKEN_PERIOD_US]
        now = cursor[C_NOW] * count
        most = (plan.shop[shop, ShopColumn.TOKEN_BURST] - 1) * period_us
        if state.shop[shop, O_TAT] - now > most:
            _count(state, shop, ShopTotal.THROTTLED + 0, 1)
            number = pool[own, P_ID]
            write_log(cursor, state.log, LogKind.THROTTLED, number, at, shop, -1, -1)
            pool[own, P_STAGE] = plan.stage[at, StageColumn.TARGET]
            return True
        state.shop[shop, O_TAT] = max(state.shop[shop, O_TAT], now) + period_us
    _count(state, shop, ShopTotal.CALLS + 0, 1)
    if plan.shop[shop, ShopColumn.PER_CALL] == 0:
        pool[slot, st.P_CALL] = pool[own, P_ID]
        pool[slot, st.P_POLLS] += 1
    else:
        one = state.shop[shop, O_HEAD]
        while one >= 0:
            if pool[one, st.P_CALL] == pool[own, P_ID]:
                pool[one, st.P_POLLS] += 1
            one = pool[one, st.P_ORDER_NEXT]
    pool[own, P_STAGE] = at + 1
    return True


@called
def release_paid(plan: Plan, state: KernelState, shop: int, number: int, slot: int) -> None:
    """Release the open orders an inquiry asked about whose payments are credited.

    The slot is that of the order of an inquiry about one alone, -1 where it has none any more.
    """
    pool = state.pool
    if plan.shop[shop, ShopColumn.PER_CALL] == 0:
        is_open = slot >= 0 and pool[slot, st.P_ORDER] == OrderStatus.OPEN
        if is_open and pool[slot, st.P_CREDITED] != NULL:
            _release(plan, state, shop, slot)
        return
    one = state.shop[shop, O_HEAD]
    while one >= 0:
        # Read before the order leaves the list.
        following = pool[one, st.P_ORDER_NEXT]
        if pool[one, st.P_CALL] == number and pool[one, st.P_CREDITED] != NULL:
            _release(plan, state, shop, one)
        one = following


@called
def _release(plan: Plan, state: KernelState, shop: int, slot: int) -> None:
    cursor, pool = state.cursor, state.pool
    seen_us = cursor[C_NOW] - pool[slot, st.P_CREDITED]
    _count(state, shop, ShopTotal.RELEASED + 0, 1)
    _count(state, shop, ShopTotal.SEEN_SUM_US + 0, seen_us)
    if cursor[C_NOW] >= cursor[C_WARM_UP]:
        most = O_TOTAL + ShopTotal.SEEN_MAX_US
        state.shop[shop, most] = max(state.shop[shop, most], seen_us)
    if plan.shop[shop, ShopColumn.HOLDS] == 0:
        state.shop[shop, O_LEFT] -= 1
        over = O_TOTAL + ShopTotal.OVERSOLD
        state.shop[shop, over] = max(state.shop[shop, over], -state.shop[shop, O_LEFT])
    at, polls = pool[slot, P_STAGE], pool[slot, st.P_POLLS]
    write_refund(cursor, state.log, LogKind.RELEASED, pool[slot, P_ID], at, shop, polls, seen_us)
    _close(state, shop, slot, OrderStatus.RELEASED + 0)
    if pool[slot, st.P_WAIT] == st.W_ORDER:
        free_slot(cursor, pool, slot)


@called
def expire_order(plan: Plan, state: KernelState, slot: int) -> None:
    """Let an open order expire; what was paid for it goes back."""
    cursor, pool = state.cursor, state.pool
    shop = plan.stage[pool[slot, st.P_ORDER_STAGE], StageColumn.FIRST]
    _count(state, shop, ShopTotal.EXPIRED + 0, 1)
    state.shop[shop, O_LEFT] += plan.shop[shop, ShopColumn.HOLDS]
    at, polls, left = pool[slot, P_STAGE], pool[slot, st.P_POLLS], state.shop[shop, O_LEFT]
    write_refund(cursor, state.log, LogKind.ORDER_EXPIRED, pool[slot, P_ID], at, shop, polls, left)
    _close(state, shop, slot, OrderStatus.EXPIRED + 0)
    if pool[slot, st.P_WAIT] != st.W_ORDER:
        return
    delay_us = -1
    if pool[slot, st.P_OUTCOME] == Outcome.COMPLETED:
        note_late(plan, state, slot)
        delay_us = begin_refunds(plan, state, slot)
    if delay_us >= 0:
        await_part(state, slot, delay_us)
    else:
        free_slot(cursor, pool, slot)


@called
def note_late(plan: Plan, state: KernelState, slot: int) -> None:
    """Count a payment that completed though its order has expired."""
    shop = plan.stage[state.pool[slot, st.P_ORDER_STAGE], StageColumn.FIRST]
    _count(state, shop, ShopTotal.LATE + 0, 1)


@called
def _append_order(state: KernelState, shop: int, slot: int) -> None:
    pool = state.pool
    last = state.shop[shop, O_TAIL]
    pool[slot, st.P_ORDER_BEFORE] = last
    pool[slot, st.P_ORDER_NEXT] = -1
    if last >= 0:
        pool[last, st.P_ORDER_NEXT] = slot
    else:
        state.shop[shop, O_HEAD] = slot
    state.shop[shop, O_TAIL] = slot
    state.shop[shop, O_OPEN] += 1


@called
def _close(state: KernelState, shop: int, slot: int, status: int) -> None:
    """Take an order out of its shop's list; its inquiries are told where its payment ended, too."""
    pool = state.pool
    pool[slot, st.P_ORDER] = status
    pool[slot, st.P_ORDER_STEP] = -1
    before, after = pool[slot, st.P_ORDER_BEFORE], pool[slot, st.P_ORDER_NEXT]
    if before >= 0:
        pool[before, st.P_ORDER_NEXT] = after
    else:
        state.shop[shop, O_HEAD] = after
    if after >= 0:
        pool[after, st.P_ORDER_BEFORE] = before
    else:
        state.shop[shop, O_TAIL] = before
    state.shop[shop, O_OPEN] -= 1
    if pool[slot, st.P_WAIT] == st.W_ORDER:
        tell_outcome(state, slot, pool[slot, st.P_OUTCOME])


@called
def _count(state: KernelState, shop: int, column: int, much: int) -> None:
    if state.cursor[C_NOW] >= state.cursor[C_WARM_UP]:
        state.shop[shop, O_TOTAL + column] += much

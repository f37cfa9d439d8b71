"""Orders at shops in the reference engine: taken, asked about, released, expired.

Takes the run and a payment or an inquiry at such a stage; gives the next stage or STOP. The meaning
is in :mod:`sim.contract.shops`.
"""

from __future__ import annotations

from sim.contract.layout import NULL
from sim.contract.meaning import EventClass, LogKind, Outcome
from sim.contract.shops import OrderStatus, ShopTotal
from sim.engine.reference.inquiries import answer, begin, finish, tell_outcome
from sim.engine.reference.refunds import await_part, begin_refunds
from sim.engine.reference.run import Run
from sim.engine.reference.state import NOWHERE, Due, Payment, Shop, Stage

_ANSWERED, _UNASKED = 1, -1


def take_order(run: Run, payment: Payment, stage: Stage) -> int:
    """Take an order, or refuse it for want of stock."""
    shop = run.shops[stage.first]
    if payment.order is not OrderStatus.NONE:
        run.broken("is ordered twice", payment.number)
    if shop.left <= 0:
        _count(run, shop, ShopTotal.SOLD_OUT)
        return run.fail(payment, stage, stage.reason)
    _count(run, shop, ShopTotal.ORDERS)
    if shop.holds:
        shop.left -= 1
    # Whatever the code of the sample was: this one is made for the order.
    payment.code_state, payment.code_expiry_us = 0, run.now_us + shop.life_us
    payment.order, payment.order_stage = OrderStatus.OPEN, payment.at
    shop.open[payment.number] = payment
    run.log(LogKind.ORDERED, payment, stage.first, shop.left, value=shop.life_us)
    payment.order_step = run.schedule_step(payment, EventClass.EXPIRE, shop.life_us, _expire)
    if not shop.per_call:
        begin(run, payment, payment.at).is_of_order = True
    return payment.at + 1


def ask_about_orders(run: Run, number: int) -> None:
    """Let a shop ask about its open orders, so many at a time."""
    shop = run.shops[number]
    orders = list(shop.open.values())
    run.log(LogKind.SHOP_ASKS, None, number, len(orders))
    for at in range(0, len(orders), shop.per_call):
        inquiry = begin(run, orders[at], orders[at].order_stage)
        inquiry.is_of_order = True
        for order in orders[at : at + shop.per_call]:
            order.order_call = inquiry.number


def poll(run: Run, inquiry: Payment, stage: Stage) -> int:
    """Ask about an order, if it is open still and the token allows it."""
    order, shop = inquiry.asks, run.shops[stage.first]
    if order is None:
        run.broken("a payment is at a stage of inquiries", inquiry.number)
    if inquiry.told != NULL or order.order is not OrderStatus.OPEN:
        return finish(run, inquiry, _UNASKED)
    if stage.subject >= 0 and inquiry.place < stage.value:
        begin(run, order, inquiry.at, inquiry)
    now = run.now_us * shop.token_count
    if shop.token_count and shop.tat - now > (shop.token_burst - 1) * shop.token_period_us:
        _count(run, shop, ShopTotal.THROTTLED)
        run.log(LogKind.THROTTLED, inquiry, stage.first)
        return stage.target
    if shop.token_count:
        shop.tat = max(shop.tat, now) + shop.token_period_us
    _count(run, shop, ShopTotal.CALLS)
    if not shop.per_call:
        order.order_call = inquiry.number
    for one in _asked_about(run, inquiry, shop):
        one.order_polls += 1
    return inquiry.at + 1


def answer_call(run: Run, inquiry: Payment, stage: Stage) -> int:
    """End an inquiry; of one about orders release what is found paid."""
    # Before it ends: then it is told, or not, like any other.
    orders: list[Payment] = []
    if stage.first >= 0 and stage.value == _ANSWERED:
        orders = _asked_about(run, inquiry, run.shops[stage.first])
    found = answer(run, inquiry, stage)
    for order in orders:
        if order.credited_us != NULL:
            _release(run, order, stage.first)
    return found


def _asked_about(run: Run, inquiry: Payment, shop: Shop) -> list[Payment]:
    """Return the open orders an inquiry asks about, in order."""
    orders = shop.open.values()
    if not shop.per_call and inquiry.asks is not None:
        return [one for one in (inquiry.asks,) if one.number in shop.open]
    return [one for one in orders if one.order_call == inquiry.number]


def _release(run: Run, order: Payment, number: int) -> None:
    shop = run.shops[number]
    seen_us = run.now_us - order.credited_us
    _count(run, shop, ShopTotal.RELEASED)
    _count(run, shop, ShopTotal.SEEN_SUM_US, seen_us)
    if run.now_us >= run.plan.warm_up_us:
        most = shop.total[ShopTotal.SEEN_MAX_US]
        shop.total[ShopTotal.SEEN_MAX_US] = max(most, seen_us)
    if not shop.holds:
        shop.left -= 1
        shop.total[ShopTotal.OVERSOLD] = max(shop.total[ShopTotal.OVERSOLD], -shop.left)
    run.log(LogKind.RELEASED, order, number, order.order_polls, value=seen_us)
    _close(run, order, shop, OrderStatus.RELEASED)


def _expire(run: Run, order: Payment, due: Due) -> None:
    """Let an order that is open still expire; what was paid for it goes back."""
    if order.order_step != due.step:
        return
    number = run.stages[order.order_stage].first
    shop = run.shops[number]
    _count(run, shop, ShopTotal.EXPIRED)
    if shop.holds:
        shop.left += 1
    run.log(LogKind.ORDER_EXPIRED, order, number, order.order_polls, value=shop.left)
    _close(run, order, shop, OrderStatus.EXPIRED)
    if order.ended is not None and order.ended[0] == Outcome.COMPLETED:
        note_late(run, order)
        refund = begin_refunds(run, order, order.ended[1])
        if refund is not None:
            await_part(run, *refund)


def note_late(run: Run, order: Payment) -> None:
    """Count a payment that completed though its order has expired."""
    _count(run, run.shops[run.stages[order.order_stage].first], ShopTotal.LATE)


def _close(run: Run, order: Payment, shop: Shop, status: OrderStatus) -> None:
    order.order, order.order_step = status, NOWHERE
    del shop.open[order.number]
    # Both are over: whoever still asks is told, and asks no more.
    if order.ended is not None:
        tell_outcome(run, order, order.ended[0])


def _count(run: Run, shop: Shop, column: ShopTotal, much: int = 1) -> None:
    if run.now_us >= run.plan.warm_up_us:
        shop.total[column] += much

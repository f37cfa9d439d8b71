"""Check orders of shops: stock, who is asked about when, tokens, release and expiry.

Takes rebuilt payments, inquiries and shops and the columns of a row; follows from the rows alone
how many units are left and which orders are open. The meaning is in :mod:`sim.contract.shops`; none
of the engines' code is used.
"""

from __future__ import annotations

from sim.audit.containers import check, close_slot
from sim.audit.inquiries import tell
from sim.audit.messages import Check
from sim.audit.pools import ShopState
from sim.audit.program import chain_goes_on, jump, leave_stage, token_allows
from sim.audit.refunds import is_surely_refunded
from sim.audit.state import NOBODY, Count, Pay, Things, Wait
from sim.audit.turns import act_at
from sim.audit.world import EXPIRE_KEY, World
from sim.contract.layout import NULL, STEP_BITS
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import LogKind, Op, Outcome
from sim.contract.shops import OrderStatus, ShopColumn
from sim.jit.functions import called


@called
def ordered_row(w: World, p: int, stage: int, shop: int, left: int, life_us: int) -> None:
    """Check an ORDERED row: there was something to order, and an order is no order yet."""
    act_at(w, p, stage, Op.ORDER)
    at, number, now = w.first[Things.SHOP] + shop, w.pay[p, Pay.NUMBER], w.g[Count.NOW]
    right = w.pay[p, Pay.ORDER] == OrderStatus.NONE and w.things[stage, S.FIRST] == shop
    right = right and life_us == w.things[at, ShopColumn.LIFE_US]
    check(w.g, Check.ORDER_STOCK, w.things[at, ShopState.LEFT] > 0, (shop, number))
    w.things[at, ShopState.LEFT] -= w.things[at, ShopColumn.HOLDS]
    due = w.things[at, ShopState.LEFT]
    check(w.g, Check.ORDER_TAKEN, right and left == due, (number, shop, left, due))
    w.pay[p, Pay.ORDER], w.pay[p, Pay.ORDER_STAGE] = OrderStatus.OPEN, stage
    w.pay[p, Pay.STEPS] += 1
    w.pay[p, Pay.ORDER_US] = now + w.things[at, ShopColumn.LIFE_US]
    w.pay[p, Pay.ORDER_KEY] = EXPIRE_KEY + (number << STEP_BITS) + w.pay[p, Pay.STEPS]
    w.pay[p, Pay.CALL], w.pay[p, Pay.POLLS] = NOBODY, 0
    last = w.things[at, ShopState.TAIL]
    w.pay[p, Pay.ORDER_BEFORE], w.pay[p, Pay.ORDER_NEXT] = last, NOBODY
    if w.things[at, ShopState.OPEN] == 0:
        w.pay[p, Pay.ORDER_BEFORE] = NOBODY
        w.things[at, ShopState.HEAD] = p
    else:
        w.pay[last, Pay.ORDER_NEXT] = p
    w.things[at, ShopState.TAIL] = p
    w.things[at, ShopState.OPEN] += 1
    # Where each order is asked about by itself, the first inquiry begins with the next row.
    if w.things[at, ShopColumn.PER_CALL] > 0:
        leave_stage(w, p)


@called
def refused_order(w: World, p: int, reason: int) -> None:
    """Check that an order is refused for want of stock, and for nothing else."""
    stage = w.pay[p, Pay.PC]
    shop = w.things[stage, S.FIRST]
    left = w.things[w.first[Things.SHOP] + shop, ShopState.LEFT]
    right = left <= 0 and reason == w.things[stage, S.REASON]
    check(w.g, Check.SOLD_OUT, right, (w.pay[p, Pay.NUMBER], left))


@called
def shop_asks_row(w: World, shop: int, orders: int) -> None:
    """Check a SHOP_ASKS row; its calls come next."""
    at = w.first[Things.SHOP] + shop
    due = w.things[at, ShopState.OPEN]
    check(w.g, Check.SHOP_ASKS, orders == due, (shop, orders, due))
    w.g[Count.CALL_NEXT] = w.things[at, ShopState.HEAD] if due > 0 else NOBODY


@called
def throttled_row(w: World, own: int, stage: int, shop: int) -> None:
    """Check that a call is refused whose token is spent, and no other."""
    is_poll = act_at(w, own, stage, Op.POLL)
    right = is_poll and w.things[stage, S.FIRST] == shop
    right = right and chain_goes_on(w, own) and not token_allows(w, shop)
    check(w.g, Check.TOKEN, right, (w.pay[own, Pay.NUMBER], shop))
    jump(w, own, w.things[stage, S.TARGET])


@called
def find_paid(w: World, stage: int, number: int, p: int) -> None:
    """Note how many orders are to be released behind the answer of an inquiry.

    ``p`` is the order of an inquiry about one alone.
    """
    g, shop = w.g, w.things[stage, S.FIRST]
    end_releases(w)
    if shop < 0 or w.things[stage, S.VALUE] != 1:
        return
    at = w.first[Things.SHOP] + shop
    g[Count.CALLER] = number
    found = 0
    if w.things[at, ShopColumn.PER_CALL] == 0:
        # Whichever inquiry about it is answered first.
        if p != NOBODY:
            w.pay[p, Pay.CALL] = number
            found = 1 if _is_to_release(w, p, number) else 0
    else:
        one = w.things[at, ShopState.HEAD]
        for _ in range(w.things[at, ShopState.OPEN]):
            if _is_to_release(w, one, number):
                found += 1
            one = w.pay[one, Pay.ORDER_NEXT]
    g[Count.RELEASES] = found


@called
def _is_to_release(w: World, p: int, number: int) -> bool:
    is_asked = w.pay[p, Pay.ORDER] == OrderStatus.OPEN and w.pay[p, Pay.CALL] == number
    return bool(is_asked and w.pay[p, Pay.CREDITED_US] != NULL)


@called
def released_row(w: World, p: int, stage: int, shop: int, polls: int, seen_us: int) -> None:
    """Check that an order is released once, as paid, by who asked about it, and in time."""
    g, number, now = w.g, w.pay[p, Pay.NUMBER], w.g[Count.NOW]
    right = g[Count.RELEASES] > 0 and _is_to_release(w, p, g[Count.CALLER])
    right = right and seen_us == now - w.pay[p, Pay.CREDITED_US]
    right = right and polls == w.pay[p, Pay.POLLS] and stage == w.pay[p, Pay.PC]
    right = right and _is_of(w, p, shop)
    check(g, Check.ORDER_PAID, right, (number, shop))
    _check_in_time(w, p)
    g[Count.RELEASES] -= 1
    if w.pay[p, Pay.ORDER] == OrderStatus.OPEN:
        at = _shop_of(w, p)
        w.things[at, ShopState.LEFT] -= 1 - w.things[at, ShopColumn.HOLDS]
        _close(w, p, OrderStatus.RELEASED + 0)
        if w.pay[p, Pay.WAIT] == Wait.ORDER:
            close_slot(w, p)


@called
def expired_row(w: World, p: int, stage: int, shop: int, polls: int, left: int) -> None:
    """Check that an order expires when due and unreleased; what was paid goes back."""
    g, number = w.g, w.pay[p, Pay.NUMBER]
    right = w.pay[p, Pay.ORDER] == OrderStatus.OPEN and stage == w.pay[p, Pay.PC]
    right = right and g[Count.NOW] == w.pay[p, Pay.ORDER_US]
    right = right and g[Count.KEY] == w.pay[p, Pay.ORDER_KEY]
    right = right and polls == w.pay[p, Pay.POLLS] and _is_of(w, p, shop)
    if w.pay[p, Pay.ORDER] != OrderStatus.OPEN:
        check(g, Check.ORDER_EXPIRES, right, (number, left, 0))
        return
    at = _shop_of(w, p)
    w.things[at, ShopState.LEFT] += w.things[at, ShopColumn.HOLDS]
    due = w.things[at, ShopState.LEFT]
    check(g, Check.ORDER_EXPIRES, right and left == due, (number, left, due))
    _close(w, p, OrderStatus.EXPIRED + 0)
    if w.pay[p, Pay.WAIT] != Wait.ORDER:
        return
    ended = w.pay[p, Pay.PC]
    if w.pay[p, Pay.OUTCOME] != Outcome.COMPLETED or w.things[ended, S.COUNT] == 0:
        close_slot(w, p)
        return
    # Its refund is due with the next row, if one comes.
    g[Count.PAYING_BACK] = p
    w.pay[p, Pay.WAIT], w.pay[p, Pay.DUE_US] = Wait.REFUND, -1
    w.pay[p, Pay.PART], w.pay[p, Pay.BACK] = 0, 0
    w.pay[p, Pay.ENDED_US] = g[Count.NOW]


@called
def end_releases(w: World) -> None:
    """Check that whatever was found paid has been released."""
    g = w.g
    check(g, Check.RELEASES_LEFT, g[Count.RELEASES] == 0, (g[Count.CALLER], g[Count.RELEASES]))
    g[Count.RELEASES] = 0


@called
def end_calls(w: World) -> None:
    """Check at the end of an event that every order was asked about that had to be."""
    g = w.g
    p = g[Count.PAYING_BACK]
    g[Count.PAYING_BACK] = NOBODY
    if p != NOBODY and w.pay[p, Pay.DUE_US] < 0:
        check(g, Check.REFUNDED, not is_surely_refunded(w, p), (w.pay[p, Pay.NUMBER], 0))
        close_slot(w, p)
    if g[Count.CALL_NEXT] != NOBODY:
        check(g, Check.CALL_LEFT, False, (w.pay[g[Count.CALL_NEXT], Pay.NUMBER],))
        g[Count.CALL_NEXT] = NOBODY
    if g[Count.RELEASES] != 0:
        end_releases(w)


@called
def is_ordered_later(w: World, p: int) -> bool:
    """Say whether an ended payment waits for an order that expires beyond the horizon."""
    waits = w.pay[p, Pay.WAIT] == Wait.ORDER
    return bool(waits and w.pay[p, Pay.ORDER_US] >= w.g[Count.HORIZON_US])


@called
def keep_order(w: World, p: int, outcome: int, value: int) -> bool:
    """Let an ended payment stay while its order is open; say whether nothing more is to be said.

    Of one whose order has expired it is left to say whether it is paid back.
    """
    status, number = w.pay[p, Pay.ORDER], w.pay[p, Pay.NUMBER]
    if outcome == Outcome.IN_PROGRESS:
        is_due = w.pay[p, Pay.ORDER_US] < w.g[Count.HORIZON_US]
        overdue = status == OrderStatus.OPEN and is_due
        check(w.g, Check.ORDER_OVERDUE, not overdue, (number,))
        close_slot(w, p)
        return True
    if status == OrderStatus.EXPIRED:
        return False
    check(w.g, Check.REFUNDED, value == -1, (number, value))
    w.pay[p, Pay.OUTCOME], w.pay[p, Pay.WAIT] = outcome, Wait.ORDER
    if status != OrderStatus.OPEN:
        close_slot(w, p)
    return True


@called
def _check_in_time(w: World, p: int) -> None:
    due_us, now = w.pay[p, Pay.ORDER_US], w.g[Count.NOW]
    is_late = due_us < now or (due_us == now and w.pay[p, Pay.ORDER_KEY] < w.g[Count.KEY])
    check(w.g, Check.ORDER_OVERDUE, not is_late, (w.pay[p, Pay.NUMBER],))


@called
def _shop_of(w: World, p: int) -> int:
    return int(w.first[Things.SHOP] + w.things[w.pay[p, Pay.ORDER_STAGE], S.FIRST])


@called
def _is_of(w: World, p: int, shop: int) -> bool:
    is_order = w.pay[p, Pay.ORDER] != OrderStatus.NONE
    return bool(is_order and _shop_of(w, p) == w.first[Things.SHOP] + shop)


@called
def _close(w: World, p: int, status: int) -> None:
    """Take an order out of its shop's list, and tell who asks where its payment ended, too."""
    at = _shop_of(w, p)
    w.pay[p, Pay.ORDER] = status
    before, after = w.pay[p, Pay.ORDER_BEFORE], w.pay[p, Pay.ORDER_NEXT]
    if before == NOBODY:
        w.things[at, ShopState.HEAD] = after
    else:
        w.pay[before, Pay.ORDER_NEXT] = after
    if after == NOBODY:
        w.things[at, ShopState.TAIL] = before
    else:
        w.pay[after, Pay.ORDER_BEFORE] = before
    w.things[at, ShopState.OPEN] -= 1
    if w.pay[p, Pay.WAIT] == Wait.ORDER and w.pay[p, Pay.INQUIRY] != NOBODY:
        tell(w, p, w.pay[p, Pay.OUTCOME])


@called
def order_row(w: World, p: int, kind: int, stage: int, columns: tuple[int, int, int]) -> None:
    """Hand a row of an order, or of who asks about it, to whoever checks it."""
    subject, amount, value = columns
    if kind == LogKind.ORDERED:
        ordered_row(w, p, stage, subject, amount, value)
    elif kind == LogKind.THROTTLED:
        throttled_row(w, p, stage, subject)
    elif kind == LogKind.RELEASED:
        released_row(w, p, stage, subject, amount, value)
    else:
        expired_row(w, p, stage, subject, amount, value)

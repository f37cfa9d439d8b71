"""What became of orders at shops: taken, sold out, seen late, released, expired, asked about.

Takes the plan and the totals of a run; gives definitions to the catalogue, and what they divide.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.analysis.definition import HEADLINE, Definition
from sim.analysis.kinds import TIME, Better, Kind
from sim.analysis.sources import Ordered, Payments, ratio
from sim.contract.plan import Plan
from sim.contract.run import Totals
from sim.contract.shops import ShopTotal
from sim.units import SECOND_US

_ORDERS = Kind("orders", is_zero_of_nothing=True)
_CALLS = Kind("calls", is_zero_of_nothing=True)
_PER_ORDER = Kind("calls/order")


def orders_of(plan: Plan, totals: Totals) -> Ordered | None:
    """Return what became of the orders at all shops of a run, None where there are none."""
    if not len(plan.shop):
        return None
    rows = totals.shop

    def count(column: ShopTotal) -> int:
        return int(rows[:, column].sum())

    return Ordered(
        orders=count(ShopTotal.ORDERS),
        sold_out=count(ShopTotal.SOLD_OUT),
        released=count(ShopTotal.RELEASED),
        expired=count(ShopTotal.EXPIRED),
        late=count(ShopTotal.LATE),
        calls=count(ShopTotal.CALLS),
        throttled=count(ShopTotal.THROTTLED),
        seen_sum_us=count(ShopTotal.SEEN_SUM_US),
        seen_max_us=int(rows[:, ShopTotal.SEEN_MAX_US].max()),
        oversold=count(ShopTotal.OVERSOLD),
    )


def _seen_mean(of: Ordered) -> float | None:
    return ratio(of.seen_sum_us, of.released * SECOND_US)


def _seen_max(of: Ordered) -> float | None:
    return of.seen_max_us / SECOND_US if of.released else None


def _define(
    name: str,
    kind: Kind,
    of: Callable[[Ordered], float | None],
    words: str,
    better: Better = Better.LOWER,
) -> Definition[Payments]:
    """Define a figure of orders."""

    def found(group: Payments) -> float | None:
        return None if group.ordered is None else of(group.ordered)

    return Definition(name, kind, frozenset({HEADLINE}), found, words, better)


ORDER_MEASURES: tuple[Definition[Payments], ...] = (
    _define("orders", _ORDERS, lambda of: of.orders, "orders taken", Better.NEITHER),
    _define("orders_sold_out", _ORDERS, lambda of: of.sold_out, "sold out"),
    _define("orders_released", _ORDERS, lambda of: of.released, "released", Better.HIGHER),
    _define("orders_expired", _ORDERS, lambda of: of.expired, "expired"),
    _define("orders_paid_late", _ORDERS, lambda of: of.late, "paid, not released, paid back"),
    _define("order_seen_mean", TIME, _seen_mean, "seen after the credit, mean"),
    _define("order_seen_max", TIME, _seen_max, "seen after the credit, longest"),
    _define("polls_per_order", _PER_ORDER, lambda of: ratio(of.calls, of.orders), "calls an order"),
    _define("polls_throttled", _CALLS, lambda of: of.throttled, "calls refused (429)"),
    _define("oversold", _ORDERS, lambda of: of.oversold, "sold beyond the stock"),
)

"""Figures of an online shop: how often it asks, what its token carries, and what orders come to."""

from __future__ import annotations

from sim.contract.records import RecordColumn as C
from tests.published.figure import Found, published
from tests.published.runs import Changes, measured, payments

_ONE = (
    "answer=''",
    "demand.elsewhere=null",
    "demand.sale.steps={}",
    "demand.sale.rate=100 /s",
    "demand.sale.count=1",
    "clock.horizon=20 min",
    "institutions.shop_bank.decline=0 %",
    "institutions.first_bank.decline=0 %",
    "institutions.second_bank.decline=0 %",
)
_EACH = ("shops.smile.token=null", "shops.smile.gives_up=0 %")
_NEVER = (*_ONE, *_EACH, "shops.smile.gives_up=100 %")
_PAID = (*_ONE, *_EACH, "shops.smile.decides=40 s")


def _polls(first: str, factor: int) -> str:
    return f"shops.smile.polls={{first: {first}, factor: {factor}, per_call: null}}"


published(
    key="smile-shop/calls about an order never paid",
    what="Calls about an order within its ten minutes, after 2 s and then doubling to 60 s.",
    published=13,
    unit="calls",
    tolerance=0,
    source="derived: 2, 6, 14, 30 and 62 s, then every 60 s from 122 to 542",
    why="a count",
    ours=lambda: measured("smile-shop", "polls_per_order", (*_NEVER, _polls("2 s", 2))),
    control=lambda: measured("smile-shop", "polls_per_order", (*_NEVER, _polls("2 s", 1))),
    against="a call every 2 s: 300",
    how="worked out",
)
published(
    key="smile-shop/calls about an order paid after 45 s",
    what="Calls about an order paid between 30 and 62 s after it was made.",
    published=5,
    unit="calls",
    tolerance=0,
    source="derived: 2, 6, 14, 30 and 62 s",
    why="a count",
    ours=lambda: measured("smile-shop", "polls_per_order", (*_PAID, _polls("2 s", 2))),
    control=lambda: measured("smile-shop", "polls_per_order", (*_PAID, _polls("3 s", 1))),
    against="a call every 3 s: about 15",
    how="worked out",
)


def _first_refused(*changes: str) -> Found:
    """Return the least number of open orders of which a call is refused, of those looked at."""
    for orders in (1_200, 1_201, 1_499, 1_500, 1_501, 1_502):
        many = (
            *_ONE,
            "shops.smile.gives_up=100 %",
            "shops.smile.stock=5000",
            f"demand.sale.count={orders}",
            "demand.sale.rate=1000 /s",
            *changes,
        )
        if measured("smile-shop", "polls_throttled", many).value:
            return Found(orders)
    return Found(0)


published(
    key="smile-shop/open orders of which one meets 429",
    what="Least open orders with the list call of 50 every 3 s at which a call is refused.",
    published=1_501,
    unit="orders",
    tolerance=0,
    source="derived: 10 requests a second are 30 in 3 s, about 50 orders each",
    why="a count",
    ours=_first_refused,
    control=lambda: _first_refused("shops.smile.polls.per_call=40"),
    against="calls about 40 orders: 1 201",
    how="worked out",
)
published(
    key="smile-shop/units oversold",
    what="Units released that are not there, of 3 000 in the sale.",
    published=0,
    unit="units",
    tolerance=0,
    source="derived: an order holds its unit",
    why="a count",
    ours=lambda: measured("smile-shop", "oversold", ("answer=''",)),
    control=lambda: measured("smile-shop", "oversold", ("answer=''", "shops.smile.hold=false")),
    against="units taken when goods are released",
    how="worked out",
)


def _a_year(changes: Changes) -> Found:
    """Return what orders elsewhere come to in a year, in millions of dollars."""
    made, rows = payments("smile-shop", ("answer=''", "demand.sale=null", "shops=null", *changes))
    cents = int(rows[:, C.INSTRUCTED].sum())
    return Found(cents / 100 / 1e6 * 365 * 24 * 3600 / (made.plan.horizon_us / 1e6))


_2021, _2024 = "demand.elsewhere.rate=4 429 /h", "demand.elsewhere.rate=6 895 /h"
for year, million, rate, other in ((2021, 970, _2021, _2024), (2024, 1_510, _2024, _2021)):
    published(
        key=f"smile-shop/e-commerce of {year}",
        what=f"Value of all orders elsewhere, a year at the pace of an hour, with those of {year}.",
        published=million,
        unit="M USD",
        tolerance=million * 0.06,
        source="seed_2022.ecommerce_market" if year == 2021 else "published ecommerce_2024",
        why="amounts scatter by 1.31 of their mean, so an hour of 4 400 to 6 900 orders by "
        "1.96 x 1.65 / sqrt(4 400) = 4.9 %",
        ours=lambda rate=rate: _a_year((rate,)),
        control=lambda other=other: _a_year((other,)),
        against="those of the other year",
    )

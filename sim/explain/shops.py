"""Say what a shop does with its orders, in sentences.

Takes shops as a user writes them, and rows of ``orders.parquet``; gives lines of text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.explain.words import about, count, span
from sim.model.shops import Shop
from sim.scenario.model import Scenario


def shop_lines(scenario: Scenario) -> Iterator[str]:
    """Yield what every shop does."""
    for name, shop in sorted(scenario.shops.items()):
        yield f"{name}: {count(shop.stock, 'unit')}, {_stock_words(shop)}"
        shown = "a link" if shop.code == "deep_link" else "a dynamic code"
        back = f"is paid back {about(round(shop.refund_after.mean()))} later"
        yield f"  an order is shown {shown} for {span(shop.life)}; what is credited too late {back}"
        yield f"  {_asking_words(shop)}"
        if shop.token is not None:
            token = shop.token
            yield (
                f"  the provider takes {token.rate} of them, {token.burst:,} at once; others are "
                "refused (429)"
            )


def _stock_words(shop: Shop) -> str:
    if shop.hold:
        return "an order holds its unit until it is released or expires"
    return "taken when goods are released: more may be sold than there are"


def _asking_words(shop: Shop) -> str:
    """Say when the shop asks."""
    asked = shop.polls
    at = f" (at {asked.rail}.{asked.serve})" if asked.serve is not None else ""
    if asked.per_call is not None:
        each = count(asked.per_call, "open order")
        return f"every {span(asked.first)} it asks about all open orders, {each} a call{at}"
    if asked.factor == 1:
        return f"it asks about each order every {span(asked.first)}{at}"
    return (
        f"it asks about each order after {span(asked.first)}, then {asked.factor} times as long "
        f"each time, at most {span(asked.longest)}{at}"
    )


def order_line(row: Mapping[str, int | str | None]) -> str:
    """Return how an order ended, from its row of ``orders.parquet``."""
    asked, seen = row["polls"], row["seen_after_us"]
    assert isinstance(asked, int)
    polls = f"asked about {count(asked, 'time')}"
    if seen is None:
        return f"Order at {row['shop']}: expired, {polls}; what was paid for it goes back."
    assert isinstance(seen, int)
    return f"Order at {row['shop']}: released {span(seen)} after the credit, {polls}."

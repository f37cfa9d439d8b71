"""Which of a payment's amounts each leg of a route carries.

Takes legs and what they convert; gives legs that know the price.
"""

from __future__ import annotations

from dataclasses import replace

from sim.contract.records import Register
from sim.rails.price import Price
from sim.rails.protocol import LegContext, LegTerms


def with_money(
    contexts: list[LegContext], terms: list[LegTerms], price: Price | None
) -> list[LegContext]:
    """Return legs that know the price, and which of the payment's amounts they carry."""
    if price is None:
        return contexts
    total, done = sum(len(term.exchanges) for term in terms), 0
    found = []
    for at, term in zip(contexts, terms, strict=True):
        # Which of the three amounts a leg carries follows from how many conversions lie before
        # it.
        before = _amount(done, total)
        done += len(term.exchanges)
        found.append(replace(at, price=price, before=before, after=_amount(done, total)))
    return found


def _amount(done: int, total: int) -> Register:
    """Return the payment's amount after some of its conversions."""
    if done == 0:
        return Register.DEBITED
    return Register.CREDITED_GROSS if done == total else Register.SETTLEMENT

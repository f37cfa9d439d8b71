"""Which of a payment's amounts each leg of a route carries, and whose codes its payees show.

Takes legs and what they convert; gives legs that know the price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sim.contract.records import Register
from sim.model.sections import Corridor
from sim.rails.code_scheme import CodeScheme
from sim.rails.price import Price
from sim.rails.protocol import LegContext, LegTerms, Rail


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


def codes_of(rails: Mapping[str, Rail], corridor: Corridor) -> tuple[str, CodeScheme] | None:
    """Return the name and the scheme of the codes a corridor's payees show."""
    scheme = rails[corridor.codes].code_scheme if corridor.codes is not None else None
    return None if scheme is None or corridor.codes is None else (corridor.codes, scheme)

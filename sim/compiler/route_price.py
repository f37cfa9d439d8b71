"""The one price of a route: what all its legs convert and charge, put together.

Takes the terms of the legs; gives a :class:`~sim.rails.price.Price`.
"""

from __future__ import annotations

from sim.contract.charges import Rounding
from sim.model.sections import Corridor
from sim.rails.price import CONVERSIONS_MAX, Exchange, Price, fee_terms
from sim.rails.protocol import CreditorSide, DebtorSide, LegTerms
from sim.routing.candidates import Candidate


class CompositionError(ValueError):
    """Legs that do not make a route together; the message says why."""


def route_price(
    candidate: Candidate,
    corridor: Corridor,
    terms: list[LegTerms],
    *,
    debtor: DebtorSide,
    creditor: CreditorSide,
    rounding: Rounding,
) -> Price | None:
    """Return the one price the payer sees, out of all conversions and fees; None for no money."""
    # Nothing converts or costs anything, so a route without money needs no price.
    if all(term.is_free for term in terms) and not corridor.fees:
        return None
    debited, credited = corridor.from_.currency, corridor.to.currency
    exchanges = [exchange for term in terms for exchange in term.exchanges]
    # A payment has a debited, a settlement and a credited amount, hence two conversions.
    # Routing left such paths out already; this is the other end of that pair.
    if len(exchanges) > CONVERSIONS_MAX:
        way = " -> ".join((debited, *(exchange.target for exchange in exchanges)))
        raise CompositionError(
            f"route {candidate.name} converts {len(exchanges)} times ({way}); allowed: "
            f"{CONVERSIONS_MAX}"
        )
    paying, paid = (debtor.account, debited), (creditor.account, credited)
    fees = [
        found
        for term in terms
        for found in fee_terms(term.fees, term.fee_recipient, debtor=paying, creditor=paid)
    ]
    fees += [cost for term in terms for cost in term.own_costs]
    # Fees of the payer's institution; it is not known by name where the payment brings its own.
    own = debtor.institution or candidate.agent
    fees += fee_terms(corridor.fees, own, debtor=paying, creditor=paid)
    settled, slots = _conversions(exchanges, terms, debited=debited, credited=credited)
    least = max((term.least_minor for term in terms), default=0)
    return Price((debited, settled, credited), slots, tuple(fees), rounding, least)


def _conversions(
    exchanges: list[Exchange], terms: list[LegTerms], *, debited: str, credited: str
) -> tuple[str, tuple[Exchange | None, Exchange | None]]:
    """Return the settlement currency, and which conversion lies before and which behind it."""
    if len(exchanges) == CONVERSIONS_MAX:
        return exchanges[0].target, (exchanges[0], exchanges[1])
    if not exchanges:
        return debited, (None, None)
    settled = next((term.settlement_currency for term in terms if term.settlement_currency), "")
    # With one conversion it is the leg's settlement currency that says on which side of it the
    # settlement lies.
    if settled == debited:
        return debited, (None, exchanges[0])
    # By default money is converted at once, and everything behind is in the credited currency.
    return credited, (exchanges[0], None)

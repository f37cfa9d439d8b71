"""Candidates in the order of what they cost the payer, by their compiled price.

Takes routes with their prices and the mid rates of the scenario; gives the same routes, cheapest
first. The price is that of the start at three amounts, unrounded: what is charged and nothing else,
so that a spread that does not apply counts for nothing and a fixed fee for what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from sim.compiler.parts import Route
from sim.compiler.prices import VEHICLE, Market, amounts_at
from sim.contract.meaning import Bearer, FixedSide
from sim.model.fx import Fx
from sim.model.quantities import CurrencyPair
from sim.rails.price import Price
from sim.units import currency_of, minor_per_major

REFERENCE_AMOUNTS = (5, 50, 500)
"""Worth of the amounts candidates are compared at, in US dollars: a meal, a shop, a journey. Where
there is no mid rate to the dollar, so many units of the currency."""


def rank_routes(fx: Fx, market: Market, routes: Iterable[Route]) -> list[Route]:
    """Return routes by (cost to the payer, cost to the agents, legs, name), the cheapest first.

    Parameters
    ----------
    fx : Fx
        Whose mid rates turn dollars into reference amounts.
    market : Market
        That knows the conversions of the routes.
    routes : iterable of Route
        Of one corridor and one fixed side.
    """
    return sorted(
        routes,
        key=lambda route: (
            payer_cost(fx, market, route),
            route.candidate.rank,
            len(route.candidate.legs),
            route.candidate.name,
        ),
    )


def payer_cost(fx: Fx, market: Market, route: Route) -> Fraction:
    """Return margins and fees the payer bears, as a share of the debit: the mean at the amounts."""
    price = route.flow.price
    if price is None:
        return Fraction(0)
    is_debtors = route.fixed_side is FixedSide.DEBTOR
    currency = price.currencies[0 if is_debtors else 2]
    shares = [
        _share(market, price, worth * _unit(fx, currency), is_debtors=is_debtors)
        for worth in REFERENCE_AMOUNTS
    ]
    return sum(shares, Fraction(0)) / len(shares)


def _unit(fx: Fx, currency: str) -> Fraction:
    """Return what a dollar is in a currency, in minor units; one unit of it where nobody knows."""
    rate = Fraction(1)
    if CurrencyPair(VEHICLE, currency) in fx.mid:
        rate = Fraction(fx.mid[CurrencyPair(VEHICLE, currency)].rate)
    elif CurrencyPair(currency, VEHICLE) in fx.mid:
        rate = 1 / Fraction(fx.mid[CurrencyPair(currency, VEHICLE)].rate)
    return rate * minor_per_major(currency)


def _share(market: Market, price: Price, amount: Fraction, *, is_debtors: bool) -> Fraction:
    """Return what the payer bears of one amount, as a share of the debit."""
    debited, _, _ = amounts_at(market, price, amount, fixed_side=int(is_debtors), slack=0)
    # The margins alone: what is debited beyond the mid value of what arrives.
    kept = Fraction(1)
    for exchange in price.exchanges:
        if exchange is not None:
            margin = market.spread_ppm(exchange, (price.currencies[0 if is_debtors else 2], amount))
            kept /= 1 + Fraction(margin, 10**6)
    fees = sum(
        terms.fee.charge(int(debited), granule=currency_of(terms.currency).granule)
        for terms in price.fees
        if terms.bearer is Bearer.DEBTOR
    )
    return 1 - kept + Fraction(fees) / debited

"""Who converts on a route: the institution a rail names, or a provider of the market for it.

Takes what a rail's terms say of conversions; gives them as the market makes them. Providers are
those of the scenario's `fx.providers`; which of an institution's desks converts is part of the
route.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sim.model.fx import Fx, Inventory, ProviderQuote
from sim.model.quantities import CurrencyPair
from sim.rails.price import Exchange, FeeTerms
from sim.rails.protocol import LegTerms


def quote_of(fx: Fx, provider: str, exchange: Exchange) -> ProviderQuote | None:
    """Return what a provider takes for a conversion, None where it has no margin of its own."""
    # What somebody quotes on a hub is a rate and not a margin.
    if provider not in fx.providers or exchange.quote is not None:
        return None
    quotes = fx.providers[provider].quotes
    ways = ((exchange.source, exchange.target), (exchange.target, exchange.source))
    return next(
        (quotes[pair] for pair in (CurrencyPair(*way) for way in ways) if pair in quotes), None
    )


def desks_of(fx: Fx, exchange: Exchange) -> tuple[str, ...]:
    """Return who may make a conversion, the preferred first; empty text: whom the rail names."""
    desks = fx.desks.get(exchange.provider, ())
    return tuple(one for one in desks if quote_of(fx, one, exchange) is not None) or ("",)


def as_made(fx: Fx, terms: Iterable[LegTerms], desks: Sequence[str]) -> list[LegTerms]:
    """Return the terms of a route's legs with the conversions as the market makes them.

    Parameters
    ----------
    fx : Fx
    terms : iterable of LegTerms
    desks : sequence of str
        Who makes each conversion of the route, in order; empty text: whom the rail names. Shorter
        than the conversions: nobody else makes the others.

    Notes
    -----
    A conversion at a margin of the market's is in the payer's price, so that it costs the
    institution nothing of its own (:func:`~sim.rails.price.own_conversion`).
    """
    found, left = [], list(desks)
    for term in terms:
        made, free = [], set()
        for exchange in term.exchanges:
            provider = (left.pop(0) if left else "") or exchange.provider
            if quote_of(fx, provider, exchange) is not None:
                free.add(exchange.provider)
            made.append(_bounded(fx, replace(exchange, provider=provider)))
        costs = tuple(cost for cost in term.own_costs if not _is_spared(cost, free))
        found.append(replace(term, exchanges=tuple(made), own_costs=costs))
    return found


def _is_spared(cost: FeeTerms, free: set[str]) -> bool:
    return cost.recipient in free


def _bounded(fx: Fx, exchange: Exchange) -> Exchange:
    """Return a conversion that knows which positions of its provider are bounded."""
    if exchange.provider not in fx.providers:
        return exchange
    inventory, none = fx.providers[exchange.provider].inventory, Inventory()
    target, source = (inventory.get(code, none) for code in (exchange.target, exchange.source))
    return replace(
        exchange,
        sold_of=target.short is not None,
        bought_for=source.long is not None,
        makes_room=target.long is not None,
    )

"""Providers of the FX market in words: margins, hours, positions, and for whom they convert.

Takes a compiled scenario; gives lines of text.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from sim.compiler.compile import Compiled
from sim.contract.charges import DESK
from sim.contract.layout import PricingColumn as P
from sim.contract.plan import Plan
from sim.explain.price import margin_ppm
from sim.explain.words import listed, share, span
from sim.model.fx import Cover, FxProvider, Inventory, ProviderQuote
from sim.model.quantities import CurrencyPair
from sim.model.words import write_time_of_day


def rate_lines(compiled: Compiled) -> Iterator[str]:
    """Yield how each rate is written, and what the compiler makes of it."""
    plan, fx = compiled.plan, compiled.scenario.fx
    for pair, written in sorted(fx.mid.items(), key=lambda item: str(item[0])):
        volatility = written.daily_volatility
        moves = "constant"
        if volatility:
            daily = share(Fraction(volatility, 10**9))
            moves = f"moves every {span(fx.step)}, daily volatility {daily}"
        elif written.path is not None:
            moves = f"moves as {Path(written.path.file).name} says, every {span(fx.step)}"
        yield f"{pair} {written.rate:f}, {moves}"
    for number, name in enumerate(plan.names.pairs):
        (base, _, quote), desk = name.partition(DESK)[0].partition("/"), name.partition(DESK)[2]
        rate = Decimal(int(plan.rate[number, 0])) / Decimal(int(plan.pair_scale[number]))
        written_too = CurrencyPair(base, quote) in fx.mid
        kept = "" if written_too else ", turned or crossed and kept to nine digits"
        kept = f", with the margin what {desk} quotes" if desk else kept
        yield f"pair {number}: one minor unit of {base} costs {rate:f} minor units of {quote}{kept}"


def fx_words(compiled: Compiled) -> Iterator[str]:
    """Yield what each provider takes and may hold, and whose desks they are."""
    fx = compiled.scenario.fx
    for name, provider in sorted(fx.providers.items()):
        yield f"provider {name}{_days(provider)}"
        for pair, quote in sorted(provider.quotes.items(), key=str):
            yield from (f"  {line}" for line in _quote(str(pair), quote))
        for currency, inventory in sorted(provider.inventory.items()):
            yield f"  position in {currency}: {_position(inventory, currency)}"
            if inventory.cover is not None:
                yield f"    {_cover(inventory.cover, currency)}"
    for name, desks in sorted(fx.desks.items()):
        yield f"for {name} convert, the first where quotes are equal: {listed(desks)}"


def quoted_words(plan: Plan, pricing: int, instructed: int, time_us: int) -> str:
    """Return who converts at a price, and at which margins, as words behind a quote.

    Parameters
    ----------
    plan : Plan
    pricing : int
        Row of ``plan.pricing``.
    instructed : int
        Minor units.
    time_us : int
        Instant of the quote.
    """
    row, found = plan.pricing[pricing], []
    for conversion, provider in (
        (P.CONVERSION_1, P.PROVIDER_1),
        (P.CONVERSION_2, P.PROVIDER_2),
    ):
        if row[conversion] >= 0:
            margin = margin_ppm(plan, int(row[conversion]), instructed, time_us)
            who = plan.names.agents[int(row[provider])]
            found.append(f"{who} converts at {_per_cent(margin)} over the mid rate")
    return f", {listed(found)}" if found else ""


def _days(provider: FxProvider) -> str:
    if not provider.calendars:
        return ""
    return f", whose days are those of banks in {listed(provider.calendars)}"


def _quote(pair: str, quote: ProviderQuote) -> Iterator[str]:
    bands = [f"from {band.at_least} on {_per_cent(band.spread)}" for band in quote.amounts]
    yield f"{pair}, both ways: {', '.join((_per_cent(quote.spread), *bands))} over the mid rate"
    for name, hours in sorted(quote.hours.items()):
        begin, end = write_time_of_day(hours.from_), write_time_of_day(hours.to)
        yield f"  {name}: {_per_cent(hours.more)} more from {begin} to {end} local time"
    if quote.closed:
        yield f"  {_per_cent(quote.closed)} more on days banks are closed"


def _position(inventory: Inventory, currency: str) -> str:
    opening = "nothing" if inventory.opening is None else f"{inventory.opening} {currency}"
    bounds = [
        f"{words} {amount} {currency}"
        for words, amount in (("down to -", inventory.short), ("up to", inventory.long))
        if amount is not None
    ]
    bounded = " and ".join(bounds).replace("- ", "-")
    return f"opens with {opening}; {bounded or 'no bounds'}; beyond it refuses (AM23)"


def _cover(cover: Cover, currency: str) -> str:
    days = f" on days banks in {listed(cover.calendars)} are open" if cover.calendars else ""
    bank_days = f"{cover.lead_days} bank days and " if cover.lead_days else ""
    return (
        f"looked at {listed([write_time_of_day(at) for at in cover.look_at])}{days}: more than "
        f"{cover.beyond} {currency} from the opening, all of it is traded for {cover.against} at "
        f"{_per_cent(cover.spread)} over the mid rate, delivered {bank_days}"
        f"{span(cover.lead_time)} later"
    )


def _per_cent(ppm: int) -> str:
    return share(Fraction(ppm, 10**6))

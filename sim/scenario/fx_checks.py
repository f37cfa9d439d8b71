"""What rates, providers and desks of the market must agree on.

Takes a scenario whose fields are each valid; gives (path, message) pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.model.base import FieldPath
from sim.model.quantities import CurrencyPair, to_minor
from sim.rails.problems import Found, check_amounts, several, unknown
from sim.rails.settlement_agents import below

if TYPE_CHECKING:
    from sim.model.fx import Inventory, ProviderQuote
    from sim.scenario.model import Scenario

FX_STEPS_MAX = 1_000_000


def fx_problems(scenario: Scenario) -> Found:
    """Yield what does not fit together of rates and providers."""
    for pair in scenario.fx.mid:
        # Which of the two counted would depend on what else the file holds.
        if CurrencyPair(pair.quote, pair.base) in scenario.fx.mid:
            yield (
                ("fx", "mid", str(pair)),
                f"found {pair} and {pair.quote}/{pair.base}, one rate written twice; allowed: one "
                "of them",
            )
        if scenario.fx.mid[pair].path is not None and scenario.fx.mid[pair].daily_volatility:
            yield (
                ("fx", "mid", str(pair), "path"),
                "found a file beside a daily_volatility; allowed: one of them, as both say how the "
                "rate moves",
            )
    moves = any(mid.daily_volatility or mid.path is not None for mid in scenario.fx.mid.values())
    steps = scenario.clock.horizon // scenario.fx.step
    # Constant rates have one step, whatever the horizon.
    if moves and steps > FX_STEPS_MAX:
        yield (
            ("fx", "step"),
            f"found {steps:,} steps of the rates up to the horizon; allowed: at most "
            f"{FX_STEPS_MAX:,}",
        )
    yield from _provider_problems(scenario)
    for name, desks in scenario.fx.desks.items():
        place: FieldPath = ("fx", "desks", name)
        if name not in scenario.institutions:
            yield place, unknown("institution", name, scenario.institutions)
        for position, desk in enumerate(desks):
            if desk not in scenario.fx.providers:
                yield (*place, position), unknown("provider", desk, scenario.fx.providers)
            elif desk in desks[:position]:
                yield (*place, position), f"found {desk!r} again; allowed: each once"


def _provider_problems(scenario: Scenario) -> Found:
    for name, provider in scenario.fx.providers.items():
        place: FieldPath = ("fx", "providers", name)
        entry = scenario.institutions.get(name)
        if entry is None:
            yield place, unknown("institution", name, scenario.institutions)
        elif entry.members > 1:
            yield place, several(name, entry.members)
        elif "fx_provider" not in entry.roles:
            yield place, f"{name!r} is no fx_provider; its roles: {', '.join(entry.roles)}"
        for pair, quote in provider.quotes.items():
            where = (*place, "quotes", str(pair))
            # One quote is for both ways.
            if CurrencyPair(pair.quote, pair.base) in provider.quotes and pair.base > pair.quote:
                yield where, f"found {pair.quote}/{pair.base}, too; allowed: one of them"
            yield from below(where, _quote_problems(pair, quote))
        for currency, inventory in provider.inventory.items():
            yield from below(
                (*place, "inventory", currency), _position_problems(currency, inventory)
            )


def _quote_problems(pair: CurrencyPair, quote: ProviderQuote) -> Found:
    """Yield amounts of a quote that do not rise, or are in another currency."""
    before = None
    for position, band in enumerate(quote.amounts):
        at, sides = band.at_least, (pair.base, pair.quote)
        if at.currency not in sides:
            yield (
                ("amounts", position, "at_least"),
                f"found '{at}'; allowed: an amount in {sides[0]} or {sides[1]}",
            )
        elif before is not None and before.currency != at.currency:
            message = f"found '{at}'; allowed: {before.currency}, as the amount before"
            yield ("amounts", position, "at_least"), message
        elif at.amount_minor <= (0 if before is None else before.amount_minor):
            yield ("amounts", position, "at_least"), "found no more than before; allowed: more"
        before = at


def _position_problems(currency: str, inventory: Inventory) -> Found:
    """Yield bounds of a position that are no amounts, or that it breaks at the start."""
    found: list[tuple[FieldPath, str]] = []
    for field in ("opening", "short", "long"):
        amount = getattr(inventory, field)
        if amount is not None:
            found += check_amounts(currency, amount, (field,))
    if inventory.cover is not None:
        found += check_amounts(currency, inventory.cover.beyond, ("cover", "beyond"))
        if inventory.cover.against == currency:
            message = f"found {currency}, the position's own; allowed: another currency"
            found.append((("cover", "against"), message))
        if not inventory.cover.look_at:
            found.append((("cover", "look_at"), "found no time; needed: at least one"))
    yield from found
    if found or inventory.long is None:
        return
    if to_minor(inventory.long, currency) < to_minor(inventory.opening or "0", currency):
        yield ("long",), f"found {inventory.long}; allowed: at least what it holds at the start"

"""What a scenario says of FX providers and desks that changes nothing in it.

Takes the market of a scenario and who converts what on its routes; gives (path, message) pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sim.compiler.clearing import find_looks
from sim.compiler.spreads import margins_over_time
from sim.model.base import FieldPath
from sim.model.fx import FxProvider, ProviderQuote
from sim.scenario.model import Scenario

Made = Collection[tuple[str, str, str]]
"""Conversions of routes: provider, source and target currency."""


def idle_fx(scenario: Scenario, made: Made) -> Iterator[tuple[FieldPath, str]]:
    """Yield providers, quotes, hours, positions and desks nothing comes of.

    Parameters
    ----------
    scenario : Scenario
    made : collection of (str, str, str)
    """
    for name, provider in scenario.fx.providers.items():
        place: FieldPath = ("fx", "providers", name)
        sides = {(source, target) for who, source, target in made if who == name}
        if not sides:
            yield place, "no route converts with it"
            continue
        for pair, quote in provider.quotes.items():
            where = (*place, "quotes", str(pair))
            if not {(pair.base, pair.quote), (pair.quote, pair.base)} & sides:
                yield where, "no route converts so"
            else:
                yield from _idle_margins(scenario, provider, quote, where)
        for field in ("calendars", "clock"):
            other = () if field == "calendars" else None
            if getattr(provider, field) and not _matters(scenario, provider, field, other):
                yield (*place, field), "without it margins are the same within the run"
        for currency, inventory in provider.inventory.items():
            where = (*place, "inventory", currency)
            if not any(currency in side for side in sides):
                yield where, "it converts neither from nor to it"
            elif inventory.cover is not None:
                arrivals = [at for _, at in find_looks(scenario, inventory.cover)]
                if not arrivals:
                    yield (*where, "cover"), "it never looks within the run"
                elif min(arrivals) >= scenario.clock.horizon:
                    yield (*where, "cover"), "nothing it trades is delivered within the run"
    for name, desks in scenario.fx.desks.items():
        working = {who for who, _, _ in made}
        if not set(desks) & working:
            yield ("fx", "desks", name), "nothing is converted for it"
            continue
        for position, desk in enumerate(desks):
            if desk not in working:
                yield ("fx", "desks", name, position), "no route converts with it"


def _idle_margins(
    scenario: Scenario, provider: FxProvider, quote: ProviderQuote, place: FieldPath
) -> Iterator[tuple[FieldPath, str]]:
    """Yield what of a quote's times makes no difference within the run."""
    found = margins_over_time(scenario.clock, provider, quote)
    for name in quote.hours:
        left = {key: hours for key, hours in quote.hours.items() if key != name}
        without = quote.model_copy(update={"hours": left})
        if margins_over_time(scenario.clock, provider, without) == found:
            yield (*place, "hours", name), "nothing of it lies within the run"
    if quote.closed:
        without = quote.model_copy(update={"closed": 0})
        if margins_over_time(scenario.clock, provider, without) == found:
            yield (*place, "closed"), "no day of the run is closed"


def _matters(scenario: Scenario, provider: FxProvider, field: str, other: object) -> bool:
    """Say whether any margin of the run would be another without a field."""
    without = provider.model_copy(update={field: other})
    clock = scenario.clock
    return any(
        margins_over_time(clock, without, quote) != margins_over_time(clock, provider, quote)
        for quote in provider.quotes.values()
    )

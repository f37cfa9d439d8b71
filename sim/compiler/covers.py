"""Covering trades of FX providers: rules with their conversions, and when they look.

Takes the positions of a scenario's providers; gives parts. What a trade costs is specified in
:mod:`sim.contract.positions`.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.compiler.clearing import find_looks
from sim.compiler.parts import Cover
from sim.compiler.prices import Market, PriceError
from sim.contract.positions import POSITION
from sim.model.base import FieldPath
from sim.model.fx import FxProvider, Inventory
from sim.model.quantities import to_minor
from sim.rails.price import Exchange
from sim.scenario.model import Scenario

MARKET = "market:"
"""Begins the name of the account providers trade with to cover; it has no limit."""


def covers(
    scenario: Scenario, market: Market, problems: list[tuple[FieldPath, str]]
) -> Iterator[Cover]:
    """Yield the rules by which providers trade positions back, in order of names.

    Parameters
    ----------
    scenario : Scenario
    market : Market
    problems : list of (path, message)
        Grows by trades without a rate, and by calendars that do not know a year of the run.
    """
    for name, provider in sorted(scenario.fx.providers.items()):
        for currency, inventory in sorted(provider.inventory.items()):
            if inventory.cover is None:
                continue
            place = ("fx", "providers", name, "inventory", currency, "cover")
            try:
                yield _cover(scenario, market, (name, provider), (currency, inventory))
            except PriceError as problem:
                problems.append(((*place, "against"), str(problem)))
            except ValueError as problem:
                problems.append(((*place, "calendars"), f"{problem}; needed: a run within them"))


def _cover(
    scenario: Scenario,
    market: Market,
    owner: tuple[str, FxProvider],
    position: tuple[str, Inventory],
) -> Cover:
    (name, provider), (currency, inventory) = owner, position
    rule = inventory.cover
    assert rule is not None
    other, opening = rule.against, to_minor(inventory.opening or "0", currency)
    beyond = to_minor(rule.beyond, currency)
    # The market's margin, not the provider's own: who sells to it is not among its customers.
    buys, sells = (
        market.conversion(Exchange(source, target, rule.spread, f"{MARKET}{name}"))
        for source, target in ((other, currency), (currency, other))
    )
    bounded = provider.inventory.get(other)
    return Cover(
        name=f"{POSITION}{name}:{currency}",
        source=f"{MARKET}{name}:{currency}",
        low_minor=opening - beyond,
        high_minor=opening + beyond,
        target_minor=opening,
        buys=buys,
        sells=sells,
        pays=f"{POSITION}{name}:{other}",
        paid_to=f"{MARKET}{name}:{other}",
        room=f"{name}:{currency}" if inventory.long is not None else "",
        other_room=f"{name}:{other}" if bounded is not None and bounded.long is not None else "",
        orders=tuple(find_looks(scenario, rule)),
    )

"""The least amounts of schemes, where a payment is converted into their currency on its way.

Takes the legs of a route with their price; gives the stages that refuse what a scheme does not
carry. Any rail that has rules for amounts is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.model.quantities import to_minor
from sim.rails.protocol import LegContext
from sim.rails.stages import FAIL, LimitSpec, Stage, check_limit


def least_amounts(legs: Iterable[LegContext]) -> Iterator[Stage]:
    """Yield the check that schemes carry what a payment was converted to.

    Instructed amounts are refused or drawn by the same rules before anything runs.
    """
    seen: set[tuple[str, str]] = set()
    for at in legs:
        rules = at.world.rails[at.name].amount_rules
        for currency, register in ((at.leg.source, at.before), (at.leg.target, at.after)):
            rule = rules.get(currency)
            if rule is None or rule.minimum is None or currency == at.currency:
                continue
            least = to_minor(rule.minimum, currency)
            # A price of nothing was refused already, so a minor unit is no bound.
            if least > 1 and (at.name, currency) not in seen:
                seen.add((at.name, currency))
                name = f"{at.name}.minimum.{currency}"
                limit = f"{name}.{register.name.lower()}"
                spec = LimitSpec(limit, register, currency, -1, -1, least)
                yield from check_limit(name, spec, target=FAIL)

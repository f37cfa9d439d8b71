"""What currencies are worth in each other at the start of a run.

Takes the plan's mid rates; gives exact fractions, through other currencies where need be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction

from sim.contract.charges import DESK
from sim.contract.plan import Plan

_COMMON_CURRENCY = "USD"


def common_currency(plan: Plan, used: Sequence[str]) -> tuple[str, dict[str, Fraction]]:
    """Return the currency in which amounts are added up, and what others are worth in it.

    Parameters
    ----------
    plan : Plan
    used : sequence of str
        Currencies there may be amounts in, whatever a run brings, so that replications agree.

    Notes
    -----
    The only one there is, else dollars where there are rates for all, else the first.
    """
    if len(set(used)) > 1 and _COMMON_CURRENCY in plan.names.currencies:
        worth = worth_in(plan, _COMMON_CURRENCY)
        if worth.keys() >= set(used):
            return _COMMON_CURRENCY, worth
    common = used[0] if used else ""
    return common, worth_in(plan, common)


def worth_in(plan: Plan, common: str, step: int = 0) -> dict[str, Fraction]:
    """Return what one minor unit of each reachable currency is worth in another.

    Parameters
    ----------
    plan : Plan
    common : str
        The other currency.
    step : int
        Of the rates: 0 the start, -1 the end.
    """
    edges: dict[str, list[tuple[str, Fraction]]] = {}
    for at, pair in enumerate(plan.names.pairs):
        # What a provider asks is no rate of the market.
        if DESK in pair:
            continue
        base, _, quote = pair.partition("/")
        rate = Fraction(int(plan.rate[at, step]), int(plan.pair_scale[at]))
        # One unit of the base costs `rate` of the quote currency.
        edges.setdefault(quote, []).append((base, rate))
        edges.setdefault(base, []).append((quote, 1 / rate))
    worth = {common: Fraction(1)}
    queue = deque([common])
    while queue:
        known = queue.popleft()
        for other, rate in edges.get(known, []):
            if other not in worth:
                worth[other] = worth[known] * rate
                queue.append(other)
    return worth

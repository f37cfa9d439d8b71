"""What a stream's payments are worth: given, one constant, or drawn; and what schemes allow.

Takes a demand section; gives the field that says it, a bound, the one amount or the distribution,
and what is wrong with amounts the schemes on its way do not carry.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sim.compiler.law_checks import is_moderate
from sim.compiler.traced import Traced
from sim.model.base import FieldPath
from sim.model.distributions import AmountDistribution
from sim.model.quantities import to_minor
from sim.model.sections import Demand
from sim.rails.protocol import Leg
from sim.scenario.model import Scenario
from sim.units import currency_of, format_minor, minor_per_major


def amount_path(name: str, demand: Demand) -> FieldPath:
    """Return the field that says what a stream's payments are worth."""
    if demand.trace is not None:
        return ("demand", name, "trace")
    return ("demand", name, "amount" if demand.payments is None else "payments")


def amount_bound(demand: Demand, currency: str, traced: Traced | None = None) -> int:
    """Return a bound on a stream's amounts in minor units."""
    if traced is not None:
        return int(traced.amount.max())
    if demand.payments is not None:
        return max(to_minor(payment.amount, currency) for payment in demand.payments)
    if demand.amount is None:
        return minor_per_major(currency)
    return largest_amount(demand.amount)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the schemes of a stream's routes allow of instructed amounts, in minor units.

    Attributes
    ----------
    least, step : int
        Where several schemes are asked, the largest of their least amounts and the least common
        multiple of their steps: what every route of the stream carries.
    scheme : str
        The rail that asks for most; empty where only the currency does.
    """

    least: int
    step: int
    scheme: str = ""


def allowed_amounts(scenario: Scenario, currency: str, legs: Iterable[Leg]) -> Allowed:
    """Return what the schemes of some legs allow of amounts in a currency."""
    money = currency_of(currency)
    least, step, scheme = money.least, money.granule, ""
    for rail in sorted({leg.rail for leg in legs if currency in (leg.source, leg.target)}):
        rule = scenario.rails[rail].amount_rules.get(currency)
        if rule is None:
            continue
        own = 1 if rule.step is None else to_minor(rule.step, currency)
        minimum = 0 if rule.minimum is None else to_minor(rule.minimum, currency)
        if minimum > least or step % own:
            scheme = rail
        least, step = max(least, minimum), math.lcm(step, own)
    # A payment of no step at all is none.
    return Allowed(-(-max(least, step) // step) * step, step, scheme)


def amount_problems(
    name: str, demand: Demand, currency: str, allowed: Allowed, *, traced: Traced | None
) -> Iterator[tuple[FieldPath, str]]:
    """Yield the written amounts no route of a stream carries."""
    if traced is not None:
        yield from _traced_problems(name, traced, currency, allowed)
        return
    if demand.payments is not None:
        written = [
            ((*amount_path(name, demand), at, "amount"), to_minor(payment.amount, currency))
            for at, payment in enumerate(demand.payments)
        ]
    elif demand.amount is not None and demand.amount.family == "constant":
        written = [(amount_path(name, demand), round(demand.amount.mean()))]
    else:
        return
    for place, minor in written:
        if minor < allowed.least or minor % allowed.step:
            yield place, _not_carried(minor, currency, allowed)


def _traced_problems(
    name: str, traced: Traced, currency: str, allowed: Allowed
) -> Iterator[tuple[FieldPath, str]]:
    bad, amount = traced.bad, traced.amount
    refused = np.flatnonzero((amount < allowed.least) | (amount % allowed.step != 0))
    bad.add("amount", refused, lambda row: _not_carried(int(amount[row]), currency, allowed))
    yield from bad.problems(("demand", name, "trace", "file"))


def _not_carried(minor: int, currency: str, allowed: Allowed) -> str:
    """Say what is wrong with an amount no route of a stream carries."""
    asked = f", as {allowed.scheme} asks" if allowed.scheme else ""
    found = format_minor(minor, currency)
    if minor < allowed.least:
        return f"found '{found}'; allowed: at least {format_minor(allowed.least, currency)}{asked}"
    return f"found '{found}'; allowed: whole steps of {format_minor(allowed.step, currency)}{asked}"


def fixed_amount(demand: Demand, currency: str, allowed: Allowed) -> int:
    """Return the amount where it is not drawn: one unit of money, or the least, by default."""
    if demand.amount is None:
        return max(minor_per_major(currency), allowed.least)
    if demand.amount.family == "constant":
        return round(demand.amount.mean())
    return -1


def mean_amount(demand: Demand, currency: str) -> Fraction:
    """Return the mean of amounts that come at a rate, in minor units; by default one unit."""
    if demand.amount is None:
        return Fraction(minor_per_major(currency))
    return Fraction(demand.amount.mean())


def drawn_amount(demand: Demand) -> AmountDistribution | None:
    """Return the distribution amounts are drawn from, None where they are not drawn."""
    amount = demand.amount
    return None if amount is None or amount.family == "constant" else amount


def largest_amount(amount: AmountDistribution) -> int:
    """Return a bound no draw of an amount exceeds, in minor units.

    Notes
    -----
    A quantile table ends 2^-41 from either side, 7.1 standard deviations of a normal law and 28
    means of an exponential one. Of a law whose tail no rule of thumb bounds, the table is asked.
    """
    parameters = amount.parameters()
    if amount.points:
        return int(max(value for value, _ in amount.points))
    if amount.family == "constant":
        return int(parameters["value"])
    if amount.family in ("uniform", "triangular"):
        return int(parameters["high"])
    if is_moderate(amount):
        if amount.family == "lognormal":
            return int(amount.mean() * math.exp(8 * parameters["sigma"]))
        return int(amount.mean() * 2000)
    from sim.draws.quantile import build_table

    return int(build_table(amount.family, parameters).max())

"""What a stream's payments are worth: given, one constant, or drawn.

Takes a demand section; gives the field that says it, a bound, the one amount or the distribution.
"""

from __future__ import annotations

from fractions import Fraction

from sim.compiler.prices import largest_amount
from sim.model.base import FieldPath
from sim.model.distributions import AmountDistribution
from sim.model.quantities import to_minor
from sim.model.sections import Demand
from sim.units import minor_per_major


def amount_path(name: str, demand: Demand) -> FieldPath:
    """Return the field that says what a stream's payments are worth."""
    return ("demand", name, "amount" if demand.payments is None else "payments")


def amount_bound(demand: Demand, currency: str) -> int:
    """Return a bound on a stream's amounts in minor units."""
    if demand.payments is not None:
        return max(to_minor(payment.amount, currency) for payment in demand.payments)
    if demand.amount is None:
        return minor_per_major(currency)
    return largest_amount(demand.amount)


def fixed_amount(demand: Demand, currency: str) -> int:
    """Return the amount where it is not drawn: one unit of money by default."""
    if demand.amount is None:
        return minor_per_major(currency)
    if demand.amount.family == "constant":
        return round(demand.amount.mean())
    return -1


def mean_amount(demand: Demand, currency: str) -> Fraction:
    """Return the mean of a stream's amounts in minor units; one unit of money by default."""
    if demand.payments is not None:
        amounts = [to_minor(payment.amount, currency) for payment in demand.payments]
        return Fraction(sum(amounts), len(amounts))
    if demand.amount is None:
        return Fraction(minor_per_major(currency))
    return Fraction(demand.amount.mean())


def drawn_amount(demand: Demand) -> AmountDistribution | None:
    """Return the distribution amounts are drawn from, None where they are not drawn."""
    amount = demand.amount
    return None if amount is None or amount.family == "constant" else amount

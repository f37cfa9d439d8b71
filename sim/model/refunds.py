"""What payees give back of completed payments, as a user writes it.

Takes text as people write it; gives frozen, checked values. What a part moves is said in
:mod:`sim.contract.refunds`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sim.contract.refunds import RefundRate
from sim.model.base import Model
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.money import AmountText
from sim.model.quantities import DurationUs, PositiveCount, SharePpb

if TYPE_CHECKING:
    RateName = str
else:
    # Rates are named once, where they are specified.
    RateName = Literal[tuple(rate.name.lower() for rate in RefundRate)]


class WrittenRefund(Model):
    """One part of a written payment that is paid back."""

    after: DurationUs
    """When, after the payment has completed."""
    amount: AmountText
    """How much, in the currency of the payment's amount."""


class Refunds(Model):
    """Which completed payments are paid back, in how many parts, when and at which rate."""

    share: SharePpb = cited(10_000_000, "assumptions.refund_share")
    """Share of completed payments, but for written ones that say so themselves."""
    of_amount: SharePpb = assumed(1_000_000_000, "most goods come back whole; not published")
    """Part of such a payment's amount that is paid back in all."""
    parts: PositiveCount = assumed(1, "most goods come back at once; not published")
    """Equal parts it is paid back in; at most 50."""
    after: DurationDistribution = assumed(
        {"lognormal": {"median": "86400 s", "sigma": "1"}}, "goods come back on the next days"
    )
    """Time from the payment to the first part, and from each part to the next; what would come more
    than 365 days after the payment does not."""
    rate: RateName = assumed("original", "schemes give back what was paid; cards do not")
    """At which rate it goes back to the payer: that of the payment, or the mid rate of the day."""

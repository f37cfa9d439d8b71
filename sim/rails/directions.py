"""What a gateway says of each way of using it: its terms coming in and going out, and its limits.

Takes nothing; gives the sections of a gateway's settings.
"""

from __future__ import annotations

from sim.model.base import Model
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import PPM, CalendarDate, CurrencyCode, FeePpm, Flag, Name


class Direction(Model):
    """One direction of a gateway."""

    live_from: CalendarDate
    """Day the link went live; a later one than the clock's start needs `hypothetical: true`."""
    hypothetical: Flag = False
    """Marks a link that was not live at the clock's start; `explain` and the report say so."""
    settlement_currency: CurrencyCode
    """Currency in which gateway and agent settle; a payment between two others converts twice."""
    spread: FeePpm
    """Margin of the gateway's side over the mid rate."""
    fees: dict[Name, Fee] = {}
    """Fees charged in this direction, by component."""


class WalletLimits(Model):
    """Bounds on what a wallet lets its holder pay, in the wallet's currency."""

    per_payment: AmountText | None = None
    """Most per payment."""
    per_day: AmountText | None = None
    """Most per payer and day."""


def price_ppm(direction: Direction, agent_spread: int, credited: str) -> int:
    """Return what a direction costs the payer, in millionths: margins and proportional fees."""
    fees = sum(fee.proportional or 0 for fee in direction.fees.values() if fee.bearer == "debtor")
    second = agent_spread if direction.settlement_currency != credited else 0
    return min(direction.spread + second + fees, PPM)

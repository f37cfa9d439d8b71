"""What a gateway says of each way of using it: its terms coming in and going out, and its limits.

Takes nothing; gives the sections of a gateway's settings.
"""

from __future__ import annotations

from sim.model.base import Model
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import PPM, CalendarDate, CurrencyCode, FeePpm, Flag, Name

INBOUND = "inbound"
OUTBOUND = "outbound"
"""The two ways of using a gateway, named as its settings are."""


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

    def price_ppm(self, agent_spread: int) -> int:
        """Return what the direction costs the payer, in millionths.

        Parameters
        ----------
        agent_spread : int
            Margin of the agent's conversion where it is part of the price, else 0.
        """
        fees = sum(fee.proportional or 0 for fee in self.fees.values() if fee.bearer == "debtor")
        return min(self.spread + agent_spread + fees, PPM)


class WalletLimits(Model):
    """Bounds on what a wallet lets its holder pay, in the wallet's currency."""

    per_payment: AmountText | None = None
    """Most per payment."""
    per_day: AmountText | None = None
    """Most per payer and day."""

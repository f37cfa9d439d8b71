"""What an institution declines on either side of a payment, as a user writes it.

Takes text as people write it; gives frozen, checked values. What becomes of it in a program is in
:mod:`sim.rails.declines`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from sim.model.base import Model
from sim.model.defaults import assumed
from sim.model.number_text import refuse
from sim.model.quantities import PPB, SharePpb, TimeOfDay
from sim.model.quantity import Quantity
from sim.model.top_up import CalendarName

DEBIT_REASONS = ("AB07", "AB10", "AG01", "AM02", "AM14", "MS03")
CREDIT_REASONS = ("AB05", "AB07", "AB08", "AB09", "AB10", "AM02", "MS03")


def _one_of(reasons: tuple[str, ...]) -> Callable[[object], str]:
    """Return what reads one of some reason codes."""

    def parse(found: object) -> str:
        if isinstance(found, str) and found in reasons:
            return found
        return refuse(found, ", ".join(reasons))

    return parse


DebitReason = Annotated[
    str,
    Quantity(
        _one_of(DEBIT_REASONS),
        f"a reason: {', '.join(DEBIT_REASONS)}",
        "|".join(DEBIT_REASONS),
        ("AB10", "AG01"),
    ),
]
"""Why the payer's institution may decline, before any money has moved (ISO 20022)."""

CreditReason = Annotated[
    str,
    Quantity(
        _one_of(CREDIT_REASONS),
        f"a reason: {', '.join(CREDIT_REASONS)}",
        "|".join(CREDIT_REASONS),
        ("AB09", "AB08"),
    ),
]
"""Why the payee's institution may decline what was paid to it (ISO 20022)."""


class ByHand(Model):
    """When a reversal begins that does not begin by itself: on the next bank day (T+1)."""

    at: TimeOfDay = assumed(10 * 3600, "reconciliation of the day before; no hour is published")
    """Local time, on the first bank day after the day of the decline."""
    calendars: tuple[CalendarName, ...] = ()
    """Countries whose banks must all be open on that day; none: every day."""


class Declines(Model):
    """What an institution declines beside `decline`, by side and reason."""

    debit: dict[DebitReason, SharePpb] = {}
    """Share of its payers' attempts it declines before money has moved, by reason."""
    credit: dict[CreditReason, SharePpb] = {}
    """Share of the payments to its customers it declines, by reason; what was paid to it goes back
    (a reversal)."""
    automatic: SharePpb | None = None
    """Share of these reversals that begin at once; the others begin by hand. Absent: all."""
    by_hand: ByHand | None = None
    """When the others begin; absent: as its defaults say."""

    @property
    def at_once(self) -> int:
        """Return the share of reversals that begin at once, in 10^-9."""
        return PPB if self.automatic is None else self.automatic

    @property
    def has_by_hand(self) -> bool:
        """Return whether some reversal begins by hand."""
        return self.at_once < PPB and any(self.credit.values())

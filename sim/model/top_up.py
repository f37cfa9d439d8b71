"""The rule by which an account is filled up, as a user writes it.

Takes text as people write it; gives a frozen, checked value. When a rule looks and when its money
arrives is worked out by the compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sim.calendars.calendar import KNOWN
from sim.model.base import Model
from sim.model.defaults import assumed
from sim.model.money import AmountText
from sim.model.quantities import BusinessDays, DurationUs, Flag, Name, TimeOfDay
from sim.units import HOUR_US

if TYPE_CHECKING:
    CalendarName = str
else:
    CalendarName = Literal[KNOWN]


class TopUp(Model):
    """When an account's owner puts more money on it, and how much."""

    low: AmountText
    """Level below which it orders: the balance less what is reserved, plus what is on the way."""
    target: AmountText
    """Level it orders up to."""
    most: AmountText | None = None
    """Most of one order."""
    source: Name | None = None
    """Account (in `accounts`) the money comes from; by default the owner's own book, which has no
    limit."""
    calendars: tuple[CalendarName, ...] = ()
    """Countries whose banks must all be open on the day to order and to pay; none: every day, at
    any hour."""
    make_up_days: Flag = assumed(False, "offices work on make-up days, foreign banks do not")
    """Whether a weekend day worked in exchange for a day off counts as a bank day."""
    clock: CalendarName | None = None
    """Country whose local time the hours below follow; by default the first calendar, else the
    scenario's own."""
    look_at: tuple[TimeOfDay, ...] = assumed(("09:00", "15:00"), "a treasurer looks twice a day")
    """Local times of a bank day at which the level is looked at."""
    lead_days: BusinessDays = assumed(0, "same-day transfers within the country")
    """Bank days from the order to the arrival."""
    lead_time: DurationUs = assumed(2 * HOUR_US, "not published; a transfer by hand")
    """Time from the order to the arrival, after the bank days; what would arrive outside the hours
    of the first calendar's banks arrives when they next open."""

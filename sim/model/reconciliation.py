"""When books are compared, as a user writes it.

Takes text as people write it; gives a frozen, checked value. At which instants of a run that is, is
worked out by the compiler.
"""

from __future__ import annotations

from sim.model.base import Model
from sim.model.defaults import assumed
from sim.model.quantities import TimeOfDay
from sim.model.top_up import CalendarName


class Reconciliation(Model):
    """When the two sides of payments compare their books."""

    at: TimeOfDay = assumed(24 * 3600, "at the end of the day; no hour is published")
    """Local time of a bank day at which they do."""
    calendars: tuple[CalendarName, ...] = ()
    """Countries whose banks must all be open on that day; none: every day."""

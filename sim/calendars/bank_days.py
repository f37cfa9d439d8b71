"""Counting in calendars: bank days, value dates, and the instants they begin at.

Takes calendars that must all be open; gives days and instants. Engines know no calendar: the
compiler resolves every time a scenario names into microseconds since its start, here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from sim.calendars.calendar import Calendar, load_calendar

_DAY = timedelta(days=1)
NO_MAKE_UP_DAY = (
    "found true, but on no weekend day worked for a day off are the banks of all calendars named "
    "here open"
)
"""What is said where counting make-up days as bank days changes no day."""


@dataclass(frozen=True, slots=True)
class BankDays:
    """Days on which banks of several countries are open at once.

    Attributes
    ----------
    calendars : tuple of Calendar
        All of them must be open; none: every day is a bank day.
    make_up_days : bool
        Whether a weekend day worked in exchange for a day off counts.
    """

    calendars: tuple[Calendar, ...] = ()
    make_up_days: bool = False

    @classmethod
    def of(cls, codes: Iterable[str], *, make_up_days: bool = False) -> BankDays:
        """Return the bank days of countries, by ISO 3166 letters."""
        return cls(tuple(map(load_calendar, codes)), make_up_days)

    @property
    def has_make_up_days(self) -> bool:
        """Return whether all are open on any weekend day worked in exchange for a day off."""
        worked = {day for calendar in self.calendars for day in calendar.make_up}
        with_them, without = replace(self, make_up_days=True), replace(self, make_up_days=False)
        return any(
            with_them.is_open(day) and not without.is_open(day)
            for day in worked
            if all(calendar.covers(day) for calendar in self.calendars)
        )

    def is_open(self, day: date) -> bool:
        """Say whether all are open on a day."""
        return all(
            calendar.is_open(day, make_up_days=self.make_up_days) for calendar in self.calendars
        )

    def next(self, day: date) -> date:
        """Return the first bank day at or after a day."""
        while not self.is_open(day):
            day += _DAY
        return day

    def add(self, day: date, count: int) -> date:
        """Return the ``count``-th bank day after a day, the value date of T + count.

        Parameters
        ----------
        day : date
            Day of the trade; it need not be a bank day.
        count : int
            Bank days to let pass. 0: the day itself, or the next bank day.
        """
        if count == 0:
            return self.next(day)
        for _ in range(count):
            day = self.next(day + _DAY)
        return day

    def next_hours_us(self, start: datetime, time_us: int) -> int:
        """Return the first instant at or after one at which banks are at work.

        That is within the hours of the first calendar's banks, on a day all are open. Not within
        everybody's hours: banks in Phnom Penh and New York are never at work at once, and send each
        other money all the same.

        Parameters
        ----------
        start : datetime
            Start of the scenario, with its offset from UTC.
        time_us : int
            Microseconds since the start.
        """
        if not self.calendars:
            return time_us
        first = self.calendars[0]
        day, _ = local_day(start, time_us, first.zone)
        while True:
            day = self.next(day)
            opens, closes = (
                instant_us(start, day, hour.hour * 3600 + hour.minute * 60, first.zone)
                for hour in (first.opens, first.closes)
            )
            if time_us < closes:
                return max(time_us, opens)
            day += _DAY

    def doubts(self, first: date, last: date) -> Iterator[tuple[str, date, str]]:
        """Yield what is not known for sure between two days: calendar, day, and what is assumed."""
        for calendar in self.calendars:
            for day, why in sorted(calendar.doubts.items()):
                if first <= day <= last:
                    yield calendar.code, day, why
            for day, row in sorted(calendar.closed.items()):
                is_counted = row.source.kind == "estimated" and day.weekday() < 5
                if is_counted and first <= day <= last:
                    yield calendar.code, day, f"{row.name}: {row.source.title}"


def instant_us(start: datetime, day: date, at: int, zone: tzinfo) -> int:
    """Return a local time of day as microseconds since a scenario's start.

    Parameters
    ----------
    start : datetime
        Start of the scenario, with its offset from UTC.
    day : date
        Local day.
    at : int
        Seconds since local midnight; 86 400 is the midnight at the end of the day.
    zone : tzinfo
        Whose local time it is. Where a clock change leaves a time out or repeats it, the offset
        before the change holds.
    """
    midnight = datetime.combine(day, time(), zone)
    # By the wall clock of the place, and then as a difference of instants: the two differ on the
    # day the clocks change.
    wall = midnight + timedelta(seconds=at)
    return round((wall.astimezone(start.tzinfo) - start) / timedelta(microseconds=1))


def local_day(start: datetime, time_us: int, zone: tzinfo) -> tuple[date, int]:
    """Return the local day an instant falls on, and the seconds passed of it, rounded down."""
    local = (start + timedelta(microseconds=time_us)).astimezone(zone)
    return local.date(), (local.hour * 60 + local.minute) * 60 + local.second


def midnights_us(start: datetime, horizon_us: int, zone: tzinfo) -> Sequence[tuple[date, int]]:
    """Return every local day a scenario touches, with the instant it begins (the first: below 0).

    Parameters
    ----------
    horizon_us : int
        Length of the scenario, in microseconds.
    """
    day, _ = local_day(start, 0, zone)
    found = []
    while (begins := instant_us(start, day, 0, zone)) < horizon_us:
        found.append((day, begins))
        day += _DAY
    return found

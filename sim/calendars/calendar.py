"""The calendar of one country: the days its banks are closed, each with its source.

Takes a country; gives a :class:`Calendar` read from ``sim/calendars/lists/``. The lists are data of
ours and no library's, since a settlement needs the days *banks* are closed, with the source and the
grade of each, and must not change when a package is updated; the package ``holidays`` checks them
in the tests, and each difference is explained in the list itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import yaml

_LISTS = Path(__file__).parent / "lists"

KNOWN: tuple[str, ...] = tuple(sorted(path.stem for path in _LISTS.glob("*.yaml")))
"""Countries with a calendar, by ISO 3166 letters."""

GRADES = ("reported", "derived", "estimated")
"""How well founded a date can be, in the words of :class:`~sim.model.evidence.Evidence`."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a date was taken from.

    Attributes
    ----------
    kind : str
        One of :data:`GRADES`; ``estimated`` where nobody's list was found.
    title, address : str
        What it is and where it stands; the address is empty where there is none.
    """

    kind: str
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day that is not as its weekday says: closed on a weekday, or worked at a weekend."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Calendar:
    """When banks of one country are open.

    Attributes
    ----------
    code, name : str
        ISO 3166 letters, and the name for people.
    zone : ZoneInfo
        Whose midnight begins a day.
    opens, closes : datetime.time
        Hours of banks on a day they are open; an assumption.
    years : tuple of int
        First and last year the list covers.
    closed, make_up : mapping of date to Day
        Days off; Saturdays and Sundays on which offices work in exchange for one.
    doubts : mapping of date to str
        Days of which no source says whether banks are open, and what is assumed.
    differences : mapping of date to str
        Days on which the package ``holidays`` says otherwise, and why the list does not follow.
    """

    code: str
    name: str
    zone: ZoneInfo
    opens: time
    closes: time
    years: tuple[int, int]
    closed: Mapping[date, Day]
    make_up: Mapping[date, Day]
    doubts: Mapping[date, str]
    differences: Mapping[date, str]

    def covers(self, day: date) -> bool:
        """Say whether the list knows the year of a day."""
        return self.years[0] <= day.year <= self.years[1]

    def is_open(self, day: date, *, make_up_days: bool = False) -> bool:
        """Say whether banks are open on a day.

        Parameters
        ----------
        day : date
            In a year the list covers.
        make_up_days : bool
            Whether a weekend day worked in exchange for a day off counts as open.

        Raises
        ------
        ValueError
            If the list does not know the year: an unknown year is no year without holidays.
        """
        if not self.covers(day):
            first, last = self.years
            raise ValueError(f"the calendar {self.code} covers {first} to {last}, not {day}")
        if day in self.make_up:
            return make_up_days
        return day.weekday() < 5 and day not in self.closed


@cache
def load_calendar(code: str) -> Calendar:
    """Return the calendar of a country.

    Parameters
    ----------
    code : str
        One of :data:`KNOWN`.

    Raises
    ------
    ValueError
        If a list contradicts itself: a source it does not have, a day off that is worked, a make-up
        day within the week, a date outside its years.
    """
    path = _LISTS / f"{code}.yaml"
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    sources = {
        key: Source(row["kind"], row["title"], row.get("address", ""))
        for key, row in read["sources"].items()
    }
    first, last = read["years"]
    calendar = Calendar(
        code=code,
        name=read["name"],
        zone=ZoneInfo(read["zone"]),
        opens=time.fromisoformat(read["hours"]["open"]),
        closes=time.fromisoformat(read["hours"]["close"]),
        years=(first, last),
        closed=_days(read.get("closed"), sources),
        make_up=_days(read.get("make_up"), sources),
        doubts=MappingProxyType(read.get("doubts", {})),
        differences=MappingProxyType(read.get("differences", {})),
    )
    _check(calendar)
    return calendar


def _days(rows: Any, sources: Mapping[str, Source]) -> Mapping[date, Day]:
    found = {day: Day(name, sources[key]) for day, (name, key) in (rows or {}).items()}
    return MappingProxyType(found)


def _check(calendar: Calendar) -> None:
    for day, row in (*calendar.closed.items(), *calendar.make_up.items()):
        if not calendar.covers(day) or row.source.kind not in GRADES:
            raise ValueError(f"calendar {calendar.code}: {day} is outside its years or ungraded")
    for day in calendar.make_up:
        # A make-up day is a weekend day by its nature; on a weekday it would be a day like any.
        if day.weekday() < 5 or day in calendar.closed:
            raise ValueError(f"calendar {calendar.code}: {day} is no weekend day to be worked")

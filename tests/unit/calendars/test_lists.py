"""The lists of days off: each date has a source, and a well-kept package says the same."""

from __future__ import annotations

from datetime import date

import holidays
import pytest

from sim.calendars.calendar import GRADES, KNOWN, load_calendar

MAKE_UP_LISTED = ("CN", "VN")
CATEGORIES = {"LA": ("public", "bank")}


def test_there_is_a_list_for_every_country_a_corridor_may_settle_through() -> None:
    assert KNOWN == ("CN", "HK", "KH", "LA", "MY", "SG", "TH", "US", "VN")


@pytest.mark.parametrize("code", KNOWN)
def test_every_date_has_a_graded_source(code: str) -> None:
    calendar = load_calendar(code)
    assert calendar.years == (2025, 2026)
    for year in (2025, 2026):
        assert sum(day.year == year for day in calendar.closed) >= 8
    for day in (*calendar.closed.values(), *calendar.make_up.values()):
        assert day.source.kind in GRADES
        assert day.source.title
        # A grade without an address is an estimate: nobody's list was found.
        assert day.source.address or day.source.kind == "estimated"


@pytest.mark.parametrize("code", KNOWN)
def test_the_package_lists_the_same_days_but_for_explained_ones(code: str) -> None:
    calendar = load_calendar(code)
    options = {"categories": CATEGORIES[code]} if code in CATEGORIES else {}
    theirs = holidays.country_holidays(code, years=[2025, 2026], **options)
    assert set(theirs) ^ set(calendar.closed) == set(calendar.differences)
    assert all(len(why) > 40 for why in calendar.differences.values())
    worked = {day for day in getattr(theirs, "weekend_workdays", ()) if calendar.covers(day)}
    assert worked == set(calendar.make_up)
    assert bool(worked) == (code in MAKE_UP_LISTED)


def test_days_named_in_the_notices_are_there() -> None:
    # The government's notices of 12 November 2024 and of November 2025.
    china = load_calendar("CN")
    october = [date(2025, 10, day) for day in range(1, 9)]
    assert [china.is_open(day) for day in october] == [False] * 8
    worked = [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)]
    assert [day for day in china.make_up if day.year == 2026] == [
        date(2026, *day) for day in worked
    ]
    # The Prakas of 9 October 2024.
    prakas = [(9, 21), (9, 22), (9, 23), (9, 24), (10, 15), (10, 29)]
    prakas += [(11, 4), (11, 5), (11, 6), (11, 9), (12, 29)]
    cambodia = load_calendar("KH")
    assert [day for day in cambodia.closed if date(2025, 7, 1) < day < date(2026, 1, 1)] == [
        date(2025, *day) for day in prakas
    ]
    assert {cambodia.closed[date(2025, *day)].source.kind for day in prakas} == {"reported"}


def test_cambodia_2026_is_marked_as_an_estimate() -> None:
    days = load_calendar("KH").closed
    kinds = {row.source.kind for day, row in days.items() if day.year == 2026}
    assert kinds == {"estimated"}


def test_the_federal_reserve_is_open_on_the_friday_before_a_saturday() -> None:
    # 4 July 2026 is a Saturday. Federal offices close on the 3rd, Fedwire does not.
    assert load_calendar("US").is_open(date(2026, 7, 3))
    assert not load_calendar("US").is_open(date(2025, 7, 4))


def test_an_unknown_year_is_refused() -> None:
    with pytest.raises(ValueError, match=r"CN covers 2025 to 2026, not 2027-01-04"):
        load_calendar("CN").is_open(date(2027, 1, 4))

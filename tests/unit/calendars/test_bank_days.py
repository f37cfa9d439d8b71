"""Value dates and instants, worked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from sim.calendars.bank_days import BankDays, instant_us, local_day, midnights_us

KH = ZoneInfo("Asia/Phnom_Penh")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2025, 9, 17, 12, tzinfo=timezone(timedelta(hours=7)))
HOUR_US = 3_600_000_000

HOURLY = [6, 3, 2, 2, 4, 12, 32, 56, 58, 52, 54, 70, 74, 52, 44, 46, 54, 72, 82, 78, 60, 44, 28, 15]
"""The shipped course of a day (demand.hourly_profile), in tenths of a percent."""


def _days(*days: tuple[int, int], year: int = 2025) -> list[date]:
    return [date(year, month, day) for month, day in days]


def test_two_bank_days_on_the_chinese_calendar() -> None:
    # 1 to 8 October are off, 28 September and 11 October are worked at home, but no foreign bank
    # pays then. Thu 25 Sep: Fri 26, Mon 29. Fri 26, Sat 27, Sun 28: Mon 29, Tue 30. Mon 29: Tue 30,
    # Thu 9 Oct. Tue 30 and 1 to 8 Oct: Thu 9, Fri 10. Thu 9: Fri 10, Mon 13. Fri 10: Mon 13,
    # Tue 14.
    china = BankDays.of(["CN"])
    trades = _days((9, 25), (9, 26), (9, 27), (9, 28), (9, 29), (9, 30))
    trades += _days(*((10, day) for day in range(1, 11)))
    paid = _days((9, 29), *[(9, 30)] * 3, (10, 9), *[(10, 10)] * 9, (10, 13), (10, 14))
    assert [china.add(day, 2) for day in trades] == paid


def test_make_up_days_are_had_where_all_are_open_on_one() -> None:
    # Offices in China work on Sunday, 28 September 2025; banks in Cambodia are closed every Sunday.
    assert BankDays.of(["CN"]).has_make_up_days
    assert BankDays.of(["CN", "CN"]).has_make_up_days
    assert not BankDays.of(["CN", "KH"]).has_make_up_days
    assert not BankDays.of(["KH"]).has_make_up_days
    assert not BankDays.of([]).has_make_up_days


def test_make_up_days_count_only_where_they_are_asked_for() -> None:
    # Worked at home, Sunday 28 September is the second day after Thursday 25: Fri 26, Sun 28.
    china = BankDays.of(["CN"], make_up_days=True)
    assert china.add(date(2025, 9, 25), 2) == date(2025, 9, 28)
    # Saturday 11 October: Fri 10, Sat 11.
    assert china.add(date(2025, 10, 9), 2) == date(2025, 10, 11)


def test_two_bank_days_on_the_cambodian_calendar() -> None:
    # Sun 21 to Tue 23 September are Pchum Ben, Wed 24 Constitution Day. Wed 17: Thu 18, Fri 19.
    # Thu 18: Fri 19, Thu 25. Fri 19 to Wed 24: Thu 25, Fri 26.
    cambodia = BankDays.of(["KH"])
    trades = _days(*((9, day) for day in range(17, 25)))
    paid = _days((9, 19), (9, 25), *[(9, 26)] * 6)
    assert [cambodia.add(day, 2) for day in trades] == paid


def test_all_calendars_must_be_open() -> None:
    # Thu 18 September 2025 in both countries: Fri 19, then Mon 22 in China, Thu 25 in both.
    assert BankDays.of(["CN"]).add(date(2025, 9, 18), 2) == date(2025, 9, 22)
    assert BankDays.of(["CN", "KH"]).add(date(2025, 9, 18), 2) == date(2025, 9, 25)
    # Dollars besides: Mon 13 October is Columbus Day. Fri 10: Tue 14.
    assert BankDays.of(["CN", "KH", "US"]).add(date(2025, 10, 10), 1) == date(2025, 10, 14)
    # No calendar: every day is a bank day.
    assert BankDays().add(date(2025, 9, 27), 2) == date(2025, 9, 29)
    assert BankDays.of(["CN"]).add(date(2025, 9, 27), 0) == date(2025, 9, 29)


PEAKS = [
    # Each row: calendar, days to settlement, demand of the holiday, days looked at, peak.
    ("CN", 2, 1, (date(2025, 9, 8), 7), "4.227"),
    ("CN", 1, 1, (date(2025, 9, 8), 7), "3.227"),
    ("CN", 2, 1, (date(2025, 9, 25), 20), "10.227"),
    ("CN", 1, 1, (date(2025, 9, 25), 20), "9.227"),
    ("CN", 2, "1.21", (date(2025, 9, 25), 20), "11.907"),
    ("CN", 2, "1.5", (date(2025, 9, 25), 20), "14.227"),
    ("CN", 2, 2, (date(2025, 9, 25), 20), "18.227"),
    ("KH", 2, 1, (date(2025, 9, 15), 14), "7.227"),
    ("CN", 2, 1, (date(2026, 9, 28), 18), "9.227"),
    ("CN", 2, 1, (date(2026, 2, 12), 18), "12.227"),
]


@pytest.mark.parametrize(("code", "lag", "factor", "span", "peak"), PEAKS)
def test_peak_of_what_is_owed(
    code: str, lag: int, factor: str | int, span: tuple[date, int], peak: str
) -> None:
    # One unit a day by the hourly course; what a day brought is credited at 10:00 of its value
    # date, when 6+3+2+2+4+12+32+56+58+52 = 227 of 1000 of that day are owed already. The peak is
    # reached just before a credit: the whole days not yet credited, and 0.227.
    assert sum(HOURLY[:10]) == 227
    assert sum(HOURLY) == 1000
    days = BankDays.of([code])
    first, number = span
    owed: dict[date, Fraction] = {}
    worst = Fraction(0)
    for ahead in range(-14, number):
        today = first + timedelta(days=ahead)
        is_holiday = date(2025, 10, 1) <= today <= date(2025, 10, 8)
        demand = Fraction(factor) if is_holiday else Fraction(1)
        # Just before ten o'clock; the value dates of the earlier days are today at the earliest.
        standing = sum((owed[day] for day in owed if days.add(day, lag) >= today), Fraction(0))
        if ahead >= 0:
            worst = max(worst, standing + demand * Fraction(227, 1000))
        owed[today] = demand
    assert worst == Fraction(peak)


def test_golden_week_peaks_on_two_days_after_the_holiday() -> None:
    # Thu 9 October before ten: 29 and 30 September, 1 to 8 October: 10 days. Fri 10: 30 September,
    # 1 to 8 and 9 October: 10 days. Mon 13: 9, 10, 11, 12: 4 days.
    china = BankDays.of(["CN"])
    trades = [date(2025, 9, 20) + timedelta(days=ahead) for ahead in range(30)]
    standing = {
        today: sum(day < today <= china.add(day, 2) for day in trades)
        for today in _days((10, 8), (10, 9), (10, 10), (10, 13))
    }
    assert list(standing.values()) == [9, 10, 10, 4]


def test_instants_are_local_times_of_the_place() -> None:
    # The scenario starts at noon in Phnom Penh; ten o'clock next day there is 22 hours later, and
    # ten o'clock in New York (14:00 UTC) 9 hours after the start (05:00 UTC) on the same day.
    tomorrow = date(2025, 9, 18)
    assert instant_us(START, tomorrow, 10 * 3600, KH) == 22 * HOUR_US
    assert instant_us(START, date(2025, 9, 17), 10 * 3600, NEW_YORK) == 9 * HOUR_US
    # In winter New York is an hour later. 3 November 2025, 10:00 is 15:00 UTC: 47 days and 10 h on.
    assert instant_us(START, date(2025, 11, 3), 10 * 3600, NEW_YORK) == (47 * 24 + 10) * HOUR_US
    # The end of a day is the next midnight, also of one of 25 hours (2 November 2025).
    begins = instant_us(START, date(2025, 11, 2), 0, NEW_YORK)
    assert instant_us(START, date(2025, 11, 2), 86_400, NEW_YORK) - begins == 25 * HOUR_US


def test_days_a_scenario_touches() -> None:
    # 36 hours from noon of the 17th: the 17th began 12 hours before the start; the 18th after 12
    # hours. Midnight of the 19th falls on the horizon, which is not part of the run.
    assert midnights_us(START, 36 * HOUR_US, KH) == [
        (date(2025, 9, 17), -12 * HOUR_US),
        (date(2025, 9, 18), 12 * HOUR_US),
    ]
    assert local_day(START, 12 * HOUR_US - 1, KH) == (date(2025, 9, 17), 86_399)
    # 05:00 UTC is one in the morning in New York, the same day.
    assert local_day(START, 0, NEW_YORK) == (date(2025, 9, 17), 3600)
    assert local_day(datetime(2025, 9, 17, 3, tzinfo=UTC), 0, NEW_YORK)[0] == date(2025, 9, 16)


def test_doubtful_days_are_named() -> None:
    span = date(2026, 10, 9), date(2026, 10, 16)
    # Pchum Ben 2026 is computed (10 and 11 October are a weekend), the 15th taken to return.
    found = [(code, day) for code, day, _ in BankDays.of(["KH", "CN"]).doubts(*span)]
    assert found == [("KH", date(2026, 10, 12)), ("KH", date(2026, 10, 15))]
    vietnam = BankDays.of(["VN"]).doubts(date(2026, 1, 1), date(2026, 1, 5))
    assert [(day, "taken as open" in why) for _, day, why in vietnam] == [(date(2026, 1, 2), True)]


def test_bank_hours_are_those_of_the_first_place_on_a_day_all_are_open() -> None:
    # Banks open from 9 to 16 by their own clock (an assumption). The start, Wed 17 September at
    # noon in Phnom Penh, is within; four hours later they are closed, and the next time is Thu 18
    # at nine: 21 hours after the start.
    days = BankDays.of(["KH", "HK"])
    assert days.next_hours_us(START, 0) == 0
    assert days.next_hours_us(START, 4 * HOUR_US - 1) == 4 * HOUR_US - 1
    assert days.next_hours_us(START, 4 * HOUR_US) == 21 * HOUR_US
    # Sat 20 September at noon there: Pchum Ben and Constitution Day until Wed 24, so Thu 25 at
    # nine: 7 days and 21 hours after the start of Wed 17, noon.
    assert days.next_hours_us(START, 72 * HOUR_US) == (7 * 24 + 21) * HOUR_US
    # By the clock of Hong Kong, an hour ahead, they open at eight in Phnom Penh and close at 15.
    assert BankDays.of(["HK", "KH"]).next_hours_us(START, 3 * HOUR_US) == 20 * HOUR_US
    # Phnom Penh and New York are never at work at once; the day must be one in both. From Fri 10
    # October, 17:00, past Columbus Day (Mon 13) to Tue 14 at nine: 26 days and 21 hours on.
    both = BankDays.of(["KH", "US"])
    assert both.next_hours_us(START, (23 * 24 + 5) * HOUR_US) == (26 * 24 + 21) * HOUR_US
    # Without a calendar every hour is a bank hour.
    assert BankDays().next_hours_us(START, 72 * HOUR_US + 1) == 72 * HOUR_US + 1

"""When a closure by calendar closes: days that are no bank days, hours outside those written.

Takes a scenario and one of its closures; gives spans of time.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sim.calendars.bank_days import BankDays, instant_us, midnights_us
from sim.calendars.calendar import load_calendar
from sim.units import DAY_US, SECOND_US

if TYPE_CHECKING:
    from sim.model.disruptions import Disruption
    from sim.scenario.model import Scenario

Span = tuple[int, int]
"""From when to when, in microseconds since the start; the end is not in it."""

_DAY_S = DAY_US // SECOND_US


def closed_spans(scenario: Scenario, closure: Disruption) -> list[Span]:
    """Return when a closure is in force during the run, in order of time.

    Parameters
    ----------
    scenario : Scenario
    closure : Disruption
        One with calendars or hours.

    Raises
    ------
    ValueError
        If a calendar does not know a year the run touches.
    """
    clock = scenario.clock
    days = BankDays.of(closure.calendars)
    code = closure.clock or (closure.calendars[0] if closure.calendars else None)
    zone = clock.start.tzinfo if code is None else load_calendar(code).zone
    assert zone is not None
    opens, closes = closure.opens or 0, _DAY_S if closure.closes is None else closure.closes
    found: list[Span] = []
    for day, midnight in midnights_us(clock.start, clock.horizon, zone):
        after = instant_us(clock.start, day + timedelta(days=1), 0, zone)
        if days.is_open(day):
            found.append((midnight, instant_us(clock.start, day, opens, zone)))
            found.append((instant_us(clock.start, day, closes, zone), after))
        else:
            found.append((midnight, after))
    within = [one for one in found if one[0] < one[1] and one[1] > 0 and one[0] < clock.horizon]
    return merge_spans(within)


def merge_spans(spans: list[Span]) -> list[Span]:
    """Return the union of intervals as disjoint intervals in order."""
    merged: list[Span] = []
    for start, stop in sorted(spans):
        # Intervals that touch are one: otherwise the station would open and close in one
        # instant.
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged

"""When reversals and returns that begin by hand begin: the doors of the places they wait at.

Takes a scenario and its members; gives closures. One place lets pass whoever waits there at
midnight, the next at an hour of each bank day; both are closed at all other times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from sim.calendars.bank_days import BankDays, instant_us, midnights_us
from sim.calendars.calendar import load_calendar
from sim.compiler.parts import Closure
from sim.model.base import FieldPath
from sim.model.declines import ByHand
from sim.model.members import Member
from sim.rails.declines import by_hand_places
from sim.rails.screening import frozen_places
from sim.scenario.model import Scenario


def by_hand_closures(
    scenario: Scenario,
    members: Sequence[Member],
    problems: list[tuple[FieldPath, str]],
) -> Iterator[Closure]:
    """Yield when the places of reversals by hand are closed.

    Parameters
    ----------
    scenario : Scenario
    members : sequence of Member
    problems : list
        Grows by calendars that do not know a year of the run.
    """
    for member in members:
        for section, (day, hour), rule in _rules(member):
            try:
                midnights, hours = _instants(scenario, rule)
            except ValueError as problem:
                key = next(k for k, v in scenario.institutions.items() if v is member.entry)
                where = ("institutions", key, section, "by_hand", "calendars")
                problems.append((where, f"{problem}; needed: a run within its years"))
                continue
            yield from _between(day, midnights, scenario.clock.horizon)
            yield from _between(hour, hours, scenario.clock.horizon)


def _rules(member: Member) -> Iterator[tuple[str, tuple[str, str], ByHand]]:
    """Yield the section, the two places and the rule of all that a member begins by hand."""
    declines, desk = member.entry.declines, member.entry.screening
    if declines.has_by_hand:
        yield "declines", by_hand_places(member.name), declines.by_hand or ByHand()
    if member.settles and desk.mode == "after":
        yield "screening", frozen_places(member.name), desk.by_hand or ByHand()


def _between(station: str, opens: Sequence[int], horizon_us: int) -> Iterator[Closure]:
    """Yield closures of a station that is open for a microsecond at each of some instants."""
    closed_from = 0
    for at in opens:
        if at > closed_from:
            yield Closure(station, closed_from, at)
        closed_from = at + 1
    if closed_from < horizon_us:
        yield Closure(station, closed_from, horizon_us)


def _instants(scenario: Scenario, rule: ByHand) -> tuple[list[int], list[int]]:
    """Return the midnights of a run, and when reversals begin on its bank days."""
    clock = scenario.clock
    days = BankDays.of(rule.calendars)
    zone: tzinfo | None = clock.start.tzinfo
    if rule.calendars:
        zone = load_calendar(rule.calendars[0]).zone
    assert zone is not None
    found = midnights_us(clock.start, clock.horizon, zone)
    hours = [instant_us(clock.start, day, rule.at, zone) for day, _ in found if days.is_open(day)]
    return (
        [at for _, at in found if 0 <= at < clock.horizon],
        [at for at in hours if 0 <= at < clock.horizon],
    )

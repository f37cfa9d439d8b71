"""Margins of providers as rows of a plan: hours and days resolved into instants.

Takes a provider's quote and a clock; gives what is added to its margin from which instant on.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.calendars.bank_days import BankDays, instant_us, local_day, midnights_us
from sim.calendars.calendar import load_calendar
from sim.model.base import FieldPath
from sim.model.fx import FxProvider, ProviderQuote, SpreadHours
from sim.model.sections import Clock
from sim.scenario.model import Scenario


def margins_over_time(
    clock: Clock, provider: FxProvider, quote: ProviderQuote
) -> tuple[tuple[int, int], ...]:
    """Return (microseconds after the start, millionths added to every margin), in order of time.

    The first is that of the start; the same is not said twice in a row.

    Raises
    ------
    ValueError
        If a calendar does not know a year of the run.
    """
    found: list[tuple[int, int]] = []
    for at_us, more in _instants(clock, provider, quote):
        if not found or found[-1][1] != more:
            found.append((at_us, more))
    return tuple(found)


def margin_problems(scenario: Scenario) -> Iterator[tuple[FieldPath, str]]:
    """Yield the providers whose calendars do not know a year of the run."""
    for name, provider in scenario.fx.providers.items():
        try:
            for quote in provider.quotes.values():
                margins_over_time(scenario.clock, provider, quote)
        except ValueError as problem:
            place = ("fx", "providers", name, "calendars")
            yield place, f"{problem}; needed: a run within its years"


def _instants(
    clock: Clock, provider: FxProvider, quote: ProviderQuote
) -> Iterator[tuple[int, int]]:
    """Yield every instant at which a day, or a dearer part of one, begins or ends."""
    code = provider.clock or (provider.calendars[0] if provider.calendars else None)
    zone = clock.start.tzinfo if code is None else load_calendar(code).zone
    assert zone is not None
    days = BankDays.of(provider.calendars)
    edges = {edge for hours in quote.hours.values() for edge in (hours.from_, hours.to)}
    moments = {0}
    for day, _ in midnights_us(clock.start, clock.horizon, zone):
        # Midnight counts as an edge: the day may be another kind of day.
        moments.update(instant_us(clock.start, day, edge, zone) for edge in (0, *edges))
    for at_us in sorted(moments):
        if not 0 <= at_us < clock.horizon:
            continue
        day, second = local_day(clock.start, at_us, zone)
        more = sum(hours.more for hours in quote.hours.values() if _is_within(hours, second))
        # A calendar is asked only where days differ: it may not know the year.
        if quote.closed and not days.is_open(day):
            more += quote.closed
        yield at_us, more


def _is_within(hours: SpreadHours, second: int) -> bool:
    """Say whether a second of the local day lies in a part of it that may run over midnight."""
    if hours.from_ < hours.to:
        return hours.from_ <= second < hours.to
    return second >= hours.from_ or second < hours.to

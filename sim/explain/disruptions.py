"""Say what goes wrong in a run: what, whom it hits, how likely, and when.

Takes a scenario, or a compiled one with what happens in it; gives sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction

from sim.compiler.compile import Compiled
from sim.compiler.disrupted import places_of
from sim.compiler.occurrences import Occurrence, start_us
from sim.contract.agenda import AgendaKind
from sim.contract.layout import StationColumn
from sim.explain.words import at, count, joined, listed, share, span, timing
from sim.model.disruptions import Disruption
from sim.model.members import unfold_members
from sim.model.quantities import PPB
from sim.model.steps import write_multiple
from sim.model.words import write_time_of_day
from sim.rails.resources import BlockLedger, Station
from sim.scenario.closures import closed_spans
from sim.scenario.model import Scenario

_NAMED = 5
"""Places or times of one disruption that are named; the rest is counted."""


def disruption_words(scenario: Scenario, name: str) -> str:
    """Return what a disruption does to whom and when, as far as no luck is in it.

    Parameters
    ----------
    scenario : Scenario
    name : str
        Of the disruption.
    """
    one = scenario.disruptions[name]
    return f"Disruption {name}: {_what(one)} {_when(scenario, one)}{_luck(one)}"


def happened_lines(compiled: Compiled) -> Iterator[str]:
    """Yield every disruption with what it hits and, where chance decides, when it happens here."""
    scenario = compiled.scenario
    members = unfold_members(scenario.institutions)
    places = [part for part in compiled.parts if isinstance(part, Station | BlockLedger)]
    for name, one in sorted(scenario.disruptions.items()):
        found = [item for item in compiled.happened if item.name == name]
        words = disruption_words(scenario, name)
        if one.kind not in ("surge", "fx_jump"):
            whole = Occurrence(name, 0, 0, (one.target, *one.together))
            hit = [place.name for place in places_of(scenario, members, whole, places)]
            words += f"; {'slows' if one.kind == 'degradation' else 'closes'} {_some(hit)}"
        yield words
        if not one.is_certain:
            yield f"  here: {_some([_once(one, item) for item in found]) if found else 'never'}"


def _once(one: Disruption, found: Occurrence) -> str:
    lasts = found.stop_us - found.start_us
    times = f" for {span(lasts)}" if lasts else ""
    hit = f" ({joined(found.targets)})" if one.together else ""
    return f"{at(found.start_us)}{times}{hit}"


def _what(one: Disruption) -> str:
    who = f"the {one.role} of {one.target}" if one.role else one.target
    who = f"{one.station} of {one.target}" if one.station else who
    if one.kind == "outage":
        return f"{who} is out of service"
    if one.kind == "closure":
        return f"{who} is closed"
    times = write_multiple(one.times) if one.times is not None else ""
    if one.kind == "surge":
        return f"demand {who} is multiplied by {times}"
    if one.kind == "fx_jump":
        return f"the mid rate {who} is multiplied by {times}"
    parts = [f"takes {times} times as long"] if times else []
    parts += [f"has {share(Fraction(one.capacity, PPB))} of its capacity"] if one.capacity else []
    return f"{who} {joined(parts)}"


def _when(scenario: Scenario, one: Disruption) -> str:
    if one.kind == "closure":
        spans = closed_spans(scenario, one)
        inside = [(max(first, 0), min(last, scenario.clock.horizon)) for first, last in spans]
        told = _some([f"{at(first)} to {at(last)}" for first, last in inside])
        return f"{_hours(one)}: {told if spans else 'never in this run'}"
    if one.random is not None:
        failure, repair = one.random.time_to_failure, one.random.time_to_repair
        available = failure.mean() / (failure.mean() + repair.mean())
        return (
            f"at random: it works for {timing(failure)}, is mended in {timing(repair)}; available "
            f"{100 * available:.4g} % of the time"
        )
    start = start_us(scenario, one.from_, one.after)
    stop = start + (one.for_ or 0)
    first, last = (
        (scenario.clock.start + timedelta(microseconds=time_us)).strftime("%H:%M:%S")
        for time_us in (start, stop)
    )
    if one.for_ is None:
        words = f"at {first} ({at(start)})"
    else:
        words = f"from {first} to {last} ({at(start)}, for {span(one.for_)})"
    if start >= scenario.clock.horizon:
        return f"{words}; the run ends before"
    return f"{words}; the run ends first" if stop > scenario.clock.horizon else words


def _hours(one: Disruption) -> str:
    parts = []
    if one.calendars:
        parts.append(f"when banks of {joined(one.calendars)} are not open")
    if one.opens is not None or one.closes is not None:
        opens = write_time_of_day(one.opens or 0)
        closes = write_time_of_day(24 * 3600 if one.closes is None else one.closes)
        code = one.clock or (one.calendars[0] if one.calendars else None)
        parts.append(f"outside {opens} to {closes}{f' in {code}' if code else ''}")
    return " and ".join(parts)


def _luck(one: Disruption) -> str:
    """Return how likely it is, and whom it hits along."""
    words = "" if one.chance is None else f"; {share(Fraction(one.chance, PPB))} likely"
    others = [f"{name} ({share(Fraction(part, PPB))})" for name, part in one.together.items()]
    return f"{words}; along with it, by one draw: {listed(others)}" if others else words


def _some(names: Sequence[str]) -> str:
    """Return names, of many the first and how many more."""
    if len(names) <= _NAMED + 1:
        return listed(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def change_words(compiled: Compiled, row: Sequence[int]) -> str:
    """Return what a row of the agenda changes at a station or a ledger."""
    _, kind, subject, amount = row
    names = compiled.plan.names
    if kind == AgendaKind.READING:
        return "every place is read, where a window begins or ends"
    if kind == AgendaKind.LEDGER_BLOCK:
        return f"{names.ledgers[subject]} takes {count(amount, 'payment')} per block"
    station = names.stations[subject]
    if kind == AgendaKind.STATION_PACE:
        return f"{station} takes {amount / 10**6:g} times the time drawn"
    if kind == AgendaKind.STATION_SERVERS:
        return f"{station} has {count(amount, 'server')}"
    events = int(compiled.plan.station[subject, StationColumn.RATE_COUNT])
    return f"{station} starts {events} every {span(amount)}"

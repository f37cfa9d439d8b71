"""What disruptions do to the places, the demand and the rates of a plan.

Takes occurrences by name; gives closures and changes of stations and ledgers, multiples of demand
and jumps of rates, as parts with instants. Occurrences that overlap act together: a station is open
when none closes it, and multiples of slower places and of demand multiply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sim.compiler.builder import PlanBuilder
from sim.compiler.occurrences import Occurrence
from sim.compiler.parts import Change, Closure, Load, Reconciled, ShopPart, WindowPart
from sim.contract.agenda import PACE_MAX, AgendaKind
from sim.contract.layout import PPM
from sim.model.base import FieldPath
from sim.model.disruptions import Disruption
from sim.model.members import Member
from sim.model.quantities import PPB, CurrencyPair
from sim.model.steps import MULTIPLE_UNIT, product_of_steps
from sim.rails.resources import BlockLedger, Station
from sim.scenario.closures import merge_spans
from sim.scenario.model import Scenario

Place = Station | BlockLedger


@dataclass(frozen=True, slots=True)
class _Slower:
    """A span in which a place works more slowly, or does less at once."""

    start_us: int
    stop_us: int
    times: Fraction
    capacity: Fraction


def places_of(
    scenario: Scenario, members: Sequence[Member], found: Occurrence, places: Iterable[Place]
) -> list[Place]:
    """Return the stations, and of a degradation the ledgers, that an occurrence hits."""
    disruption = scenario.disruptions[found.name]
    role = {"settlement_agent": "screening"}.get(disruption.role or "", disruption.role)
    wanted = disruption.station or role
    owned = owned_places(scenario, members, found, places)
    return [one for one in owned if wanted in (None, one.name.rpartition(".")[2])]


def owned_places(
    scenario: Scenario, members: Sequence[Member], found: Occurrence, places: Iterable[Place]
) -> list[Place]:
    """Return the places of those an occurrence hits, whatever role they play."""
    disruption = scenario.disruptions[found.name]
    owners: list[str] = []
    for target in found.targets:
        entry = scenario.institutions.get(target)
        # An outage of a group closes each of its members.
        owners += [target, *(m.name for m in members if entry is not None and m.entry is entry)]
    prefixes = tuple(f"{owner}." for owner in owners)
    return [
        place
        for place in places
        if place.name.startswith(prefixes)
        and (isinstance(place, Station) or disruption.kind == "degradation")
    ]


def disrupted_places(
    scenario: Scenario,
    members: Sequence[Member],
    happened: Iterable[Occurrence],
    places: Sequence[Place],
) -> Iterator[Change | Closure]:
    """Yield what happens to places, slower ones first: who starts at an opening starts as it is."""
    # Hours a station keeps by itself are closures like any other.
    closed: dict[str, list[tuple[int, int]]] = {
        place.name: [(max(start, 0), stop) for start, stop in place.closed_us if stop > 0]
        for place in places
        if isinstance(place, Station)
    }
    slower: dict[str, list[_Slower]] = {}
    for found in happened:
        disruption = scenario.disruptions[found.name]
        # A disruption that began before the start is under way from the first instant.
        start = max(found.start_us, 0)
        for place in places_of(scenario, members, found, places):
            if disruption.kind in ("outage", "closure"):
                closed.setdefault(place.name, []).append((start, found.stop_us))
            elif disruption.kind == "degradation":
                slower.setdefault(place.name, []).append(_slower(disruption, start, found.stop_us))
    horizon = scenario.clock.horizon
    for place in places:
        changes = _changes(place, slower.get(place.name, []))
        yield from (change for change in changes if change.at_us < horizon)
    for place in places:
        for start, stop in merge_spans(closed.get(place.name, [])):
            # What ended before the start or begins after the horizon closes nothing.
            if stop > 0 and start < horizon:
                yield Closure(place.name, start, stop)


def nothing_to_hit(
    scenario: Scenario, members: Sequence[Member], places: Sequence[Place]
) -> Iterator[tuple[FieldPath, str]]:
    """Yield the disruptions of places that no place could meet, whatever the luck."""
    for name, one in sorted(scenario.disruptions.items()):
        if one.kind in ("surge", "fx_jump"):
            continue
        for target, where in (
            (one.target, (one.kind,)),
            *((key, ("together", key)) for key in one.together),
        ):
            if not places_of(scenario, members, Occurrence(name, 0, 0, (target,)), places):
                part = f" in the role {one.role}" if one.role else ""
                part = f" {one.station!r}" if one.station else part
                needs = "something to slow" if one.kind == "degradation" else "something to close"
                message = f"{target!r} has no station{part}; needed: {needs}"
                yield ("disruptions", name, *where), message


def surge_steps(scenario: Scenario, stream: str, happened: Iterable[Occurrence]) -> Steps:
    """Return the multiples of a stream by elapsed time: its own, times its surges."""
    steps: Steps = tuple(sorted(scenario.demand[stream].steps.items()))
    for found in happened:
        disruption = scenario.disruptions[found.name]
        if disruption.kind == "surge" and stream in found.targets:
            times = disruption.times or 0
            course = ((found.start_us, times), (found.stop_us, MULTIPLE_UNIT))
            steps = product_of_steps(steps, course)
    return steps


def rate_jumps(
    scenario: Scenario, happened: Iterable[Occurrence]
) -> dict[CurrencyPair, tuple[tuple[int, int], ...]]:
    """Return (instant, multiple in 10^-9) of every jump of a written pair, in order of time."""
    found: dict[CurrencyPair, list[tuple[int, int]]] = {}
    for one in happened:
        disruption = scenario.disruptions[one.name]
        if disruption.fx_jump is not None:
            jump = (one.start_us, disruption.times or MULTIPLE_UNIT)
            found.setdefault(disruption.fx_jump, []).append(jump)
    return {pair: tuple(sorted(jumps)) for pair, jumps in found.items()}


def lay_timed(
    builder: PlanBuilder, part: ShopPart | Change | Closure | WindowPart | Load | Reconciled
) -> None:
    """Add what the clock alone decides to a plan."""
    match part:
        case ShopPart():
            builder.add_shop(part.name, every_us=part.every_us, **part.columns)
        case Closure():
            builder.close_station(builder.stations[part.station], part.from_us, part.to_us)
        case WindowPart():
            builder.add_window(part.name, part.spans)
        case Load():
            builder.add_load(builder.ledgers[part.ledger], part.cell_us, part.joined)
        case Reconciled():
            for at_us in part.at_us:
                builder.reconcile(at_us)
        case Change():
            is_ledger = part.kind == AgendaKind.LEDGER_BLOCK
            names = builder.ledgers if is_ledger else builder.stations
            builder.change(part.at_us, part.kind, names[part.place], part.amount)


Steps = tuple[tuple[int, int], ...]
"""Elapsed microseconds and the multiple from then on, in 10^-9."""


def _slower(one: Disruption, start: int, stop: int) -> _Slower:
    times = MULTIPLE_UNIT if one.times is None else one.times
    capacity = PPB if one.capacity is None else one.capacity
    return _Slower(start, stop, Fraction(times, MULTIPLE_UNIT), Fraction(capacity, PPB))


def _changes(place: Place, slower: Sequence[_Slower]) -> Iterator[Change]:
    """Yield what changes at a place, kind by kind: the pace before who starts at it."""
    cuts = sorted({at for one in slower for at in (one.start_us, one.stop_us)})
    for kind, value in _sizes(place).items():
        before = _in_force(kind, value, [])
        for at in cuts:
            acting = [one for one in slower if one.start_us <= at < one.stop_us]
            now = _in_force(kind, value, acting)
            if now != before:
                yield Change(place.name, kind, at, now)
            before = now


def _sizes(place: Place) -> dict[AgendaKind, int]:
    """Return what of a place may change, and what it is; servers last, who then start."""
    if isinstance(place, BlockLedger):
        return {AgendaKind.LEDGER_BLOCK: place.block_limit}
    sizes = {AgendaKind.STATION_PACE: PPM}
    if place.rate_limit is not None:
        sizes[AgendaKind.STATION_RATE] = place.rate_limit.denominator
    if place.servers is not None:
        sizes[AgendaKind.STATION_SERVERS] = place.servers
    return sizes


def _in_force(kind: AgendaKind, value: int, acting: Iterable[_Slower]) -> int:
    """Return what is in force of a size while some spans act on it."""
    times = capacity = Fraction(1)
    for one in acting:
        times, capacity = times * one.times, capacity * one.capacity
    if kind == AgendaKind.STATION_PACE:
        return min(max(_round(value * times), 1), PACE_MAX)
    # Half the rate is twice the period.
    return max(_round(value / capacity if kind == AgendaKind.STATION_RATE else value * capacity), 1)


def _round(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)

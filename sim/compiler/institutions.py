"""Institutions and rails as parts of a plan: agents, stations, ledgers, accounts, closures.

Takes a scenario; gives who exists, what capacity each has, what money lies where, and when
something is out of service. Everything comes in the order of names, so that nothing depends on the
order of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sim.compiler.parts import Agent, Closure, Part
from sim.contract.meaning import Reason, WhenClosed
from sim.model.base import FieldPath
from sim.model.members import Member
from sim.model.quantities import to_minor
from sim.model.sections import Account
from sim.rails.institutions import CORE, DECLINE
from sim.rails.resources import Holding, OwnShare, OwnTime, Resource, Station
from sim.rails.stages import threshold
from sim.scenario.model import Scenario
from sim.units import CURRENCIES, DAY_US, SECOND_US


def world_parts(scenario: Scenario, members: Sequence[Member]) -> Iterator[Part]:
    """Yield agents, written accounts, and what rails and institutions bring.

    Parameters
    ----------
    scenario : Scenario
    members : sequence of Member
        They get accounts for customers in every currency of a corridor.
    """
    for member in members:
        yield Agent(member.name)
    for name, account in sorted(scenario.accounts.items()):
        yield _written_account(name, account)
    for name, rail in sorted(scenario.rails.items()):
        yield from rail.resources(scenario, name, members)
    ends = {
        end.currency
        for corridor in scenario.corridors.values()
        for end in (corridor.from_, corridor.to)
    }
    # Payers may hold what their corridor does not name.
    carried = {name for demand in scenario.demand.values() for name in demand.instruments}
    currencies = sorted(ends | (carried & set(CURRENCIES)))
    for member in members:
        yield from _member(member, currencies)


def _written_account(name: str, account: Account) -> Holding:
    """Return an account the scenario names, under its name."""
    currency = account.currency
    opening = to_minor(account.balance, currency)
    later = tuple(
        (deposit.after, to_minor(deposit.amount, currency))
        for _, deposit in sorted(account.deposits.items())
    )
    # A written account has what it says and no more; only accounts nobody wrote are without
    # limit.
    overdraft = 0 if account.overdraft is None else to_minor(account.overdraft, currency)
    # An account with nothing on it is looked at once, to be found low.
    watches = account.alarm_below is not None or account.stop_below is not None
    return Holding(
        name,
        currency,
        overdraft_minor=overdraft,
        is_watched=True,
        deposits=(*(((0, opening),) if opening or watches else ()), *later),
        guards=tuple(_guards(account)),
    )


def _guards(account: Account) -> Iterator[tuple[str, int]]:
    """Yield what is watched of a written account, and what its money costs."""
    for column, amount in (
        ("alarm_below", account.alarm_below),
        ("stop_below", account.stop_below),
    ):
        if amount is not None:
            yield column, to_minor(amount, account.currency)
    yield "idle_ppb", account.idle_rate
    yield "overdraft_ppb", account.overdraft_rate


def _member(member: Member, currencies: Sequence[str]) -> Iterator[Resource]:
    """Yield a member's systems, what it declines, its screening desk, its customers' accounts."""
    yield Station(
        f"{member.name}.core", servers=member.entry.core.servers, owner=member.name, kind=CORE
    )
    # By role, like the station: programs are compiled once for all banks, and each has its own.
    yield OwnTime(member.name, CORE, member.entry.core.service_time)
    yield OwnShare(member.name, DECLINE, threshold(member.entry.decline))
    # Only who opens a corridor for others screens what passes through.
    if member.settles:
        desk = member.entry.screening
        yield Station(
            f"{member.name}.screening",
            servers=desk.servers,
            when_closed=WhenClosed.REJECT,
            reason_closed=Reason.AB07,
        )
        yield Station(f"{member.name}.review", servers=desk.officers)
    for currency in currencies:
        # Two accounts: what customers hold, and the institution's own money as its counterpart.
        for kind in ("customers", "book"):
            yield Holding(
                f"{kind}:{member.name}:{currency}",
                currency,
                owner=member.name,
                kind=f"{kind}:{currency}",
            )


@dataclass(frozen=True, slots=True)
class Outage:
    """A disruption as it falls into a run.

    Attributes
    ----------
    name : str
        As the scenario names it.
    start_us, stop_us : int
        From when to when, since the start; not cut to the run.
    stations : tuple of str
        What it closes, in the order of the plan.
    """

    name: str
    start_us: int
    stop_us: int
    stations: tuple[str, ...] = ()


def find_outages(
    scenario: Scenario, members: Sequence[Member], stations: Iterable[str]
) -> tuple[Outage, ...]:
    """Return every disruption, in order of name, with the stations it closes."""
    names, found = tuple(stations), []
    for name, disruption in sorted(scenario.disruptions.items()):
        start = start_us(scenario, disruption.from_, disruption.after)
        entry = scenario.institutions.get(disruption.outage)
        owners = [member.name for member in members if entry is not None and member.entry is entry]
        # An outage of a group closes each of its members.
        closed = _stations_of(names, (disruption.outage, *owners), disruption.role)
        found.append(Outage(name, start, start + disruption.for_, tuple(closed)))
    return tuple(found)


def closures(
    scenario: Scenario,
    members: Sequence[Member],
    stations: Iterable[str],
    problems: list[tuple[FieldPath, str]],
) -> Iterator[Closure]:
    """Yield when the stations of what is out of service are closed.

    A disruption that closes nothing is a problem. Overlapping outages of one station are merged:
    it opens when the last of them ends.

    Parameters
    ----------
    stations : iterable of str
        All stations, in the order of the plan.
    problems : list
        Grows by what is wrong.
    """
    names = tuple(stations)
    spans: dict[str, list[tuple[int, int]]] = {}
    for outage in find_outages(scenario, members, names):
        disruption = scenario.disruptions[outage.name]
        if not outage.stations:
            part = f" in the role {disruption.role}" if disruption.role else ""
            message = f"{disruption.outage!r} has no station{part}; needed: something to close"
            problems.append((("disruptions", outage.name, "outage"), message))
        for station in outage.stations:
            # A disruption that began before the start is under way from the first instant.
            spans.setdefault(station, []).append((max(outage.start_us, 0), outage.stop_us))
    for station in names:
        for start, stop in merge_spans(spans.get(station, [])):
            # What ended before the start or begins after the horizon closes nothing.
            if stop > 0 and start < scenario.clock.horizon:
                yield Closure(station, start, stop)


def merge_spans(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the union of intervals as disjoint intervals in order."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        # Intervals that touch are one: otherwise the station would open and close in one
        # instant.
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def day_offset_us(scenario: Scenario) -> int:
    """Return the local time of day at the start, in microseconds."""
    start = scenario.clock.start
    seconds = (start.hour * 60 + start.minute) * 60 + start.second
    return seconds * SECOND_US + start.microsecond


def start_us(scenario: Scenario, time_of_day: int | None, after: int | None) -> int:
    """Return when something begins: after the start, or at the next such time of day from it on."""
    if after is not None:
        return after
    assert time_of_day is not None
    wait = time_of_day * SECOND_US - day_offset_us(scenario)
    # Already past today, so tomorrow's.
    return wait if wait >= 0 else wait + DAY_US


def _stations_of(
    stations: Sequence[str], owners: tuple[str, ...], role: str | None
) -> Iterator[str]:
    """Yield the stations that are closed when institutions or a rail are down."""
    prefixes = tuple(f"{owner}." for owner in owners)
    wanted = {"settlement_agent": "screening", "core": "core", "gateway": "gateway"}.get(role or "")
    for station in stations:
        part = station.rpartition(".")[2]
        if station.startswith(prefixes) and wanted in (None, part):
            yield station

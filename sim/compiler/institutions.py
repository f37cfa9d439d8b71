"""Institutions and rails as parts of a plan: agents, stations, ledgers, accounts.

Takes a scenario; gives who exists, what capacity each has and what money lies where. Everything
comes in the order of names, so that nothing depends on the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.compiler.parts import Agent, Part
from sim.contract.meaning import Reason, WhenClosed
from sim.contract.positions import POSITION, ROOM
from sim.model.fx import Inventory
from sim.model.members import Member
from sim.model.quantities import to_minor
from sim.model.sections import Account
from sim.rails.declines import DeclineKinds, own_declines
from sim.rails.institutions import CORE, DECLINE
from sim.rails.name_check import names_stations
from sim.rails.resources import Holding, OwnShare, OwnTime, Resource, Station
from sim.rails.screening import frozen_places
from sim.rails.stages import threshold
from sim.scenario.model import Scenario
from sim.units import known_currencies


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
    currencies = sorted(ends | (carried & set(known_currencies())))
    declines = DeclineKinds.of(scenario.institutions.values())
    for member in members:
        yield from _member(member, currencies)
        yield from own_declines(member.name, member.entry, declines)
    for name, provider in sorted(scenario.fx.providers.items()):
        for currency, inventory in sorted(provider.inventory.items()):
            yield from _position(name, currency, inventory)
    holders = (member.name for member in members if member.entry.holds_money)
    yield from names_stations(scenario.demand.values(), holders)


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


def _position(provider: str, currency: str, inventory: Inventory) -> Iterator[Holding]:
    """Yield a provider's position in a currency, and what it may still buy of it."""
    path = ("fx", "providers", provider, "inventory", currency)
    opening = to_minor(inventory.opening or "0", currency)
    yield Holding(
        f"{POSITION}{provider}:{currency}",
        currency,
        overdraft_minor=None if inventory.short is None else to_minor(inventory.short, currency),
        is_watched=True,
        deposits=((0, opening),) if opening else (),
        written=(*path, "opening"),
    )
    if inventory.long is not None:
        # A limit kept as a balance: with the position it always adds up to what may be held.
        left = to_minor(inventory.long, currency) - opening
        yield Holding(
            f"{ROOM}{provider}:{currency}",
            currency,
            overdraft_minor=0,
            is_watched=True,
            deposits=((0, left),) if left else (),
            written=(*path, "long"),
        )


def _guards(account: Account) -> Iterator[tuple[str, int]]:
    """Yield what is watched of a written account, and what its money costs."""
    for column, amount in (
        ("alarm_below", account.alarm_below),
        ("stop_below", account.stop_below),
        ("reserve", account.reserve),
    ):
        if amount is not None:
            yield column, to_minor(amount, account.currency)
    yield "idle_ppb", account.idle_rate or 0
    yield "overdraft_ppb", account.overdraft_rate or 0


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
        if desk.mode == "after":
            for place in frozen_places(member.name):
                yield Station(place)
    for currency in currencies:
        # Two accounts: what customers hold, and the institution's own money as its counterpart.
        for kind in ("customers", "book"):
            yield Holding(
                f"{kind}:{member.name}:{currency}",
                currency,
                owner=member.name,
                kind=f"{kind}:{currency}",
            )

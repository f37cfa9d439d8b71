"""Institutions, stations, ledgers and accounts of a scenario as plan rows.

Takes a scenario; lays who exists, what capacity each has and what money lies where. Everything is
laid in the order of names, so that nothing depends on the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sim.compiler.assemble import duration_table
from sim.compiler.builder import PlanBuilder
from sim.contract.spec import UNLIMITED, Reason, WhenClosed
from sim.model.base import FieldPath
from sim.model.quantities import EventRate, to_minor
from sim.network.graph import home_country
from sim.rails.bakong import GATEWAY_STATION, LEDGER_STATION, BakongRail, ledger_account
from sim.rails.generic import DISCIPLINES, GenericRail
from sim.rails.wallet_gateway import WalletGatewayRail, threshold
from sim.scenario.parts import Account, Institution
from sim.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Member:
    """Be one institution after entries that stand for several are unfolded.

    Attributes
    ----------
    name : str
    entry : Institution
        Its description.
    bakong_id : str
        Right side of its customers' account ids.
    payer_share, merchant_share : int
        Weights, comparable between members.
    """

    name: str
    entry: Institution
    bakong_id: str
    payer_share: int
    merchant_share: int


def unfold_members(scenario: Scenario) -> tuple[Member, ...]:
    """Return every institution by name; an entry for n equal ones gives n, sharing its weights."""
    members = []
    for key, entry in sorted(scenario.institutions.items()):
        for number in range(entry.members):
            suffix = f"_{number + 1:02d}" if entry.members > 1 else ""
            members.append(
                Member(
                    name=f"{key}{suffix}",
                    entry=entry,
                    bakong_id=f"{entry.bakong_id or key}{suffix.replace('_', '')}",
                    # Weights stay whole numbers when an entry is divided.
                    payer_share=entry.payer_share * 10_000 // entry.members,
                    merchant_share=entry.merchant_share * 10_000 // entry.members,
                )
            )
    return tuple(members)


def lay_world(
    builder: PlanBuilder, scenario: Scenario, members: tuple[Member, ...], currencies: set[str]
) -> None:
    """Add agents, stations, ledgers, accounts and opening balances.

    Parameters
    ----------
    builder : PlanBuilder
    scenario : Scenario
    members : tuple of Member
    currencies : set of str
        Currencies of all corridors; members get accounts for customers in each.
    """
    for member in members:
        builder.agents.add(member.name)
    _lay_written_accounts(builder, scenario)
    for name, rail in sorted(scenario.rails.items()):
        if isinstance(rail, BakongRail):
            _lay_ledger(builder, scenario, name, rail)
            _lay_ledger_accounts(builder, scenario, members, name)
        elif isinstance(rail, WalletGatewayRail):
            _lay_gateway(builder, name, rail)
        elif isinstance(rail, GenericRail):
            _lay_generic(builder, name, rail)
    for member in members:
        _lay_member(builder, member, currencies)


def rate_limit(rate: EventRate | None) -> tuple[int, int]:
    """Return (count, period in us) of a rate limit in lowest terms, (0, 0) for none."""
    return (0, 0) if rate is None else (rate.numerator, rate.denominator)


def _lay_ledger(builder: PlanBuilder, scenario: Scenario, name: str, rail: BakongRail) -> None:
    del scenario
    count, period = rate_limit(rail.gateway.rate_limit)
    builder.add_station(
        f"{name}.{GATEWAY_STATION}",
        queue_limit=rail.gateway.queue_limit,
        rate_count=count,
        rate_period_us=period,
        when_closed=WhenClosed.REJECT,
        reason_closed=Reason.AB07,
    )
    builder.add_ledger(
        f"{name}.{LEDGER_STATION}",
        round_interval_us=rail.round_interval,
        block_limit=rail.block_limit,
        vote_table=duration_table(builder, rail.vote_delay),
        peers=rail.peers,
        quorum=rail.quorum,
        idle_max_us=rail.idle_interval,
        leader_failure=threshold(rail.leader_failure),
    )


def _lay_gateway(builder: PlanBuilder, name: str, rail: WalletGatewayRail) -> None:
    count, period = rate_limit(rail.rate_limit)
    builder.add_station(
        f"{name}.gateway",
        queue_limit=rail.queue_limit,
        rate_count=count,
        rate_period_us=period,
        when_closed=WhenClosed.REJECT,
        reason_closed=Reason.AB07,
    )


def _lay_generic(builder: PlanBuilder, name: str, rail: GenericRail) -> None:
    for key, station in sorted(rail.stations.items()):
        count, period = rate_limit(station.rate_limit)
        values = {
            "rate_count": count,
            "rate_period_us": period,
            "discipline": int(DISCIPLINES[station.discipline]),
        }
        if station.servers is not None:
            values["servers"] = station.servers
        if station.queue_limit is not None:
            values["queue_limit"] = station.queue_limit
        builder.add_station(f"{name}.{key}", **values)


def _lay_written_accounts(builder: PlanBuilder, scenario: Scenario) -> None:
    """Add the accounts a scenario names, under their names."""
    for name, account in sorted(scenario.accounts.items()):
        overdraft = 0
        if account.overdraft is not None:
            overdraft = to_minor(account.overdraft, account.currency)
        index = builder.add_account(name, account.currency, overdraft=overdraft, watched=True)
        _lay_deposits(builder, index, account)


def _lay_deposits(builder: PlanBuilder, index: int, account: Account) -> None:
    opening = to_minor(account.balance, account.currency)
    if opening:
        builder.deposit(0, index, opening)
    for _, deposit in sorted(account.deposits.items()):
        builder.deposit(deposit.after, index, to_minor(deposit.amount, account.currency))


def _lay_ledger_accounts(
    builder: PlanBuilder, scenario: Scenario, members: tuple[Member, ...], rail_name: str
) -> None:
    """Give every member of a ledger an account in each of its currencies."""
    rail = scenario.rails[rail_name]
    assert isinstance(rail, BakongRail)
    home = home_country(scenario, rail)
    for member in members:
        if member.entry.country != home or not banks_here(member):
            continue
        for currency in sorted(rail.currencies):
            name = ledger_account(member.name, rail_name, currency)
            opening = rail.opening_balance.get(currency)
            index = builder.add_account(
                name,
                currency,
                # A ledger whose members' money is not described does not run out of it.
                overdraft=UNLIMITED if opening is None else 0,
                watched="settlement_agent" in member.entry.roles,
            )
            if opening:
                builder.deposit(0, index, to_minor(opening, currency))
            builder.assign_account(member.name, f"{rail_name}:{currency}", index)


def banks_here(member: Member) -> bool:
    """Say whether an institution holds customers' money, and so accounts on the ledger at home."""
    return bool({"issuer", "acquirer", "settlement_agent"} & set(member.entry.roles))


def _lay_member(builder: PlanBuilder, member: Member, currencies: set[str]) -> None:
    """Add a member's core system, its screening desk and its customers' accounts."""
    core = builder.add_station(f"{member.name}.core", servers=member.entry.core.servers)
    builder.assign_station(member.name, "core", core)
    if "settlement_agent" in member.entry.roles:
        desk = member.entry.screening
        builder.add_station(
            f"{member.name}.screening",
            servers=desk.servers,
            when_closed=WhenClosed.REJECT,
            reason_closed=Reason.AB07,
        )
        builder.add_station(f"{member.name}.review", servers=desk.officers)
    for currency in sorted(currencies):
        for kind in ("customers", "book"):
            name = f"{kind}:{member.name}:{currency}"
            index = builder.accounts.get(name)
            if index < 0:
                index = builder.add_account(name, currency)
            builder.assign_account(member.name, f"{kind}:{currency}", index)


def lay_disruptions(
    builder: PlanBuilder,
    scenario: Scenario,
    members: tuple[Member, ...],
    problems: list[tuple[FieldPath, str]],
) -> None:
    """Close the stations of what is out of service, for as long as it is.

    A disruption that closes nothing is a problem. Overlapping outages of one station are merged:
    it opens when the last of them ends.
    """
    spans: dict[int, list[tuple[int, int]]] = {}
    for name, disruption in sorted(scenario.disruptions.items()):
        start = _start_us(scenario, disruption.from_, disruption.after)
        stop = start + disruption.for_
        entry = scenario.institutions.get(disruption.outage)
        owners = [member.name for member in members if entry is not None and member.entry is entry]
        found = list(_stations_of(builder, (disruption.outage, *owners), disruption.role))
        if not found:
            part = f" in the role {disruption.role}" if disruption.role else ""
            message = f"{disruption.outage!r} has no station{part}; needed: something to close"
            problems.append((("disruptions", name, "outage"), message))
        for station in found:
            spans.setdefault(station, []).append((max(start, 0), stop))
    for station, closed in sorted(spans.items()):
        for start, stop in merge_spans(closed):
            if stop > 0 and start < scenario.clock.horizon:
                builder.close_station(station, start, stop)


def merge_spans(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the union of intervals as disjoint intervals in order."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def day_offset_us(scenario: Scenario) -> int:
    """Return the local time of day at the start, in microseconds."""
    start = scenario.clock.start
    seconds = (start.hour * 60 + start.minute) * 60 + start.second
    return seconds * 10**6 + start.microsecond


def _start_us(scenario: Scenario, time_of_day: int | None, after: int | None) -> int:
    """Return when a disruption begins: the next such time of day at or after the start."""
    if after is not None:
        return after
    assert time_of_day is not None
    wait = time_of_day * 10**6 - day_offset_us(scenario)
    return wait if wait >= 0 else wait + 86_400 * 10**6


def _stations_of(builder: PlanBuilder, owners: tuple[str, ...], role: str | None) -> Iterator[int]:
    """Yield the stations that are closed when institutions or a rail are down."""
    prefixes = tuple(f"{owner}." for owner in owners)
    wanted = {"settlement_agent": "screening", "core": "core", "gateway": "gateway"}.get(role or "")
    for index, station in enumerate(builder.stations.as_tuple()):
        part = station.rpartition(".")[2]
        if station.startswith(prefixes) and wanted in (None, part):
            yield index

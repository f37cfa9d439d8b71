"""What the sections of a scenario must agree on: small functions, each returning its problems.

Takes a scenario whose fields are each valid; gives (path, message) pairs. What needs routes or
programs is checked by the compiler.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sim.contract.spec import CANDIDATES_MAX, PEERS_MAX
from sim.errors import suggest
from sim.model.quantities import to_minor
from sim.rails.bakong import BakongRail
from sim.rails.khqr import MERCHANTS_MAX, KhqrRail
from sim.rails.wallet_gateway import WalletGatewayRail

if TYPE_CHECKING:
    from sim.scenario.scenario import Scenario

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str]]


def find_problems(scenario: Scenario) -> list[tuple[Path, str]]:
    """Return everything that does not fit together in a scenario."""
    return [found for check in _CHECKS for found in check(scenario)]


def _unknown(kind: str, found: str, known: Iterable[str]) -> str:
    """Say that a name is not known, which names are, and the closest one."""
    names = sorted(known)
    shown = ", ".join(names[:20]) or "none"
    return f"unknown {kind} {found!r}; known: {shown}.{suggest(found, names)}"


def _check_clock(scenario: Scenario) -> Found:
    clock = scenario.clock
    if clock.warm_up >= clock.horizon:
        yield ("clock", "warm_up"), "found a warm-up as long as the run; allowed: below the horizon"


def _check_rails(scenario: Scenario) -> Found:
    institutions = scenario.institutions
    for name, rail in scenario.rails.items():
        place: Path = ("rails", name)
        if isinstance(rail, BakongRail):
            yield from _check_ledger(rail, place)
        elif isinstance(rail, KhqrRail):
            yield from _check_codes(rail, place)
        elif isinstance(rail, WalletGatewayRail):
            for field in ("operator", "wallet", "acquirer"):
                found = getattr(rail, field)
                if found is not None and found not in institutions:
                    yield (*place, field), _unknown("institution", found, institutions)
            yield from _check_terms(scenario, name, rail)


def _check_ledger(rail: BakongRail, place: Path) -> Found:
    if rail.peers > PEERS_MAX:
        yield (*place, "peers"), f"found {rail.peers}; allowed: at most {PEERS_MAX}"
    for currency, amount in rail.opening_balance.items():
        if currency not in rail.currencies:
            allowed = ", ".join(rail.currencies)
            yield (
                (*place, "opening_balance", currency),
                f"found currency {currency}; allowed: {allowed}, the ledger's currencies",
            )
        elif amount < 0:
            yield (
                (*place, "opening_balance", currency),
                "found a negative balance; allowed: 0 or more",
            )
    for tier, limit in rail.limits.items():
        for currency, amount in (limit.per_payment or {}).items():
            day = limit.per_day.get(currency)
            if day is not None and amount > day:
                yield (
                    (*place, "limits", tier, "per_payment", currency),
                    f"found {amount}, above the limit per day of {day}; allowed: at most that",
                )


def _check_codes(rail: KhqrRail, place: Path) -> Found:
    if rail.merchants > MERCHANTS_MAX:
        yield (*place, "merchants"), f"found {rail.merchants}; allowed: at most {MERCHANTS_MAX}"
    total = sum(rail.currency_share.values())
    if total != 10**9:
        yield (
            (*place, "currency_share"),
            f"found shares adding up to {total / 10**7:g} %; allowed: 100 %",
        )


def _check_terms(scenario: Scenario, name: str, rail: WalletGatewayRail) -> Found:
    """Check a gateway's agents, accounts and start dates."""
    place: Path = ("rails", name)
    start = scenario.clock.start.date()
    for side in ("inbound", "outbound"):
        direction = getattr(rail, side)
        if direction is not None and direction.live_from > start and not direction.hypothetical:
            yield (
                (*place, side, "live_from"),
                f"found {direction.live_from}, after the clock's start {start}; allowed: a day up "
                "to the start, or 'hypothetical: true'",
            )
    for agent, terms in rail.settlement_agents.items():
        where: Path = (*place, "settlement_agents", agent)
        institution = scenario.institutions.get(agent)
        if institution is None:
            yield where, _unknown("institution", agent, scenario.institutions)
            continue
        if "settlement_agent" not in institution.roles:
            yield (
                where,
                f"{agent!r} is no settlement_agent; its roles: {', '.join(institution.roles)}",
            )
        if rail.outbound is not None and terms.nostro is None:
            yield where, "missing nostro; needed: the account that pays creditors abroad"
        settled_in = rail.outbound.settlement_currency if rail.outbound is not None else None
        for field, currency in (("prefunding", None), ("nostro", settled_in)):
            found = getattr(terms, field)
            if found is None:
                continue
            account = scenario.accounts.get(found)
            if account is None:
                yield (*where, field), _unknown("account", found, scenario.accounts)
            elif account.owner != agent:
                yield (
                    (*where, field),
                    f"account {found!r} belongs to {account.owner!r}; needed: {agent!r}",
                )
            elif currency is not None and account.currency != currency:
                yield (
                    (*where, field),
                    f"account {found!r} is in {account.currency}; needed: {currency}, the "
                    "settlement currency",
                )


def _check_accounts(scenario: Scenario) -> Found:
    for name, account in scenario.accounts.items():
        place: Path = ("accounts", name)
        if account.owner not in scenario.institutions:
            yield (*place, "owner"), _unknown("institution", account.owner, scenario.institutions)
        holders = {*scenario.rails, *scenario.institutions}
        if account.at not in holders:
            yield (*place, "at"), _unknown("rail or institution", account.at, holders)
        rail = scenario.rails.get(account.at)
        if isinstance(rail, BakongRail) and account.currency not in rail.currencies:
            allowed = ", ".join(rail.currencies)
            yield (
                (*place, "currency"),
                f"found {account.currency}; allowed at {account.at!r}: {allowed}",
            )
        yield from _check_amounts(account.currency, account.balance, (*place, "balance"))
        for key, deposit in account.deposits.items():
            where = (*place, "deposits", key, "amount")
            yield from _check_amounts(account.currency, deposit.amount, where)


def _check_amounts(currency: str, amount: object, place: Path) -> Found:
    try:
        minor = to_minor(str(amount), currency)
    except ValueError as problem:
        yield place, str(problem)
        return
    if minor < 0:
        yield place, f"found {amount}, a negative balance; allowed: 0 or more"


def _check_corridors(scenario: Scenario) -> Found:
    for name, corridor in scenario.corridors.items():
        place: Path = ("corridors", name)
        for position, rail in enumerate(corridor.rails or ()):
            if rail not in scenario.rails:
                yield (*place, "rails", position), _unknown("rail", rail, scenario.rails)
        if corridor.codes is not None and not isinstance(
            scenario.rails.get(corridor.codes), KhqrRail
        ):
            known = [key for key, rail in scenario.rails.items() if isinstance(rail, KhqrRail)]
            yield (*place, "codes"), _unknown("rail of kind khqr", corridor.codes, known)
        if corridor.foreign_codes is not None:
            total = sum(corridor.foreign_codes.schemes.values())
            if total != 10**9:
                yield (
                    (*place, "foreign_codes", "schemes"),
                    f"found shares adding up to {total / 10**7:g} %; allowed: 100 %",
                )
        if corridor.kyc_tier is not None:
            tiers = {
                tier
                for rail in scenario.rails.values()
                if isinstance(rail, BakongRail)
                for tier in rail.limits
            }
            if corridor.kyc_tier not in tiers:
                yield (*place, "kyc_tier"), _unknown("KYC tier", corridor.kyc_tier, tiers)


def _check_demand(scenario: Scenario) -> Found:
    for name, demand in scenario.demand.items():
        place: Path = ("demand", name)
        corridor = scenario.corridors.get(demand.corridor)
        if corridor is None:
            yield (*place, "corridor"), _unknown("corridor", demand.corridor, scenario.corridors)
            continue
        if (demand.rate is None) == (demand.payments is None):
            found = "neither" if demand.rate is None else "both"
            yield place, f"found {found} of rate and payments; allowed: exactly one of them"
        if demand.profile != "flat" and demand.profile not in scenario.profiles:
            yield (*place, "profile"), _unknown("profile", demand.profile, scenario.profiles)
        end = corridor.to if demand.fixed_side == "creditor" else corridor.from_
        if demand.amount is not None and demand.amount.currency != end.currency:
            yield (
                (*place, "amount"),
                f"found {demand.amount.currency}; needed: {end.currency}, the currency of the "
                f"{demand.fixed_side}'s end of corridor {demand.corridor!r}",
            )
        for position, payment in enumerate(demand.payments or ()):
            where = (*place, "payments", position, "amount")
            yield from _check_amounts(end.currency, payment.amount, where)
            if payment.at >= scenario.clock.horizon:
                where = (*place, "payments", position, "at")
                yield where, "found a time at or after the horizon; allowed: before it"
            if payment.payer >= demand.payers:
                where = (*place, "payments", position, "payer")
                yield where, f"found {payment.payer}; allowed: below payers = {demand.payers}"


def _check_profiles(scenario: Scenario) -> Found:
    for name, profile in scenario.profiles.items():
        for field, needed in (("hourly", 24), ("weekday", 7)):
            weights = getattr(profile, field)
            if len(weights) != needed:
                yield (
                    ("profiles", name, field),
                    f"found {len(weights)} weights; needed: {needed}",
                )
            elif sum(weights) == 0:
                yield ("profiles", name, field), "found only zeros; needed: a weight above 0"


def _check_routing(scenario: Scenario) -> Found:
    if scenario.routing.candidates > CANDIDATES_MAX:
        yield (
            ("routing", "candidates"),
            f"found {scenario.routing.candidates}; allowed: at most {CANDIDATES_MAX}",
        )


def _check_disruptions(scenario: Scenario) -> Found:
    known = {*scenario.rails, *scenario.institutions}
    for name, disruption in scenario.disruptions.items():
        place: Path = ("disruptions", name)
        if disruption.outage not in known:
            yield (*place, "outage"), _unknown("rail or institution", disruption.outage, known)
        if (disruption.from_ is None) == (disruption.after is None):
            found = "neither" if disruption.from_ is None else "both"
            yield place, f"found {found} of from and after; allowed: exactly one of them"


_CHECKS = (
    _check_clock,
    _check_rails,
    _check_accounts,
    _check_corridors,
    _check_demand,
    _check_profiles,
    _check_routing,
    _check_disruptions,
)

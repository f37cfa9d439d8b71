"""What rails must agree on with the rest of a scenario, each check returning its problems.

Takes a scenario whose fields are each valid; gives (path, message) pairs. Shared words of all
checks are here, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sim.contract.spec import PEERS_MAX
from sim.errors import suggest
from sim.model.pricing import Fee
from sim.model.quantities import EventRate, to_minor
from sim.rails.bakong import BakongRail
from sim.rails.generic import GenericLimit, GenericRail
from sim.rails.khqr import MERCHANTS_MAX, KhqrRail
from sim.rails.wallet_gateway import WalletGatewayRail, WalletLimits
from sim.units import CURRENCIES, format_minor

if TYPE_CHECKING:
    from sim.scenario.scenario import Scenario

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str]]


def check_rails(scenario: Scenario) -> Found:
    """Check every rail against the institutions, accounts and corridors it names."""
    institutions = scenario.institutions
    for name, rail in scenario.rails.items():
        place: Path = ("rails", name)
        if isinstance(rail, BakongRail):
            yield from _check_ledger(rail, place)
        elif isinstance(rail, KhqrRail):
            yield from _check_codes(rail, place)
        elif isinstance(rail, WalletGatewayRail):
            yield from _check_wallet(rail, place)
            yield from _check_terms(scenario, name, rail)
        elif isinstance(rail, GenericRail):
            yield from _check_chain(scenario, rail, place)
        for field in ("operator", "wallet", "acquirer"):
            found = getattr(rail, field, None)
            if found is None or field not in rail.model_fields_set:
                continue
            if found not in institutions:
                yield (*place, field), unknown("institution", found, institutions)
            elif institutions[found].members > 1 and field != "operator":
                yield (*place, field), _several(found, institutions[found].members)
        yield from _check_rates(scenario, rail, place)


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
        else:
            yield from check_amounts(currency, amount, (*place, "opening_balance", currency))
    for tier, limit in rail.limits.items():
        for field in ("per_payment", "per_day"):
            for currency, amount in (getattr(limit, field) or {}).items():
                where = (*place, "limits", tier, field, currency)
                if currency not in rail.currencies:
                    allowed = ", ".join(rail.currencies)
                    yield where, f"found currency {currency}; allowed: {allowed}"
                yield from check_amounts(currency, amount, where)
        for currency, amount in (limit.per_payment or {}).items():
            day = limit.per_day.get(currency)
            if day is not None and amount > day:
                yield (
                    (*place, "limits", tier, "per_payment", currency),
                    f"found {amount}, above the limit per day of {day}; allowed: at most that",
                )


def _several(name: str, members: int) -> str:
    return f"{name!r} stands for {members} institutions; needed: a single one"


def _check_wallet(rail: WalletGatewayRail, place: Path) -> Found:
    yield from _check_bounds(rail.currency, rail.limits, (*place, "limits"))


def _check_chain(scenario: Scenario, rail: GenericRail, place: Path) -> Found:
    currencies = {
        end.currency
        for corridor in scenario.corridors.values()
        for end in (corridor.from_, corridor.to)
    }
    # The currency of a chain's limit is known by corridor only; the finest one decides here.
    finest = max(sorted(currencies), key=lambda code: CURRENCIES[code].exponent)
    for position, stage in enumerate(rail.stages):
        if stage.limit is not None:
            yield from _check_bounds(finest, stage.limit, (*place, "stages", position, "limit"))


def _check_bounds(currency: str, limit: WalletLimits | GenericLimit, place: Path) -> Found:
    """Check the two bounds of a limit in one currency."""
    for field in ("per_payment", "per_day"):
        if getattr(limit, field) is not None:
            yield from check_amounts(currency, getattr(limit, field), (*place, field))
    payment, day = limit.per_payment, limit.per_day
    if payment is not None and day is not None and payment > day:
        yield (
            (*place, "per_payment"),
            f"found {payment}, above the limit per day of {day}; allowed: at most that",
        )


def _check_rates(scenario: Scenario, rail: object, place: Path) -> Found:
    """Check that a rate limit times the clock stays a 64-bit number."""
    rates: list[tuple[Path, EventRate | None]] = []
    if isinstance(rail, BakongRail):
        rates = [((*place, "gateway", "rate_limit"), rail.gateway.rate_limit)]
    elif isinstance(rail, WalletGatewayRail):
        rates = [((*place, "rate_limit"), rail.rate_limit)]
    elif isinstance(rail, GenericRail):
        rates = [
            ((*place, "stations", name, "rate_limit"), station.rate_limit)
            for name, station in rail.stations.items()
        ]
    for where, rate in rates:
        if rate is None:
            continue
        # Ten thousand years of rounds fit; a finer rate over a longer run would not.
        if rate.numerator * scenario.clock.horizon + rate.denominator >= 1 << 62:
            yield where, f"found '{rate}', too fine for a run this long; allowed: a rounder rate"


def _check_fees(fees: dict[str, Fee], place: Path, scenario: Scenario) -> Found:
    for name, fee in fees.items():
        if fee.recipient is not None and fee.recipient not in scenario.institutions:
            where = (*place, "fees", name, "recipient")
            yield where, unknown("institution", fee.recipient, scenario.institutions)


def check_recipients(scenario: Scenario) -> Found:
    """Check that whoever receives a fee is known."""
    for name, corridor in scenario.corridors.items():
        yield from _check_fees(corridor.fees, ("corridors", name), scenario)
    for name, rail in scenario.rails.items():
        if isinstance(rail, GenericRail):
            yield from _check_fees(rail.fees, ("rails", name), scenario)
        elif isinstance(rail, WalletGatewayRail):
            for side in ("inbound", "outbound"):
                direction = getattr(rail, side)
                if direction is not None:
                    yield from _check_fees(direction.fees, ("rails", name, side), scenario)


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
            yield where, unknown("institution", agent, scenario.institutions)
            continue
        if institution.members > 1:
            yield where, _several(agent, institution.members)
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
                yield (*where, field), unknown("account", found, scenario.accounts)
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
            elif field == "prefunding":
                yield from _check_prefunding(scenario, rail, agent, (*where, field))


def _check_prefunding(
    scenario: Scenario, rail: WalletGatewayRail, agent: str, place: Path
) -> Found:
    """Check that an agent pays creditors from a ledger, in their currency."""
    name = rail.settlement_agents[agent].prefunding
    assert name is not None
    account = scenario.accounts[name]
    if not isinstance(scenario.rails.get(account.at), BakongRail):
        ledgers = [key for key, found in scenario.rails.items() if isinstance(found, BakongRail)]
        yield (
            place,
            f"account {name!r} is at {account.at!r}; needed: a ledger that pays creditors: "
            f"{', '.join(sorted(ledgers)) or 'none here'}",
        )
    wallet = scenario.institutions.get(rail.wallet)
    here = scenario.institutions[agent].country
    for key, corridor in scenario.corridors.items():
        is_served = (
            wallet is not None
            and (corridor.from_.country, corridor.from_.currency) == (wallet.country, rail.currency)
            and corridor.to.country == here
            and (corridor.rails is None or rail in map(scenario.rails.get, corridor.rails))
        )
        if is_served and rail.inbound is not None and corridor.to.currency != account.currency:
            yield (
                place,
                f"account {name!r} is in {account.currency}; needed: {corridor.to.currency}, in "
                f"which corridor {key!r} credits",
            )


def unknown(kind: str, found: str, known: Iterable[str]) -> str:
    """Say that a name is not known, which names are, and the closest one."""
    names = sorted(known)
    shown = ", ".join(names[:20]) or "none"
    return f"unknown {kind} {found!r}; known: {shown}.{suggest(found, names)}"


def check_amounts(currency: str, amount: object, place: Path, *, granule: int = 1) -> Found:
    """Check that an amount is a whole number of minor units, or of a coarser step."""
    try:
        minor = to_minor(str(amount), currency)
    except ValueError as problem:
        yield place, str(problem)
        return
    if minor % granule:
        step = format_minor(granule, currency)
        yield place, f"found '{format_minor(minor, currency)}'; allowed: whole steps of {step}"

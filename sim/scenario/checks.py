"""What the sections of a scenario must agree on: small functions, each returning its problems.

Takes a scenario whose fields are each valid; gives (path, message) pairs. What needs routes or
programs is checked by the compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.contract.layout import HORIZON_MAX_US
from sim.model.base import FieldPath
from sim.model.currencies import declared_of
from sim.model.quantities import PPB
from sim.rails.asking import retry_problems
from sim.rails.merchants import MERCHANTS_MAX
from sim.rails.problems import Found, check_amounts, unknown
from sim.rails.settlement_agents import below
from sim.scenario.answers import check_answer
from sim.scenario.channel_checks import channel_problems
from sim.scenario.disruption_checks import check_disruptions
from sim.scenario.fx_checks import fx_problems
from sim.scenario.guard_checks import guard_problems
from sim.scenario.load_checks import load_problems
from sim.scenario.rail_checks import check_rails, check_recipients
from sim.scenario.routing_checks import routing_problems
from sim.scenario.shop_checks import shop_problems
from sim.units import DAY_US, currency_of, format_minor

if TYPE_CHECKING:
    from sim.model.sections import Demand
    from sim.scenario.model import Scenario

MEMBERS_MAX = 10_000
PAYERS_MAX = 100_000_000
"""Most payers of a stream: daily limits are kept for each."""
_OF_A_RATE = ("steps", "profile", "count", "amount", "payer_skew")
"""Settings of payments that are drawn; a written list says all of this itself."""


def find_problems(scenario: Scenario) -> list[tuple[FieldPath, str]]:
    """Return everything that does not fit together in a scenario."""
    # All checks, in the order in which sections stand in a file.
    return [found for check in _CHECKS for found in check(scenario)]


def _check_clock(scenario: Scenario) -> Found:
    clock = scenario.clock
    if clock.warm_up >= clock.horizon:
        yield ("clock", "warm_up"), "found a warm-up as long as the run; allowed: below the horizon"
    if clock.horizon > HORIZON_MAX_US:
        years = HORIZON_MAX_US // (365 * DAY_US)
        yield (
            ("clock", "horizon"),
            f"found {clock.horizon // DAY_US:,} d; allowed: at most {years} years",
        )


def _check_currencies(scenario: Scenario) -> Found:
    problems: list[tuple[FieldPath, str]] = []
    declared = {one.code for one in declared_of(scenario.currencies, problems)}
    for path, message in problems:
        yield ("currencies", *path), message
    for name, corridor in scenario.corridors.items():
        if corridor.foreign_codes is not None and corridor.to.currency in declared:
            yield (
                ("corridors", name, "foreign_codes"),
                f"found codes in {corridor.to.currency}, which is declared here; allowed: a "
                "currency that is built in, as codes carry its number (ISO 4217)",
            )


def _check_institutions(scenario: Scenario) -> Found:
    ids: dict[str, str] = {}
    for name, institution in scenario.institutions.items():
        if name in scenario.rails:
            yield ("institutions", name), "found a rail of the same name; allowed: another name"
        if institution.members > MEMBERS_MAX:
            message = f"found {institution.members:,}; allowed: at most {MEMBERS_MAX:,}"
            yield ("institutions", name, "members"), message
        bakong_id = institution.bakong_id or name
        # Codes name banks by this id, so two of one id could not be told apart.
        if ids.setdefault(bakong_id, name) != name:
            message = f"found {bakong_id!r}, which is {ids[bakong_id]!r}; allowed: one of its own"
            yield ("institutions", name, "bakong_id"), message
        debit = institution.decline + sum(institution.declines.debit.values())
        for field, total in (
            ("debit", debit if institution.declines.debit else 0),
            ("credit", sum(institution.declines.credit.values())),
        ):
            if total > PPB:
                beside = " with decline" if field == "debit" else ""
                message = f"found {total / 10**7:g} % in all{beside}; allowed: up to 100 %"
                yield ("institutions", name, "declines", field), message
        for field in ("payer_share", "merchant_share"):
            if getattr(institution, field) and not institution.holds_money:
                yield (
                    ("institutions", name, field),
                    f"found a share of an institution without customers (its roles: "
                    f"{', '.join(institution.roles) or 'none'}); needed: issuer, acquirer or "
                    "settlement_agent among them",
                )


def _check_accounts(scenario: Scenario) -> Found:
    for name, account in scenario.accounts.items():
        place: FieldPath = ("accounts", name)
        if account.owner not in scenario.institutions:
            yield (*place, "owner"), unknown("institution", account.owner, scenario.institutions)
        holders = {*scenario.rails, *scenario.institutions}
        if account.at not in holders:
            yield (*place, "at"), unknown("rail or institution", account.at, holders)
        rail = scenario.rails.get(account.at)
        # An account at an institution may be in any currency, one on a ledger in the ledger's
        # only.
        held = rail.held_currencies if rail is not None else ()
        if held and account.currency not in held:
            allowed = ", ".join(held)
            yield (
                (*place, "currency"),
                f"found {account.currency}; allowed at {account.at!r}: {allowed}",
            )
        yield from check_amounts(account.currency, account.balance, (*place, "balance"))
        if account.overdraft is not None:
            yield from check_amounts(account.currency, account.overdraft, (*place, "overdraft"))
        yield from guard_problems(account, place)
        for key, deposit in account.deposits.items():
            where = (*place, "deposits", key, "amount")
            yield from check_amounts(account.currency, deposit.amount, where)


def _check_corridors(scenario: Scenario) -> Found:
    for name, corridor in scenario.corridors.items():
        place: FieldPath = ("corridors", name)
        for position, rail in enumerate(corridor.rails or ()):
            if rail not in scenario.rails:
                yield (*place, "rails", position), unknown("rail", rail, scenario.rails)
        schemes = [key for key, rail in scenario.rails.items() if rail.code_scheme is not None]
        if corridor.codes is not None and corridor.codes not in schemes:
            yield (*place, "codes"), unknown("rail of codes", corridor.codes, schemes)
        if corridor.foreign_codes is not None:
            if corridor.foreign_codes.merchants > MERCHANTS_MAX:
                yield (
                    (*place, "foreign_codes", "merchants"),
                    f"found {corridor.foreign_codes.merchants}; allowed: at most {MERCHANTS_MAX}",
                )
            total = sum(corridor.foreign_codes.schemes.values())
            # Shares are whole parts per billion, so their sum is exact.
            if total != 10**9:
                yield (
                    (*place, "foreign_codes", "schemes"),
                    f"found shares adding up to {total / 10**7:g} %; allowed: 100 %",
                )
        if corridor.kyc_tier is not None:
            tiers = {tier for rail in scenario.rails.values() for tier in rail.kyc_tiers}
            if corridor.kyc_tier not in tiers:
                yield (*place, "kyc_tier"), unknown("KYC tier", corridor.kyc_tier, tiers)


def _check_demand(scenario: Scenario) -> Found:
    # A run of nothing measures nothing.
    if not scenario.demand:
        yield ("demand",), "found no stream; needed: at least one"
    for name, demand in scenario.demand.items():
        place: FieldPath = ("demand", name)
        corridor = scenario.corridors.get(demand.corridor)
        if corridor is None:
            yield (*place, "corridor"), unknown("corridor", demand.corridor, scenario.corridors)
            continue
        sources = ("rate", "payments", "trace")
        given = [field for field in sources if getattr(demand, field) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            yield place, f"found {found}; allowed: exactly one of {', '.join(sources)}"
        listed = "a written list" if demand.payments is not None else "a trace"
        for field in _OF_A_RATE if demand.rate is None and given else ():
            # A trace may leave open who pays.
            is_open = field == "payer_skew" and demand.trace is not None
            if field in demand.model_fields_set and not is_open:
                yield (*place, field), f"found {field} of {listed}; allowed: with a rate"
        yield from load_problems(scenario, name, demand)
        if demand.payments == ():
            yield (*place, "payments"), "found an empty list; allowed: at least one payment"
        if demand.payers > PAYERS_MAX:
            message = f"found {demand.payers:,}; allowed: at most {PAYERS_MAX:,}"
            yield (*place, "payers"), message
        if demand.after_failure is not None:
            where = (*place, "after_failure", "retry")
            yield from below(where, retry_problems(demand.after_failure.retry))
        if demand.profile != "flat" and demand.profile not in scenario.profiles:
            yield (
                (*place, "profile"),
                unknown("profile", demand.profile, {*scenario.profiles, "flat"}),
            )
        end = corridor.to if demand.fixed_side == "creditor" else corridor.from_
        if demand.amount is not None and demand.amount.currency != end.currency:
            yield (
                (*place, "amount"),
                f"found {demand.amount.currency}; needed: {end.currency}, the currency of the "
                f"{demand.fixed_side}'s end of corridor {demand.corridor!r}",
            )
        granule = currency_of(end.currency).granule
        if demand.amount is not None and demand.amount.family == "constant":
            minor = round(demand.amount.mean())
            # Otherwise the currency is wrong, which was said already.
            if demand.amount.currency == end.currency and minor % granule:
                step = format_minor(granule, end.currency)
                found = format_minor(minor, end.currency)
                yield (*place, "amount"), f"found '{found}'; allowed: whole steps of {step}"
        for position, payment in enumerate(demand.payments or ()):
            where = (*place, "payments", position, "amount")
            yield from check_amounts(end.currency, payment.amount, where, granule=granule)
            if payment.amount == 0:
                yield where, f"found '{payment.amount}'; allowed: an amount above 0"
            if payment.at >= scenario.clock.horizon:
                where = (*place, "payments", position, "at")
                yield where, "found a time at or after the horizon; allowed: before it"
            if payment.payer >= demand.payers:
                where = (*place, "payments", position, "payer")
                yield where, f"found {payment.payer}; allowed: below payers = {demand.payers}"


def _check_instruments(scenario: Scenario) -> Found:
    """Check what payers carry, and that a second one comes to be used."""
    held = {code for rail in scenario.rails.values() for code in rail.held_currencies}
    for name, demand in scenario.demand.items():
        place: FieldPath = ("demand", name, "instruments")
        corridor = scenario.corridors.get(demand.corridor)
        own = "" if corridor is None else corridor.from_.currency
        known = {*scenario.institutions, *held, *filter(None, (own,))}
        for key in demand.instruments:
            if key not in known:
                yield (*place, key), unknown("instrument", key, known)
        total = sum(demand.instruments.values())
        if demand.instruments and total != PPB:
            yield place, f"found shares adding up to {total / 10**7:g} %; allowed: 100 %"
        # Amounts the payer fixes are in the payer's currency, of which a stream has one.
        other = (held & set(demand.instruments)) - {own}
        if demand.fixed_side == "debtor" and other:
            yield (
                (*place, min(other)),
                "found another currency where payers fix the amount; allowed: with amounts "
                "that payees fix",
            )
        yield from _check_seconds(demand, ("demand", name, "second_instrument"))


def _check_seconds(demand: Demand, place: FieldPath) -> Found:
    for first, shares in demand.second_instrument.items():
        if first not in demand.instruments:
            yield (*place, first), unknown("instrument", first, demand.instruments)
        for second in shares:
            if second == first:
                yield (*place, first, second), "found the first again; allowed: another one"
            elif second not in demand.instruments:
                yield (*place, first, second), unknown("instrument", second, demand.instruments)
        total = sum(shares.values())
        if total > PPB:
            yield (*place, first), f"found {total / 10**7:g} % in all; allowed: up to 100 %"
    if demand.second_instrument and demand.after_failure is None:
        yield place, "found second instruments nobody takes; needed: after_failure"


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


def _check_windows(scenario: Scenario) -> Found:
    for name, window in scenario.windows.items():
        place: FieldPath = ("windows", name)
        ways = ("from_", "at", "before", "during", "after")
        said = [way.rstrip("_") for way in ways if getattr(window, way) is not None]
        if len(said) != 1:
            found = " and ".join(said) or "none of them"
            yield (
                place,
                (f"found {found}; allowed: exactly one of from, at, before, during and after"),
            )
            continue
        if window.disruption is not None and window.disruption not in scenario.disruptions:
            message = unknown("disruption", window.disruption, scenario.disruptions)
            yield (*place, said[0]), message
        elif window.during is not None and scenario.disruptions[window.during].fx_jump is not None:
            message = "found a jump, which takes no time; allowed: after it, for some time"
            yield (*place, "during"), message
        if said == ["during"] and window.for_ is not None:
            message = "found a length beside during; allowed: it lasts as long as the disruption"
            yield (*place, "for"), message
        if said != ["during"] and window.for_ is None:
            yield place, f"found {said[0]} without a length; needed: for, such as 30 min"


_CHECKS = (
    check_answer,
    _check_clock,
    _check_currencies,
    fx_problems,
    _check_institutions,
    check_rails,
    check_recipients,
    _check_accounts,
    _check_corridors,
    _check_demand,
    shop_problems,
    channel_problems,
    _check_instruments,
    _check_profiles,
    routing_problems,
    check_disruptions,
    _check_windows,
)

"""What rails must agree on with the rest of a scenario, each check returning its problems.

Takes a scenario whose fields are each valid; gives (path, message) pairs. What only one kind of
rail can judge it judges itself (:meth:`~sim.rails.protocol.Rail.problems`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.model.base import FieldPath
from sim.model.pricing import Fee
from sim.rails.links import Link
from sim.rails.problems import Found, check_amounts, several, unknown
from sim.rails.protocol import Rail
from sim.units import currency_of, format_minor

if TYPE_CHECKING:
    from sim.scenario.model import Scenario


def check_rails(scenario: Scenario) -> Found:
    """Check every rail against the institutions, accounts and corridors it names."""
    for name, rail in scenario.rails.items():
        place: FieldPath = ("rails", name)
        yield from _check_links(scenario, rail, place)
        for path, message in rail.problems(scenario, name):
            yield (*place, *path), message
        for field, found in rail.named_institutions():
            if found not in scenario.institutions:
                yield (*place, field), unknown("institution", found, scenario.institutions)
            # A group of alike banks has no account of its own that a rail could mean.
            elif scenario.institutions[found].members > 1:
                yield (*place, field), several(found, scenario.institutions[found].members)
        yield from _check_rates(scenario, rail, place)
        yield from _check_amount_rules(rail, (*place, "amounts"))


def _check_links(scenario: Scenario, rail: Rail, place: FieldPath) -> Found:
    """Check that links are live at the start, or marked as hypothetical."""
    start = scenario.clock.start.date()
    links = rail.links()
    for link in links:
        if link.institution:
            yield from _check_joined(scenario, links, link, place)
            continue
        # A link that did not exist yet is allowed, but has to be called what it is.
        if link.live_from > start and not link.is_hypothetical:
            yield (
                (*place, *((link.use,) if link.use else ()), "live_from"),
                f"found {link.live_from}, after the clock's start {start}; allowed: a day "
                "up to the start, or 'hypothetical: true'",
            )


def _check_joined(scenario: Scenario, links: Sequence[Link], own: Link, place: FieldPath) -> Found:
    """Check that who joined is known, and joined what there was."""
    where = (*place, *((own.use,) if own.use else ()), "joined", own.institution)
    if own.institution not in scenario.institutions:
        yield where, unknown("institution", own.institution, scenario.institutions)
    for link in links:
        if link.use == own.use and not link.institution and own.live_from < link.live_from:
            yield (
                (*where, "live_from"),
                f"found {own.live_from}, before the link itself; allowed: {link.live_from} or "
                "later",
            )


def _check_rates(scenario: Scenario, rail: Rail, place: FieldPath) -> Found:
    """Check that a rate limit times the clock stays a 64-bit number."""
    for path, rate in rail.rates():
        if rate is None:
            continue
        # Ten thousand years of rounds fit; a finer rate over a longer run would not.
        if rate.numerator * scenario.clock.horizon + rate.denominator >= 1 << 62:
            where = (*place, *path)
            yield where, f"found '{rate}', too fine for a run this long; allowed: a rounder rate"


def _check_amount_rules(rail: Rail, place: FieldPath) -> Found:
    """Check that least amounts and steps are amounts of their currency."""
    for currency, rule in rail.amount_rules.items():
        granule = currency_of(currency).granule
        if rule.minimum is not None:
            yield from check_amounts(currency, rule.minimum, (*place, currency, "minimum"))
        if rule.step is not None:
            where = (*place, currency, "step")
            yield from check_amounts(currency, rule.step, where, granule=granule)
            if rule.step == 0:
                yield where, f"found '{rule.step}'; allowed: a step above 0"


def check_recipients(scenario: Scenario) -> Found:
    """Check that whoever receives a fee is known."""
    for name, corridor in scenario.corridors.items():
        yield from _check_fees(corridor.fees, ("corridors", name), scenario)
    for name, rail in scenario.rails.items():
        for path, fees in rail.all_fees():
            yield from _check_fees(fees, ("rails", name, *path), scenario)


def _check_fees(fees: Mapping[str, Fee], place: FieldPath, scenario: Scenario) -> Found:
    for name, fee in fees.items():
        where = (*place, "fees", name)
        if fee.recipient is not None and fee.recipient not in scenario.institutions:
            yield (
                (*where, "recipient"),
                unknown("institution", fee.recipient, scenario.institutions),
            )
        for path, money in fee.amounts():
            granule = currency_of(money.currency).granule
            # A fee is charged in whole steps of its currency; a finer bound could not be kept.
            if money.amount_minor % granule:
                step = format_minor(granule, money.currency)
                yield (*where, *path), f"found '{money}'; allowed: whole steps of {step}"

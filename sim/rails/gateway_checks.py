"""What a wallet gateway's settings must agree on, and which of them change nothing.

Takes a gateway and the scenario around it; gives problems and notes, paths starting at the rail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, Self, TypeVar

from sim.model.base import FieldPath
from sim.rails.directions import served_corridors
from sim.rails.problems import check_bounds
from sim.rails.protocol import Found, Leg, LegContext, LegTerms, World
from sim.rails.settlement_agents import (
    SettlementAgentTerms,
    account_problems,
    agent_problems,
    prefunding_problems,
)
from sim.rails.stages import Bounds


class Gateway(Protocol):
    """The settings of a gateway that are looked at here."""

    @property
    def wallet(self) -> str:
        """Return the institution whose customers pay through it."""

    @property
    def currency(self) -> str:
        """Return the wallet's currency."""

    @property
    def limits(self) -> Bounds:
        """Return the wallet's limits."""

    @property
    def inbound(self) -> Way | None:
        """Return the terms of payments coming in."""

    @property
    def outbound(self) -> Way | None:
        """Return the terms of payments going out."""

    @property
    def settlement_agents(self) -> dict[str, SettlementAgentTerms]:
        """Return the terms of institutions here."""

    @property
    def model_fields_set(self) -> set[str]:
        """Return the fields that are written."""

    def model_copy(self, *, update: dict[str, object]) -> Self:
        """Return the same with other settings."""

    def terms(self, at: LegContext) -> LegTerms:
        """Return what a leg costs and converts."""


class Way(Protocol):
    """The terms of one direction."""

    @property
    def settlement_currency(self) -> str:
        """Return the currency gateway and agent settle in."""

    @property
    def spread(self) -> int:
        """Return the margin, in millionths."""

    def model_copy(self, *, update: dict[str, object]) -> Self:
        """Return the same with other settings."""


Terms = TypeVar("Terms", Way, SettlementAgentTerms)

_ONLY = {
    "inbound": ("needs_unionpay_tag", "needs_creditor_currency", "limits", "wallets"),
    "outbound": ("acquirer", "schemes", "debit_first"),
}
"""Settings that speak of one direction only."""
_ONLY_OF_AGENT = {"inbound": "prefunding", "outbound": "nostro"}


def gateway_problems(rail: Gateway) -> Found:
    """Yield limits that are none, and settings of a direction the gateway does not have."""
    yield from check_bounds(rail.currency, rail.limits, ("limits",))
    yield from _direction_problems(rail)


def _direction_problems(rail: Gateway) -> Found:
    """Yield settings of a direction the gateway does not have."""
    if rail.inbound is None and rail.outbound is None:
        yield (), "found neither inbound nor outbound; needed: at least one of them"
        return
    for use, fields in _ONLY.items():
        if getattr(rail, use) is not None:
            continue
        for field in fields:
            if field in rail.model_fields_set:
                yield (field,), _of_a_missing(use)
        for agent, terms in rail.settlement_agents.items():
            field = _ONLY_OF_AGENT[use]
            if getattr(terms, field) is not None:
                yield ("settlement_agents", agent, field), _of_a_missing(use)


def _of_a_missing(use: str) -> str:
    return f"found a setting of payments {use} on a rail without '{use}'; allowed: beside it"


def idle_in_gateway(rail: Gateway, world: World, name: str, legs: Sequence[Leg]) -> Found:
    """Yield directions and agents no route uses, and margins nothing is converted at."""
    for use in ("inbound", "outbound"):
        direction, running = getattr(rail, use), [leg for leg in legs if leg.use == use]
        if direction is None:
            continue
        if not running:
            yield (use,), f"no route uses this rail {use}"
            continue
        other = rail.model_copy(update={use: _of_another_margin(direction)})
        if direction.spread and not _priced_apart(rail, other, world, name, running):
            yield (use, "spread"), "no payment is converted at this margin"
    for agent, terms in rail.settlement_agents.items():
        place: FieldPath = ("settlement_agents", agent)
        running = [leg for leg in legs if agent in (leg.start, leg.end)]
        if not running:
            yield place, "no route goes through this agent"
            continue
        others = {**rail.settlement_agents, agent: _of_another_margin(terms)}
        other = rail.model_copy(update={"settlement_agents": others})
        is_written = "spread" in terms.model_fields_set
        if is_written and not _priced_apart(rail, other, world, name, running):
            yield (*place, "spread"), "the agent converts nothing here"


def _of_another_margin(terms: Terms) -> Terms:
    """Return terms with another margin: what does not show in any price is not used."""
    # Downwards where there is any: there is none beyond 100 %.
    return terms.model_copy(update={"spread": terms.spread - 1 if terms.spread else 1})


def _priced_apart(
    rail: Gateway,
    other: Gateway,
    world: World,
    name: str,
    legs: Sequence[Leg],
) -> bool:
    """Say whether two gateways ask different terms on any of some legs."""
    return any(first != second for first, second in _terms(rail, other, world, name, legs))


def _terms(
    rail: Gateway,
    other: Gateway,
    world: World,
    name: str,
    legs: Sequence[Leg],
) -> Iterator[tuple[LegTerms, LegTerms]]:
    for leg in legs:
        # A gateway's terms depend on nothing around its leg, so a corridor stands for all.
        corridor = next(iter(world.corridors.values()))
        at = LegContext(world, corridor, name, (leg,), 0, leg.target)
        yield rail.terms(at), other.terms(at)


def agent_account_problems(
    rail: Gateway, world: World, agent: str, terms: SettlementAgentTerms
) -> Found:
    """Yield what is wrong with a settlement agent and the accounts it pays from."""
    yield from agent_problems(world, agent)
    if agent not in world.institutions:
        return
    outbound = rail.outbound
    if outbound is not None and terms.nostro is None:
        yield (), "missing nostro; needed: the account that pays creditors abroad"
    settled = outbound.settlement_currency if outbound is not None else None
    accounts = (("prefunding", terms.prefunding, None), ("nostro", terms.nostro, settled))
    for field, name, currency in accounts:
        if name is None:
            continue
        found = list(account_problems(world, agent, name, field=field, currency=currency))
        yield from found
        if field == "prefunding" and not found and rail.inbound is not None:
            served = served_corridors(world, rail, (rail.wallet, rail.currency), agent)
            yield from prefunding_problems(world, name, served)

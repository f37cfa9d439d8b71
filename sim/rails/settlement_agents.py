"""Institutions that settle for a rail here: their terms, and the accounts they pay from.

Takes the terms of a rail's settings; gives problems with the scenario around them. Any rail that
reaches payees through institutions here may use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sim.model.base import FieldPath, Model
from sim.model.defaults import cited
from sim.model.money import AmountText
from sim.model.number_text import write_scaled
from sim.model.quantities import PPB, FeePpm, Name, SharePpb
from sim.rails.problems import several, unknown
from sim.rails.protocol import Found, World


class SettlementAgentTerms(Model):
    """Terms on which one settlement agent serves a gateway."""

    prefunding: Name | None = None
    """Account (in `accounts`) the agent pays creditors from when payments come in; by default its
    own account on the ledger."""
    nostro: Name | None = None
    """Account (in `accounts`) at the gateway the agent pays foreign creditors from; needed for
    payments going out."""
    spread: FeePpm = cited(1200, "fx.counter_half_spread.KHR")
    """Margin of the agent over the mid rate for the conversion it makes: coming in at its own cost
    (in `fees.parquet` as `own_conversion`), going out part of the payer's price where the agent
    converts to a third currency."""
    share: SharePpb | None = None
    """Share of the payments for which this agent is as good as others by policy; for all of a
    gateway or for none. Absent (assumed, no split is published): the agents whose own conversion
    costs least have equal shares."""
    settled_to: Name | None = None
    """Account (in `accounts`) on which the gateway pays what it owes for payments coming in; by
    default the agent's own book in the currency that is paid out."""
    receivable: AmountText | None = None
    """Payments coming in on each day before the start, before fees, in the settlement currency:
    those days' files are on their way when the run begins. Absent: the pipeline begins empty."""

    def share_of(self, agents: Mapping[str, SettlementAgentTerms]) -> int:
        """Return the share among a gateway's agents, in parts per billion."""
        return PPB // len(agents) if self.share is None else self.share


def agent_problems(world: World, agent: str) -> Found:
    """Yield why an institution cannot settle for a rail; paths start at its terms."""
    institution = world.institutions.get(agent)
    if institution is None:
        yield (), unknown("institution", agent, world.institutions)
        return
    if institution.members > 1:
        yield (), several(agent, institution.members)
    if "settlement_agent" not in institution.roles:
        roles = ", ".join(institution.roles)
        yield (), f"{agent!r} is no settlement_agent; its roles: {roles}"


def share_problems(agents: Mapping[str, SettlementAgentTerms]) -> Found:
    """Yield why shares of agents do not say who gets what; paths start at the agents."""
    stated = {name: terms.share for name, terms in agents.items() if terms.share is not None}
    if not stated:
        return
    for name in agents:
        # The rest could be meant for those left out, or nothing: it is not guessed.
        if name not in stated:
            yield (name, "share"), "missing; needed: a share for every agent, or for none"
    if len(stated) == len(agents) and sum(stated.values()) != PPB:
        total = write_scaled(100 * sum(stated.values()), 9)
        yield (), f"found shares of {total} % in all; allowed: 100 %"


def account_problems(
    world: World, agent: str, name: str, *, field: str, currency: str | None
) -> Found:
    """Yield why an agent cannot pay from an account.

    Parameters
    ----------
    name : str
        The account.
    field : str
        Where the terms name it.
    currency : str or None
        Currency it must be in, the settlement currency; None where any will do.
    """
    account = world.accounts.get(name)
    if account is None:
        yield (field,), unknown("account", name, world.accounts)
    elif account.owner != agent:
        yield (field,), f"account {name!r} belongs to {account.owner!r}; needed: {agent!r}"
    elif currency is not None and account.currency != currency:
        yield (
            (field,),
            f"account {name!r} is in {account.currency}; needed: {currency}, the "
            "settlement currency",
        )


def prefunding_problems(world: World, name: str, served: Iterable[str]) -> Found:
    """Yield why creditors cannot be paid from an account: on no ledger, or in other money.

    Parameters
    ----------
    name : str
        The account.
    served : iterable of str
        Corridors whose creditors are paid from it.
    """
    field = "prefunding"
    account = world.accounts[name]
    ledgers = sorted(key for key, rail in world.rails.items() if rail.held_currencies)
    if account.at not in ledgers:
        yield (
            (field,),
            f"account {name!r} is at {account.at!r}; needed: a ledger that pays creditors: "
            f"{', '.join(ledgers) or 'none here'}",
        )
    for key in served:
        needed = world.corridors[key].to.currency
        if needed != account.currency:
            yield (
                (field,),
                f"account {name!r} is in {account.currency}; needed: {needed}, in which corridor "
                f"{key!r} credits",
            )


def below(place: FieldPath, found: Found) -> Found:
    """Yield problems with their paths below a place."""
    for path, message in found:
        yield (*place, *path), message

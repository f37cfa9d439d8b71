"""Institutions that settle for a rail here: their terms, and the accounts they pay from.

Takes the terms of a rail's settings; gives problems with the scenario around them. Any rail that
reaches payees through institutions here may use it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.model.base import FieldPath, Model
from sim.model.defaults import cited
from sim.model.quantities import FeePpm, Name
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
    """Margin of the agent over the mid rate for the conversion it makes."""


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

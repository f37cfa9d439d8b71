"""What a gateway says of each way of using it: its terms coming in and going out, and its limits.

Takes nothing; gives the sections of a gateway's settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.model.base import FieldPath, Model
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import CalendarDate, CurrencyCode, FeePpm, Flag, Name
from sim.model.sections import Clock
from sim.rails.links import Joined
from sim.rails.problems import check_amounts, check_bounds, several, unknown
from sim.rails.protocol import Found, World
from sim.rails.resources import ClearingLine
from sim.rails.settlement import Scheme, Settlement, agent_lines
from sim.rails.settlement_agents import SettlementAgentTerms, account_problems, below

INBOUND = "inbound"
OUTBOUND = "outbound"
"""The two ways of using a gateway, named as its settings are."""


class Direction(Model):
    """One direction of a gateway."""

    live_from: CalendarDate
    """Day the link went live; a later one than the clock's start needs `hypothetical: true`."""
    hypothetical: Flag = False
    """Marks a link that was not live at the clock's start; `explain` and the report say so."""
    joined: dict[Name, Joined] = {}
    """Institutions that joined on a day of their own, by name, whether payers' or payees' bank,
    wallet or settlement agent; all others take part from `live_from` on."""
    settlement_currency: CurrencyCode
    """Currency in which gateway and agent settle; a payment between two others converts twice."""
    spread: FeePpm
    """Margin of the gateway's side over the mid rate."""
    fees: dict[Name, Fee] = {}
    """Fees charged in this direction, by component."""
    settlement: Settlement | None = None
    """How what is owed is cleared and paid, days later; absent: it is never paid. Coming in the
    gateway owes its agents, going out its acquirer."""


class WalletLimits(Model):
    """Bounds on what a payer may pay, in the currency of the payer's account."""

    per_payment: AmountText | None = None
    """Most per payment."""
    per_day: AmountText | None = None
    """Most per payer and day."""
    currency: CurrencyCode | None = None
    """Currency the bounds are written in, where it is another than the account's:
    they are converted once, at the mid rate of the start, down to whole minor units."""


class PartnerWallet(Model):
    """Another wallet whose customers pay through a gateway."""

    wallet: Name
    """Institution abroad whose customers pay with it."""
    limits: WalletLimits = WalletLimits()
    """Limits of the wallet, in its currency."""


class LinkDirection(Model):
    """One direction of a link between two fast payment systems."""

    live_from: CalendarDate
    """Day the link went live; a later one than the clock's start needs `hypothetical: true`."""
    hypothetical: Flag = False
    """Marks a link that was not live at the clock's start; `explain` and the report say so."""
    joined: dict[Name, Joined] = {}
    """Institutions that joined on a day of their own, by name, whether payers' or payees' bank,
    wallet or settlement agent; all others take part from `live_from` on."""
    spread: FeePpm
    """Margin of the sponsor over the mid rate."""
    fees: dict[Name, Fee] = {}
    """Fees charged in this direction, by component."""
    limits: WalletLimits = WalletLimits()
    """Bounds on what a payer may send over the link, in the payer's currency."""


def settlement_problems(
    world: World, directions: Mapping[str, Direction], agents: Mapping[str, SettlementAgentTerms]
) -> Found:
    """Yield what of the settlement of a gateway cannot be; paths start at the rail.

    Parameters
    ----------
    world : World
    directions : mapping of str to Direction
        By the name of their field; payments come in by ``inbound``.
    agents : mapping of str to SettlementAgentTerms
    """
    for use, direction in directions.items():
        if direction.settlement is not None:
            found = direction.settlement.problems(world.clock, direction.settlement_currency)
            yield from below((use, "settlement"), found)
    inbound = directions.get("inbound")
    terms = inbound.settlement if inbound is not None else None
    for agent, own in agents.items():
        place = ("settlement_agents", agent)
        for field in ("settled_to", "receivable"):
            # It would do nothing, and its user would not know.
            if terms is None and getattr(own, field) is not None:
                yield (*place, field), "found a value, but payments coming in have no settlement"
        if terms is not None and inbound is not None and own.settled_to is not None:
            paid = terms.conversion.to if terms.conversion else inbound.settlement_currency
            found = account_problems(
                world, agent, own.settled_to, field="settled_to", currency=paid
            )
            yield from below(place, found)
        if terms is not None and inbound is not None and own.receivable is not None:
            where = (*place, "receivable")
            yield from check_amounts(inbound.settlement_currency, own.receivable, where)


def lines_of(
    directions: Mapping[str, Direction],
    agents: Mapping[str, SettlementAgentTerms],
    scheme: Scheme,
    clock: Clock,
) -> Iterator[ClearingLine]:
    """Yield what each direction of a gateway owes for each agent."""
    for use, direction in directions.items():
        if direction.settlement is not None:
            yield from agent_lines(
                direction.settlement,
                agents,
                scheme,
                direction.settlement_currency,
                # Money going out is paid on to whoever credited the merchants.
                is_paid_on=use == OUTBOUND,
                clock=clock,
            )


def wallet_problems(world: World, own: str, partners: Mapping[str, PartnerWallet]) -> Found:
    """Yield what is wrong with the other wallets of a gateway; paths start at them.

    Parameters
    ----------
    own : str
        Currency of the gateway's first wallet.
    partners : mapping of str to PartnerWallet
        By currency.
    """
    for currency, partner in partners.items():
        entry = world.institutions.get(partner.wallet)
        place: FieldPath = (currency, "wallet")
        if currency == own:
            yield (currency,), f"found {currency}, the currency of 'wallet'; allowed: others"
        if entry is None:
            yield place, unknown("institution", partner.wallet, world.institutions)
        elif entry.members > 1:
            yield place, several(partner.wallet, entry.members)
        elif "issuer" not in entry.roles:
            yield place, f"{partner.wallet!r} is no issuer; its roles: {', '.join(entry.roles)}"
        yield from check_bounds(currency, partner.limits, (currency, "limits"))


def served_corridors(
    world: World, rail: object, wallet: tuple[str, str], agent: str
) -> Iterator[str]:
    """Yield the corridors from a wallet, with its currency, that an agent may serve for a rail."""
    held, here = world.institutions.get(wallet[0]), world.institutions[agent].country
    for key, corridor in world.corridors.items():
        start = (corridor.from_.country, corridor.from_.currency)
        may = corridor.rails is None or any(rail is world.rails.get(one) for one in corridor.rails)
        is_there = held is not None and start == (held.country, wallet[1])
        if is_there and may and corridor.to.country == here:
            yield key

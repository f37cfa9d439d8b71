"""RTGS: a large-value system, in which members pay each other one by one in central bank money.

Takes members with their balances, the order of the queue and what is offset; gives the stage by
which a payment between two members settles, or waits until it can. How queues, offsets and the
close work is specified once, in :mod:`sim.contract.large_value`. A corridor between two currencies
is payment against payment: both legs settle at one stroke, or none does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from sim.calendars.bank_days import instant_us, midnights_us
from sim.contract.large_value import AtClose, Offset, Order
from sim.contract.meaning import Cause, Op, Reason
from sim.model.base import FieldPath, Model
from sim.model.defaults import assumed
from sim.model.members import Member
from sim.model.money import AmountText
from sim.model.quantities import CurrencyCode, Name, PositiveDurationUs, TimeOfDay, to_minor
from sim.model.sections import Clock, Corridor
from sim.rails.institutions import payers_time_out
from sim.rails.joining import serves
from sim.rails.payers import CreditorClass
from sim.rails.price import Exchange
from sim.rails.problems import check_amounts, unknown
from sim.rails.protocol import (
    CREDITOR,
    DEBTOR,
    CreditorSide,
    DebtorSide,
    Found,
    Leg,
    LegContext,
    LegProgram,
    LegTerms,
    Offer,
    Rail,
    World,
)
from sim.rails.registry import register_rail
from sim.rails.resources import Holding, LargeValueSystem, Resource
from sim.rails.stages import CREDITOR_AGENT, DEBTOR_AGENT, ByRole, Move, Stage


class SystemMember(Model):
    """What a member holds in the system."""

    balance: dict[CurrencyCode, AmountText] = {}
    """Balance at the start, by currency; absent: nothing."""
    overdraft: dict[CurrencyCode, AmountText] = {}
    """How far below zero it may go during the day, by currency; absent: not at all."""


@register_rail
class RtgsRail(Rail):
    """A large-value system with queue, offsetting and a close of the day."""

    kind: Literal["rtgs"]
    """Selects this kind of rail."""
    operator: Name = assumed("central_bank", "central banks run systems of large value")
    """Who runs the system, and at whose mid rate payments against payment are made."""
    currencies: tuple[CurrencyCode, ...]
    """Currencies in which members hold accounts."""
    members: dict[Name, SystemMember] = Field(min_length=1)
    """Institutions that pay each other over it."""
    queue: Literal["fifo", "bypass", "priority", "deferred"] = assumed(
        "fifo", "the order most systems begin with"
    )
    """Who settles next of a member's payments: first come, whoever can be paid, lowest `priority`
    of the demand stream, or nobody alone (deferred net settlement)."""
    offset: Literal["none", "bilateral", "multilateral"] = assumed(
        "none", "not every system offsets; a scenario says it of those that do"
    )
    """What of the queue settles at one stroke: nothing, payments of two members against each other,
    or the largest set of payments of any members, in order."""
    offset_every: PositiveDurationUs | None = None
    """How often an offset is tried, from the start on; absent: whenever a payment has to wait."""
    end_of_day: Literal["net", "return", "carry"] = assumed(
        "return", "what was not covered by the close is not paid"
    )
    """What becomes at the close of who still waits: the largest set that can be paid net settles
    and the rest is returned (AM04), all is returned, or all waits for the next day."""
    closes_at: TimeOfDay = assumed(17 * 3600, "close of business; hours differ by system")
    """Local time of the close."""

    @property
    def joins_by_name(self) -> bool:
        """Return True: banks pay each other over it, and no customer of theirs by default."""
        return True

    @property
    def held_currencies(self) -> tuple[str, ...]:
        """Return the currencies of the members' accounts."""
        return self.currencies

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        """Return the operator, where the scenario names one."""
        return (("operator", self.operator),) if "operator" in self.model_fields_set else ()

    def problems(self, world: World, name: str) -> Found:
        """Check members, amounts, and that what is written can act."""
        for key, member in self.members.items():
            if key not in world.institutions:
                yield ("members", key), unknown("institution", key, world.institutions)
            yield from self._amount_problems(key, member)
        yield from self._stranger_problems(world, name)
        if self.offset == "none" and self.queue == "deferred" and self.end_of_day != "net":
            yield (
                ("queue",),
                "found deferred without an offset or a net close, so that nothing ever settles; "
                "needed: one of them",
            )

    def idle_settings(self, world: World, name: str, legs: Sequence[Leg]) -> Found:
        """Yield instants of offsets and closes there are none of."""
        for field, acts, why in (
            ("offset_every", self.offset != "none", "nothing is offset"),
            ("closes_at", self.end_of_day != "carry", "the system does not close"),
        ):
            if field in self.model_fields_set and not acts:
                yield (field,), why

    def _amount_problems(self, key: str, member: SystemMember) -> Found:
        for field in ("balance", "overdraft"):
            for currency, amount in getattr(member, field).items():
                where = ("members", key, field, currency)
                if currency not in self.currencies:
                    allowed = ", ".join(self.currencies)
                    yield where, f"found currency {currency}; allowed: {allowed}"
                else:
                    yield from check_amounts(currency, amount, where)

    def _stranger_problems(self, world: World, name: str) -> Found:
        """Yield banks that corridors could bring, and that are no members."""
        countries = {
            end.country
            for corridor in world.corridors.values()
            if serves(world, name, corridor)
            for end in (corridor.from_, corridor.to)
        }
        for key, entry in world.institutions.items():
            if entry.country in countries and entry.holds_money and key not in self.members:
                yield (
                    ("members",),
                    f"found no member {key!r}, a bank in {entry.country}, whose payments may come "
                    "over this system; needed: an entry for it",
                )

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield every member's accounts, then the system."""
        accounts: list[str] = []
        entries = {id(world.institutions[key]): entry for key, entry in self.members.items()}
        for member in members:
            terms = entries.get(id(member.entry))
            if terms is None:
                continue
            for currency in sorted(self.currencies):
                opening = to_minor(terms.balance.get(currency, "0"), currency)
                written: FieldPath = ("rails", name, "members", member.name, "balance", currency)
                account = f"{member.name}@{name}:{currency}"
                accounts.append(account)
                yield Holding(
                    account,
                    currency,
                    overdraft_minor=to_minor(terms.overdraft.get(currency, "0"), currency),
                    is_watched=True,
                    deposits=((0, opening),) if opening else (),
                    owner=member.name,
                    kind=f"{name}:{currency}",
                    written=written,
                )
        yield LargeValueSystem(
            name,
            accounts=tuple(accounts),
            order=Order[self.queue.upper()],
            offset=Offset[self.offset.upper()],
            is_offset_on_arrival=self.offset_every is None,
            at_close=AtClose.NET if self.end_of_day == "net" else AtClose.RETURN,
            offsets_us=self._offsets_us(world.clock),
            closes_us=self._closes_us(world.clock),
        )

    def _offsets_us(self, clock: Clock) -> tuple[int, ...]:
        if self.offset == "none" or self.offset_every is None:
            return ()
        return tuple(range(self.offset_every, clock.horizon, self.offset_every))

    def _closes_us(self, clock: Clock) -> tuple[int, ...]:
        if self.end_of_day == "carry":
            return ()
        zone = clock.start.tzinfo
        assert zone is not None
        days = midnights_us(clock.start, clock.horizon, zone)
        found = (instant_us(clock.start, day, self.closes_at, zone) for day, _ in days)
        return tuple(at for at in found if 0 <= at < clock.horizon)

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield the leg from payer to payee, between the currencies of the corridor."""
        held, paid = corridor.from_.currency, corridor.to.currency
        if held in self.currencies and paid in self.currencies:
            yield Offer(Leg(name, DEBTOR, CREDITOR, held, paid))

    def terms(self, at: LegContext) -> LegTerms:
        """Return the conversion of a payment against payment, at the mid rate."""
        leg = at.leg
        converts = leg.source != leg.target
        return LegTerms(
            exchanges=(Exchange(leg.source, leg.target, 0, self.operator),) if converts else ()
        )

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return the member that pays, for itself: no customer of it is debited here."""
        account = ByRole(DEBTOR_AGENT, f"{at.name}:{at.leg.source}")
        return DebtorSide(account=account, is_drawn=True, confirms=False)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return the member that is paid."""
        account = ByRole(CREDITOR_AGENT, f"{at.name}:{at.leg.target}")
        return CreditorSide(account=account, is_drawn=True)

    def leg(self, at: LegContext) -> LegProgram:
        """Return the settlement: one leg, or two of a payment against payment."""
        inside = f"{at.name}.inside"
        return LegProgram(
            session=payers_time_out(at),
            # What a member owes itself never comes to the system.
            execute=(Stage(Op.ON_US, f"{at.name}.own", target=inside),),
            commit=Stage(
                Op.SETTLE,
                f"{at.name}.settle",
                place=at.name,
                cause=Cause.LIQUIDITY,
                target=at.refusing,
                reason=Reason.AM04,
            ),
            moves=self._legs(at),
            closing=(Stage(Op.POST, inside, mark=inside),),
        )

    def _legs(self, at: LegContext) -> tuple[Move, ...]:
        source, target = (f"{at.name}:{code}" for code in (at.leg.source, at.leg.target))
        first = Move(ByRole(DEBTOR_AGENT, source), ByRole(CREDITOR_AGENT, source), at.before)
        if source == target:
            return (first,)
        back = Move(ByRole(CREDITOR_AGENT, target), ByRole(DEBTOR_AGENT, target), at.after)
        return (first, back)

"""A toy kind of rail in one file: a courier who rides between two ends.

Takes nothing of the simulator but the protocol of rails. It stands first, in the middle or last on
a route, converts or not, books in blocks of its own or leaves that to others; nothing in ``sim/``
knows its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from sim.contract.meaning import Cause, Op, Reason
from sim.contract.records import Register
from sim.model.base import FieldPath
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import (
    CalendarDate,
    CurrencyCode,
    DurationUs,
    FeePpm,
    Flag,
    Name,
    PositiveCount,
    SharePpb,
    to_minor,
)
from sim.model.sections import Corridor
from sim.rails.institutions import book, creditor_at_home, debtor_at_home
from sim.rails.links import Link
from sim.rails.payers import CreditorClass
from sim.rails.price import Exchange, exchange_moves
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
from sim.rails.resources import BlockLedger, Resource, Station
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    FAIL,
    LimitSpec,
    Move,
    Place,
    Stage,
    check_limit,
    decide,
    fixed_time,
    serve,
    threshold,
    transit,
)


class CourierRail(Rail):
    """Configure couriers between two ends."""

    kind: Literal["courier"]
    """Selects this kind of rail."""
    operator: Name
    """Whose couriers they are; converts currency and earns the fees."""
    start: Name = DEBTOR
    """Where the ride begins."""
    end: Name = CREDITOR
    """Where it ends."""
    currency_from: CurrencyCode
    """What is handed over."""
    currency_to: CurrencyCode
    """What arrives."""
    spread: FeePpm = 0
    """Margin over the mid rate."""
    fees: dict[Name, Fee] = Field(default_factory=dict)
    """Fees, by component."""
    riders: PositiveCount = assumed(2, "as many as there are bicycles")
    """Rides at the same time."""
    ride_time: DurationDistribution = cited("2 s", "latency_hops.client_to_psp_lognormal")
    """Time of a ride."""
    call_time: DurationUs = 400_000
    """Time of the call that it arrived."""
    lost: SharePpb = 0
    """Share of rides on which the money is refused at the other end (AB09)."""
    heaviest: AmountText | None = None
    """Most a rider carries, in the payer's currency."""
    live_from: CalendarDate
    """Day the couriers began."""
    hypothetical: Flag = False
    """Marks couriers who do not ride yet."""
    keeps_books: Flag = False
    """Whether rides are booked in blocks of the couriers' own, one a second."""

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        return (("operator", self.operator),)

    def all_fees(self) -> tuple[tuple[FieldPath, Mapping[str, Fee]], ...]:
        return (((), self.fees),)

    def links(self) -> tuple[Link, ...]:
        return (Link("", self.live_from, self.hypothetical),)

    def problems(self, world: World, name: str) -> Found:
        if self.start == self.end:
            yield ("end",), f"found {self.end!r} at both ends; allowed: a ride"

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        yield Station(f"{name}.riders", servers=self.riders)
        if self.keeps_books:
            yield BlockLedger(
                f"{name}.book",
                round_interval_us=1_000_000,
                block_limit=100,
                vote_delay=fixed_time(200_000),
                peers=1,
                quorum=1,
            )

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        leaves = self.start != DEBTOR or corridor.from_.currency == self.currency_from
        arrives = self.end != CREDITOR or corridor.to.currency == self.currency_to
        if leaves and arrives:
            leg = Leg(name, self.start, self.end, self.currency_from, self.currency_to)
            yield Offer(leg)

    def terms(self, at: LegContext) -> LegTerms:
        converts = self.currency_from != self.currency_to
        exchange = Exchange(self.currency_from, self.currency_to, self.spread, self.operator)
        return LegTerms(
            exchanges=(exchange,) if converts else (),
            fees=self.fees,
            fee_recipient=self.operator,
        )

    def debtor_side(self, at: LegContext) -> DebtorSide:
        return debtor_at_home(at)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        return creditor_at_home(at)

    def leg(self, at: LegContext) -> LegProgram:
        bounds = [-1 if self.heaviest is None else to_minor(self.heaviest, at.legs[0].source), -1]
        limit = LimitSpec(f"{at.name}.heaviest", Register.DEBITED, at.legs[0].source, *bounds)
        commit = Stage(Op.BATCH, f"{at.name}.block", place=f"{at.name}.book", cause=Cause.LEDGER)
        return LegProgram(
            limit=check_limit(f"{at.name}.weigh", limit, target=FAIL),
            execute=(
                *serve(f"{at.name}.ride", f"{at.name}.riders", self.ride_time, target=at.failing),
                *decide(
                    f"{at.name}.lost", threshold(self.lost), target=at.failing, reason=Reason.AB09
                ),
            ),
            commit=commit if self.keeps_books else None,
            moves=self._moves(at),
            confirm=transit(f"{at.name}.call", fixed_time(self.call_time)),
            reversal_us=self.call_time,
        )

    def _moves(self, at: LegContext) -> tuple[Move, ...]:
        assert at.price is not None
        leg = at.leg
        payer: Place = f"book:{leg.start}:{leg.source}"
        payee: Place = f"book:{leg.end}:{leg.target}"
        if at.is_first:
            payer = book(DEBTOR_AGENT, leg.source)
        if at.is_last:
            payee = book(CREDITOR_AGENT, leg.target)
        exchanges = self.terms(at).exchanges
        if not exchanges:
            return (Move(payer, payee, at.before),)
        return exchange_moves(at.price, exchanges[0], payer=payer, receiver=payee)

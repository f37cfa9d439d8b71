"""Fast payment systems of two countries, linked: PromptPay, NAPAS, LAPNet, DuitNow, PayNow, UPI.

Takes the settings of one link; gives the stages of a payment from bank to bank over the switch of
the payer's country and the switch of the payee's. The payer's bank first asks ahead (does the
account exist, and whose is it), then the payer confirms, then the request goes the same way again,
and the payee's bank credits at once. Both questions have a limit: unanswered, a look-up ends the
payment; a request is in doubt, is asked about, and is never returned once the payee is credited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from sim.contract.meaning import Flag, Op, Reason, WhenClosed
from sim.contract.records import Register
from sim.model.asking import QueryPlan
from sim.model.base import FieldPath
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import (
    CountryCode,
    CurrencyCode,
    DurationUs,
    Name,
    PositiveDurationUs,
    to_minor,
)
from sim.model.sections import Corridor
from sim.rails.asking import asked_at, query, query_ends_us, query_problems, query_station
from sim.rails.directions import INBOUND, OUTBOUND, LinkDirection
from sim.rails.institutions import (
    creditor_at_home,
    debtor_at_home,
    when_short,
)
from sim.rails.joining import serves
from sim.rails.links import Link, links_of_uses
from sim.rails.name_check import asked_payee
from sim.rails.obligations import Obligation
from sim.rails.payers import CreditorClass
from sim.rails.price import Exchange, exchange_moves
from sim.rails.problems import check_amounts, check_bounds
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
from sim.rails.resources import Holding, Resource, Station
from sim.rails.settlement_agents import account_problems, agent_problems, below
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    FAIL,
    ByRole,
    LimitSpec,
    Move,
    Place,
    Program,
    Stage,
    check_limit,
    serve,
    transit,
)
from sim.rails.unanswered import (
    credited_in_doubt,
    limit,
    look_up_lost,
    lost_station,
    message_lost,
)


@register_rail
class FastPaymentRail(Rail):
    """A link between the fast payment systems of two countries."""

    kind: Literal["fast_payment"]
    """Selects this kind of rail."""
    operator: Name
    """Institution that runs the foreign system, and earns the link's fees."""
    country: CountryCode
    """Country of the foreign system."""
    currency: CurrencyCode
    """Currency of the foreign system."""
    sponsor: Name
    """Institution here that settles for the link and converts (a settlement agent)."""
    foreign_sponsor: Name
    """Institution abroad that settles for the link; what the sponsors owe each other is between
    these two."""
    own_switch: Literal["direct", "ledger"] = "direct"
    """Who stands on this side of the link: the banks of payers and payees themselves, members of
    the own switch; or the sponsor, which a ledger of the scenario reaches."""
    inbound: LinkDirection | None = None
    """Payers abroad paying here."""
    outbound: LinkDirection | None = None
    """Payers here paying abroad."""
    schemes: tuple[Name, ...] = ()
    """Schemes a foreign code must show for payments going out (empty: any code of the corridor)."""
    nostro: Name | None = None
    """Account (in `accounts`), in the foreign currency, the sponsor pays creditors abroad from;
    absent: its own account on the foreign system."""
    opening_balance: dict[CurrencyCode, AmountText] = {}
    """What each member holds on its system at the start, by currency; absent: no bound."""
    hop_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.12 s", "sigma": "0.5"}},
        "latency_hops.client_to_psp_lognormal",
    )
    """One message between a bank and the switch of its country."""
    link_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.35 s", "sigma": "0.6"}},
        "corridors.defaults.hub_hop_latency_lognormal",
    )
    """One message from switch to switch. While the link is out of service messages are lost, and
    nobody is told."""
    look_up_limit: PositiveDurationUs = assumed(
        10_000_000, "no limit of a link is published; a payer who waits longer has left"
    )
    """How long the payer's bank waits for the answer to its look-up (then AB05)."""
    pay_limit: PositiveDurationUs = assumed(
        15_000_000, "no limit of a link is published; a quarter of Nexus' aim of 60 s end to end"
    )
    """How long it waits for the answer to its request; then the payment is in doubt (AB05)."""
    quote_validity: PositiveDurationUs = cited(60_000_000, "assumptions.quote_validity_wallet")
    """How long a price shown to the payer holds."""
    reversal_time: DurationUs = assumed(1_000_000, "one confirmed message there and back")
    """Time of a confirmed reversal before another route may be tried."""
    query: QueryPlan = QueryPlan()
    """How a request in doubt is asked about, over the same link."""
    reconciliation_time: PositiveDurationUs = assumed(
        86_400_000_000, "files of a day are compared on the next"
    )
    """How long after a request was given up a file says what has become of it."""

    def _direction(self, use: str) -> LinkDirection:
        found: LinkDirection | None = getattr(self, use)
        assert found is not None, f"a leg {use} of a link that has none"
        return found

    def _directions(self) -> Iterator[tuple[str, LinkDirection]]:
        for use in (INBOUND, OUTBOUND):
            found: LinkDirection | None = getattr(self, use)
            if found is not None:
                yield use, found

    @property
    def held_currencies(self) -> tuple[str, ...]:
        """Return the currency of the foreign system."""
        return (self.currency,)

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        """Return the operator and both sponsors."""
        return (
            ("operator", self.operator),
            ("sponsor", self.sponsor),
            ("foreign_sponsor", self.foreign_sponsor),
        )

    def all_fees(self) -> tuple[tuple[FieldPath, Mapping[str, Fee]], ...]:
        """Return the fees of both directions."""
        return tuple(((use,), direction.fees) for use, direction in self._directions())

    def links(self) -> tuple[Link, ...]:
        """Return both directions, and who joined them on a day of its own."""
        return links_of_uses(self._directions())

    def problems(self, world: World, name: str) -> Found:
        """Check directions, sponsors, limits and time-outs."""
        if self.inbound is None and self.outbound is None:
            yield (), "found neither inbound nor outbound; needed: at least one of them"
        yield from below(("sponsor",), agent_problems(world, self.sponsor))
        away = world.institutions.get(self.foreign_sponsor)
        if away is not None and away.country != self.country:
            yield (
                ("foreign_sponsor",),
                f"{self.foreign_sponsor!r} is in {away.country}; needed: one in {self.country}",
            )
        for field in ("schemes", "nostro") if self.outbound is None else ():
            if field in self.model_fields_set:
                yield (field,), "found without 'outbound', of which it speaks; allowed: beside it"
        if self.nostro is not None:
            yield from account_problems(
                world, self.sponsor, self.nostro, field="nostro", currency=self.currency
            )
        for currency, amount in self.opening_balance.items():
            yield from check_amounts(currency, amount, ("opening_balance", currency))
        yield from query_problems(self.query, None)
        yield from self._corridor_problems(world, name)

    def _corridor_problems(self, world: World, name: str) -> Found:
        """Check limits in the payer's currency, and that a payment has one time-out at a time."""
        for key, corridor in world.corridors.items():
            use = self._use(world, corridor)
            if use is None or not serves(world, name, corridor):
                continue
            limits = self._direction(use).limits
            yield from check_bounds(corridor.from_.currency, limits, (use, "limits"))
            if corridor.time_out is not None:
                yield (
                    ("pay_limit",),
                    f"found a limit, which would replace the time_out of corridor {key!r}; "
                    "allowed: a corridor without one",
                )

    def idle_settings(self, world: World, name: str, legs: Sequence[Leg]) -> Found:
        """Yield directions no route uses, and balances in money nobody holds there."""
        for use, _ in self._directions():
            if all(leg.use != use for leg in legs):
                yield (use,), f"no route uses this rail {use}"
        held = set(self._currencies(world))
        for currency in self.opening_balance:
            if currency not in held:
                yield ("opening_balance", currency), "no member holds this currency here"

    def _home(self, world: World) -> str:
        """Return the country on this side of the link: the sponsor's."""
        sponsor = world.institutions.get(self.sponsor)
        return "" if sponsor is None else sponsor.country

    def _use(self, world: World, corridor: Corridor) -> str | None:
        """Return in which direction a corridor would use the link, None in neither."""
        home, ends = self._home(world), (corridor.from_, corridor.to)
        for use, here, there in ((INBOUND, ends[1], ends[0]), (OUTBOUND, ends[0], ends[1])):
            fits = (there.country, there.currency) == (self.country, self.currency)
            if fits and here.country == home and getattr(self, use) is not None:
                return use
        return None

    def _currencies(self, world: World) -> tuple[str, ...]:
        """Return the currencies in which members hold accounts on either system."""
        found = {self.currency}
        for corridor in world.corridors.values():
            use = self._use(world, corridor)
            if use is not None and self.own_switch == "direct":
                here = corridor.to if use == INBOUND else corridor.from_
                found.add(here.currency)
        return tuple(sorted(found))

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield the link, where lost messages go, and members' accounts on both systems."""
        yield Station(f"{name}.link", when_closed=WhenClosed.REJECT, reason_closed=Reason.AB07)
        yield Station(lost_station(name))
        yield from query_station(name, self.query)
        home = self._home(world)
        for member in members:
            sponsors = member.name in (self.sponsor, self.foreign_sponsor)
            for currency in self._currencies(world):
                country = self.country if currency == self.currency else home
                if not (sponsors or (member.entry.country == country and member.holds_money)):
                    continue
                opening = self.opening_balance.get(currency)
                yield Holding(
                    f"{member.name}@{name}:{currency}",
                    currency,
                    overdraft_minor=None if opening is None else 0,
                    is_watched=sponsors,
                    deposits=((0, to_minor(opening, currency)),) if opening else (),
                    owner=member.name,
                    kind=f"{name}:{currency}",
                    written=("rails", name, "opening_balance", currency),
                )

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield the leg of the corridor's direction: between banks, or to or from the sponsor."""
        use = self._use(world, corridor)
        if use is None:
            return
        here, held, paid = self.sponsor, corridor.from_.currency, corridor.to.currency
        is_direct = self.own_switch == "direct"
        if use == INBOUND and creditor.currency in ("", paid):
            yield Offer(Leg(name, DEBTOR, CREDITOR if is_direct else here, held, paid, use))
        shows = not self.schemes or bool(set(self.schemes) & set(creditor.schemes))
        if use == OUTBOUND and (shows or not creditor.schemes):
            yield Offer(Leg(name, DEBTOR if is_direct else here, CREDITOR, held, paid, use))

    def terms(self, at: LegContext) -> LegTerms:
        """Return the sponsor's conversion and the fees of the direction."""
        direction = self._direction(at.leg.use)
        return LegTerms(
            exchanges=(self._exchange(at),),
            settlement_currency=self.currency,
            fees=direction.fees,
            fee_recipient=self.operator,
            quote_validity_us=self.quote_validity,
        )

    def _exchange(self, at: LegContext) -> Exchange:
        spread = self._direction(at.leg.use).spread
        return Exchange(at.leg.source, at.leg.target, spread, self.sponsor)

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return the payer's bank, on either side."""
        return debtor_at_home(at)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return the payee's bank, on either side: what it is asked goes on when given up."""
        side = creditor_at_home(at)
        return replace(
            side,
            book=tuple(
                replace(stage, flags=stage.flags | Flag.ASKS) if stage.op is Op.SERVE else stage
                for stage in side.book
            ),
        )

    def obligations(self, at: LegContext) -> tuple[Obligation, ...]:
        """Return what one sponsor owes the other; nothing where the money lay ahead."""
        if at.leg.use == INBOUND:
            return (Obligation(at.name, self.foreign_sponsor, self.sponsor),)
        owed = Obligation(at.name, self.sponsor, self.foreign_sponsor)
        return () if self.nostro is not None else (owed,)

    def leg(self, at: LegContext) -> LegProgram:
        """Return look-up, request, and the answer, which may be lost."""
        name, pays = at.name, self._moves(at)
        told = f"{name}.told"
        bounds = self._direction(at.leg.use).limits
        spec = LimitSpec.of(f"{name}.{at.leg.use}", Register.DEBITED, at.leg.source, bounds)
        ends_us = query_ends_us(self.query, self.reconciliation_time)
        return LegProgram(
            look_up=self._look_up(at),
            asks_payee=at.is_last,
            limit=check_limit(f"{name}.limit", spec, target=FAIL),
            reserve=tuple(self._reserve(at, move) for move in pays),
            execute=(
                limit(f"{name}.pay_limit", self.pay_limit, at.failing),
                *self._way(at, "request", lost=f"{name}.request_lost"),
            ),
            moves=(*pays, *self._exchange_moves(at)),
            # Credited: from here on a missing answer means doubt, and no longer failure.
            closing=(limit(f"{name}.credited", -1, f"{name}.unanswered"),),
            confirm=(
                *self._way(at, "answer", lost=f"{name}.answer_lost", is_back=True),
                Stage(Op.DEADLINE, told, mark=told),
            ),
            reversal_us=self.reversal_time,
            answer=self.link_time,
            reconciled_us=ends_us,
            query=f"{name}.query.first",
            asides=(
                *look_up_lost(f"{name}.look_up_lost", self.look_up_limit),
                *self._doubts(at, told),
                *query(f"{name}.query", self.query, asked_at(name, self.query, "link")),
            ),
        )

    def _doubts(self, at: LegContext, told: str) -> Program:
        """Return what becomes of requests and answers that are lost."""
        name, lost = at.name, lost_station(at.name)
        return (
            *message_lost(f"{name}.request_lost", lost, self.pay_limit, at.failing),
            *message_lost(f"{name}.answer_lost", lost, self.pay_limit, told),
            *credited_in_doubt(
                f"{name}.unanswered",
                # Whatever a query leaves open: nothing is cancelled that was credited.
                longest_us=self.reconciliation_time,
                query=f"{name}.query.first",
                way=self.link_time,
                told=told,
            ),
        )

    def _look_up(self, at: LegContext) -> Program:
        """Return the question whether the payee can be paid, and its answer."""
        name = at.name
        lost = f"{name}.look_up_lost"
        asked: Program = ()
        if at.is_last:
            # Asked of the payee's bank; before another ledger the sponsor answers by itself.
            asked = asked_payee(f"{name}.look_up", at.name_check, at.world, target=FAIL)
        return (
            limit(f"{name}.look_up_limit", self.look_up_limit, FAIL),
            *self._way(at, "look_up", lost=lost),
            *asked,
            *self._way(at, "found", lost=lost, is_back=True),
            Stage(Op.DEADLINE, f"{name}.looked_up"),
        )

    def _way(self, at: LegContext, what: str, *, lost: str, is_back: bool = False) -> Program:
        """Return a message from bank to bank: to the switch, over the link, to the other bank."""
        label = f"{at.name}.{what}"
        ends = ("to_sender", "from_receiver") if is_back else ("to_receiver", "from_sender")
        return (
            *transit(f"{label}.{ends[1]}", self.hop_time),
            *serve(
                f"{label}.link",
                f"{at.name}.link",
                self.link_time,
                target=lost,
                reason=Reason.AB07,
            ),
            *transit(f"{label}.{ends[0]}", self.hop_time),
        )

    def _reserve(self, at: LegContext, move: Move) -> Stage:
        """Return the reservation of money a member pays from."""
        is_nostro = move.debit == self.nostro
        return Stage(
            Op.RESERVE,
            f"{at.name}.payer_funds" if isinstance(move.debit, ByRole) else f"{at.name}.payout",
            moves=(move,),
            target=at.securing,
            reason=Reason.AM04,
            flags=when_short(at.world, self.nostro if is_nostro else None),
        )

    def _moves(self, at: LegContext) -> tuple[Move, ...]:
        """Return the transfers on both systems: payer's bank, sponsor, payee's bank."""
        leg = at.leg
        pays: list[Move] = []
        if at.is_first:
            payer = ByRole(DEBTOR_AGENT, f"{at.name}:{leg.source}")
            pays.append(Move(payer, f"{self.sponsor}@{at.name}:{leg.source}", at.before))
        if at.is_last:
            own: Place = f"{self.sponsor}@{at.name}:{leg.target}"
            if leg.use == OUTBOUND and self.nostro is not None:
                own = self.nostro
            pays.append(Move(own, ByRole(CREDITOR_AGENT, f"{at.name}:{leg.target}"), at.after))
        return tuple(pays)

    def _exchange_moves(self, at: LegContext) -> tuple[Move, ...]:
        """Return the sponsor's own conversion, on its book."""
        assert at.price is not None
        book = f"book:{self.sponsor}"
        return exchange_moves(
            at.price,
            self._exchange(at),
            payer=f"{book}:{at.leg.source}",
            receiver=f"{book}:{at.leg.target}",
        )

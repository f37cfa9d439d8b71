"""Foreign wallet gateways: stand-ins for Alipay+, WeChat Pay and UnionPay QR.

Takes the gateway's settings; gives the stages of an authorisation through it. Nothing here talks to
a real wallet. A gateway fixes the rate at authorisation, prices through its own provider, admits at
most ``rate_limit`` requests, forgets an order after ``order_life``, and settles net, days later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from sim.contract.meaning import Cause, Op, Reason, WhenClosed
from sim.contract.records import Register
from sim.model.asking import Polls, QueryPlan, Retry
from sim.model.base import FieldPath
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.pricing import Fee
from sim.model.quantities import (
    CurrencyCode,
    DurationUs,
    EventRate,
    Flag,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
)
from sim.model.sections import Corridor
from sim.rails.asking import (
    asked_of,
    asking_problems,
    polled,
    polls_at,
    query_problems,
    query_station,
)
from sim.rails.directions import (
    INBOUND,
    OUTBOUND,
    Direction,
    PartnerWallet,
    WalletLimits,
    lines_of,
    settlement_problems,
    wallet_problems,
)
from sim.rails.gateway_checks import agent_account_problems, gateway_problems, idle_in_gateway
from sim.rails.institutions import (
    creditor_abroad,
    debtor_at_wallet,
    payers_time_out,
    when_short,
)
from sim.rails.links import Link, links_of_uses
from sim.rails.obligations import Obligation
from sim.rails.payers import CreditorClass
from sim.rails.price import Exchange, FeeTerms, chain_moves, own_conversion
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
from sim.rails.resources import Resource, Station
from sim.rails.settlement import Scheme, outgoing
from sim.rails.settlement_agents import (
    SettlementAgentTerms,
    below,
    share_problems,
)
from sim.rails.stages import (
    FAIL,
    LimitSpec,
    Move,
    Place,
    Program,
    Stage,
    check_limit,
    decide,
    serve,
    threshold,
    transit,
)


@register_rail
class WalletGatewayRail(Rail):
    """A gateway between foreign wallets and the settlement agents here."""

    kind: Literal["wallet_gateway"]
    """Selects this kind of rail."""
    operator: Name
    """Institution that runs the gateway and converts currency."""
    wallet: Name
    """Foreign institution whose customers pay through it (the debtor agent of payments coming in
    and, where `acquirer` is absent, the creditor agent of payments going out)."""
    acquirer: Name | None = None
    """Foreign institution that credits merchants abroad."""
    currency: CurrencyCode
    """Currency of the wallet."""
    wallets: dict[CurrencyCode, PartnerWallet] = {}
    """Other wallets whose customers pay here through the gateway, by their currency."""
    inbound: Direction | None = None
    """Foreign wallets paying at codes here."""
    outbound: Direction | None = None
    """Payers here paying at codes abroad."""
    schemes: tuple[Name, ...] = ()
    """Schemes a foreign code must show for payments going out (empty: any code of the corridor)."""
    needs_unionpay_tag: Flag = False
    """Whether a code here can be paid only if it carries UnionPay's tag 15."""
    needs_creditor_currency: CurrencyCode | None = None
    """Whether the creditor's account here must be in this currency."""
    rate_limit: EventRate = assumed("2500 /s", "gateways of this size run far below their peak")
    """Most authorisations admitted per second."""
    queue_limit: PositiveCount = assumed(100_000, "not published; large enough not to bind")
    """Requests that may wait for admission; one more is refused (MS03)."""
    authorisation_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.8 s", "sigma": "0.5"}},
        "wallet_gateways.alipay_plus.auth_latency_lognormal",
    )
    """From admission to the gateway's answer."""
    hop_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.35 s", "sigma": "0.6"}},
        "corridors.defaults.hub_hop_latency_lognormal",
    )
    """One message between the gateway and a settlement agent."""
    order_life: PositiveDurationUs = cited(
        840_000_000, "wallet_gateways.alipay_plus.order_life", "reported"
    )
    """How long an order lives (online; at a counter 60 s are advised); then dropped or returned."""
    quote_validity: PositiveDurationUs = cited(60_000_000, "assumptions.quote_validity_wallet")
    """How long a price shown to the payer holds."""
    technical_decline: SharePpb = cited(
        1_300_000, "reliability.technical_decline.typical_bank", "reported"
    )
    """Share of authorisations that fail for technical reasons (AB10)."""
    limits: WalletLimits = WalletLimits()
    """Limits of the wallet."""
    settlement_agents: dict[Name, SettlementAgentTerms]
    """Institutions here that settle for the gateway."""
    debit_first: Flag = False
    """Whether a payment going out debits the payer before the agent's nostro is looked at; else
    both are reserved first, and what cannot be paid abroad moves no money."""
    reversal_time: DurationUs = assumed(1_000_000, "one confirmed message there and back")
    """Time of a confirmed reversal before another route may be tried."""
    reconciliation_time: PositiveDurationUs = assumed(
        86_400_000_000, "files of a day are compared on the next"
    )
    """Longest a payment stays in doubt: how long after it was given up a file says what has become
    of a request that was never answered."""
    polls: Polls | None = None
    """Questions for the state of payments under way; absent: none."""
    query: QueryPlan | None = None
    """How a request in doubt is asked about; absent: its answer comes by itself, late."""
    retry: Retry | None = None
    """How often an authorisation that fails for a reason that may pass is sent again; absent:
    never."""

    @property
    def order_life_us(self) -> int:
        """Return how long an order may be under way on it."""
        return self.order_life

    @property
    def _acquirer(self) -> str:
        """Return the institution that credits merchants abroad."""
        return self.acquirer or self.wallet

    def _wallet(self, currency: str) -> PartnerWallet:
        """Return the wallet whose money is in a currency, and its limits."""
        own = PartnerWallet(wallet=self.wallet, limits=self.limits)
        return self.wallets.get(currency, own)

    def _direction(self, use: str) -> Direction:
        found: Direction | None = getattr(self, use)
        assert found is not None, f"a leg {use} of a rail that has none"
        return found

    def _directions(self) -> Iterator[tuple[str, Direction]]:
        for use in (INBOUND, OUTBOUND):
            found: Direction | None = getattr(self, use)
            if found is not None:
                yield use, found

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        """Return the institutions the settings name."""
        found = [("operator", self.operator), ("wallet", self.wallet)]
        if self.acquirer is not None:
            found.append(("acquirer", self.acquirer))
        return tuple(found)

    def rates(self) -> tuple[tuple[FieldPath, EventRate | None], ...]:
        """Return the rate of authorisations."""
        return ((("rate_limit",), self.rate_limit),)

    def all_fees(self) -> tuple[tuple[FieldPath, Mapping[str, Fee]], ...]:
        """Return the fees of both directions."""
        return tuple(((use,), direction.fees) for use, direction in self._directions())

    def links(self) -> tuple[Link, ...]:
        """Return both directions, and who joined them on a day of its own."""
        return links_of_uses(self._directions())

    def problems(self, world: World, name: str) -> Found:
        """Check limits, agents, their shares and their accounts."""
        yield from gateway_problems(self)
        yield from below(("settlement_agents",), share_problems(self.settlement_agents))
        yield from below(("wallets",), wallet_problems(world, self.currency, self.wallets))
        for agent, terms in self.settlement_agents.items():
            found = agent_account_problems(self, world, agent, terms)
            yield from below(("settlement_agents", agent), found)
        yield from settlement_problems(world, dict(self._directions()), self.settlement_agents)
        yield from query_problems(self.query, self.retry)
        yield from asking_problems(self.polls, None, {"gateway"})

    def idle_settings(self, world: World, name: str, legs: Sequence[Leg]) -> Found:
        """Yield directions and agents no route uses, and margins nothing is converted at."""
        yield from idle_in_gateway(self, world, name, legs)

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield the gateway's admission."""
        yield Station(
            f"{name}.gateway",
            queue_limit=self.queue_limit,
            rate_limit=self.rate_limit,
            when_closed=WhenClosed.REJECT,
            reason_closed=Reason.AB07,
        )
        yield from (*query_station(name, self.query), *polls_at(name, self.polls))
        scheme = Scheme(name, self.operator, self.wallet, self._acquirer)
        yield from lines_of(dict(self._directions()), self.settlement_agents, scheme, world.clock)

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield a leg from the wallet to each agent here, and from each agent to payees abroad."""
        abroad = world.institutions[self.wallet].country
        held, paid, agents = corridor.from_.currency, corridor.to.currency, self.settlement_agents
        for agent, terms in sorted(self.settlement_agents.items()):
            here = world.institutions[agent].country
            payers = world.institutions[self._wallet(held).wallet].country
            if self.inbound is not None and corridor.from_.country == payers:
                fits = corridor.to.country == here and held in (self.currency, *self.wallets)
                if fits and self._may_pay_here(creditor):
                    leg = Leg(name, DEBTOR, agent, held, paid, INBOUND)
                    # What the agent's own conversion costs is in no price of the payer.
                    is_own = self.inbound.settlement_currency != paid and terms.share is None
                    own = terms.spread if is_own else 0
                    yield Offer(leg, own, terms.share_of(agents))
            if self.outbound is not None and corridor.to.country == abroad:
                fits = corridor.from_.country == here and paid == self.currency
                shows = not self.schemes or bool(set(self.schemes) & set(creditor.schemes))
                if fits and (shows or not creditor.schemes):
                    leg = Leg(name, agent, CREDITOR, held, paid, OUTBOUND)
                    yield Offer(leg, share=terms.share_of(agents))

    def _may_pay_here(self, creditor: CreditorClass) -> bool:
        """Say whether the code on the counter can be paid through the gateway."""
        if not creditor.currency:
            return True
        has_tag = not self.needs_unionpay_tag or "unionpay" in creditor.schemes
        return has_tag and self.needs_creditor_currency in (None, creditor.currency)

    def terms(self, at: LegContext) -> LegTerms:
        """Return conversions through the settlement currency, and the fees of the direction."""
        direction = self._direction(at.leg.use)
        is_filed = at.leg.use == INBOUND and direction.settlement is not None
        return LegTerms(
            exchanges=tuple(exchange for exchange in self._exchanges(at) if exchange is not None),
            settlement_currency=direction.settlement_currency,
            fees=direction.fees,
            # An agent paid by files charges merchants itself, and pays the scheme out of them.
            fee_recipient=self._agent(at) if is_filed else self.operator,
            own_costs=self._own_costs(at),
            quote_validity_us=self.quote_validity,
        )

    def _exchanges(self, at: LegContext) -> tuple[Exchange | None, Exchange | None]:
        """Return the conversions into and out of the settlement currency; equal ones need none."""
        leg, agent = at.leg, self._agent(at)
        direction = self._direction(leg.use)
        settled, spread = direction.settlement_currency, self.settlement_agents[agent].spread
        gateway, bank = (direction.spread, self.operator), (spread, agent)
        if leg.use == INBOUND:
            # The scheme prices to the payer; the agent converts what it is paid at its own cost.
            first, second = gateway, (0, agent)
        elif settled in (leg.source, leg.target):
            first, second = (direction.spread, agent), (direction.spread, agent)
        else:
            first, second = bank, gateway
        return (
            None if leg.source == settled else Exchange(leg.source, settled, *first),
            None if settled == leg.target else Exchange(settled, leg.target, *second),
        )

    def _own_costs(self, at: LegContext) -> tuple[FeeTerms, ...]:
        """Return what converting the settlement currency costs the agent of a payment coming in."""
        settled, agent = self._direction(at.leg.use).settlement_currency, self._agent(at)
        if at.leg.use != INBOUND or settled == at.leg.target:
            return ()
        return (own_conversion(agent, settled, self.settlement_agents[agent].spread),)

    def _agent(self, at: LegContext) -> str:
        return at.leg.end if at.leg.use == INBOUND else at.leg.start

    def instrument_of(self, leg: Leg) -> str:
        """Return the wallet for payments coming in; who pays abroad needs an account only."""
        return self._wallet(leg.source).wallet if leg.use == INBOUND else ""

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return the wallet."""
        return debtor_at_wallet(at, self._wallet(at.leg.source).wallet)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return the acquirer abroad."""
        return creditor_abroad(at, self._acquirer)

    def funds(self, at: LegContext) -> str | None:
        """Return the account an agent here pays creditors from."""
        return self.settlement_agents[self._agent(at)].prefunding

    def leg(self, at: LegContext) -> LegProgram:
        """Return the leg coming in or going out."""
        return self._inbound(at) if at.leg.use == INBOUND else self._outbound(at)

    def obligations(self, at: LegContext) -> tuple[Obligation, ...]:
        """Return what the wallet owes the settlement agent coming in, and the agent going out.

        The agent pays from money it placed ahead; the gateway clears what is owed days later.
        """
        is_first = at.leg.start == DEBTOR
        debtor = self._wallet(at.leg.source).wallet if is_first else at.leg.start
        creditor = self._acquirer if at.leg.end == CREDITOR else at.leg.end
        return (Obligation(at.name, debtor, creditor),)

    def _inbound(self, at: LegContext) -> LegProgram:
        """Return a wallet paying: authorised first, its money booked with the ledger's."""
        return LegProgram(
            session=self._session(at),
            limit=self._limit(at),
            request=self._authorisation(at),
            hand_over=transit(f"{at.name}.hop_to_agent", self.hop_time),
            moves=self._exchange_moves(at, payer=at.payer, place="clearing"),
            confirm=transit(f"{at.name}.confirmation", self.hop_time),
            reversal_us=self.reversal_time,
            answer=self.hop_time,
            **asked_of(self, at),
        )

    def _outbound(self, at: LegContext) -> LegProgram:
        """Return an agent paying abroad from its nostro, once the money here is final."""
        agent = at.leg.start
        settled = self._direction(OUTBOUND).settlement_currency
        nostro = self.settlement_agents[agent].nostro
        assert nostro is not None
        payout = Move(nostro, outgoing(at.name, agent, settled), Register.SETTLEMENT)
        flags = when_short(at.world, nostro)
        reserve = Stage(
            Op.RESERVE,
            "nostro",
            moves=(payout,),
            target=at.failing if self.debit_first else at.securing,
            reason=Reason.AM04,
            flags=flags,
        )
        # Whoever waits for money has a bound: the payer's session, or the order's life.
        bound = self._order_life(at.securing, Reason.AB05)
        waits = () if at.corridor.time_out is not None or not flags else (bound,)
        return LegProgram(
            look_up=transit(f"{at.name}.look_up", self.hop_time),
            reserve=() if self.debit_first else (*waits, reserve),
            execute=(
                self._order_life(at.failing, Reason.AB05),
                *((reserve,) if self.debit_first else ()),
                *transit(f"{at.name}.hop_to_gateway", self.hop_time),
                *self._authorisation(at),
            ),
            moves=(
                payout,
                *self._exchange_moves(at, payer=f"book:{agent}:{at.leg.source}", place="book"),
            ),
            closing=(Stage(Op.DEADLINE, "order done"),),
            confirm=transit(f"{at.name}.confirmation", self.hop_time),
            reversal_us=self.reversal_time,
            answer=self.hop_time,
            **asked_of(self, at),
        )

    def _exchange_moves(self, at: LegContext, *, payer: Place, place: str) -> tuple[Move, ...]:
        """Return the transfers of the leg's conversions.

        What the first provider sells arrives on the clearing account between gateway and agent
        (coming in) or on the agent's own book (going out), from which a second one is paid.
        """
        assert at.price is not None
        agent, settled = self._agent(at), self._direction(at.leg.use).settlement_currency
        middle = f":{at.name}" if place == "clearing" else ""
        between = f"{place}{middle}:{agent}:{settled}"
        exchanges = self._exchanges(at)
        return chain_moves(at.price, exchanges, payer=payer, between=between, amount=at.before)

    def _session(self, at: LegContext) -> Program:
        """Return the bound of the payer's session: the order's life, or a shorter time-out."""
        time_out = at.corridor.time_out
        if time_out is not None and time_out < self.order_life:
            return payers_time_out(at)
        return (self._order_life(at.failing, Reason.AB06),)

    def _limit(self, at: LegContext) -> Program:
        """Return the check of the wallet's own limits."""
        currency = at.leg.source
        name = f"{at.name}.wallet" + (f".{currency}" if currency in self.wallets else "")
        spec = LimitSpec.of(name, Register.DEBITED, currency, self._wallet(currency).limits)
        return check_limit(f"{at.name}.limit", spec, target=FAIL)

    def _authorisation(self, at: LegContext) -> Program:
        """Return admission, authorisation and technical decline."""
        label = f"{at.name}.authorise"
        failing = at.failing if self.retry is None else f"{label}.again"
        (asked,) = serve(
            label, f"{at.name}.gateway", self.authorisation_time,
            target=failing, reason=Reason.MS03,
        )  # fmt: skip
        technical, place = threshold(self.technical_decline), f"{at.name}.technical"
        asked = asked if self.retry is None else replace(asked, mark=label)
        declined = decide(place, technical, target=failing, reason=Reason.AB10)
        return (*polled(at.name, self.polls)[0], asked, *declined)

    def _order_life(self, target: str, reason: Reason) -> Stage:
        """Return the start of the order's life."""
        return Stage(
            Op.DEADLINE, "order life", value=self.order_life, target=target, reason=reason,
            cause=Cause.TRANSIT,
        )  # fmt: skip

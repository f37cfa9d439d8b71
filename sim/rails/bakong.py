"""Bakong: payments between institutions' accounts at the National Bank, committed in blocks.

Takes the ledger's settings; gives the stages of a transfer: admission by the gateway, then a block.
How a block is formed and voted is specified once, in :class:`sim.contract.layout.LedgerColumn`: a
round starts every ``round_interval``, takes at most ``block_limit`` waiting payments, and commits
when more than two thirds of the peers have voted. Commit is finality; the point of no return is
inclusion in a block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from sim.contract.layout import PEERS_MAX
from sim.contract.meaning import Cause, Op, Reason, WhenClosed
from sim.contract.records import Register
from sim.model.asking import Polls
from sim.model.base import FieldPath, Model
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.quantities import (
    AmountText,
    CurrencyCode,
    DurationUs,
    EventRate,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
    to_minor,
)
from sim.model.sections import AmountRule, Corridor
from sim.rails.asking import asking_problems, polled, polls_at
from sim.rails.institutions import (
    creditor_at_home,
    debtor_at_home,
    payers_time_out,
    when_short,
)
from sim.rails.payers import CreditorClass
from sim.rails.problems import check_amounts
from sim.rails.protocol import (
    CREDITOR,
    DEBTOR,
    CreditorSide,
    DebtorSide,
    Found,
    Leg,
    LegContext,
    LegProgram,
    Offer,
    Rail,
    World,
)
from sim.rails.registry import register_rail
from sim.rails.resources import BlockLedger, Holding, Resource, Station
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    FAIL,
    ZERO_TIME,
    ByRole,
    LimitSpec,
    Move,
    Place,
    Program,
    Stage,
    check_limit,
    serve,
    threshold,
    transit,
)


class KycLimit(Model):
    """Bounds on what a customer of one KYC tier may pay."""

    per_payment: dict[CurrencyCode, AmountText] | None = None
    """Most per payment, by currency; absent means the bound of the day."""
    per_day: dict[CurrencyCode, AmountText]
    """Most per customer and day, by currency."""


class Gateway(Model):
    """Admission of payments to the ledger."""

    rate_limit: EventRate = cited("2500 /s", "assumptions.ledger_gateway_rate")
    """Most payments admitted per second, evenly spaced."""
    queue_limit: PositiveCount = assumed(10**6, "not published; large enough never to bind")
    """Payments that may wait for admission; one more is refused (MS03)."""
    hop_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.05 s", "sigma": "0.4"}},
        "latency_hops.psp_to_bakong_gateway_lognormal",
    )
    """From an institution to the gateway."""


@register_rail
class BakongRail(Rail):
    """A block ledger such as Bakong."""

    kind: Literal["bakong"]
    """Selects this kind of rail."""
    operator: Name = assumed("nbc", "National Bank of Cambodia runs the validators")
    """Who runs the ledger; fees of the rail would go there."""
    currencies: tuple[CurrencyCode, ...] = ("KHR", "USD")
    """Currencies in which institutions hold accounts on the ledger."""
    peers: PositiveCount = cited(7, "bakong.consensus.peers")
    """Validating peers; more than two thirds must vote for a block. At most 64."""
    vote_delay: DurationDistribution = cited(
        {"lognormal": {"median": "0.15 s", "sigma": "0.5"}}, "assumptions.peer_vote_delay_lognormal"
    )
    """Delay of one peer's vote, network included."""
    round_interval: PositiveDurationUs = cited(800_000, "bakong.consensus.sim_round_interval")
    """From the start of one round to the start of the next."""
    block_limit: PositiveCount = cited(1500, "bakong.consensus.sim_max_block_tx")
    """Most payments in one block."""
    idle_interval: DurationUs = cited(
        3_000_000, "bakong.consensus.iroha_default_max_rounds_delay", "reported"
    )
    """Longest gap between rounds while nobody pays; each empty round doubles the gap up to it."""
    leader_failure: SharePpb = cited(0, "assumptions.ledger_leader_failure_probability")
    """Share of rounds lost to a failed leader; those waiting take the next round."""
    gateway: Gateway = Field(default_factory=Gateway)
    """Admission in front of the ledger."""
    limits: dict[Name, KycLimit] = {}
    """Limits by KYC tier; a demand stream names its payers' tier."""
    fee: Literal["free"] = cited("free", "bakong.fees.p2p_user_fee", "reported")
    """Transfers on the ledger cost the customer nothing."""
    amounts: dict[CurrencyCode, AmountRule] = cited(
        {"KHR": {"minimum": "100", "step": "100"}, "USD": {"minimum": "0.01", "step": "0.01"}},
        "facts 2.25",
        "reported",
    )
    """Least amount and step of amounts, by currency."""
    polls: Polls | None = None
    """Questions for the state of payments under way, such as apps ask the open interface of Bakong;
    absent: none."""
    on_us: Literal["book", "ledger"] = assumed(
        "book", "a bank books a payment between two of its own customers itself; not published"
    )
    """Payments whose payer and payee are customers of one institution: booked inside it, beside the
    ledger, or sent over the ledger like all others."""
    opening_balance: dict[CurrencyCode, AmountText] = {}
    """What each member holds on the ledger at the start, where `accounts` does not say."""

    @property
    def quorum(self) -> int:
        """Return the votes that commit a block: more than two thirds of the peers."""
        # More than two thirds: up to a third of the peers, rounded down, may be faulty
        # (Byzantine fault tolerance).
        return 2 * self.peers // 3 + 1

    @property
    def names_routes(self) -> bool:
        """Return False: a route is named by what reaches the ledger, if anything does."""
        return False

    @property
    def held_currencies(self) -> tuple[str, ...]:
        """Return the currencies of the accounts on the ledger."""
        return self.currencies

    @property
    def amount_rules(self) -> Mapping[str, AmountRule]:
        """Return the scheme's least amounts and steps."""
        return self.amounts

    @property
    def kyc_tiers(self) -> tuple[str, ...]:
        """Return the KYC tiers with limits."""
        return tuple(self.limits)

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        """Return the operator, where the scenario names one."""
        return (("operator", self.operator),) if "operator" in self.model_fields_set else ()

    def rates(self) -> tuple[tuple[FieldPath, EventRate | None], ...]:
        """Return the rate of admission."""
        return ((("gateway", "rate_limit"), self.gateway.rate_limit),)

    def problems(self, world: World, name: str) -> Found:
        """Check peers, balances and limits."""
        if self.peers > PEERS_MAX:
            yield ("peers",), f"found {self.peers}; allowed: at most {PEERS_MAX}"
        home = self.home_country(world)
        # Payments on the ledger are between banks; their core systems are part of every program.
        if not any(
            entry.country == home and entry.holds_money for entry in world.institutions.values()
        ):
            yield (
                (),
                f"found no bank in {home}, where the ledger is; needed: an institution there with "
                "one of the roles issuer, acquirer, settlement_agent",
            )
        for currency, amount in self.opening_balance.items():
            if currency not in self.currencies:
                allowed = ", ".join(self.currencies)
                yield (
                    ("opening_balance", currency),
                    f"found currency {currency}; allowed: {allowed}, the ledger's currencies",
                )
            else:
                yield from check_amounts(currency, amount, ("opening_balance", currency))
        for tier, limit in self.limits.items():
            yield from self._limit_problems(tier, limit)
        yield from asking_problems(self.polls, None, {"gateway"})

    def _limit_problems(self, tier: str, limit: KycLimit) -> Found:
        for field in ("per_payment", "per_day"):
            for currency, amount in (getattr(limit, field) or {}).items():
                where = ("limits", tier, field, currency)
                if currency not in self.currencies:
                    allowed = ", ".join(self.currencies)
                    yield where, f"found currency {currency}; allowed: {allowed}"
                yield from check_amounts(currency, amount, where)
        # A payment above the limit of the day could never be made.
        for currency, amount in (limit.per_payment or {}).items():
            day = limit.per_day.get(currency)
            if day is not None and amount > day:
                yield (
                    ("limits", tier, "per_payment", currency),
                    f"found {amount}, above the limit per day of {day}; allowed: at most that",
                )

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield the gateway, the ledger, and every member's accounts on it."""
        # The gateway admits and does no work: a rate and a queue, no servers and no time.
        yield Station(
            f"{name}.gateway",
            queue_limit=self.gateway.queue_limit,
            rate_limit=self.gateway.rate_limit,
            when_closed=WhenClosed.REJECT,
            reason_closed=Reason.AB07,
        )
        yield from polls_at(name, self.polls)
        yield BlockLedger(
            f"{name}.ledger",
            round_interval_us=self.round_interval,
            block_limit=self.block_limit,
            vote_delay=self.vote_delay,
            peers=self.peers,
            quorum=self.quorum,
            idle_max_us=self.idle_interval,
            leader_failure=threshold(self.leader_failure),
        )
        # Only institutions of the country have accounts on the ledger.
        home = self.home_country(world)
        for member in members:
            if member.entry.country != home or not member.holds_money:
                continue
            for currency in sorted(self.currencies):
                opening = self.opening_balance.get(currency)
                yield Holding(
                    _account(member.name, name, currency),
                    currency,
                    # A ledger whose members' money is not described does not run out of it.
                    overdraft_minor=None if opening is None else 0,
                    is_watched=member.settles,
                    deposits=((0, to_minor(opening, currency)),) if opening else (),
                    owner=member.name,
                    kind=f"{name}:{currency}",
                    written=("rails", name, "opening_balance", currency),
                )

    def home_country(self, world: World) -> str:
        """Return the country it serves: its operator's, Cambodia where none is given."""
        operator = world.institutions.get(self.operator)
        return operator.country if operator is not None else "KH"

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield the leg at home, or those between an end here and the settlement agents here."""
        home = self.home_country(world)
        # By name, so that offers come in an order of their own.
        agents = sorted(
            key
            for key, institution in world.institutions.items()
            if "settlement_agent" in institution.roles and institution.country == home
        )
        paid, held = corridor.to.currency, corridor.from_.currency
        pays_here = corridor.to.country == home and paid in self.currencies
        # A code names the currency of the account behind it; Bakong does not convert.
        if pays_here and creditor.currency not in ("", paid):
            pays_here = False
        paid_here = corridor.from_.country == home and held in self.currencies
        # Two currencies at home would need an exchange, which a ledger has not.
        if pays_here and paid_here and held == paid:
            yield Offer(Leg(name, DEBTOR, CREDITOR, held, paid))
        for agent in agents:
            # From abroad the ledger is the last leg, from here the first: always with a
            # settlement agent between.
            if pays_here and not paid_here:
                yield Offer(Leg(name, agent, CREDITOR, paid, paid))
            if paid_here and not pays_here:
                yield Offer(Leg(name, DEBTOR, agent, held, held))

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return the payer's bank here."""
        return debtor_at_home(at)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return the payee's bank here."""
        return creditor_at_home(at)

    def books_on_us(self, at: LegContext) -> bool:
        """Return whether an institution books inside what its customers pay each other."""
        return self.on_us == "book" and at.is_first and at.is_last

    def leg(self, at: LegContext) -> LegProgram:
        """Return a transfer between two accounts: reserved, admitted, committed in a block."""
        begun, asked = polled(at.name, self.polls)
        # One move: what is reserved is the very thing the block posts.
        pay = Move(self._place(at, at.leg.start), self._place(at, at.leg.end), at.before)
        return LegProgram(
            session=payers_time_out(at),
            limit=self._limit(at),
            reserve=(
                Stage(
                    Op.RESERVE,
                    "debtor_agent.funds" if at.is_first else "prefunding",
                    moves=(pay,),
                    target=at.securing,
                    reason=Reason.AM04,
                    flags=when_short(at.world, None if at.is_first else at.funds),
                ),
            ),
            execute=(
                *begun,
                *transit(f"{at.name}.hop", self.gateway.hop_time),
                *serve(
                    f"{at.name}.admission",
                    f"{at.name}.gateway",
                    ZERO_TIME,
                    target=at.failing,
                    reason=Reason.MS03,
                ),
            ),
            commit=Stage(
                Op.BATCH, f"{at.name}.block", place=f"{at.name}.ledger", cause=Cause.LEDGER
            ),
            moves=(pay,),
            asides=asked,
        )

    def _place(self, at: LegContext, node: str) -> Place:
        """Return the account of an end on the ledger: by role, or of a named institution."""
        currency = at.leg.source
        if node == DEBTOR:
            return ByRole(DEBTOR_AGENT, f"{at.name}:{currency}")
        if node == CREDITOR:
            return ByRole(CREDITOR_AGENT, f"{at.name}:{currency}")
        # What the leg before hands on, such as an agent's prefunded account.
        if node == at.leg.start and at.funds is not None:
            return at.funds
        return _account(node, at.name, currency)

    def _limit(self, at: LegContext) -> Program:
        """Return the check of the payer's KYC limits, of payers here only."""
        tier = at.corridor.kyc_tier
        # Limits bind customers of the ledger; who pays from abroad has his wallet's.
        if not at.is_first or tier is None or tier not in self.limits:
            return ()
        currency, limit = at.leg.source, self.limits[tier]
        day = limit.per_day.get(currency)
        # Without a bound of its own a payment is bounded by the day.
        per_payment = (limit.per_payment or {}).get(currency, day)
        bounds = [-1 if most is None else to_minor(most, currency) for most in (per_payment, day)]
        name = f"{at.name}.{tier}.{currency}"
        spec = LimitSpec(name, Register.DEBITED, currency, bounds[0], bounds[1])
        return check_limit(f"{at.name}.kyc_limit", spec, target=FAIL)


def _account(agent: str, rail: str, currency: str) -> str:
    """Return the name of a member's account on the ledger."""
    return f"{agent}@{rail}:{currency}"

"""Digital yuan across the border: wallets with tiers, and a bridge that pays both sides or neither.

Takes the terms of the wallets and of the bridge; gives one leg in either direction. The bridge
locks the payer's money on one side, then the payee's on the other, and releases both at one stroke
(payment versus payment): whatever fails before, nothing moved on either side, and nobody is exposed
to anybody. Hypothetical for Cambodia; the wallets' limits are those published in China.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from sim.contract.meaning import Op, Reason, WhenClosed
from sim.contract.records import Register
from sim.model.base import FieldPath, Model
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import (
    CurrencyCode,
    Name,
    PositiveDurationUs,
    to_minor,
)
from sim.model.sections import Corridor
from sim.rails.directions import INBOUND, OUTBOUND, LinkDirection
from sim.rails.institutions import (
    creditor_abroad,
    creditor_at_home,
    debtor_at_home,
    debtor_at_wallet,
    when_short,
)
from sim.rails.joining import serves
from sim.rails.links import Link, links_of_uses
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
from sim.rails.resources import Resource, Station
from sim.rails.settlement_agents import account_problems, agent_problems, below
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    FAIL,
    WHOLE_RUN_DAYS,
    ByRole,
    LimitSpec,
    Move,
    Program,
    Stage,
    check_limit,
    serve,
    transit,
)


class WalletTier(Model):
    """Bounds of one tier of wallets, in the wallets' currency."""

    per_payment: AmountText | None = None
    """Most per payment (AM02)."""
    per_day: AmountText | None = None
    """Most per wallet and day (AM14)."""
    balance: AmountText | None = None
    """Most a wallet may hold: a payment to it of more than that is refused (AM02)."""

    @property
    def currency(self) -> None:
        """Return None: they are written in the wallets' own currency."""


@register_rail
class EcnyRail(Rail):
    """A central bank's digital money in wallets, with a bridge to money here."""

    kind: Literal["ecny"]
    """Selects this kind of rail."""
    operator: Name
    """Who runs the bridge, and earns fees that name nobody."""
    wallet: Name
    """Foreign institution whose wallets hold the digital money."""
    currency: CurrencyCode = "CNY"
    """Currency of the digital money."""
    partner: Name
    """Institution here on the other side of the bridge, which converts (a settlement agent)."""
    issuance_account: Name
    """Account (in `accounts`, in the digital money's currency) of the partner's digital money: paid
    into when payments come in, and from when they go out."""
    partner_account: Name
    """Account (in `accounts`) of the partner's money here, likewise."""
    inbound: LinkDirection | None = None
    """Wallets abroad paying here."""
    outbound: LinkDirection | None = None
    """Payers here paying to wallets abroad."""
    tiers: dict[Name, WalletTier] = cited(
        {
            "anonymous": {"per_payment": "2000", "per_day": "5000", "balance": "10000"},
            "verified": {"per_payment": "50000", "per_day": "100000", "balance": "500000"},
        },
        "e_cny.anonymous_limit_per_day",
        "reported",
    )
    """Limits by tier of wallet."""
    tier: Name = assumed("anonymous", "visitors hold wallets of the lowest tier")
    """Tier of the wallets that pay and are paid here."""
    wallet_balance: AmountText | None = None
    """What every wallet holds at the start, in the digital money. A wallet that pays has that much
    and no more (AM04); one that is paid, each payer here paying a wallet of its own, takes in what
    its tier's `balance` leaves room for (AM02). Absent: wallets always have enough, and the tier's
    `balance` bounds each payment to one for itself."""
    lock_time: DurationDistribution = assumed("0.3 s", "no bridge of retail payments is in service")
    """Time of one lock, and of the release."""
    lock_limit: PositiveDurationUs = assumed(10_000_000, "not published")
    """How long the first lock waits for the second (AB06); then both are given back."""
    quote_validity: PositiveDurationUs = cited(60_000_000, "assumptions.quote_validity_wallet")
    """How long a price shown to the payer holds."""

    def _directions(self) -> Iterator[tuple[str, LinkDirection]]:
        for use in (INBOUND, OUTBOUND):
            found: LinkDirection | None = getattr(self, use)
            if found is not None:
                yield use, found

    def _direction(self, use: str) -> LinkDirection:
        return dict(self._directions())[use]

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        """Return the operator, the wallets' institution and the partner."""
        return (
            ("operator", self.operator),
            ("wallet", self.wallet),
            ("partner", self.partner),
        )

    def all_fees(self) -> tuple[tuple[FieldPath, Mapping[str, Fee]], ...]:
        """Return the fees of both directions."""
        return tuple(((use,), direction.fees) for use, direction in self._directions())

    def links(self) -> tuple[Link, ...]:
        """Return both directions, and who joined them on a day of its own."""
        return links_of_uses(self._directions())

    def problems(self, world: World, name: str) -> Found:
        """Check directions, partner, accounts, tiers and time-outs."""
        if self.inbound is None and self.outbound is None:
            yield (), "found neither inbound nor outbound; needed: at least one of them"
        yield from below(("partner",), agent_problems(world, self.partner))
        if self.tier not in self.tiers:
            yield ("tier",), f"unknown tier {self.tier!r}; known: {', '.join(sorted(self.tiers))}"
        for key, tier in self.tiers.items():
            yield from check_bounds(self.currency, tier, ("tiers", key))
            if tier.balance is not None:
                yield from check_amounts(self.currency, tier.balance, ("tiers", key, "balance"))
        yield from self._balance_problems()
        for field, currency in (("issuance_account", self.currency), ("partner_account", None)):
            yield from account_problems(
                world, self.partner, getattr(self, field), field=field, currency=currency
            )
        for key, corridor in world.corridors.items():
            use = self._use(world, corridor)
            if use is None or not serves(world, name, corridor):
                continue
            bounds = self._direction(use).limits
            yield from check_bounds(corridor.from_.currency, bounds, (use, "limits"))
            if corridor.time_out is not None:
                yield (
                    ("lock_limit",),
                    f"found a limit, which would replace the time_out of corridor {key!r}; "
                    "allowed: a corridor without one",
                )

    def _balance_problems(self) -> Found:
        """Yield why wallets cannot hold what they hold at the start."""
        held, tier = self.wallet_balance, self.tiers.get(self.tier)
        if held is None:
            return
        yield from check_amounts(self.currency, held, ("wallet_balance",))
        if tier is not None and tier.balance is not None and held > tier.balance:
            yield (
                ("wallet_balance",),
                f"found {held}, above what wallets of tier {self.tier!r} may hold; allowed: at "
                f"most {tier.balance}",
            )

    def idle_settings(self, world: World, name: str, legs: Sequence[Leg]) -> Found:
        """Yield directions no route uses, and tiers nobody has."""
        for use, _ in self._directions():
            if all(leg.use != use for leg in legs):
                yield (use,), f"no route uses this rail {use}"
        for key in self.tiers:
            if key != self.tier:
                yield ("tiers", key), "no wallet of this tier pays or is paid here"

    def _use(self, world: World, corridor: Corridor) -> str | None:
        """Return in which direction a corridor would use the bridge, None in neither."""
        partner, wallet = world.institutions.get(self.partner), world.institutions.get(self.wallet)
        account = world.accounts.get(self.partner_account)
        if partner is None or wallet is None or account is None:
            return None
        home, away = (partner.country, account.currency), (wallet.country, self.currency)
        start = (corridor.from_.country, corridor.from_.currency)
        end = (corridor.to.country, corridor.to.currency)
        for use, way in ((INBOUND, (away, home)), (OUTBOUND, (home, away))):
            if (start, end) == way and getattr(self, use) is not None:
                return use
        return None

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield the two sides of the bridge."""
        for side in ("wallets", "partner"):
            yield Station(
                f"{name}.{side}", when_closed=WhenClosed.REJECT, reason_closed=Reason.AB07
            )

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield the leg over the bridge in the direction of the corridor."""
        use = self._use(world, corridor)
        held, paid = corridor.from_.currency, corridor.to.currency
        if use == OUTBOUND or (use == INBOUND and creditor.currency in ("", paid)):
            yield Offer(Leg(name, DEBTOR, CREDITOR, held, paid, use or ""))

    def instrument_of(self, leg: Leg) -> str:
        """Return the wallet for payments coming in."""
        return self.wallet if leg.use == INBOUND else ""

    def terms(self, at: LegContext) -> LegTerms:
        """Return the partner's conversion and the fees of the direction."""
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
        return Exchange(at.leg.source, at.leg.target, spread, self.partner)

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return the wallet coming in, the payer's bank going out."""
        if at.leg.use == INBOUND:
            side = debtor_at_wallet(at, self.wallet)
            book = ByRole(DEBTOR_AGENT, f"book:{self.currency}")
            debit = (Move(side.account, book, Register.DEBITED),)
            return DebtorSide(side.account, side.authorise, debit, institution=self.wallet)
        return debtor_at_home(at)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return the payee's bank coming in, the wallet going out."""
        if at.leg.use == INBOUND:
            return creditor_at_home(at)
        return creditor_abroad(at, self.wallet)

    def leg(self, at: LegContext) -> LegProgram:
        """Return lock, lock and release."""
        name, (first, second) = at.name, self._locks(at)
        is_inbound = at.leg.use == INBOUND
        sides = ("wallets", "partner") if is_inbound else ("partner", "wallets")
        return LegProgram(
            limit=self._limits(at),
            reserve=(
                Stage(
                    Op.DEADLINE,
                    f"{name}.lock_limit",
                    value=self.lock_limit,
                    target=at.securing,
                    reason=Reason.AB06,
                ),
                *self._lock(at, sides[0], first),
                *self._lock(at, sides[1], second),
            ),
            execute=(
                *transit(f"{name}.release", self.lock_time),
                Stage(Op.DEADLINE, f"{name}.locked"),
            ),
            commit=Stage(Op.POST, f"{name}.released"),
            moves=(
                first,
                second,
                *exchange_moves(
                    at.price,
                    self._exchange(at),
                    payer=f"book:{self.partner}:{at.leg.source}",
                    receiver=f"book:{self.partner}:{at.leg.target}",
                ),
            )
            if at.price is not None
            else (),
            confirm=transit(f"{name}.confirmation", self.lock_time),
        )

    def _locks(self, at: LegContext) -> tuple[Move, Move]:
        """Return both sides of the payment: what the partner is paid, and what it pays."""
        leg, is_inbound = at.leg, at.leg.use == INBOUND
        taken = self.issuance_account if is_inbound else self.partner_account
        given = self.partner_account if is_inbound else self.issuance_account
        payer = ByRole(DEBTOR_AGENT, f"book:{leg.source}")
        payee = ByRole(CREDITOR_AGENT, f"book:{leg.target}")
        return Move(payer, taken, at.before), Move(given, payee, at.after)

    def _lock(self, at: LegContext, side: str, move: Move) -> Program:
        """Return one lock: the message to a side of the bridge, then the reservation there."""
        label = f"{at.name}.lock_{side}"
        account = move.debit if isinstance(move.debit, str) else None
        return (
            *serve(
                f"{label}.ask",
                f"{at.name}.{side}",
                self.lock_time,
                target=at.securing,
                reason=Reason.AB07,
            ),
            Stage(
                Op.RESERVE,
                label,
                moves=(move,),
                target=at.securing,
                reason=Reason.AM04,
                flags=when_short(at.world, account),
            ),
        )

    def _limits(self, at: LegContext) -> Program:
        """Return the limits of the wallet's tier, and those of the direction."""
        name, tier = at.name, self.tiers[self.tier]
        bounds = self._direction(at.leg.use).limits
        own = LimitSpec.of(f"{name}.{at.leg.use}", Register.DEBITED, at.leg.source, bounds)
        if at.leg.use == INBOUND:
            spec = LimitSpec.of(f"{name}.{self.tier}", Register.DEBITED, self.currency, tier)
        else:
            most = -1 if tier.balance is None else to_minor(tier.balance, self.currency)
            held = f"{name}.{self.tier}.balance"
            spec = LimitSpec(held, Register.CREDITED_GROSS, self.currency, most, -1)
        return (
            *check_limit(f"{name}.wallet_limit", spec, target=FAIL),
            *check_limit(f"{name}.limit", own, target=FAIL),
            *self._balance(at),
        )

    def _balance(self, at: LegContext) -> Program:
        """Return the check of what a wallet holds: has it enough, or has it room for more."""
        tier, currency = self.tiers[self.tier], self.currency
        if self.wallet_balance is None:
            return ()
        held = to_minor(self.wallet_balance, currency)
        register, room, reason = Register.DEBITED, held, Reason.AM04
        if at.leg.use == OUTBOUND:
            # Without a bound of its tier a wallet has room for anything.
            room = -1 if tier.balance is None else to_minor(tier.balance, currency) - held
            register, reason = Register.CREDITED_GROSS, Reason.AM02
        spec = LimitSpec(
            f"{at.name}.{at.leg.use}.held", register, currency, -1, room, days=WHOLE_RUN_DAYS
        )
        return check_limit(f"{at.name}.wallet_balance", spec, target=FAIL, reason=reason)

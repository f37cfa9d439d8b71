"""What the flows have in common: prices, quotes, screening, limits, crediting.

Takes sections of a scenario; gives stages and the price they are charged by.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.contract.spec import Flag, Op, Outcome, Reason, Register
from sim.model.distributions import DurationDistribution
from sim.model.pricing import ChargeBearer, Fee
from sim.model.quantities import to_minor
from sim.network.graph import Candidate
from sim.rails.bakong import BakongRail, kyc_limit
from sim.rails.khqr import KhqrRail, confirmation_stages
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    FAIL,
    FAIL_SENT,
    ByRole,
    LimitSpec,
    Move,
    Place,
    Program,
    Stage,
    serve,
    transit,
)
from sim.rails.wallet_gateway import (
    THRESHOLD_ONE,
    WalletGatewayRail,
    threshold,
)
from sim.scenario.parts import Corridor
from sim.scenario.scenario import Scenario

QUOTE = "quote"
CLEARED = "screening.cleared"
REQUOTES = 3
"""Times a payer is shown a new price before giving up (assumption: nobody asks four times)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Be one conversion of a price: who sells which currency for which, at which margin."""

    source: str
    target: str
    spread_ppm: int
    provider: str


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """Be one fee of a price, with its accounts."""

    fee: Fee
    component: str
    recipient: str
    debit: Place
    currency: str

    @property
    def credit(self) -> str:
        """Return the account fees of this recipient are collected on."""
        return f"fees:{self.recipient}:{self.currency}"


@dataclass(frozen=True, slots=True)
class Price:
    """Be the price of a route: currencies on the way, conversions and fees."""

    currencies: tuple[str, str, str]
    exchanges: tuple[Exchange | None, Exchange | None]
    fees: tuple[FeeTerms, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Be the program of a route together with its price (None: it moves no money)."""

    program: Program
    price: Price | None


def fixed_time(duration_us: int) -> DurationDistribution:
    """Return the distribution that is always this many microseconds."""
    return DurationDistribution("constant", (("value", duration_us),))


FINISHED = Stage(Op.END, "completed", value=int(Outcome.COMPLETED), reason=Reason.NONE)
"""The end of a payment that reached its creditor."""


def rails_of(scenario: Scenario, candidate: Candidate) -> tuple[WalletGatewayRail, BakongRail]:
    """Return the gateway and the ledger of a route."""
    gateway, ledger = scenario.rails[candidate.gateway], scenario.rails[candidate.ledger]
    assert isinstance(gateway, WalletGatewayRail)
    assert isinstance(ledger, BakongRail)
    return gateway, ledger


def codes_of(scenario: Scenario, corridor: Corridor) -> tuple[str, KhqrRail] | None:
    """Return the name and settings of the codes a corridor's payees show."""
    if corridor.codes is None:
        return None
    rail = scenario.rails[corridor.codes]
    assert isinstance(rail, KhqrRail)
    return corridor.codes, rail


def customers(role: int, currency: str) -> ByRole:
    """Name the account of an agent's customers."""
    return ByRole(role, f"customers:{currency}")


def book(role: int, currency: str) -> ByRole:
    """Name an agent's own book."""
    return ByRole(role, f"book:{currency}")


def on_ledger(role: int, candidate: Candidate, currency: str) -> ByRole:
    """Name an agent's account on the route's ledger."""
    return ByRole(role, f"{candidate.ledger}:{currency}")


def core(role: int) -> ByRole:
    """Name an agent's core system."""
    return ByRole(role, "core")


def core_time(scenario: Scenario, institution: str) -> DurationDistribution:
    """Return the core time of an institution; of the members here, whose times are alike, any."""
    if institution:
        return scenario.institutions[institution].core.service_time
    issuers = (entry for _, entry in sorted(scenario.institutions.items()) if entry.payer_share)
    first = next(issuers, None)
    if first is None:
        first = next(entry for _, entry in sorted(scenario.institutions.items()))
    return first.core.service_time


def decline_share(scenario: Scenario) -> int:
    """Return the share of attempts the institutions here refuse."""
    shares = [
        entry.decline for _, entry in sorted(scenario.institutions.items()) if entry.payer_share
    ]
    return shares[0] if shares else 0


def when_short(scenario: Scenario, account: str | None) -> Flag:
    """Return whether payments wait for an account that is short."""
    queues = account is not None and scenario.accounts[account].when_short == "queue"
    return Flag.QUEUE if queues else Flag(0)


def quote_and_confirm(validity: int, codes: tuple[str, KhqrRail] | None) -> Program:
    """Return the price, the payer's confirmation, and a new price where it took too long."""
    confirm = confirmation_stages(*codes) if codes is not None else ()
    quote = Stage(Op.QUOTE, QUOTE, mark=QUOTE, value=validity, target=FAIL, reason=Reason.AM12)
    if not validity:
        return (quote, *confirm)
    use = Stage(
        Op.CONVERT, "use quote", back_to=QUOTE, value=REQUOTES, target=FAIL, reason=Reason.NOAS
    )
    return (quote, *confirm, use)


def wallet_limit(name: str, gateway: WalletGatewayRail, currency: str) -> Program:
    """Return the check of the wallet's own limits."""
    limits = gateway.limits
    if limits.per_payment is None and limits.per_day is None:
        return ()
    bounds = [
        -1 if amount is None else to_minor(amount, currency)
        for amount in (limits.per_payment, limits.per_day)
    ]
    spec = LimitSpec(f"{name}.wallet", Register.DEBITED, currency, bounds[0], bounds[1])
    return (Stage(Op.LIMIT, f"{name}.limit", limit=spec, target=FAIL),)


def tier_limit(
    scenario: Scenario, candidate: Candidate, corridor: Corridor, currency: str
) -> Program:
    """Return the check of the payer's KYC limits on the ledger."""
    ledger = scenario.rails[candidate.ledger]
    assert isinstance(ledger, BakongRail)
    tier = corridor.kyc_tier
    if tier is None or tier not in ledger.limits:
        return ()
    spec = kyc_limit(
        candidate.ledger, tier, ledger.limits[tier], currency=currency, register=Register.DEBITED
    )
    if spec.per_payment < 0 and spec.per_day < 0:
        return ()
    return (Stage(Op.LIMIT, f"{candidate.ledger}.kyc_limit", limit=spec, target=FAIL),)


def time_out(corridor: Corridor) -> Program:
    """Return the start of the payer's session, which lasts up to the point of no return."""
    if corridor.time_out is None:
        return ()
    return (
        Stage(
            Op.DEADLINE, "time-out", value=corridor.time_out, target=FAIL_SENT, reason=Reason.AB03
        ),
    )


def screening(scenario: Scenario, agent: str, *, target: str) -> Program:
    """Return the automatic check, and a person's review of the few that hit."""
    desk = scenario.institutions[agent].screening
    return (
        *serve(f"{agent}.screening", f"{agent}.screening", desk.service_time, target=target),
        Stage(
            Op.DECIDE,
            f"{agent}.no_hit",
            value=THRESHOLD_ONE - threshold(desk.hit_share),
            target=CLEARED,
        ),
        *serve(f"{agent}.review", f"{agent}.review", desk.review_time, target=target),
        Stage(
            Op.DECIDE,
            f"{agent}.refused",
            value=threshold(desk.refused_share),
            target=target,
            reason=Reason.RR04,
        ),
        Stage(Op.POST, "cleared", mark=CLEARED),
    )


def credit_creditor(scenario: Scenario, price: Price, currency: str) -> Program:
    """Return the creditor's institution booking the money, less what the merchant bears."""
    credit = Move(
        book(CREDITOR_AGENT, currency),
        customers(CREDITOR_AGENT, currency),
        Register.CREDITED_GROSS,
    )
    return (
        Stage(
            Op.SERVE,
            "creditor_agent.core",
            place=core(CREDITOR_AGENT),
            time=core_time(scenario, ""),
            target=FAIL,
            reason=Reason.MS03,
        ),
        Stage(Op.POST, "creditor_agent.credit", moves=(credit,), flags=Flag.CREDITS),
        *charge(price, ChargeBearer.CREDITOR),
    )


def notify(codes: tuple[str, KhqrRail] | None) -> Program:
    """Return the message to the merchant's phone."""
    if codes is None:
        return ()
    return transit(f"{codes[0]}.notify", codes[1].notification_time)


def charge(price: Price, bearer: ChargeBearer) -> Program:
    """Return the charging of every fee one side bears."""
    return tuple(
        Stage(Op.CHARGE, f"fee.{terms.component}", fee=position)
        for position, terms in enumerate(price.fees)
        if terms.fee.bearer == bearer
    )


def fee_terms(
    fees: dict[str, Fee], operator: str, debited: str, credited: str
) -> tuple[FeeTerms, ...]:
    """Return fees with their recipients and accounts, in the order of their names."""
    found = []
    for name, fee in sorted(fees.items()):
        is_debtor = fee.bearer == ChargeBearer.DEBTOR
        currency = debited if is_debtor else credited
        found.append(
            FeeTerms(
                fee=fee,
                component=fee.component or name,
                recipient=fee.recipient or operator,
                debit=customers(DEBTOR_AGENT if is_debtor else CREDITOR_AGENT, currency),
                currency=currency,
            )
        )
    return tuple(found)


def exchanges(
    currencies: tuple[str, str, str], *, first: tuple[int, str], second: tuple[int, str]
) -> tuple[Exchange | None, Exchange | None]:
    """Return the conversions between three currencies; equal ones need none."""
    debited, settled, credited = currencies
    return (
        None if debited == settled else Exchange(debited, settled, *first),
        None if settled == credited else Exchange(settled, credited, *second),
    )


def exchange_moves(
    price: Price, payer: Place, gateway: str, agent: str, *, agent_pays: bool = False
) -> tuple[Move, ...]:
    """Return the transfers of a price's conversions, each two transfers and the margin's own.

    The payer pays the first provider; what it sells arrives on the clearing account between gateway
    and agent (coming in) or on the agent's own book (going out), from which a second conversion is
    paid.
    """
    debited, settled, credited = price.currencies
    first, second = price.exchanges
    between = f"book:{agent}:{settled}" if agent_pays else f"clearing:{gateway}:{agent}:{settled}"
    moves: list[Move] = []
    if first is None:
        moves.append(Move(payer, between, Register.DEBITED))
    else:
        moves += [
            Move(payer, f"fx:{first.provider}:{debited}", Register.MID_1),
            Move(payer, f"spread:{first.provider}:{debited}", Register.SPREAD_1),
            Move(f"fx:{first.provider}:{settled}", between, Register.SETTLEMENT),
        ]
    if second is not None:
        source = f"book:{second.provider}:{settled}"
        moves += [
            Move(source, f"fx:{second.provider}:{settled}", Register.MID_2),
            Move(source, f"spread:{second.provider}:{settled}", Register.SPREAD_2),
            Move(
                f"fx:{second.provider}:{credited}",
                f"book:{second.provider}:{credited}",
                Register.CREDITED_GROSS,
            ),
        ]
    return tuple(moves)

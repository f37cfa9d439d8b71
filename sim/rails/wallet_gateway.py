"""Foreign wallet gateways: stand-ins for Alipay+, WeChat Pay and UnionPay QR.

Takes the gateway's settings; gives the stages of an authorisation through it. Nothing here talks to
a real wallet. A gateway fixes the exchange rate at authorisation, prices the payment through its
own provider, admits at most ``rate_limit`` requests, and forgets an order after ``order_life``.
Clearing and net settlement happen days later and are obligations on its clearing accounts here.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator

from sim.contract.spec import Cause, Op, Reason
from sim.model.base import Model
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import (
    CurrencyCode,
    DurationUs,
    EventRate,
    FeePpm,
    Flag,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
)
from sim.rails.stages import Program, Stage, decide, serve, transit

THRESHOLD_ONE = 1 << 62


def _read_date(found: object) -> object:
    """Read an ISO day; anything else is left for pydantic to refuse."""
    if isinstance(found, str):
        try:
            return date.fromisoformat(found)
        except ValueError as problem:
            raise ValueError(f"found {found!r}; allowed: a day such as '2024-10-14'") from problem
    return found


Day = Annotated[date, BeforeValidator(_read_date)]
"""A calendar day."""


class SettlementAgentTerms(Model):
    """Say how one settlement agent serves a gateway."""

    prefunding: Name | None = None
    """Account (in `accounts`) the agent pays creditors from when payments come in; by default its
    own account on the ledger."""
    nostro: Name | None = None
    """Account (in `accounts`) at the gateway the agent pays foreign creditors from; needed for
    payments going out."""
    spread: FeePpm = cited(1200, "fx.counter_half_spread.KHR")
    """Margin of the agent over the mid rate for the conversion it makes."""


class Direction(Model):
    """Say what a gateway does in one direction."""

    live_from: Day
    """Day the link went live; a later one than the clock's start needs `hypothetical: true`."""
    hypothetical: Flag = False
    """Marks a link that was not live at the clock's start; `explain` and the report say so."""
    settlement_currency: CurrencyCode
    """Currency in which gateway and agent settle; a payment between two others converts twice."""
    spread: FeePpm
    """Margin of the gateway's side over the mid rate."""
    fees: dict[Name, Fee] = {}
    """Fees charged in this direction, by component."""


class WalletLimits(Model):
    """Bound what a wallet lets its holder pay, in the wallet's currency."""

    per_payment: AmountText | None = None
    """Most per payment."""
    per_day: AmountText | None = None
    """Most per payer and day."""


class WalletGatewayRail(Model):
    """Configure a gateway between foreign wallets and the settlement agents here."""

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
    """How long an order lives; then it is abandoned (before the ledger) or returned (after)."""
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
    reversal_time: DurationUs = assumed(1_000_000, "one confirmed message there and back")
    """Time of a confirmed reversal before another route may be tried."""


def threshold(share_ppb: int) -> int:
    """Return the 62-bit threshold below which a draw hits with this probability."""
    return share_ppb * THRESHOLD_ONE // 10**9


def authorisation_stages(rail_name: str, rail: WalletGatewayRail, *, target: str) -> Program:
    """Return the gateway's admission, authorisation and technical decline."""
    return (
        *serve(
            f"{rail_name}.authorise",
            f"{rail_name}.gateway",
            rail.authorisation_time,
            target=target,
            reason=Reason.MS03,
        ),
        *decide(
            f"{rail_name}.technical",
            threshold(rail.technical_decline),
            target=target,
            reason=Reason.AB10,
        ),
    )


def hop_stages(label: str, rail: WalletGatewayRail) -> Program:
    """Return one message between gateway and settlement agent."""
    return transit(label, rail.hop_time)


def order_deadline(rail: WalletGatewayRail, *, target: str, reason: Reason) -> Stage:
    """Return the stage that starts the order's life."""
    return Stage(
        Op.DEADLINE,
        "order life",
        value=rail.order_life,
        target=target,
        reason=reason,
        cause=Cause.TRANSIT,
    )

"""The sections of a scenario file as models: clock, prices, institutions, accounts, demand.

Takes text as people write it (through :mod:`sim.model`); gives frozen, checked values. What two
sections must agree on is checked in :mod:`sim.scenario.checks`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sim.model.asking import Retry
from sim.model.base import Model
from sim.model.declines import ByHand, Declines
from sim.model.defaults import assumed, cited
from sim.model.distributions import AmountDistribution, DurationDistribution
from sim.model.money import AmountText
from sim.model.name_check import NameCheck
from sim.model.policy_names import PolicyName, WholeNumber
from sim.model.pricing import Fee
from sim.model.quantities import (
    Count,
    CountryCode,
    CurrencyCode,
    DurationUs,
    EventRate,
    Flag,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
    Timestamp,
)
from sim.model.refunds import Refunds, WrittenRefund
from sim.model.steps import Steps
from sim.model.top_up import TopUp
from sim.model.traces import Trace


class Clock(Model):
    """When the scenario starts and how long it runs."""

    start: Timestamp
    """First instant, with its offset from UTC, as in 2025-09-17T18:00:00+07:00."""
    horizon: PositiveDurationUs
    """How long payments are submitted; payments open at the end are `in_progress`."""
    warm_up: DurationUs = 0
    """Payments submitted before this much time has passed are left out of the measures."""


class Core(Model):
    """An institution's own systems."""

    servers: PositiveCount = assumed(400, "not published; sized so that a busy evening flows")
    """Payments its core system handles at the same time."""
    service_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.25 s", "sigma": "0.6"}},
        "latency_hops.psp_core_banking_lognormal",
    )
    """Time the core system takes for one debit or credit."""


class Screening(Model):
    """A settlement agent's screening desk."""

    mode: Literal["decline", "hold", "after"] = assumed(
        "hold", "a person looks before anything is refused; which agent does what is not published"
    )
    """What a hit does: `decline` refuses the payment before its money is reserved (RR04); `hold`
    lets it wait for a person's review; `after` lets every payment go on: its check follows the
    credit, a hit freezes what was credited until it is reviewed, and what is refused then goes back
    on the next bank day."""
    servers: PositiveCount = assumed(200, "automatic screening scales; not published")
    """Payments screened automatically at the same time."""
    service_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.2 s", "sigma": "0.8"}},
        "latency_hops.sanctions_screening_lognormal",
    )
    """Time of the automatic check."""
    hit_share: SharePpb = cited(1_000_000, "assumptions.screening_hit_probability")
    """Share of payments a person must look at."""
    officers: PositiveCount = assumed(10, "not published")
    """Persons who review hits at the same time."""
    review_time: DurationDistribution = cited(
        {"lognormal": {"median": "600 s", "sigma": "0.8"}},
        "assumptions.screening_manual_review_lognormal",
    )
    """Time of one review."""
    refused_share: SharePpb = assumed(50_000_000, "most hits are false")
    """Share of reviewed payments that are refused (RR04)."""
    by_hand: ByHand | None = None
    """When what is refused after the credit begins to go back; absent: as its defaults say."""


Role = Literal["issuer", "acquirer", "settlement_agent", "fx_provider", "operator"]


_BANKS = frozenset({"issuer", "acquirer", "settlement_agent"})


class AmountRule(Model):
    """What a scheme asks of amounts in one currency."""

    minimum: AmountText | None = None
    """Least amount of a payment; absent: one step."""
    step: AmountText | None = None
    """Amounts people key in are whole multiples of it; absent: the currency's own."""


class Institution(Model):
    """A bank, PSP, wallet or rail operator."""

    country: CountryCode
    """Where it is licensed."""
    roles: tuple[Role, ...]
    """What it does here."""
    name: str = ""
    """Its name for people."""
    bakong_id: Name | None = None
    """Right side of Bakong account ids of its customers (`name@bank`); by default its key."""
    members: PositiveCount = assumed(1, "an entry stands for itself")
    """How many equal institutions this entry stands for; they are named `<key>_01`, ..."""
    payer_share: Count = 0
    """Weight among the institutions payers here belong to."""
    merchant_share: Count = 0
    """Weight among the institutions merchants here belong to."""
    core: Core = Core()
    """Its own systems."""
    screening: Screening = Screening()
    """Its screening desk (settlement agents)."""
    decline: SharePpb = cited(72_000_000, "published upi_business_decline")
    """Share of its payers' attempts it refuses: wrong PIN, balance, own limits (AG01)."""
    declines: Declines = Declines()
    """What it declines besides, for technical reasons or when it is to credit."""

    @property
    def holds_money(self) -> bool:
        """Return whether it holds customers' money, and so accounts on the ledger at home."""
        return bool(_BANKS & set(self.roles))


class Deposit(Model):
    """More money put on an account at a known time."""

    after: DurationUs
    """When it arrives, after the start."""
    amount: AmountText
    """How much, in the account's currency."""


class Account(Model):
    """Money placed ahead."""

    owner: Name
    """Institution whose money it is."""
    at: Name
    """Rail or institution that holds it."""
    currency: CurrencyCode
    """Its currency."""
    balance: AmountText
    """Opening balance."""
    overdraft: AmountText | None = None
    """How far below zero it may go; absent: not at all."""
    overdraft_rate: SharePpb | None = None
    """Interest on what it is below zero, a year (365 days); absent: not counted."""
    idle_rate: SharePpb | None = None
    """Cost of funds: what the money lying on it costs its owner, a year (365 days); absent: not
    counted."""
    alarm_below: AmountText | None = None
    """Level below which an alarm is raised, and stands until the level (balance less what is
    reserved) is back; absent: none."""
    stop_below: AmountText | None = None
    """Stop-loss: level below which its owner closes the channel over it. Routes that draw on it
    are then offered to no new payment until the level is back; a payment without another one ends
    with AG10. Absent: payments are refused one by one (AM04)."""
    reserve: AmountText | None = None
    """Level a router that spares accounts (`routing.spare_reserves`) leaves on it: payments that
    would take it below go over other routes while there are any."""
    when_short: Literal["queue", "reject"] = "reject"
    """Whether payments wait for money or are refused (AM04)."""
    deposits: dict[Name, Deposit] = {}
    """Money that arrives later, by name."""
    top_up: TopUp | None = None
    """When and how its owner fills it up; absent: never."""


class End(Model):
    """One end of a corridor."""

    country: CountryCode
    """Country of the payer or the payee."""
    currency: CurrencyCode
    """Currency debited or credited there."""


class ForeignCodes(Model):
    """The codes merchants abroad show."""

    merchants: PositiveCount = assumed(500, "a sample that stands for the population")
    """Codes in the sample; at most 10 000."""
    schemes: dict[Name, SharePpb]
    """Share of codes by scheme (unionpay, wechat_pay, alipay, ...); adds up to 100 %."""


class Breaker(Model):
    """Circuit breaker of a route: closed, open, and half-open while a payment probes it."""

    failures: PositiveCount = assumed(5, "common settings of circuit breakers")
    """It opens when so many attempts failed in a way another route can help against..."""
    of: PositiveCount = assumed(10, "common settings of circuit breakers")
    """... of so many last ones; at most 62."""
    open_for: PositiveDurationUs = assumed(30_000_000, "common settings of circuit breakers")
    """How long it stays open before one payment may probe the route."""


class Routing(Model):
    """How routes are chosen."""

    policy: PolicyName = "cheapest"
    """Which route is best: priority, cheapest, fastest, weighted, adaptive, or the name of a policy
    of your own (manual: own-policy)."""
    settings: dict[Name, WholeNumber] = {}
    """Settings of a policy of your own, by name; those left out are as it says."""
    candidates: PositiveCount = assumed(8, "more than any corridor here has")
    """Most candidate routes of a corridor."""
    failover: Count = 0
    """How often a payment may try another route after a failure that one might cure."""
    view_interval: PositiveDurationUs = assumed(10_000_000, "routers poll; no figure published")
    """How stale the router's view of queues may be."""
    order: tuple[str, ...] = ()
    """Routes in order of preference, by name or its start (policy priority)."""
    cost_at_most: SharePpb | None = None
    """Dearer routes are taken only where all are barred: FX margin and payer's fees, of the amount
    debited."""
    time_at_most: PositiveDurationUs | None = None
    """Slower routes are taken only where all are barred: expected time plus the queues last
    seen."""
    spare_reserves: Flag = False
    """Whether routes that would take an account below its `reserve` are barred likewise."""
    second_is_worth: SharePpb | None = None
    """What a second of waiting is worth, of the amount debited; policy weighted needs it."""
    breaker: Breaker | None = None
    """When routes that fail are barred for a while; absent: never."""
    explore: SharePpb | None = None
    """How often another route is tried to learn from; policy adaptive needs it."""
    failure_takes: PositiveDurationUs | None = None
    """What an attempt that failed counts as having taken; policy adaptive needs it."""
    news: Literal["at_once", "sampled"] = "at_once"
    """When a router knows how attempts ended: at once, or with its view of queues
    (`view_interval`)."""


class Corridor(Model):
    """A pair of ends with a direction."""

    from_: End = Field(alias="from")
    """Where the payer is."""
    to: End
    """Where the payee is."""
    rails: tuple[Name, ...] | None = None
    """Rails its routes may use; absent: all, but of generic ones only where there are no others."""
    routes: Literal["auto"] = "auto"
    """Routes are found in the payment graph."""
    codes: Name | None = None
    """Rail of kind khqr whose codes payees here show."""
    foreign_codes: ForeignCodes | None = None
    """Codes payees abroad show."""
    kyc_tier: Name | None = None
    """KYC tier of payers on the ledger; its limits apply."""
    time_out: PositiveDurationUs | None = None
    """Time-out of the payer's institution, up to the point of no return (AB03)."""
    promise: PositiveDurationUs | None = None
    """How long a payment may take; still open after it, it counts as not successful. Absent: the
    time-out; without one the longest life of an order on the rails of its routes; else 60 s, what
    Nexus aims at end to end (calibration: timeouts.cross_border_payment_default)."""
    fees: dict[Name, Fee] = {}
    """Fees of the payer's institution, by component."""
    routing: Routing | None = None
    """How routes of this corridor are chosen, in place of the scenario's `routing`; how stale the
    view is (`view_interval`) is the same everywhere."""


class ScheduledPayment(Model):
    """One payment of a written list."""

    at: DurationUs
    """When it is submitted, after the start."""
    amount: AmountText
    """Instructed amount, in the currency of the fixed side."""
    payer: Count = 0
    """Which payer of the stream pays."""
    merchant: Count = 0
    """Which merchant of the sample is paid."""
    debtor_agent: Name | None = None
    """Payer's institution; absent: drawn by payer_share."""
    creditor_agent: Name | None = None
    """Payee's institution, where payees show no codes; absent: drawn by merchant_share."""
    refunds: dict[Name, WrittenRefund] = {}
    """Parts of it that are paid back, by name."""


class AfterFailure(Model):
    """What payers do whose payment failed, or who meet a code their instrument cannot pay."""

    change: SharePpb = assumed(600_000_000, "most try their other app; no figure published")
    """Share, of those who carry a second instrument, who take it."""
    change_time: DurationDistribution = assumed(
        {"lognormal": {"median": "15 s", "sigma": "0.5"}}, "a person opens another app"
    )
    """Time of a person to take it and scan again."""
    retry: Retry | None = None
    """How payers try the same again before anything else, after a failure that may pass; absent:
    they do not."""
    cash: SharePpb = assumed(700_000_000, "at a counter most have some; no figure published")
    """Share, of those who change nothing, who pay cash; the others give up."""


class Demand(Model):
    """A stream of payments."""

    corridor: Name
    """Which way the money goes."""
    as_: Literal["payments", "load"] = Field(default="payments", alias="as")
    """Whether its payments are simulated one by one, or carried as load: as numbers that take
    places in the blocks of a ledger, before and behind payments, and nothing else. Domestic streams
    over a ledger that commits blocks may be load; what load does not do is said by `explain`."""
    channel: Literal["counter", "online", "remittance"] | None = None
    """Where the payer pays, as tables say: online with a `shop`, by remittance with a `name_check`,
    else at a counter. Written, it must be what the stream is; absent, it is that."""
    shop: Name | None = None
    """Online shop its payments are orders of; each is submitted when it is ordered."""
    name_check: NameCheck | None = None
    """How the payee's institution is asked for the payee's name before there is a price, where a
    person pays another; the payer fixes the amount then (`fixed_side: debtor`). Absent: not."""
    rate: EventRate | None = None
    """Mean arrivals; with a profile, the mean over its day."""
    profile: Name | Literal["flat"] = "flat"
    """Course of the day (in `profiles`), or flat."""
    steps: Steps = {}
    """Multiples of the rate by elapsed time since the start, as in {10 min: 3, 20 min: 1}: each
    holds until the next, 1 before the first. They multiply the profile, its bursts included."""
    payments: tuple[ScheduledPayment, ...] | None = None
    """A written list of payments, in place of a rate."""
    trace: Trace | None = None
    """Payments read from a file, in place of a rate."""
    count: PositiveCount | None = None
    """Most payments of the stream, whatever horizon and load; `validate` says where that ends it
    before the horizon."""
    fixed_side: Literal["creditor", "debtor"] = "creditor"
    """Which side the amount fixes: what the payee asks, or what the payer sends."""
    amount: AmountDistribution | None = None
    """Instructed amounts, in the currency of the fixed side."""
    payers: PositiveCount = 1
    """Number of payers; daily limits are kept for each."""
    payer_skew: PositiveCount = assumed(2, "activity of payers is skewed; no figure published")
    """1: all payers equally active; k: payer index is the population times u^k."""
    instruments: dict[Name | CurrencyCode, SharePpb] = {}
    """Share of payers by what they pay with: a wallet abroad (its institution) or the currency of
    an account here; adds up to 100 %. Absent: nothing is said, and routing chooses among all."""
    second_instrument: dict[Name | CurrencyCode, dict[Name | CurrencyCode, SharePpb]] = {}
    """Share of the payers with one instrument who carry another one, too, by both."""
    after_failure: AfterFailure | None = None
    """What payers do after a failure; absent: nothing is known of it."""
    patience: DurationDistribution | None = None
    """How long payers wait for an answer before they walk away (DS02): for the price, and again
    from their confirmation on. Up to the point of no return their payment is given up, after it the
    money goes its way without them. Absent: for ever."""
    refunds: Refunds | None = None
    """What payees give back; absent: only what written payments say, at the original rate."""
    priority: Count = 0
    """Place in stations that serve by priority; 0 first."""

    @property
    def pays_at(self) -> Literal["counter", "online", "remittance"]:
        """Return where its payers pay."""
        if self.shop is not None:
            return "online"
        return "counter" if self.name_check is None else "remittance"


class Profile(Model):
    """The course of a day."""

    hourly: tuple[Count, ...]
    """24 weights by local hour."""
    weekday: tuple[Count, ...] = (1, 1, 1, 1, 1, 1, 1)
    """7 weights, Monday first; their mean counts as 1."""
    burst_sigma: SharePpb = assumed(
        200_000_000, "peak minute of an hour about 1.5 times its mean (demand.burst_within_hour)"
    )
    """Spread of a minute's factor around the hourly course (lognormal, mean 1)."""

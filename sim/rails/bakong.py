"""Bakong: payments between institutions' accounts at the National Bank, committed in blocks.

Takes the ledger's settings; gives the stages of a transfer: admission by the gateway, then a block.
How a block is formed and voted is specified once, in :class:`sim.contract.spec.LedgerColumn`: a
round starts every ``round_interval``, takes at most ``block_limit`` waiting payments, and commits
when more than two thirds of the peers have voted. Commit is finality; the point of no return is
inclusion in a block.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sim.contract.spec import Cause, Flag, Op, Reason, Register
from sim.model.base import Model
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
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
from sim.rails.stages import ZERO_TIME, LimitSpec, Move, Program, Stage, serve, transit


class KycLimit(Model):
    """Bound what a customer of one KYC tier may pay."""

    per_payment: dict[CurrencyCode, AmountText] | None = None
    """Most per payment, by currency; absent means the bound of the day."""
    per_day: dict[CurrencyCode, AmountText]
    """Most per customer and day, by currency."""


class Gateway(Model):
    """Admit payments to the ledger."""

    rate_limit: EventRate = cited("2500 /s", "assumptions.ledger_gateway_rate")
    """Most payments admitted per second, evenly spaced."""
    queue_limit: PositiveCount = assumed(10**6, "not published; large enough never to bind")
    """Payments that may wait for admission; one more is refused (MS03)."""
    hop_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.05 s", "sigma": "0.4"}},
        "latency_hops.psp_to_bakong_gateway_lognormal",
    )
    """From an institution to the gateway."""


class BakongRail(Model):
    """Configure a block ledger such as Bakong."""

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
    opening_balance: dict[CurrencyCode, AmountText] = {}
    """What each member holds on the ledger at the start, where `accounts` does not say."""

    @property
    def quorum(self) -> int:
        """Return the votes that commit a block: more than two thirds of the peers."""
        return 2 * self.peers // 3 + 1


LEDGER_STATION = "ledger"
GATEWAY_STATION = "gateway"


def ledger_account(agent: str, rail: str, currency: str) -> str:
    """Return the name of a member's account on the ledger."""
    return f"{agent}@{rail}:{currency}"


def transfer_stages(
    rail_name: str, rail: BakongRail, moves: tuple[Move, ...], *, target: str, settles: bool = True
) -> Program:
    """Return the stages of one transfer: hop, admission, block.

    Parameters
    ----------
    rail_name, rail
        The ledger.
    moves : tuple of Move
        Posted together when the block commits.
    target : str
        Where a refusal by the gateway leads.
    settles : bool
        Whether the commit is the payment's settlement.
    """
    return (
        *transit(f"{rail_name}.hop", rail.gateway.hop_time),
        *serve(
            f"{rail_name}.admission",
            f"{rail_name}.{GATEWAY_STATION}",
            ZERO_TIME,
            target=target,
            reason=Reason.MS03,
        ),
        commit_stage(rail_name, moves, settles=settles),
    )


def commit_stage(rail_name: str, moves: tuple[Move, ...], *, settles: bool) -> Stage:
    """Return the stage that waits for a block and posts when it commits."""
    return Stage(
        Op.BATCH,
        f"{rail_name}.block",
        place=f"{rail_name}.{LEDGER_STATION}",
        cause=Cause.LEDGER,
        moves=moves,
        flags=Flag.SETTLES if settles else Flag(0),
    )


def kyc_limit(
    rail_name: str, tier: str, limit: KycLimit, *, currency: str, register: Register
) -> LimitSpec:
    """Return the limit of a tier in one currency, as minor units; absent means no bound."""
    day = limit.per_day.get(currency)
    per_payment = (limit.per_payment or {}).get(currency, day)
    return LimitSpec(
        name=f"{rail_name}.{tier}.{currency}",
        register=register,
        currency=currency,
        per_payment=-1 if per_payment is None else to_minor(per_payment, currency),
        per_day=-1 if day is None else to_minor(day, currency),
    )

"""Hold what the audit knows of a payment in flight, and say what its record must be.

Takes nothing but figures from the log; the registers, times and sums kept here are rebuilt, never
copied from a record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from sim.contract.spec import (
    FEES_MAX,
    NULL,
    RECORD_WIDTH,
    REGISTER_COUNT,
    Bearer,
    Cause,
    Outcome,
    RecordColumn,
    Register,
)
from sim.tables.audit_prices import PriceBook

Agents = frozenset[int] | None
"""Agents a payment may have: None while nothing is known (agents are not in the log)."""


class Wait(IntEnum):
    """Say what a payment waits for."""

    NOTHING = 0
    """It acts within the event at hand."""
    QUEUE = 1
    SERVICE = 2
    DELAY = 3
    LEDGER = 4
    BLOCK = 5
    LIQUIDITY = 6
    ENDED = 7


@dataclass(slots=True)
class Expected:
    """A row that must come next: kind, subject, amount, value; account references as in plans."""

    kind: int
    subject: int
    amount: int
    value: int
    transfer: int = -1
    """Transfer row a reservation belongs to."""
    has_accounts: bool = True


@dataclass(slots=True)
class PaymentState:
    """Rebuild one payment."""

    number: int
    stream: int
    ordinal: int
    submitted_us: int
    pc: int
    accounted_us: int
    priority: int
    wait: Wait = Wait.NOTHING
    wait_subject: int = -1
    wait_amount: int = 0
    wait_credit: int = -1
    due_us: int = -1
    due_key: int = -1
    cause: int = 0
    steps: int = 0
    registers: list[int] = field(default_factory=lambda: [NULL] * REGISTER_COUNT)
    pricing: int = -1
    is_quoted: bool = False
    expiry_us: int = NULL
    deadline_us: int = -1
    deadline_key: int = -1
    deadline_stage: int = -1
    attempts: int = 0
    requotes: int = 0
    lapsed: int = 0
    route: int = -1
    tried: set[int] = field(default_factory=set)
    agents: list[Agents] = field(default_factory=lambda: [None, None])
    reserved: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    limits: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    """(limit, amount, day, payer) by slot."""
    todo: list[Expected] = field(default_factory=list)
    has_begun: bool = False
    """Whether ``todo`` has been made for the stage at hand."""
    charged: int = 0
    fees: list[int] = field(default_factory=lambda: [NULL] * FEES_MAX)
    payer_fee: int = 0
    merchant_fee: int = 0
    settled_us: int = NULL
    credited_us: int = NULL
    reason: int = 0
    times: list[int] = field(default_factory=lambda: [0] * len(Cause))

    def account_time(self, cause: int, now_us: int) -> None:
        """Add the time since the last accounting to a cause."""
        self.times[cause] += now_us - self.accounted_us
        self.accounted_us = now_us

    def charge(self, slot: int, amount: int, bearer: int) -> None:
        """Mark a fee as charged."""
        self.charged |= 1 << slot
        self.fees[slot] = amount + (0 if self.fees[slot] == NULL else self.fees[slot])
        if bearer == Bearer.DEBTOR:
            self.payer_fee += amount
        else:
            self.merchant_fee += amount

    def record(self, outcome: int, end_us: int, carries_money: bool) -> list[int]:
        """Return the record the payment must have; columns nobody can know are -2.

        Parameters
        ----------
        outcome : int
            How it ended.
        end_us : int
            When, NULL while in progress.
        carries_money : bool
            Whether its last route has a price.
        """
        c = RecordColumn
        row = [NULL] * RECORD_WIDTH
        row[c.PAYMENT], row[c.STREAM], row[c.ORDINAL] = self.number, self.stream, self.ordinal
        row[c.ROUTE] = self.route
        row[c.DEBTOR_AGENT], row[c.CREDITOR_AGENT] = (_known(agents) for agents in self.agents)
        row[c.INSTRUCTED] = self.registers[Register.INSTRUCTED]
        is_priced = self.is_quoted and carries_money
        if is_priced and (self.settled_us != NULL or outcome == Outcome.COMPLETED):
            row[c.DEBITED] = self.registers[Register.DEBITED]
            row[c.SETTLEMENT] = self.registers[Register.SETTLEMENT]
            row[c.PAYER_FEE] = self.payer_fee
            row[c.SPREAD_1] = self.registers[Register.SPREAD_1]
            if outcome != Outcome.RETURNED:
                row[c.FX_MARGIN] = self.registers[Register.FX_MARGIN]
                row[c.FX_DRIFT] = self.registers[Register.FX_DRIFT]
        if is_priced and self.credited_us != NULL:
            row[c.CREDITED] = self.registers[Register.CREDITED]
            row[c.MERCHANT_FEE] = self.merchant_fee
        row[c.SUBMITTED_US], row[c.SETTLED_US] = self.submitted_us, self.settled_us
        row[c.CREDITED_US], row[c.END_US] = self.credited_us, end_us
        row[c.OUTCOME], row[c.REASON] = outcome, self.reason
        row[c.ATTEMPTS], row[c.REQUOTES] = self.attempts, self.requotes
        row[c.QUOTES_LAPSED], row[c.CHARGED] = self.lapsed, self.charged
        row[c.TIME_0 : c.TIME_0 + len(Cause)] = self.times
        row[c.FEE_0 : c.FEE_0 + FEES_MAX] = self.fees
        return row


UNKNOWN = -2
"""Stands for a column of a record that the log does not determine."""


def charge_fee(state: PaymentState, prices: PriceBook, fee: int, amount: int) -> None:
    """Book a FEE row on the payment."""
    state.charge(prices.fee_slot(state.pricing, fee), amount, prices.bearer(fee))


def _known(agents: Agents) -> int:
    """Return the one agent left, or that it is not known."""
    return next(iter(agents)) if agents is not None and len(agents) == 1 else UNKNOWN

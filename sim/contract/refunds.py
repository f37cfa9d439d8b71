"""What is paid back after a payment has completed: parts, rates, accounts.

Takes nothing; gives columns of the plan's refund tables and of a run's refund totals, in whose
docstrings the meaning is said. A part of :mod:`sim.contract.meaning`.

Orders at shops are paid back when they expire, and only then: :mod:`~sim.contract.shops`.

**Who.** An END with outcome ``completed`` names in FIRST and COUNT the transfer rows of a refund;
with COUNT 0 nothing of it is ever paid back. The payment has then ended like any other: OUTCOME
row, record, and it counts in nothing any more that is open. Its registers and agents are kept as
long as a part of it is to come.

**Parts.** Where the stream has written refunds for the payment's ordinal, these are its parts, in
order. Otherwise it is refunded if a draw (PURPOSE_SHARE, visit 0) lies below SHARE: ``total =
floor(INSTRUCTED * TOTAL_PPM / 10^6)`` in PARTS parts, of which part k asks for ``floor(total * k /
PARTS) - floor(total * (k - 1) / PARTS)``. A part falls due ``max(1, after)`` microseconds after the
payment ended or the part before it fell due; ``after`` is the written AFTER_US, or drawn from
AFTER_TABLE (PURPOSE_AFTER, visit = part, from 1). No part falls due more than
:data:`REFUND_WITHIN_US` after the end: it and those behind it never come. Behind the OUTCOME row of
the payment (whose value is 1 then, else -1), or behind all rows of the part before, stands its
REFUND_DUE row (subject = part, amount = what it asks for in minor units of INSTRUCTED, value = us
until it is due).

**Paying.** A part that falls due is an event of class COMPLETE of its payment, with the next step.
Asking for more than is left of INSTRUCTED is refused for AM02. Otherwise each row of FIRST .. FIRST
+ COUNT - 1 moves its register's share: with ``a`` paid back before and ``b`` behind it, ``floor(R *
b / INSTRUCTED) - floor(R * a / INSTRUCTED)``, so that parts which add up to INSTRUCTED give back
every register whole. With RATE ``current`` and a first conversion in the payment's PRICING, what
the payer gets is what the part's share of SETTLEMENT costs at the mid rate of now, rounded down:
that is then the amount of DEBITED and of MID_1, and SPREAD_1 moves nothing. The part is refused for
AM04 if the debit account of any row has others waiting for it or less available than the row's
amount (of a POOL account: :class:`~sim.contract.guards.GuardColumn`, without its overdraft); each
is looked at by itself, before anything moves, and rows of 0 are not. REFUND row
(subject = part, amount = what is paid back in minor units of INSTRUCTED, value = 0 or the reason),
then a MOVED row of the payment for each amount above 0, in order, each followed at once by the
RESERVE rows of those it sets free. Nothing is asked again. Fees the payment charged are kept.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.layout import CERTAIN, PPM
from sim.contract.table import Between, OneOf, Span, Table, Within
from sim.units import DAY_US

REFUND_WITHIN_US = 365 * DAY_US
"""Longest time after a payment in which it can be paid back."""

PARTS_MAX = 50
"""Most parts a payment can be paid back in."""


class RefundRate(IntEnum):
    """At which rate what was settled goes back to the payer. Users write the name in lower case."""

    ORIGINAL = 0
    """That of the payment: the payer gets back what was paid, its margin included."""
    CURRENT = 1
    """The mid rate of the refund: the payer bears what the rate has done, and the margin stays."""


class RefundColumn(IntEnum):
    """Columns of ``Plan.refund``, one row per stream."""

    SHARE = 0
    """62-bit threshold of being paid back; 0: only what is written."""
    TOTAL_PPM = 1
    PARTS = 2
    AFTER_TABLE = 3
    RATE = 4
    PURPOSE_SHARE = 5
    PURPOSE_AFTER = 6
    WRITTEN_FIRST = 7
    WRITTEN_COUNT = 8


class WrittenRefundColumn(IntEnum):
    """Columns of ``Plan.written_refund``; rows of a stream by ordinal, then in order of time."""

    ORDINAL = 0
    AFTER_US = 1
    """After the payment ended or the part before it fell due."""
    AMOUNT = 2
    """In minor units of INSTRUCTED."""


class RefundTotal(IntEnum):
    """Columns of a stream's refunds that fall due in [warm_up, horizon)."""

    PARTS = 0
    """Paid."""
    REFUSED = 1
    PAYMENTS = 2
    """Payments of which a first part was paid."""
    VALUE = 3
    """Paid back, in minor units of INSTRUCTED."""


REFUNDS = Table(
    "streams",
    RefundColumn,
    {
        RefundColumn.SHARE: Between(0, CERTAIN),
        RefundColumn.TOTAL_PPM: Between(0, PPM),
        RefundColumn.PARTS: Between(0, PARTS_MAX),
        RefundColumn.AFTER_TABLE: Within("words", or_none=True),
        RefundColumn.RATE: OneOf(RefundRate),
        RefundColumn.WRITTEN_FIRST: Span("written refunds", RefundColumn.WRITTEN_COUNT),
    },
)
WRITTEN_REFUNDS = Table(
    "written refunds",
    WrittenRefundColumn,
    {WrittenRefundColumn.AFTER_US: Between(0), WrittenRefundColumn.AMOUNT: Between(1)},
)
"""The tables of the plan that these are columns of."""

"""What goes into a run and what comes out: payments, registers, log rows, records, totals.

Takes nothing; gives enumerations of columns, in whose docstrings the meaning of each column is
said, and how durations are counted in a histogram.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.layout import FEES_MAX

HISTOGRAM_SUB_BITS = 7
"""128 linear cells per octave: relative error of a recorded value below 1/128 = 0.8 %."""

HISTOGRAM_LENGTH = 1 << 13


class LogColumn(IntEnum):
    """Columns of the event log, all int64.

    ``stage`` is the stage row the payment is at (the stage that acts or waits; for FINISH the stage
    served; for rows without payment -1). ``key`` is the order key of the event being handled.
    """

    TIME_US = 0
    KEY = 1
    KIND = 2
    PAYMENT = 3
    STAGE = 4
    SUBJECT = 5
    AMOUNT = 6
    VALUE = 7


LOG_WIDTH = 8


class Register(IntEnum):
    """A payment's integer registers. All NULL at submission but INSTRUCTED."""

    INSTRUCTED = 0
    DEBITED = 1
    """Principal taken from the debtor, FX margin included, explicit fees not."""
    SETTLEMENT = 2
    CREDITED_GROSS = 3
    CREDITED = 4
    """What the creditor keeps: CREDITED_GROSS less MERCHANT_FEE."""
    MID_1 = 5
    """Part of DEBITED that buys SETTLEMENT at the first conversion's mid rate."""
    SPREAD_1 = 6
    """DEBITED - MID_1, in debited currency."""
    MID_2 = 7
    SPREAD_2 = 8
    """SETTLEMENT - MID_2, in settlement currency."""
    FX_MARGIN = 9
    """DEBITED less the value of CREDITED_GROSS at mid rates now, in debited currency.

    The value goes through both mid rates and is rounded once, at the end
    (:class:`~sim.contract.layout.PricingColumn`). Never below SPREAD_1."""
    FX_DRIFT = 10
    """That value now less the same, rounded likewise, at the rates of the instant of submission."""
    PAYER_FEE = 11
    MERCHANT_FEE = 12
    FX_ROUNDING = 13
    """Part of FX_MARGIN that comes from rounding and not from a spread, in millionths of a minor
    unit of the debited currency; below zero where rounding favours the payer."""
    FEE_0 = 14


REGISTER_COUNT = 14 + FEES_MAX


class WorkloadColumn(IntEnum):
    """Columns of a workload chunk, one row per payment in order of submission.

    Payments are numbered from 0 in ascending (time, stream, n).
    """

    TIME_US = 0
    STREAM = 1
    ORDINAL = 2
    ROUTE_SET = 3
    AMOUNT = 4
    PAYER = 5
    DEBTOR_AGENT = 6
    CREDITOR_AGENT = 7
    CODE_STATE = 8
    CODE_EXPIRY_US = 9
    MERCHANT = 10
    INSTRUMENT = 11
    """What the payer pays with: number in ``PlanNames.instruments``, from 1; 0: nothing is said."""
    ROUTE_SET_2 = 12
    """Route set of the second instrument, where there is one."""
    INSTRUMENT_2 = 13
    """Second instrument the payer carries, as INSTRUMENT; 0: none."""


WORKLOAD_WIDTH = 14


class RecordColumn(IntEnum):
    """Columns of a finished payment's record, in the order payments end.

    Amounts, fees and times not reached are NULL. DEBITED, SETTLEMENT and PAYER_FEE (sum of charged
    debtor-borne fees), FX_MARGIN, FX_ROUNDING, FX_DRIFT and FX_RISK are given once the payment
    settled or completed, CREDITED and MERCHANT_FEE (sum of charged creditor-borne fees) once it was
    credited; all of them NULL for routes without pricing. A returned payment's FX_MARGIN,
    FX_ROUNDING, FX_DRIFT and FX_RISK are NULL, and so is FX_RISK where SETTLED_US is.
    """

    PAYMENT = 0
    STREAM = 1
    ORDINAL = 2
    ROUTE = 3
    DEBTOR_AGENT = 4
    CREDITOR_AGENT = 5
    INSTRUCTED = 6
    DEBITED = 7
    SETTLEMENT = 8
    CREDITED = 9
    PAYER_FEE = 10
    FX_MARGIN = 11
    FX_DRIFT = 12
    MERCHANT_FEE = 13
    SUBMITTED_US = 14
    SETTLED_US = 15
    CREDITED_US = 16
    END_US = 17
    """NULL while in progress."""
    OUTCOME = 18
    REASON = 19
    ATTEMPTS = 20
    REQUOTES = 21
    QUOTES_LAPSED = 22
    TIME_0 = 23
    """Eight columns, in the order of :class:`Cause`; of a payment in progress, up to the
    horizon."""
    SPREAD_1 = 31
    CHARGED = 32
    """Bit mask of the charged fee slots."""
    IN_DOUBT_SINCE_US = 33
    """Instant at which the doubt began that the horizon leaves open, else NULL: a payment that
    ended is in doubt no more. Times in doubt that ended are in the cause IN_DOUBT."""
    FX_ROUNDING = 34
    FX_RISK = 35
    """What the FX providers lose from quote to settlement: the value of CREDITED_GROSS at the mid
    rates of SETTLED_US less the same at the quote's, in debited currency, rounded like FX_DRIFT."""
    QUOTED_US = 36
    """Instant of the last QUOTE; NULL before any."""
    INSTRUMENT = 37
    """What was paid with last, as in the workload."""
    INSTEAD = 38
    """Member of :class:`~sim.contract.meaning.Instead`; NULL where nothing is known of it."""
    GONE_US = 39
    """Instant at which the payer walked away and did not come back; NULL: never."""
    DOUBTED_US = 40
    """Instants at which the first doubt began and the last one ended (KNOWN row); NULL: never."""
    KNOWN_US = 41
    FEE_0 = 42


RECORD_WIDTH = 42 + FEES_MAX


class StationTotal(IntEnum):
    """Columns of a station's totals over [warm_up, horizon)."""

    BUSY_AREA = 0
    """Sum of busy servers times microseconds."""
    QUEUE_AREA = 1
    QUEUE_MAX = 2
    STARTS = 3
    WAIT_SUM_US = 4
    """Of the payments that started; waits are also counted in a histogram."""
    REFUSED = 5


class LedgerTotal(IntEnum):
    """Columns of a ledger's totals; events at or after the warm-up count."""

    BLOCKS = 0
    INCLUDED = 1
    QUEUE_AREA = 2
    QUEUE_MAX = 3
    ROUNDS = 4
    WAIT_SUM_US = 5
    """From ENQUEUE to commit, of the payments committed; also counted in a histogram."""
    LOAD = 6
    """Load in the blocks committed; see :mod:`~sim.contract.loads`."""
    LOAD_MAX = 7
    """Most of the load that waited at the start of a round, or at the horizon."""
    LOAD_END = 8
    """Load that waits at the horizon: joined by then and not taken."""


class AccountTotal(IntEnum):
    """Columns of an account's totals over [warm_up, horizon).

    LOW and the areas are kept for WATCHED accounts only (0 for others).
    """

    POSTED_END = 0
    PENDING_END = 1
    LOW = 2
    """Lowest posted balance seen from the warm-up on (the balance at the warm-up included)."""
    BALANCE_AREA = 3
    """The integral of the posted balance over time, to the microsecond. With ``a`` the sum of
    balances times the microseconds they stood, BALANCE_REST is ``a mod 10^6``, BALANCE_AREA
    ``(a // 10^6) mod 2^31`` and BALANCE_AREA_HIGH ``(a // 10^6) >> 31``: as ``|a|`` stays below
    BALANCE_MAX times HORIZON_MAX_US, each fits an int64 and no two mean the same."""
    DELAYED = 4
    LOST = 5
    BALANCE_AREA_HIGH = 6
    SHORT_FIRST_US = 7
    """First and last instant at which a RESERVE was refused for want of the account's money or had
    to wait for it; NULL: never."""
    SHORT_LAST_US = 8
    MISSING = 9
    """Least the account would have had to hold more, had all else stayed as it was, so that nobody
    was refused and nobody waited: the greatest, over RESERVE stages that were refused, waited, or
    were granted after one was refused, of what was refused so far plus what waits, both with the
    amount at hand, less what is available then. Whoever gives up waiting at a time-out counts as
    refused from then on. 0: nothing. What was refused stops growing at
    :data:`~sim.contract.layout.BALANCE_MAX`."""
    BALANCE_REST = 10
    OVERDRAWN_AREA = 11
    """Likewise the integral of what the balance is below zero, 0 where it is not; so what lay idle
    is the one plus the other. WATCHED accounts only."""
    OVERDRAWN_AREA_HIGH = 12
    OVERDRAWN_REST = 13
    ALARMS = 14
    """Alarms raised, and the first of them (NULL: none); likewise of closings of the channel."""
    ALARM_FIRST_US = 15
    STOPS = 16
    STOP_FIRST_US = 17
    STOPPED_US = 18
    """How long the channel was closed, closings before the warm-up included from there on."""


AREA_BITS = 31


def histogram_bucket(value: int) -> int:
    """Return the bucket of a non-negative duration: linear below 128, then 128 cells per octave."""
    # Each microsecond has a cell of its own here; from 128 on cells double in width with every
    # octave.
    if value < (1 << HISTOGRAM_SUB_BITS):
        return value
    octave = value.bit_length() - 1 - HISTOGRAM_SUB_BITS
    return (octave << HISTOGRAM_SUB_BITS) + (value >> octave)


def histogram_bounds(bucket: int) -> tuple[int, int]:
    """Return the smallest and the largest duration of a bucket of :func:`histogram_bucket`."""
    if bucket < (2 << HISTOGRAM_SUB_BITS):
        return bucket, bucket
    octave = (bucket >> HISTOGRAM_SUB_BITS) - 1
    # The inverse: what was shifted out is unknown.
    low = (bucket - (octave << HISTOGRAM_SUB_BITS)) << octave
    return low, low + (1 << octave) - 1

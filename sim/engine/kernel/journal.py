"""What is written down: log rows, time by cause, records of payments.

Takes the cursor, the pool and the buffers; the loop has made sure the buffers have room.
"""

from __future__ import annotations

from sim.contract.layout import FEES_MAX, NULL, SUM_MAX, RouteColumn, StageColumn
from sim.contract.meaning import Cause, Outcome
from sim.contract.plan import Array, Plan
from sim.contract.records import RecordColumn, Register
from sim.engine.kernel import state as st
from sim.engine.kernel.state import (
    C_ERROR,
    C_ERROR_PAYMENT,
    C_FX_STEP,
    C_KEY,
    C_LOG,
    C_NOW,
    C_RECORDS,
    C_WANTS_LOG,
    LOG_ALL,
    LOG_NONE,
    P_SINCE,
    P_TIME,
    KernelState,
)
from sim.jit.functions import called, inlined
from sim.money.exchange import value_at_mid

_CAUSES = len(Cause)


@inlined
def write_log(
    cursor: Array,
    log: Array,
    kind: int,
    payment: int,
    stage: int,
    subject: int,
    amount: int,
    value: int,
) -> None:
    """Write one row of the event log, if anybody wants it."""
    if cursor[C_WANTS_LOG] == LOG_ALL:
        _append_row(cursor, log, kind, payment, stage, subject, amount, value)


@inlined
def write_sample(
    cursor: Array, log: Array, kind: int, subject: int, amount: int, value: int
) -> None:
    """Write one SAMPLE row, which some want who do not want the log."""
    if cursor[C_WANTS_LOG] != LOG_NONE:
        _append_row(cursor, log, kind, -1, -1, subject, amount, value)


@inlined
def write_refund(
    cursor: Array,
    log: Array,
    kind: int,
    payment: int,
    stage: int,
    subject: int,
    amount: int,
    value: int,
) -> None:
    """Write one REFUND row, which some want who do not want the log."""
    if cursor[C_WANTS_LOG] != LOG_NONE:
        _append_row(cursor, log, kind, payment, stage, subject, amount, value)


@called
def _append_row(
    cursor: Array,
    log: Array,
    kind: int,
    payment: int,
    stage: int,
    subject: int,
    amount: int,
    value: int,
) -> None:
    """Write one row of the event log."""
    # No test for room: the loop provides for the longest step before it is begun.
    at = cursor[C_LOG]
    cursor[C_LOG] = at + 1
    # Columns by number, in the order of LogColumn: this function is called for every row there
    # is.
    log[at, 0] = cursor[C_NOW]
    log[at, 1] = cursor[C_KEY]
    log[at, 2] = kind
    log[at, 3] = payment
    log[at, 4] = stage
    log[at, 5] = subject
    log[at, 6] = amount
    log[at, 7] = value


@inlined
def account_time(cursor: Array, pool: Array, slot: int, cause: int) -> None:
    """Add the time since a payment was last accounted for to one cause."""
    now = cursor[C_NOW]
    # What is added to a cause is taken from the one interval that ends here, so the sums
    # add up to the payment's life whatever happens to it.
    pool[slot, P_TIME + cause] += now - pool[slot, P_SINCE]
    pool[slot, P_SINCE] = now


@called
def break_off(cursor: Array, error: int, payment: int) -> None:
    """Note a broken invariant; the loop stops at the first."""
    # Later ones are consequences of the first.
    if cursor[C_ERROR] == 0:
        cursor[C_ERROR] = error
        cursor[C_ERROR_PAYMENT] = payment


@inlined
def add_area(cursor: Array, total: Array, place: int, column: int, level: int, past: int) -> None:
    """Add a level times the time it stood, above 0, to an area; stop where it would not fit."""
    # Nearly always both are small and the product is below 2^62; only else it is worth a
    # division. An area before it is below SUM_MAX, so the sum of both stays below 2^63.
    if (level >> 22) | (past >> 40) and level > SUM_MAX // past:
        break_off(cursor, st.E_SUM, -1)
        return
    area = total[place, column] + level * past
    if area >= SUM_MAX:
        break_off(cursor, st.E_SUM, -1)
        return
    total[place, column] = area


@called
def write_record(
    plan: Plan, state: KernelState, slot: int, outcome: int, reason: int, end_us: int
) -> None:
    """Write the record of a payment that ended, or that the horizon finds open."""
    cursor = state.cursor
    pool = state.pool
    record = state.record
    at = cursor[C_RECORDS]
    cursor[C_RECORDS] = at + 1
    record[at, RecordColumn.PAYMENT] = pool[slot, st.P_ID]
    record[at, RecordColumn.STREAM] = pool[slot, st.P_STREAM]
    record[at, RecordColumn.ORDINAL] = pool[slot, st.P_ORDINAL]
    record[at, RecordColumn.ROUTE] = pool[slot, st.P_ROUTE]
    record[at, RecordColumn.DEBTOR_AGENT] = pool[slot, st.P_DEBTOR_AGENT]
    record[at, RecordColumn.CREDITOR_AGENT] = pool[slot, st.P_CREDITOR_AGENT]
    record[at, RecordColumn.INSTRUCTED] = pool[slot, st.P_INSTRUCTED]
    record[at, RecordColumn.SUBMITTED_US] = pool[slot, st.P_SUBMITTED]
    record[at, RecordColumn.SETTLED_US] = pool[slot, st.P_SETTLED]
    record[at, RecordColumn.CREDITED_US] = pool[slot, st.P_CREDITED]
    record[at, RecordColumn.END_US] = end_us
    record[at, RecordColumn.OUTCOME] = outcome
    record[at, RecordColumn.REASON] = reason
    record[at, RecordColumn.INSTRUMENT] = pool[slot, st.P_INSTRUMENT]
    # What the payer does instead is said where a payment ends, and nowhere else.
    instead = plan.stage[pool[slot, st.P_STAGE], StageColumn.SUBJECT] if end_us != NULL else -1
    record[at, RecordColumn.INSTEAD] = instead if instead >= 0 else NULL
    record[at, RecordColumn.ATTEMPTS] = pool[slot, st.P_ATTEMPTS]
    record[at, RecordColumn.REQUOTES] = pool[slot, st.P_REQUOTES]
    record[at, RecordColumn.QUOTES_LAPSED] = pool[slot, st.P_LAPSED]
    record[at, RecordColumn.QUOTED_US] = pool[slot, st.P_QUOTED]
    # The causes stand side by side in both arrays, in the order of Cause.
    for cause in range(_CAUSES):
        record[at, RecordColumn.TIME_0 + cause] = pool[slot, P_TIME + cause]
    _write_amounts(plan, state, slot, outcome, at)
    charged = pool[slot, st.P_CHARGED]
    record[at, RecordColumn.CHARGED] = charged
    record[at, RecordColumn.IN_DOUBT_SINCE_US] = pool[slot, st.P_DOUBT_SINCE]
    record[at, RecordColumn.GONE_US] = pool[slot, st.P_GONE]
    record[at, RecordColumn.DOUBTED_US] = pool[slot, st.P_DOUBTED]
    record[at, RecordColumn.KNOWN_US] = pool[slot, st.P_KNOWN]
    for fee_slot in range(FEES_MAX):
        # NULL and not 0: a fee that was charged 0 times is not a fee of 0.
        amount = NULL
        if (charged >> fee_slot) & 1:
            amount = pool[slot, st.P_FEE + fee_slot]
        record[at, RecordColumn.FEE_0 + fee_slot] = amount


@called
def _write_amounts(plan: Plan, state: KernelState, slot: int, outcome: int, at: int) -> None:
    """Write the amounts of a record as far as the payment reached them."""
    pool = state.pool
    record = state.record
    # NULL first: the buffer of records is used again and again, and shows an earlier payment
    # here.
    for column in range(RecordColumn.DEBITED, RecordColumn.MERCHANT_FEE + 1):
        record[at, column] = NULL
    for column in (RecordColumn.SPREAD_1, RecordColumn.FX_ROUNDING, RecordColumn.FX_RISK):
        record[at, column] = NULL
    route = pool[slot, st.P_ROUTE]
    # Two ways to have no amounts: never quoted, or a last route that carries no money.
    if pool[slot, st.P_PRICING] < 0 or (route >= 0 and plan.route[route, RouteColumn.PRICING] < 0):
        return
    # Before settlement nothing was moved for good, so there is nothing a record may claim.
    if pool[slot, st.P_SETTLED] != NULL or outcome == Outcome.COMPLETED:
        record[at, RecordColumn.DEBITED] = pool[slot, st.P_REGISTER + Register.DEBITED]
        record[at, RecordColumn.SETTLEMENT] = pool[slot, st.P_REGISTER + Register.SETTLEMENT]
        record[at, RecordColumn.SPREAD_1] = pool[slot, st.P_REGISTER + Register.SPREAD_1]
        record[at, RecordColumn.PAYER_FEE] = pool[slot, st.P_PAYER_FEE]
        # A return gives the principal back, and with it the margin.
        if outcome != Outcome.RETURNED:
            record[at, RecordColumn.FX_MARGIN] = pool[slot, st.P_REGISTER + Register.FX_MARGIN]
            record[at, RecordColumn.FX_DRIFT] = pool[slot, st.P_REGISTER + Register.FX_DRIFT]
            rounding = pool[slot, st.P_REGISTER + Register.FX_ROUNDING]
            record[at, RecordColumn.FX_ROUNDING] = rounding
            record[at, RecordColumn.FX_RISK] = _risk(plan, state, slot)
    if pool[slot, st.P_CREDITED] != NULL:
        record[at, RecordColumn.CREDITED] = pool[slot, st.P_REGISTER + Register.CREDITED]
        record[at, RecordColumn.MERCHANT_FEE] = pool[slot, st.P_MERCHANT_FEE]


@called
def _risk(plan: Plan, state: KernelState, slot: int) -> int:
    """Return what a payment's providers lost from its quote to its settlement."""
    pool = state.pool
    if pool[slot, st.P_SETTLED] == NULL:
        return NULL
    settled = value_at_mid(
        plan.pricing,
        plan.conversion,
        plan.rate,
        plan.pair_scale,
        state.cursor[C_FX_STEP],
        pool[slot, st.P_PRICING],
        pool[slot, st.P_REGISTER + Register.CREDITED_GROSS],
        pool[slot, st.P_SETTLED],
    )
    # The value at the quote is not kept: it is what the debit is without the margin.
    quoted = pool[slot, st.P_REGISTER + Register.DEBITED]
    quoted -= pool[slot, st.P_REGISTER + Register.FX_MARGIN]
    return int(settled - quoted)

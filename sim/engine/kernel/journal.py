"""What is written down: log rows, time by cause, records of payments.

Takes the cursor, the pool and the buffers; the loop has made sure the buffers have room.
"""

from __future__ import annotations

from sim.contract.plan import Array, Plan
from sim.contract.spec import FEES_MAX, Outcome, RecordColumn, Register, RouteColumn
from sim.contract.spec import NULL as _NULL
from sim.engine.kernel import state as st
from sim.engine.kernel.jit import called, inlined
from sim.engine.kernel.state import (
    C_ERROR,
    C_ERROR_PAYMENT,
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

NULL = int(_NULL)
_ROUTE_PRICING = int(RouteColumn.PRICING)
_COMPLETED = int(Outcome.COMPLETED)
_RETURNED = int(Outcome.RETURNED)
_DEBITED = int(Register.DEBITED)
_SETTLEMENT = int(Register.SETTLEMENT)
_CREDITED = int(Register.CREDITED)
_SPREAD_1 = int(Register.SPREAD_1)
_FX_MARGIN = int(Register.FX_MARGIN)
_FX_DRIFT = int(Register.FX_DRIFT)
_R_PAYMENT, _R_STREAM, _R_ORDINAL, _R_ROUTE = map(
    int, (RecordColumn.PAYMENT, RecordColumn.STREAM, RecordColumn.ORDINAL, RecordColumn.ROUTE)
)
_R_DEBTOR_AGENT, _R_CREDITOR_AGENT = (
    int(RecordColumn.DEBTOR_AGENT),
    int(RecordColumn.CREDITOR_AGENT),
)
_R_INSTRUCTED, _R_DEBITED = int(RecordColumn.INSTRUCTED), int(RecordColumn.DEBITED)
_R_SETTLEMENT, _R_CREDITED = int(RecordColumn.SETTLEMENT), int(RecordColumn.CREDITED)
_R_PAYER_FEE, _R_FX_MARGIN = int(RecordColumn.PAYER_FEE), int(RecordColumn.FX_MARGIN)
_R_FX_DRIFT, _R_MERCHANT_FEE = int(RecordColumn.FX_DRIFT), int(RecordColumn.MERCHANT_FEE)
_R_SUBMITTED, _R_SETTLED = int(RecordColumn.SUBMITTED_US), int(RecordColumn.SETTLED_US)
_R_CREDITED_US, _R_END = int(RecordColumn.CREDITED_US), int(RecordColumn.END_US)
_R_OUTCOME, _R_REASON, _R_ATTEMPTS = (
    int(RecordColumn.OUTCOME),
    int(RecordColumn.REASON),
    int(RecordColumn.ATTEMPTS),
)
_R_REQUOTES, _R_LAPSED, _R_TIME = (
    int(RecordColumn.REQUOTES),
    int(RecordColumn.QUOTES_LAPSED),
    int(RecordColumn.TIME_0),
)
_R_SPREAD_1, _R_CHARGED, _R_FEE = (
    int(RecordColumn.SPREAD_1),
    int(RecordColumn.CHARGED),
    int(RecordColumn.FEE_0),
)


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
    at = cursor[C_LOG]
    cursor[C_LOG] = at + 1
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
    pool[slot, P_TIME + cause] += now - pool[slot, P_SINCE]
    pool[slot, P_SINCE] = now


@called
def break_off(cursor: Array, error: int, payment: int) -> None:
    """Note a broken invariant; the loop stops at the first."""
    if cursor[C_ERROR] == 0:
        cursor[C_ERROR] = error
        cursor[C_ERROR_PAYMENT] = payment


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
    record[at, _R_PAYMENT] = pool[slot, st.P_ID]
    record[at, _R_STREAM] = pool[slot, st.P_STREAM]
    record[at, _R_ORDINAL] = pool[slot, st.P_ORDINAL]
    record[at, _R_ROUTE] = pool[slot, st.P_ROUTE]
    record[at, _R_DEBTOR_AGENT] = pool[slot, st.P_DEBTOR_AGENT]
    record[at, _R_CREDITOR_AGENT] = pool[slot, st.P_CREDITOR_AGENT]
    record[at, _R_INSTRUCTED] = pool[slot, st.P_INSTRUCTED]
    record[at, _R_SUBMITTED] = pool[slot, st.P_SUBMITTED]
    record[at, _R_SETTLED] = pool[slot, st.P_SETTLED]
    record[at, _R_CREDITED_US] = pool[slot, st.P_CREDITED]
    record[at, _R_END] = end_us
    record[at, _R_OUTCOME] = outcome
    record[at, _R_REASON] = reason
    record[at, _R_ATTEMPTS] = pool[slot, st.P_ATTEMPTS]
    record[at, _R_REQUOTES] = pool[slot, st.P_REQUOTES]
    record[at, _R_LAPSED] = pool[slot, st.P_LAPSED]
    for cause in range(7):
        record[at, _R_TIME + cause] = pool[slot, P_TIME + cause]
    _write_amounts(plan, state, slot, outcome, at)
    charged = pool[slot, st.P_CHARGED]
    record[at, _R_CHARGED] = charged
    for fee_slot in range(FEES_MAX):
        amount = NULL
        if (charged >> fee_slot) & 1:
            amount = pool[slot, st.P_FEE + fee_slot]
        record[at, _R_FEE + fee_slot] = amount


@called
def _write_amounts(plan: Plan, state: KernelState, slot: int, outcome: int, at: int) -> None:
    """Write the amounts of a record as far as the payment reached them."""
    pool = state.pool
    record = state.record
    for column in range(_R_DEBITED, _R_MERCHANT_FEE + 1):
        record[at, column] = NULL
    record[at, _R_SPREAD_1] = NULL
    route = pool[slot, st.P_ROUTE]
    if pool[slot, st.P_PRICING] < 0 or (route >= 0 and plan.route[route, _ROUTE_PRICING] < 0):
        return
    if pool[slot, st.P_SETTLED] != NULL or outcome == _COMPLETED:
        record[at, _R_DEBITED] = pool[slot, st.P_REGISTER + _DEBITED]
        record[at, _R_SETTLEMENT] = pool[slot, st.P_REGISTER + _SETTLEMENT]
        record[at, _R_SPREAD_1] = pool[slot, st.P_REGISTER + _SPREAD_1]
        record[at, _R_PAYER_FEE] = pool[slot, st.P_PAYER_FEE]
        if outcome != _RETURNED:
            record[at, _R_FX_MARGIN] = pool[slot, st.P_REGISTER + _FX_MARGIN]
            record[at, _R_FX_DRIFT] = pool[slot, st.P_REGISTER + _FX_DRIFT]
    if pool[slot, st.P_CREDITED] != NULL:
        record[at, _R_CREDITED] = pool[slot, st.P_REGISTER + _CREDITED]
        record[at, _R_MERCHANT_FEE] = pool[slot, st.P_MERCHANT_FEE]

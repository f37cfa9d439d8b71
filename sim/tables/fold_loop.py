"""What each finished payment adds to the sums of a run, payment by payment.

Takes the arrays of a :class:`~sim.tables.folding.SummaryFolder` and records; changes the arrays in
place. Compiled, a payment costs a tenth of what whole columns cost, which are read and written
once for every figure. Python provides room where the loop wants it, and goes on from there. What is
counted where is said at :class:`~sim.tables.folding.Tally`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt

from sim.contract.layout import MICRO, NULL, SUM_MAX
from sim.contract.meaning import Cause, Outcome, Reason
from sim.contract.plan import Array
from sim.contract.records import RECORD_WIDTH, RecordColumn
from sim.jit.cache import cached_njit, compile_for, is_jit_disabled
from sim.jit.functions import called
from sim.jit.tables import TableType, pointer_to
from sim.tables.column_loop import lay_columns
from sim.tables.fold_arrays import (
    CELLS,
    COUNTS,
    HIGHEST,
    HORIZON,
    INTERVALS,
    IS_BUSINESS,
    IS_TECHNICAL,
    OPEN,
    OWING,
    PROMISE,
    ROUTES,
    ROW,
    SCOPE,
    SECOND,
    STEP,
    TIMED,
    WITHIN,
    Fold,
)
from sim.tables.folding import BPS_SCALE, TALLY_WIDTH, WITHIN_US, Tally
from sim.units import SECOND_US

_ALL = 2
_CAUSES, _OUTCOMES, _LIMITS = len(Cause), len(Outcome), len(WITHIN_US)
REASONS = len(Reason) * _OUTCOMES
_SCALE = 1e4 * BPS_SCALE


FOLD = TableType(
    "FoldTable",
    {
        "cursor": (1, None), "rows": (2, RECORD_WIDTH), "part": (1, None), "span": (2, 2),
        "slot": (1, None), "code": (1, None), "tally": (2, TALLY_WIDTH), "maximum": (2, 3),
        "reasons": (2, REASONS), "agent": (2, TALLY_WIDTH), "stream": (2, 3), "third": (1, None),
        "lined": (1, None), "reason_kind": (1, None), "peak": (2, 3), "came": (2, None),
        "timed": (2, 3), "aged": (2, 2), "owing": (1, None),
    },
)  # fmt: skip
_as_fold = pointer_to(FOLD)


def fold_chunk(arrays: Fold, sums: npt.NDArray[np.float64]) -> bool:
    """Fold the records of a chunk that are not folded yet.

    Parameters
    ----------
    arrays : Fold
    sums : ndarray of float64, shape (TALLY_WIDTH + 1,)
        Sums of all that was added, in floating point, which does not wrap; then the largest share.

    Returns
    -------
    bool
        Whether all are folded; else there is no room for another pair of stream and route.
    """
    if is_jit_disabled():
        return bool(fold_rows(arrays, sums))
    return bool(_fold_words(FOLD.describe(arrays._asdict()), sums))


def compile_fold() -> None:
    """Compile what payments are folded and laid out with, or read it from the cache."""
    compile_for(_fold_words, np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.float64))
    none = np.zeros((0, RECORD_WIDTH), dtype=np.int64)
    compile_for(lay_columns, none, none, none.astype(np.uint8), none[:, 0].copy())


@called
def fold_rows(state: Fold, sums: npt.NDArray[np.float64]) -> bool:
    """Go on with a chunk; see :func:`fold_chunk`."""
    cursor, rows = state.cursor, state.rows
    while cursor[ROW] < rows.shape[0]:
        i = cursor[ROW]
        stream = rows[i, RecordColumn.STREAM]
        # -1 and NULL both stand for a payment that never got a route.
        route = max(rows[i, RecordColumn.ROUTE], -1)
        counts = holds(state.span, rows[i, RecordColumn.SUBMITTED_US])
        done = rows[i, RecordColumn.OUTCOME] == Outcome.COMPLETED and holds(
            state.span, rows[i, RecordColumn.END_US]
        )
        at = 0
        if counts or done:
            code = stream * cursor[ROUTES] + route + 1
            at = state.slot[code]
            if at < 0:
                at = cursor[CELLS]
                # Nothing of this payment is counted yet.
                if at == state.code.shape[0]:
                    return False
                state.code[at] = code
                state.slot[code] = at
                cursor[CELLS] = at + 1
        # Before the warm-up is cut off: how long the start takes is judged by it.
        note_presence(state, i)
        if done:
            note_peak(state, state.stream[stream, SCOPE], rows[i, RecordColumn.END_US])
        # A queue that is too long completes within the spans what was submitted before: such
        # payments count for the rate of completion and for nothing else.
        if counts or done:
            for column in range(TALLY_WIDTH):
                state.part[column] = 0
            if counts:
                tally_payment(state, i)
                tally_costs(state, i, sums)
                note_times(state, i, at)
                note_owing(state, i, route)
            state.part[Tally.COMPLETED_IN_WINDOW] = 1 if done else 0
            add_part(state, i, at, route, sums)
        cursor[ROW] = i + 1
    return True


@called
def holds(span: Array, time_us: int) -> bool:
    """Tell whether an instant lies within the spans; NULL lies nowhere."""
    within = False
    for s in range(span.shape[0]):
        within |= span[s, 0] <= time_us < span[s, 1]
    return within


@called
def note_presence(state: Fold, i: int) -> None:
    """Count who came and who left, and when within an interval."""
    step, last = state.cursor[STEP], state.cursor[INTERVALS]
    time_us = state.rows[i, RecordColumn.SUBMITTED_US]
    at = min(time_us // step, last)
    state.came[0, at] += 1
    state.came[1, at] += time_us % step
    time_us = state.rows[i, RecordColumn.END_US]
    if time_us != NULL:
        at = min(time_us // step, last)
        state.came[2, at] += 1
        state.came[3, at] += time_us % step


@called
def note_peak(state: Fold, scope: int, end_us: int) -> None:
    """Count a completion within its second; records come in the order payments end."""
    peak, second = state.peak, end_us // SECOND_US
    for which in range(3):
        # Compiled code compares faster than it looks into a tuple.
        if which == _ALL or which == scope:  # noqa: PLR1714, SIM109
            if peak[SECOND, which] != second:
                peak[SECOND, which] = second
                peak[WITHIN, which] = 0
            peak[WITHIN, which] += 1
            peak[HIGHEST, which] = max(peak[HIGHEST, which], peak[WITHIN, which])


@called
def tally_payment(state: Fold, i: int) -> None:
    """Note what a payment adds besides its price."""
    rows, part = state.rows, state.part
    outcome = rows[i, RecordColumn.OUTCOME]
    settled = rows[i, RecordColumn.SETTLED_US] != NULL
    credited = rows[i, RecordColumn.CREDITED_US] != NULL
    part[Tally.SUBMITTED] = 1
    if outcome == Outcome.COMPLETED:
        part[Tally.COMPLETED] = 1
        # Up to the credit, which is what the customer waits for; what follows it counts in the
        # causes.
        total = rows[i, RecordColumn.CREDITED_US] - rows[i, RecordColumn.SUBMITTED_US]
        part[Tally.END_TO_END_US] = total
        for limit in range(_LIMITS):
            # The bound itself is within.
            part[Tally.WITHIN_10S + limit] = 1 if total <= WITHIN_US[limit] else 0
        for cause in range(_CAUSES):
            part[Tally.CAUSE_0_US + cause] = rows[i, RecordColumn.TIME_0 + cause]
    elif outcome == Outcome.REJECTED:
        part[Tally.REJECTED] = 1
        kind = state.reason_kind[rows[i, RecordColumn.REASON]]
        part[Tally.BUSINESS] = 1 if kind == IS_BUSINESS else 0
        part[Tally.TECHNICAL] = 1 if kind == IS_TECHNICAL else 0
    elif outcome == Outcome.RETURNED:
        part[Tally.RETURNED] = 1
    elif outcome == Outcome.NOT_PAYABLE:
        part[Tally.NOT_PAYABLE] = 1
        reason = rows[i, RecordColumn.REASON]
        part[Tally.SOLD_OUT] = 1 if reason == Reason.OUT_OF_STOCK else 0
    elif outcome == Outcome.IN_PROGRESS:
        part[Tally.IN_PROGRESS] = 1
        promise = state.stream[rows[i, RecordColumn.STREAM], PROMISE]
        is_young = state.cursor[HORIZON] - rows[i, RecordColumn.SUBMITTED_US] < promise
        part[Tally.OPEN_IN_TIME] = 1 if is_young or credited else 0
        # The first commit, or the credit where there is no ledger, debits the payer and settles.
        if settled and not credited:
            part[Tally.HELD] = 1
            part[Tally.HELD_AMOUNT] = max(rows[i, RecordColumn.DEBITED], 0)
    part[Tally.IN_DOUBT] = 1 if rows[i, RecordColumn.IN_DOUBT_SINCE_US] != NULL else 0
    part[Tally.REQUOTES] = rows[i, RecordColumn.REQUOTES]
    part[Tally.QUOTES_LAPSED] = rows[i, RecordColumn.QUOTES_LAPSED]
    part[Tally.FAILED_OVER] = 1 if rows[i, RecordColumn.ATTEMPTS] > 1 else 0
    if rows[i, RecordColumn.GONE_US] != NULL:
        part[Tally.GONE] = 1
        part[Tally.GONE_DEBITED] = 1 if settled else 0


@called
def tally_costs(state: Fold, i: int, sums: npt.NDArray[np.float64]) -> None:
    """Note shares of the amount, in whole 1/BPS_SCALE bps, to the nearest."""
    rows, part = state.rows, state.part
    if rows[i, RecordColumn.OUTCOME] != Outcome.COMPLETED:
        return
    payer_fee, debited = rows[i, RecordColumn.PAYER_FEE], rows[i, RecordColumn.DEBITED]
    # Shares of an amount need one: payments without a price are left out of the mean, not
    # counted as free of charge.
    if payer_fee != NULL and debited > 0:
        part[Tally.PRICED] = 1
        part[Tally.PAYER_FEE] = whole(payer_fee * _SCALE / debited, sums)
        margin = known(rows[i, RecordColumn.FX_MARGIN])
        part[Tally.FX_MARGIN] = whole(margin * _SCALE / debited, sums)
        drift = known(rows[i, RecordColumn.FX_DRIFT])
        part[Tally.FX_DRIFT] = whole(drift * _SCALE / debited, sums)
        risk = known(rows[i, RecordColumn.FX_RISK])
        part[Tally.FX_RISK] = whole(risk * _SCALE / debited, sums)
        rounding = known(rows[i, RecordColumn.FX_ROUNDING]) / MICRO
        part[Tally.FX_ROUNDING] = whole(rounding * _SCALE / debited, sums)
        part[Tally.PAYER_AMOUNT] = debited
        part[Tally.PAYER_COST] = payer_fee + margin
    fee, credited = rows[i, RecordColumn.MERCHANT_FEE], rows[i, RecordColumn.CREDITED]
    if fee != NULL and credited > 0:
        part[Tally.MERCHANT_PRICED] = 1
        part[Tally.MERCHANT_FEE] = whole(fee * _SCALE / (credited + fee), sums)
        part[Tally.MERCHANT_AMOUNT] = credited + fee
        part[Tally.MERCHANT_COST] = fee


@called
def known(amount: int) -> int:
    """Return an amount, 0 where there is none."""
    return 0 if amount == NULL else amount


@called
def whole(share: float, sums: npt.NDArray[np.float64]) -> int:
    """Return a share rounded to a whole number, where it is one an int64 holds.

    Notes
    -----
    Rounded payment by payment, so that sums are exact and do not depend on the order, or on how a
    run was cut into replications. A fixed fee on next to nothing may be any multiple of it.
    """
    size = abs(share)
    sums[TALLY_WIDTH] = max(sums[TALLY_WIDTH], size)
    return 0 if size >= SUM_MAX else int(np.rint(share))


@called
def note_times(state: Fold, i: int, at: int) -> None:
    """Note the times of a completed payment, the age of an open one, and the reason."""
    cursor, rows, part = state.cursor, state.rows, state.part
    outcome = rows[i, RecordColumn.OUTCOME]
    state.reasons[at, rows[i, RecordColumn.REASON] * _OUTCOMES + outcome] += 1
    if outcome == Outcome.COMPLETED:
        total = part[Tally.END_TO_END_US]
        # Nobody acts after the credit in a program of a rail; in one written by hand somebody may.
        machine = max(total - part[Tally.CAUSE_0_US + Cause.HUMAN], 0)
        state.maximum[at, 0] = max(state.maximum[at, 0], total)
        state.maximum[at, 1] = max(state.maximum[at, 1], machine)
        row = cursor[TIMED]
        state.timed[row, 0] = at
        state.timed[row, 1] = total
        state.timed[row, 2] = machine
        cursor[TIMED] = row + 1
    # A payment that is credited and not yet at its end has an end-to-end time already.
    elif outcome == Outcome.IN_PROGRESS and rows[i, RecordColumn.CREDITED_US] == NULL:
        row = cursor[OPEN]
        state.aged[row, 0] = at
        state.aged[row, 1] = cursor[HORIZON] - rows[i, RecordColumn.SUBMITTED_US]
        cursor[OPEN] = row + 1
        settled_us = rows[i, RecordColumn.SETTLED_US]
        if settled_us != NULL:
            since = cursor[HORIZON] - settled_us
            state.maximum[at, 2] = max(state.maximum[at, 2], since)


@called
def note_owing(state: Fold, i: int, route: int) -> None:
    """Note a payment that may leave somebody owing; who owes whom is worked out for few."""
    rows, cursor = state.rows, state.cursor
    if rows[i, RecordColumn.OUTCOME] != Outcome.COMPLETED or route < 0:
        return
    if rows[i, RecordColumn.SETTLEMENT] <= 0:
        return
    if state.stream[rows[i, RecordColumn.STREAM], COUNTS] + state.lined[route] > 0:
        state.owing[cursor[OWING]] = i
        cursor[OWING] += 1


@called
def add_part(state: Fold, i: int, at: int, route: int, sums: npt.NDArray[np.float64]) -> None:
    """Add what a payment adds to its row, and to each different agent that has a part in it."""
    rows, part, agents = state.rows, state.part, state.agent.shape[0]
    for column in range(TALLY_WIDTH):
        state.tally[at, column] += part[column]
        # No sum of rows can be larger than this.
        sums[column] += abs(part[column])
    if agents == 0:
        return
    debtor = rows[i, RecordColumn.DEBTOR_AGENT]
    creditor = rows[i, RecordColumn.CREDITOR_AGENT]
    # The last entry says that there is no settlement agent.
    third = state.third[route if route >= 0 else state.third.shape[0] - 1]
    if debtor >= 0:
        add_agent(state, debtor)
    # An agent with two parts in one payment counts once.
    if creditor >= 0 and creditor != debtor:
        add_agent(state, creditor)
    if third >= 0 and third != debtor and third != creditor:  # noqa: PLR1714
        add_agent(state, third)


@called
def add_agent(state: Fold, agent: int) -> None:
    """Add what a payment adds to an agent."""
    for column in range(TALLY_WIDTH):
        state.agent[agent, column] += state.part[column]


def _fold_table(words: Array, sums: npt.NDArray[np.float64]) -> bool:
    """Run ``fold_rows`` over a table: what is compiled, cached and called."""
    return fold_rows(_as_fold(words), sums)


_fold_words = cast(
    Callable[[Array, npt.NDArray[np.float64]], bool],
    cached_njit(_fold_table, error_model="python", _nrt=False),
)

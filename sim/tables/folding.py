"""Fold finished payments into sums and durations, in constant memory.

Takes the plan and chunks of payment records; gives one tally per (stream, route) that occurs, with
the end-to-end times (from submission to credit), machine times and ages. All measures come from
here whether or not the payments themselves are written, so there is one way to count.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sim.contract.layout import NULL, RouteColumn, StreamColumn
from sim.contract.meaning import Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.reasons import BUSINESS_REASONS, TECHNICAL_REASONS
from sim.contract.records import RecordColumn
from sim.tables import fold_arrays as fold
from sim.tables.bounds import check_sum
from sim.tables.breaks import BreakFolder
from sim.tables.durations import DurationFolder
from sim.tables.fold_arrays import CELLS, Fold
from sim.tables.owed_fold import OwedFolder
from sim.tables.positions import PositionFolder
from sim.tables.presence import PresenceFolder
from sim.tables.spans import Spans
from sim.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US

C = RecordColumn

BPS_SCALE = 10_000
"""Costs are summed as whole 1/10^4 of a basis point, so that sums do not depend on the order."""

WITHIN_US = (10 * SECOND_US, MINUTE_US, HOUR_US, DAY_US)


class Tally(IntEnum):
    """Columns of a tally; times and costs cover completed payments only.

    All but COMPLETED_IN_WINDOW cover payments submitted within the spans of the folder.
    """

    SUBMITTED = 0
    COMPLETED = 1
    REJECTED = 2
    RETURNED = 3
    IN_PROGRESS = 4
    WITHIN_10S = 5
    WITHIN_60S = 6
    WITHIN_1H = 7
    WITHIN_1D = 8
    END_TO_END_US = 9
    """Sum of credit less submission; what follows the credit (notification, confirmation) counts
    in the causes below only."""
    CAUSE_0_US = 10
    """Eight columns, in the order of :class:`~sim.contract.meaning.Cause`, up to its end."""
    PRICED = 18
    """Completed payments whose cost to the payer is known."""
    PAYER_FEE = 19
    """Sum of 10^4 * fee / debited amount, in 1/BPS_SCALE bps; likewise the next two."""
    FX_MARGIN = 20
    FX_DRIFT = 21
    MERCHANT_PRICED = 22
    MERCHANT_FEE = 23
    """Sum of 10^4 * fee / (credited amount + fee)."""
    REQUOTES = 24
    """Of all payments; likewise the next two."""
    QUOTES_LAPSED = 25
    FAILED_OVER = 26
    COMPLETED_IN_WINDOW = 27
    """Payments completed within the spans, whenever they were submitted."""
    PAYER_AMOUNT = 28
    """Sum of debited amounts of which the cost to the payer is known, in minor units of the cell's
    currency; likewise the next three."""
    PAYER_COST = 29
    """Sum of their fees and FX margins."""
    MERCHANT_AMOUNT = 30
    """Sum of credited amounts and the fees taken from them, in the currency credited."""
    MERCHANT_COST = 31
    OPEN_IN_TIME = 32
    """Payments in progress at the horizon that are younger than their corridor's promise, or are
    credited and only wait for their last message: nobody can say yet that they do not succeed."""
    HELD = 33
    """Payments in progress whose payer was debited and whose payee was not credited: money on its
    way, or nowhere."""
    HELD_AMOUNT = 34
    """Sum of their debited amounts, in minor units of the cell's currency."""
    NOT_PAYABLE = 35
    """Ended before a route was chosen, as none supports the payment (AG03): the code shown, or its
    payee, cannot be paid with what the payer carries."""
    FX_ROUNDING = 36
    """Like FX_MARGIN; likewise the next."""
    FX_RISK = 37
    IN_DOUBT = 38
    """Payments in progress of which nobody knows whether the other side has paid: a request to it
    was given up and its answer is still to come."""
    BUSINESS = 39
    """Rejected for a reason in BUSINESS_REASONS of the contract; likewise the next."""
    TECHNICAL = 40
    GONE = 41
    """Payments whose payer walked away without an answer; of the next, the payer was debited."""
    GONE_DEBITED = 42
    SOLD_OUT = 43
    """Of those not payable, orders of a shop that had nothing left: nobody was asked to pay."""


TALLY_WIDTH = 44

_CELLS_FIRST = 64
"""Room for pairs of stream and route at first."""


class SummaryFolder:
    """The tallies of one run, or of a window of it.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    spans : Spans, optional
        When payments are submitted that count; by default from the warm-up to the horizon, and the
        windows of the plan are folded beside.

    Attributes
    ----------
    cells : list of (int, int)
        (stream, route) of each row, route -1 for payments that never got one.
    tally : ndarray of int64, shape (cells, TALLY_WIDTH)
        See :class:`Tally`.
    maximum : ndarray of int64, shape (cells, 3)
        Longest end-to-end and machine time, and longest time a payer's money was debited and not
        credited at the horizon.
    reasons : ndarray of int64, shape (cells, reasons, outcomes)
        Payments by reason and outcome.
    end_to_end, machine : DurationFolder
        Times of completed payments, by row.
    agent : ndarray of int64, shape (agents, TALLY_WIDTH)
        Tallies of the payments an agent had a part in (debtor's, creditor's or settlement agent).
    peak : PeakRate
        Most payments completed in one second.
    positions : PositionFolder
        What agents owe each other.
    presence : PresenceFolder
        How many payments were in the system over time, those of the warm-up included.
    open_age : DurationFolder
        Time from submission to the horizon of payments not credited by then, by row.
    breaks : BreakFolder or None
        What books disagreed about when they were compared; None of a window.
    windows : tuple of SummaryFolder
        The same of each window, in the order of ``plan.names.windows``.
    """

    def __init__(self, plan: Plan, spans: Spans | None = None) -> None:
        self._plan = plan
        self.spans = spans or Spans.of_run(plan)
        numbers = range(len(plan.names.windows)) if spans is None else ()
        self.windows = tuple(SummaryFolder(plan, Spans.of_window(plan, at)) for at in numbers)
        self.end_to_end, self.machine = DurationFolder(), DurationFolder()
        self.agent = np.zeros((len(plan.agent_account), TALLY_WIDTH), dtype=np.int64)
        self.peak = PeakRate()
        self.positions = PositionFolder(plan)
        self.owed = OwedFolder(plan)
        self.presence = PresenceFolder(plan)
        self.open_age = DurationFolder()
        self.breaks = BreakFolder(plan, self.spans) if spans is None else None
        self._sum = np.zeros(TALLY_WIDTH + 1, dtype=np.float64)
        self._fold: Fold | None = None

    @property
    def cells(self) -> list[tuple[int, int]]:
        """Return the pairs of stream and route that occurred."""
        codes = self._seen("code").tolist()
        return [(code // self._routes, code % self._routes - 1) for code in codes]

    @property
    def tally(self) -> Array:
        """Return the sums of each pair."""
        return self._seen("tally", TALLY_WIDTH)

    @property
    def maximum(self) -> Array:
        """Return the longest times of each pair."""
        return self._seen("maximum", 3)

    @property
    def reasons(self) -> Array:
        """Return how many payments of each pair ended with a reason and an outcome."""
        found = self._seen("reasons", len(Reason) * len(Outcome))
        return found.reshape(-1, len(Reason), len(Outcome))

    def take(self, rows: Array) -> None:
        """Fold a chunk of records."""
        # Machine code, which those who only read a finished run do without.
        from sim.tables.fold_loop import fold_chunk

        for window in self.windows:
            window.take(rows)
        rows = np.ascontiguousarray(rows)
        arrays = self._begin(rows)
        while not fold_chunk(arrays, self._sum):
            arrays = self._fold = _with_room(arrays)
        check_sum(float(self._sum.max()))
        timed, aged = arrays.cursor[fold.TIMED], arrays.cursor[fold.OPEN]
        at, total, machine = arrays.timed[:timed].T
        self.end_to_end.take(at, total)
        self.machine.take(at, machine)
        self.open_age.take(*arrays.aged[:aged].T)
        owing = rows[arrays.owing[: arrays.cursor[fold.OWING]]]
        self.positions.take(owing)
        self.owed.take(owing)
        if self.breaks is not None:
            self.breaks.take(rows)
        # Nobody holds a chunk that is folded, a checkpoint least of all.
        self._fold = arrays._replace(rows=np.zeros((0, 1), dtype=np.int64))

    def _begin(self, rows: Array) -> Fold:
        """Return the arrays with a chunk to fold."""
        arrays = self._fold or self._first_arrays()
        found = (fold.ROW, fold.TIMED, fold.OPEN, fold.OWING)
        arrays.cursor[list(found)] = 0
        arrays = arrays._replace(rows=rows)
        # A chunk may find all its payments completed, open or owing.
        if len(arrays.owing) < len(rows):
            arrays = arrays._replace(
                timed=np.empty((len(rows), 3), dtype=np.int64),
                aged=np.empty((len(rows), 2), dtype=np.int64),
                owing=np.empty(len(rows), dtype=np.int64),
            )
        self._fold = arrays
        return arrays

    def _first_arrays(self) -> Fold:
        """Return the arrays of a run nothing has happened in."""
        plan, empty = self._plan, np.zeros((0, 1), dtype=np.int64)
        cursor = np.zeros(fold.CURSOR_WIDTH, dtype=np.int64)
        cursor[fold.ROUTES], cursor[fold.HORIZON] = self._routes, plan.horizon_us
        cursor[fold.STEP] = self.presence.step_us
        cursor[fold.INTERVALS] = self.presence.intervals
        stream = np.empty((len(plan.stream), 3), dtype=np.int64)
        stream[:, fold.PROMISE] = plan.stream[:, StreamColumn.PROMISE_US]
        stream[:, fold.SCOPE] = plan.stream[:, StreamColumn.SCOPE]
        stream[:, fold.COUNTS] = self.positions.counts
        kind = np.zeros(len(Reason), dtype=np.int64)
        kind[list(BUSINESS_REASONS)] = fold.IS_BUSINESS
        kind[list(TECHNICAL_REASONS)] = fold.IS_TECHNICAL
        return Fold(
            cursor=cursor,
            rows=empty,
            part=np.zeros(TALLY_WIDTH, dtype=np.int64),
            span=np.stack([self.spans.first, self.spans.last], axis=1),
            # Given out as pairs occur: a nationwide plan has millions of pairs and a run meets a
            # few thousand.
            slot=np.full(len(plan.stream) * self._routes, -1, dtype=np.int64),
            code=empty[:, 0],
            tally=empty,
            maximum=empty,
            reasons=empty,
            agent=self.agent,
            stream=stream,
            third=np.append(plan.route[:, RouteColumn.SETTLEMENT_AGENT], np.int64(-1)),
            lined=self.owed.has_lines(),
            reason_kind=kind,
            peak=self.peak.state,
            came=self.presence.came,
            timed=empty,
            aged=empty,
            owing=empty[:, 0],
        )._replace(**_room(_CELLS_FIRST))

    @property
    def _routes(self) -> int:
        """Return the number of routes, with one for none."""
        return len(self._plan.route) + 1

    def _seen(self, name: str, width: int = 0) -> Array:
        """Return the rows of an array that pairs were given so far."""
        if self._fold is None:
            return np.zeros((0, width) if width else 0, dtype=np.int64)
        found: Array = getattr(self._fold, name)[: self._fold.cursor[CELLS]]
        return found


def _room(cells: int) -> dict[str, Array]:
    """Return arrays with a row for so many pairs of stream and route each."""
    widths = {"tally": TALLY_WIDTH, "maximum": 3, "reasons": len(Reason) * len(Outcome)}
    made = {name: np.zeros((cells, width), dtype=np.int64) for name, width in widths.items()}
    return {"code": np.zeros(cells, dtype=np.int64), **made}


def _with_room(arrays: Fold) -> Fold:
    """Return the arrays with room for twice as many pairs."""
    made = _room(2 * len(arrays.code))
    for name, larger in made.items():
        larger[: len(arrays.code)] = getattr(arrays, name)
    return arrays._replace(**made)


class PeakRate:
    """The busiest second of completions; records come in order of their end.

    Attributes
    ----------
    state : ndarray of int64, shape (3, 3)
        Most completions in one second, the second at hand, and those in it so far: by
        :class:`~sim.contract.meaning.Scope`, and of all payments.
    """

    def __init__(self) -> None:
        self.state = np.zeros((3, 3), dtype=np.int64)
        self.state[1] = -1

    @property
    def highest(self) -> list[int]:
        """Return the most completions in one second, of each scope and of all payments."""
        found: list[int] = self.state[0].tolist()
        return found


def open_in_time(plan: Plan, rows: Array) -> NDArray[np.bool_]:
    """Return which payments are open at the horizon and not late, see :attr:`Tally.OPEN_IN_TIME`.

    Parameters
    ----------
    plan : Plan
    rows : ndarray of int64, shape (payments, RECORD_WIDTH)
    """
    promise = plan.stream[rows[:, C.STREAM], StreamColumn.PROMISE_US]
    is_young = plan.horizon_us - rows[:, C.SUBMITTED_US] < promise
    is_credited = rows[:, C.CREDITED_US] != NULL
    found: NDArray[np.bool_] = rows[:, C.OUTCOME] == Outcome.IN_PROGRESS
    found &= is_young | is_credited
    return found

"""Fold finished payments into sums and durations, in constant memory.

Takes the plan and chunks of payment records; gives one tally per (stream, route) that occurs, with
the end-to-end times (from submission to credit), machine times and ages. All measures come from
here whether or not the payments themselves are written, so there is one way to count.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sim.contract.layout import MICRO, NULL, RouteColumn, StreamColumn
from sim.contract.meaning import Cause, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.reasons import BUSINESS_REASONS, TECHNICAL_REASONS
from sim.contract.records import RecordColumn
from sim.tables.bounds import check_sum
from sim.tables.breaks import BreakFolder
from sim.tables.durations import DurationFolder
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


TALLY_WIDTH = 43


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
        self._routes = len(plan.route) + 1
        self._sum = np.zeros(TALLY_WIDTH, dtype=np.float64)
        # From (stream, route) to a row, given out as pairs occur: a nationwide plan has
        # millions of pairs and a run meets a few thousand.
        self._slot = np.full(len(plan.stream) * self._routes, -1, dtype=np.int64)
        self.cells: list[tuple[int, int]] = []
        self.tally = np.zeros((0, TALLY_WIDTH), dtype=np.int64)
        self.maximum = np.zeros((0, 3), dtype=np.int64)
        self.reasons = np.zeros((0, len(Reason), len(Outcome)), dtype=np.int64)
        self.end_to_end, self.machine = DurationFolder(), DurationFolder()
        self.agent = np.zeros((len(plan.agent_account), TALLY_WIDTH), dtype=np.int64)
        self.peak = PeakRate()
        self.positions = PositionFolder(plan)
        self.owed = OwedFolder(plan)
        self.presence = PresenceFolder(plan)
        self.open_age = DurationFolder()
        self.breaks = BreakFolder(plan, self.spans) if spans is None else None

    def take(self, rows: Array) -> None:
        """Fold a chunk of records."""
        plan = self._plan
        # Before the warm-up is cut off: how long the start takes is judged by it.
        self.presence.take(rows)
        for window in self.windows:
            window.take(rows)
        done = self._completed(rows)
        self.peak.take(rows, plan.stream[rows[:, C.STREAM], StreamColumn.SCOPE], done)
        counts = self.spans.hold(rows[:, C.SUBMITTED_US])
        if not counts.all():
            # A queue that is too long completes in a window what was submitted before it: such
            # payments count for the rate of completion and for nothing else.
            kept = counts | done
            rows, counts, done = rows[kept], counts[kept], done[kept]
        if len(rows) == 0:
            return
        # NULL and -1 both stand for a payment that never got a route.
        route = np.maximum(rows[:, C.ROUTE], -1)
        code = rows[:, C.STREAM] * self._routes + route + 1
        self._open_cells(code)
        slot = self._slot[code]
        part = _tally_rows(rows)
        self._tally_open(rows, part)
        # Of payments submitted at other times only the completion counts.
        part[~counts] = 0
        part[:, Tally.COMPLETED_IN_WINDOW] = done
        # In floating point, which does not wrap: no sum of cells can be larger than this.
        self._sum += np.abs(part).sum(axis=0, dtype=np.float64)
        check_sum(float(self._sum.max()))
        _add_by_group(self.tally, slot, part)
        self._fold_agents(rows, route, part)
        # Times and reasons are of payments submitted within the spans.
        if not counts.all():
            rows, slot, part = rows[counts], slot[counts], part[counts]
        np.add.at(self.reasons, (slot, rows[:, C.REASON], rows[:, C.OUTCOME]), 1)
        self._fold_times(slot, part)
        self._fold_ages(slot, rows)
        self.positions.take(rows)
        self.owed.take(rows)
        if self.breaks is not None:
            self.breaks.take(rows)

    def _completed(self, rows: Array) -> NDArray[np.bool_]:
        """Return which payments were completed within the spans."""
        found: NDArray[np.bool_] = rows[:, C.OUTCOME] == Outcome.COMPLETED
        return found & self.spans.hold(rows[:, C.END_US])

    def _open_cells(self, code: Array) -> None:
        """Give a row to every (stream, route) seen for the first time."""
        # In ascending order of the pair within a chunk; chunks come in order, so rows are the
        # same for the same run.
        seen = np.flatnonzero(np.bincount(code, minlength=len(self._slot)))
        fresh = seen[self._slot[seen] < 0]
        if len(fresh) == 0:
            return
        self._slot[fresh] = np.arange(len(self.cells), len(self.cells) + len(fresh))
        self.cells += [(int(c) // self._routes, int(c) % self._routes - 1) for c in fresh]
        self.tally = _grown(self.tally, len(fresh))
        self.maximum = _grown(self.maximum, len(fresh))
        self.reasons = _grown(self.reasons, len(fresh))

    def _fold_times(self, slot: Array, part: Array) -> None:
        """Count the times of completed payments."""
        done = np.flatnonzero(part[:, Tally.COMPLETED])
        total = part[done, Tally.END_TO_END_US]
        machine = machine_times(total, part[done, Tally.CAUSE_0_US + Cause.HUMAN])
        at = slot[done]
        for column, (values, folder) in enumerate(
            ((total, self.end_to_end), (machine, self.machine))
        ):
            np.maximum.at(self.maximum[:, column], at, values)
            folder.take(at, values)

    def _fold_ages(self, slot: Array, rows: Array) -> None:
        """Count how long payments that are still open have been under way."""
        # A payment that is credited and not yet at its end has an end-to-end time already.
        is_open = (rows[:, C.OUTCOME] == Outcome.IN_PROGRESS) & (rows[:, C.CREDITED_US] == NULL)
        still = np.flatnonzero(is_open)
        ages = self._plan.horizon_us - rows[still, C.SUBMITTED_US]
        self.open_age.take(slot[still], ages)
        held = np.flatnonzero(is_open & (rows[:, C.SETTLED_US] != NULL))
        since = self._plan.horizon_us - rows[held, C.SETTLED_US]
        np.maximum.at(self.maximum[:, 2], slot[held], since)

    def _tally_open(self, rows: Array, part: Array) -> None:
        """Fill the columns of payments in progress at the horizon."""
        part[:, Tally.OPEN_IN_TIME] = open_in_time(self._plan, rows)
        # The first commit, or the credit where there is no ledger, debits the payer and settles.
        held = rows[:, C.OUTCOME] == Outcome.IN_PROGRESS
        held &= (rows[:, C.SETTLED_US] != NULL) & (rows[:, C.CREDITED_US] == NULL)
        part[:, Tally.HELD] = held
        part[:, Tally.IN_DOUBT] = rows[:, C.IN_DOUBT_SINCE_US] != NULL
        part[:, Tally.HELD_AMOUNT] = np.where(held, np.maximum(rows[:, C.DEBITED], 0), 0)

    def _fold_agents(self, rows: Array, route: Array, part: Array) -> None:
        """Count each payment once for every different agent that has a part in it."""
        if len(self.agent) == 0:
            return
        # -1 as a route picks the last entry, which says that there is no settlement agent.
        settlement = np.append(self._plan.route[:, RouteColumn.SETTLEMENT_AGENT], np.int64(-1))
        debtor, creditor = rows[:, C.DEBTOR_AGENT], rows[:, C.CREDITOR_AGENT]
        third = settlement[route]
        # An agent with two parts in one payment counts once.
        creditor = np.where(creditor == debtor, -1, creditor)
        third = np.where((third == debtor) | (third == creditor), -1, third)
        for agent in (debtor, creditor, third):
            picked = np.flatnonzero(agent >= 0)
            _add_by_group(self.agent, agent[picked], part[picked])


class PeakRate:
    """The busiest second of completions; records come in order of their end.

    Attributes
    ----------
    highest : list of int
        Most completions in one second, by :class:`~sim.contract.meaning.Scope`; the third entry is
        of all payments.
    """

    def __init__(self) -> None:
        self.highest = [0, 0, 0]
        self._second = [-1, -1, -1]
        self._count = [0, 0, 0]

    def take(self, rows: Array, scope: Array, done: NDArray[np.bool_]) -> None:
        """Count the completions of a chunk, ``done`` saying which of its payments they are."""
        for which in range(3):
            chosen = done & (scope == which) if which < 2 else done
            seconds = rows[chosen, C.END_US] // SECOND_US
            if len(seconds) == 0:
                continue
            # Records come in the order payments end, so completions of a second stand together.
            first = np.flatnonzero(np.diff(seconds, prepend=-1))
            counts = np.diff(first, append=len(seconds))
            # The last second of the chunk before may go on in this one.
            if seconds[0] == self._second[which]:
                counts[0] += self._count[which]
            self.highest[which] = max(self.highest[which], int(counts.max()))
            self._second[which] = int(seconds[-1])
            self._count[which] = int(counts[-1])


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


def machine_times(total: Array, human: Array) -> Array:
    """Return end-to-end times without what people took.

    Parameters
    ----------
    total : ndarray of int64
        Times from submission to credit, in microseconds.
    human : ndarray of int64
        Time people took, in microseconds.

    Notes
    -----
    No program of a rail has people act after the credit; a plan written by hand may, and then the
    difference is held at 0.
    """
    times: Array = np.maximum(total - human, 0)
    return times


def _tally_rows(rows: Array) -> Array:
    """Return what each record adds to a tally, one row per payment."""
    part = np.zeros((len(rows), TALLY_WIDTH), dtype=np.int64)
    outcome = rows[:, C.OUTCOME]
    part[:, Tally.SUBMITTED] = 1
    for member, column in (
        (Outcome.COMPLETED, Tally.COMPLETED),
        (Outcome.REJECTED, Tally.REJECTED),
        (Outcome.RETURNED, Tally.RETURNED),
        (Outcome.IN_PROGRESS, Tally.IN_PROGRESS),
    ):
        part[:, column] = outcome == member
    done = part[:, Tally.COMPLETED]
    is_done = done == 1
    # Up to the credit, which is what the customer waits for; what follows it counts in the
    # causes.
    total = np.where(is_done, rows[:, C.CREDITED_US] - rows[:, C.SUBMITTED_US], 0)
    part[:, Tally.END_TO_END_US] = total
    for at, limit in enumerate(WITHIN_US):
        # The bound itself is within.
        part[:, Tally.WITHIN_10S + at] = is_done & (total <= limit)
    times = slice(Tally.CAUSE_0_US, Tally.CAUSE_0_US + len(Cause))
    part[:, times] = rows[:, C.TIME_0 : C.TIME_0 + len(Cause)] * done[:, None]
    _tally_costs(rows, is_done, part)
    part[:, Tally.REQUOTES] = rows[:, C.REQUOTES]
    part[:, Tally.QUOTES_LAPSED] = rows[:, C.QUOTES_LAPSED]
    part[:, Tally.NOT_PAYABLE] = outcome == Outcome.NOT_PAYABLE
    part[:, Tally.FAILED_OVER] = rows[:, C.ATTEMPTS] > 1
    is_gone = rows[:, C.GONE_US] != NULL
    part[:, Tally.GONE] = is_gone
    part[:, Tally.GONE_DEBITED] = is_gone & (rows[:, C.SETTLED_US] != NULL)
    is_rejected = outcome == Outcome.REJECTED
    for reasons, column in (
        (BUSINESS_REASONS, Tally.BUSINESS),
        (TECHNICAL_REASONS, Tally.TECHNICAL),
    ):
        part[:, column] = is_rejected & np.isin(rows[:, C.REASON], reasons)
    return part


def _tally_costs(rows: Array, is_done: Array, part: Array) -> None:
    """Fill the cost columns: shares of the amount, in whole 1/BPS_SCALE bps, to the nearest."""
    scale = 1e4 * BPS_SCALE
    # Shares of an amount need one: payments without a price are left out of the mean, not
    # counted as free of charge.
    at = np.flatnonzero(is_done & (rows[:, C.PAYER_FEE] != NULL) & (rows[:, C.DEBITED] > 0))
    debited = rows[at, C.DEBITED]
    part[at, Tally.PRICED] = 1
    for source, column in (
        (C.PAYER_FEE, Tally.PAYER_FEE),
        (C.FX_MARGIN, Tally.FX_MARGIN),
        (C.FX_DRIFT, Tally.FX_DRIFT),
        (C.FX_RISK, Tally.FX_RISK),
        (C.FX_ROUNDING, Tally.FX_ROUNDING),
    ):
        cost = rows[at, source]
        cost = np.where(cost == NULL, 0, cost)
        if source == C.FX_ROUNDING:
            cost = cost / MICRO
        # Rounded payment by payment to a whole number, so that sums are exact and do not depend
        # on the order, or on how a run was cut into replications.
        part[at, column] = _whole(cost * scale / debited)
    margin = rows[at, C.FX_MARGIN]
    part[at, Tally.PAYER_AMOUNT] = debited
    part[at, Tally.PAYER_COST] = rows[at, C.PAYER_FEE] + np.where(margin == NULL, 0, margin)
    at = np.flatnonzero(is_done & (rows[:, C.MERCHANT_FEE] != NULL) & (rows[:, C.CREDITED] > 0))
    fee = rows[at, C.MERCHANT_FEE]
    part[at, Tally.MERCHANT_PRICED] = 1
    share = fee * scale / (rows[at, C.CREDITED] + fee)
    part[at, Tally.MERCHANT_FEE] = _whole(share)
    part[at, Tally.MERCHANT_AMOUNT] = rows[at, C.CREDITED] + fee
    part[at, Tally.MERCHANT_COST] = fee


def _whole(shares: NDArray[np.float64]) -> Array:
    """Return shares rounded to whole numbers, where they are numbers an int64 holds."""
    # A fixed fee on next to nothing may be any multiple of it.
    check_sum(float(np.abs(shares).max(initial=0.0)))
    rounded: Array = np.rint(shares).astype(np.int64)
    return rounded


def _add_by_group(sums: Array, group: Array, part: Array) -> None:
    """Add each row of ``part`` to the row of ``sums`` its group names."""
    if len(group) == 0:
        return
    # Sorting small integers is a radix sort; adding sorted runs is far quicker than one by one.
    order = np.argsort(group.astype(np.uint16 if len(sums) <= 1 << 16 else np.int64), kind="stable")
    ids = group[order]
    first = np.flatnonzero(np.diff(ids, prepend=-1))
    sums[ids[first]] += np.add.reduceat(part[order], first, axis=0)


def _grown(array: Array, more: int) -> Array:
    """Return an array with zero rows appended."""
    grown: Array = np.concatenate([array, np.zeros((more, *array.shape[1:]), dtype=np.int64)])
    return grown

"""Measure a run interval by interval: what was offered, what was completed, how long it took.

Takes payment records; gives :class:`IntervalFigures`, in constant memory. Times belong to the
interval a payment was submitted in, whenever it ended; completions to the interval they fell in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.contract.layout import NULL, StreamColumn
from sim.contract.meaning import Outcome, Scope
from sim.contract.plan import Array, Plan
from sim.contract.records import RecordColumn
from sim.tables.durations import DurationFolder
from sim.tables.folding import open_in_time
from sim.units import SECOND_US

C = RecordColumn


@dataclass(frozen=True, slots=True)
class IntervalFigures:
    """What one interval of a run gave.

    Attributes
    ----------
    begin_s, end_s : float
        Seconds since the start.
    offered, completed, ended : int
        Payments of the scaled demand: submitted, completed and ended in whatever way within the
        interval.
    submitted, succeeded, still_open : int
        Payments the measures cover that were submitted within it; how many of them were ever
        completed, and how many were still under way at the end of the run.
    open_in_time : int
        Of those still under way, how many are younger than their corridor's promise.
    quantiles : tuple of (float, float or None)
        Share, and the end-to-end time in s that so many of them did not exceed (the upper end of
        its cell where a run has more payments than are kept exactly); None where too many are still
        under way to know.
    backlog : int
        Payments in the system at its end.
    """

    JSON_KEYS: ClassVar = (
        "from_s=begin_s to_s=end_s offered_rate_mean=offered_rate "
        "completed_rate_mean=completed_rate end_to_end_p50=p50 end_to_end_p99=p99 "
        "success_rate backlog"
    )

    begin_s: float
    end_s: float
    offered: int
    completed: int
    ended: int
    submitted: int
    succeeded: int
    still_open: int
    quantiles: tuple[tuple[float, float | None], ...]
    backlog: int = 0
    open_in_time: int = 0

    @property
    def seconds(self) -> float:
        """Return its length."""
        return self.end_s - self.begin_s

    @property
    def offered_rate(self) -> float:
        """Return payments offered per second."""
        return self.offered / self.seconds

    @property
    def completed_rate(self) -> float:
        """Return payments completed per second."""
        return self.completed / self.seconds

    @property
    def success_rate(self) -> float | None:
        """Return the share completed of those not open in time; None where there are none."""
        due = self.submitted - self.open_in_time
        return self.succeeded / due if due else None

    @property
    def p50(self) -> float | None:
        """Return the median of the end-to-end time in s."""
        return self.quantile(0.5)

    @property
    def p99(self) -> float | None:
        """Return the 99th percentile of the end-to-end time in s."""
        return self.quantile(0.99)

    def quantile(self, share: float) -> float | None:
        """Return a quantile of the end-to-end time in s."""
        return dict(self.quantiles).get(share)


class IntervalSink:
    """The payments of a run by interval, as one of its sinks.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    edges_us : sequence of int
        Ends of the intervals, ascending; at least two.
    streams : sequence of str
        Names of the demand whose load is measured.
    shares : sequence of float
        Quantiles wanted.

    Notes
    -----
    Times cover what the headline of a run covers: cross-border payments where there are any.
    Nearest rank: a payment still under way counts as longer than any other.
    """

    wants_log = False
    wants_records = True

    def __init__(
        self,
        plan: Plan,
        edges_us: Sequence[int],
        streams: Sequence[str],
        shares: Sequence[float] = (),
    ) -> None:
        self._plan = plan
        self._edges = np.array(edges_us, dtype=np.int64)
        self._shares = tuple(shares)
        count = len(self._edges) - 1
        self._is_scaled = np.array([name in streams for name in plan.names.streams], dtype=bool)
        scopes = plan.stream[:, StreamColumn.SCOPE]
        crossing = scopes == Scope.CROSS_BORDER
        self._is_covered = crossing if crossing.any() else np.ones(len(scopes), dtype=bool)
        self._counts = np.zeros((7, count), dtype=np.int64)
        self._times = DurationFolder()

    def take_log(self, rows: Array) -> None:
        """Ignore the log."""

    def take_records(self, rows: Array) -> None:
        """Fold a chunk of records."""
        outcome = rows[:, C.OUTCOME]
        scaled = self._is_scaled[rows[:, C.STREAM]]
        covered = self._is_covered[rows[:, C.STREAM]]
        has_ended = rows[:, C.END_US] != NULL
        is_completed = outcome == Outcome.COMPLETED
        came, left = rows[:, C.SUBMITTED_US], rows[:, C.END_US]
        for at, (chosen, time_us) in enumerate(
            (
                (scaled, came),
                (scaled & is_completed, left),
                (scaled & has_ended, left),
                (covered, came),
                (covered & is_completed, came),
                (covered & (outcome == Outcome.IN_PROGRESS), came),
                (covered & open_in_time(self._plan, rows), came),
            )
        ):
            self._counts[at] += self._counted(time_us[chosen])
        if self._shares:
            self._fold_times(rows[covered & is_completed])

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Ignore progress."""

    def figures(self, backlogs: Sequence[int] = ()) -> tuple[IntervalFigures, ...]:
        """Return every interval.

        Parameters
        ----------
        backlogs : sequence of int
            Payments in the system at the end of each; 0 where left out.
        """
        known = list(backlogs) or [0] * self._counts.shape[1]
        edges_s = [int(edge) / SECOND_US for edge in self._edges]
        found = []
        for at in range(len(known)):
            offered, completed, ended, submitted, succeeded, still_open, in_time = (
                int(count) for count in self._counts[:, at]
            )
            part = IntervalFigures(
                edges_s[at],
                edges_s[at + 1],
                offered=offered,
                completed=completed,
                ended=ended,
                submitted=submitted,
                succeeded=succeeded,
                still_open=still_open,
                quantiles=self._quantiles(at),
                backlog=known[at],
                open_in_time=in_time,
            )
            found.append(part)
        return tuple(found)

    def _counted(self, time_us: Array) -> Array:
        """Return how many instants lie in each interval."""
        at = np.searchsorted(self._edges, time_us, side="right") - 1
        count = self._counts.shape[1]
        inside = at[(at >= 0) & (at < count)]
        counted: Array = np.bincount(inside, minlength=count)
        return counted

    def _fold_times(self, rows: Array) -> None:
        at = np.searchsorted(self._edges, rows[:, C.SUBMITTED_US], side="right") - 1
        inside = (at >= 0) & (at < self._counts.shape[1])
        rows, at = rows[inside], at[inside]
        self._times.take(at, rows[:, C.CREDITED_US] - rows[:, C.SUBMITTED_US])

    def _quantiles(self, at: int) -> tuple[tuple[float, float | None], ...]:
        times, still_open = self._times.of((at,)), int(self._counts[5][at])
        known = [(share, times.quantile(share, longer=still_open)) for share in self._shares]
        return tuple((share, None if one is None else one.high / SECOND_US) for share, one in known)

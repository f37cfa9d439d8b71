"""Watch how many payments are in the system while a run goes on.

Takes payment records; gives the number in the system over time, and whether it grew. Memory is one
number per interval of simulated time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.contract.plan import Array, Plan
from sim.contract.spec import NULL, RecordColumn
from sim.units import SECOND_US

_EDGE = 0.1
"""Share of the window averaged at its start and at its end."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Say how the number of payments in the system moved between warm-up and horizon.

    Attributes
    ----------
    start, end : float
        Mean over the first and over the last tenth of the window.
    deviation : float
        Standard deviation around the straight line through the window.
    """

    start: float
    end: float
    deviation: float

    @property
    def is_growing(self) -> bool:
        """Say whether the end exceeds the start by three standard deviations.

        Notes
        -----
        The deviation is taken around the trend, not around the mean: of a queue that does nothing
        but grow, growth itself would otherwise be most of the deviation it is held against.
        """
        return self.end - self.start > 3 * self.deviation


class BacklogSink:
    """Count payments in the system, as one of a run's sinks.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    step_us : int
        Interval at which the number is known.
    """

    wants_log = False
    wants_records = True

    def __init__(self, plan: Plan, step_us: int = SECOND_US) -> None:
        self._plan, self._step_us = plan, step_us
        self._change = np.zeros(plan.horizon_us // step_us + 2, dtype=np.int64)

    def take_log(self, rows: Array) -> None:
        """Ignore the log."""

    def take_records(self, rows: Array) -> None:
        """Count who came and who left."""
        last = len(self._change) - 1
        came = rows[:, RecordColumn.SUBMITTED_US] // self._step_us + 1
        ended = rows[:, RecordColumn.END_US]
        left = ended[ended != NULL] // self._step_us + 1
        self._change += np.bincount(np.minimum(came, last), minlength=last + 1)
        self._change -= np.bincount(np.minimum(left, last), minlength=last + 1)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Ignore progress."""

    def series(self) -> Array:
        """Return the number in the system at every step from the warm-up to the horizon."""
        inside: Array = np.cumsum(self._change)
        first = -(-self._plan.warm_up_us // self._step_us)
        return inside[first : self._plan.horizon_us // self._step_us]

    def backlog(self) -> Backlog:
        """Return how the number moved."""
        inside = self.series()
        if len(inside) < 2:
            return Backlog(0.0, 0.0, 0.0)
        edge = max(1, int(len(inside) * _EDGE))
        at = np.arange(len(inside))
        trend = np.polyval(np.polyfit(at, inside, 1), at)
        deviation = float(np.std(inside - trend))
        return Backlog(float(inside[:edge].mean()), float(inside[-edge:].mean()), deviation)

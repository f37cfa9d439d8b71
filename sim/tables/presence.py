"""Follow how many payments are in the system while a run goes on.

Takes chunks of payment records; gives the time that payments spent in the system during each of
evenly long intervals. Memory depends on the number of intervals, not on that of payments.
"""

from __future__ import annotations

import numpy as np

from sim.contract.layout import NULL
from sim.contract.plan import Array, Plan
from sim.contract.records import RecordColumn

INTERVALS = 600
"""Intervals a run is cut into; enough for 120 batches of five."""


class PresenceFolder:
    """Add up the time payments are in the system, from submission to end, interval by interval.

    Parameters
    ----------
    plan : Plan
        The plan of the run.

    Attributes
    ----------
    step_us : int
        Length of an interval, in microseconds.
    """

    def __init__(self, plan: Plan) -> None:
        self.step_us = max(1, -(-plan.horizon_us // INTERVALS))
        self._intervals = plan.horizon_us // self.step_us
        shape = (2, self._intervals + 1)
        self._count, self._offset = np.zeros(shape, np.int64), np.zeros(shape, np.int64)

    def take(self, rows: Array) -> None:
        """Count who came and who left, and when within an interval."""
        ended = rows[:, RecordColumn.END_US]
        self._note(0, rows[:, RecordColumn.SUBMITTED_US])
        self._note(1, ended[ended != NULL])

    def inside_us(self) -> Array:
        """Return the microseconds all payments together were in the system, shape (intervals,).

        Notes
        -----
        Whole intervals up to the horizon; exact. Who came in an earlier interval counts for the
        whole of this one, who came in this one for what was left of it; those who left likewise,
        with the other sign.
        """
        before = np.cumsum(self._count, axis=1) - self._count
        came, left = (before + self._count) * self.step_us - self._offset
        found: Array = (came - left)[: self._intervals]
        return found

    def _note(self, which: int, times_us: Array) -> None:
        at, offset = np.divmod(times_us, self.step_us)
        at = np.minimum(at, self._intervals)
        length = self._intervals + 1
        self._count[which] += np.bincount(at, minlength=length)
        # Offsets of a chunk add up to far less than 2**53, so that the sums are exact.
        self._offset[which] += np.bincount(at, weights=offset, minlength=length).astype(np.int64)

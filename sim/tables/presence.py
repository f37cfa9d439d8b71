"""Follow how many payments are in the system while a run goes on.

Takes chunks of payment records; gives the time that payments spent in the system during each of
evenly long intervals. Memory depends on the number of intervals, not on that of payments.
"""

from __future__ import annotations

import numpy as np

from sim.contract.plan import Array, Plan

INTERVALS = 600
"""Intervals a run is cut into; enough for 120 batches of five."""


class PresenceFolder:
    """Time that payments are in the system, from submission to end, by interval.

    Parameters
    ----------
    plan : Plan
        The plan of the run.

    Attributes
    ----------
    step_us : int
        Length of an interval, in microseconds.
    intervals : int
        Whole ones up to the horizon; the last may be shorter than a step and is left out, as is the
        horizon itself.
    came : ndarray of int64, shape (4, intervals + 1)
        By interval: payments that came, and the sum of the times since its beginning at which they
        did; likewise those that left.
    """

    def __init__(self, plan: Plan) -> None:
        # Rounded up, so that 600 intervals cover the horizon; 1 for a run of no length.
        self.step_us = max(1, -(-plan.horizon_us // INTERVALS))
        self.intervals = plan.horizon_us // self.step_us
        self.came = np.zeros((4, self.intervals + 1), dtype=np.int64)

    def inside_us(self) -> Array:
        """Return the microseconds all payments together were in the system, shape (intervals,).

        Notes
        -----
        Whole intervals up to the horizon; exact. Who came in an earlier interval counts for the
        whole of this one, who came in this one for what was left of it; those who left likewise,
        with the other sign.
        """
        # Those of earlier intervals; their offsets no longer matter.
        count, offset = self.came[::2], self.came[1::2]
        came, left = np.cumsum(count, axis=1) * self.step_us - offset
        found: Array = (came - left)[: self.intervals]
        return found

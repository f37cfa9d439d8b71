"""Spans of a run: the parts of its time that a folder of payments looks at.

Takes the plan; gives the spans of what is measured as a whole and of every window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.contract.plan import Array, Plan
from sim.contract.windows import WindowColumn


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans that do not overlap, in microseconds, in order of time.

    Attributes
    ----------
    first, last : ndarray of int64, shape (spans,)
        From when to when, the end excluded.
    """

    first: Array
    last: Array

    @classmethod
    def of_run(cls, plan: Plan) -> Spans:
        """Return all that is measured: from the warm-up to the horizon."""
        return cls(np.array([plan.warm_up_us]), np.array([plan.horizon_us]))

    @classmethod
    def of_window(cls, plan: Plan, window: int) -> Spans:
        """Return a window, cut to what is measured.

        Parameters
        ----------
        plan : Plan
        window : int
            Its number.
        """
        rows = plan.window[plan.window[:, WindowColumn.WINDOW] == window]
        first = np.maximum(rows[:, WindowColumn.FROM_US], plan.warm_up_us)
        last = np.minimum(rows[:, WindowColumn.TO_US], plan.horizon_us)
        # Cut to nothing, a span would end before it begins.
        kept = np.flatnonzero(first < last)
        kept = kept[np.argsort(first[kept], kind="stable")]
        return cls(first[kept], last[kept])

    @property
    def length_us(self) -> int:
        """Return how long all of them are together."""
        return int((self.last - self.first).sum())

    def hold(self, times_us: Array) -> NDArray[np.bool_]:
        """Return which instants lie within; NULL lies nowhere."""
        if not len(self.first):
            return np.zeros(len(times_us), dtype=np.bool_)
        at = np.searchsorted(self.first, times_us, side="right") - 1
        found: NDArray[np.bool_] = (at >= 0) & (times_us < self.last[np.maximum(at, 0)])
        return found

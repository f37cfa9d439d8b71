"""Find where a run has left its start behind.

Takes a series of observations in order of time, or how many payments were in the system over the
runs of a scenario; gives how much of the start to leave out, by MSER-5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.units import SECOND_US

BATCH = 5
BATCHES_MIN = 10
PAYMENTS_MIN = 500
"""Payments below which the course of a run is a few steps and has no steady state to speak of."""
BIAS_MAX = 0.02
"""Change of the mean number in the system that a longer warm-up may make before it is asked for."""

Json = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Truncation:
    """Say how much of the start of a series to leave out.

    Attributes
    ----------
    observations : int
        Observations to leave out, a multiple of the batch.
    is_settled : bool
        False when the best truncation lies in the second half: the series is too short, or has no
        steady state.
    score : float
        The statistic at the truncation: squared standard error of what is left.
    """

    observations: int
    is_settled: bool
    score: float


@dataclass(frozen=True, slots=True)
class Presence:
    """Hold how many payments were in the system, interval by interval, summed over runs.

    Attributes
    ----------
    step_us : int
        Length of an interval.
    warm_up_us : int
        What the scenario leaves out.
    runs, payments : int
        Runs summed, and their payments.
    inside_us : tuple of int
        Time all payments spent in the system during each interval, summed over the runs.
    """

    step_us: int
    warm_up_us: int
    runs: int
    payments: int
    inside_us: tuple[int, ...]

    @property
    def inside(self) -> tuple[float, ...]:
        """Return the mean number in the system during each interval, as mean over runs."""
        return tuple(area / (self.step_us * self.runs) for area in self.inside_us)

    def joined(self, other: Presence) -> Presence:
        """Return the sums over the runs of both, which follow the same intervals."""
        inside = tuple(a + b for a, b in zip(self.inside_us, other.inside_us, strict=True))
        runs, payments = self.runs + other.runs, self.payments + other.payments
        return Presence(self.step_us, self.warm_up_us, runs, payments, inside)

    def judge(self) -> WarmUp | None:
        """Hold the warm-up against MSER-5, None where there is too little to judge by.

        Notes
        -----
        With several runs the series is their mean in each interval, as in Welch's procedure (1983),
        so that what is left of chance does not hide the course.
        """
        if self.payments < PAYMENTS_MIN * self.runs or len(self.inside) < BATCHES_MIN * BATCH:
            return None
        found = find_truncation(self.inside)
        if not found.is_settled:
            return WarmUp(self.warm_up_us, None, None)
        used = -(-self.warm_up_us // self.step_us)
        kept, rest = self.inside[used:], self.inside[found.observations :]
        excess = 0.0
        if kept and sum(rest) > 0 and found.observations > used:
            excess = sum(kept) / len(kept) / (sum(rest) / len(rest)) - 1
        return WarmUp(self.warm_up_us, found.observations * self.step_us, excess)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Say whether the start that a scenario leaves out is long enough.

    Attributes
    ----------
    used_us : int
        What is left out.
    needed_us : int or None
        What MSER-5 asks for; None where the run does not settle.
    bias : float or None
        By how much of itself the mean number in the system would change if as much was left out as
        is asked for; 0 where that is the case.
    """

    used_us: int
    needed_us: int | None
    bias: float | None

    @property
    def is_enough(self) -> bool:
        """Say whether what is left in of the start moves the mean by less than :data:`BIAS_MAX`.

        Notes
        -----
        MSER-5 also cuts stretches off that are only by chance unlike the rest; those move nothing.
        """
        return self.bias is not None and abs(self.bias) <= BIAS_MAX

    def as_json(self) -> dict[str, Json]:
        """Return the shape of ``summary.json``."""
        return {
            "used_s": self.used_us / SECOND_US,
            "needed_s": None if self.needed_us is None else self.needed_us / SECOND_US,
            "bias": self.bias,
            "is_settled": self.needed_us is not None,
            "is_enough": self.is_enough,
            "method": "MSER-5 on the number of payments in the system",
        }


def find_truncation(series: Sequence[float], *, batch: int = BATCH) -> Truncation:
    """Choose the truncation that makes the mean of the rest most certain.

    Parameters
    ----------
    series : sequence of float
        Observations in order of time.
    batch : int
        Observations averaged before the search.

    Raises
    ------
    ValueError
        If there are fewer than ten batches.

    Notes
    -----
    MSER-5 (White, Cobb and Spratt 2000): over batch means ``y[0..m)`` the ``d`` that minimises
    ``sum((y[d:] - mean(y[d:]))^2) / (m - d)^2``. A minimum beyond the middle is rejected, as its
    authors advise; then nothing is left out and the series counts as not settled.
    """
    whole = len(series) // batch
    if whole < BATCHES_MIN:
        raise ValueError(
            f"find_truncation: found {len(series)} observations; at least "
            f"{BATCHES_MIN * batch} are needed"
        )
    means = np.asarray(series[: whole * batch], dtype=float).reshape(whole, batch).mean(axis=1)
    means = means - means.mean()
    left = np.arange(whole, 0, -1)
    total = np.cumsum(means[::-1])[::-1]
    square = np.cumsum((means * means)[::-1])[::-1]
    # The last five batches are left out of the search: a spread of so few is chance.
    score = np.maximum(square - total * total / left, 0.0)[:-5] / (left[:-5] ** 2)
    best = int(np.argmin(score))
    if best > whole // 2:
        return Truncation(0, False, float(score[0]))
    return Truncation(best * batch, True, float(score[best]))

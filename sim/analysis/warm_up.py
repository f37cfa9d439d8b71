"""Find where a series has left its start behind.

Takes a series of observations in order of time; gives how many to leave out, by MSER-5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BATCH = 5


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
    if whole < 10:
        raise ValueError(
            f"find_truncation: found {len(series)} observations; at least {10 * batch} are needed"
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

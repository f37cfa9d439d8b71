"""Turn values over replications into confidence intervals.

Takes one value per replication; gives an :class:`Interval`. Replications are independent by
construction (their draws have different keys), so the classical intervals apply without batching.
Every measure, quantiles included, is estimated by its mean over replications: what is covered is
the expectation of the measure of one finite run, and Student's t is used for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log, sqrt

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """Hold an estimate and its confidence interval.

    Attributes
    ----------
    value : float
        Mean over replications.
    low, high : float
        Ends; infinite with fewer than two values.
    standard_error : float
        Of the mean.
    count : int
        Values used.
    width : float
        Of the cell the value lies in the middle of; part of the interval's length.
    """

    value: float
    low: float
    high: float
    standard_error: float
    count: int
    width: float = 0.0

    @property
    def half_width(self) -> float:
        """Return half the length of the interval."""
        return (self.high - self.low) / 2

    def covers(self, truth: float) -> bool:
        """Say whether a value lies inside."""
        return self.low <= truth <= self.high


def mean_interval(
    values: Sequence[float], *, confidence: float = CONFIDENCE, width: float = 0.0
) -> Interval:
    """Return Student's t interval of a mean.

    Parameters
    ----------
    values : sequence of float
        One per replication, independent.
    confidence : float
        Probability of coverage.
    width : float
        Of the cells the values lie in the middle of, on average: the interval is longer by it.

    Raises
    ------
    ValueError
        If there is no value, or one is not finite.
    """
    count = len(values)
    if count == 0:
        raise ValueError("mean_interval: found no values; at least one is needed")
    if not all(isfinite(value) for value in values):
        raise ValueError("mean_interval: found a value that is not finite")
    # Means are taken around the first value: equal values must give a spread of exactly 0.
    array = np.asarray(values, dtype=float)
    mean = float(array[0] + (array - array[0]).mean())
    if count == 1:
        return Interval(mean, -inf, inf, inf, 1)
    error = float((array - array[0]).std(ddof=1)) / sqrt(count)
    # Half a second to import, which a single run does without.
    from scipy import stats

    half = float(stats.t.ppf(0.5 + confidence / 2, count - 1)) * error + width / 2
    return Interval(mean, mean - half, mean + half, error, count, width)


def no_event_bound(runs: int, *, confidence: float = CONFIDENCE) -> float:
    """Return how many events a run may have on average where none of so many had any.

    Notes
    -----
    The exact upper end for a Poisson count of 0 (Garwood 1936), at 95 % 3.7 over the number of
    runs. Events that come in bunches may be more.
    """
    return float(-log((1 - confidence) / 2) / runs)


def share_interval(hits: int, trials: int, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the exact interval of a share.

    Parameters
    ----------
    hits, trials : int
        ``0 <= hits <= trials``, at least one trial.
    confidence : float
        Probability of coverage, at least.

    Notes
    -----
    Clopper and Pearson (1934). It serves where a share is 0 or 1 in every replication: the spread
    over replications is then 0, which says nothing about how rare the other outcome is.
    """
    if not 0 <= hits <= trials or trials == 0:
        raise ValueError(f"share_interval: found {hits} of {trials}; allowed: 0 to trials, above 0")
    # Half a second to import, which a single run does without.
    from scipy import stats

    result = stats.binomtest(hits, trials).proportion_ci(confidence_level=confidence)
    share = hits / trials
    error = sqrt(share * (1 - share) / trials)
    return Interval(share, float(result.low), float(result.high), error, trials)

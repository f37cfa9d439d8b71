"""One distribution, exactly: quantiles from either end, and moments.

Takes nothing; gives :class:`Law`, which every family builds, and the law of points a user wrote.
Each law knows its quantiles from either end, so that the far upper tail is as exact as the lower.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Quantile = Callable[[Floats], Floats]

TAIL_PROBABILITY = 2.0**-41
"""Probability on each side beyond the last octave of a table."""


@dataclass(frozen=True, slots=True)
class Law:
    """One distribution, exactly.

    Attributes
    ----------
    lower : callable
        Value at each of an array of probabilities of being at or below it.
    upper : callable
        Value at each of an array of probabilities of being above it.
    mean : float
        Exact mean.
    second_moment : float
        Exact mean square of the distance from the anchor.
    anchor : float
        Point that no normalisation moves: the least value of the support, or the mean of a
        distribution without one.
    tail : float or None
        Root mean square distance from the anchor, given the upper tail of
        :data:`TAIL_PROBABILITY`; None for light tails, where the tail's median serves.
    is_symmetric : bool
        Whether lower and upper mirror each other about the anchor.
    """

    lower: Quantile
    upper: Quantile
    mean: float
    second_moment: float
    anchor: float = 0.0
    tail: float | None = None
    is_symmetric: bool = False


def build_empirical_law(values: Floats, cumulative: Floats) -> Law:
    """Build the law whose cumulative distribution is linear between given points.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (k,)
        Values in base units, not falling, zero or more.
    cumulative : numpy.ndarray of float64, shape (k,)
        Probability of being at or below each value, rising, 1 at the last. Above 0 at the first
        value, it is the probability of exactly that value.

    Returns
    -------
    Law
        Quantiles and moments.

    Raises
    ------
    ValueError
        If the points do not describe a distribution.
    """
    _check_points(values, cumulative)
    if cumulative[0] > 0.0:
        values = np.concatenate((values[:1], values))
        cumulative = np.concatenate((np.zeros(1), cumulative))
    # Interpolating over what remains above a point keeps the upper tail exact.
    above, falling = (1.0 - cumulative)[::-1].copy(), values[::-1].copy()
    least = float(values[0])
    share, distance = np.diff(cumulative), values - least
    left, right = distance[:-1], distance[1:]
    return Law(
        lower=lambda p: np.interp(p, cumulative, values),
        upper=lambda q: np.interp(q, above, falling),
        mean=least + float(np.sum(share * (left + right))) / 2.0,
        second_moment=float(np.sum(share * (left**2 + left * right + right**2))) / 3.0,
        anchor=least,
    )


def _check_points(values: Floats, cumulative: Floats) -> None:
    """Refuse points that are no cumulative distribution."""
    if values.ndim != 1 or values.shape != cumulative.shape or len(values) == 0:
        raise ValueError(
            f"empirical has {values.size} values and {cumulative.size} cumulative probabilities; "
            "it needs at least one point, each a value and a probability"
        )
    if not (np.isfinite(values).all() and np.isfinite(cumulative).all()):
        raise ValueError("empirical has a value or probability that is not a finite number")
    if values[0] < 0.0:
        raise ValueError(f"empirical begins at the value {values[0]}; values must be 0 or more")
    if (np.diff(values) < 0.0).any():
        at = int(np.argmax(np.diff(values) < 0.0))
        raise ValueError(
            f"empirical value {values[at + 1]} follows {values[at]}; values must not fall"
        )
    if cumulative[0] < 0.0 or (np.diff(cumulative) <= 0.0).any():
        raise ValueError(
            f"empirical cumulative probabilities {cumulative.tolist()} must be 0 or more and rise "
            "from each point to the next"
        )
    if cumulative[-1] != 1.0:
        raise ValueError(
            f"empirical ends at the cumulative probability {cumulative[-1]}; the last must be 1"
        )

"""Probabilities and weights as whole numbers out of 2**62.

Takes probabilities and weights as people write them, gives the integer thresholds the look-up
compares draws with. This file does without Numba.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from sim.contract.layout import CERTAIN


def threshold62(probability: float) -> int:
    """Return the number below which a share ``probability`` of all draws lies.

    Parameters
    ----------
    probability : float
        From 0 (never) to 1 (always).

    Returns
    -------
    int
        ``round(probability * 2**62)``, from 0 to 2**62.

    Raises
    ------
    ValueError
        If the probability is not a number from 0 to 1.
    """
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability {probability} is not allowed; it must be from 0 to 1")
    return round(Fraction(probability) * CERTAIN)


def cumulative62(weights: Sequence[float]) -> npt.NDArray[np.int64]:
    """Return the ascending thresholds that choose among weighted items.

    Parameters
    ----------
    weights : sequence of float
        Weight of each item, zero or more, not all zero; they need not add up to one.

    Returns
    -------
    numpy.ndarray of int64, shape (len(weights),)
        Item i is chosen by a draw from entry i - 1 (0 for the first) up to, not including, entry
        i. The entry of the last item of positive weight is exactly 2**62, so no draw falls outside
        and no item of weight zero is ever chosen.

    Raises
    ------
    ValueError
        If there is no weight, a weight is negative or not finite, or all are zero.

    Notes
    -----
    Sums are exact fractions; each threshold is rounded once, so a probability is wrong by at most
    2**-62.
    """
    if not len(weights):
        raise ValueError("no weights were given; at least one is needed")
    for at, weight in enumerate(weights):
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"weight {weight} of item {at} is not allowed; weights are 0 or more")
    exact = [Fraction(weight) for weight in weights]
    total = sum(exact, Fraction(0))
    if total == 0:
        raise ValueError("all weights are zero; at least one must be above 0")
    thresholds: list[int] = []
    running = Fraction(0)
    for share in exact:
        running += share
        thresholds.append(round(running / total * CERTAIN))
    return np.array(thresholds, dtype=np.int64)

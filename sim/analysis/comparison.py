"""Compare arms that were run on the same luck.

Takes one value per replication and arm; gives paired differences with intervals, p values corrected
for looking at many, and how much the common luck was worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from sim.analysis.intervals import CONFIDENCE, Interval, mean_interval


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Hold the difference ``b - a`` of one measure.

    Attributes
    ----------
    interval : Interval
        Of the mean difference over common replications.
    p_value : float
        Two-sided, of "no difference"; 1 where both are always equal. Where they always differ by
        the same, t has no spread to go by, and it is what the signs alone allow: ``2^(1 - n)``.
    unpaired_standard_error : float
        What the standard error would be with independent luck in each arm.
    """

    interval: Interval
    p_value: float
    unpaired_standard_error: float

    @property
    def variance_ratio(self) -> float:
        """Return paired over unpaired variance: below 1, common luck helped."""
        if self.unpaired_standard_error == 0:
            return 0.0
        return float((self.interval.standard_error / self.unpaired_standard_error) ** 2)


def compare_paired(
    a: Sequence[float], b: Sequence[float], *, confidence: float = CONFIDENCE, width: float = 0.0
) -> PairedDifference:
    """Compare two arms replication by replication.

    Parameters
    ----------
    a, b : sequence of float
        Values of the same replications in the same order, at least two.
    confidence : float
        Probability of coverage.
    width : float
        Of the cells the differences lie in the middle of: so much of a difference is nothing that
        was seen.

    Raises
    ------
    ValueError
        If they differ in length or are too short.
    """
    if len(a) != len(b) or len(a) < 2:
        raise ValueError(
            f"compare_paired: found {len(a)} and {len(b)} values; allowed: as many, at least two"
        )
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    interval = mean_interval(list(second - first), confidence=confidence, width=width)
    error, seen = interval.standard_error, max(abs(interval.value) - width / 2, 0.0)
    if error == 0:
        p_value = 1.0 if seen == 0 else 2.0 ** (1 - len(a))
    else:
        # Half a second to import, which a single run does without.
        from scipy import stats

        p_value = float(2 * stats.t.sf(seen / error, len(a) - 1))
    unpaired = sqrt((first.var(ddof=1) + second.var(ddof=1)) / len(a))
    return PairedDifference(interval, p_value, unpaired)


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for having looked at several.

    Parameters
    ----------
    p_values : sequence of float
        In any order.

    Returns
    -------
    list of float
        In the same order. A value below alpha rejects at family-wise level alpha.

    Notes
    -----
    Holm (1979), valid under any dependence, which common random numbers bring.
    """
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, at in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = running
    return adjusted


@dataclass(frozen=True, slots=True)
class Controlled:
    """Hold an estimate corrected by a control variate.

    Attributes
    ----------
    interval : Interval
        The corrected estimate.
    coefficient : float
        What one unit of the control moves the value by.
    variance_ratio : float
        Corrected over plain squared standard error.
    """

    interval: Interval
    coefficient: float
    variance_ratio: float


def control_variate(
    values: Sequence[float], controls: Sequence[float], *, confidence: float = CONFIDENCE
) -> Controlled | None:
    """Correct a mean by a variable whose expectation is known to be 0.

    Parameters
    ----------
    values : sequence of float
        One per replication.
    controls : sequence of float
        Of the same replications; for example payments submitted less payments expected.
    confidence : float
        Probability of coverage.

    Returns
    -------
    Controlled or None
        None where there are fewer than four replications, or the control or the value never
        varies.

    Notes
    -----
    Lavenberg and Welch (1981): the intercept of the regression of values on controls, with t on
    ``n - 2`` degrees of freedom.
    """
    count = len(values)
    if count < 4 or count != len(controls):
        return None
    y, x = np.asarray(values, dtype=float), np.asarray(controls, dtype=float)
    spread = float(((x - x.mean()) ** 2).sum())
    plain = mean_interval(list(y), confidence=confidence).standard_error
    if spread == 0 or plain == 0:
        return None
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    value = float(y.mean() - slope * x.mean())
    residual = y - y.mean() - slope * (x - x.mean())
    variance = float((residual**2).sum()) / (count - 2)
    error = sqrt(variance * (1 / count + float(x.mean()) ** 2 / spread))
    # Half a second to import, which a single run does without.
    from scipy import stats

    half = float(stats.t.ppf(0.5 + confidence / 2, count - 2)) * error
    interval = Interval(value, value - half, value + half, error, count)
    return Controlled(interval, slope, (error / plain) ** 2)

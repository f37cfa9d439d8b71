"""One measure of two arms: the paired difference and what it says.

Takes the replications of two arms; gives a :class:`Pair`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from sim.analysis.comparison import Controlled, PairedDifference, compare_paired
from sim.analysis.summary import Summary, mean_width
from sim.study.compare.controls import controlled_mean
from sim.study.measure_key import pick
from sim.study.replicate.replications import Replicated
from sim.study.verdicts import SIGNIFICANCE, difference_words


@dataclass(frozen=True, slots=True)
class Pair:
    """One measure of arm ``b`` against arm ``a``.

    Attributes
    ----------
    difference : PairedDifference or None
        ``b - a``; None where an arm has no value in some replication.
    p_holm : float
        Corrected for all pairs and measures of the comparison.
    controlled : Controlled or None
        The difference corrected by what is known of arrivals, where that helps.
    """

    JSON_KEYS: ClassVar = (
        "a b measure unit difference=difference.interval.value low=difference.interval.low "
        "high=difference.interval.high p_holm replications standard_error_ratio verdict "
        "controlled"
    )

    a: str
    b: str
    measure: str
    unit: str
    difference: PairedDifference | None
    p_holm: float
    controlled: Controlled | None = None

    @property
    def replications(self) -> int:
        """Return the replications in which both arms have a value."""
        return 0 if self.difference is None else self.difference.interval.count

    @property
    def standard_error_ratio(self) -> float | None:
        """Return the standard error over that of independent random numbers, None without one."""
        if self.difference is None or self.difference.interval.standard_error == 0:
            return None
        return sqrt(self.difference.variance_ratio)

    @property
    def is_shown(self) -> bool:
        """Say whether a difference was shown."""
        return self.difference is not None and self.p_holm < SIGNIFICANCE

    @property
    def verdict(self) -> str:
        """Say it in words."""
        if self.difference is None:
            return f"{self.b}: {self.measure} cannot be compared, an arm has no value"
        if not self.is_shown:
            return f"{self.b}: no difference from {self.a} shown in {self.measure}"
        words = difference_words(self.measure, self.unit, self.difference.interval)
        return f"against {self.a}, {self.b} {words}"


def compare_pair(
    names: tuple[str, str], held: Mapping[str, Replicated], measure: str, *, unit: str
) -> Pair:
    """Compare two arms over the replications in which both have a value; p is not corrected yet."""
    a, b = held[names[0]], held[names[1]]
    pairs = zip(a.contributions(measure), b.contributions(measure), strict=True)
    both = {
        at: (left, right)
        for at, (left, right) in enumerate(pairs)
        if left is not None and right is not None
        if left.value is not None and right.value is not None
    }
    if len(both) < 2:
        return Pair(*names, measure, unit, None, 1.0)
    # Where values lie in cells, their difference may be off by half of both.
    width = sum(mean_width(side) for side in zip(*both.values(), strict=True))
    values = {at: (float(left), float(right)) for at, (left, right) in both.items()}
    difference = compare_paired(*zip(*values.values(), strict=True), width=width)
    controlled = controlled_mean(
        {at: right - left for at, (left, right) in values.items()}, a, measure
    )
    return Pair(*names, measure, unit, difference, difference.p_value, controlled)


def unit_of(summary: Summary, measure: str) -> str:
    """Return the unit of a measure, empty where it has no value."""
    found = pick(summary, measure)
    return "" if found is None else found.unit

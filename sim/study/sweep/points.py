"""Lay out the points of a sweep.

Takes the factors of an experiment; gives one point per combination, list entry, or place in a
space-filling design, each as texts for the scenario's fields. The same experiment always gives the
same points: designs are scrambled by the experiment's seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import product

from sim.study.experiment_file import Factor, Sweep

SIGNIFICANT_DIGITS = 12
"""Digits of a number drawn from a range: finer than any effect, coarser than a float's noise."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a sweep.

    Attributes
    ----------
    number : int
        From 0.
    values : dict of str to str
        Text of every factor, by dotted path.
    """

    number: int
    values: dict[str, str]

    def overrides(self, factors: Mapping[str, Factor]) -> tuple[str, ...]:
        """Return the changes that make the point, further fields of a factor included."""
        return tuple(
            f"{field}={value}"
            for name, value in self.values.items()
            for field in (name, *factors[name].also)
        )


def lay_out(
    sweep: Sweep, seed: int, decimals: Mapping[str, int] | None = None
) -> tuple[Point, ...]:
    """Return the points of a sweep.

    Parameters
    ----------
    sweep : Sweep
        Design and factors.
    seed : int
        Scrambles space-filling designs.
    decimals : mapping of str to int, optional
        Digits after the point that the field of a range takes, by factor; absent: any number.
    """
    names = tuple(sweep.factors)
    if sweep.design == "grid":
        combinations = product(*(sweep.factors[name].values or () for name in names))
        rows = [tuple(row) for row in combinations]
    elif sweep.design == "list":
        rows = list(zip(*(sweep.factors[name].values or () for name in names), strict=True))
    else:
        rows = _spread(sweep, seed, decimals or {})
    return tuple(
        Point(number, dict(zip(names, row, strict=True))) for number, row in enumerate(rows)
    )


def _spread(sweep: Sweep, seed: int, decimals: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Return points of a Latin hypercube or a scrambled Sobol sequence, in the factors' units."""
    import warnings

    from scipy.stats import qmc

    count = sweep.points or 1
    dimensions = len(sweep.factors)
    if sweep.design == "sobol":
        sampler = qmc.Sobol(dimensions, rng=seed)
        with warnings.catch_warnings():
            # Points that are no power of two are allowed; the manual says which are best.
            warnings.simplefilter("ignore", UserWarning)
            unit = sampler.random(count)
    else:
        unit = qmc.LatinHypercube(dimensions, rng=seed).random(count)
    factors = [(factor, decimals.get(name)) for name, factor in sweep.factors.items()]
    return [
        tuple(
            place(factor, float(share), decimals=digits)
            for (factor, digits), share in zip(factors, row, strict=True)
        )
        for row in unit
    ]


def place(factor: Factor, share: float, *, decimals: int | None = None) -> str:
    """Return the text of a factor at a share of its range, from 0 to 1.

    Parameters
    ----------
    factor : Factor
        A range, or values (of which equal shares fall to each).
    share : float
        From 0 to 1.
    decimals : int, optional
        Most digits after the point; absent: as many as :data:`SIGNIFICANT_DIGITS` ask for.
    """
    if factor.values is not None:
        return factor.values[min(int(share * len(factor.values)), len(factor.values) - 1)]
    assert factor.low is not None
    assert factor.high is not None
    low, high = float(factor.low), float(factor.high)
    if factor.scale == "log":
        value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        value = low + share * (high - low)
    return write_number(Decimal(round(value)) if factor.whole else value, factor, decimals)


def write_number(value: float | Decimal, factor: Factor, decimals: int | None = None) -> str:
    """Return a number of a range as scenario files write it: without exponent, with its unit.

    Parameters
    ----------
    value : float or Decimal
    factor : Factor
        Whose unit it is.
    decimals : int, optional
        Most digits after the point.
    """
    number = value if isinstance(value, Decimal) else Decimal(f"{value:.{SIGNIFICANT_DIGITS}g}")
    exponent = number.as_tuple().exponent
    if decimals is not None and isinstance(exponent, int) and -exponent > decimals:
        number = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {factor.unit}".strip()

"""Lay out the points of a sweep.

Takes the factors of an experiment; gives one point per combination, list entry, or place in a
space-filling design, each as texts for the scenario's fields. The same experiment always gives the
same points: designs are scrambled by the experiment's seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from sim.experiment.experiment_file import Factor, Sweep


@dataclass(frozen=True, slots=True)
class Point:
    """Be one point of a sweep.

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


def lay_out(sweep: Sweep, seed: int) -> tuple[Point, ...]:
    """Return the points of a sweep.

    Parameters
    ----------
    sweep : Sweep
        Design and factors.
    seed : int
        Scrambles space-filling designs.
    """
    names = tuple(sweep.factors)
    if sweep.design == "grid":
        combinations = product(*(sweep.factors[name].values or () for name in names))
        rows = [tuple(row) for row in combinations]
    elif sweep.design == "list":
        rows = list(zip(*(sweep.factors[name].values or () for name in names), strict=True))
    else:
        rows = _spread(sweep, seed)
    return tuple(
        Point(number, dict(zip(names, row, strict=True))) for number, row in enumerate(rows)
    )


def _spread(sweep: Sweep, seed: int) -> list[tuple[str, ...]]:
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
    factors = list(sweep.factors.values())
    return [
        tuple(place(factor, float(share)) for factor, share in zip(factors, row, strict=True))
        for row in unit
    ]


def place(factor: Factor, share: float) -> str:
    """Return the text of a factor at a share of its range, from 0 to 1.

    Parameters
    ----------
    factor : Factor
        A range, or values (of which equal shares fall to each).
    share : float
        From 0 to 1.
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
    number = str(round(value)) if factor.whole else f"{value:.6f}".rstrip("0").rstrip(".")
    return f"{number} {factor.unit}".strip()

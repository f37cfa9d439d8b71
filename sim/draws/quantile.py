"""Quantile tables: a distribution laid out so that a draw is a look-up.

Takes a family with its parameters, or the points of an empirical distribution; gives an array of
``layout.TABLE_LENGTH`` whole numbers of a unit (microseconds, minor units of money). The look-up is
``lookup.quantile``.

How close a table is
--------------------
Nodes are exact quantiles and the look-up is linear between them. Cells are at most 1/64 of the tail
probability wide, which leaves the mean wrong by about 1e-5 of itself; all values are then stretched
about the end of the support (about the mean for ``normal``, whose standard deviation is matched)
by the factor, about ``1 - 1e-5``, that makes the mean exact. Beyond the last octave, probability
2**-41 on each side, one value stands for the tail: above, for heavy families (lognormal, weibull,
pareto), the root mean square of the tail, because at sigma 2.5 its conditional mean would lose
0.7 % of the second moment; elsewhere the tail's median, where the choice is not visible.

Nodes are rounded to whole units, all at the one rounding point that brings the mean of the rounded
table closest to the exact one. So at any scale each node is within one unit of its value, and the
mean within half a unit times the share of the nodes that have the most frequent fractional part:
for smooth densities about 1/500 of a unit, for ``constant`` half a unit. Rounding adds less than a
quarter of a squared unit to the second moment.

Bounds, for a mean of 10 000 units or more: mean within 1e-5, second moment about the anchor and
99.9 % quantile within 1e-3, relative. A table that cannot keep them is refused. A quantile of an
empirical distribution at probability p (the smaller of both tails) lies between its exact quantiles
at p * (1 - 1/64) and p * (1 + 1/64).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sim.draws import laws
from sim.draws.layout import (
    CELLS_PER_OCTAVE,
    FRACTION_BITS,
    NODE_COUNT,
    NODE_SPACING_BITS,
    OCTAVE_COUNT,
    SIDE_LENGTH,
    TABLE_LENGTH,
    TAIL_END,
    VALUE_LIMIT,
)

__all__ = [
    "EMPIRICAL",
    "FAMILIES",
    "TABLE_LENGTH",
    "build_empirical",
    "build_table",
    "table_mean",
    "table_second_moment",
]

EMPIRICAL = "empirical"

FAMILIES: tuple[str, ...] = (*laws.FAMILIES, EMPIRICAL)
"""Every family a scenario can name; all but the last are built by :func:`build_table`."""

_STRETCH_MAX = 5e-4
_SECOND_MOMENT_MAX = 1e-3


def build_table(
    family: str, parameters: Mapping[str, float], *, unit: float = 1.0
) -> npt.NDArray[np.int64]:
    """Build the quantile table of a family.

    Parameters
    ----------
    family : str
        One of :data:`FAMILIES` but ``empirical``.
    parameters : mapping of str to float
        ``constant(value)``, ``uniform(low, high)``, ``exponential(mean)``, ``erlang(shape, mean)``,
        ``gamma(mean, shape)``, ``lognormal(median or mean, sigma)``, ``weibull(scale or mean,
        shape)``, ``triangular(low, mode, high)``, ``normal(mean, sd)``, ``truncated_normal(mean,
        sd, low)`` with mean and sd those before truncation, ``pareto(minimum, alpha)``,
        ``hyperexponential(p, mean_1, mean_2)`` with p the share of mean_1. Locations and scales
        are in the same base unit as ``unit``.
    unit : float, default 1
        Size of the table's unit in base units; above 0.

    Returns
    -------
    numpy.ndarray of int64, shape (TABLE_LENGTH,)
        The table; read-only, because equal requests share it.

    Raises
    ------
    ValueError
        If the family or a parameter is not allowed, the variance is infinite, a value would be
        too large for the unit, or the bounds of this module's description cannot be kept.
    """
    if family == EMPIRICAL:
        raise ValueError("empirical has no parameters; give its points to build_empirical")
    return _build_cached(family, tuple(sorted(parameters.items())), float(unit))


def build_empirical(
    points: Sequence[tuple[float, float]], *, unit: float = 1.0
) -> npt.NDArray[np.int64]:
    """Build the quantile table of a distribution given by points, linear between them.

    Parameters
    ----------
    points : sequence of (float, float)
        Value in base units, and probability of being at or below it. Values do not fall,
        probabilities rise, the last is 1; a first probability above 0 is that of the first value
        itself. The same value twice is a value of positive probability.
    unit : float, default 1
        Size of the table's unit in base units; above 0.

    Returns
    -------
    numpy.ndarray of int64, shape (TABLE_LENGTH,)
        The table; read-only.

    Raises
    ------
    ValueError
        If the points do not describe a distribution, or a value is too large for the unit.
    """
    values = np.array([float(value) for value, _ in points], dtype=np.float64)
    cumulative = np.array([float(share) for _, share in points], dtype=np.float64)
    return _lay_out(EMPIRICAL, laws.build_empirical_law(values, cumulative), float(unit))


def table_mean(table: npt.NDArray[np.int64]) -> Fraction:
    """Return the mean of all draws from a table, exactly.

    Parameters
    ----------
    table : numpy.ndarray of int64, shape (TABLE_LENGTH,)
        One table.

    Returns
    -------
    Fraction
        Mean over all 2**62 draws of what ``lookup.quantile`` gives, in the table's unit.

    Notes
    -----
    Draws lie symmetrically in a cell and rounding to the nearest is symmetric but for ties, so a
    cell's mean is that of its two nodes. Ties are rounded up: with d the difference of the nodes
    and b fraction bits, every draw of the cell is a tie if d is an odd multiple of 2**(b - 1),
    and none is otherwise.
    """
    total = Fraction(0)
    for side in (table[:SIDE_LENGTH], table[SIDE_LENGTH:]):
        total += int(side[0]) * TAIL_END
        for group in range(OCTAVE_COUNT):
            first = 1 + group * CELLS_PER_OCTAVE
            nodes = side[first : first + CELLS_PER_OCTAVE + 1]
            difference = np.diff(nodes)
            bits = min(FRACTION_BITS, NODE_SPACING_BITS + group + 1)
            ties = int(np.count_nonzero((difference & -difference) == 1 << (bits - 1)))
            twice = sum(nodes.tolist()) * 2 - int(nodes[0]) - int(nodes[-1]) + ties
            total += Fraction(twice * (1 << (NODE_SPACING_BITS + group)), 2)
    return total / (1 << 62)


def table_second_moment(table: npt.NDArray[np.int64]) -> float:
    """Return the mean square of the draws from a table, before rounding to whole units.

    Parameters
    ----------
    table : numpy.ndarray of int64, shape (TABLE_LENGTH,)
        One table.

    Returns
    -------
    float
        Mean square in squared units; rounding the draws adds less than a quarter.
    """
    return _mean_square(table.astype(np.float64))


@lru_cache(maxsize=256)
def _build_cached(
    family: str, parameters: tuple[tuple[str, float], ...], unit: float
) -> npt.NDArray[np.int64]:
    """Build a table once per process; a pure function of its arguments."""
    # Parameters too extreme for a float end as infinite values, which are refused in words below.
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        try:
            law = laws.build_law(family, dict(parameters))
        except OverflowError as error:
            raise ValueError(_too_large(family, math.inf, unit)) from error
        return _lay_out(family, law, unit)


def _lay_out(family: str, law: laws.Law, unit: float) -> npt.NDArray[np.int64]:
    """Place quantiles on the nodes, stretch them to the exact mean and round them."""
    if not (math.isfinite(unit) and unit > 0.0):
        raise ValueError(f"unit is {unit}; it must be a finite number above 0")
    nodes = _node_probabilities()
    tail_median = np.array([laws.TAIL_PROBABILITY / 2.0])
    distance = np.concatenate(
        (law.lower(tail_median), law.lower(nodes), law.upper(tail_median), law.upper(nodes))
    )
    distance -= law.anchor
    if law.tail is not None:
        # Both are the same for a law without spread, but for the last digit of a float.
        distance[SIDE_LENGTH] = max(law.tail, float(distance[SIDE_LENGTH + 1]))
    # Both sides must meet in the same median, or draws around it could fall as u rises.
    distance[[SIDE_LENGTH - 1, TABLE_LENGTH - 1]] = (distance[SIDE_LENGTH - 1] + distance[-1]) / 2.0
    largest = (float(np.max(np.abs(distance))) + abs(law.anchor)) / unit
    if not largest <= VALUE_LIMIT:
        raise ValueError(_too_large(family, largest, unit))
    distance *= _stretch(family, law, distance)
    values = (law.anchor + distance) / unit
    table = _round_to_mean(values, law.mean / unit)
    table.setflags(write=False)
    return table


def _stretch(family: str, law: laws.Law, distance: laws.Floats) -> float:
    """Return the factor that makes the mean exact, after checking that it keeps the shape."""
    square = _mean_square(distance)
    if square == 0.0:
        return 1.0
    if law.is_symmetric:
        return math.sqrt(law.second_moment / square)
    factor = (law.mean - law.anchor) / float(np.sum(_entry_weights() * distance))
    error = square * factor**2 / law.second_moment - 1.0
    if not (abs(factor - 1.0) <= _STRETCH_MAX and abs(error) <= _SECOND_MOMENT_MAX):
        raise ValueError(
            f"{family} is too extreme for a table: its values would be stretched by "
            f"{factor - 1.0:+.1e} (allowed {_STRETCH_MAX:.0e}) and its second moment be wrong by "
            f"{error:+.1e} (allowed {_SECOND_MOMENT_MAX:.0e}); use a less heavy tail"
        )
    return factor


def _round_to_mean(values: laws.Floats, mean: float) -> npt.NDArray[np.int64]:
    """Round all values at the one rounding point that keeps their mean closest to ``mean``.

    Notes
    -----
    Values are rounded up from a fraction t on and down below it. One point for all keeps equal
    values equal and the order of the rest. Rounding halves up would make an exponential of mean 1
    come out 4 % low.
    """
    # What differs by no more than float noise is equal and must be rounded alike.
    near = np.rint(values)
    values = np.where(np.abs(values - near) < 1e-6, near, values)
    floors = np.floor(values)
    fractions = np.round(values - floors, 6)
    weights = _entry_weights()
    wanted = mean - float(np.sum(weights * floors))
    order = np.argsort(-fractions, kind="stable")
    gain = np.cumsum(weights[order])
    ends = np.flatnonzero(np.append(np.diff(fractions[order]) != 0.0, True))
    candidates = np.concatenate((np.zeros(1), gain[ends]))
    best = int(np.argmin(np.abs(candidates - wanted)))
    point = math.inf if best == 0 else float(fractions[order[ends[best - 1]]])
    return (floors + (fractions >= point)).astype(np.int64)


def _node_probabilities() -> laws.Floats:
    """Return the tail probability at each node of a side, ascending to one half."""
    node = np.arange(NODE_COUNT)
    octave, cell = np.divmod(node, CELLS_PER_OCTAVE)
    return (CELLS_PER_OCTAVE + cell) * np.exp2((NODE_SPACING_BITS - 62 + octave).astype(np.float64))


def _entry_weights() -> laws.Floats:
    """Return the share each entry of a table has in the mean of its draws."""
    half = np.diff(_node_probabilities()) / 2.0
    tail = np.array([laws.TAIL_PROBABILITY])
    side = np.concatenate((tail, half, np.zeros(1)))
    side[2:] += half
    return np.concatenate((side, side))


def _mean_square(values: laws.Floats) -> float:
    """Return the mean square of a table that is linear between its nodes."""
    width = np.diff(_node_probabilities())
    total = 0.0
    for side in (values[:SIDE_LENGTH], values[SIDE_LENGTH:]):
        left, right = side[1:-1], side[2:]
        total += laws.TAIL_PROBABILITY * float(side[0]) ** 2
        total += float(np.sum(width * (left * left + left * right + right * right))) / 3.0
    return total


def _too_large(family: str, largest: float, unit: float) -> str:
    """Say that a value does not fit."""
    return (
        f"{family} reaches {largest:.3g} units of {unit:g} at probability 2**-41; a table holds at "
        f"most 2**53 units. Use a smaller scale, a less heavy tail or a larger unit"
    )

"""Keep durations by group, exactly up to a stated number of them and in narrow cells beyond.

Takes chunks of durations in microseconds, each with the number of its group; gives the
:class:`Durations` of any groups together. What is known of a duration is a smallest and a largest
value, which are equal where it is known exactly; a quantile is told in the same way, so that
whoever shows, tests or judges it can say how well it is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np

from sim.contract.plan import Array
from sim.contract.records import histogram_bounds

EXACT_MAX = 1_000_000
"""Durations of a run that are kept one by one (16 MB); beyond so many they are counted in cells, so
that memory does not grow with the number of payments."""
CELL_BITS = 10
"""1024 cells per octave: durations in one cell differ by less than 0.1 %."""

GROUP_SHIFT = 16
"""The largest cell of 63 bits is below ``54 << CELL_BITS``, so a group's cells fit into 16 bits."""
_CELLS_FIRST = 1 << 12
"""Room for cells at first; a power of two."""


@dataclass(frozen=True, slots=True)
class Between:
    """A figure known to lie between two, which are equal where it is known exactly."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Return the figure that is off by half the width at most."""
        return self.low if self.low == self.high else (self.low + self.high) / 2

    @property
    def width(self) -> float:
        """Return the distance of its ends."""
        return self.high - self.low

    def over(self, divisor: float) -> Between:
        """Return a quotient of it, as of a change of unit."""
        return Between(self.low / divisor, self.high / divisor)


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the payments of some groups took, ascending.

    Attributes
    ----------
    low, high : ndarray of int64, shape (n,)
        Shortest and longest duration of a cell, in microseconds; equal where every payment has a
        cell of its own, or all in a cell took equally long.
    count : ndarray of int64, shape (n,)
        Payments in each.
    """

    low: Array
    high: Array
    count: Array

    @classmethod
    def of_histogram(cls, histogram: Array) -> Durations:
        """Return what a histogram of the engines tells.

        Parameters
        ----------
        histogram : ndarray of int64, shape (HISTOGRAM_LENGTH,)
            By :func:`~sim.contract.records.histogram_bucket`.
        """
        buckets = np.flatnonzero(histogram)
        ends = np.array([histogram_bounds(int(at)) for at in buckets], dtype=np.int64)
        low, high = ends.reshape(-1, 2).T
        return cls(low, high, histogram[buckets])

    @property
    def total(self) -> int:
        """Return the number of payments."""
        return int(self.count.sum())

    def quantile(self, share: float, longer: int = 0) -> Between | None:
        """Return a quantile by nearest rank: what at least a share of payments did not exceed.

        Parameters
        ----------
        share : float
            Above 0, at most 1.
        longer : int
            Payments besides that took longer than any of these.

        Returns
        -------
        Between or None
            In microseconds; None where there is no payment, or it is one of the longer ones.
        """
        running = np.cumsum(self.count)
        done = int(running[-1]) if len(running) else 0
        rank = max(ceil(share * (done + longer)), 1)
        if rank > done:
            return None
        at = int(np.searchsorted(running, rank))
        return Between(int(self.low[at]), int(self.high[at]))

    def in_cells(self) -> tuple[Array, Durations]:
        """Return the numbers of the cells there are, ascending, and what each of them holds."""
        cells = np.stack([duration_cells(self.low), self.low, self.high, self.count])
        key, low, high, count = _merged(cells)
        return key, Durations(low, high, count)


class DurationFolder:
    """The durations of one run by group.

    Parameters
    ----------
    exact_max : int
        How many are kept one by one.

    Notes
    -----
    What is kept does not depend on the order or the chunks in which durations come.
    """

    def __init__(self, exact_max: int = EXACT_MAX) -> None:
        self._exact_max = exact_max
        self._number = 0
        # Group and duration of what came one by one; then the table of ``count_cells``.
        self._single: list[Array] = []
        self._is_in_order = True
        self._table = np.zeros((_CELLS_FIRST + 1, 4), dtype=np.int64)

    def take(self, group: Array, values: Array) -> None:
        """Fold a chunk: the group and the duration of each payment."""
        self._number += len(values)
        self._single.append(np.stack([group, values]))
        self._is_in_order = False
        if not self.is_exact:
            for rows in self._single:
                self._count(*rows)
            self._single = []

    @property
    def is_exact(self) -> bool:
        """Say whether every duration is known to the microsecond."""
        return self._number <= self._exact_max

    def of(self, groups: Iterable[int]) -> Durations:
        """Return the durations of some groups together."""
        rows, shift = (self._in_order(), 0) if self.is_exact else (self._cells(), GROUP_SHIFT)
        chosen = np.array(sorted(groups), dtype=np.int64)
        first = np.searchsorted(rows[0], chosen << shift)
        last = np.searchsorted(rows[0], (chosen + 1) << shift)
        spans = [rows[:, a:b] for a, b in zip(first, last, strict=True)]
        rows = np.concatenate([rows[:, :0], *spans], axis=1)
        if self.is_exact:
            # Sorting the durations alone is ten times as quick as sorting whole rows by them.
            values = np.sort(rows[1])
            return Durations(values, values, np.ones_like(values))
        rows[0] &= (1 << GROUP_SHIFT) - 1
        _, low, high, count = _merged(rows)
        return Durations(low, high, count)

    def _in_order(self) -> Array:
        """Return what came one by one in one piece, by group."""
        rows = np.concatenate([np.zeros((2, 0), dtype=np.int64), *self._single], axis=1)
        if not self._is_in_order:
            rows = rows[:, np.argsort(rows[0], kind="stable")]
            self._single, self._is_in_order = [rows], True
        return rows

    def _cells(self) -> Array:
        """Return group and cell, shortest, longest and count, in order of group and cell."""
        rows = self._table[:-1][self._table[:-1, 3] > 0]
        ordered: Array = rows[np.argsort(rows[:, 0])].T
        return ordered

    def _count(self, group: Array, values: Array) -> None:
        """Count durations in cells, with as much room as they turn out to take."""
        # Machine code, which those who only read a finished run do without.
        from sim.tables.duration_loop import count_cells

        group, values = np.ascontiguousarray(group), np.ascontiguousarray(values)
        smaller = self._table[:0]
        counted = 0
        while True:
            counted = count_cells(group, values, counted, self._table, smaller)
            if counted == len(values):
                return
            smaller = self._table[:-1]
            self._table = np.zeros((2 * len(smaller) + 1, 4), dtype=np.int64)


def duration_cells(values: Array) -> Array:
    """Return the cell of each duration: linear first, then 1024 cells per octave."""
    # frexp is exact below 2**53, far above any duration in microseconds.
    bits = np.frexp(values.astype(np.float64))[1].astype(np.int64)
    octave = np.maximum(bits - 1 - CELL_BITS, 0)
    cell: Array = (octave << CELL_BITS) + (values >> octave)
    return cell


def _merged(rows: Array) -> Array:
    """Join rows of the same first entry, in ascending order of it."""
    rows = rows[:, np.argsort(rows[0], kind="stable")]
    if rows.shape[1] == 0:
        return rows
    first = np.flatnonzero(np.diff(rows[0], prepend=-1))
    return np.stack(
        [
            rows[0][first],
            np.minimum.reduceat(rows[1], first),
            np.maximum.reduceat(rows[2], first),
            np.add.reduceat(rows[3], first),
        ]
    )

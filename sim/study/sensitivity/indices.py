"""Compute Sobol indices of an answer whose values are expensive, with intervals.

Takes how many factors vary and a base sample; gives the points to run (:class:`Design`), and from
the answers at them the indices (:class:`Indices`). What a point costs is the caller's business: all
points are known before the first is run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.analysis.intervals import CONFIDENCE

Floats = npt.NDArray[np.float64]

RESAMPLES = 999
LEAST = 8
"""Points of the base sample without which nothing is said."""
CORRELATION_MOST = 0.5
"""Between two columns of a design."""
_TRIES = 100
"""Latin hypercubes of which the least correlated is used."""


@dataclass(frozen=True, slots=True)
class Index:
    """Hold one index and its 95 % interval."""

    value: float
    low: float
    high: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Indices:
    """Hold the indices of one answer.

    Attributes
    ----------
    first_order : tuple of Index
        Share of the variance each factor explains alone.
    total : tuple of Index
        Share that would be left if all others were known.
    interactions : Index
        One less all first-order indices: what only factors together explain.
    used, planned : int
        Points of the base sample; those in which a run has no answer are left out.
    variance : float or None
        Of the answer over the ranges, where it was sampled.
    """

    first_order: tuple[Index, ...]
    total: tuple[Index, ...]
    interactions: Index
    used: int
    planned: int
    variance: float | None


@dataclass(frozen=True, slots=True)
class Design:
    """Hold Saltelli's two samples and their mixtures.

    Attributes
    ----------
    a, b : ndarray, (factors, n)
        Two samples of the unit cube.
    seed : int
        Scrambles the samples and draws the resamples of the intervals.
    """

    a: Floats
    b: Floats
    seed: int

    @classmethod
    def of(cls, factors: int, base: int, seed: int) -> Design:
        """Lay out a design.

        Parameters
        ----------
        factors : int
            How many vary.
        base : int
            Points of each sample, a power of two.
        seed : int

        Notes
        -----
        The points are the Sobol sequence that :func:`scipy.stats.sobol_indices` draws, where its
        columns can be told apart. Of many columns and few points some depend on each other, however
        they are scrambled: with 11 factors and 32 points a column of A and its fellow of B have a
        correlation of -0.7, indices come out at 1.7 times the truth, and the bootstrap does not see
        it. There the points are those of a Latin hypercube (McKay, Beckman and Conover 1979), the
        least correlated of a hundred.
        """
        from scipy.stats import qmc

        columns = 2 * factors
        points = qmc.Sobol(columns, rng=seed, bits=64).random(base).T
        if correlation(points) > CORRELATION_MOST:
            cube = qmc.LatinHypercube(columns, rng=seed)
            points = min((cube.random(base).T for _ in range(_TRIES)), key=correlation)
        return cls(points[:factors], points[factors:], seed)

    @property
    def points(self) -> Floats:
        """Return every point to run, a row each: A, B, then A with one column of B."""
        mixtures = []
        for at in range(len(self.a)):
            mixed = self.a.copy()
            mixed[at] = self.b[at]
            mixtures.append(mixed)
        return np.concatenate([self.a, self.b, *mixtures], axis=1).T

    def indices(self, answers: Floats) -> Indices | None:
        """Return the indices from the answers.

        Parameters
        ----------
        answers : ndarray, (base * (factors + 2),)
            In the order of :attr:`points`; not a number where a run has none.

        Returns
        -------
        Indices or None
            None where fewer than :data:`LEAST` points have all their answers.

        Notes
        -----
        Estimators of Saltelli et al. (2010, table 2, b and f), as
        :func:`scipy.stats.sobol_indices` computes them. A point of the base sample counts only if
        all of its runs have an answer; of those the first ``2**k`` are used, because SciPy takes
        powers of two. Intervals are percentiles of a bootstrap over points of the
        base sample (Archer, Saltelli and Sobol 1997), drawn from the seed.
        """
        from scipy import stats

        factors, planned = self.a.shape
        runs = np.asarray(answers, dtype=float).reshape(factors + 2, planned)
        complete = runs[:, np.isfinite(runs).all(axis=0)]
        used = 1 << (complete.shape[1].bit_length() - 1) if complete.shape[1] else 0
        if used < min(LEAST, planned):
            return None
        runs = complete[:, :used]
        runs = runs - runs[:2].mean()
        variance = float(runs[:2].var())
        if variance == 0:
            return None
        found = stats.sobol_indices(
            func={"f_A": runs[:1], "f_B": runs[1:2], "f_AB": runs[2:, None, :]}, n=used
        )
        first, total = found.first_order, found.total_order
        firsts, totals = self._resampled(runs)
        return Indices(
            tuple(_index(first[at], firsts[:, at]) for at in range(factors)),
            tuple(_index(total[at], totals[:, at]) for at in range(factors)),
            _index(1 - first.sum(), 1 - firsts.sum(axis=1)),
            used,
            planned,
            variance,
        )

    def _resampled(self, runs: Floats) -> tuple[Floats, Floats]:
        """Return both kinds of index for every bootstrap resample."""
        generator = np.random.default_rng(self.seed)
        count = runs.shape[1]
        firsts, totals = [], []
        for _ in range(RESAMPLES):
            chosen = runs[:, generator.integers(0, count, count)]
            first, total = estimate(chosen[0], chosen[1], chosen[2:])
            firsts.append(first)
            totals.append(total)
        return np.array(firsts), np.array(totals)


def correlation(points: Floats) -> float:
    """Return the largest correlation between two columns of a design.

    Parameters
    ----------
    points : ndarray, (columns, n)
    """
    if points.shape[1] < 3:
        # Two points are on one line, whatever they are.
        return 0.0
    found = np.abs(np.corrcoef(points))
    np.fill_diagonal(found, 0.0)
    return float(found.max())


def alone() -> Indices:
    """Return the indices where one factor is all that varies: it explains everything."""
    everything, nothing = Index(1.0, 1.0, 1.0, 0.0), Index(0.0, 0.0, 0.0, 0.0)
    return Indices((everything,), (everything,), nothing, 0, 0, None)


def estimate(f_a: Floats, f_b: Floats, f_ab: Floats) -> tuple[Floats, Floats]:
    """Return first-order and total indices from answers less their mean.

    Parameters
    ----------
    f_a, f_b : ndarray, (n,)
        Answers at the two samples.
    f_ab : ndarray, (factors, n)
        Answers at the mixtures.

    Notes
    -----
    The estimators of :func:`scipy.stats.sobol_indices`, whose own bootstrap takes no seed and would
    give other intervals every time.
    """
    mean = np.concatenate([f_a, f_b]).mean()
    variance = np.concatenate([f_a, f_b]).var()
    if variance == 0:
        nothing = np.zeros(len(f_ab))
        return nothing, nothing
    first = ((f_b - mean) * (f_ab - f_a)).mean(axis=1) / variance
    total = 0.5 * ((f_a - f_ab) ** 2).mean(axis=1) / variance
    return first, total


def _index(value: float, resampled: Floats) -> Index:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Index(float(value), float(low), float(high), float(resampled.std(ddof=1)))

"""Account for payments that were still open when the run ended.

Takes the end-to-end times of completed payments and the ages of open ones; gives quantiles in which
an open payment counts as taking at least as long as it has been under way, of one run or of many
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from sim.analysis.intervals import CONFIDENCE
from sim.analysis.sources import QUANTILES, Cells
from sim.contract.plan import Array
from sim.tables.durations import Between, Durations
from sim.tables.folding import SummaryFolder
from sim.units import SECOND_US

_ROUNDING = 1e-9
"""What a product of a million factors may be off by: a share reached but for it is reached."""

_LEAST_BEYOND = 5
"""Payments expected beyond a quantile, and seen to last as long, for an interval: with fewer,
whether one run has such a payment at all decides both ends, and intervals cover too little."""
_FEW_BEYOND = 150
"""Where no more are expected beyond it, half of them must have been seen to last as long: where
most were cut off before, the few left decide."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Survival:
    """How long the covered payments of one run took, or had lasted when it ended.

    Attributes
    ----------
    cells : tuple of int
        Cells of :func:`~sim.tables.durations.duration_cells` in which there are any, ascending.
    low, high : tuple of int
        Shortest and longest duration in each, in microseconds.
    ended, still_open : tuple of int
        Completed and open payments in each.
    """

    cells: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    ended: tuple[int, ...]
    still_open: tuple[int, ...]

    @classmethod
    def of(cls, folder: SummaryFolder, chosen: Cells) -> Survival:
        """Return what a run saw of the groups covered."""
        parts = []
        for which, durations in enumerate(
            (folder.end_to_end.of(chosen), folder.open_age.of(chosen))
        ):
            cells, held = durations.in_cells()
            counts = np.zeros((2, len(cells)), dtype=np.int64)
            counts[which] = held.count
            rows = (cells, held.low, held.high, *counts)
            parts.append(cls(*(tuple(row.tolist()) for row in rows)))
        return cls.joined(parts)

    @classmethod
    def joined(cls, parts: Sequence[Survival]) -> Survival:
        """Return several together."""
        cells = np.array(sorted({cell for part in parts for cell in part.cells}), dtype=np.int64)
        low = np.full(len(cells), np.iinfo(np.int64).max)
        high, counts = np.zeros_like(low), np.zeros((2, len(cells)), dtype=np.int64)
        for rows in (part.rows for part in parts):
            at = np.searchsorted(cells, rows[0])
            low[at] = np.minimum(low[at], rows[1])
            high[at] = np.maximum(high[at], rows[2])
            counts[:, at] += rows[3:]
        return cls(*(tuple(row.tolist()) for row in (cells, low, high, *counts)))

    @property
    def rows(self) -> Array:
        """Return all of it as an array of shape (5, cells), in the order above."""
        parts = (self.cells, self.low, self.high, self.ended, self.still_open)
        return np.array(parts, dtype=np.int64).reshape(5, -1)


@dataclass(frozen=True, slots=True)
class PooledQuantile:
    """One quantile of the payments of several runs together, in seconds.

    Attributes
    ----------
    value : Between or None
        None where it lies beyond what was seen.
    low, high : float or None
        95 % confidence interval; None where too little was seen beyond the quantile to tell.
    by_run : tuple of float
        What each run contributes: the value is their mean, and Student's t over them gives an
        interval as wide as this one. Empty where there is no interval.
    """

    value: Between | None
    low: float | None = None
    high: float | None = None
    by_run: tuple[float, ...] = ()


def kaplan_meier(completed: Durations, still_open: Durations) -> dict[str, Between | None]:
    """Return quantiles of a duration of which some were cut off.

    Parameters
    ----------
    completed : Durations
        Those seen to their end.
    still_open : Durations
        How long the others had lasted when they were cut off.

    Returns
    -------
    dict of str to (Between or None)
        By name as in :data:`~sim.analysis.sources.QUANTILES`, in microseconds; None for one that
        lies beyond what was seen.

    Notes
    -----
    Kaplan and Meier (1958): the share still lasting after a duration is the product of
    ``1 - d / n`` over all durations up to it, ``d`` of the ``n`` that lasted so long having ended
    there; what is cut off at the same duration (or cell) counts as having outlasted it. It assumes
    that those cut off are like those seen so far, as when load does not change; in a queue that
    grows the later ones are slower still. Payments rejected or returned do not enter, as they do
    not enter the other quantiles.
    """
    cut = np.concatenate([[0], np.cumsum(still_open.count)])
    lasting = still_open.total - cut[np.searchsorted(still_open.high, completed.low)]
    lasting += completed.total - np.cumsum(completed.count) + completed.count
    done = _share_done(completed.count, lasting)
    return {name: _reached(completed, done, share) for name, share in QUANTILES.items()}


def pooled_quantiles(runs: Sequence[Survival]) -> dict[float, PooledQuantile]:
    """Return the quantiles of all runs together, by share, with 95 % intervals.

    Parameters
    ----------
    runs : sequence of Survival
        Replications of one scenario, two or more.

    Notes
    -----
    Kaplan and Meier over the payments of all runs: a quantile that one run could not see to the end
    of may well be seen by all. Durations are known within their cells here, and the value and both
    ends say so.

    Intervals follow Woodruff (1952): they hold the durations of which the share of payments that do
    not exceed them may be the one asked for, by Student's t over the runs. What a run contributes
    to a share is its jackknife pseudo-value, so that payments that queue together count as one
    observation; the share is logit-transformed, as its spread near 1 is far from symmetrical. A
    bootstrap over few runs covers too little, and the jackknife of the quantile itself, which is a
    step, likewise.
    """
    cells, low, high, *both = Survival.joined(runs).rows
    whole = np.stack(both)
    known = Durations(low, high, whole[0])
    done = _curve(*whole)
    places = [int(np.searchsorted(done, share - _ROUNDING)) for share in QUANTILES.values()]
    reached = [at for at in places if at < len(done)]
    count, moved = len(runs), np.zeros((len(runs), len(reached)))
    sums = np.zeros((2, len(done)))
    for number, rows in enumerate(run.rows for run in runs):
        others = whole.copy()
        others[:, np.searchsorted(cells, rows[0])] -= rows[3:]
        # A pseudo-value is this much above the share: n F - (n - 1) F(without) = F + this.
        more = (count - 1) * (done - _curve(*others))
        moved[number] = more[reached]
        sums += more, more**2
    spread = np.sqrt(np.maximum(sums[1] - sums[0] ** 2 / count, 0) / (count - 1) / count)
    # Half a second to import, which a single run does without.
    from scipy import stats

    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1)) * spread
    least, most = map(np.maximum.accumulate, _share_ends(done, half, known.total))
    found = {share: PooledQuantile(None) for share in QUANTILES.values()}
    gone = whole.sum(axis=0)
    lasted = gone.sum() - np.cumsum(gone) + gone
    for column, share in enumerate(list(found)[: len(reached)]):
        # Without an upper end there is no interval, see _told.
        beyond = lasted[0] * (1 - share) + _ROUNDING
        wanted = max(_LEAST_BEYOND, beyond / 2 if beyond <= _FEW_BEYOND else 0)
        is_seen = beyond >= _LEAST_BEYOND and lasted[reached[column]] >= wanted
        upper = least if is_seen else least[:0]
        ends = [_reached(known, curve, share) for curve in (most, done, upper)]
        found[share] = _told(ends, moved[:, column], half[reached[column]])
    return found


def _told(ends: Sequence[Between | None], moved: Floats, half: float) -> PooledQuantile:
    """Return a quantile from its lower end, itself, its upper end and what each run adds.

    Parameters
    ----------
    ends : sequence of Between or None
        In microseconds.
    moved : ndarray of float, shape (runs,)
        How far the pseudo-value of the share of each run lies above the share.
    half : float
        Half-width of the interval of the share.
    """
    low, value, high = ends
    assert low is not None
    assert value is not None
    if high is None:
        # Too few lasted longer to say how long one more might last.
        return PooledQuantile(value.over(SECOND_US))
    reach = (high.middle - low.middle) / 2
    slope = reach / half if half > _ROUNDING else 0.0
    by_run = (value.middle - (moved - moved.mean()) * slope) / SECOND_US
    return PooledQuantile(
        value.over(SECOND_US),
        low.low / SECOND_US,
        high.high / SECOND_US,
        tuple(by_run.tolist()) if slope or not reach else (),
    )


def _share_ends(done: Floats, half: Floats, total: int) -> tuple[Floats, Floats]:
    """Return the ends of the intervals of shares, on the scale of logits.

    Notes
    -----
    Where all of them are done, how many might not be is the bound of Clopper and Pearson for no
    case in so many: a spread of 0 says nothing.
    """
    inside = np.clip(done, _ROUNDING, 1 - _ROUNDING)
    reach = half / (inside * (1 - inside))
    least, most = special.expit(special.logit(inside) + np.stack([-reach, reach]))
    is_whole = done > 1 - _ROUNDING
    least[is_whole] = ((1 - CONFIDENCE) / 2) ** (1 / max(total, 1))
    most[is_whole] = 1.0
    return least, most


def _curve(ended: Array, still_open: Array) -> Floats:
    """Return which share has ended by each cell, given how many ended and were cut off in it."""
    gone = ended + still_open
    return _share_done(ended, gone.sum() - np.cumsum(gone) + gone)


def _share_done(ended: Array, lasting: Array) -> Floats:
    return np.asarray(1.0 - np.cumprod(1.0 - ended / np.maximum(lasting, 1)), dtype=np.float64)


def _reached(known: Durations, done: Floats, share: float) -> Between | None:
    """Return the first duration at which a share has ended, None where that was not seen."""
    at = int(np.searchsorted(done, share - _ROUNDING))
    return Between(int(known.low[at]), int(known.high[at])) if at < len(done) else None

"""Account for payments that were still open when the run ended.

Takes histograms of the end-to-end times of completed payments and of the ages of open ones; gives
quantiles in which an open payment counts as taking at least as long as it has been under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.analysis.quantiles import QUANTILES, Cells
from sim.contract.plan import Array
from sim.contract.records import histogram_value
from sim.tables.folding import SummaryFolder
from sim.units import SECOND_US

_RESAMPLES = 400
_ROUNDING = 1e-12
"""What a product of many factors may be off by; a quantile reached exactly counts as reached."""


@dataclass(frozen=True, slots=True)
class Survival:
    """How long the covered payments of one run took, or had lasted when it ended.

    Attributes
    ----------
    buckets : tuple of int
        Cells of :func:`~sim.contract.records.histogram_bucket` in which there are any, ascending.
    ended, still_open : tuple of int
        Completed and open payments in each.
    """

    buckets: tuple[int, ...]
    ended: tuple[int, ...]
    still_open: tuple[int, ...]

    @classmethod
    def of(cls, folder: SummaryFolder, cells: Cells) -> Survival:
        """Return what a run saw of the cells covered."""
        chosen = list(cells)
        ended = folder.end_to_end[chosen].sum(axis=0)
        still_open = folder.open_age[chosen].sum(axis=0)
        buckets = np.flatnonzero(ended + still_open)
        parts = (buckets, ended[buckets], still_open[buckets])
        return cls(*(tuple(int(number) for number in part) for part in parts))


def pooled_quantiles(runs: Sequence[Survival]) -> dict[float, tuple[float | None, ...]]:
    """Return the quantiles of all runs together, with 95 % intervals.

    Parameters
    ----------
    runs : sequence of Survival
        Replications of one scenario, two or more.

    Returns
    -------
    dict of float to (value, low, high)
        By share, in seconds.

    Notes
    -----
    Kaplan and Meier over the payments of all runs: a quantile that one run could not see to the end
    of may well be seen by all. Intervals are percentiles of a bootstrap over runs (Efron 1979), not
    over payments, which queue together; an end that lies beyond what was seen is None.
    """
    buckets = sorted({bucket for run in runs for bucket in run.buckets})
    place = {bucket: at for at, bucket in enumerate(buckets)}
    counts = np.zeros((2, len(runs), len(buckets)), dtype=np.int64)
    for number, run in enumerate(runs):
        at = [place[bucket] for bucket in run.buckets]
        counts[:, number, at] = run.ended, run.still_open
    weights = np.random.default_rng(len(runs)).multinomial(
        len(runs), np.full(len(runs), 1 / len(runs)), size=_RESAMPLES
    )
    ended = np.concatenate([counts[0].sum(axis=0)[None], weights @ counts[0]])
    still_open = np.concatenate([counts[1].sum(axis=0)[None], weights @ counts[1]])
    found = {}
    for share in QUANTILES.values():
        places = [_reached(*row, share) for row in zip(ended, still_open, strict=True)]
        seconds = [
            np.inf if at is None else histogram_value(buckets[at]) / SECOND_US for at in places
        ]
        low, high = np.quantile(seconds[1:], [0.025, 0.975], method="closest_observation")
        ends = (seconds[0], low, high)
        found[share] = tuple(float(end) if np.isfinite(end) else None for end in ends)
    return found


def kaplan_meier(completed: Array, still_open: Array) -> dict[str, int | None]:
    """Return quantiles of a duration of which some were cut off.

    Parameters
    ----------
    completed : ndarray of int64, shape (HISTOGRAM_LENGTH,)
        Histogram of durations seen to their end.
    still_open : ndarray of int64, shape (HISTOGRAM_LENGTH,)
        Histogram of how long the others had lasted when they were cut off.

    Returns
    -------
    dict of str to (int or None)
        By name as in :data:`~sim.analysis.quantiles.QUANTILES`, within 0.4 %; None for one that
        lies beyond what was seen.

    Notes
    -----
    Kaplan and Meier (1958): the share still lasting after a duration is the product of
    ``1 - d / n`` over all durations up to it, ``d`` of the ``n`` that lasted so long having ended
    there; what is cut off in a bucket counts as having outlasted its ends. It assumes that those
    cut off are like those seen so far, as when load does not change; in a queue that grows the
    later ones are slower still. Payments rejected or returned do not enter, as they do not enter
    the other quantiles.
    """
    found: dict[str, int | None] = {}
    for name, share in QUANTILES.items():
        at = _reached(completed, still_open, share)
        found[name] = None if at is None else histogram_value(at)
    return found


def _reached(ended: Array, still_open: Array, share: float) -> int | None:
    """Return the first place at which a share has ended, None where that was not seen."""
    gone = ended + still_open
    lasting = gone.sum() - np.concatenate([[0], np.cumsum(gone)[:-1]])
    done = 1.0 - np.cumprod(1.0 - ended / np.maximum(lasting, 1))
    reached = np.flatnonzero((done >= share - _ROUNDING) & (lasting > 0))
    return int(reached[0]) if len(reached) else None

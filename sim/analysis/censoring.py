"""Account for payments that were still open when the run ended.

Takes histograms of the end-to-end times of completed payments and of the ages of open ones; gives
quantiles in which an open payment counts as taking at least as long as it has been under way.
"""

from __future__ import annotations

import numpy as np

from sim.analysis.quantiles import QUANTILES, Cells
from sim.analysis.summary import Measure
from sim.contract.plan import Array
from sim.contract.spec import histogram_value
from sim.tables.folding import SummaryFolder, Tally
from sim.units import SECOND_US

_ROUNDING = 1e-12
"""What a product of many factors may be off by; a quantile reached exactly counts as reached."""


def censoring_measures(folder: SummaryFolder, cells: Cells) -> dict[str, Measure]:
    """Return how much was still open at the horizon, and quantiles that allow for it.

    Parameters
    ----------
    folder : SummaryFolder
        The folded run.
    cells : tuple of int
        Rows of the folder that are covered.
    """
    chosen = list(cells)
    submitted = int(folder.tally[chosen, Tally.SUBMITTED].sum())
    still_open = int(folder.tally[chosen, Tally.IN_PROGRESS].sum())
    share = None if submitted == 0 else still_open / submitted
    found = {"open_share": Measure(share, "share")}
    quantiles = kaplan_meier(
        folder.end_to_end[chosen].sum(axis=0), folder.open_age[chosen].sum(axis=0)
    )
    for name, value in quantiles.items():
        seconds = None if value is None else value / SECOND_US
        found[f"end_to_end_{name}_kaplan_meier"] = Measure(seconds, "s")
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
    gone = completed + still_open
    lasting = gone.sum() - np.concatenate([[0], np.cumsum(gone)[:-1]])
    factors = 1.0 - completed / np.maximum(lasting, 1)
    ended = 1.0 - np.cumprod(factors)
    found: dict[str, int | None] = {}
    for name, share in QUANTILES.items():
        reached = np.flatnonzero((ended >= share - _ROUNDING) & (lasting > 0))
        found[name] = histogram_value(int(reached[0])) if len(reached) else None
    return found

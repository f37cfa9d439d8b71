"""Say which institutions are nearest to being full, as far as chance lets anyone tell.

Takes what institutions carried in the runs of one load; gives those none of which can be told from
the fullest.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from scipy import stats

from sim.study.stress.participants import Participant, mean_participants

_CONFIDENCE = 0.95
_SERVICE_SPREAD = 2.0
"""Of one run nothing is known of chance but that counts are Poisson's and times, say, exponential:
then the squares of the times are on average twice the squared mean."""


def find_fullest(
    runs: Sequence[tuple[Participant, ...]], window_s: float
) -> tuple[Participant, ...]:
    """Return the institutions that may be the one nearest to being full, that one first.

    Parameters
    ----------
    runs : sequence of tuples of Participant
        One per run of the same load.
    window_s : float
        Seconds each was measured.

    Returns
    -------
    tuple of Participant
        Means over runs; empty where nothing is used enough to say when it would be full.

    Notes
    -----
    The use of a station is a sum over the payments that came to it: the more came, the smaller its
    relative variance. Relative variance times rate is therefore taken to be one number for all of
    them, pooled over institutions and runs. An institution differs from the fullest when the
    difference of their means exceeds what Student's t allows with that variance, at 95 % for all
    pairs together (Bonferroni): which one is the fullest was itself picked by chance, so any pair
    may be the one compared. What two share in the random numbers of a run is left out of account,
    which errs on the side of telling nobody apart.
    """
    means = [one for one in mean_participants(runs) if one.full_at is not None]
    if not means:
        return ()
    spread, freedom = _spread(runs, means)
    if freedom == 0:
        spread = _SERVICE_SPREAD / window_s
    first, *others = means
    pairs = max(1, len(means) * len(others) // 2)
    level = 1 - (1 - _CONFIDENCE) / (2 * pairs)
    allowed = float(stats.t.ppf(level, freedom) if freedom else stats.norm.ppf(level))
    found = [first]
    for one in others:
        error = sqrt(spread * (_per_payment(first) + _per_payment(one)) / len(runs))
        if (first.utilisation or 0.0) - (one.utilisation or 0.0) <= allowed * error:
            found.append(one)
    return tuple(found)


def _per_payment(one: Participant) -> float:
    """Return the variance of the use of a station in a run, for a spread of 1."""
    return (one.utilisation or 0.0) ** 2 / one.completed_rate


def _spread(
    runs: Sequence[tuple[Participant, ...]], means: Sequence[Participant]
) -> tuple[float, int]:
    """Return relative variance times rate, pooled, and its degrees of freedom."""
    used: dict[str, list[float]] = {}
    for run in runs:
        for one in run:
            if one.utilisation is not None:
                used.setdefault(one.name, []).append(one.utilisation)
    squares, freedom = 0.0, 0
    for mean in means:
        values = used[mean.name]
        middle = sum(values) / len(values)
        squares += sum((value - middle) ** 2 for value in values) / _per_payment(mean)
        freedom += len(values) - 1
    return (squares / freedom if freedom else 0.0), freedom

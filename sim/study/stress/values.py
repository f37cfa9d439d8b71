"""Where a value of a field lies that decides whether objectives hold.

Takes which values held in a replication, or the brackets of many; gives the bracket, or the mean
with its interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sim.analysis.intervals import mean_interval
from sim.study.stress.search import Bracket


def value_bracket(
    held: Mapping[Decimal, bool], *, is_smallest: bool
) -> tuple[Decimal | None, Decimal | None]:
    """Return the values between which that of one replication lies.

    Parameters
    ----------
    held : mapping of Decimal to bool
        Whether each value holds, ascending.
    is_smallest : bool
        Of a smallest value: the highest that fails, and the lowest that holds above it. Else the
        highest that holds below the lowest that fails, and that one.
    """
    failed = [value for value, holds in held.items() if not holds]
    if is_smallest:
        low = max(failed, default=None)
        above = [value for value in held if low is None or value > low]
        return low, min(above, default=None)
    high = min(failed, default=None)
    below = [value for value in held if high is None or value < high]
    return max(below, default=None), high


def combine_values(
    brackets: Sequence[Bracket], *, is_smallest: bool
) -> tuple[float | None, float | None, float | None]:
    """Return the mean value and its interval from what replications found.

    Parameters
    ----------
    brackets : sequence of Bracket
        At least one.
    is_smallest : bool

    Notes
    -----
    As of loads (:func:`~sim.study.stress.search.combine`): the lower end of Student's t interval of
    the lower ends, and the upper one of that of the upper ends. Where a smallest value holds down
    to the least there is, that is both its ends; where any replication found no value, or a largest
    one without bound, nothing is known.
    """
    lows, highs = [one.low for one in brackets], [one.high for one in brackets]
    if is_smallest:
        lows = [high if low is None else low for low, high in zip(lows, highs, strict=True)]
    below = [low for low in lows if low is not None]
    above = [high for high in highs if high is not None]
    if len(below) < len(lows) or len(above) < len(highs):
        return None, None, None
    value = mean_interval([(low + high) / 2 for low, high in zip(below, above, strict=True)]).value
    if len(below) == 1:
        return value, below[0], above[0]
    return value, max(0.0, mean_interval(below).low), mean_interval(above).high

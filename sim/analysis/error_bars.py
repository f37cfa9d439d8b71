"""Write a number with its error bar, every digit that is known and none that is not.

Takes an interval; gives text. Nothing heavy is imported: whatever prints a figure needs this.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.analysis.kinds import SHARE
from sim.units import read_minor_unit

if TYPE_CHECKING:
    from sim.analysis.intervals import Interval

POINTS = "percentage points"
"""Unit of differences of shares; tables write ``pp``."""


def with_error(interval: Interval, unit: str) -> tuple[str, str]:
    """Write the size of a difference with its half-width, rounded to what is known.

    Returns
    -------
    tuple of str and str
        As in ``("4.1 ± 0.3", "bps")``; shares become percentage points, minor units
        whole ones.
    """
    factor, shown = (100.0, POINTS) if unit == SHARE.unit else (1.0, unit)
    if (money := read_minor_unit(unit)) is not None:
        # As everywhere else, in what people pay with.
        factor, shown = 10.0 ** -money[1], money[0]
    value, half = abs(interval.value) * factor, interval.half_width * factor
    if not math.isfinite(half):
        return f"{value:.4g}", shown
    places = decimals_known(half)
    if places is None:
        return f"{value:.6g} ± 0", shown
    digits = max(places, 0)
    return f"{round(value, places):.{digits}f} ± {round(half, places):.{digits}f}", shown


def decimals_known(half_width: float) -> int | None:
    """Return the decimal places an error bar leaves, below 0 of tens and hundreds; None of none.

    Notes
    -----
    One digit of the half-width, two where it starts with 1, as error bars are read.
    """
    if half_width == 0:
        return None
    exponent = math.floor(math.log10(half_width))
    return -exponent + (1 if half_width / 10**exponent < 2 else 0)

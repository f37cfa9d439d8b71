"""Say in words what a comparison found.

Takes a measure's key, its unit and the difference with its interval; gives part of a sentence, as
in ``costs 4.1 ± 0.3 bps more``.
"""

from __future__ import annotations

import math

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.intervals import Interval
from sim.analysis.kinds import SHARE
from sim.study.measure_key import name_of

SIGNIFICANCE = 0.05
"""Family-wise, after Holm's correction."""


def difference_words(key: str, unit: str, interval: Interval) -> str:
    """Say a difference that was shown.

    Parameters
    ----------
    key : str
        The measure.
    unit : str
        Its unit.
    interval : Interval
        Of the difference to the arm compared with.
    """
    size, unit = with_error(interval, unit)
    return CATALOGUE[name_of(key)].difference_words(
        key, f"{size} {unit}", is_more=interval.value > 0
    )


def with_error(interval: Interval, unit: str) -> tuple[str, str]:
    """Write the size of a difference with its half-width, rounded to what is known.

    Returns
    -------
    tuple of str and str
        As in ``("4.1 ± 0.3", "bps")``; shares become percentage points.
    """
    factor, shown = (100.0, "percentage points") if unit == SHARE.unit else (1.0, unit)
    value, half = abs(interval.value) * factor, interval.half_width * factor
    if not math.isfinite(half):
        return f"{value:.4g}", shown
    if half == 0:
        return f"{value:.6g} ± 0", shown
    # One digit of the half-width, two where it starts with 1, as error bars are read.
    exponent = math.floor(math.log10(half))
    places = -exponent + (1 if half / 10**exponent < 2 else 0)
    if places <= 0:
        return f"{round(value, places):.0f} ± {round(half, places):.0f}", shown
    return f"{value:.{places}f} ± {half:.{places}f}", shown

"""Say in words what a comparison found.

Takes a measure's key, its unit and the difference with its interval; gives part of a sentence, as
in ``costs 4.1 ± 0.3 bps more``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.analysis.intervals import Interval

SIGNIFICANCE = 0.05
"""Family-wise, after Holm's correction."""

POINTS = "percentage points"
"""Unit of differences of shares; tables write ``pp``."""
_COSTS = {"payer_cost_bps": "the payer", "merchant_cost_bps": "the merchant"}


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
    measure = key.rpartition("/")[2]
    size, unit = with_error(interval, unit)
    up = interval.value > 0
    if measure in _COSTS:
        return f"costs {_COSTS[measure]} {size} {unit} {'more' if up else 'less'}"
    if unit == "s":
        what = f"({key})"
        return f"takes {size} s longer {what}" if up else f"saves {size} s {what}"
    if measure == "success_rate":
        return f"succeeds {size} {unit} {'more' if up else 'less'} often"
    return f"has {size} {unit} {'more' if up else 'less'} {key}"


def with_error(interval: Interval, unit: str) -> tuple[str, str]:
    """Write the size of a difference with its half-width, rounded to what is known.

    Returns
    -------
    tuple of str and str
        As in ``("4.1 ± 0.3", "bps")``; shares become percentage points.
    """
    factor, shown = (100.0, POINTS) if unit == "share" else (1.0, unit)
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

"""Say in words what a comparison found.

Takes a measure's key, its unit and the difference with its interval; gives part of a sentence, as
in ``costs 4.1 ± 0.3 bps more``.
"""

from __future__ import annotations

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.error_bars import with_error
from sim.analysis.intervals import Interval
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

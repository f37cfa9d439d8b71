"""What kinds of measures there are, and what follows from the kind alone.

Takes nothing of ours; gives :class:`Kind`, which says the unit, whether nothing counts as 0 and how
a difference is told, and the units in which bounds of measures may be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Pooling(StrEnum):
    """How replications become one figure."""

    MEAN = "mean"
    """The mean over those that have a value, with Student's t."""
    SHARE = "share"
    """Likewise, kept within 0 and 1; where all are 0 or all are 1, the interval of Clopper and
    Pearson over the payments of all of them, because a spread of 0 says nothing."""
    KAPLAN_MEIER = "kaplan_meier"
    """The estimate of Kaplan and Meier over the payments of all of them; a mean of those that could
    see so far would be too low."""


class Better(StrEnum):
    """Which way a measure improves."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of measure.

    Attributes
    ----------
    unit : str
        As summaries name it; ``minor`` is followed by the letters of a currency.
    is_zero_of_nothing : bool
        Whether a run in which nothing of a name happened has 0 of it; else that is unknown.
    is_controlled : bool
        Whether it depends on how many payments come, so that their known number can correct it
        (control variates). Chosen beforehand: picking the measures in which the control happened to
        help would make their intervals too narrow.
    more, less : str
        How a positive and a negative difference are told, with ``{size}`` and ``{key}``.
    """

    unit: str
    is_zero_of_nothing: bool = False
    is_controlled: bool = False
    more: str = "has {size} more {key}"
    less: str = "has {size} less {key}"


COUNT = Kind("payments", is_zero_of_nothing=True, is_controlled=True)
LOADED = Kind("payments", is_zero_of_nothing=True)
"""Of load, whose number depends on no payment's."""
RATE = Kind("payments/s", is_zero_of_nothing=True, is_controlled=True)
TIME = Kind(
    "s", is_controlled=True, more="takes {size} longer ({key})", less="saves {size} ({key})"
)
QUOTES = Kind("quotes", is_zero_of_nothing=True)
BLOCKS = Kind("blocks", is_zero_of_nothing=True)
ROUNDS = Kind("rounds", is_zero_of_nothing=True)
TIMES = Kind("times", is_zero_of_nothing=True)
SERVERS = Kind("servers")
SHARE = Kind("share")
PART = Kind("share", is_zero_of_nothing=True)
"""Share of a whole that is there in any case: of a part that never came up it is 0."""
COST = Kind("bps")
AMOUNT = Kind("minor")

WRITTEN_UNITS = {
    "%": (SHARE.unit, Fraction(1, 100)),
    "ms": (TIME.unit, Fraction(1, 1000)),
    "s": (TIME.unit, Fraction(1)),
    "min": (TIME.unit, Fraction(60)),
    "h": (TIME.unit, Fraction(3600)),
    "bps": (COST.unit, Fraction(1)),
}
"""Units bounds and widths may be written in: the measure's unit, and how much of it one is."""

BOUND = rf"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>{'|'.join(WRITTEN_UNITS)})?\s*"
"""A number with its unit in an objective or a precision."""


def read_bound(number: str, unit: str | None) -> tuple[float, str | None]:
    """Return what matched :data:`BOUND` in the measure's unit, and that unit if one was written."""
    of, factor = WRITTEN_UNITS[unit] if unit is not None else (None, Fraction(1))
    return float(Fraction(number) * factor), of

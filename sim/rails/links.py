"""Connections of a rail that have a start date.

Takes nothing; gives the class rails answer with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Link:
    """A connection with the day it went live.

    Attributes
    ----------
    use : str
        As in :class:`Leg`.
    is_hypothetical : bool
        Not live at the scenario's start; explain and the report say so.
    """

    use: str
    live_from: date
    is_hypothetical: bool

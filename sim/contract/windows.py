"""Windows of time: parts of a run that measures look at for themselves.

Takes nothing; gives the columns of ``Plan.window``, and when places are read.

A window is a set of spans, each from an instant (included) to another (not included). A payment
belongs to every window in one of whose spans it was submitted, whatever becomes of it later; rates
of completion alone count what was completed within the spans. What lies before the warm-up or
beyond the horizon is no part of a window.

**Readings.** What places did in a window is known as what of meters is: they are read at its ends.
Every instant below the horizon at which a span begins or ends is a reading, numbered from 0 in
order of time, once for all that share it (:func:`reading_instants`); a row of the agenda (kind
READING, SUBJECT = its number) stands for each, before all others of its instant. The event closes
every area up to now, as the horizon does, and keeps a copy of all totals of stations, ledgers and
accounts as they then are (POSTED_END and PENDING_END: of now); then READING row (subject = its
number). It also begins maxima and minima anew (QUEUE_MAX and LOW): from a reading on they are of
the level that stands, where it lasts beyond that instant, and of those to come. A LOW that nothing
was seen of is 0 in a copy. One more copy, behind all others, is taken at the horizon, where nothing
happens. The totals of a run are of all of it nevertheless: their maxima are those over all
readings.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from sim.contract.table import Array, Between, Table, Within


class WindowColumn(IntEnum):
    """Columns of ``Plan.window``: a span each; those of one window do not overlap."""

    WINDOW = 0
    """Number in ``PlanNames.windows``."""
    FROM_US = 1
    TO_US = 2
    """Exclusive."""


def reading_instants(window: Array, horizon_us: int) -> Array:
    """Return the instants at which places are read, in order of time, from rows of windows."""
    ends = np.unique(window[:, [WindowColumn.FROM_US, WindowColumn.TO_US]])
    found: Array = ends[ends < horizon_us]
    return found


WINDOWS = Table(
    "window spans",
    WindowColumn,
    {
        WindowColumn.WINDOW: Within("windows"),
        WindowColumn.FROM_US: Between(0),
        WindowColumn.TO_US: Between(1),
    },
)
"""The table of the plan that these are columns of."""

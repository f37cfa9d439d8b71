"""Windows of time: parts of a run that measures look at for themselves.

Takes nothing; gives the columns of ``Plan.window``. Engines take no notice of windows.

A window is a set of spans, each from an instant (included) to another (not included). A payment
belongs to every window in one of whose spans it was submitted, whatever becomes of it later; rates
of completion alone count what was completed within the spans. What lies before the warm-up or
beyond the horizon is no part of a window.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.table import Between, Table, Within


class WindowColumn(IntEnum):
    """Columns of ``Plan.window``: a span each; those of one window do not overlap."""

    WINDOW = 0
    """Number in ``PlanNames.windows``."""
    FROM_US = 1
    TO_US = 2
    """Exclusive."""


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

"""Rows of a plan that follow from the clock alone: the spans of windows.

Takes names and spans; adds their rows to the builder it is a part of.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.compiler.table_rows import TableRows


class WindowRows(TableRows):
    """The part of a plan builder that adds windows."""

    def reconcile(self, at_us: int) -> None:
        """Let books be compared at an instant; in order of time."""
        self._add("reconciliation", {"at_us": at_us})

    def add_window(self, name: str, spans: Iterable[tuple[int, int]]) -> int:
        """Add a window of spans that do not overlap, in microseconds, and return its index."""
        index = self.windows.add_new(name)
        for from_us, to_us in spans:
            self._add("window", {"window": index, "from_us": from_us, "to_us": to_us})
        return index

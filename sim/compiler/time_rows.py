"""Rows of a plan that follow from the clock alone: the spans of windows.

Takes names and spans; adds their rows to the builder it is a part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sim.compiler.rows import Names


class WindowRows:
    """The part of a plan builder that adds windows."""

    windows: Names

    def _add(self, table: str, values: Mapping[str, int]) -> int:
        raise NotImplementedError

    def add_window(self, name: str, spans: Iterable[tuple[int, int]]) -> int:
        """Add a window of spans that do not overlap, in microseconds, and return its index."""
        index = self.windows.add_new(name)
        for from_us, to_us in spans:
            self._add("window", {"window": index, "from_us": from_us, "to_us": to_us})
        return index

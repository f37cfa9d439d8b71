"""Rows of a plan that follow from the clock alone: the spans of windows.

Takes names and spans; adds their rows to the builder it is a part of.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sim.compiler.rows import row_of
from sim.compiler.table_rows import TableRows
from sim.contract.agenda import AgendaKind
from sim.contract.layout import AgendaColumn
from sim.contract.windows import WindowColumn, reading_instants


class WindowRows(TableRows):
    """The part of a plan builder that adds windows."""

    def reconcile(self, at_us: int) -> None:
        """Let books be compared at an instant; in order of time."""
        self._add("reconciliation", {"at_us": at_us})

    def _readings(self) -> list[list[int]]:
        """Return the rows of the agenda by which places are read where windows begin and end."""
        window = np.array(self._rows["window"], dtype=np.int64).reshape(-1, len(WindowColumn))
        instants = reading_instants(window, self._scalars["horizon_us"])
        return [
            row_of(
                AgendaColumn,
                {"time_us": at_us, "kind": AgendaKind.READING, "subject": number, "amount": -1},
            )
            for number, at_us in enumerate(instants.tolist())
        ]

    def add_window(self, name: str, spans: Iterable[tuple[int, int]]) -> int:
        """Add a window of spans that do not overlap, in microseconds, and return its index."""
        index = self.windows.add_new(name)
        for from_us, to_us in spans:
            self._add("window", {"window": index, "from_us": from_us, "to_us": to_us})
        return index

"""Rows of a plan that say how much load joins each ledger by when.

Takes counts by ledger; adds them to the builder it is a part of.
"""

from __future__ import annotations

import numpy as np

from sim.compiler.rows import Rows
from sim.compiler.table_rows import TableRows
from sim.contract.plan import Array


class LoadRows(TableRows):
    """The part of a plan builder that knows of load."""

    def add_load(self, ledger: int, cell_us: int, joined: Array) -> None:
        """Add the load of a ledger; see :mod:`sim.contract.loads`.

        Parameters
        ----------
        ledger : int
        cell_us : int
            Length of a cell in microseconds.
        joined : ndarray of int64
            How many have joined before the begin of each cell, and before the end of the last.
        """
        self._loads[ledger] = (cell_us, np.ascontiguousarray(joined, dtype=np.int64))

    def _load_rows(self) -> Rows:
        """Return a row for every ledger."""
        rows: Rows = []
        first = 0
        for ledger in range(len(self.ledgers)):
            cell_us, joined = self._loads.get(ledger, (1, np.zeros(0, dtype=np.int64)))
            rows.append([cell_us, first, len(joined)])
            first += len(joined)
        return rows

    def _load_counts(self) -> Array:
        """Return the counts of all ledgers, one after the other."""
        found = [self._loads[ledger][1] for ledger in sorted(self._loads)]
        counts: Array = np.concatenate([np.zeros(0, dtype=np.int64), *found])
        return counts

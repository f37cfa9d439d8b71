"""Load of a ledger of the reference engine: how much has joined, what of it a block takes.

Takes a row of ``Plan.load`` and its counts; gives numbers of payments. See
:mod:`sim.contract.loads`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.contract.loads import LoadColumn
from sim.contract.plan import Array


class Load:
    """The load of one ledger, and how much of it blocks have taken."""

    def __init__(self, row: Sequence[int], counts: Array, warm_up_us: int) -> None:
        first, count = row[LoadColumn.FIRST], row[LoadColumn.COUNT]
        self.cell_us = row[LoadColumn.CELL_US]
        # A view: three weeks have millions of counts.
        self.counts = counts[first : first + count]
        self.warm_up_us = warm_up_us
        self.taken = 0
        self.carried = 0
        self.most = 0
        self.left = 0

    def __bool__(self) -> bool:
        return len(self.counts) > 0

    def joined(self, now_us: int) -> int:
        """Return how many have joined by an instant."""
        if not self:
            return 0
        cell = now_us // self.cell_us
        before, after = int(self.counts[cell]), int(self.counts[cell + 1])
        # Spread evenly over the cell: the i-th of n joins after (i - 1/2) / n of it.
        doubled = 2 * (after - before) * (now_us - cell * self.cell_us) + self.cell_us
        return before + doubled // (2 * self.cell_us)

    def waiting(self, now_us: int) -> int:
        """Return how many have joined and are in no block."""
        return self.joined(now_us) - self.taken

    def look(self, now_us: int) -> int:
        """Count what waits at the start of a round or at the horizon, and return it."""
        self.left = self.waiting(now_us)
        if now_us >= self.warm_up_us:
            self.most = max(self.most, self.left)
        return self.left

    def totals(self) -> list[int]:
        """Return the last columns of ``LedgerTotal``."""
        return [self.carried, self.most, self.left]

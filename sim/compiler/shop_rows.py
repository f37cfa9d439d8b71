"""Rows of a plan for shops: what they have, and when they ask about many orders at once.

Takes columns by keyword; adds them to the builder it is a part of.
"""

from __future__ import annotations

from sim.compiler.table_rows import TableRows
from sim.contract.agenda import AgendaKind


class ShopRows(TableRows):
    """The part of a plan builder that adds shops."""

    def add_shop(self, name: str, *, every_us: int = 0, **values: int) -> int:
        """Add a shop and return its index.

        Parameters
        ----------
        name : str
        every_us : int
            Time between two rounds of calls, the first one behind the start; 0: none.
        **values : int
            Columns of :class:`~sim.contract.shops.ShopColumn` by lower-case name.
        """
        index = self.shops.add_new(name)
        self._add("shop", values)
        if every_us:
            for time_us in range(every_us, self._scalars["horizon_us"], every_us):
                self._schedule(time_us, AgendaKind.SHOP_ASKS, index)
        return index

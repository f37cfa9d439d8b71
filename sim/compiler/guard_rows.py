"""Rows of a plan that say what is watched of accounts: pools, alarms, stop-loss, rates.

Takes columns by keyword; sets them in the builder it is a part of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sim.compiler.table_rows import TableRows
from sim.contract.guards import GuardColumn
from sim.contract.layout import NULL
from sim.contract.meaning import Op
from sim.rails.stages import Place, Program

_OF_ACCOUNT = 2
"""Kind of a view, see :class:`~sim.contract.layout.RouteViewColumn`."""


class GuardRows(TableRows):
    """The part of a plan builder that knows what is watched of accounts."""

    def guard(self, account: int, values: Sequence[tuple[str, int]]) -> None:
        """Say what is watched of an account: columns of its guard by lower-case name."""
        for column, value in values:
            self._rows["guard"][account][GuardColumn[column.upper()]] = value

    def watched(
        self, program: Program, account: Callable[[Place], int]
    ) -> list[tuple[int, int, int]]:
        """Return views of the accounts a program reserves on that a router has to look at.

        Those whose channels close when they run low, and those it is to spare.

        Parameters
        ----------
        program : Program
        account : callable
            Gives the number of a place, below 0 for a role reference.
        """
        found: dict[int, int] = {}
        for stage in program:
            if stage.op is not Op.RESERVE:
                continue
            for move in stage.moves:
                number = account(move.debit)
                # Who is named by role is a bank of the payment's own, no agent between.
                if number >= 0:
                    found.setdefault(number, int(move.register))
        guards = self._rows["guard"]
        return [
            (_OF_ACCOUNT, at, register)
            for at, register in sorted(found.items())
            if guards[at][GuardColumn.STOP_BELOW] != NULL or guards[at][GuardColumn.RESERVE] > 0
        ]

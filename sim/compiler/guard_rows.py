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


class GuardRows(TableRows):
    """The part of a plan builder that knows what is watched of accounts."""

    def guard(self, account: int, values: Sequence[tuple[str, int]]) -> None:
        """Say what is watched of an account: columns of its guard by lower-case name."""
        for column, value in values:
            self._rows["guard"][account][GuardColumn[column.upper()]] = value

    def stopping(self, program: Program, account: Callable[[Place], int]) -> list[int]:
        """Return the accounts a program reserves on whose channels close when they run low.

        Parameters
        ----------
        program : Program
        account : callable
            Gives the number of a place, below 0 for a role reference.
        """
        reserving = (stage for stage in program if stage.op is Op.RESERVE)
        debited = (move.debit for stage in reserving for move in stage.moves)
        # Who is named by role is a bank of the payment's own, no agent between.
        drawn = {number for number in map(account, debited) if number >= 0}
        guards = self._rows["guard"]
        return sorted(at for at in drawn if guards[at][GuardColumn.STOP_BELOW] != NULL)

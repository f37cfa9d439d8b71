"""Fold settled payments into what institutions owe each other.

Takes chunks of payment records; gives gross and net obligations and the peak exposure per agent
and settlement currency, as a net settlement arrangement over the whole window would see them.
"""

from __future__ import annotations

import numpy as np

from sim.contract.layout import NULL, PricingColumn, StreamColumn
from sim.contract.meaning import Scope
from sim.contract.plan import Array, Plan
from sim.contract.records import RecordColumn
from sim.tables.bounds import check_sum
from sim.tables.payment_rows import pricing_column, record_pricing, stream_pricing

C = RecordColumn


class PositionFolder:
    """The running net position of every agent in every settlement currency.

    Only cross-border payments count where the plan has any, else all, as for all measures.

    Parameters
    ----------
    plan : Plan
        The plan of the run.

    Attributes
    ----------
    gross : ndarray of int64, shape (currencies,)
        Sum of settled amounts between different agents, in minor units.
    position : ndarray of int64, shape (agents, currencies)
        Received less paid.
    lowest : ndarray of int64, shape (agents, currencies)
        Lowest position reached, payments taken in the order they ended.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._unrouted = stream_pricing(plan)
        scope = plan.stream[:, StreamColumn.SCOPE]
        # Domestic background would drown what crosses the border, and is settled elsewhere.
        cross = scope == Scope.CROSS_BORDER
        self._counts = cross if cross.any() else np.ones(len(scope), dtype=np.bool_)
        agents, currencies = len(plan.agent_account), max(len(plan.names.currencies), 1)
        self.gross = np.zeros(currencies, dtype=np.int64)
        self._sum = 0.0
        self.position = np.zeros((agents, currencies), dtype=np.int64)
        self.lowest = np.zeros((agents, currencies), dtype=np.int64)

    def take(self, rows: Array) -> None:
        """Fold a chunk of records."""
        debtor, creditor = rows[:, C.DEBTOR_AGENT], rows[:, C.CREDITOR_AGENT]
        picked = self._counts[rows[:, C.STREAM]] & (rows[:, C.SETTLED_US] != NULL)
        picked &= (rows[:, C.SETTLEMENT] > 0) & (debtor >= 0) & (creditor >= 0)
        # Within one institution nobody owes anybody.
        picked &= debtor != creditor
        at = np.flatnonzero(picked)
        pricing = record_pricing(self._plan, rows[at], self._unrouted)
        at, pricing = at[pricing >= 0], pricing[pricing >= 0]
        if len(at) == 0:
            return
        currency = pricing_column(self._plan, pricing, PricingColumn.CURRENCY_SETTLEMENT)
        amount = rows[at, C.SETTLEMENT]
        # Over all currencies, so no position of any agent is larger.
        self._sum += float(amount.sum(dtype=np.float64))
        check_sum(self._sum)
        np.add.at(self.gross, currency, amount)
        width = self.position.shape[1]
        # Alternate debit and credit of each payment, so that order within an agent is kept.
        cell = np.stack([debtor[at] * width + currency, creditor[at] * width + currency], axis=1)
        change = np.stack([-amount, amount], axis=1)
        self._run(cell.ravel(), change.ravel())

    def _run(self, cell: Array, change: Array) -> None:
        """Apply changes in order and remember the lowest position of each cell."""
        # Cell by cell and in order of time within each: the lowest point of a path depends on
        # the order.
        order = np.argsort(cell, kind="stable")
        cell, change = cell[order], change[order]
        first = np.flatnonzero(np.diff(cell, prepend=-1))
        running = np.cumsum(change)
        # One running sum over all cells; what stood before a cell's first change is taken off
        # again.
        before = running[first] - change[first]
        length = np.diff(first, append=len(cell))
        flat, lowest = self.position.reshape(-1), self.lowest.reshape(-1)
        start = flat[cell[first]]
        path = running + np.repeat(start - before, length)
        touched = cell[first]
        lowest[touched] = np.minimum(lowest[touched], np.minimum.reduceat(path, first))
        flat[touched] = path[first + length - 1]

"""Fold completed payments into what the obligors of each scheme owe each other.

Takes chunks of payment records; gives gross and net obligations and the peak exposure per scheme,
obligor and currency, as a net settlement arrangement over the whole window would see them.
"""

from __future__ import annotations

import numpy as np

from sim.contract.layout import ObligationColumn, PricingColumn, RouteColumn, StreamColumn
from sim.contract.meaning import Outcome, Scope
from sim.contract.plan import Array, Plan
from sim.contract.records import RecordColumn
from sim.tables.bounds import check_sum

C = RecordColumn


class PositionFolder:
    """The running net position of every obligor within each scheme and currency.

    Only what stands counts: a payment that is still open, or came back, leaves nothing owing, and
    what an institution owes itself nobody owes. Of the plan's payments only those that cross a
    border count where there are any, else all, as for all measures.

    Parameters
    ----------
    plan : Plan
        The plan of the run.

    Attributes
    ----------
    counts : ndarray of bool, shape (streams,)
        Whose payments count.
    gross : ndarray of int64, shape (rails, currencies)
        Sum of obligations within each scheme, in minor units.
    position : ndarray of int64, shape (rails, agents, currencies)
        Owed to an agent less owed by it.
    lowest : ndarray of int64, shape (rails, agents, currencies)
        Lowest position reached, payments taken in the order they ended.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        scope = plan.stream[:, StreamColumn.SCOPE]
        # Domestic background would drown what crosses the border, and is settled elsewhere.
        cross = scope == Scope.CROSS_BORDER
        self.counts = cross if cross.any() else np.ones(len(scope), dtype=np.bool_)
        names, routes = plan.names, np.arange(len(plan.route) + 1)
        owed = plan.obligation
        between = owed[:, ObligationColumn.DEBTOR] != owed[:, ObligationColumn.CREDITOR]
        self._owed = owed[between]
        # Obligations stand in order of routes: where those of each begin.
        self._first = np.searchsorted(self._owed[:, ObligationColumn.ROUTE], routes)
        shape = len(names.rails), len(plan.agent_account), len(names.currencies)
        self.gross = np.zeros((shape[0], shape[2]), dtype=np.int64)
        self._sum = 0.0
        self.position = np.zeros(shape, dtype=np.int64)
        self.lowest = np.zeros(shape, dtype=np.int64)

    def take(self, rows: Array) -> None:
        """Fold a chunk of records."""
        plan, route = self._plan, rows[:, C.ROUTE]
        stands = self.counts[rows[:, C.STREAM]] & (rows[:, C.OUTCOME] == Outcome.COMPLETED)
        at = np.flatnonzero(stands & (route >= 0) & (rows[:, C.SETTLEMENT] > 0))
        first = self._first[route[at]]
        count = self._first[route[at] + 1] - first
        # A row per obligation: those of a payment one after the other, payments in order.
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        at, owed = np.repeat(at, count), self._owed[np.repeat(first, count) + within]
        if len(at) == 0:
            return
        pricing = plan.pricing[plan.route[route[at], RouteColumn.PRICING]]
        currency = pricing[:, PricingColumn.CURRENCY_SETTLEMENT]
        amount, scheme = rows[at, C.SETTLEMENT], owed[:, ObligationColumn.SCHEME]
        # Over all currencies, so no position of any agent is larger.
        self._sum += float(amount.sum(dtype=np.float64))
        check_sum(self._sum)
        np.add.at(self.gross, (scheme, currency), amount)
        # Alternate debit and credit of each payment, so that order within an agent is kept.
        cell = np.stack(
            [
                np.ravel_multi_index((scheme, owed[:, side], currency), self.position.shape)
                for side in (ObligationColumn.DEBTOR, ObligationColumn.CREDITOR)
            ],
            axis=1,
        )
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

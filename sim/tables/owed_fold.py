"""Fold completed payments into what each clearing file closes, and what it was worth meanwhile.

Takes chunks of payment records; gives sums by file: how many obligations, how much, since when, and
what they were worth in the agent's own currency when they began.
"""

from __future__ import annotations

import numpy as np

from sim.contract.agenda import FileColumn
from sim.contract.layout import ConversionColumn, PricingColumn, RouteColumn
from sim.contract.plan import Array, Plan
from sim.tables.bounds import check_sum
from sim.tables.owed import Owing

_SECOND_US = 1_000_000


class OwedFolder:
    """Sums of the obligations of each clearing file.

    Parameters
    ----------
    plan : Plan
        The plan of the run.

    Attributes
    ----------
    count, amount, since_s : ndarray of int64, shape (files,)
        Obligations in the file's window, their sum in minor units, and the sum of the instants they
        began at, in whole seconds.
    came : ndarray of int64, shape (files,)
        Sum of what came to the line since the file before was dealt with, until this one is.
    worth : ndarray of float64, shape (files,)
        Sum of the amounts at the mid rates of those instants, in the agent's own currency; 0 where
        it holds the same.
    conversion : ndarray of int64, shape (lines,)
        Row of ``Plan.conversion`` by which an agent turns what it is owed into its own currency, -1
        where it need not.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._owing = plan, Owing(plan)
        files = len(plan.file)
        self.count, self.amount, self.since_s, self.came = np.zeros((4, files), dtype=np.int64)
        self.worth = np.zeros(files, dtype=np.float64)
        self.conversion = np.full(len(plan.line), -1, dtype=np.int64)
        self._sum = 0.0
        priced = plan.route[:, RouteColumn.PRICING] >= 0
        for route in np.flatnonzero(priced).tolist():
            pricing = plan.pricing[plan.route[route, RouteColumn.PRICING]]
            second = pricing[PricingColumn.CONVERSION_2]
            # Going out the agent is no creditor, and what it sells it has sold.
            is_creditors = (
                pricing[PricingColumn.PROVIDER_2] == plan.route[route, RouteColumn.SETTLEMENT_AGENT]
            )
            if second >= 0 and is_creditors:
                self.conversion[self._owing.lines_of(route)] = second

    def has_lines(self) -> Array:
        """Return 1 for each route whose payments come to a line, 0 for others, and 0 for none."""
        return self._owing.has_lines()

    def take(self, rows: Array) -> None:
        """Fold a chunk of records."""
        if not len(self.count):
            return
        found = self._owing.of(rows)
        known = found.file >= 0
        file, line = found.file[known], found.line[known]
        amount, since = found.amount[known], found.since_us[known]
        self._sum += float(amount.sum(dtype=np.float64)) + float((since // _SECOND_US).sum())
        check_sum(self._sum)
        np.add.at(self.count, file, 1)
        np.add.at(self.amount, file, amount)
        np.add.at(self.since_s, file, since // _SECOND_US)
        np.add.at(self.worth, file, self.worth_at(line, amount, since))
        for number in np.unique(line).tolist():
            mine = line == number
            files = np.flatnonzero(self._plan.file[:, FileColumn.LINE] == number)
            settled = self._plan.file[files, FileColumn.SETTLED_US]
            # What comes at the instant at which a file is paid comes behind it.
            place = np.searchsorted(settled, since[mine], "right")
            within = place < len(files)
            np.add.at(self.came, files[place[within]], amount[mine][within])

    def worth_at(self, line: Array, amount: Array, time_us: Array) -> np.ndarray:
        """Return amounts of lines at the mid rates of instants, in the agents' own currencies."""
        plan, row = self._plan, self.conversion[line]
        found = np.zeros(len(line), dtype=np.float64)
        chosen = np.flatnonzero(row >= 0)
        if not len(chosen):
            return found
        conversion = plan.conversion[row[chosen]]
        step = np.minimum(time_us[chosen] // plan.fx_step_us, plan.rate.shape[1] - 1)
        pair = conversion[:, ConversionColumn.PAIR]
        rate = plan.rate[pair, step] / plan.pair_scale[pair]
        price = np.where(conversion[:, ConversionColumn.INVERTED] == 0, 1 / rate, rate)
        found[chosen] = amount[chosen] * price
        return found

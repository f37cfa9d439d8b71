"""Which completed payments leave somebody owing on which line, since when, and which file pays it.

Takes the plan and payment records; gives obligations as numbers. Measures are folded from them and
``obligations.parquet`` is written from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.contract.agenda import FileColumn, LineColumn
from sim.contract.layout import (
    ROLE_KINDS_MAX,
    ObligationColumn,
    RouteColumn,
    StageColumn,
    TransferColumn,
)
from sim.contract.meaning import Flag, Op, Outcome
from sim.contract.plan import Array, Plan
from sim.contract.records import RecordColumn

C = RecordColumn


@dataclass(frozen=True, slots=True)
class Obligations:
    """Obligations of some payments, one each.

    Attributes
    ----------
    at : ndarray of int64
        Row of the payment among those given.
    line, file : ndarray of int64
        The line, and the file in whose window it lies.
    owed : ndarray of int64
        Row of ``Plan.obligation``.
    since_us, amount : ndarray of int64
        When the money came to the line, and how much, in its currency.
    """

    at: Array
    line: Array
    file: Array
    owed: Array
    since_us: Array
    amount: Array


class Owing:
    """The lines of a plan's routes.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        routes, agents = len(plan.route), len(plan.agent_account)
        self._line = np.full((routes + 1, agents + 1), -1, dtype=np.int64)
        self._by_payee = np.zeros(routes + 1, dtype=bool)
        self._instant = np.full(routes + 1, C.SETTLED_US, dtype=np.int64)
        self._owed = np.full(routes + 1, -1, dtype=np.int64)
        payments = {int(row[LineColumn.PAYMENTS]): at for at, row in enumerate(plan.line)}
        if payments:
            for route in range(routes):
                self._find(route, payments)
        for row, (route, scheme) in enumerate(
            plan.obligation[:, [ObligationColumn.ROUTE, ObligationColumn.SCHEME]].tolist()
        ):
            lines = self.lines_of(route)
            if lines and plan.line[lines[0], LineColumn.RAIL] == scheme:
                self._owed[route] = row
        self._files = [
            np.flatnonzero(plan.file[:, FileColumn.LINE] == line) for line in range(len(plan.line))
        ]

    def lines_of(self, route: int) -> list[int]:
        """Return the lines on which a route's payments come together: by the payment's bank."""
        found = np.unique(self._line[route])
        return [int(line) for line in found if line >= 0]

    def has_lines(self) -> Array:
        """Return 1 for each route whose payments come to a line, 0 for others, and 0 for none."""
        found: Array = np.any(self._line >= 0, axis=1).astype(np.int64)
        return found

    def _find(self, route: int, payments: dict[int, int]) -> None:
        """Find on which line a route's payments come together, and with which instant."""
        plan = self._plan
        entry = plan.route[route, RouteColumn.ENTRY]
        later = plan.route[plan.route[:, RouteColumn.ENTRY] > entry, RouteColumn.ENTRY]
        end = int(later.min()) if len(later) else len(plan.stage)
        for stage in plan.stage[entry:end]:
            if stage[StageColumn.OP] not in (Op.POST, Op.BATCH):
                continue
            first = stage[StageColumn.FIRST]
            rows = plan.transfer[first : first + stage[StageColumn.COUNT]]
            for credit in rows[:, TransferColumn.CREDIT].tolist():
                if self._put(route, credit, payments):
                    flags = int(stage[StageColumn.FLAGS])
                    if not flags & Flag.SETTLES and flags & Flag.CREDITS:
                        self._instant[route] = C.CREDITED_US
                    # Of several postings on lines the first is the payment's own.
                    return

    def _put(self, route: int, credit: int, payments: dict[int, int]) -> bool:
        """Note the line an account credited by a route belongs to; tell whether there is one."""
        if credit >= 0:
            self._line[route] = payments.get(credit, -1)
            return credit in payments
        # An account of the payment's own bank: each bank may have a line of its own.
        role, kind = divmod(-credit - 2, ROLE_KINDS_MAX)
        own = [payments.get(account, -1) for account in self._plan.agent_account[:, kind].tolist()]
        self._line[route, :-1] = own
        self._by_payee[route] = role == 1
        return max(own, default=-1) >= 0

    def of(self, records: Array) -> Obligations:
        """Return the obligations that records leave: of completed payments over a line."""
        route = records[:, C.ROUTE]
        side = np.where(self._by_payee[route], C.CREDITOR_AGENT, C.DEBTOR_AGENT)
        bank = records[np.arange(len(records)), side]
        # Nobody reads the last entry, which is no line.
        lines = self._line[route, np.where(bank < 0, -1, bank)]
        stands = (records[:, C.OUTCOME] == Outcome.COMPLETED) & (lines >= 0)
        at = np.flatnonzero(stands & (records[:, C.SETTLEMENT] > 0))
        route, line = route[at], lines[at]
        since = records[at, self._instant[route]]
        file = np.full(len(at), -1, dtype=np.int64)
        for number in np.unique(line).tolist():
            mine, files = line == number, self._files[number]
            # A file is cut before anything else happens at its instant: what comes then is of the
            # next one.
            place = np.searchsorted(self._plan.file[files, FileColumn.CUT_US], since[mine], "right")
            known = place < len(files)
            file[np.flatnonzero(mine)[known]] = files[place[known]]
        return Obligations(at, line, file, self._owed[route], since, records[at, C.SETTLEMENT])

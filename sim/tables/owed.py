"""Which completed payments leave somebody owing on which line, since when, and which file pays it.

Takes the plan and payment records; gives obligations as numbers. Measures are folded from them and
``obligations.parquet`` is written from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.contract.agenda import FileColumn, LineColumn
from sim.contract.layout import ObligationColumn, RouteColumn, StageColumn, TransferColumn
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
        routes = len(plan.route)
        self.line = np.full(routes + 1, -1, dtype=np.int64)
        """Line of each route, -1 for none; the last is that of no route."""
        self._instant = np.full(routes + 1, C.SETTLED_US, dtype=np.int64)
        self._owed = np.full(routes + 1, -1, dtype=np.int64)
        payments = {int(row[LineColumn.PAYMENTS]): at for at, row in enumerate(plan.line)}
        if payments:
            for route in range(routes):
                self._find(route, payments)
        for row, (route, scheme) in enumerate(
            plan.obligation[:, [ObligationColumn.ROUTE, ObligationColumn.SCHEME]].tolist()
        ):
            line = self.line[route]
            if line >= 0 and plan.line[line, LineColumn.RAIL] == scheme:
                self._owed[route] = row
        self._files = [
            np.flatnonzero(plan.file[:, FileColumn.LINE] == line) for line in range(len(plan.line))
        ]

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
            lines = [
                payments[at] for at in rows[:, TransferColumn.CREDIT].tolist() if at in payments
            ]
            if lines and self.line[route] < 0:
                self.line[route] = lines[0]
                flags = int(stage[StageColumn.FLAGS])
                if not flags & Flag.SETTLES and flags & Flag.CREDITS:
                    self._instant[route] = C.CREDITED_US

    def of(self, records: Array) -> Obligations:
        """Return the obligations that records leave: of completed payments over a line."""
        route = records[:, C.ROUTE]
        stands = (records[:, C.OUTCOME] == Outcome.COMPLETED) & (self.line[route] >= 0)
        at = np.flatnonzero(stands & (records[:, C.SETTLEMENT] > 0))
        route = route[at]
        since = records[at, self._instant[route]]
        line = self.line[route]
        file = np.full(len(at), -1, dtype=np.int64)
        for number in np.unique(line).tolist():
            mine, files = line == number, self._files[number]
            # A file is cut before anything else happens at its instant: what comes then is of the
            # next one.
            place = np.searchsorted(self._plan.file[files, FileColumn.CUT_US], since[mine], "right")
            known = place < len(files)
            file[np.flatnonzero(mine)[known]] = files[place[known]]
        return Obligations(at, line, file, self._owed[route], since, records[at, C.SETTLEMENT])

"""Work out again what accounts held over time and how often they were low, from rows of the log.

Takes rows of a log as they come; compares the totals an engine returned. Nothing is shared with
what counts them while a run goes on: here every integral is one number of any size.
"""

from __future__ import annotations

import numpy as np

from sim.audit.findings import Findings
from sim.contract.layout import NULL, AccountColumn
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import AREA_BITS, AccountTotal, LogColumn
from sim.contract.run import Totals
from sim.units import SECOND_US

_MOVES = (LogKind.POST, LogKind.TRANSFER, LogKind.DEPOSIT, LogKind.MOVED)
_TOLD = (LogKind.ALARM, LogKind.CHANNEL)
_COUNTED = (
    (LogKind.ALARM, AccountTotal.ALARMS, AccountTotal.ALARM_FIRST_US),
    (LogKind.CHANNEL, AccountTotal.STOPS, AccountTotal.STOP_FIRST_US),
)


class Holdings:
    """Balances over time of every watched account, and what was told of low levels.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        count = len(plan.account)
        self._watched = plan.account[:, AccountColumn.WATCHED] == 1
        self._posted = [0] * count
        self._since = [plan.warm_up_us] * count
        self._area = [0] * count
        self._below = [0] * count
        self._told: list[Array] = []

    def take(self, rows: Array) -> None:
        """Follow rows of the log."""
        kind = rows[:, LogColumn.KIND]
        self._told.append(rows[np.isin(kind, _TOLD)])
        moved = rows[np.isin(kind, _MOVES)]
        sides = (moved[:, LogColumn.SUBJECT], moved[:, LogColumn.VALUE])
        # Names of what does not exist are another rule's.
        known = [(side >= 0) & (side < len(self._posted)) for side in sides]
        moved = moved[known[0] & known[1]]
        sides = (moved[:, LogColumn.SUBJECT], moved[:, LogColumn.VALUE])
        for at in np.flatnonzero(self._watched[sides[0]] | self._watched[sides[1]]).tolist():
            time_us, amount = int(moved[at, LogColumn.TIME_US]), int(moved[at, LogColumn.AMOUNT])
            for side, sign in zip(sides, (-1, 1), strict=True):
                account = int(side[at])
                if self._watched[account]:
                    self._stand(account, time_us)
                    self._posted[account] += sign * amount

    def finish(self, totals: Totals, findings: Findings) -> None:
        """Compare what an engine counted."""
        for account, row in enumerate(totals.account.tolist()):
            if self._watched[account]:
                self._stand(account, self._plan.horizon_us)
                for of, area in (("BALANCE", self._area), ("OVERDRAWN", self._below)):
                    held = _in_words(area[account])
                    words = (f"{of}_AREA", f"{of}_AREA_HIGH", f"{of}_REST")
                    shown = tuple(row[AccountTotal[word]] for word in words)
                    message = "account {} held {}, {}, {} over time, should be {}, {}, {}"
                    findings.check("totals", shown == held, message, account, *shown, *held)
        told = np.concatenate([np.empty((0, 8), dtype=np.int64), *self._told])
        for account, row in enumerate(totals.account.tolist()):
            mine = told[told[:, LogColumn.SUBJECT] == account]
            for kind, count, first in _COUNTED:
                of_kind = mine[mine[:, LogColumn.KIND] == kind]
                raised = of_kind[of_kind[:, LogColumn.VALUE] == 1, LogColumn.TIME_US]
                raised = raised[raised >= self._plan.warm_up_us]
                due = (len(raised), int(raised[0]) if len(raised) else NULL)
                message = "account {} was low {} times, first {}, should be {} and {}"
                found = (row[count], row[first])
                findings.check("guard", found == due, message, account, *found, *due)
            closed_us = self._closed_us(mine[mine[:, LogColumn.KIND] == LogKind.CHANNEL])
            found_us = row[AccountTotal.STOPPED_US]
            message = "the channel of account {} was closed {} us, should be {}"
            findings.check("guard", found_us == closed_us, message, account, found_us, closed_us)

    def _stand(self, account: int, until_us: int) -> None:
        """Count the balance that stood until an instant."""
        passed_us = until_us - self._since[account]
        if passed_us > 0:
            posted = self._posted[account]
            self._area[account] += posted * passed_us
            self._below[account] += -posted * passed_us if posted < 0 else 0
            self._since[account] = until_us

    def _closed_us(self, rows: Array) -> int:
        """Return for how long a channel was closed, of its rows."""
        total, since = 0, NULL
        ends = [*rows[:, [LogColumn.TIME_US, LogColumn.VALUE]].tolist(), [self._plan.horizon_us, 0]]
        for time_us, value in ends:
            if since != NULL:
                total += max(time_us - max(since, self._plan.warm_up_us), 0)
            since = time_us if value else NULL
        return total


def _in_words(area: int) -> tuple[int, int, int]:
    whole = area // SECOND_US
    return whole % (1 << AREA_BITS), whole // (1 << AREA_BITS), area - whole * SECOND_US

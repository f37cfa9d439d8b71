"""Check what ``series.parquet`` says of alarms and channels, without the event log.

Takes rows of the table as numbers and the plan; reports levels on the wrong side of what is
watched, and alarms that are raised, or channels that close, twice in a row.
"""

from __future__ import annotations

import numpy as np

from sim.audit.checker import Checker
from sim.audit.names import first_of_name
from sim.contract.guards import GuardColumn
from sim.contract.layout import AccountColumn
from sim.contract.plan import Array, Plan
from sim.tables.schemas import SERIES_MEASURES

_LEVEL, _ALARM, _CLOSED = (
    SERIES_MEASURES.index(name) for name in ("level_minor", "alarm", "closed")
)
_WATCHED = {_ALARM: GuardColumn.ALARM_BELOW, _CLOSED: GuardColumn.STOP_BELOW}


def check_guards(plan: Plan, rows: Array, names: tuple[str, ...], check: Checker) -> None:
    """Check every figure of alarms and channels.

    Parameters
    ----------
    plan : Plan
    rows : ndarray of int64, shape (rows, 7)
        Replication, time, kind, name, measure, value, currency; of guards only, in their order: a
        level, and behind it what it makes of the alarm or the channel.
    names : tuple of str
        Names of the column ``name``.
    check : Checker
        Of these rows.
    """
    places = len(plan.names.stations) + len(plan.names.ledgers)
    named = first_of_name(places + np.arange(len(plan.account)), names)
    paired = len(rows) % 2 == 0 and bool((rows[0::2, 4] == _LEVEL).all())
    paired = paired and bool((rows[0::2, :4] == rows[1::2, :4]).all())
    check.every("series", np.full(len(rows), paired), "a level without what it makes of a guard")
    if not paired:
        return
    for number, place in enumerate(named.tolist()):
        for measure, column in _WATCHED.items():
            second = np.flatnonzero((rows[:, 3] == place) & (rows[:, 4] == measure))
            second = second[second % 2 == 1]
            if not len(second):
                continue
            level, low = rows[second - 1], rows[second]
            of = check.among(low[:, 1], "level at")
            right = (level[:, 5] < plan.guard[number, column]) == (low[:, 5] == 1)
            of.every("guard", right & np.isin(low[:, 5], (0, 1)), "a level its guard contradicts")
            again = (low[1:, 5] == low[:-1, 5]) & (low[1:, 0] == low[:-1, 0])
            of.among(low[1:, 1], "level at").every("guard", ~again, "the same told twice")
            currency = plan.account[number, AccountColumn.CURRENCY]
            right = (level[:, 6] == currency) & (low[:, 6] == -1)
            of.every("series", right, "a currency its account does not have")
    known = np.isin(rows[:, 3], named) & np.isin(rows[:, 4], (_LEVEL, _ALARM, _CLOSED))
    check.every("names", known, "no account or figure of the plan")

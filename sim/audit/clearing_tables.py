"""Check what ``series.parquet`` says of clearing files and top-ups, without the event log.

Takes rows of the table as numbers and the plan; reports figures at instants of no file or order,
files settled twice or never, and nets that are not what was paid and carried.
"""

from __future__ import annotations

import numpy as np

from sim.audit.checker import Checker
from sim.audit.names import first_of_name
from sim.contract.agenda import AgendaKind, FileColumn, LineColumn, OrderColumn, TopUpColumn
from sim.contract.layout import AccountColumn, AgendaColumn
from sim.contract.plan import Array, Plan
from sim.tables.schemas import SERIES_KINDS, SERIES_MEASURES

SHOWN: dict[AgendaKind, tuple[str, str, str]] = {
    AgendaKind.FILE_CUT: ("line", "gross_minor", "net_minor"),
    AgendaKind.FILE_CONVERTED: ("line", "sold_minor", "bought_minor"),
    AgendaKind.FILE_SETTLED: ("line", "paid_minor", "carried_minor"),
    AgendaKind.TOP_UP_ORDERED: ("top_up", "ordered_minor", "level_minor"),
    AgendaKind.TOP_UP_ARRIVED: ("top_up", "arrived_minor", "due_minor"),
}
"""What a row of the agenda is shown as: kind of series, and its two figures."""


def place_of_row(plan: Plan, kind: int, subjects: Array) -> Array:
    """Return the places, as tables name them, of files or orders the agenda's rows are about."""
    places = len(plan.names.stations) + len(plan.names.ledgers) + len(plan.names.accounts)
    if kind >= AgendaKind.TOP_UP_ORDERED:
        of: Array = plan.order[subjects, OrderColumn.TOP_UP] + places + len(plan.names.lines)
        return of
    lines: Array = plan.file[subjects, FileColumn.LINE] + places
    return lines


def currency_of(plan: Plan, measure: str, subjects: Array) -> Array:
    """Return the currency of a figure of files or orders."""
    if measure in ("ordered_minor", "level_minor", "arrived_minor", "due_minor"):
        account = plan.top_up[plan.order[subjects, OrderColumn.TOP_UP], TopUpColumn.ACCOUNT]
    else:
        # What is there before a sale is in the money of the payments, what is paid in that of the
        # account it is paid on.
        is_before = measure in ("gross_minor", "net_minor", "sold_minor")
        column = LineColumn.PAYMENTS if is_before else LineColumn.PAID_TO
        account = plan.line[plan.file[subjects, FileColumn.LINE], column]
    found: Array = plan.account[account, AccountColumn.CURRENCY]
    return found


def check_clearing(plan: Plan, rows: Array, names: tuple[str, ...], check: Checker) -> None:
    """Check every figure of files and top-ups.

    Parameters
    ----------
    plan : Plan
    rows : ndarray of int64, shape (rows, 7)
        Replication, time, kind, name, measure, value, currency; of lines and top-ups only.
    names : tuple of str
        Names of the column ``name``.
    check : Checker
        Of these rows.
    """
    due = _due(plan, names)
    of = check.among(np.unique(rows[:, 0]), "replication")
    # Time, kind, name, measure and currency.
    told = rows[:, [1, 2, 3, 4, 6]]
    right = [_same(told[rows[:, 0] == number], due) for number in np.unique(rows[:, 0])]
    of.every("series", np.array(right, dtype=bool), "figures of files or top-ups not as due")
    for line, name in enumerate(plan.names.lines):
        # A line that sells its files is paid in other money than it was closed in.
        if plan.line[line, LineColumn.CONVERSION] < 0 and name in names:
            _check_line(plan, line, rows[rows[:, 3] == names.index(name)], check)


def _due(plan: Plan, names: tuple[str, ...]) -> Array:
    """Return time, kind, name, measure and currency of every figure due, sorted."""
    found = [np.empty((0, 5), dtype=np.int64)]
    within = plan.agenda[plan.agenda[:, AgendaColumn.TIME_US] < plan.horizon_us]
    for kind, (thing, *measures) in SHOWN.items():
        mine = within[within[:, AgendaColumn.KIND] == kind]
        places = place_of_row(plan, kind, mine[:, AgendaColumn.SUBJECT])
        for measure in measures:
            block = np.empty((len(mine), 5), dtype=np.int64)
            block[:, 0] = mine[:, AgendaColumn.TIME_US]
            block[:, 1] = SERIES_KINDS.index(thing)
            block[:, 2] = first_of_name(places, names)
            block[:, 3] = SERIES_MEASURES.index(measure)
            block[:, 4] = currency_of(plan, measure, mine[:, AgendaColumn.SUBJECT])
            found.append(block)
    return _sorted(np.concatenate(found))


def _same(rows: Array, due: Array) -> bool:
    return rows.shape == due.shape and bool((_sorted(rows) == due).all())


def _sorted(rows: Array) -> Array:
    ordered: Array = rows[np.lexsort(rows.T[::-1])]
    return ordered


def _check_line(plan: Plan, line: int, rows: Array, check: Checker) -> None:
    """Check that what files come to is what is paid and carried, up to every payment."""
    files = plan.file[plan.file[:, FileColumn.LINE] == line]
    for number in np.unique(rows[:, 0]):
        mine = rows[rows[:, 0] == number]
        nets, paid, carried = (
            mine[mine[:, 4] == SERIES_MEASURES.index(measure)]
            for measure in ("net_minor", "paid_minor", "carried_minor")
        )
        # In the order of files, which is that of their cuts and of their payments.
        warm = files[files[:, FileColumn.CUT_US] <= 0, FileColumn.NET]
        came = np.concatenate([warm, nets[:, 5]])[: len(paid)]
        if len(came) == len(paid) == len(carried):
            right = np.cumsum(came) - np.cumsum(paid[:, 5]) == carried[:, 5]
            check.among(paid[:, 1], "file paid at").every(
                "clearing", right, "paid and carried are not what its files come to"
            )

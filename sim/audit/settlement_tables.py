"""Check ``obligations.parquet`` and ``settlements.parquet``: against the log, payments and plan.

Takes rows of the tables as numbers and rows of the log; works out from postings, ends and files
what the tables must say. Nothing of the code that writes them is used.
"""

from __future__ import annotations

import numpy as np

from sim.audit.checker import Checker
from sim.audit.names import Words
from sim.audit.pairing import Layout
from sim.contract.agenda import FileColumn, LineColumn
from sim.contract.layout import NULL, AccountColumn, ObligationColumn
from sim.contract.meaning import LogKind, Outcome
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn as L
from sim.contract.refunds import RefundColumn
from sim.tables.schemas import OBLIGATIONS, OBLIGATIONS_FILE, SETTLEMENTS, SETTLEMENTS_FILE

_POSTED = (int(LogKind.POST), int(LogKind.TRANSFER))


def obligation_words(plan: Plan) -> Words:
    """Return the names in ``obligations.parquet``."""
    names = plan.names
    agents = dict.fromkeys(("debtor", "creditor"), names.agents)
    return {"line": names.lines, "currency": names.currencies, **agents}


def settlement_words(plan: Plan) -> Words:
    """Return the names in ``settlements.parquet``."""
    sides = ("settlement_currency", "credited_currency")
    return {"line": plan.names.lines, **dict.fromkeys(sides, plan.names.currencies)}


def obligation_layout(plan: Plan) -> Layout:
    """Return how ``obligations.parquet`` is compared: one row per payment and line."""
    columns = tuple(name for name in OBLIGATIONS.names if name != "replication")
    return Layout(OBLIGATIONS_FILE, columns, obligation_words(plan), keys=2, rule="obligations")


def settlement_layout(plan: Plan) -> Layout:
    """Return how ``settlements.parquet`` is compared: every file as a whole."""
    columns = tuple(name for name in SETTLEMENTS.names if name != "replication")
    words = settlement_words(plan)
    return Layout(SETTLEMENTS_FILE, columns, words, keys=len(columns), rule="clearing")


class SettlementDemands:
    """What the two tables must say, as rows of the log come.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._line = {int(row[LineColumn.PAYMENTS]): at for at, row in enumerate(plan.line)}
        self._accounts = np.array(sorted(self._line), dtype=np.int64)
        self._came: dict[int, tuple[int, int, int]] = {}
        self._route: dict[int, int] = {}
        self._cut: dict[int, tuple[int, int]] = {}

    def wanted(self, rows: Array) -> Array:
        """Return the rows of a log that matter here."""
        kind = rows[:, L.KIND]
        on_line = np.isin(kind, _POSTED) & np.isin(rows[:, L.VALUE], self._accounts)
        others = (LogKind.ROUTE, LogKind.OUTCOME, LogKind.FILE_CUT, LogKind.FILE_SETTLED)
        found: Array = rows[on_line | np.isin(kind, others)]
        return found

    def obligations(self, rows: Array) -> Array:
        """Return the rows of ``obligations.parquet`` that rows of the log demand."""
        made = []
        for time_us, _, kind, payment, _, subject, amount, value in rows.tolist():
            if kind == LogKind.ROUTE:
                self._route[payment] = subject
            elif kind in _POSTED:
                # Of several postings on lines the first is the payment's own.
                self._came.setdefault(payment, (self._line[value], amount, time_us))
            elif kind == LogKind.OUTCOME:
                route, came = self._route.pop(payment, -1), self._came.pop(payment, None)
                if came is not None and subject == Outcome.COMPLETED:
                    made.append(self._obligation(payment, route, came))
        return np.array(made, dtype=np.int64).reshape(-1, len(OBLIGATIONS.names) - 1)

    def _obligation(self, payment: int, route: int, came: tuple[int, int, int]) -> list[int]:
        plan, (line, amount, since_us) = self._plan, came
        owed = plan.obligation[plan.obligation[:, ObligationColumn.ROUTE] == route]
        scheme = plan.line[line, LineColumn.RAIL]
        [(debtor, creditor)] = owed[owed[:, ObligationColumn.SCHEME] == scheme][
            :1, [ObligationColumn.DEBTOR, ObligationColumn.CREDITOR]
        ].tolist()
        of_line = plan.file[:, FileColumn.LINE] == line
        opened = plan.file[:, FileColumn.OPENS_US] <= since_us
        [file] = np.flatnonzero(of_line & opened & (plan.file[:, FileColumn.CUT_US] > since_us))
        currency = plan.account[plan.line[line, LineColumn.PAYMENTS], AccountColumn.CURRENCY]
        due_us = plan.file[file, FileColumn.SETTLED_US]
        cells = (payment, line, debtor, creditor, currency, amount, since_us, file, due_us)
        return [int(cell) for cell in cells]

    def settlements(self, rows: Array) -> Array:
        """Return the rows of ``settlements.parquet`` that rows of the log demand."""
        plan, made = self._plan, []
        currency = plan.account[:, AccountColumn.CURRENCY]
        for time_us, _, kind, _, _, file, amount, value in rows.tolist():
            if kind == LogKind.FILE_CUT:
                self._cut[file] = amount, value
            elif kind == LogKind.FILE_SETTLED:
                line, opened_us, closed_us = plan.file[file, :3].tolist()
                gross, net = self._cut.pop(file, (NULL, NULL))
                paid_in = currency[plan.line[line, LineColumn.PAID_TO]]
                closed_in = currency[plan.line[line, LineColumn.PAYMENTS]]
                times = (opened_us, closed_us, time_us)
                row = (line, file, *times, closed_in, gross, net, paid_in, amount, value)
                made.append([int(cell) for cell in row])
        return np.array(made, dtype=np.int64).reshape(-1, len(SETTLEMENTS.names) - 1)


def check_obligations(
    plan: Plan, rows: dict[str, Array], payments: dict[str, Array], *, of: Array, check: Checker
) -> None:
    """Check obligations against the payments they are of, without the log.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    rows : dict of str to ndarray
        Columns of ``obligations.parquet`` as numbers.
    payments : dict of str to ndarray
        Columns of ``payments.parquet``.
    of : ndarray of int64
        Row of the payment of each obligation, -1 where it is not there.
    check : Checker
        Of payments.
    """
    among = check.among(rows["payment_id"])
    among.every("obligations", of >= 0, "an obligation of a payment that is not there")
    if not len(payments["payment_id"]) or not len(of):
        return
    of = np.maximum(of, 0)
    done = payments["outcome"][of] == Outcome.COMPLETED
    among.every("obligations", done, "it leaves an obligation and did not complete")
    same = rows["amount_minor"] == payments["settlement_amount_minor"][of]
    same &= rows["currency"] == payments["settlement_currency"][of]
    among.every("obligations", same, "its obligation is not what was settled")
    count = np.bincount(of, minlength=len(payments["payment_id"]))
    check.every("obligations", count <= 1, "it leaves several obligations")
    since = rows["since_us"]
    begins = payments["settled_us"][of]
    within = (since >= begins) & (since <= payments["end_us"][of])
    among.every("obligations", within, "it is owed for before it settled or after it ended")
    file = np.clip(rows["file"], 0, len(plan.file) - 1)
    window = plan.file[file]
    right = (window[:, FileColumn.OPENS_US] <= since) & (since < window[:, FileColumn.CUT_US])
    right &= (window[:, FileColumn.LINE] == rows["line"]) & (file == rows["file"])
    right &= window[:, FileColumn.SETTLED_US] == rows["due_us"]
    among.every("obligations", right, "it is owed for in another file's window")
    owed = _owed_on(plan, payments["route"][of], rows["line"])
    parties = (rows["debtor"] == owed[:, 0]) & (rows["creditor"] == owed[:, 1])
    among.every("obligations", parties, "somebody else owes, or is owed")


def _owed_on(plan: Plan, route: Array, line: Array) -> Array:
    """Return who owes whom for payments over routes on lines."""
    found = np.full((len(route), 2), -1, dtype=np.int64)
    sides = [ObligationColumn.DEBTOR, ObligationColumn.CREDITOR]
    rail = plan.line[np.clip(line, 0, len(plan.line) - 1), LineColumn.RAIL]
    for row in plan.obligation:
        mine = route == row[ObligationColumn.ROUTE]
        found[mine & (rail == row[ObligationColumn.SCHEME])] = row[sides]
    return found


def check_files(
    plan: Plan, rows: dict[str, Array], owed: dict[str, Array], *, is_whole: bool, check: Checker
) -> None:
    """Check that files are dealt with once, in time, and close what was owed in their windows.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    rows, owed : dict of str to ndarray
        Columns of ``settlements.parquet`` and ``obligations.parquet``, of one replication.
    is_whole : bool
        Whether every payment that came to a line has completed; where one went back, or is open,
        files close more or less than what is owed in the end.
    check : Checker
        Of anything.
    """
    total = np.zeros(len(plan.file), dtype=np.int64)
    known = (owed["file"] >= 0) & (owed["file"] < len(plan.file))
    np.add.at(total, owed["file"][known], owed["amount_minor"][known])
    is_file = (rows["file"] >= 0) & (rows["file"] < len(plan.file))
    file = np.where(is_file, rows["file"], 0)
    among = check.among(rows["file"], "file")
    times = rows["opened_us"] == plan.file[file, FileColumn.OPENS_US]
    times &= rows["closed_us"] == plan.file[file, FileColumn.CUT_US]
    times &= rows["settled_us"] == plan.file[file, FileColumn.SETTLED_US]
    among.every("clearing", is_file & times, "is dealt with out of its time")
    among.every("clearing", np.bincount(file)[file] == 1, "is dealt with twice")
    # What lay on a line at the start is in the file that was open then.
    closed = (rows["opened_us"] >= 0) & (rows["gross_minor"] != NULL)
    gross, sums = rows["gross_minor"], total[file]
    given = plan.refund[:, [RefundColumn.SHARE, RefundColumn.WRITTEN_COUNT]]
    right = gross <= sums if given.any() else gross == sums
    if is_whole:
        among.every("clearing", ~closed | right, "closes something else than what was owed")

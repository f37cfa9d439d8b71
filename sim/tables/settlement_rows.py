"""Write ``obligations.parquet`` and ``settlements.parquet``: who owes whom, and what was paid when.

Takes the plan, payment records and rows of the log about clearing files; gives Arrow tables.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sim.contract.agenda import FileColumn, LineColumn
from sim.contract.layout import NULL, AccountColumn, ObligationColumn
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn, RecordColumn
from sim.tables.columns import int_column, names_array, text_column, whole_column
from sim.tables.owed import Owing
from sim.tables.schemas import OBLIGATIONS, SETTLEMENTS

L = LogColumn


class SettlementRows:
    """Converter of records into obligations, and of the log's files into settlements.

    Parameters
    ----------
    plan : Plan
        The plan of the run, for names.
    replication : int
        Number written into every row.
    """

    def __init__(self, plan: Plan, replication: int = 0) -> None:
        self._plan, self._replication = plan, replication
        self._owing = Owing(plan)
        names = plan.names
        self._lines, self._agents = names_array(names.lines), names_array(names.agents)
        self._currencies = names_array(names.currencies)
        files, currency = plan.file[:, FileColumn.LINE], plan.account[:, AccountColumn.CURRENCY]
        self._closed_in = currency[plan.line[files, LineColumn.CLOSED]]
        self._held_in = currency[plan.line[files, LineColumn.HELD]]
        # What a file closed and comes to, kept until it is paid.
        self._gross = np.full(len(files), NULL, dtype=np.int64)
        self._net = np.full(len(files), NULL, dtype=np.int64)

    def obligations(self, records: Array) -> pa.Table:
        """Return the rows of ``obligations.parquet`` for a chunk of records."""
        plan, found = self._plan, self._owing.of(records)
        owed, currency = plan.obligation[found.owed], plan.account[:, AccountColumn.CURRENCY]
        due = plan.file[found.file, FileColumn.SETTLED_US]
        payments = plan.line[found.line, LineColumn.PAYMENTS]
        made = {
            "payment_id": int_column(records[found.at, RecordColumn.PAYMENT]),
            "replication": self._number(len(found.at)),
            "line": text_column(found.line, self._lines),
            "debtor": text_column(owed[:, ObligationColumn.DEBTOR], self._agents),
            "creditor": text_column(owed[:, ObligationColumn.CREDITOR], self._agents),
            "currency": text_column(currency[payments], self._currencies),
            "amount_minor": int_column(found.amount),
            "since_us": int_column(found.since_us),
            "file": int_column(found.file),
            "due_us": int_column(due),
        }
        return pa.Table.from_arrays([made[name] for name in OBLIGATIONS.names], schema=OBLIGATIONS)

    def settlements(self, log: Array) -> pa.Table:
        """Return the rows of ``settlements.parquet`` for a chunk of the log."""
        cut = log[log[:, L.KIND] == LogKind.FILE_CUT]
        # A file is cut before it is paid, and nothing between changes these.
        self._gross[cut[:, L.SUBJECT]], self._net[cut[:, L.SUBJECT]] = cut[:, [L.AMOUNT, L.VALUE]].T
        rows = log[log[:, L.KIND] == LogKind.FILE_SETTLED]
        file = rows[:, L.SUBJECT]
        made = {
            "replication": self._number(len(rows)),
            "line": text_column(self._plan.file[file, FileColumn.LINE], self._lines),
            "file": int_column(file),
            "opened_us": int_column(self._plan.file[file, FileColumn.OPENS_US]),
            "closed_us": int_column(self._plan.file[file, FileColumn.CUT_US]),
            "settled_us": int_column(rows[:, L.TIME_US]),
            "settlement_currency": text_column(self._closed_in[file], self._currencies),
            "gross_minor": int_column(self._gross[file]),
            "net_minor": int_column(self._net[file]),
            "credited_currency": text_column(self._held_in[file], self._currencies),
            "paid_minor": int_column(rows[:, L.AMOUNT]),
            "carried_minor": int_column(rows[:, L.VALUE]),
        }
        return pa.Table.from_arrays([made[name] for name in SETTLEMENTS.names], schema=SETTLEMENTS)

    def _number(self, rows: int) -> pa.Array:
        return whole_column(np.full(rows, self._replication, dtype=np.int64))

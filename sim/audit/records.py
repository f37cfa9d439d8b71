"""Compare payment records with those the log demands, whole columns at a time.

Takes both as they come, in the order payments ended; reports the first column in which a record
differs.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from sim.audit.findings import Findings
from sim.audit.names import UNKNOWN
from sim.contract.layout import FEES_MAX, NULL
from sim.contract.plan import Array
from sim.contract.records import RECORD_WIDTH, RecordColumn

_AGENTS = [
    int(RecordColumn.DEBTOR_AGENT),
    int(RecordColumn.CREDITOR_AGENT),
    int(RecordColumn.INSTRUMENT),
]
"""What a log may leave open."""
_SHOWN = 3


class RecordMatch:
    """Records expected and records found, each kept until its counterpart comes.

    Parameters
    ----------
    findings : Findings
        Where violations go.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._expected: deque[Array] = deque()
        self._unmatched: deque[Array] = deque()

    def expect(self, rows: Array) -> None:
        """Take the records ended payments must have; those the log does not know hold UNKNOWN.

        What the replay knows beyond the columns of a record is left aside.
        """
        self._expected.append(rows[:, :RECORD_WIDTH])
        self._match()

    def take(self, rows: Array) -> None:
        """Take the records there are."""
        if len(rows):
            self._unmatched.append(rows)
            self._match()

    def finish(self) -> None:
        """Report records without a payment that ended, and the other way round."""
        f = self._findings
        f.row = -1
        for rows, message in (
            (self._expected, "payment {} ended and has no record"),
            (self._unmatched, "payment {} has a record and did not end"),
        ):
            first = [int(row[RecordColumn.PAYMENT]) for part in rows for row in part[:_SHOWN]]
            for payment in first[:_SHOWN]:
                f.add("record", message.format(payment))

    def _match(self) -> None:
        """Compare records in the order payments ended."""
        # Chunks of both sides are cut at different places; what one side has more is put back.
        while self._expected and self._unmatched:
            expected, found = self._expected.popleft(), self._unmatched.popleft()
            count = min(len(expected), len(found))
            if count < len(expected):
                self._expected.appendleft(expected[count:])
            if count < len(found):
                self._unmatched.appendleft(found[count:])
            self._compare(expected[:count], found[:count])

    def _compare(self, expected: Array, found: Array) -> None:
        right = expected == found
        # Elsewhere the number that stands for UNKNOWN is a figure like any other.
        right[:, _AGENTS] |= expected[:, _AGENTS] == UNKNOWN
        # Whether there is no route, or no fee yet, has two ways to be written.
        route, fees = RecordColumn.ROUTE, slice(RecordColumn.FEE_0, RecordColumn.FEE_0 + FEES_MAX)
        right[:, route] |= (expected[:, route] < 0) & (found[:, route] < 0)
        right[:, fees] |= (expected[:, fees] == NULL) & (found[:, fees] == 0)
        # All columns at once, and only the first that differs is named: the others often follow
        # from it.
        f, wrong = self._findings, np.flatnonzero(~right.all(axis=1))
        f.checks["record"] = f.checks.get("record", 0) + len(expected)
        for row in wrong.tolist():
            column = int(np.argmin(right[row]))
            f.add(
                "record",
                f"the record of payment {expected[row, RecordColumn.PAYMENT]} differs from the log "
                f"in column {column}: {found[row, column]}, should be {expected[row, column]}",
            )

"""Audit a run: replay its event log independently, or check what its tables allow.

Takes a plan and the chunks of a log (from a run under way or from ``events.parquet``), or the
payments and fees of a run folder; gives an :class:`AuditReport`. Nothing here imports an engine:
what an engine and the audit agree on, two readings of the specification agree on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from sim.contract.plan import Array, Plan
from sim.contract.run import Totals
from sim.contract.spec import FEES_MAX, LOG_WIDTH, NULL, RecordColumn
from sim.tables.audit_findings import Findings, Violation
from sim.tables.audit_payments import UNKNOWN
from sim.tables.audit_replay import Replay
from sim.tables.audit_tables import audit_tables
from sim.tables.parquet_stream import open_table
from sim.tables.run_folder import FinishedRun
from sim.tables.schemas import EVENTS_FILE, LOG_KINDS

_RECORDS_AT_ONCE = 1 << 12

LEVEL_EVENTS = "events"
LEVEL_PAYMENTS = "payments"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Say what an audit found.

    Attributes
    ----------
    ok : bool
        Whether nothing was found.
    level : str
        ``events`` (whole replay) or ``payments`` (what the tables alone allow).
    violations : tuple of Violation
        The first ones; see ``violation_count``.
    checks : dict of str to int
        Checks made by rule, so that "nothing found" cannot mean "nothing looked at".
    violation_count : int
        How many in all.
    """

    ok: bool
    level: str
    violations: tuple[Violation, ...]
    checks: dict[str, int]
    violation_count: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the shape ``payroute audit --json`` prints."""
        return {
            "ok": self.ok,
            "level": self.level,
            "violations": [
                {"rule": v.rule, "event": v.event, "message": v.message} for v in self.violations
            ],
        }


class AuditSink:
    """Audit a run while it happens, without storing its log.

    Parameters
    ----------
    plan : Plan
        The plan that is run.
    with_records : bool
        Whether payment records are compared with the log too.

    Attributes
    ----------
    wants_log, wants_records : bool
        See :class:`~sim.contract.run.Sink`.
    """

    def __init__(self, plan: Plan, *, with_records: bool = True) -> None:
        self.wants_log = True
        self.wants_records = with_records
        self._findings = Findings()
        self._expected: deque[list[int]] = deque()
        self._replay = Replay(plan, self._findings, self._note_end)
        self._with_records = with_records
        self._unmatched: deque[list[int]] = deque()

    def take_log(self, rows: Array) -> None:
        """Replay rows of the log."""
        try:
            self._replay.take(rows)
        except (IndexError, KeyError, ValueError, TypeError, OverflowError) as error:
            # A corrupted row may name what does not exist; that is a finding, not a crash.
            self._findings.add("readable", f"the row cannot be replayed ({error!r})")
            raise _UnreadableLogError from error
        self._match()

    def take_records(self, rows: Array) -> None:
        """Compare records with what the log says they must be."""
        for at in range(0, len(rows), _RECORDS_AT_ONCE):
            self._unmatched.extend(rows[at : at + _RECORDS_AT_ONCE].tolist())
            self._match()

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Take no notice."""

    def finish(self, totals: Totals | None = None) -> AuditReport:
        """Check what must hold at the end and report.

        Parameters
        ----------
        totals : Totals, optional
            What the engine returned; its end balances are compared too.
        """
        self._replay.finish(totals)
        if self._with_records:
            f = self._findings
            f.row = -1
            for row in islice(self._expected, 3):
                f.add("record", f"payment {row[0]} ended and has no record")
            for row in islice(self._unmatched, 3):
                f.add("record", f"payment {row[0]} has a record and did not end")
        return self.report()

    def report(self) -> AuditReport:
        """Return what has been found so far."""
        f = self._findings
        return AuditReport(f.count == 0, LEVEL_EVENTS, tuple(f.violations), dict(f.checks), f.count)

    def _note_end(self, row: list[int]) -> None:
        if self._with_records:
            self._expected.append(row)

    def _match(self) -> None:
        """Compare records in the order payments ended."""
        while self._expected and self._unmatched:
            expected, found = self._expected.popleft(), self._unmatched.popleft()
            difference = _first_difference(expected, found)
            self._findings.check(
                "record",
                difference is None,
                "the record of payment {} differs from the log in column {}: {}, should be {}",
                expected[RecordColumn.PAYMENT],
                *(difference or (0, 0, 0)),
            )


def audit_log(
    plan: Plan,
    log_chunks: Iterable[Array],
    records: Iterable[Array] | None = None,
    totals: Totals | None = None,
) -> AuditReport:
    """Replay a whole event log.

    Parameters
    ----------
    plan : Plan
        The plan that was run.
    log_chunks : iterable of ndarray
        Rows of the log, in order.
    records : iterable of ndarray, optional
        Payment records, in the order they ended.
    totals : Totals, optional
        What the engine returned.
    """
    sink = AuditSink(plan, with_records=records is not None)
    try:
        for chunk in log_chunks:
            sink.take_log(chunk)
        for chunk in records or ():
            sink.take_records(chunk)
    except _UnreadableLogError:
        return sink.report()
    return sink.finish(totals)


def audit_run(run: FinishedRun, plan: Plan, *, replication: int = 0) -> AuditReport:
    """Audit a run folder: its event log where it has one, else its payments and fees.

    Parameters
    ----------
    run : FinishedRun
        From :func:`~sim.tables.run_folder.open_run`.
    plan : Plan
        The plan it was made from, compiled again from its ``scenario.yaml``.
    replication : int
        Which replication's log to replay.
    """
    if run.has(EVENTS_FILE):
        return audit_log(plan, read_log(run, replication))
    findings = Findings()
    audit_tables(run, plan, findings)
    kept = tuple(findings.violations)
    return AuditReport(
        findings.count == 0, LEVEL_PAYMENTS, kept, dict(findings.checks), findings.count
    )


def read_log(run: FinishedRun, replication: int = 0) -> Iterator[Array]:
    """Read ``events.parquet`` back as chunks of log rows.

    Parameters
    ----------
    run : FinishedRun
        A run recorded with ``--record events``.
    replication : int
        Whose rows.
    """
    numbers = {name: at + 1 for at, name in enumerate(LOG_KINDS)}
    columns = ("time_us", "key", "kind", "payment", "stage", "subject", "amount", "value")
    for batch in open_table(run.path / EVENTS_FILE, ["replication", *columns]):
        rows = np.empty((batch.num_rows, LOG_WIDTH), dtype=np.int64)
        for at, name in enumerate(columns):
            column = batch.column(name)
            if name == "kind":
                codes = [numbers.get(str(word), -1) for word in column.dictionary.to_pylist()]
                rows[:, at] = np.array(codes, dtype=np.int64)[column.indices.to_numpy()]
            else:
                rows[:, at] = column.to_numpy()
        mine = batch.column("replication").to_numpy() == replication
        yield rows if mine.all() else rows[mine]


class _UnreadableLogError(Exception):
    """Stop a replay whose log names what does not exist."""


def _first_difference(expected: list[int], found: list[int]) -> tuple[int, int, int] | None:
    """Return column, found and expected value of the first difference that is one."""
    for column, (due, is_) in enumerate(zip(expected, found, strict=True)):
        if due in (is_, UNKNOWN):
            continue
        if due < 0 and is_ < 0 and column == RecordColumn.ROUTE:
            continue
        fee = column - RecordColumn.FEE_0
        if 0 <= fee < FEES_MAX and due == NULL and is_ == 0:
            continue
        return column, is_, due
    return None

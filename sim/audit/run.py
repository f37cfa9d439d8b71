"""Audit a run: replay its event log independently, and check its tables alone and against it.

Takes a plan and the chunks of a log (from a run under way or from ``events.parquet``), and the
payments and fees of a run folder; gives an :class:`AuditReport`. Nothing here imports an engine:
what an engine and the audit agree on, two readings of the specification agree on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from sim.audit.beside import TablesBesideLog
from sim.audit.findings import Findings, Violation
from sim.audit.holdings import Holdings
from sim.audit.records import RecordMatch
from sim.audit.tables import audit_tables
from sim.contract.plan import Array, Plan
from sim.contract.records import LOG_WIDTH
from sim.contract.run import Totals
from sim.tables.finished_run import FinishedRun
from sim.tables.reading import open_table
from sim.tables.schemas import EVENTS_FILE, LOG_KINDS, PAYMENTS_FILE

LEVEL_EVENTS = "events"
LEVEL_PAYMENTS = "payments"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found.

    Attributes
    ----------
    ok : bool
        Whether nothing was found.
    level : str
        ``events`` (whole replay, and the tables held to it) or ``payments`` (what the tables alone
        allow).
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
    """Sink that audits a run while it happens, without storing its log.

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
        # Whoever audits nothing does not wait for the compiler to load.
        from sim.audit.replay import Replay

        self.wants_log = True
        self.wants_records = with_records
        self._findings = Findings()
        self._records = RecordMatch(self._findings) if with_records else None
        ended = None if self._records is None else self._records.expect
        self._replay = Replay(plan, self._findings, ended)
        self._holdings = Holdings(plan)

    def take_log(self, rows: Array) -> None:
        """Replay rows of the log."""
        self._replay.take(rows)
        self._holdings.take(rows)

    def take_records(self, rows: Array) -> None:
        """Compare records with what the log says they must be."""
        if self._records is not None and self._replay.is_readable:
            self._records.take(rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Take no notice."""

    def finish(self, totals: Totals | None = None) -> AuditReport:
        """Check what must hold at the end and report.

        Parameters
        ----------
        totals : Totals, optional
            What the engine returned; its end balances are compared too.

        Notes
        -----
        After a row that names what does not exist nothing more is checked: what follows would be
        wrong for that reason alone.
        """
        if self._replay.is_readable:
            self._replay.finish(totals)
            if totals is not None:
                self._holdings.finish(totals, self._findings)
            if self._records is not None:
                self._records.finish()
        return self.report()

    def report(self) -> AuditReport:
        """Return what has been found so far."""
        return _report(LEVEL_EVENTS, self._findings)


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
    for chunk in log_chunks:
        sink.take_log(chunk)
    for chunk in records or ():
        sink.take_records(chunk)
    return sink.finish(totals)


def audit_run(run: FinishedRun, plan: Plan, *, replication: int = 0) -> AuditReport:
    """Audit a run folder: its tables, and against its event log where it has one.

    Parameters
    ----------
    run : FinishedRun
        From :func:`~sim.tables.open_run.open_run`.
    plan : Plan
        The plan it was made from, compiled again from its ``scenario.yaml``.
    replication : int
        Which replication's log to replay and rows to compare; without a log, all rows are checked.
    """
    if run.has(EVENTS_FILE):
        return _audit_with_log(run, plan, replication)
    findings = Findings()
    audit_tables(run, plan, findings)
    return _report(LEVEL_PAYMENTS, findings)


def _audit_with_log(run: FinishedRun, plan: Plan, replication: int) -> AuditReport:
    """Replay a log and hold the tables written beside it to what it says."""
    from sim.audit.replay import Replay

    findings = Findings()
    beside = TablesBesideLog(run, plan, replication, findings)
    replay = Replay(plan, findings, beside.take_ended, beside.take_visits)
    for rows in read_log(run, replication):
        beside.take_log(rows)
        replay.take(rows)
    if replay.is_readable:
        replay.finish(None)
        beside.finish()
    findings.row = -1
    if run.has(PAYMENTS_FILE):
        audit_tables(run, plan, findings, replication=replication, has_log=True)
    return _report(LEVEL_EVENTS, findings)


def _report(level: str, findings: Findings) -> AuditReport:
    kept, checks = tuple(findings.violations), dict(findings.checks)
    return AuditReport(findings.count == 0, level, kept, checks, findings.count)


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

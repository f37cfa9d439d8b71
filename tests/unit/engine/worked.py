"""Run small plans worked out by hand and read their logs the way a person would.

Takes a plan and payments as keyword rows; gives log rows as tuples with times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import Cause, LogKind, Op, Outcome
from sim.contract.plan import Array, Plan
from sim.contract.records import (
    LOG_WIDTH,
    RECORD_WIDTH,
    WORKLOAD_WIDTH,
    LogColumn,
    RecordColumn,
    WorkloadColumn,
)
from sim.contract.run import Engine, Totals
from sim.engine.reference import run_reference

SECOND = 1_000_000
Row = tuple[float, str, int, int, int, int, int]
"""Seconds, kind, payment, stage, subject, amount, value."""


class Recorder:
    """Keep everything an engine tells."""

    def __init__(self, wants_log: bool = True) -> None:
        self.wants_log = wants_log
        self.wants_records = True
        self.wants_samples = False
        self.logs: list[Array] = []
        self.records: list[Array] = []
        self.progress: list[tuple[int, int, int]] = []

    def take_log(self, rows: Array) -> None:
        self.logs.append(rows)

    def take_records(self, rows: Array) -> None:
        self.records.append(rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        self.progress.append((time_us, payments, events))


@dataclass(frozen=True)
class Ran:
    """Hold what came out of a run."""

    log: Array
    records: Array
    totals: Totals
    payments: dict[int, Array] = field(default_factory=dict)

    def rows(self, *kinds: LogKind) -> list[Row]:
        """Return the log, or its rows of some kinds."""
        return [
            (
                int(row[LogColumn.TIME_US]) / SECOND,
                LogKind(row[LogColumn.KIND]).name,
                int(row[LogColumn.PAYMENT]),
                int(row[LogColumn.STAGE]),
                int(row[LogColumn.SUBJECT]),
                int(row[LogColumn.AMOUNT]),
                int(row[LogColumn.VALUE]),
            )
            for row in self.log
            if not kinds or row[LogColumn.KIND] in kinds
        ]

    def when(self, kind: LogKind) -> list[tuple[float, int]]:
        """Return (seconds, payment) of the rows of one kind."""
        return [(row[0], row[2]) for row in self.rows(kind)]

    def record(self, payment: int, *columns: RecordColumn) -> tuple[int, ...]:
        """Return columns of one payment's record."""
        return tuple(int(self.payments[payment][column]) for column in columns)

    def times_s(self, payment: int) -> list[float]:
        """Return the eight causes of one payment, in seconds."""
        first = RecordColumn.TIME_0
        return [int(cell) / SECOND for cell in self.payments[payment][first : first + len(Cause)]]


def workload(*payments: Mapping[str, float]) -> Array:
    """Return workload rows; every payment gives its time in seconds as ``at``."""
    rows = np.zeros((len(payments), WORKLOAD_WIDTH), dtype=np.int64)
    rows[:, WorkloadColumn.ROUTE_SET] = -1
    rows[:, WorkloadColumn.DEBTOR_AGENT] = -1
    rows[:, WorkloadColumn.CREDITOR_AGENT] = -1
    rows[:, WorkloadColumn.CODE_EXPIRY_US] = 1 << 62
    rows[:, WorkloadColumn.MERCHANT] = -1
    rows[:, WorkloadColumn.AMOUNT] = 1_000
    for number, payment in enumerate(payments):
        rows[number, WorkloadColumn.ORDINAL] = number
        for name, value in payment.items():
            if name == "at":
                rows[number, WorkloadColumn.TIME_US] = round(value * SECOND)
            else:
                rows[number, WorkloadColumn[name.upper()]] = int(value)
    return rows


def at(*seconds: float) -> Array:
    """Return payments of nothing but their times."""
    return workload(*({"at": second} for second in seconds))


def run_plan(
    plan: Plan, payments: Array, chunk_rows: int = 2, engine: Engine = run_reference
) -> Ran:
    """Run a plan in chunks of a few payments."""
    recorder = Recorder()
    chunks = [payments[i : i + chunk_rows] for i in range(0, len(payments), chunk_rows)]
    totals = engine(plan, chunks, recorder)
    log = np.vstack([np.zeros((0, LOG_WIDTH), dtype=np.int64), *recorder.logs])
    records = np.vstack([np.zeros((0, RECORD_WIDTH), dtype=np.int64), *recorder.records])
    return Ran(log, records, totals, {int(row[0]): row for row in records})


class Sketch:
    """Write a one-stream plan with few words; times in seconds.

    Attributes
    ----------
    builder : PlanBuilder
        For everything this class has no word for.
    """

    def __init__(self, horizon: float = 1_000, warm_up: float = 0, sample: float = 0) -> None:
        self.builder = PlanBuilder(
            horizon_us=round(horizon * SECOND),
            warm_up_us=round(warm_up * SECOND),
            sample_interval_us=round(sample * SECOND),
            fx_step_us=10 * SECOND,
        )
        self._ends: dict[int, int] = {}

    def constant(self, seconds: float) -> int:
        """Return the table of a constant time."""
        return self.builder.constant_table(round(seconds * SECOND))

    def stream(self, entry: int = 0, priority: int = 0, payers: int = 1) -> int:
        """Add a stream."""
        name = f"stream-{len(self.builder.streams)}"
        return self.builder.add_stream(
            name, entry=entry, corridor="c", currency="USD", priority=priority, payers=payers
        )

    def serve(self, station: int, seconds: float, **values: int) -> int:
        """Add a SERVE stage of constant time."""
        return self.builder.add_stage(
            Op.SERVE,
            "",
            subject=station,
            table=self.constant(seconds),
            purpose=self.builder.purpose(f"serve-{self.builder.next_stage}"),
            **{"cause": 1, **values},
        )

    def wait(self, seconds: float, **values: int) -> int:
        """Add a TRANSIT stage of constant time."""
        return self.builder.add_stage(
            Op.TRANSIT,
            "",
            table=self.constant(seconds),
            purpose=self.builder.purpose(f"wait-{self.builder.next_stage}"),
            **{"cause": 2, **values},
        )

    def completed(self) -> int:
        """Add the END of a completed payment."""
        return self.builder.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)

    def rejected(self) -> int:
        """Add the END of a rejected payment, with its own reason."""
        return self.builder.add_stage(Op.END, value=Outcome.REJECTED)

    def build(self) -> Plan:
        """Return the plan, with one stream from stage 0 if none was added."""
        if not len(self.builder.streams):
            self.stream()
        return self.builder.build()


def outcomes(ran: Ran) -> list[tuple[int, str, int]]:
    """Return (payment, outcome, reason) in order of payment."""
    rows: Sequence[int] = sorted(ran.payments)
    return [
        (
            number,
            Outcome(ran.record(number, RecordColumn.OUTCOME)[0]).name,
            ran.record(number, RecordColumn.REASON)[0],
        )
        for number in rows
    ]

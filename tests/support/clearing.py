"""Small plans in which files are closed, sold and settled, and accounts filled up.

A *day* begins at midnight of day 0; every payment is one row of a workload: a day, an hour and an
amount in minor units. Gives the log of both engines, found equal, and what the audit says of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.audit.run import AuditReport, audit_log
from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import LogKind, Op, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn, RecordColumn, Register, WorkloadColumn
from sim.units import DAY_US, HOUR_US
from tests.equivalence.compared import run_both
from tests.equivalence.crafted import simple_workload

PAYMENT, REFUND = 0, 1
"""Streams: money of payers onto the line, and back to them."""


@dataclass(frozen=True)
class Ran:
    """What happened in a run of both engines."""

    plan: Plan
    log: Array
    record: Array

    def told(self, kind: LogKind) -> list[tuple[float, int, int, int]]:
        """Return day, subject, amount and value of every row of a kind."""
        rows = self.log[self.log[:, LogColumn.KIND] == kind]
        return [
            (
                int(row[LogColumn.TIME_US]) / DAY_US,
                int(row[LogColumn.SUBJECT]),
                int(row[LogColumn.AMOUNT]),
                int(row[LogColumn.VALUE]),
            )
            for row in rows
        ]

    @property
    def outcomes(self) -> list[int]:
        """Return the outcomes in the order payments ended."""
        return [int(value) for value in self.record[:, RecordColumn.OUTCOME]]

    def audit(self) -> AuditReport:
        """Replay the log."""
        return audit_log(self.plan, [self.log], [self.record])

    def audit_of(self, log: Array) -> set[str]:
        """Return the rules another log breaks."""
        return {found.rule for found in audit_log(self.plan, [log]).violations}


class Clearing:
    """A plan under construction: a payer, a line to an agent, and whatever a test adds."""

    def __init__(self, *, days: int, overdraft: int = 1 << 61) -> None:
        self.b = b = PlanBuilder("clearing", horizon_us=days * DAY_US)
        self.horizon_us = days * DAY_US
        self.payer = b.add_account("payer", "USD")
        self.pool = b.add_account("pool", "USD", overdraft=overdraft)
        self.refunds = b.add_account("refunds", "USD")
        self.closed = b.add_account("closed", "USD")
        self.wallet = b.add_account("wallet", "USD")
        self.scheme = b.add_account("scheme", "USD")
        self.agent = b.add_account("agent", "USD", overdraft=0, watched=True)
        paid = b.add_transfer(self.payer, self.pool, Register.INSTRUCTED)
        self.programs = [self._pays(paid)]

    def _pays(self, transfer: int) -> int:
        entry = self.b.add_stage(Op.POST, "post", first=transfer, count=1)
        self.b.add_stage(Op.END, "end", value=Outcome.COMPLETED, reason=0)
        return entry

    def refunds_from(self, account: int, *, reserved: bool) -> None:
        """Let the stream REFUND give money back from an account, refused where it is short."""
        back = self.b.add_transfer(account, self.payer, Register.INSTRUCTED)
        failed = self.b.add_stage(Op.END, "rejected", value=Outcome.REJECTED, reason=-1)
        entry = self.b.next_stage
        if reserved:
            self.b.add_stage(Op.RESERVE, "reserve", first=back, target=failed, reason=Reason.AM04)
        self._pays(back)
        self.programs.append(entry)

    def run(self, payments: Sequence[tuple[int, int, int, int]]) -> Ran:
        """Run payments given as (stream, day, hour, amount in minor units), in order of time."""
        for number, entry in enumerate(self.programs):
            self.b.add_stream(f"s{number}", entry=entry, corridor="c", currency="USD")
        workload = simple_workload([day * DAY_US + hour * HOUR_US for _, day, hour, _ in payments])
        for row, (stream, _, _, amount) in enumerate(payments):
            workload[row, WorkloadColumn.STREAM] = stream
            workload[row, WorkloadColumn.AMOUNT] = amount
        ordinal = np.zeros(len(self.programs), dtype=np.int64)
        for row in workload:
            row[WorkloadColumn.ORDINAL] = ordinal[row[WorkloadColumn.STREAM]]
            ordinal[row[WorkloadColumn.STREAM]] += 1
        plan = self.b.build()
        kept = run_both(plan, workload)
        return Ran(plan, kept.log, kept.record)

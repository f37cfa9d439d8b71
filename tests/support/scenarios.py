"""Run a scenario written as YAML text in both engines, found equal and audited.

Takes text that extends `scenarios/minimal.yaml` by its name; gives the log and what tests ask of
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.audit.run import audit_log
from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.meaning import LogKind
from sim.contract.plan import Array
from sim.contract.records import LogColumn
from sim.contract.run import Totals
from sim.scenario.scenario import load_scenario
from tests.equivalence.compared import run_both

ROOT = Path(__file__).resolve().parents[2]

Told = tuple[int, int, int, int, int]
"""Microseconds, payment, subject, amount, value."""


@dataclass(frozen=True)
class RanScenario:
    """What happened."""

    compiled: Compiled
    log: Array
    record: Array
    totals: Totals

    def told(self, *kinds: LogKind) -> list[Told]:
        """Return every row of some kinds."""
        rows = self.log[np.isin(self.log[:, LogColumn.KIND], kinds)]
        columns = [
            LogColumn.TIME_US, LogColumn.PAYMENT, LogColumn.SUBJECT, LogColumn.AMOUNT,
            LogColumn.VALUE,
        ]  # fmt: skip
        return [tuple(row) for row in rows[:, columns].tolist()]

    def moved(self, payment: int) -> list[tuple[str, int, str]]:
        """Return what refunds of a payment moved: from, minor units, to."""
        names = self.compiled.plan.names.accounts
        return [
            (names[debit], amount, names[credit])
            for _, of, debit, amount, credit in self.told(LogKind.MOVED)
            if of == payment
        ]

    def audit_of(self, log: Array) -> set[str]:
        """Return the rules another log breaks."""
        found = audit_log(self.compiled.plan, [log], [self.record])
        return {one.rule for one in found.violations}


def run_text(folder: Path, text: str) -> RanScenario:
    """Run a scenario in both engines and audit it."""
    path = folder / "scenario.yaml"
    path.write_text(text.replace("minimal.yaml", str(ROOT / "scenarios/minimal.yaml"), 1), "utf-8")
    compiled = compile_scenario(load_scenario(path))
    kept = run_both(compiled.plan, next(iter(compiled.workload())))
    assert kept.totals is not None
    report = audit_log(compiled.plan, [kept.log], [kept.record], kept.totals)
    assert report.violations == (), report.violations[:5]
    return RanScenario(compiled, kept.log, kept.record, kept.totals)

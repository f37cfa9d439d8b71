"""Audit a finished run: compile its scenario again and replay what it recorded.

Takes a run folder; gives an :class:`~sim.audit.run.AuditReport`. The plan is not stored with a
run but compiled from the folder's own ``scenario.yaml``, so the audit also shows whether this
version of the software still compiles the same plan.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sim.audit.run import LEVEL_EVENTS, AuditReport, audit_run
from sim.compiler.recompile import compile_again
from sim.tables.open_run import open_run
from sim.tables.schemas import EVENTS_FILE


def audit_folder(path: Path) -> AuditReport:
    """Audit every replication of a run folder.

    Parameters
    ----------
    path : Path
        A finished run.

    Raises
    ------
    UserError
        If it is no finished run, or its scenario no longer compiles to the plan that was run.
    """
    run = open_run(path)
    numbers = run.replications
    # The audit counts replications from 0: of one of a set alone it may see those up to its own.
    run = replace(run, facts={**run.facts, "replications": numbers[-1] + 1})
    if not run.has(EVENTS_FILE):
        return audit_run(run, compile_again(run, numbers[0]).plan, replication=numbers[0])
    reports = [
        audit_run(run, compile_again(run, number).plan, replication=number) for number in numbers
    ]
    return join_reports(reports)


def join_reports(reports: list[AuditReport]) -> AuditReport:
    """Return one report for many replications."""
    checks: dict[str, int] = {}
    for report in reports:
        for rule, count in report.checks.items():
            checks[rule] = checks.get(rule, 0) + count
    violations = tuple(
        replace(violation, message=f"replication {number}: {violation.message}")
        if len(reports) > 1
        else violation
        for number, report in enumerate(reports)
        for violation in report.violations
    )
    return AuditReport(
        ok=all(report.ok for report in reports),
        level=reports[0].level if reports else LEVEL_EVENTS,
        violations=violations,
        checks=checks,
        violation_count=sum(report.violation_count for report in reports),
    )

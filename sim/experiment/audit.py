"""Audit a finished run: compile its scenario again and replay what it recorded.

Takes a run folder; gives an :class:`~sim.tables.audit.AuditReport`. The plan is not stored with a
run but compiled from the folder's own ``scenario.yaml``, so the audit also shows whether this
version of the software still compiles the same plan.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from sim.compiler.compile import Compiled, compile_scenario
from sim.errors import UserError
from sim.scenario.scenario import load_scenario
from sim.tables.audit import LEVEL_EVENTS, AuditReport, audit_run
from sim.tables.digest import plan_hash
from sim.tables.run_folder import SCENARIO_FILE, FinishedRun, open_run
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
    if not run.has(EVENTS_FILE):
        return audit_run(run, compile_again(run).plan)
    reports = [
        audit_run(run, compile_again(run, number).plan, replication=number)
        for number in range(int(cast(int, run.facts["replications"])))
    ]
    return join_reports(reports)


def compile_again(run: FinishedRun, replication: int = 0) -> Compiled:
    """Return the compiled scenario of a run.

    Parameters
    ----------
    run : FinishedRun
        From :func:`~sim.tables.run_folder.open_run`.
    replication : int
        Which one.

    Raises
    ------
    UserError
        If the plan is not the one that was run.
    """
    path = run.path / SCENARIO_FILE
    if not path.exists():
        raise UserError(f"{path}: missing, so the run's plan cannot be compiled; run it again")
    seed = int(cast(int, run.facts["seed"]))
    compiled = compile_scenario(load_scenario(path), seed=seed, replication=replication)
    found = plan_hash(compiled.plan)
    # Rate paths are part of the plan, so only the first replication has the hash that was noted.
    if replication == 0 and found != run.facts["plan_hash"]:
        raise UserError(
            f"{path}: compiles to plan {found}, but the run was made with plan "
            f"{run.facts['plan_hash']}; the file or the software has changed since, run it again"
        )
    return compiled


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

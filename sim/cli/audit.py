"""The ``audit`` command: replay what a run recorded, without its engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.guard import guarded
from sim.errors import CheckFailed

if TYPE_CHECKING:
    from sim.audit.run import AuditReport

_SHOWN = 20


@guarded
def audit_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a run independently: conservation, capacity, order, one outcome per payment."""
    from sim.experiment.audit import audit_folder

    report = audit_folder(run)
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        typer.echo(describe_audit(report))
        for violation in report.violations[:_SHOWN]:
            place = f"event {violation.event}" if violation.event >= 0 else "no event"
            typer.echo(f"  {violation.rule}, {place}: {violation.message}")
        if report.violation_count > _SHOWN:
            typer.echo(f"  and {report.violation_count - _SHOWN} more")
    refuse_violations(report)


def describe_audit(report: AuditReport) -> str:
    """Return the verdict of an audit in one sentence."""
    checks = f"{sum(report.checks.values()):,} checks of {len(report.checks)} rules"
    if report.level == "payments":
        checks += ", of the tables alone: the run has no events.parquet (--record events)"
    if report.ok:
        return f"audit passed: {checks}"
    noun = "violation" if report.violation_count == 1 else "violations"
    return f"audit FAILED: {report.violation_count} {noun} in {checks}"


def refuse_violations(report: AuditReport) -> None:
    """End the command with the exit code of a failed check if anything was found.

    Raises
    ------
    CheckFailed
        With the first violation.
    """
    if report.ok:
        return
    first = report.violations[0]
    place = f"event {first.event}" if first.event >= 0 else "the tables"
    raise CheckFailed(
        f"audit found {report.violation_count}, the first of rule {first.rule} at {place}: "
        f"{first.message}"
    )

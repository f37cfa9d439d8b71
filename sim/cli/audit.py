"""The ``audit`` command: replay what a run recorded, without its engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.cli.guard import guarded
from sim.cli.options import RunArgument
from sim.cli.showing import FormatOption, JsonOption, OutputOption, showing
from sim.errors import CheckFailed

if TYPE_CHECKING:
    from sim.audit.run import AuditReport


@guarded
def audit_command(
    run: RunArgument,
    form: FormatOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a run independently: conservation, capacity, order, one outcome per payment."""
    wanted = showing(form, output, as_json=as_json)
    from sim.report.documents.audit import audit_document
    from sim.study.audit_folder import audit_folder
    from sim.tables.damage import damage_told

    with damage_told(run):
        report = audit_folder(run)
    wanted.show(audit_document(report))
    refuse_violations(report)


def refuse_violations(report: AuditReport) -> None:
    """End the command with the exit code of a failed check if anything was found.

    Raises
    ------
    CheckFailed
        With the first violation.
    """
    if report.ok:
        return
    from sim.report.documents.audit import place

    first = report.violations[0]
    raise CheckFailed(
        f"audit found {report.violation_count}, the first of rule {first.rule} at {place(first)}: "
        f"{first.message}"
    )

"""What the audit found, as a document."""

from __future__ import annotations

from sim.audit.findings import RULES, Violation
from sim.audit.run import AuditReport
from sim.report.blocks import Column, Document, Table, Text, Tone
from sim.tables.tabular import TabularData

SHOWN = 20
"""Violations people are shown; JSON and tables have all that were kept."""


def audit_document(report: AuditReport) -> Document:
    """Return the verdict, the first violations, and the checks of every rule as a table."""
    blocks: list[Text | Table] = [
        Text(describe_audit(report), Tone.GOOD if report.ok else Tone.BAD)
    ]
    shown = report.violations[:SHOWN]
    if shown:
        columns = (Column("rule"), Column("where"), Column("violation", is_prose=True))
        rows = tuple((one.rule, place(one), one.message) for one in shown)
        blocks.append(Table(columns, rows))
    if report.violation_count > len(shown):
        blocks.append(Text(f"and {report.violation_count - len(shown)} more"))
    found = [one.rule for one in report.violations]
    table = TabularData(
        ("rule", "checks", "violations", "meaning"),
        tuple(
            (rule, count, found.count(rule), RULES.get(rule, ""))
            for rule, count in report.checks.items()
        ),
    )
    return Document(tuple(blocks), table, report.as_json())


def describe_audit(report: AuditReport) -> str:
    """Return the verdict of an audit in one sentence."""
    checks = f"{sum(report.checks.values()):,} checks of {len(report.checks)} rules"
    if report.level == "payments":
        checks += ", of the tables alone: the run has no events.parquet (--record events)"
    if report.ok:
        return f"audit passed: {checks}"
    noun = "violation" if report.violation_count == 1 else "violations"
    return f"audit FAILED: {report.violation_count} {noun} in {checks}"


def place(violation: Violation) -> str:
    """Return where a violation showed."""
    return f"event {violation.event}" if violation.event >= 0 else "the tables"

"""What ``payroute verify`` found, as a document."""

from __future__ import annotations

from collections.abc import Sequence

from sim.report.blocks import Column, Document, Table, Text, Tone
from sim.study.verify.figures import Verdict
from sim.tables.tabular import TabularData

_FAILED, _PASSED = "FAILED", "passed"


def verification_document(verdicts: Sequence[Verdict], seconds: float) -> Document:
    """Return the verdict of all checks in a sentence, and each of them as a row.

    Parameters
    ----------
    verdicts : sequence of Verdict
    seconds : float
        How long they took.
    """
    failed = [verdict for verdict in verdicts if not verdict.holds]
    tone = Tone.BAD if failed else Tone.GOOD
    said = (
        f"{len(failed)} of {len(verdicts)} checks FAILED"
        if failed
        else (f"all {len(verdicts)} checks passed")
    )
    rows = tuple(
        (one.group, one.check, one.expected, one.found, _PASSED if one.holds else _FAILED)
        for one in verdicts
    )
    names = ("group", "check", "expected", "found", "verdict")
    columns = tuple(Column(name, is_prose=name in names[1:4]) for name in names)
    table = TabularData(names, rows)
    return Document(
        (Table(columns, rows), Text(f"{said}, in {seconds:.0f} s", tone)),
        table,
        {"ok": not failed, "checks": table.records(), "seconds": round(seconds, 3)},
    )

"""A document's tidy table as comma-separated values, numbers with all their digits."""

from __future__ import annotations

import csv
import io

from sim.report.blocks import Document
from sim.report.figure import written
from sim.report.rendering import Format
from sim.tables.tabular import FORMULA, GUARD, Cell


def render(document: Document) -> str:
    """Return the table; no text in it can run as a formula of a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(guarded, document.table.columns))
    writer.writerows(map(guarded, row) for row in document.table.rows)
    return stream.getvalue()


def guarded(cell: Cell) -> str:
    """Write a cell exactly; numbers may begin with a sign, texts may not."""
    text = written(cell, is_exact=True)
    return f"{GUARD}{text}" if isinstance(cell, str) and text.startswith(FORMULA) else text


FORMAT = Format(render, (".csv",))

"""One small table of text and numbers, every digit kept.

Takes column names and rows; gives records, Arrow, or what was read back from CSV. How a table is
shown to people is said in :mod:`sim.report`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

Cell = str | int | float | bool | None

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that a spreadsheet would run as a formula."""
GUARD = "'"
"""Stands before such a text in CSV; spreadsheets show the rest as it is."""


@dataclass(frozen=True, slots=True)
class TabularData:
    """A table of cells.

    Attributes
    ----------
    columns : tuple of str
        Their names.
    rows : tuple of tuples
        As long as ``columns``.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def of(cls, records: Sequence[Mapping[str, Cell]]) -> TabularData:
        """Return a table of records that have the same keys."""
        columns = tuple(records[0]) if records else ()
        return cls(columns, tuple(tuple(row[name] for name in columns) for row in records))

    def records(self) -> list[dict[str, Cell]]:
        """Return one dictionary per row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def to_arrow(table: TabularData, *, origin: Mapping[str, object] | None = None) -> pa.Table:
    """Return a table as Arrow, with what made it in its metadata."""
    import pyarrow as pa

    columns = {name: [row[at] for row in table.rows] for at, name in enumerate(table.columns)}
    made = {name: json.dumps(value) for name, value in (origin or {}).items()}
    return pa.table(columns).replace_schema_metadata(made or None)


def read_csv(path: Path) -> TabularData:
    """Read a table of text back from CSV, numbers where they are numbers."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    return TabularData(tuple(rows[0]), tuple(tuple(map(_cell, row)) for row in rows[1:]))


def _cell(text: str) -> Cell:
    if text == "":
        return None
    if text.startswith(GUARD) and text[1:].startswith(FORMULA):
        return text[1:]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

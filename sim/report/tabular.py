"""Write one small table as Markdown, LaTeX, CSV, JSON or Parquet.

Takes column names and rows of text and numbers; gives text, or a file. Numbers keep all their
digits in CSV, JSON and Parquet, and are rounded for people in Markdown and LaTeX.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import UserError, suggest

if TYPE_CHECKING:
    import pyarrow as pa

Cell = str | int | float | bool | None

FORMATS = ("markdown", "latex", "csv", "json", "parquet")
_SUFFIXES = {".md": "markdown", ".tex": "latex", ".csv": "csv", ".json": "json"} | {
    ".parquet": "parquet"
}
_LATEX = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "±": r"$\pm$"}
_LATEX |= {"{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX |= {"\\": r"\textbackslash{}", "<": r"$<$", ">": r"$>$"}


@dataclass(frozen=True, slots=True)
class TabularData:
    """Hold a table.

    Attributes
    ----------
    columns : tuple of str
        Their names.
    rows : tuple of tuples
        As long as ``columns``.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def records(self) -> list[dict[str, Cell]]:
        """Return one dictionary per row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def choose_format(named: str | None, out: Path | None, *, option: str = "--out") -> str | None:
    """Return the format asked for, by name or by the suffix of the file.

    Raises
    ------
    UserError
        If it is unknown, or Parquet is asked for without a file.
    """
    if named is not None and named not in FORMATS:
        raise UserError(
            f"--format: found {named!r}; allowed: {', '.join(FORMATS)}.{suggest(named, FORMATS)}"
        )
    if named is None and out is not None:
        named = _SUFFIXES.get(out.suffix)
        if named is None:
            raise UserError(
                f"{option}: found {out.name!r}; allowed: a file that ends in "
                f"{', '.join(_SUFFIXES)}, or a --format"
            )
    if named == "parquet" and out is None:
        raise UserError("--format: found parquet without a file; give one with --out FILE.parquet")
    return named


def render(table: TabularData, form: str) -> str:
    """Return a table as text.

    Parameters
    ----------
    table : TabularData
    form : str
        One of :data:`FORMATS` but parquet.
    """
    if form == "markdown":
        return _markdown(table)
    if form == "latex":
        return _latex(table)
    if form == "csv":
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(
            ["" if cell is None else _exact(cell) for cell in row] for row in table.rows
        )
        return stream.getvalue()
    return json.dumps(table.records(), indent=2, allow_nan=False) + "\n"


def write_table(
    table: TabularData, form: str, path: Path, *, origin: Mapping[str, object] | None = None
) -> None:
    """Write a table to a file, whole or not at all.

    Parameters
    ----------
    table : TabularData
    form : str
        One of :data:`FORMATS`.
    path : Path
    origin : mapping, optional
        What made it; kept in the metadata of Parquet files.

    Raises
    ------
    MachineError
        If the file cannot be written.
    """
    from sim.tables.parquet_stream import machine_errors

    draft = path.with_name(path.name + ".new")
    with machine_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "parquet":
            import pyarrow.parquet as pq

            pq.write_table(to_arrow(table, origin=origin), draft)
        else:
            draft.write_text(render(table, form), encoding="utf-8")
        draft.replace(path)


def to_arrow(table: TabularData, *, origin: Mapping[str, object] | None = None) -> pa.Table:
    """Return a table as Arrow, with what made it in its metadata."""
    import pyarrow as pa

    columns = {name: [row[at] for row in table.rows] for at, name in enumerate(table.columns)}
    made = {name: json.dumps(value) for name, value in (origin or {}).items()}
    return pa.table(columns).replace_schema_metadata(made or None)


def read_csv(path: Path) -> TabularData:
    """Read a table of text back from CSV, numbers where they are numbers."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    return TabularData(tuple(rows[0]), tuple(tuple(map(_cell, row)) for row in rows[1:]))


def short(cell: Cell, digits: int = 4) -> str:
    """Write a cell for people: numbers with a few digits that matter."""
    if cell is None:
        return ""
    if isinstance(cell, bool) or not isinstance(cell, float):
        return str(cell)
    if cell == int(cell) and abs(cell) < 1e15:
        return str(int(cell))
    return f"{cell:.{digits}g}" if abs(cell) < 10**digits else f"{cell:.0f}"


def _markdown(table: TabularData) -> str:
    rows = [[short(cell).replace("|", r"\|") for cell in row] for row in table.rows]
    lines = ["| " + " | ".join(table.columns) + " |"]
    lines.append("|" + "|".join(" ---: " if right else " --- " for right in _numeric(table)) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _latex(table: TabularData) -> str:
    alignment = "".join("r" if right else "l" for right in _numeric(table))
    lines = [rf"\begin{{tabular}}{{{alignment}}}", r"\hline"]
    lines.append(" & ".join(map(_escape, table.columns)) + r" \\")
    lines.append(r"\hline")
    lines += [" & ".join(_escape(short(cell)) for cell in row) + r" \\" for row in table.rows]
    lines += [r"\hline", r"\end{tabular}"]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _numeric(table: TabularData) -> list[bool]:
    """Return for each column whether it holds numbers."""
    return [
        any(
            isinstance(row[at], int | float) and not isinstance(row[at], bool) for row in table.rows
        )
        for at in range(len(table.columns))
    ]


def _exact(cell: str | int | float | bool) -> str:
    return repr(cell) if isinstance(cell, float) else str(cell)


def _cell(text: str) -> Cell:
    if text == "":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def joined(parts: Sequence[str]) -> str:
    """Join parts of a sentence: ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"

"""Files of payments as columns: CSV with a header line, or Parquet.

Takes a path; gives its columns as they stand there, with the line each row stands on. What the
columns mean for a scenario is not known here.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.contract.plan import Array

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_MAX = 50_000_000
"""Most rows of a trace: all of them are held in memory, 112 bytes each."""


class UnreadableTraceError(Exception):
    """Why a file of payments cannot be read."""


@dataclass(frozen=True, slots=True)
class TraceFile:
    """The rows of one file.

    Attributes
    ----------
    name : str
        As messages call it.
    unit : str
        What a row is to whoever opens the file: a line of text, or a row.
    columns : dict of str to pyarrow.Array
        Text for CSV, an absent value being null; what the file holds for Parquet.
    line : ndarray of int64
        Per row the number of its line, from 1.
    """

    name: str
    unit: str
    columns: dict[str, pa.Array]
    line: Array

    def __len__(self) -> int:
        return len(self.line)

    def where(self, kept: Array) -> TraceFile:
        """Return the rows at which a mask is true."""
        import pyarrow as pa

        mask = pa.array(kept)
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        return TraceFile(self.name, self.unit, columns, self.line[kept])


def read_trace(path: Path) -> TraceFile:
    """Read a file of payments.

    Parameters
    ----------
    path : Path
        Ends in ``.csv``, ``.csv.gz`` or ``.parquet``.

    Raises
    ------
    UnreadableTraceError
        If it is no such file, has no rows, or rows of different lengths.
    """
    table, unit, first = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    if table.num_rows > ROWS_MAX:
        raise UnreadableTraceError(f"found {table.num_rows:,} rows; allowed: {ROWS_MAX:,}")
    columns = {name: _whole(table.column(name)) for name in table.column_names}
    line = np.arange(first, first + table.num_rows, dtype=np.int64)
    found = TraceFile(path.name, unit, columns, line)
    if unit == "line":
        found = _without_blank_end(_with_long_rows(found))
    if len(found) == 0:
        raise UnreadableTraceError("found no row; needed: at least one payment")
    return found


def _parquet(path: Path) -> tuple[pa.Table, str, int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path), "row", 1
    except (pa.ArrowException, OSError) as error:
        raise UnreadableTraceError(f"found no Parquet that can be read: {_short(error)}") from None


def _csv(path: Path) -> tuple[pa.Table, str, int]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    header = _header(path)
    wrong: list[str] = []

    def refuse(row: Any) -> str:
        # Counted from 1 with the header as the first, where rows are read one after the other.
        wrong.append(f"line {row.number}: found {row.actual_columns} values")
        return "error"

    try:
        table = arrow_csv.read_csv(
            path,
            # One thread: only then are lines counted, and two cores gain little on text.
            read_options=arrow_csv.ReadOptions(use_threads=False, column_names=header, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(
                ignore_empty_lines=False, invalid_row_handler=refuse
            ),
            # Text as it was written: what a number is, the scenario's rules say.
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in header},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, OSError) as error:
        if wrong:
            raise UnreadableTraceError(
                f"{wrong[0]}; needed: {len(header)}, as in its header"
            ) from None
        raise UnreadableTraceError(f"found no CSV that can be read: {_short(error)}") from None
    return table, "line", 2


def _with_long_rows(found: TraceFile) -> TraceFile:
    """Return rows with their lines, where some values are of several lines."""
    import pyarrow.compute as pc

    longer = np.zeros(len(found), dtype=np.int64)
    for column in found.columns.values():
        longer += pc.fill_null(pc.count_substring(column, "\n"), 0).to_numpy(zero_copy_only=False)
    # A row begins behind the lines of those before it.
    line = found.line + np.concatenate(([0], np.cumsum(longer)[:-1]))
    return TraceFile(found.name, found.unit, found.columns, line)


def _without_blank_end(found: TraceFile) -> TraceFile:
    """Return rows without blank lines at the end of the file, which editors leave behind."""
    filled = np.zeros(len(found), dtype=bool)
    for column in found.columns.values():
        filled |= column.is_valid().to_numpy(zero_copy_only=False)
    # A blank line between two payments is a payment lost, and is told.
    return found.where(np.arange(len(found)) <= np.flatnonzero(filled).max(initial=-1))


def _header(path: Path) -> list[str]:
    """Return the names in the first line."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as stream:
            names = [name.strip() for name in next(csv.reader(stream), [])]
    except (OSError, UnicodeDecodeError, csv.Error, EOFError) as error:
        raise UnreadableTraceError(f"found no CSV that can be read: {_short(error)}") from None
    if not any(names):
        raise UnreadableTraceError("found no header; needed: a first line that names the columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnreadableTraceError(f"found column {twice[0]!r} twice; allowed: each once")
    return names


def _whole(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    found = column.combine_chunks()
    # Of no chunk at all Arrow makes a chunked array again.
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def _short(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]

"""Every table of a run as comma-separated values, a file each.

Takes an :class:`~sim.report.exporting.Export`; writes a folder. No text in it can run as a formula
of a spreadsheet; numbers may begin with a sign.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from sim.report.exporting import Export, Exporter
from sim.tables.finished_run import FinishedRun
from sim.tables.reading import open_table
from sim.tables.schemas import SCHEMAS
from sim.tables.tabular import FORMULA, GUARD


def write(export: Export, path: Path) -> None:
    """Write the folder."""
    path.mkdir()
    for name in recorded(export.run):
        _write_table(export.run.path / name, path / f"{Path(name).stem}.csv")


def recorded(run: FinishedRun) -> list[str]:
    """Return the tables a run has, by the names of their files."""
    return [name for name in SCHEMAS if run.has(name)]


def _write_table(source: Path, target: Path) -> None:
    name = source.name
    schema = _plain(SCHEMAS[name])
    with pa_csv.CSVWriter(target, schema) as writer:
        for batch in open_table(source, SCHEMAS[name].names):
            columns = [_guarded(column) for column in batch.columns]
            writer.write(pa.RecordBatch.from_arrays(columns, schema=schema))


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema with plain text, and without what Parquet says of columns."""
    return pa.schema(
        pa.field(entry.name, pa.string() if pa.types.is_dictionary(entry.type) else entry.type)
        for entry in schema
    )


def _guarded(column: pa.Array) -> pa.Array:
    """Return a column in which no text begins like a formula."""
    if not pa.types.is_dictionary(column.type):
        return column
    # Each text once, however many rows hold it.
    words = [
        f"{GUARD}{word}" if word is not None and word.startswith(FORMULA) else word
        for word in column.dictionary.to_pylist()
    ]
    guarded = pa.DictionaryArray.from_arrays(column.indices, pa.array(words, pa.string()))
    return guarded.cast(pa.string())


EXPORTER = Exporter("every table as CSV, in a folder", "", write, by_payment=False)

"""Every table of a run in one SQLite database, with its measures and what its columns mean.

Takes an :class:`~sim.report.exporting.Export`; writes a file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from sim.report.exporters.csv import recorded
from sim.report.exporting import Export, Exporter
from sim.tables.finished_run import FinishedRun
from sim.tables.reading import open_table
from sim.tables.schemas import SCHEMAS

_ROWS = 1 << 14
"""Rows turned into objects of Python at a time."""
_INDEXED = ("payment_id", "payment", "corridor", "name", "line")
"""Columns people look rows up by; the first of them a table has gets an index."""


def write(export: Export, path: Path) -> None:
    """Write the database."""
    with closing(sqlite3.connect(path)) as database:
        # A draft nobody reads yet: half a file is thrown away, not mended.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        _write_facts(export.run, database)
        _write_measures(export.run, database)
        for name in recorded(export.run):
            _write_table(export.run.path / name, database)
        database.commit()


def _write_facts(run: FinishedRun, database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE run (name TEXT PRIMARY KEY, value TEXT)")
    facts = (
        (name, value if isinstance(value, str) else json.dumps(value))
        for name, value in run.facts.items()
    )
    database.executemany("INSERT INTO run VALUES (?, ?)", facts)
    database.execute(
        "CREATE TABLE columns (table_name TEXT, column_name TEXT, unit TEXT, description TEXT)"
    )
    told = (
        (Path(file).stem, entry.name, *_told(entry))
        for file in recorded(run)
        for entry in SCHEMAS[file]
    )
    database.executemany("INSERT INTO columns VALUES (?, ?, ?, ?)", told)


def _told(entry: pa.Field) -> tuple[str, str]:
    return entry.metadata[b"unit"].decode(), entry.metadata[b"description"].decode()


def _write_measures(run: FinishedRun, database: sqlite3.Connection) -> None:
    database.execute(
        "CREATE TABLE measures (kind TEXT, name TEXT, measure TEXT, value REAL, unit TEXT, "
        "low REAL, high REAL)"
    )
    database.executemany("INSERT INTO measures VALUES (?, ?, ?, ?, ?, ?, ?)", _measures(run))


def _measures(run: FinishedRun) -> Iterator[tuple[object, ...]]:
    from sim.analysis.summary import summary_of

    summary = summary_of(run.summary())
    groups = [("headline", "", summary.measures)]
    groups += [(kind, name, found) for kind, by in summary.by.items() for name, found in by.items()]
    for kind, name, measures in groups:
        for measure, one in measures.items():
            yield kind, name, measure, one.value, one.unit, one.low, one.high


def _write_table(source: Path, database: sqlite3.Connection) -> None:
    name, schema = source.stem, SCHEMAS[source.name]
    columns = ", ".join(
        f'"{entry.name}" {"TEXT" if pa.types.is_dictionary(entry.type) else "INTEGER"}'
        for entry in schema
    )
    database.execute(f'CREATE TABLE "{name}" ({columns})')
    marks = ", ".join("?" * len(schema))
    for batch in open_table(source, schema.names):
        for start in range(0, batch.num_rows, _ROWS):
            part = batch.slice(start, _ROWS)
            rows = zip(*(column.to_pylist() for column in part.columns), strict=True)
            database.executemany(f'INSERT INTO "{name}" VALUES ({marks})', rows)
    key = next((column for column in _INDEXED if column in schema.names), None)
    if key is not None:
        database.execute(f'CREATE INDEX "{name}_by_{key}" ON "{name}" ("{key}")')


EXPORTER = Exporter(
    "every table, with measures, in one database", ".sqlite", write, by_payment=False
)

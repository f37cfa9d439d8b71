"""Stream Arrow tables into one Parquet file, in row groups of a fixed size.

Takes a path and a schema, then tables of any size; gives a file. Memory is one row group.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sim.tables.schemas import text_columns
from sim.tables.whole_file import machine_errors

ROW_GROUP_ROWS = 1 << 17
"""Rows per row group: large enough to compress, small enough to be read in parallel."""


class ParquetStream:
    """One Parquet file written piece by piece.

    Parameters
    ----------
    path : Path
        File to make; replaced if it exists.
    schema : pyarrow.Schema
        Its columns.
    provenance : dict of str to str, optional
        Written into the file's own metadata.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, provenance: dict[str, str] | None = None
    ) -> None:
        self._path = path
        self._schema = schema.with_metadata(provenance or {})
        self._held: list[pa.Table] = []
        self._held_rows = 0
        self.rows = 0
        integers = [entry.name for entry in schema if pa.types.is_integer(entry.type)]
        with machine_errors(path):
            # Differences of neighbouring integers in few bits, then LZ4: both the smallest and the
            # quickest to write of what was measured on payment rows.
            self._writer = pq.ParquetWriter(
                path,
                self._schema,
                compression="lz4",
                use_dictionary=text_columns(schema),
                column_encoding=dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
                write_statistics=integers,
            )

    def take(self, table: pa.Table) -> None:
        """Add rows; whole row groups are written as they fill."""
        if table.num_rows == 0:
            return
        self._held.append(table)
        self._held_rows += table.num_rows
        self.rows += table.num_rows
        if self._held_rows >= ROW_GROUP_ROWS:
            # Whole row groups only, so that their size does not depend on how chunks were cut.
            self._write(self._held_rows - self._held_rows % ROW_GROUP_ROWS)

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._held_rows:
            self._write(self._held_rows)
        with machine_errors(self._path):
            self._writer.close()

    def abandon(self) -> None:
        """Close the file without caring for what is left; used when a run is broken off."""
        self._held.clear()
        # What went wrong is told already; that a full disk takes no footer either is no news.
        with suppress(OSError):
            self._writer.close()

    def _write(self, rows: int) -> None:
        table = pa.concat_tables(self._held).replace_schema_metadata(self._schema.metadata)
        with machine_errors(self._path):
            self._writer.write_table(table.slice(0, rows), row_group_size=ROW_GROUP_ROWS)
        # A view; the memory goes with the next row group.
        rest = table.slice(rows)
        self._held = [rest] if rest.num_rows else []
        self._held_rows = rest.num_rows


def merge_parts(path: Path, parts: list[Path]) -> int:
    """Append Parquet files of one schema into one, row group by row group.

    Parameters
    ----------
    path : Path
        File to make.
    parts : list of Path
        In the order wanted, as in one file per replication.

    Returns
    -------
    int
        Rows written.
    """
    first = pq.ParquetFile(parts[0])
    schema = first.schema_arrow
    first.close()
    stream = ParquetStream(path, schema.remove_metadata(), _text(schema.metadata))
    for part in parts:
        with machine_errors(part), pq.ParquetFile(part, read_dictionary=text_columns(schema)) as f:
            # Group by group: replications are merged in the memory of one.
            for group in range(f.num_row_groups):
                table = f.read_row_group(group).replace_schema_metadata(None)
                stream.take(table.cast(schema.remove_metadata()).unify_dictionaries())
    stream.close()
    return stream.rows


def _text(metadata: dict[bytes, bytes] | None) -> dict[str, str]:
    """Return a file's metadata as text, without Arrow's own entry."""
    return {k.decode(): v.decode() for k, v in (metadata or {}).items() if k != b"ARROW:schema"}

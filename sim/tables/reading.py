"""Read the tables of a run folder: Parquet files in batches, Arrow columns as NumPy columns.

Takes paths and Arrow columns; gives batches, int64 arrays in which
:data:`~sim.contract.layout.NULL` stands for null, and indices in which -1 does. Knows nothing of
how a table is written, so that an audit can read one without the code it audits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from sim.contract.layout import NULL
from sim.contract.plan import Array
from sim.tables.schemas import text_columns

BATCH_ROWS = 1 << 17
"""Rows read at a time: enough to work on whole columns, few enough to hold several."""


def open_table(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Read a table batch by batch, text columns dictionary-encoded.

    Parameters
    ----------
    path : Path
        A Parquet file of a run folder.
    columns : list of str
        Which columns.
    """
    with pq.ParquetFile(path) as file:
        texts = [name for name in text_columns(file.schema_arrow) if name in columns]
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        yield from file.iter_batches(batch_size=BATCH_ROWS, columns=columns)


def int_values(column: pa.ChunkedArray) -> Array:
    """Return a table's integer column as int64 with NULL for null."""
    filled: Array = column.fill_null(NULL).to_numpy().astype(np.int64, copy=False)
    return filled


def text_codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return a text column as indices (-1 for null) and the names they stand for.

    Parameters
    ----------
    column : ChunkedArray
        Dictionary-encoded or plain text.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    if column.num_chunks == 0:
        return np.empty(0, dtype=np.int64), ()
    names = tuple(str(name) for name in column.chunk(0).dictionary.to_pylist())
    parts = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate(parts).astype(np.int64), names

"""Turn NumPy columns into Arrow columns and back, whole columns at a time.

Takes int64 arrays in which :data:`~sim.contract.spec.NULL` means "never happened" and indices in
which a negative number means "none"; gives Arrow arrays with nulls.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sim.contract.plan import Array
from sim.contract.spec import NULL


def int_column(values: Array) -> pa.Array:
    """Return an int64 Arrow column in which NULL has become null."""
    values = np.ascontiguousarray(values)
    empty = values == NULL
    if not empty.any():
        return pa.array(values)
    valid = np.packbits(~empty, bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(values)]
    return pa.Array.from_buffers(pa.int64(), len(values), buffers, int(empty.sum()))


def text_column(indices: npt.NDArray[np.integer], names: pa.Array) -> pa.Array:
    """Return a dictionary column of the names at the indices; a negative index is null."""
    codes = np.ascontiguousarray(indices, dtype=np.int32)
    empty = codes < 0
    if not empty.any():
        return pa.DictionaryArray.from_arrays(pa.array(codes), names)
    valid = np.packbits(~empty, bitorder="little")
    codes = np.where(empty, np.int32(0), codes)
    buffers = [pa.py_buffer(valid), pa.py_buffer(codes)]
    column = pa.Array.from_buffers(pa.int32(), len(codes), buffers, int(empty.sum()))
    return pa.DictionaryArray.from_arrays(column, names)


def names_array(names: tuple[str, ...]) -> pa.Array:
    """Return the dictionary of a text column; never empty, so that index 0 always exists."""
    return pa.array(names or ("",), type=pa.string())


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

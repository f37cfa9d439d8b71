"""Turn NumPy columns into Arrow columns, whole columns at a time.

Takes int64 arrays in which :data:`~sim.contract.layout.NULL` means "never happened" and indices in
which a negative number means "none"; gives Arrow arrays with nulls. The way back is
:mod:`sim.tables.reading`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sim.contract.layout import NULL
from sim.contract.plan import Array


class Laid(NamedTuple):
    """Rows as columns side by side in memory, with the masks that Arrow wants.

    Attributes
    ----------
    columns : ndarray of int64, shape (width, rows)
        Values, NULL where there is none.
    valid : ndarray of uint8, shape (width, bytes)
        A bit per row, the lowest first, 1 where there is a value.
    nulls : ndarray of int64, shape (width,)
        How many there are without.
    """

    columns: Array
    valid: npt.NDArray[np.uint8]
    nulls: Array

    @property
    def rows(self) -> Array:
        """Return the rows again, of which a column is read without a gap."""
        return self.columns.T

    def column(self, at: int) -> pa.Array:
        """Return an Arrow column over this memory in which NULL has become null."""
        nulls = int(self.nulls[at])
        mask = pa.py_buffer(self.valid[at]) if nulls else None
        buffers = [mask, pa.py_buffer(self.columns[at])]
        return pa.Array.from_buffers(pa.int64(), self.columns.shape[1], buffers, nulls)


def lay_out(rows: Array) -> Laid:
    """Return rows as columns.

    Parameters
    ----------
    rows : ndarray of int64, shape (rows, width)
    """
    # Machine code, which those who only read a finished run do without.
    from sim.tables.column_loop import lay_columns

    count, width = rows.shape
    laid = Laid(
        np.empty((width, count), dtype=np.int64),
        np.empty((width, -(-count // 8)), dtype=np.uint8),
        np.zeros(width, dtype=np.int64),
    )
    lay_columns(np.ascontiguousarray(rows), *laid)
    return laid


def int_column(values: Array) -> pa.Array:
    """Return an int64 Arrow column in which NULL has become null."""
    values = np.ascontiguousarray(values)
    empty = values == NULL
    if not empty.any():
        return whole_column(values)
    # Arrow's own form of a mask, made without a Python object per value.
    valid = np.packbits(~empty, bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(values)]
    return pa.Array.from_buffers(pa.int64(), len(values), buffers, int(empty.sum()))


def whole_column(values: Array) -> pa.Array:
    """Return an int64 Arrow column over the memory of an array without NULL.

    Notes
    -----
    ``pyarrow.array`` asks whether the array is one of pandas, and imports that for it: a third of a
    second.
    """
    values = np.ascontiguousarray(values, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def text_column(indices: npt.NDArray[np.integer], names: pa.Array) -> pa.Array:
    """Return a dictionary column of the names at the indices; a negative index is null."""
    codes = np.ascontiguousarray(indices, dtype=np.int32)
    empty = codes < 0
    if not empty.any():
        column = pa.Array.from_buffers(pa.int32(), len(codes), [None, pa.py_buffer(codes)])
        return pa.DictionaryArray.from_arrays(column, names)
    valid = np.packbits(~empty, bitorder="little")
    # A masked code is never looked at but still has to be one of the dictionary's.
    codes = np.where(empty, np.int32(0), codes)
    buffers = [pa.py_buffer(valid), pa.py_buffer(codes)]
    column = pa.Array.from_buffers(pa.int32(), len(codes), buffers, int(empty.sum()))
    return pa.DictionaryArray.from_arrays(column, names)


@lru_cache(maxsize=256)
def names_array(names: tuple[str, ...]) -> pa.Array:
    """Return the dictionary of a text column; never empty, so that index 0 always exists."""
    texts = [name.encode() for name in names or ("",)]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)

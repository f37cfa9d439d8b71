"""Turn NumPy columns into Arrow columns, whole columns at a time.

Takes int64 arrays in which :data:`~sim.contract.layout.NULL` means "never happened" and indices in
which a negative number means "none"; gives Arrow arrays with nulls. The way back is
:mod:`sim.tables.reading`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sim.contract.layout import NULL
from sim.contract.plan import Array


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

"""Turn NumPy columns into Arrow columns, whole columns at a time.

Takes int64 arrays in which :data:`~sim.contract.layout.NULL` means "never happened" and indices in
which a negative number means "none"; gives Arrow arrays with nulls. The way back is
:mod:`sim.tables.reading`.
"""

from __future__ import annotations

from functools import lru_cache

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

"""Turn rows into columns with the masks that Arrow wants, in one pass.

Takes records; fills columns. Read row after row, memory is gone through once and not once for every
column.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.contract.layout import NULL
from sim.contract.plan import Array
from sim.jit.cache import compiled


@compiled
def lay_columns(rows: Array, columns: Array, valid: npt.NDArray[np.uint8], nulls: Array) -> None:
    """Write every column of some rows, and where it has values.

    Parameters
    ----------
    rows : ndarray of int64, shape (n, width)
    columns : ndarray of int64, shape (width, n)
        Receives the values, NULL as it is.
    valid : ndarray of uint8, shape (width, bytes)
        Receives a bit per row, the lowest first, 1 where there is a value.
    nulls : ndarray of int64, shape (width,)
        Receives how many there are without.
    """
    count, width = rows.shape
    # Eight rows at a time: a byte of each mask, and a line of the processor's cache of each column.
    for byte in range(valid.shape[1]):
        first = byte * 8
        last = min(first + 8, count)
        for column in range(width):
            mask = 0
            for i in range(first, last):
                value = rows[i, column]
                columns[column, i] = value
                if value == NULL:
                    nulls[column] += 1
                else:
                    mask |= 1 << (i - first)
            valid[column, byte] = mask

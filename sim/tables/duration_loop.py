"""Count durations in the cells of their groups, one by one.

Takes durations with the numbers of their groups and a hash table of cells; changes the table. Far
quicker than sorting them, as most durations fall into cells that are there already.
"""

from __future__ import annotations

from sim.contract.plan import Array
from sim.jit.cache import compiled
from sim.tables.durations import CELL_BITS, GROUP_SHIFT


@compiled
def count_cells(group: Array, values: Array, first: int, cells: Array, smaller: Array) -> int:
    """Count durations in the cells of their groups.

    Parameters
    ----------
    group, values : ndarray of int64, shape (n,)
        As :meth:`~sim.tables.durations.DurationFolder.take` is given them.
    first : int
        Where to go on.
    cells : ndarray of int64, shape (size + 1, 4)
        Cell with its group, shortest, longest and count; a hash table whose size is a power of 2
        and whose free rows have count 0. The last row says how many are taken.
    smaller : ndarray of int64, shape (rows, 4)
        Rows of a table that was too small, put into this one first.

    Returns
    -------
    int
        How many are counted; fewer than there are where the table is half full.
    """
    size = len(cells) - 1
    for row in range(len(smaller)):
        if smaller[row, 3] > 0:
            at = _find_cell(cells, smaller[row, 0])
            cells[size, 0] += 1
            for column in range(4):
                cells[at, column] = smaller[row, column]
    for i in range(first, len(values)):
        value = values[i]
        octave = 0
        high = value >> (CELL_BITS + 1)
        while high > 0:
            high >>= 1
            octave += 1
        cell = (octave << CELL_BITS) + (value >> octave)
        key = (group[i] << GROUP_SHIFT) | cell
        at = _find_cell(cells, key)
        if cells[at, 3] == 0:
            if 2 * cells[size, 0] >= size:
                return i
            cells[size, 0] += 1
            cells[at, 0] = key
            cells[at, 1] = value
            cells[at, 2] = value
        cells[at, 1] = min(cells[at, 1], value)
        cells[at, 2] = max(cells[at, 2], value)
        cells[at, 3] += 1
    return len(values)


@compiled
def _find_cell(cells: Array, key: int) -> int:
    """Return the row of a cell, or the free row it would take."""
    last = len(cells) - 2
    # Fibonacci hashing (Knuth, vol. 3, section 6.4) within 63 bits: cells of one group stand side
    # by side, and in rows side by side they would be in the way of another's.
    at = (((key & 0x7FFFFFFF) * 0x9E3779B1) >> 20) & last
    while cells[at, 3] > 0 and cells[at, 0] != key:
        at = (at + 1) & last
    return int(at)

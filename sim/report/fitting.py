"""Choose the columns of a table that a line has room for, and how wide each is.

Takes a table and the room; gives columns and widths in letters. What is wider than there is room
for goes on in the next line where it is prose, and spare columns are left out; no cell is ever cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from sim.report.blocks import Bar, Table
from sim.report.figure import written

GAP = 2
"""Letters between two columns."""
_BAR_MIN, _BAR_MAX = 10, 36
_PROSE_MIN = 16


def fit(table: Table, width: int | None, *, gap: int = GAP) -> tuple[list[int], list[int]] | None:
    """Return the columns there is room for, and the width of each.

    Parameters
    ----------
    table : Table
    width : int or None
        Letters of a line; None where there is no limit.
    gap : int
        Letters between two columns.

    Returns
    -------
    tuple of two lists, or None
        None where even the columns that may not be left out are too wide together.
    """
    columns = list(range(len(table.columns)))
    sizes = _sizes(table, columns, width, gap)
    while sizes is None:
        spare = max(columns, key=lambda at: table.columns[at].spare)
        if not table.columns[spare].spare:
            return None
        columns.remove(spare)
        sizes = _sizes(table, columns, width, gap)
    return columns, sizes


def _sizes(table: Table, columns: Sequence[int], width: int | None, gap: int) -> list[int] | None:
    """Return the width of every column, None where they do not fit."""
    cells = [[row[at] for row in table.rows] for at in columns]
    heads = [table.columns[at].name if table.is_headed else "" for at in columns]
    is_bar = [any(isinstance(cell, Bar) for cell in column) for column in cells]
    texts = [
        [head, *(part for cell in column for part in written(cell).splitlines())]
        for head, column in zip(heads, cells, strict=True)
    ]
    sizes = [max(map(cell_len, column)) for column in texts]
    if width is None:
        return [
            max(size, _BAR_MAX) if bar else size for size, bar in zip(sizes, is_bar, strict=True)
        ]
    room = width - gap * (len(columns) - 1)
    least = list(sizes)
    for at, column in enumerate(columns):
        if is_bar[at]:
            least[at] = max(sizes[at], _BAR_MIN)
            sizes[at] = max(sizes[at], _BAR_MAX)
        elif table.columns[column].is_prose:
            longest = max(cell_len(word) for text in texts[at] for word in text.split() or [""])
            least[at] = min(sizes[at], max(longest, _PROSE_MIN))
    if sum(least) > room:
        return None
    # What is left goes to the columns that want more, one step each in turn.
    found, left = least, room - sum(least)
    while left > 0 and found != sizes:
        for at, size in enumerate(sizes):
            if found[at] < size and left > 0:
                found[at] += 1
                left -= 1
    return found

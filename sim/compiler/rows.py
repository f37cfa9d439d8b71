"""Names into indices and rows into arrays: what the plan builder is made of.

Takes texts and integers; gives positions and C-contiguous ``int64`` arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import cache

import numpy as np

from sim.contract.plan import Array

Rows = list[list[int]]
"""Rows of one table; of one number each where the table has one dimension."""
Cells = dict[tuple[int, int], int]
"""Cells of a table that is mostly empty, by row and column."""
Candidates = Sequence[int] | Sequence[tuple[int, int, int]]
"""Routes a payment may choose from: by number where all are alike, else with rank and share."""


class Names:
    """Texts numbered in the order they are first seen."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def add(self, name: str) -> int:
        """Return the index of a name, adding it if new."""
        # A dict keeps the order of insertion, so an index is a position.
        return self._index.setdefault(name, len(self._index))

    def add_new(self, name: str) -> int:
        """Return the index of a name that must not be there yet."""
        if name in self._index:
            raise ValueError(f"{name!r} is already there")
        return self.add(name)

    def __getitem__(self, name: str) -> int:
        return self._index[name]

    def get(self, name: str) -> int:
        """Return the index of a name, -1 if it is not there."""
        return self._index.get(name, -1)

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def __len__(self) -> int:
        return len(self._index)

    def as_tuple(self) -> tuple[str, ...]:
        """Return all names in index order."""
        return tuple(self._index)


def row_of(columns: type[IntEnum], values: Mapping[str, int], default: int = -1) -> list[int]:
    """Lay values given by lower-case column name into a row."""
    places = _places(columns)
    row = [default] * len(columns)
    for name, value in values.items():
        row[places[name]] = int(value)
    return row


@cache
def _places(columns: type[IntEnum]) -> dict[str, int]:
    return {column.name.lower(): int(column) for column in columns}


def rows_array(rows: Rows, shape: tuple[int, ...]) -> Array:
    """Return rows as a C-contiguous array that keeps its shape when empty."""
    # Rows of other lengths than declared cannot be reshaped: the plan is not built.
    return np.array(rows, dtype=np.int64).reshape(shape)


def cells_array(cells: Cells, shape: tuple[int, ...]) -> Array:
    """Return an array of the given cells, -1 elsewhere."""
    array = np.full(shape, -1, dtype=np.int64)
    for place, value in cells.items():
        array[place] = value
    return array

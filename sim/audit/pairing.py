"""Hold the rows of one table to the rows a log demands of it.

Takes demanded rows as they come and a Parquet file; reports rows that differ, are missing or were
added. Rows belong together by their first columns, not by place, so one row too few is one finding;
memory holds a batch as long as both sides keep about the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from sim.audit.findings import Findings
from sim.audit.names import UNKNOWN, Words, cells, shown
from sim.contract.plan import Array
from sim.tables.reading import int_values, open_table

_SHOWN = 5
"""Rows named per kind of finding; the others are counted."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a table are compared, and how its rows are told apart.

    Attributes
    ----------
    file : str
        Name of the table.
    columns : tuple of str
        Columns compared; those that tell rows apart come first.
    words : dict of str to tuple of str
        Names behind the numbers of text columns.
    keys : int
        How many columns tell rows apart; all of them where a row is found as a whole or not at all.
    rule : str
        Rule under which findings are kept.
    is_unique : bool
        Whether the log demands one row per key.
    guessed : tuple of str
        Columns in which the log may not determine what is right.
    """

    file: str
    columns: tuple[str, ...]
    words: Words
    keys: int
    rule: str
    is_unique: bool = False
    guessed: tuple[str, ...] = ()


class Comparison:
    """Rows of one replication of a table beside those its log demands.

    Parameters
    ----------
    folder : Path
        The run folder.
    layout : Layout
        What is compared.
    replication : int
        Whose rows.
    findings : Findings
        Where violations go.
    """

    def __init__(self, folder: Path, layout: Layout, replication: int, findings: Findings) -> None:
        self._layout, self._findings = layout, findings
        self._parts = _read(folder / layout.file, layout, replication)
        nothing = np.empty((0, len(layout.columns)), dtype=np.int64)
        self._rest = self._expected = self._found = nothing

    def compare(self, demanded: Array, *, is_last: bool = False) -> None:
        """Compare demanded rows with as many of the table, at last with all that are left."""
        layout, f = self._layout, self._findings
        expected = _joined([self._expected, demanded])
        read = [self._take(len(demanded))]
        if is_last:
            read += [self._rest, *self._parts]
        found = _joined([self._found, *read])
        f.checks[layout.rule] = f.checks.get(layout.rule, 0) + len(demanded)
        if np.array_equal(expected, found):
            # Nearly always: nothing is copied then.
            self._expected = self._found = expected[:0]
            return
        at, of = _pair(expected, found, layout)
        self._report_different(_chosen(expected, at), _chosen(found, of))
        self._expected = np.delete(expected, at, axis=0)
        self._found = np.delete(found, of, axis=0)

    def finish(self, missing: str, added: str) -> None:
        """Report the rows that found no counterpart.

        Parameters
        ----------
        missing, added : str
            What to say of a demanded row that is not there, and of one nothing demands; the first
            ``{}`` is for the row's first column, the second for the others.
        """
        f, layout = self._findings, self._layout
        for rows, message in ((self._expected, missing), (self._found, added)):
            for row in rows[:_SHOWN].tolist():
                first, *others = (
                    shown(value, layout.words.get(name))
                    for name, value in zip(layout.columns, row, strict=True)
                )
                f.add(layout.rule, message.format(first, " ".join(others)))
            f.count += max(len(rows) - _SHOWN, 0)

    def _take(self, count: int) -> Array:
        """Read so many rows, or those there are."""
        parts, held = [self._rest], len(self._rest)
        while held < count and (part := next(self._parts, None)) is not None:
            parts.append(part)
            held += len(part)
        rows = _joined(parts)
        self._rest = rows[count:]
        return rows[:count]

    def _report_different(self, expected: Array, found: Array) -> None:
        layout, f, row = self._layout, self._findings, self._findings.row
        right = expected == found
        for name in layout.guessed:
            column = layout.columns.index(name)
            right[:, column] |= expected[:, column] == UNKNOWN
        # The row of the log at hand is not the row of the table that is wrong.
        f.row = -1
        for at in np.flatnonzero(~right.all(axis=1)).tolist():
            column = int(np.argmin(right[at]))
            name = layout.columns[column]
            is_now, should_be = (
                shown(int(side[at, column]), layout.words.get(name)) for side in (found, expected)
            )
            f.add(
                layout.rule,
                f"payment {expected[at, 0]} of {layout.file} differs from the log in {name}: "
                f"{is_now}, should be {should_be}",
            )
        f.row = row


def _joined(parts: list[Array]) -> Array:
    """Return rows one after the other, without a copy where only one part has any."""
    some = [part for part in parts if len(part)]
    return some[0] if len(some) == 1 else np.concatenate(parts)


def _chosen(rows: Array, at: Array) -> Array:
    """Return the rows at some places, without a copy where those are all there are, in order."""
    return rows if len(at) == len(rows) and bool(np.all(np.diff(at) == 1)) else rows[at]


def _read(path: Path, layout: Layout, replication: int) -> Iterator[Array]:
    """Read the rows of a replication, names as numbers."""
    for batch in open_table(path, ["replication", *layout.columns]):
        table = pa.Table.from_batches([batch])
        mine = int_values(table.column("replication")) == replication
        if mine.any():
            rows = cells(table, layout.columns, layout.words)
            yield rows if mine.all() else rows[mine]


def _pair(expected: Array, found: Array, layout: Layout) -> tuple[Array, Array]:
    """Return which rows belong together, each used once.

    Notes
    -----
    Rows in the same place come first, since nearly all of them are: of equal rows it does not
    matter which is which. Only what is left is sorted.
    """
    count = min(len(expected), len(found))
    told_by = layout.keys if layout.is_unique else len(layout.columns)
    here = np.flatnonzero(np.all(expected[:count, :told_by] == found[:count, :told_by], axis=1))
    if len(here) == len(expected) == len(found):
        return here, here
    left, right = (np.delete(np.arange(len(side)), here) for side in (expected, found))
    at, of = _pairs(expected[left, : layout.keys], found[right, : layout.keys])
    return np.concatenate([here, left[at]]), np.concatenate([here, right[of]])


def _pairs(expected: Array, found: Array) -> tuple[Array, Array]:
    """Return which rows are equal, each used once; equal rows pair up in the order they come."""
    rows = np.concatenate([expected, found])
    is_found = np.arange(len(rows)) >= len(expected)
    order = np.lexsort((is_found, *rows.T[::-1]))
    rows, is_found = rows[order], is_found[order]
    starts = np.ones(len(rows), dtype=np.bool_)
    starts[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    group, first = np.cumsum(starts) - 1, np.flatnonzero(starts)
    count = np.bincount(group, minlength=len(first))
    count_found = np.bincount(group[is_found], minlength=len(first))
    count_expected = count - count_found
    rank = np.arange(len(rows)) - first[group] - np.where(is_found, count_expected[group], 0)
    paired = rank < np.minimum(count_expected, count_found)[group]
    return order[paired & ~is_found], order[paired & is_found] - len(expected)

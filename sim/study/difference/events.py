"""The first event in which two runs differ.

Takes the event logs of two run folders, batch by batch; gives the row at which they part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from sim.tables.finished_run import FinishedRun
from sim.tables.reading import open_table
from sim.tables.schemas import EVENTS, EVENTS_FILE

Event = dict[str, int | str | None]


@dataclass(frozen=True, slots=True)
class Parting:
    """Where two event logs part.

    Attributes
    ----------
    number : int
        Row of the log, from 0: so many are equal.
    before, after : mapping or None
        The row of either, as in ``events.parquet``; None where the log has ended.
    """

    number: int
    before: Event | None
    after: Event | None


def first_differing_event(one: FinishedRun, other: FinishedRun) -> Parting | None:
    """Return where the logs of two runs part, None where they are equal to the last row.

    Parameters
    ----------
    one, other : FinishedRun
        Both with ``events.parquet``.
    """
    streams = _Rows(one), _Rows(other)
    number = 0
    while True:
        size = min(stream.held for stream in streams)
        if size == 0:
            rows = [stream.row(0) for stream in streams]
            return None if rows == [None, None] else Parting(number, rows[0], rows[1])
        first, second = (stream.take(size) for stream in streams)
        if not first.equals(second):
            at = _first_difference(first, second)
            before, after = (table.slice(at, 1).to_pylist()[0] for table in (first, second))
            return Parting(number + at, before, after)
        number += size


def _first_difference(one: pa.Table, other: pa.Table) -> int:
    """Return the first row in which two tables of one length differ, by halving."""
    low, high = 0, one.num_rows
    while high - low > 1:
        middle = (low + high) // 2
        if one.slice(low, middle - low).equals(other.slice(low, middle - low)):
            low = middle
        else:
            high = middle
    return low


class _Rows:
    """The rows of a log, as many at a time as are asked for."""

    def __init__(self, run: FinishedRun) -> None:
        self._batches: Iterator[pa.RecordBatch] = open_table(run.path / EVENTS_FILE, EVENTS.names)
        self._table: pa.Table | None = None

    @property
    def held(self) -> int:
        """Return how many rows can be had without reading; 0 only at the end of the log."""
        while self._table is None or self._table.num_rows == 0:
            batch = next(self._batches, None)
            if batch is None:
                return 0
            # As plain text: dictionaries of two files may number their words differently.
            self._table = _plain(pa.Table.from_batches([batch]))
        return int(self._table.num_rows)

    def take(self, size: int) -> pa.Table:
        """Return the next rows."""
        assert self._table is not None
        taken, self._table = self._table.slice(0, size), self._table.slice(size)
        return taken

    def row(self, at: int) -> Event | None:
        """Return a row among those held, None past the end."""
        if self.held <= at or self._table is None:
            return None
        found: Event = self._table.slice(at, 1).to_pylist()[0]
        return found


def _plain(table: pa.Table) -> pa.Table:
    """Return a table with its text as text."""
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(pa.string()))
    return table

"""The lives of payments, one after another: what a payment was and every visit it made.

Takes a finished run; gives a :class:`Life` per payment, in order of replication and number, in the
memory of a few thousand payments, however many there are. Visits lie in ``stages.parquet`` in the
order of time; they are dealt into heaps of neighbouring payments on disk first, and each heap is
then small enough to be sorted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sim.errors import UserError
from sim.tables.finished_run import FinishedRun
from sim.tables.reading import open_table
from sim.tables.schemas import PAYMENTS, PAYMENTS_FILE, STAGES, STAGES_FILE

Numbers = npt.NDArray[np.int64]
Field = int | str | None

HEAP_PAYMENTS = 50_000
"""Payments of one heap: with a dozen visits each it takes some fifty megabytes."""
_HEAPS_MAX = 200
"""Files that are open at a time; of more payments heaps are larger."""
_TOGETHER = 2_000
"""Payments turned into objects of Python at a time."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of a payment at a stage.

    Attributes
    ----------
    stage : str
        Name of the stage with its route, as in ``explain``.
    station : str or None
        Where it was; None where nobody serves.
    queued_us : int
        When it came.
    started_us : int or None
        When waiting was over; None: it left before.
    ended_us : int or None
        When it went on; None: it was there at the horizon.
    cause : str
        What the time counts as.
    """

    stage: str
    station: str | None
    queued_us: int
    started_us: int | None
    ended_us: int | None
    cause: str

    @property
    def activity(self) -> str:
        """Return the stage's name without its route."""
        return self.stage.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Life:
    """One payment.

    Attributes
    ----------
    fields : dict
        Its row of ``payments.parquet``.
    visits : tuple of Visit
        In order of time; empty where the run did not record stages.
    """

    fields: dict[str, Field]
    visits: tuple[Visit, ...]

    def number(self, name: str) -> int | None:
        """Return a number of its row, None where it never happened."""
        found = self.fields[name]
        return found if isinstance(found, int) else None

    def text(self, name: str) -> str | None:
        """Return a text of its row, None where there is none."""
        found = self.fields[name]
        return found if isinstance(found, str) else None

    def milestones(self) -> list[tuple[str, int]]:
        """Return what happened to it as a whole and when, in order of time."""
        found: list[tuple[str, int]] = []
        for name in ("submitted", "quoted", "settled", "credited"):
            time_us = self.number(f"{name}_us")
            if time_us is not None:
                found.append((name, time_us))
        ended = self.number("end_us")
        if ended is not None:
            found.append((str(self.fields["outcome"]), ended))
        # What happened at one instant stays in this order: sorting keeps it.
        return sorted(found, key=lambda one: one[1])


def read_lives(
    run: FinishedRun,
    *,
    corridors: Sequence[str] = (),
    with_visits: bool = True,
    notice: Callable[[int, int], None] | None = None,
) -> Iterator[Life]:
    """Yield every payment of a run, in order of replication and number.

    Parameters
    ----------
    run : FinishedRun
    corridors : sequence of str
        Only payments of these; by default all.
    with_visits : bool
        Whether visits are read, where the run recorded them.
    notice : callable, optional
        Hears how many payments are done, of how many.

    Raises
    ------
    UserError
        If the run did not record its payments, or has none of such a corridor.
    """
    if not run.has(PAYMENTS_FILE):
        raise UserError(
            f"{run.path}: found no {PAYMENTS_FILE}; run again with --record payments or more"
        )
    order = _Order.of(run.path / PAYMENTS_FILE, corridors)
    done = 0
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="payroute-")))
        rows = _Heaps(place / "payments", order, corridors)
        rows.deal(run.path / PAYMENTS_FILE, PAYMENTS.names)
        visits = None
        if with_visits and run.has(STAGES_FILE):
            visits = _Heaps(place / "stages", order)
            visits.deal(run.path / STAGES_FILE, STAGES.names)
        for heap in range(order.heaps):
            stages = None if visits is None else visits.take(heap)
            for life in _lives(rows.take(heap), stages, order):
                yield life
                done += 1
                if notice is not None and done % _TOGETHER == 0:
                    notice(done, order.payments)


@dataclass(frozen=True, slots=True)
class _Order:
    """Where each payment stands among all of a run.

    Attributes
    ----------
    offsets : ndarray of int64
        Payments before each replication.
    payments, heaps, size : int
        How many payments, heaps, and payments of a heap.
    """

    offsets: Numbers
    payments: int
    heaps: int
    size: int

    @classmethod
    def of(cls, path: Path, corridors: Sequence[str]) -> _Order:
        most: dict[int, int] = {}
        known: set[str] = set()
        for batch in open_table(path, ["payment_id", "replication", "corridor"]):
            replication = batch.column("replication").to_numpy()
            payment = batch.column("payment_id").to_numpy()
            known.update(map(str, batch.column("corridor").unique().to_pylist()))
            for number in np.unique(replication).tolist():
                last = int(payment[replication == number].max()) + 1
                most[number] = max(most.get(number, 0), last)
        for name in corridors:
            if name not in known:
                listed = ", ".join(sorted(known)) or "none, the run has no payments"
                raise UserError(f"--corridor: found {name!r}; allowed: {listed}")
        counts = np.array([most.get(n, 0) for n in range(max(most, default=0) + 1)], dtype=np.int64)
        total = int(counts.sum())
        size = max(HEAP_PAYMENTS, -(-total // _HEAPS_MAX))
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        return cls(offsets, total, max(-(-total // size), 1), size)

    def places(self, table: pa.Table | pa.RecordBatch) -> Numbers:
        """Return where the payments of rows stand."""
        replication = table.column("replication").to_numpy()
        payment = table.column("payment_id").to_numpy()
        found: Numbers = self.offsets[replication] + payment
        return found


class _Heaps:
    """Rows of a table, dealt by neighbouring payments into files of their own."""

    def __init__(self, folder: Path, order: _Order, corridors: Sequence[str] = ()) -> None:
        folder.mkdir()
        self._folder, self._order, self._corridors = folder, order, corridors
        self._schema: pa.Schema | None = None

    def deal(self, path: Path, columns: list[str]) -> None:
        """Read a table and write each heap's rows to its file."""
        writers: dict[int, pa.RecordBatchStreamWriter] = {}
        with ExitStack() as stack:
            for batch in open_table(path, columns):
                table = pa.Table.from_batches([batch])
                self._schema = table.schema
                if self._corridors:
                    wanted = np.isin(table.column("corridor").to_pylist(), self._corridors)
                    table = table.filter(pa.array(wanted))
                heap = self._order.places(table) // self._order.size
                for number in np.unique(heap).tolist():
                    if number not in writers:
                        file = self._folder / str(number)
                        made = pa.ipc.new_stream(file, table.schema)
                        writers[number] = stack.enter_context(made)
                    writers[number].write_table(table.filter(pa.array(heap == number)))

    def take(self, number: int) -> pa.Table | None:
        """Return the rows of a heap, None where it has none, and remove its file."""
        file = self._folder / str(number)
        if not file.exists():
            return None
        with pa.ipc.open_stream(file) as stream:
            table = stream.read_all()
        file.unlink()
        return table


def _lives(payments: pa.Table | None, stages: pa.Table | None, order: _Order) -> Iterator[Life]:
    """Yield the payments of a heap."""
    if payments is None:
        return
    places = order.places(payments)
    by_place = np.argsort(places, kind="stable")
    payments, places = payments.take(pa.array(by_place)), places[by_place]
    staged = None if stages is None else _sorted_stages(stages, order)
    for start in range(0, payments.num_rows, _TOGETHER):
        part = payments.slice(start, _TOGETHER)
        here = places[start : start + _TOGETHER]
        if staged is None:
            for row in part.to_pylist():
                yield Life(row, ())
            continue
        table, at = staged
        first = int(np.searchsorted(at, here[0]))
        bounds = np.searchsorted(at, [*here.tolist(), int(here[-1]) + 1]) - first
        ends = np.searchsorted(at, here, side="right") - first
        visits = _visits(table.slice(first, int(ends[-1])))
        for row, begin, end in zip(part.to_pylist(), bounds.tolist(), ends.tolist(), strict=False):
            yield Life(row, tuple(visits[begin:end]))


def _sorted_stages(stages: pa.Table, order: _Order) -> tuple[pa.Table, Numbers]:
    """Return visits by payment and then by time, and whose they are."""
    places = order.places(stages)
    # What begins at one instant ends in the order it went on.
    times = [stages.column(name).fill_null(np.iinfo(np.int64).max).to_numpy() for name in _TIMES]
    by_place = np.lexsort((*reversed(times), places))
    return stages.take(pa.array(by_place)), places[by_place]


_TIMES = ("queued_us", "ended_us", "started_us")


def _visits(table: pa.Table) -> list[Visit]:
    columns = (table.column(name).to_pylist() for name in _VISIT)
    return [Visit(*row) for row in zip(*columns, strict=True)]


_VISIT = ("stage_name", "station", "queued_us", "started_us", "ended_us", "cause")

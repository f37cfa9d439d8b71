"""Receive what happens during a run and stream it to disk, in constant memory.

Takes, as a :class:`~sim.contract.run.Sink`, chunks of log rows and payment records; gives the
Parquet files of a run folder, the folded tallies and the digests. :class:`SinkGroup` lets several
sinks listen to one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sim.contract.plan import Array, Plan
from sim.contract.records import LOG_WIDTH, LogColumn
from sim.contract.run import Progress, Sink
from sim.tables.break_rows import break_rows
from sim.tables.breaks import BreakFolder
from sim.tables.columns import lay_out
from sim.tables.digest import ContentDigest, RollingDigest, row_words
from sim.tables.folding import SummaryFolder
from sim.tables.kept_state import Arrays, Tree, put_back, take_out
from sim.tables.log_rows import SAMPLED, SeriesRows, StageRows, event_rows
from sim.tables.market_rows import price_rows, rate_rows
from sim.tables.order_rows import OrderRows
from sim.tables.parquet_stream import ParquetStream
from sim.tables.parties import Parties
from sim.tables.payment_rows import PaymentRows
from sim.tables.refund_rows import RefundRows, has_refunds
from sim.tables.schemas import (
    BREAKS_FILE,
    EVENTS_FILE,
    FEES_FILE,
    OBLIGATIONS_FILE,
    ORDERS_FILE,
    PAYMENTS_FILE,
    PRICES_FILE,
    RATES_FILE,
    REFUNDS_FILE,
    SCHEMAS,
    SERIES_FILE,
    SETTLEMENTS_FILE,
    STAGES_FILE,
    Record,
    with_exponents,
)
from sim.tables.settlement_rows import SettlementRows
from sim.tables.sink_check import check_log, check_records

if TYPE_CHECKING:
    from sim.tables.kept_digest import KeptDigest


_GATHERED = (
    *("summary", "_logged_us", "_parties", "_stages", "_settlements", "_breaks"),
    *("_rolling", "_content"),
)
"""Attributes of a writer that change while a run goes on, but for its files."""


def take_at_once(step: Callable[[pa.Table], None], table: pa.Table) -> None:
    """Take a step of writing here and now."""
    step(table)


_SAMPLE_ROWS = 1 << 14
"""Rows of samples that are made into a table at once."""


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """How a run is written.

    Attributes
    ----------
    record : Record
        How much.
    replication : int
        Number written into every row.
    provenance : dict of str to str or None
        Written into the metadata of every file.
    suffix : str
        Put before ``.parquet``, so that replications can write side by side and be merged by
        :func:`~sim.tables.parquet_stream.merge_parts`.
    progress : callable or None
        Takes simulated time, payments and events.
    aside : callable
        Takes a step and what it is given, and takes that step behind all before it: at once, or
        in a thread that writes.
    is_kept : bool
        Whether the run may stop on its way and go on later (:meth:`RunWriter.kept`).
    begins : bool
        Whether it is the first of the writers of a run, which writes what is known beforehand.
    """

    record: Record = Record.PAYMENTS
    replication: int = 0
    provenance: dict[str, str] | None = None
    suffix: str = ""
    progress: Progress | None = None
    aside: Callable[[Callable[[pa.Table], None], pa.Table], None] = take_at_once
    is_kept: bool = False
    begins: bool = True


class RunWriter:
    """Sink that writes the tables of one run.

    Parameters
    ----------
    plan : Plan
        The plan that is run.
    folder : Path or None
        Where files go; None writes none, whatever the options say.
    options : WriterOptions, optional
        How much is written, and under which number.

    Attributes
    ----------
    summary : SummaryFolder
        Tallies of every payment, whatever is written.
    files : tuple of Path
        Files this writer makes.
    """

    def __init__(
        self, plan: Plan, folder: Path | None = None, options: WriterOptions | None = None
    ) -> None:
        self._options = options or WriterOptions()
        # Without a folder nothing can be written, but tallies and digests are made all the
        # same.
        record = self._options.record if folder is not None else Record.NONE
        # The summary is folded from records, so it is the same whatever is written.
        self.wants_records = True
        self.wants_log = record.covers(Record.STAGES)
        # Series need SAMPLE rows even where the log is not recorded: a few rows instead of
        # millions.
        self.wants_samples = record.covers(Record.PAYMENTS)
        self.summary = SummaryFolder(plan)
        self._horizon_us, self._logged_us = plan.horizon_us, 0
        self._parties = Parties()
        self._payments = PaymentRows(plan, self._options.replication, self._parties)
        self._has_payments = record.covers(Record.PAYMENTS)
        self._stages = StageRows(plan, self._options.replication)
        self._series = SeriesRows(plan, self._options.replication)
        self._refunds = RefundRows(plan, self._options.replication)
        self._orders = OrderRows(plan, self._options.replication)
        self._settlements = SettlementRows(plan, self._options.replication)
        self._plan, self._breaks = plan, BreakFolder(plan)
        self._rolling, self._content = _rolling(self._options), ContentDigest()
        self._streams: dict[str, ParquetStream] = {}
        self._samples = [np.zeros((0, LOG_WIDTH), dtype=np.int64)]
        self.files: tuple[Path, ...] = ()
        names: list[str] = []
        if record.covers(Record.PAYMENTS):
            names += [PAYMENTS_FILE, FEES_FILE, SERIES_FILE, RATES_FILE, PRICES_FILE]
            names += [REFUNDS_FILE] if has_refunds(plan) else []
            names += [ORDERS_FILE] if len(plan.shop) else []
            names += [OBLIGATIONS_FILE, SETTLEMENTS_FILE] if len(plan.line) else []
            names += [BREAKS_FILE] if len(plan.reconciliation) else []
        if record.covers(Record.STAGES):
            names += [STAGES_FILE]
        # Each level contains the ones before it.
        if record.covers(Record.EVENTS):
            names += [EVENTS_FILE]
        self._folder, self._names = folder, names
        if folder is not None:
            self._open(self._options.suffix)
        # Known before anything happens, and the same whatever does.
        if RATES_FILE in self._streams and self._options.begins:
            self._put(RATES_FILE, rate_rows(plan, self._options.replication))
            self._put(PRICES_FILE, price_rows(plan, self._options.replication))

    @property
    def digest(self) -> str:
        """Fingerprint of the run: of the log where it was wanted, else of the records in order.

        The word before the colon says which, so that only like is compared with like.
        """
        return f"{'log' if self.wants_log else 'records'}:{self._rolling.text()}"

    @property
    def payments_digest(self) -> str:
        """Fingerprint of the records as a set, whatever their order."""
        return self._content.text()

    def follow(self, workload: Iterable[Array]) -> Iterable[Array]:
        """Pass on the payments an engine draws; their parties are written with them."""
        return self._parties.follow(workload) if self._has_payments else workload

    def take_log(self, rows: Array) -> None:
        """Take event-log rows, in order, or the SAMPLE rows alone where the log is not wanted."""
        if len(rows) == 0:
            return
        # Only samples come here then, and the fingerprint is that of the records.
        if not self.wants_log:
            if self.wants_samples:
                self._take_samples(rows)
            return
        self._logged_us = check_log(rows, self._logged_us)
        # The log in order decides everything else, so its fingerprint is the run's.
        self._rolling.take(rows)
        self._put(STAGES_FILE, self._stages.take(rows))
        self._take_samples(rows)
        if EVENTS_FILE in self._streams:
            table = event_rows(rows, self._options.replication)
            self._put(EVENTS_FILE, table)

    def _take_samples(self, rows: Array) -> None:
        """Keep what tables show of rows of the log, whether it is recorded or not."""
        # Few at a time, and a table of a few takes as long to make as one of many.
        self._samples.append(rows[np.isin(rows[:, LogColumn.KIND], SAMPLED)])
        if sum(map(len, self._samples)) >= _SAMPLE_ROWS:
            self._write_samples()

    def _write_samples(self) -> None:
        """Write what was kept of the log."""
        rows = np.concatenate(self._samples)
        self._samples = [rows[:0]]
        self._put(SERIES_FILE, self._series.take(rows))
        if REFUNDS_FILE in self._streams:
            self._put(REFUNDS_FILE, self._refunds.take(rows))
        if ORDERS_FILE in self._streams:
            self._put(ORDERS_FILE, self._orders.take(rows))
        if SETTLEMENTS_FILE in self._streams:
            self._put(SETTLEMENTS_FILE, self._settlements.settlements(rows))

    def take_records(self, rows: Array) -> None:
        """Take payment records, in the order they ended."""
        if len(rows) == 0:
            return
        # By column, as each is read as a whole by all who follow but the fold.
        laid = lay_out(rows)
        check_records(laid.rows, self._horizon_us)
        # Worked out once and used twice: it is most of what a fingerprint costs.
        words = row_words(laid.rows)
        if not self.wants_log:
            self._rolling.take(words)
        self._content.take(words)
        self.summary.take(rows)
        if PAYMENTS_FILE in self._streams:
            self._put(PAYMENTS_FILE, self._payments.payments(laid))
            self._put(FEES_FILE, self._payments.fees(laid.rows))
        if BREAKS_FILE in self._streams:
            self._breaks.take(rows)
        if OBLIGATIONS_FILE in self._streams:
            self._put(OBLIGATIONS_FILE, self._settlements.obligations(laid.rows))

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Pass progress on to whoever asked for it."""
        if self._options.progress is not None:
            self._options.progress(time_us, payments, events)

    def close(self) -> None:
        """Write what is held and close every file; the run is complete."""
        # Visits still under way end with the run.
        if STAGES_FILE in self._streams:
            self._put(STAGES_FILE, self._stages.finish())
        if SERIES_FILE in self._streams:
            self._write_samples()
        # What is open at the last comparison is known only now.
        if BREAKS_FILE in self._streams:
            table = break_rows(self._plan, self._breaks, self._options.replication)
            self._put(BREAKS_FILE, table)
        for stream in self._streams.values():
            stream.close()

    def cut(self, suffix: str) -> None:
        """Close every file, whole as far as it goes, and go on in files of another suffix."""
        if SERIES_FILE in self._streams:
            self._write_samples()
        for stream in self._streams.values():
            stream.close()
        if self._folder is not None:
            self._open(suffix)

    def kept(self, arrays: Arrays) -> Tree:
        """Return what was gathered so far; arrays are appended to the list.

        Notes
        -----
        All else is worked out from the plan, or written already.
        """
        return {name: take_out(getattr(self, name), arrays) for name in _GATHERED}

    def restore(self, tree: Tree, arrays: Arrays) -> None:
        """Go on from what a writer of the same plan and options gathered (:meth:`kept`)."""
        assert isinstance(tree, dict)
        for name in _GATHERED:
            setattr(self, name, put_back(getattr(self, name), tree[name], arrays))

    def abandon(self) -> None:
        """Close every file of a run that was broken off."""
        for stream in self._streams.values():
            stream.abandon()

    def _put(self, name: str, table: pa.Table) -> None:
        """Have a table written behind those before it."""
        self._options.aside(self._streams[name].take, table)

    def _open(self, suffix: str) -> None:
        """Make the files."""
        assert self._folder is not None
        paths = []
        for name in self._names:
            stem, extension = name.split(".")
            path = self._folder / f"{stem}{suffix}.{extension}"
            schema = with_exponents(SCHEMAS[name], self._plan.names.exponents)
            self._streams[name] = ParquetStream(path, schema, self._options.provenance)
            paths.append(path)
        self.files = (*self.files, *paths)


def _rolling(options: WriterOptions) -> RollingDigest | KeptDigest:
    """Return the library's digest, or the one that can be written down and is slower."""
    if not options.is_kept:
        return RollingDigest()
    from sim.tables.kept_digest import KeptDigest

    return KeptDigest()


class SinkGroup:
    """Several sinks of one run, each given only what it wants.

    Parameters
    ----------
    sinks : sequence of Sink
        In the order they are told.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)
        self.wants_log = any(sink.wants_log for sink in self._sinks)
        self.wants_samples = any(_wants_samples(sink) for sink in self._sinks)
        self.wants_records = any(sink.wants_records for sink in self._sinks)

    def take_log(self, rows: Array) -> None:
        """Pass log rows on."""
        for sink in self._sinks:
            # A sink that wants the log gets all of it; one that wants samples gets these, even
            # where another sink has asked for the whole log.
            if sink.wants_log:
                sink.take_log(rows)
            elif _wants_samples(sink):
                sink.take_log(rows[np.isin(rows[:, LogColumn.KIND], SAMPLED)])

    def take_records(self, rows: Array) -> None:
        """Pass records on."""
        for sink in self._sinks:
            if sink.wants_records:
                sink.take_records(rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Pass progress on."""
        for sink in self._sinks:
            sink.take_progress(time_us, payments, events)


def _wants_samples(sink: Sink) -> bool:
    """Say whether a sink wants SAMPLE rows; one that does not say does not."""
    return bool(getattr(sink, "wants_samples", False))

"""A few customers of one run, the same in every arm, and where their payments were.

Takes the event log and the records of a run while it goes on; gives a :class:`RunSample` of bounded
size, however many payments the run has. A customer is a stream and a number in it, by which all
random numbers of the payment are keyed, so two arms that draw the same demand keep the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sim.compiler.occurrences import Luck, occurrences
from sim.contract.layout import StreamColumn
from sim.contract.meaning import LogKind, Scope
from sim.contract.records import LogColumn, RecordColumn
from sim.model.members import group_names
from sim.tables.columns import lay_out
from sim.tables.log_rows import StageRows
from sim.tables.payment_rows import PaymentRows

if TYPE_CHECKING:
    import pyarrow as pa

    from sim.analysis.summary import Summary
    from sim.compiler.compile import Compiled
    from sim.contract.plan import Array, Plan
    from sim.contract.run import Sink

CUSTOMERS_MAX = 2000
"""Customers kept of all arms together: a page that plays them stays below 500 kB."""
ARMS_MAX = 4
"""Arms that are played; more below each other nobody follows."""
LANE_INTERVALS = 240
"""Intervals of the run of which the longest queue is kept."""
_QUEUES = (LogKind.SAMPLE_STATION, LogKind.SAMPLE_LEDGER, LogKind.SAMPLE_SYSTEM)
_COLUMNS = ("payment_id", "stream", "ordinal", "corridor", "route", "outcome", "reason_code",
            "submitted_us", "end_us")  # fmt: skip

Digests = npt.NDArray[np.uint64]
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class RunSample:
    """What is kept of one run to play it.

    Attributes
    ----------
    payments : tuple of dict
        Of each customer the row of ``payments.parquet``: number, stream, ordinal, corridor, route,
        outcome, reason code, instants in microseconds.
    visits : dict of int to list of dict
        By number of the payment, each ``station`` and ``queued_us``, in order of time.
    left_out : int
        Payments that are covered and not kept.
    horizon_us : int
    queue : tuple of int
        Longest queue of each of :data:`LANE_INTERVALS` intervals, at ``queue_place``.
    queue_place : str
        Where most waited over the run; empty where nobody did.
    disrupted : tuple of (int, int)
        When something went wrong, in microseconds.
    groups : dict of str to str
        What banks that are alike are called together.
    """

    payments: tuple[Row, ...]
    visits: Mapping[int, Sequence[Row]]
    left_out: int
    horizon_us: int
    queue: tuple[int, ...] = ()
    queue_place: str = ""
    disrupted: tuple[tuple[int, int], ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CustomerWatch:
    """What a comparison wants to see of the first replication of an arm.

    Attributes
    ----------
    customers_max : int
        Customers to keep.
    """

    customers_max: int

    def begin(self, compiled: Compiled) -> CustomerSink:
        """Return what listens to the run of an arm."""
        return CustomerSink(compiled, self.customers_max)


def customer_digests(names: Sequence[str], streams: Array, ordinals: Array) -> Digests:
    """Return a number for each customer that decides who is kept, the lowest first.

    Parameters
    ----------
    names : sequence of str
        Of streams.
    streams, ordinals : ndarray of int64, shape (customers,)
        Index into the names, and number within the stream.

    Notes
    -----
    A choice and not a draw: nothing that happens in a run depends on it. Names are mixed in by
    BLAKE2, numbers by the finaliser of SplitMix64 (Steele, Lea and Flood 2014), so that neither
    early payments nor one stream are preferred.
    """
    begin = np.array(
        [int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") for name in names],
        dtype=np.uint64,
    )
    mixed: Digests = begin[streams] + ordinals.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


class _Lowest:
    """The payments with the lowest digests so far, never more than a few times the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bound = np.uint64(np.iinfo(np.uint64).max)
        self.held: dict[int, int] = {}

    def add(self, payments: Array, digests: Digests) -> None:
        """Take payments that may be among the lowest."""
        near = digests <= self._bound
        self.held.update(zip(payments[near].tolist(), digests[near].tolist(), strict=True))
        # Sorted only now and then; in between a few too many are held.
        if len(self.held) > 2 * self._limit:
            self.prune()

    def prune(self) -> None:
        """Let go of all but the lowest."""
        kept = sorted(self.held, key=self.held.__getitem__)[: self._limit]
        self.held = {payment: self.held[payment] for payment in kept}
        if len(kept) == self._limit and kept:
            self._bound = np.uint64(self.held[kept[-1]])


class CustomerSink:
    """Listener to one run that keeps a few customers; a :class:`~sim.study.case.Watching`.

    Parameters
    ----------
    compiled : Compiled
    customers_max : int
        How many.

    Notes
    -----
    Log and records name the same payments but come at different times, so each chooses for itself;
    at the end both have chosen the same.
    """

    wants_log = True
    wants_records = True

    def __init__(self, compiled: Compiled, customers_max: int) -> None:
        plan = compiled.plan
        self._plan, self._scenario = plan, compiled.scenario
        scopes = plan.stream[:, StreamColumn.SCOPE]
        crossing = scopes == Scope.CROSS_BORDER
        self._is_covered: npt.NDArray[np.bool_] = (
            crossing if crossing.any() else np.ones(len(scopes), dtype=bool)
        )
        self._logged, self._ended = _Lowest(customers_max), _Lowest(customers_max)
        self._kept_max, self._covered = customers_max, 0
        self._stages, self._payments = StageRows(plan), PaymentRows(plan)
        self._visits: dict[int, list[Row]] = {}
        self._rows: dict[int, Row] = {}
        self._queues = _Queues(plan)

    @property
    def sinks(self) -> Sequence[Sink]:
        """Return what listens: this."""
        return (self,)

    def take_log(self, rows: Array) -> None:
        """Take the log: who is kept is decided as payments are submitted."""
        kind = rows[:, LogColumn.KIND]
        begun = rows[kind == LogKind.SUBMIT]
        begun = begun[self._counts(begun[:, LogColumn.SUBJECT], begun[:, LogColumn.TIME_US])]
        self._covered += len(begun)
        self._logged.add(
            begun[:, LogColumn.PAYMENT],
            self._digests(begun[:, LogColumn.SUBJECT], begun[:, LogColumn.VALUE]),
        )
        self._queues.take(rows)
        held = np.fromiter(self._logged.held, dtype=np.int64, count=len(self._logged.held))
        # The commit of a block names its ledger alone and ends the visits of all in it.
        chosen = np.isin(rows[:, LogColumn.PAYMENT], held) | (kind == LogKind.COMMIT)
        self._note(self._stages.take(rows[chosen]))

    def take_records(self, rows: Array) -> None:
        """Take what became of payments."""
        C = RecordColumn
        rows = rows[self._counts(rows[:, C.STREAM], rows[:, C.SUBMITTED_US])]
        self._ended.add(rows[:, C.PAYMENT], self._digests(rows[:, C.STREAM], rows[:, C.ORDINAL]))
        held = np.fromiter(self._ended.held, dtype=np.int64, count=len(self._ended.held))
        chosen = rows[np.isin(rows[:, C.PAYMENT], held)]
        for row in self._payments.payments(lay_out(chosen)).select(_COLUMNS).to_pylist():
            self._rows[row["payment_id"]] = row
        if len(self._rows) > 4 * self._kept_max:
            self._rows = {at: row for at, row in self._rows.items() if at in self._ended.held}

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Ignore progress."""

    def keep(self, summary: Summary) -> RunSample:
        """Return what is kept."""
        del summary
        self._note(self._stages.finish())
        self._logged.prune()
        kept = [self._rows[at] for at in sorted(self._logged.held) if at in self._rows]
        plan = self._plan
        happened = occurrences(self._scenario, Luck(plan.seed, plan.replication))
        place, queue = self._queues.longest()
        return RunSample(
            tuple(kept),
            {int(str(row["payment_id"])): self._sorted(row) for row in kept},
            self._covered - len(kept),
            plan.horizon_us,
            queue,
            place,
            tuple((one.start_us, one.stop_us) for one in happened if one.start_us < one.stop_us),
            group_names(self._scenario.institutions),
        )

    def _counts(self, streams: Array, submitted_us: Array) -> npt.NDArray[np.bool_]:
        """Return which payments measures cover: of the headline, and not of the warm-up."""
        covered: npt.NDArray[np.bool_] = self._is_covered[streams] & (
            submitted_us >= self._plan.warm_up_us
        )
        return covered

    def _digests(self, streams: Array, ordinals: Array) -> Digests:
        return customer_digests(self._plan.names.streams, streams, ordinals)

    def _note(self, table: pa.Table) -> None:
        columns = ("payment_id", "station", "queued_us")
        for row in table.select(columns).to_pylist():
            self._visits.setdefault(row.pop("payment_id"), []).append(row)
        # Of whoever is held no more nothing is kept.
        if len(self._visits) > 4 * self._kept_max:
            held = self._logged.held
            self._visits = {at: rows for at, rows in self._visits.items() if at in held}

    def _sorted(self, row: Row) -> list[Row]:
        visits = self._visits.get(int(str(row["payment_id"])), [])
        return sorted(visits, key=lambda visit: int(str(visit["queued_us"])))


class _Queues:
    """The longest queue of each interval of a run, at every place."""

    def __init__(self, plan: Plan) -> None:
        names = plan.names
        self._names = dict(
            zip(_QUEUES, (names.stations, names.ledgers, names.systems), strict=True)
        )
        self._horizon_us = max(plan.horizon_us, 1)
        shapes = {kind: (len(of), LANE_INTERVALS) for kind, of in self._names.items()}
        self._most = {kind: np.zeros(shape, dtype=np.int64) for kind, shape in shapes.items()}
        self._sums = {kind: np.zeros(shape[0], dtype=np.int64) for kind, shape in shapes.items()}

    def take(self, rows: Array) -> None:
        """Take the samples among rows of the log."""
        for kind in _QUEUES:
            found = rows[rows[:, LogColumn.KIND] == kind]
            subject, queue = found[:, LogColumn.SUBJECT], found[:, LogColumn.AMOUNT]
            at = np.minimum(
                found[:, LogColumn.TIME_US] * LANE_INTERVALS // self._horizon_us, LANE_INTERVALS - 1
            )
            np.maximum.at(self._most[kind], (subject, at), queue)
            np.add.at(self._sums[kind], subject, queue)

    def longest(self) -> tuple[str, tuple[int, ...]]:
        """Return where most waited over the run, and its longest queues by interval."""
        sums = [
            (int(total), self._names[kind][at], kind, at)
            for kind in _QUEUES
            for at, total in enumerate(self._sums[kind].tolist())
        ]
        total, name, kind, at = max(sums, default=(0, "", _QUEUES[0], 0))
        return (name, tuple(self._most[kind][at].tolist())) if total else ("", ())

"""Turn event-log rows into ``events.parquet``, ``stages.parquet`` and ``series.parquet``.

Takes the plan and chunks of the log, in order; gives Arrow tables. A visit of a payment to a stage
spans several log rows, so the visits under way are held (as many as payments are in flight).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sim.contract.agenda import FileColumn, LineColumn, OrderColumn, TopUpColumn
from sim.contract.inquiries import INQUIRY_FIRST
from sim.contract.layout import NULL, AccountColumn, StageColumn
from sim.contract.meaning import Cause, LogKind, Op, Outcome
from sim.contract.plan import Array, Plan, PlanNames
from sim.contract.records import LogColumn
from sim.tables.columns import int_column, names_array, text_column, whole_column
from sim.tables.schemas import (
    CAUSES,
    EVENTS,
    LOG_KINDS,
    SERIES,
    SERIES_KINDS,
    SERIES_MEASURES,
    STAGES,
)

L = LogColumn

_MEASURE = {name: number for number, name in enumerate(SERIES_MEASURES)}

_VISIT_KINDS = np.array(
    [
        LogKind.JOIN,
        LogKind.START,
        LogKind.FINISH,
        LogKind.LEAVE,
        LogKind.DELAY,
        LogKind.ENQUEUE,
        LogKind.IN_BLOCK,
        LogKind.COMMIT,
        LogKind.RESERVE,
        LogKind.SHORT,
        LogKind.QUEUED,
        LogKind.SETTLE,
        LogKind.EXPIRE,
        LogKind.GONE,
        LogKind.OUTCOME,
        LogKind.AWAIT,
        LogKind.IN_DOUBT,
    ]
)


def event_rows(rows: Array, replication: int) -> pa.Table:
    """Return the rows of ``events.parquet`` for a chunk of the log; numbers stay as logged."""
    columns = np.ascontiguousarray(rows.T)
    made = {
        "replication": whole_column(np.full(len(rows), replication, dtype=np.int64)),
        "time_us": whole_column(columns[L.TIME_US]),
        "key": whole_column(columns[L.KEY]),
        "kind": text_column(columns[L.KIND] - 1, names_array(LOG_KINDS)),
        "payment": whole_column(columns[L.PAYMENT]),
        "stage": whole_column(columns[L.STAGE]),
        "subject": whole_column(columns[L.SUBJECT]),
        "amount": whole_column(columns[L.AMOUNT]),
        "value": whole_column(columns[L.VALUE]),
    }
    return pa.Table.from_arrays([made[name] for name in EVENTS.names], schema=EVENTS)


SAMPLED = (
    LogKind.SAMPLE_STATION, LogKind.SAMPLE_LEDGER, LogKind.SAMPLE_ACCOUNT, LogKind.FILE_CUT,
    LogKind.FILE_CONVERTED, LogKind.FILE_SETTLED, LogKind.TOP_UP_ORDERED, LogKind.TOP_UP_ARRIVED,
    LogKind.ALARM, LogKind.CHANNEL, LogKind.SAMPLE_SYSTEM, LogKind.SAMPLE_MEMBER, LogKind.REFUND,
    LogKind.SAMPLE_LOAD, LogKind.RELEASED, LogKind.ORDER_EXPIRED,
)  # fmt: skip
"""Rows of the log the series, the refunds and the orders are made of."""


def series_things(names: PlanNames) -> tuple[tuple[str, ...], ...]:
    """Return the names that series have rows of, kind by kind."""
    return (
        names.stations,
        names.ledgers,
        names.accounts,
        names.lines,
        names.top_ups,
        names.systems,
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """How one kind of log row is shown in the series.

    Attributes
    ----------
    log_kind : LogKind
    kind : int
        Number in :data:`~sim.tables.schemas.SERIES_KINDS`.
    measures : (str, str)
        What its amount and its value are.
    names : ndarray of int64
        Number of the name of each subject.
    currencies : (ndarray of int64, ndarray of int64)
        Currency of amount and value by subject, -1 for none.
    """

    log_kind: LogKind
    kind: int
    measures: tuple[str, str]
    names: Array
    currencies: tuple[Array, Array]


def _shown(plan: Plan) -> Iterator[_Shown]:
    """Yield what the series show: samples, then files by their line, orders by what they fill."""
    names = plan.names
    things = series_things(names)
    first = np.cumsum([0, *(len(group) for group in things)])
    currency = plan.account[:, AccountColumn.CURRENCY]
    for kind, log_kind, measures in (
        (0, LogKind.SAMPLE_STATION, ("queue", "busy")),
        (1, LogKind.SAMPLE_LEDGER, ("queue", "rounds")),
        (1, LogKind.SAMPLE_LOAD, ("load_waiting", "load_taken")),
    ):
        none = np.full(len(things[kind]), -1, dtype=np.int64)
        yield _Shown(log_kind, kind, measures, first[kind] + np.arange(len(none)), (none, none))
    at = first[2] + np.arange(len(currency))
    money = ("balance_minor", "pending_minor")
    yield _Shown(LogKind.SAMPLE_ACCOUNT, 2, money, at, (currency, currency))
    of = plan.file[:, FileColumn.LINE]
    # A line is closed in one currency, and paid in another where it sells its files.
    closed = currency[plan.line[of, LineColumn.CLOSED]]
    held = currency[plan.line[of, LineColumn.HELD]]
    at = first[3] + of
    yield _Shown(LogKind.FILE_CUT, 3, ("gross_minor", "net_minor"), at, (closed, closed))
    yield _Shown(LogKind.FILE_CONVERTED, 3, ("sold_minor", "bought_minor"), at, (closed, held))
    yield _Shown(LogKind.FILE_SETTLED, 3, ("paid_minor", "carried_minor"), at, (held, held))
    rule = plan.order[:, OrderColumn.TOP_UP]
    filled = currency[plan.top_up[rule, TopUpColumn.ACCOUNT]]
    at = first[4] + rule
    yield _Shown(LogKind.TOP_UP_ORDERED, 4, ("ordered_minor", "level_minor"), at, (filled, filled))
    yield _Shown(LogKind.TOP_UP_ARRIVED, 4, ("arrived_minor", "due_minor"), at, (filled, filled))
    at, none = first[2] + np.arange(len(currency)), np.full(len(currency), -1, dtype=np.int64)
    yield _Shown(LogKind.ALARM, 5, ("level_minor", "alarm"), at, (currency, none))
    yield _Shown(LogKind.CHANNEL, 5, ("level_minor", "closed"), at, (currency, none))
    money = ("queued_minor", "settled_minor")
    yield _Shown(LogKind.SAMPLE_MEMBER, 7, money, at, (currency, currency))
    none = np.full(len(names.systems), -1, dtype=np.int64)
    at = first[5] + np.arange(len(none))
    yield _Shown(LogKind.SAMPLE_SYSTEM, 6, ("queue", "settled"), at, (none, none))


class SeriesRows:
    """Converter of the log's samples, files and top-ups, one row per figure.

    Parameters
    ----------
    plan : Plan
        The plan of the run, for names.
    replication : int
        Number written into every row.
    """

    def __init__(self, plan: Plan, replication: int = 0) -> None:
        names = plan.names
        self._replication = replication
        things = series_things(names)
        self._names = names_array(tuple(name for group in things for name in group))
        self._currencies = names_array(names.currencies)
        self._shown = tuple(_shown(plan))

    def take(self, rows: Array) -> pa.Table:
        """Return the rows of ``series.parquet`` for a chunk of the log."""
        at_parts, found = [], []
        for shown in self._shown:
            at = np.flatnonzero(rows[:, L.KIND] == shown.log_kind)
            subject = rows[at, L.SUBJECT]
            for measure, column, currency in zip(
                shown.measures, (L.AMOUNT, L.VALUE), shown.currencies, strict=True
            ):
                at_parts.append(at)
                block = np.empty((len(at), 5), dtype=np.int64)
                block[:, 0] = shown.kind
                block[:, 1] = shown.names[subject]
                block[:, 2] = _MEASURE[measure]
                block[:, 3] = rows[at, column]
                block[:, 4] = currency[subject]
                found.append(block)
        at = np.concatenate(at_parts)
        # Back into the order of the log, the two figures of a sample side by side.
        order = np.argsort(at, kind="stable")
        kind, name, measure_of, value, money = np.concatenate(found)[order].T
        made = {
            "replication": whole_column(np.full(len(at), self._replication, dtype=np.int64)),
            "time_us": whole_column(rows[at[order], L.TIME_US]),
            "kind": text_column(kind, names_array(SERIES_KINDS)),
            "name": text_column(name, self._names),
            "currency": text_column(money, self._currencies),
            "measure": text_column(measure_of, names_array(SERIES_MEASURES)),
            "value": whole_column(value.copy()),
        }
        return pa.Table.from_arrays([made[name] for name in SERIES.names], schema=SERIES)


@dataclass(slots=True)
class Visit:
    """One payment at one stage; NULL where something has not happened."""

    stage: int
    place: int
    cause: int
    queued_us: int = NULL
    started_us: int = NULL
    due_us: int = NULL
    finish_us: int = NULL
    asks: bool = False
    """Whether it waits for an inquiry, whose rows name no payment, and not for the late answer."""


class StageRows:
    """Converter of log rows into visits of payments to stages; what is asked about them is none.

    Parameters
    ----------
    plan : Plan
        The plan of the run, for names and the causes of stages.
    replication : int
        Number written into every row.
    """

    def __init__(self, plan: Plan, replication: int = 0) -> None:
        names = plan.names
        self._replication = replication
        self._cause: list[int] = plan.stage[:, StageColumn.CAUSE].tolist()
        asks = (plan.stage[:, StageColumn.OP] == Op.AWAIT) & (
            plan.stage[:, StageColumn.SUBJECT] >= 0
        )
        self._asks: list[bool] = asks.tolist()
        self._stage_names = names_array(names.stages)
        self._has_stage_names = len(names.stages) > 0
        self._places = names_array((*names.stations, *names.ledgers, *names.accounts))
        self._ledgers_from = len(names.stations)
        self._accounts_from = self._ledgers_from + len(names.ledgers)
        self._open: dict[int, Visit] = {}
        self._blocks: dict[int, list[int]] = {}
        # Requests payments gave up, by payment: the end of the last is the answer it may await.
        self._expired: Visit | None = None
        self._given_up: dict[int, Visit] = {}
        self._done: list[tuple[int, int, int, int, int, int, int]] = []

    def take(self, rows: Array) -> pa.Table:
        """Return the visits that ended within a chunk of the log."""
        # Python for the rows that begin or end a visit, columns for everything before.
        of_payments = rows[:, L.PAYMENT] < INQUIRY_FIRST
        chosen = rows[np.isin(rows[:, L.KIND], _VISIT_KINDS) & of_payments]
        for time_us, _, kind, payment, stage, subject, amount, _ in chosen.tolist():
            self._row(time_us, kind, payment, (stage, subject, amount))
        return self._table()

    def finish(self) -> pa.Table:
        """Return the visits nobody ended: those of payments open at the horizon."""
        # A copy of the keys, as closing takes them out.
        for payment in list(self._open):
            self._close(payment, NULL)
        return self._table()

    def _row(self, time_us: int, kind: int, payment: int, row: tuple[int, int, int]) -> None:
        stage, subject, amount = row
        visit = self._open.get(payment)
        # A delay writes no row when it ends, so its end shows with the payment's next row.
        self._finish_delay(payment, visit, time_us)
        if visit is not None and visit.asks and kind != LogKind.FINISH:
            # Nothing is heard of a payment that waits for an inquiry until it goes on.
            self._close(payment, time_us)
            visit = None
        if kind == LogKind.JOIN:
            self._open[payment] = Visit(stage, subject, self._cause[stage], queued_us=time_us)
        elif kind == LogKind.START:
            # Already there where the payment waited; new where it started at once.
            visit = self._open.setdefault(
                payment, Visit(stage, subject, self._cause[stage], queued_us=time_us)
            )
            visit.started_us = time_us
            visit.finish_us = time_us + amount
        elif kind == LogKind.DELAY:
            self._open[payment] = Visit(
                stage, -1, subject, queued_us=time_us, started_us=time_us, due_us=time_us + amount
            )
        elif kind == LogKind.ENQUEUE:
            place = self._ledgers_from + subject
            self._open[payment] = Visit(stage, place, self._cause[stage], queued_us=time_us)
        elif kind in (LogKind.SHORT, LogKind.QUEUED):
            place = self._accounts_from + subject
            self._open[payment] = Visit(stage, place, int(Cause.LIQUIDITY), queued_us=time_us)
        elif kind == LogKind.AWAIT:
            self._open[payment] = Visit(
                stage,
                -1,
                self._cause[stage],
                queued_us=time_us,
                started_us=time_us,
                asks=self._asks[stage],
            )
        elif kind == LogKind.IN_BLOCK:
            self._blocks.setdefault(subject, []).append(payment)
            # Nobody enters a block who has not been enqueued; a log that says so is for the
            # audit to judge.
            if visit is not None:
                visit.started_us = time_us
        elif kind == LogKind.COMMIT:
            # COMMIT names the ledger only; who is in the block is known from its IN_BLOCK rows.
            for committed in self._blocks.pop(subject, []):
                self._close(committed, time_us)
        elif kind == LogKind.OUTCOME and subject == Outcome.IN_PROGRESS:
            self._close(payment, NULL)
        elif self._ends(kind, visit, payment, (stage, time_us), is_given_up=subject == 1):
            self._expired = visit
            self._close(payment, time_us)
        elif kind == LogKind.IN_DOUBT and self._expired is not None:
            # The row behind its EXPIRE or GONE, which ended the visit.
            self._given_up[payment] = self._expired
        if kind == LogKind.OUTCOME:
            self._given_up.pop(payment, None)

    def _ends(
        self,
        kind: int,
        visit: Visit | None,
        payment: int,
        row: tuple[int, int],
        *,
        is_given_up: bool,
    ) -> bool:
        """Say whether a row ends the visit: a late FINISH does not, but where it is the answer."""
        stage, time_us = row
        # Whoever's payment goes its way without him leaves it where it is.
        if visit is None or (kind == LogKind.GONE and not is_given_up):
            return False
        # A RESERVE or SETTLE row ends a wait only if the payment waited for it.
        if kind in (LogKind.RESERVE, LogKind.SETTLE):
            return visit.cause == Cause.LIQUIDITY and visit.stage == stage
        # An abandoned service finishes later, while its payment may be at another stage.
        if kind == LogKind.FINISH:
            if visit.asks:
                return False
            # Who awaits an answer is at no station, and waits for the service given up last.
            if visit.place < 0 and visit.due_us == NULL:
                visit = self._given_up.get(payment, visit)
            return visit.stage == stage and visit.finish_us == time_us
        return True

    def _finish_delay(self, payment: int, visit: Visit | None, time_us: int) -> None:
        """Close a delay that had run out when the payment is next heard of."""
        if visit is not None and visit.due_us != NULL and visit.due_us <= time_us:
            self._close(payment, visit.due_us)

    def _close(self, payment: int, time_us: int) -> None:
        visit = self._open.pop(payment, None)
        if visit is not None:
            self._done.append(
                (
                    payment,
                    visit.stage,
                    visit.place,
                    visit.queued_us,
                    visit.started_us,
                    time_us,
                    visit.cause,
                )
            )

    def _table(self) -> pa.Table:
        columns = np.array(self._done, dtype=np.int64).reshape(-1, 7).T
        self._done = []
        stage_text = columns[1] if self._has_stage_names else np.full(columns.shape[1], -1)
        made = {
            "payment_id": int_column(columns[0]),
            "replication": whole_column(
                np.full(columns.shape[1], self._replication, dtype=np.int64)
            ),
            "stage": int_column(columns[1]),
            "stage_name": text_column(stage_text, self._stage_names),
            "station": text_column(columns[2], self._places),
            "queued_us": int_column(columns[3]),
            "started_us": int_column(columns[4]),
            "ended_us": int_column(columns[5]),
            "cause": text_column(columns[6], names_array(CAUSES)),
        }
        return pa.Table.from_arrays([made[name] for name in STAGES.names], schema=STAGES)

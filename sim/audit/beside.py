"""Hold every table of a run folder to the event log beside it.

Takes a run folder, and what a replay of its log finds out as it goes; reports rows that the log
does not bear out. Each table is compared batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.audit.findings import Findings
from sim.audit.order_tables import demand_orders, ends_of_orders, order_layout
from sim.audit.pairing import Comparison, Layout
from sim.audit.payments import FeeDemands, demand_payments, fee_layout, payment_layout
from sim.audit.pools import Visit
from sim.audit.refund_tables import demand_refunds, refund_layout
from sim.audit.sampled import (
    demand_series,
    demand_visits,
    samples_of,
    series_layout,
    visit_layout,
)
from sim.audit.settlement_tables import (
    SettlementDemands,
    obligation_layout,
    settlement_layout,
)
from sim.audit.world import ENDED_WIDTH
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LOG_WIDTH, LogColumn
from sim.tables.finished_run import FinishedRun
from sim.tables.reading import BATCH_ROWS
from sim.tables.schemas import (
    FEES_FILE,
    OBLIGATIONS_FILE,
    ORDERS_FILE,
    PAYMENTS_FILE,
    REFUNDS_FILE,
    SERIES_FILE,
    SETTLEMENTS_FILE,
    STAGES_FILE,
)


class TablesBesideLog:
    """Tables of one replication, each beside what its log demands.

    Parameters
    ----------
    run : FinishedRun
        A finished run; a table it does not have is not looked at.
    plan : Plan
        The plan it was made from.
    replication : int
        Whose rows.
    findings : Findings
        Where violations go.
    """

    def __init__(self, run: FinishedRun, plan: Plan, replication: int, findings: Findings) -> None:
        self._plan, self._findings = plan, findings

        # What was not recorded is not looked at; that it should have been is said by
        # ``run.json``.
        def beside(layout: Layout) -> Comparison | None:
            has_table = run.has(layout.file)
            return Comparison(run.path, layout, replication, findings) if has_table else None

        self._payment_layout, self._fee_layout = payment_layout(plan), fee_layout(plan)
        self._visit_layout, self._series_layout = visit_layout(plan), series_layout(plan)
        self._payments, self._fees = beside(self._payment_layout), beside(self._fee_layout)
        self._visits, self._series = beside(self._visit_layout), beside(self._series_layout)
        self._refund_layout = refund_layout(plan)
        self._refunds = beside(self._refund_layout)
        self._order_layout = order_layout(plan)
        self._orders = beside(self._order_layout)
        self._owed_layout, self._paid_layout = obligation_layout(plan), settlement_layout(plan)
        self._owed, self._paid = beside(self._owed_layout), beside(self._paid_layout)
        self._demands = SettlementDemands(plan)
        self._charged = FeeDemands(plan, self._fee_layout)
        self._ended = _Batch(ENDED_WIDTH, self._compare_ended)
        self._visited = _Batch(len(Visit), self._compare_visits)
        self._sampled = _Batch(LOG_WIDTH, self._compare_series)
        self._settled = _Batch(LOG_WIDTH, self._compare_settled)
        self._refunded = _Batch(LOG_WIDTH, self._compare_refunds)
        self._ordered = _Batch(LOG_WIDTH, self._compare_orders)

    def take_log(self, rows: Array) -> None:
        """Take rows of the log, before the replay takes them."""
        if self._fees is not None:
            # The replay says which payments ended; which of their fees count is known only
            # then.
            self._charged.take_log(rows)
        if self._series is not None:
            self._sampled.take(samples_of(rows))
        if self._owed is not None or self._paid is not None:
            self._settled.take(self._demands.wanted(rows))
        if self._refunds is not None:
            self._refunded.take(rows[rows[:, LogColumn.KIND] == LogKind.REFUND])

        if self._orders is not None:
            self._ordered.take(ends_of_orders(rows))

    def take_ended(self, rows: Array) -> None:
        """Take the records ended payments must have, in the order they ended."""
        self._ended.take(rows)

    def take_visits(self, rows: Array) -> None:
        """Take the visits that ended."""
        if self._visits is not None:
            self._visited.take(rows)

    def finish(self) -> None:
        """Compare what is left and report rows that have no counterpart."""
        self._findings.row = -1
        # What is left of each, and then rows without a counterpart, which may still have been
        # on their way before.
        batches = (
            *(self._ended, self._visited, self._sampled),
            *(self._refunded, self._ordered, self._settled),
        )
        for batch in batches:
            batch.close()
        if self._payments is not None:
            self._payments.finish(
                f"payment {{}} ended and has no row of its own in {PAYMENTS_FILE}",
                f"payment {{}} has a row no end in the log explains in {PAYMENTS_FILE}",
            )
        for table, what, file in (
            (self._fees, "payment", FEES_FILE),
            (self._visits, "payment", STAGES_FILE),
            (self._series, "instant", SERIES_FILE),
            (self._refunds, "payment", REFUNDS_FILE),
            (self._orders, "payment", ORDERS_FILE),
            (self._owed, "payment", OBLIGATIONS_FILE),
            (self._paid, "line", SETTLEMENTS_FILE),
        ):
            if table is not None:
                table.finish(
                    f"{what} {{}}: the log demands {{}}, not in {file}",
                    f"{what} {{}}: the log has no {{}}, which is in {file}",
                )

    def _compare_ended(self, rows: Array, is_last: bool) -> None:
        if self._payments is not None:
            demanded = demand_payments(self._plan, self._payment_layout, rows)
            self._payments.compare(demanded, is_last=is_last)
        if self._fees is not None:
            self._fees.compare(self._charged.demand(rows), is_last=is_last)

    def _compare_visits(self, rows: Array, is_last: bool) -> None:
        if self._visits is not None:
            demanded = demand_visits(self._plan, self._visit_layout, rows)
            self._visits.compare(demanded, is_last=is_last)

    def _compare_series(self, rows: Array, is_last: bool) -> None:
        if self._series is not None:
            demanded = demand_series(self._plan, self._series_layout, rows)
            self._series.compare(demanded, is_last=is_last)

    def _compare_settled(self, rows: Array, is_last: bool) -> None:
        if self._owed is not None:
            self._owed.compare(self._demands.obligations(rows), is_last=is_last)
        if self._paid is not None:
            self._paid.compare(self._demands.settlements(rows), is_last=is_last)

    def _compare_refunds(self, rows: Array, is_last: bool) -> None:
        if self._refunds is not None:
            demanded = demand_refunds(self._plan, self._refund_layout, rows)
            self._refunds.compare(demanded, is_last=is_last)

    def _compare_orders(self, rows: Array, is_last: bool) -> None:
        if self._orders is not None:
            self._orders.compare(demand_orders(self._order_layout, rows), is_last=is_last)


class _Batch:
    """Rows held until there are enough of them to work on whole columns."""

    def __init__(self, width: int, compare: Callable[[Array, bool], None]) -> None:
        self._compare = compare
        self._nothing = np.empty((0, width), dtype=np.int64)
        self._held: list[Array] = []
        self._rows = 0

    def take(self, rows: Array) -> None:
        """Hold rows, and pass them on once there are enough."""
        if len(rows) == 0:
            return
        self._held.append(rows)
        self._rows += len(rows)
        # Whole columns are fast, rows are not; a batch is a few thousand of them.
        if self._rows >= BATCH_ROWS:
            self._pass_on(is_last=False)

    def close(self) -> None:
        """Pass on what is left, as the last there is."""
        self._pass_on(is_last=True)

    def _pass_on(self, *, is_last: bool) -> None:
        rows = np.concatenate([self._nothing, *self._held])
        self._held, self._rows = [], 0
        self._compare(rows, is_last)

"""Write ``refunds.parquet``: every part of a payment that fell due to be paid back.

Takes the plan and REFUND rows of the log; gives Arrow tables.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sim.contract.layout import PricingColumn, RouteColumn
from sim.contract.meaning import FixedSide, LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn
from sim.contract.refunds import RefundColumn
from sim.tables.columns import int_column, names_array, text_column, whole_column
from sim.tables.schemas import REASONS, REFUNDS

L, P = LogColumn, PricingColumn


def has_refunds(plan: Plan) -> bool:
    """Say whether anything is ever paid back."""
    of = plan.refund[:, [RefundColumn.SHARE, RefundColumn.WRITTEN_COUNT]]
    return bool((of > 0).any())


class RefundRows:
    """Converter of the log's REFUND rows, one row per part.

    Parameters
    ----------
    plan : Plan
        The plan of the run, for names.
    replication : int
        Number written into every row.
    """

    def __init__(self, plan: Plan, replication: int = 0) -> None:
        self._replication = replication
        self._routes, self._currencies = names_array(plan.names.routes), plan.names.currencies
        # The END stage a part names lies in the program of its route: the last one begun before.
        entry = plan.route[:, RouteColumn.ENTRY]
        self._order = np.argsort(entry, kind="stable")
        self._entry = entry[self._order]
        # A route without a price has no parts: whatever the last row, of nothing, says.
        pricing = np.vstack([plan.pricing, np.full_like(plan.pricing, -1, shape=(1, len(P)))])
        found = pricing[plan.route[:, RouteColumn.PRICING]]
        is_creditors = found[:, P.FIXED_SIDE] == FixedSide.CREDITOR
        credited, debited = found[:, P.CURRENCY_CREDITED], found[:, P.CURRENCY_DEBITED]
        self._currency = np.where(is_creditors, credited, debited)

    def take(self, rows: Array) -> pa.Table:
        """Return the rows of ``refunds.parquet`` for a chunk of the log."""
        rows = rows[rows[:, L.KIND] == LogKind.REFUND]
        route = self._order[np.searchsorted(self._entry, rows[:, L.STAGE], side="right") - 1]
        made = {
            "payment_id": int_column(rows[:, L.PAYMENT]),
            "replication": whole_column(np.full(len(rows), self._replication, dtype=np.int64)),
            "time_us": int_column(rows[:, L.TIME_US]),
            "route": text_column(route, self._routes),
            "part": int_column(rows[:, L.SUBJECT]),
            "currency": text_column(self._currency[route], names_array(self._currencies)),
            "paid_minor": int_column(rows[:, L.AMOUNT]),
            # Number 0 is of no reason: it was paid.
            "reason_code": text_column(
                np.where(rows[:, L.VALUE] == 0, -1, rows[:, L.VALUE]), names_array(REASONS)
            ),
        }
        return pa.Table.from_arrays([made[name] for name in REFUNDS.names], schema=REFUNDS)

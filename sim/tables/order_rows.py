"""Write ``orders.parquet``: every order of a shop that was released or expired.

Takes the plan and RELEASED and ORDER_EXPIRED rows of the log; gives Arrow tables.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sim.contract.layout import NULL
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn
from sim.tables.columns import int_column, names_array, text_column
from sim.tables.schemas import ORDER_STATES, ORDERS

L = LogColumn


class OrderRows:
    """Converter of the log's rows of orders that are over, one row per order.

    Parameters
    ----------
    plan : Plan
        The plan of the run, for names.
    replication : int
        Number written into every row.
    """

    def __init__(self, plan: Plan, replication: int = 0) -> None:
        self._replication = replication
        self._shops, self._states = names_array(plan.names.shops), names_array(ORDER_STATES)

    def take(self, rows: Array) -> pa.Table:
        """Return the rows of ``orders.parquet`` for a chunk of the log."""
        rows = rows[np.isin(rows[:, L.KIND], (LogKind.RELEASED, LogKind.ORDER_EXPIRED))]
        is_expired = rows[:, L.KIND] == LogKind.ORDER_EXPIRED
        made = {
            "payment_id": int_column(rows[:, L.PAYMENT]),
            "replication": pa.array(np.full(len(rows), self._replication, dtype=np.int64)),
            "time_us": int_column(rows[:, L.TIME_US]),
            "shop": text_column(rows[:, L.SUBJECT], self._shops),
            "state": text_column(is_expired.astype(np.int64), self._states),
            "polls": int_column(rows[:, L.AMOUNT]),
            "seen_after_us": int_column(np.where(is_expired, NULL, rows[:, L.VALUE])),
        }
        return pa.Table.from_arrays([made[name] for name in ORDERS.names], schema=ORDERS)

"""Check ``orders.parquet``: against the log where there is one, else against the payments.

Takes rows of the table as numbers, rows of the log, and the plan. Written from the meaning of
RELEASED and ORDER_EXPIRED rows in :mod:`sim.contract.shops`, with nothing of the code that writes
the table.
"""

from __future__ import annotations

import numpy as np

from sim.audit.checker import Checker
from sim.audit.names import Words, first_of_name
from sim.audit.pairing import Layout
from sim.contract.layout import NULL, StageColumn, StreamColumn
from sim.contract.meaning import LogKind, Op
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn
from sim.contract.shops import ShopColumn
from sim.tables.schemas import ORDER_STATES, ORDERS, ORDERS_FILE

_RELEASED, _EXPIRED = (ORDER_STATES.index(one) for one in ("released", "expired"))


def order_words(plan: Plan) -> Words:
    """Return the names in ``orders.parquet``."""
    return {"shop": plan.names.shops, "state": ORDER_STATES}


def order_layout(plan: Plan) -> Layout:
    """Return how ``orders.parquet`` is compared: every order as a whole."""
    columns = tuple(name for name in ORDERS.names if name != "replication")
    return Layout(ORDERS_FILE, columns, order_words(plan), keys=len(columns), rule="shop")


def ends_of_orders(log: Array) -> Array:
    """Return the rows of a log by which orders end."""
    kind = log[:, LogColumn.KIND]
    found: Array = log[(kind == LogKind.RELEASED) | (kind == LogKind.ORDER_EXPIRED)]
    return found


def demand_orders(layout: Layout, rows: Array) -> Array:
    """Return the rows of ``orders.parquet`` that the ends of orders demand."""
    released = rows[:, LogColumn.KIND] == LogKind.RELEASED
    return np.column_stack(
        [
            rows[:, LogColumn.PAYMENT],
            rows[:, LogColumn.TIME_US],
            first_of_name(rows[:, LogColumn.SUBJECT], layout.words["shop"]),
            np.where(released, _RELEASED, _EXPIRED),
            rows[:, LogColumn.AMOUNT],
            np.where(released, rows[:, LogColumn.VALUE], NULL),
        ]
    )


def check_orders(
    plan: Plan, rows: dict[str, Array], payments: dict[str, Array], *, of: Array, check: Checker
) -> None:
    """Check ends of orders against the payments they are of.

    Parameters
    ----------
    plan : Plan
    rows : dict of str to ndarray
        Columns of ``orders.parquet`` as numbers.
    payments : dict of str to ndarray
        Columns of ``payments.parquet``.
    of : ndarray of int64
        Row of the payment of each order, -1 where it is not there.
    check : Checker
        Of payments.
    """
    among = check.among(rows["payment_id"])
    among.every("shop", of >= 0, "an order of a payment that is not there")
    of = np.maximum(of, 0)
    if len(payments["payment_id"]) == 0:
        return
    once = np.bincount(of, minlength=1)[of] == 1
    among.every("shop", once, "an order ends twice")
    released = rows["state"] == _RELEASED
    credited = payments["credited_us"][of]
    paid = (credited != NULL) & (rows["seen_after_us"] == rows["time_us"] - credited)
    among.every("shop", ~released | (paid & (rows["seen_after_us"] >= 0)), "released unpaid")
    among.every("shop", ~released | (rows["polls"] > 0), "released, though nobody asked")
    # Ordered as they are submitted, and every stream orders from one shop.
    shops = np.full(len(plan.stream) + 1, -1, dtype=np.int64)
    orders = np.flatnonzero(plan.stage[:, StageColumn.OP] == Op.ORDER)
    entries = plan.stream[:, StreamColumn.ENTRY].tolist()
    for stage in orders.tolist():
        shops[entries.index(stage)] = plan.stage[stage, StageColumn.FIRST]
    stream = payments["stream"][of]
    shop = shops[np.clip(stream, -1, len(plan.stream))]
    among.every("shop", shop == rows["shop"], "an order at a shop its stream does not order from")
    life = np.append(plan.shop[:, ShopColumn.LIFE_US], np.int64(0))[np.clip(shop, -1, None)]
    lasted = rows["time_us"] - payments["submitted_us"][of]
    in_time = np.where(released, lasted <= life, lasted == life)
    among.every("shop", in_time, "an order does not end in its time")

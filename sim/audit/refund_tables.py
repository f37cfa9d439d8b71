"""Check ``refunds.parquet``: against the log where there is one, else against the payments.

Takes rows of the table as numbers, rows of the log, and the plan. Written from the meaning of
REFUND rows in :mod:`sim.contract.refunds`, with nothing of the code that writes the table.
"""

from __future__ import annotations

import numpy as np

from sim.audit.checker import Checker
from sim.audit.names import Words, first_of_name
from sim.audit.pairing import Layout
from sim.contract.layout import PricingColumn, RouteColumn, StageColumn
from sim.contract.meaning import FixedSide, LogKind, Op, Outcome
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn
from sim.contract.refunds import REFUND_WITHIN_US
from sim.tables.schemas import REASONS, REFUNDS, REFUNDS_FILE


def refund_words(plan: Plan) -> Words:
    """Return the names in ``refunds.parquet``."""
    names = plan.names
    return {"route": names.routes, "currency": names.currencies, "reason_code": REASONS}


def refund_layout(plan: Plan) -> Layout:
    """Return how ``refunds.parquet`` is compared: every part as a whole."""
    columns = tuple(name for name in REFUNDS.names if name != "replication")
    return Layout(REFUNDS_FILE, columns, refund_words(plan), keys=len(columns), rule="refund")


def demand_refunds(plan: Plan, layout: Layout, log: Array) -> Array:
    """Return the rows of ``refunds.parquet`` that rows of the log demand."""
    rows = log[log[:, LogColumn.KIND] == LogKind.REFUND]
    route = _route_of_stage(plan)[rows[:, LogColumn.STAGE]]
    price = plan.pricing[plan.route[route, RouteColumn.PRICING]]
    side = np.where(
        price[:, PricingColumn.FIXED_SIDE] == FixedSide.DEBTOR,
        price[:, PricingColumn.CURRENCY_DEBITED],
        price[:, PricingColumn.CURRENCY_CREDITED],
    )
    reason = rows[:, LogColumn.VALUE]
    return np.column_stack(
        [
            rows[:, LogColumn.PAYMENT],
            rows[:, LogColumn.TIME_US],
            first_of_name(route, layout.words["route"]),
            rows[:, LogColumn.SUBJECT],
            first_of_name(side, layout.words["currency"]),
            rows[:, LogColumn.AMOUNT],
            np.where(reason > 0, reason, -1),
        ]
    )


def _route_of_stage(plan: Plan) -> Array:
    """Return the route whose program each stage is of: programs end where another begins."""
    found = np.full(len(plan.stage), -1, dtype=np.int64)
    entries = plan.route[:, RouteColumn.ENTRY]
    for route in np.argsort(entries, kind="stable").tolist():
        entry = int(entries[route])
        # Every END with a refund behind it: payments inside one institution have another than those
        # over the rail. A later program writes over what is not its own.
        ends = np.flatnonzero(plan.stage[entry:, StageColumn.OP] == Op.END) + entry
        paying = ends[plan.stage[ends, StageColumn.COUNT] > 0]
        found[paying] = route
    return found


def check_refunds(
    rows: dict[str, Array], payments: dict[str, Array], of: Array, check: Checker
) -> None:
    """Check parts against the payments they are of.

    Parameters
    ----------
    rows : dict of str to ndarray
        Columns of ``refunds.parquet`` as numbers.
    payments : dict of str to ndarray
        Columns of ``payments.parquet``.
    of : ndarray of int64
        Row of the payment of each part, -1 where it is not there.
    check : Checker
        Of payments.
    """
    among = check.among(rows["payment_id"])
    among.every("refund", of >= 0, "a part of a payment that is not there")
    of = np.maximum(of, 0)
    if len(payments["payment_id"]) == 0:
        return
    done = payments["outcome"][of] == Outcome.COMPLETED
    among.every("refund", done, "a part of it comes back, though it did not complete")
    late = rows["time_us"] - payments["end_us"][of]
    among.every("refund", (late > 0) & (late <= REFUND_WITHIN_US), "a part is out of its time")
    paid = (rows["paid_minor"] > 0) == (rows["reason_code"] < 0)
    among.every(
        "refund", paid & (rows["paid_minor"] >= 0), "a part is paid and refused, or neither"
    )
    same = rows["route"] == payments["route"][of]
    among.every("refund", same, "a part is of another route than its payment")
    total = np.zeros(len(payments["payment_id"]), dtype=np.int64)
    np.add.at(total, of, rows["paid_minor"])
    whole = total <= payments["instructed_amount_minor"]
    check.every("refund", whole, "more comes back than was paid")
    # Parts of a payment are numbered from 1, in order of time.
    order = np.lexsort((rows["part"], of))
    first = np.diff(of[order], prepend=-1) != 0
    begins = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    due = np.arange(len(order)) - begins + 1
    among.among(rows["payment_id"][order]).every(
        "refund", rows["part"][order] == due, "a part is missing or there twice"
    )

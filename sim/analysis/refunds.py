"""What of the payments of a run was paid back.

Takes the plan and the totals of a run; gives what the catalogue divides.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from sim.analysis.rates import common_currency
from sim.analysis.sources import Amount, Refunded
from sim.contract.layout import StreamColumn
from sim.contract.plan import Plan
from sim.contract.refunds import RefundTotal
from sim.contract.run import Totals
from sim.tables.refund_rows import has_refunds


def refunds_of(plan: Plan, totals: Totals, streams: Collection[int]) -> Refunded | None:
    """Return what payments of some streams were paid back, None where nothing ever is.

    Notes
    -----
    Amounts of several currencies are added up at the mid rates of the start.
    """
    if not has_refunds(plan):
        return None
    rows = [totals.refund[stream] for stream in sorted(streams)]

    def count(column: RefundTotal) -> int:
        return sum(int(row[column]) for row in rows)

    names = plan.names.currencies
    currencies = [names[int(plan.stream[at, StreamColumn.CURRENCY])] for at in sorted(streams)]
    common, worth = common_currency(plan, currencies)
    total: Fraction | None = Fraction(0)
    for row, currency in zip(rows, currencies, strict=True):
        value = int(row[RefundTotal.VALUE])
        if value and currency not in worth:
            total = None
        elif total is not None and value:
            total += value * worth[currency]
    return Refunded(
        parts=count(RefundTotal.PARTS),
        refused=count(RefundTotal.REFUSED),
        payments=count(RefundTotal.PAYMENTS),
        amount=Amount(None if total is None else round(total), common),
    )

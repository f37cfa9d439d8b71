"""What large-value systems took: bounds of liquidity, netting, what settled, waited and came back.

Takes a plan and the totals of its members; gives measures by system and currency.
"""

from __future__ import annotations

import numpy as np

from sim.analysis.catalogue import SYSTEM_MEASURES, measured
from sim.analysis.sources import SystemUse
from sim.analysis.summary import Measures
from sim.contract.large_value import MemberColumn, MemberTotal
from sim.contract.layout import AccountColumn
from sim.contract.plan import Plan
from sim.contract.run import Totals


def system_measures(plan: Plan, totals: Totals) -> dict[str, Measures]:
    """Return the measures of every large-value system in each currency, as ``<rail>:<currency>``.

    Notes
    -----
    The lower bound is what net debtors would have to pay, did all settle in one net cycle at the
    end; the upper bound is what members need so that nobody waits, each its deepest net debit as
    payments come. Neither depends on balances, queues or offsets.
    """
    currency = plan.account[plan.member[:, MemberColumn.ACCOUNT], AccountColumn.CURRENCY]
    found: dict[str, Measures] = {}
    for at, name in enumerate(plan.names.systems):
        for code in np.unique(currency[plan.member[:, MemberColumn.SYSTEM] == at]).tolist():
            mine = (plan.member[:, MemberColumn.SYSTEM] == at) & (currency == code)
            rows = totals.member[mine]
            paid, got = rows[:, MemberTotal.OUT], rows[:, MemberTotal.IN]
            use = SystemUse(
                plan.names.currencies[code],
                gross=int(paid.sum()),
                lower=int(np.maximum(paid - got, 0).sum()),
                upper=-int(rows[:, MemberTotal.NET_LOW].sum()),
                settled=int(rows[:, MemberTotal.SETTLED].sum()),
                waited=int(rows[:, MemberTotal.WAITED].sum()),
                returned=int(rows[:, MemberTotal.RETURNED].sum()),
            )
            key = f"{name}:{plan.names.currencies[code]}"
            found[key] = measured(SYSTEM_MEASURES, "system", use)
    return found

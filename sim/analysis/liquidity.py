"""What money placed ahead costs: how much lies idle, what that takes, what overdrafts take.

Takes the plan and the totals of a run; gives whole minor units, each rounded once, half up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sim.analysis.rates import common_currency
from sim.analysis.sources import Amount
from sim.contract.guards import GuardColumn
from sim.contract.layout import AccountColumn
from sim.contract.plan import Plan
from sim.contract.records import AREA_BITS, AccountTotal
from sim.contract.run import Totals
from sim.units import DAY_US, SECOND_US

_YEAR_US = 365 * DAY_US
"""Actual over 365 days, as the field's terms for riel, baht and Hong Kong dollars have it."""
_WHOLE_PPB = 10**9


@dataclass(frozen=True, slots=True)
class Holding:
    """What one account held over what is measured, in minor units times microseconds.

    Attributes
    ----------
    idle, overdrawn : int
        Integrals of the balance where it is above zero, and of what it is below.
    idle_ppb, overdraft_ppb : int
        What a year of either costs, in 10^-9.
    """

    idle: int
    overdrawn: int
    idle_ppb: int
    overdraft_ppb: int

    @property
    def idle_cost(self) -> Fraction | None:
        """Return what idle money cost; None where nobody says what it does."""
        return _cost(self.idle, self.idle_ppb)

    @property
    def overdraft_cost(self) -> Fraction | None:
        """Return what the overdraft cost, likewise."""
        return _cost(self.overdrawn, self.overdraft_ppb)


def holding_of(plan: Plan, totals: Totals, account: int) -> Holding:
    """Return what one account held."""
    total = [int(value) for value in totals.account[account]]
    balance = area_of(total, "BALANCE")
    overdrawn = area_of(total, "OVERDRAWN")
    guard = plan.guard[account]
    return Holding(
        balance + overdrawn,
        overdrawn,
        int(guard[GuardColumn.IDLE_PPB]),
        int(guard[GuardColumn.OVERDRAFT_PPB]),
    )


def area_of(total: Sequence[int], of: str) -> int:
    """Return an integral of an account's totals in minor units times microseconds.

    Parameters
    ----------
    total : sequence of int
        Columns of :class:`~sim.contract.records.AccountTotal`.
    of : str
        ``BALANCE`` or ``OVERDRAWN``.
    """
    columns = (AccountTotal[f"{of}_{part}"] for part in ("AREA", "AREA_HIGH", "REST"))
    area, high, rest = (total[column] for column in columns)
    return (area + (high << AREA_BITS)) * SECOND_US + rest


def whole(value: Fraction | None) -> int | None:
    """Return an amount in whole minor units, half up."""
    return None if value is None else int((2 * value + 1) // 2)


Placed = tuple[Amount | None, Amount | None, Amount | None]
"""What lay idle on the mean of time, what that cost, and what overdrafts cost."""


def liquidity_of(plan: Plan, totals: Totals) -> Placed:
    """Return what money placed ahead comes to; None where there is none, or no such rate.

    Notes
    -----
    Of every watched account but those programs name by role: what members of a ledger hold there
    is not placed ahead for anybody. Added up at the mid rates of the start, and rounded then.
    """
    names = plan.names.currencies
    own = set(np.unique(plan.agent_account).tolist())
    watched = [
        at
        for at, row in enumerate(plan.account)
        if row[AccountColumn.WATCHED] == 1 and at not in own
    ]
    span_us = plan.horizon_us - plan.warm_up_us
    if not watched or span_us <= 0:
        return None, None, None
    codes = {at: names[int(plan.account[at, AccountColumn.CURRENCY])] for at in watched}
    common, worth = common_currency(plan, list(codes.values()))
    if any(code not in worth for code in codes.values()):
        return Amount(None, common), None, None
    held = {at: holding_of(plan, totals, at) for at in watched}
    idle = sum((one.idle * worth[codes[at]] for at, one in held.items()), Fraction(0))

    def summed(costs: dict[int, Fraction | None]) -> Amount | None:
        known = [cost * worth[codes[at]] for at, cost in costs.items() if cost is not None]
        return Amount(whole(sum(known, Fraction(0))), common) if known else None

    return (
        Amount(whole(idle / span_us), common),
        summed({at: one.idle_cost for at, one in held.items()}),
        summed({at: one.overdraft_cost for at, one in held.items()}),
    )


def _cost(area: int, ppb: int) -> Fraction | None:
    return Fraction(area * ppb, _WHOLE_PPB * _YEAR_US) if ppb else None

"""Totals and readings as they leave the compiled engine.

Takes what the kernel counted since the last reading and what it read; gives totals of the run, and
checks that no money came from nowhere.
"""

from __future__ import annotations

import numpy as np

from sim.contract.layout import AccountColumn
from sim.contract.plan import Array, Plan
from sim.contract.records import AccountTotal, LedgerTotal, StationTotal
from sim.contract.windows import reading_instants
from sim.engine.kernel.state import LOW_UNKNOWN
from sim.errors import InvariantViolation

Places = tuple[Array, Array, Array]
"""Of stations, ledgers and accounts."""


def read_out(plan: Plan, now: Places, read: Places) -> tuple[Places, Places]:
    """Return totals of the run and copies of the readings, and of the horizon behind them.

    Parameters
    ----------
    plan : Plan
    now : tuple of ndarray of int64
        Totals of which maxima and minima are since the last reading; changed in place.
    read : tuple of ndarray of int64
        Totals of every reading, reading after reading.
    """
    count = len(reading_instants(plan.window, plan.horizon_us))
    stations, ledgers, accounts = (
        np.concatenate([rows.reshape(count, *one.shape), one[np.newaxis]])
        for rows, one in zip(read, now, strict=True)
    )
    for one, rows, column in (
        (now[0], stations, StationTotal.QUEUE_MAX),
        (now[1], ledgers, LedgerTotal.QUEUE_MAX),
    ):
        one[:, column] = rows[:, :, column].max(axis=0)
    low, before = now[2][:, AccountTotal.LOW], accounts[:, :, AccountTotal.LOW]
    low[:] = before.min(axis=0)
    # Accounts nobody watches, and those whose balance was never seen from the warm-up on.
    low[low == LOW_UNKNOWN] = 0
    before[before == LOW_UNKNOWN] = 0
    return now, (stations, ledgers, accounts)


def check_balances(plan: Plan, posted: Array) -> None:
    """Check that the posted balances of every currency sum to zero.

    Parameters
    ----------
    plan : Plan
        What was run.
    posted : ndarray of int64, shape (accounts,)
        Balances at the horizon.

    Raises
    ------
    InvariantViolation
        If money came from nowhere, or went there.
    """
    # Pair "every currency sums to zero": the other end is `transfer` in kernel/accounts.py, which
    # alone changes balances, two at once; _check_balances in reference/loop.py is its like for
    # the reference. Sums may wrap around, and are zero all the same.
    sums = np.zeros(len(plan.world), dtype=np.int64)
    np.add.at(sums, plan.account[:, AccountColumn.CURRENCY], posted)
    if sums.any():
        raise InvariantViolation(f"currencies sum to {sums.tolist()}", seed=plan.seed)

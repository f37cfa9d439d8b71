"""How long agents wait for settlement money, how much they are owed, and what that does to them.

Takes the plan, the totals of a run and what was owed by file; gives what the catalogue divides.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from sim.analysis.rates import common_currency
from sim.analysis.sources import Amount, Settled
from sim.contract.agenda import FileColumn, FileTotal, LineColumn
from sim.contract.charges import DESK
from sim.contract.layout import NULL, AccountColumn
from sim.contract.plan import Array, Plan
from sim.contract.run import Totals
from sim.tables.owed_fold import OwedFolder
from sim.units import SECOND_US


def settled_of(plan: Plan, totals: Totals, owed: OwedFolder) -> Settled | None:
    """Return how what schemes owe was paid, None where no line is cleared.

    Notes
    -----
    An obligation is received with the first file, its own or a later one of the line, by which
    anything is paid: what is carried is paid whole. The claim on a line is largest just before a
    file is dealt with, or at the horizon. Revalued at the mid rate of every day, what is owed gains
    in all what it is worth when it is received, or at the horizon, less what it was worth when it
    began; the days in between cancel out.
    """
    if not len(plan.line):
        return None
    names, currency = plan.names.currencies, plan.account[:, AccountColumn.CURRENCY]
    closed = [names[int(currency[row[LineColumn.PAYMENTS]])] for row in plan.line]
    common, worth = common_currency(plan, closed)
    received_us = _received_us(plan, totals)
    is_received = received_us != NULL
    lag_s = int((owed.count * (received_us // SECOND_US))[is_received].sum())
    lag_s -= int(owed.since_s[is_received].sum())
    open_amount, peak, gain = Fraction(0), Fraction(0), Fraction(0)
    until = np.where(is_received, received_us, plan.horizon_us)
    line = plan.file[:, FileColumn.LINE]
    gains = owed.worth_at(line, owed.amount, until) - owed.worth
    for number, code in enumerate(closed):
        if code not in worth:
            return Settled(None, *(Amount(None, common) for _ in range(3)))
        mine = line == number
        open_amount += int(owed.amount[mine & ~is_received].sum()) * worth[code]
        peak = max(peak, _claim_peak(plan, owed, received_us, mine) * worth[code])
        own = int(owed.conversion[number])
        gain += Fraction(float(gains[mine].sum())) * _own_worth(plan, own, code, worth)
    count = int(owed.count[is_received].sum())
    return Settled(
        lag_s / count if count else None,
        Amount(round(open_amount), common),
        Amount(round(peak), common),
        Amount(round(gain), common),
    )


def _received_us(plan: Plan, totals: Totals) -> Array:
    """Return when the money of each file was received, NULL where it was not."""
    found = np.full(len(plan.file), NULL, dtype=np.int64)
    paid_us: dict[int, int] = {}
    # Backwards, as a file that is carried is paid with the next one that is.
    for file in range(len(plan.file) - 1, -1, -1):
        line = int(plan.file[file, FileColumn.LINE])
        if totals.file[file, FileTotal.PAID] > 0:
            paid_us[line] = int(plan.file[file, FileColumn.SETTLED_US])
        found[file] = paid_us.get(line, NULL)
    return found


def _claim_peak(plan: Plan, owed: OwedFolder, received_us: Array, mine: Array) -> int:
    """Return the most that was owed on a line at any time."""
    files = np.flatnonzero(mine)
    peak = came = 0
    for file in files.tolist():
        at_us = int(plan.file[file, FileColumn.SETTLED_US])
        if at_us >= plan.horizon_us:
            break
        came += int(owed.came[file])
        gone = (received_us[files] != NULL) & (received_us[files] < at_us)
        peak = max(peak, came - int(owed.amount[files][gone].sum()))
    left = received_us[files] == NULL
    return max(peak, int(owed.amount[files][left].sum()))


def _own_worth(plan: Plan, conversion: int, code: str, worth: dict[str, Fraction]) -> Fraction:
    """Return what a minor unit of an agent's own currency is worth."""
    if conversion < 0:
        return Fraction(0)
    pair = plan.names.pairs[int(plan.conversion[conversion, 0])]
    base, _, quote = pair.partition(DESK)[0].partition("/")
    return worth.get(quote if base == code else base, Fraction(0))

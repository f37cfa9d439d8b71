"""One account as the reference engine remembers it.

Takes rows of the plan, as plain lists; counts itself and knows nothing of the order of events.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.contract.layout import BALANCE_MAX, AccountColumn
from sim.contract.run import BALANCE_TOO_LARGE
from sim.engine.reference.guards import BalanceOverTime, Guard
from sim.engine.reference.shortage import Shortage
from sim.engine.reference.state import WaitingLine
from sim.errors import TooLargeError


class Account:
    """One account: posted balance, pending debits, those waiting for it, and totals."""

    def __init__(self, row: Sequence[int], guard: Sequence[int], warm_up_us: int) -> None:
        self.currency = row[AccountColumn.CURRENCY]
        self.overdraft = row[AccountColumn.OVERDRAFT]
        self.is_watched = row[AccountColumn.WATCHED] == 1
        self.warm_up_us = warm_up_us
        self.posted = 0
        self.pending = 0
        self.queue = WaitingLine(warm_up_us)
        self.low: int | None = None
        self.read_low: int | None = None
        self.over_time = BalanceOverTime()
        self.guard = Guard(guard, warm_up_us)
        self.last_us = 0
        self.delayed = 0
        self.lost = 0
        self.is_between = False
        """Whether a set of payments is being settled, whose levels between are nobody's."""
        self.shortage = Shortage(warm_up_us)

    @property
    def available(self) -> int:
        """Return what can still be reserved."""
        return self.posted - self.pending + self.overdraft

    def settle(self, now_us: int) -> None:
        """Count the balance that stood until now."""
        if self.is_watched and now_us > self.warm_up_us:
            since_us = max(self.last_us, self.warm_up_us)
            self.over_time.add(self.posted, now_us - since_us)
            if now_us > since_us:
                self._see()
        self.last_us = now_us

    def move(self, now_us: int, change: int) -> None:
        """Change the posted balance."""
        self.settle(now_us)
        self.posted += change
        if abs(self.posted) >= BALANCE_MAX:
            raise TooLargeError(BALANCE_TOO_LARGE)
        if self.is_watched and now_us >= self.warm_up_us:
            self._see()

    def hold(self, amount: int) -> None:
        """Keep an amount back from what is available."""
        self.pending += amount
        # Accounts without limit may promise any number of amounts.
        if self.pending >= BALANCE_MAX:
            raise TooLargeError(BALANCE_TOO_LARGE)

    def totals(self) -> list[int]:
        """Return the account's totals in the order of ``AccountTotal``."""
        # None where nobody watches, or nothing was seen from the warm-up on.
        low = min((one for one in (self.read_low, self.low) if one is not None), default=0)
        area, area_high, rest = self.over_time.balance
        return [
            self.posted,
            self.pending,
            low,
            area,
            self.delayed,
            self.lost,
            area_high,
            *self.shortage.totals(),
            rest,
            *self.over_time.overdrawn,
            *self.guard.totals(),
        ]

    def begin_set(self, now_us: int) -> None:
        """Count what stood before a set of payments settles at one stroke."""
        self.settle(now_us)
        self.is_between = True

    def end_set(self, now_us: int) -> None:
        """Count the level after it."""
        self.is_between = False
        if self.is_watched and now_us >= self.warm_up_us:
            self._see()

    def _see(self) -> None:
        if self.is_between:
            return
        self.low = self.posted if self.low is None else min(self.low, self.posted)

"""What an account lacked, in the reference engine.

Takes what was refused, what waits and what is available; gives the account's totals of it. The
meaning is :attr:`~sim.contract.records.AccountTotal.MISSING`.
"""

from __future__ import annotations

from sim.contract.layout import BALANCE_MAX, NULL


class Shortage:
    """What was asked of one account and not paid from it.

    Parameters
    ----------
    warm_up_us : int
        Nothing is counted before.
    """

    def __init__(self, warm_up_us: int) -> None:
        self._warm_up_us = warm_up_us
        self.refused = 0
        self.waiting = 0
        self._first_us = NULL
        self._last_us = NULL
        self._missing = 0

    def refuse(self, now_us: int, amount: int) -> None:
        """Note that an amount is not paid from it."""
        if now_us >= self._warm_up_us:
            self.refused = min(self.refused + amount, BALANCE_MAX)

    def note(self, now_us: int, available: int) -> None:
        """Note that somebody is refused, or has to wait, now."""
        if now_us >= self._warm_up_us:
            if self._first_us == NULL:
                self._first_us = now_us
            self._last_us = now_us
            self.look(available)

    def look(self, available: int) -> None:
        """Note what it lacks now for all that was asked of it."""
        self._missing = max(self._missing, self.refused + self.waiting - available)

    def totals(self) -> list[int]:
        """Return its part of the account's totals."""
        return [self._first_us, self._last_us, self._missing]

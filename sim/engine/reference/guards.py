"""What is watched of an account, in the reference engine: alarm, stop-loss, balance over time.

Takes levels and balances as they change; gives the rows to log, whether a channel is open, and the
account's totals of it. The meaning is in :mod:`sim.contract.guards` and
:class:`~sim.contract.records.AccountTotal`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.contract.guards import GuardColumn
from sim.contract.layout import NULL
from sim.contract.meaning import LogKind
from sim.contract.records import AREA_BITS
from sim.units import SECOND_US


class Guard:
    """Alarm and channel of one account.

    Parameters
    ----------
    row : sequence of int
        Columns of ``Plan.guard``.
    warm_up_us : int
        Nothing is counted before.
    """

    def __init__(self, row: Sequence[int], warm_up_us: int) -> None:
        self.alarm_below = row[GuardColumn.ALARM_BELOW]
        self.stop_below = row[GuardColumn.STOP_BELOW]
        self.is_alarmed = False
        self.is_closed = False
        self._warm_up_us = warm_up_us
        self._alarms = 0
        self._alarm_first_us = NULL
        self._stops = 0
        self._stop_first_us = NULL
        self._closed_since_us = 0
        self._stopped_us = 0

    def look(self, now_us: int, level: int) -> list[tuple[LogKind, int]]:
        """Raise or end the alarm, close or open the channel, as the level asks for.

        Returns
        -------
        list of (LogKind, int)
            Rows to log, in order, with 1 where the level is low now.
        """
        told = []
        is_counted = now_us >= self._warm_up_us
        if self.is_alarmed != (level < self.alarm_below):
            self.is_alarmed = not self.is_alarmed
            told.append((LogKind.ALARM, int(self.is_alarmed)))
            if self.is_alarmed and is_counted:
                self._alarms += 1
                self._alarm_first_us = _first(self._alarm_first_us, now_us)
        if self.is_closed != (level < self.stop_below):
            self.settle(now_us)
            self.is_closed = not self.is_closed
            told.append((LogKind.CHANNEL, int(self.is_closed)))
            if self.is_closed and is_counted:
                self._stops += 1
                self._stop_first_us = _first(self._stop_first_us, now_us)
        return told

    def settle(self, now_us: int) -> None:
        """Count how long the channel was closed until now."""
        if self.is_closed:
            self._stopped_us += max(now_us - max(self._closed_since_us, self._warm_up_us), 0)
        self._closed_since_us = now_us

    def totals(self) -> list[int]:
        """Return its part of the account's totals."""
        return [
            self._alarms,
            self._alarm_first_us,
            self._stops,
            self._stop_first_us,
            self._stopped_us,
        ]


class BalanceOverTime:
    """The integrals of one account's balance, and of what it is below zero."""

    def __init__(self) -> None:
        self._balance = 0
        self._overdrawn = 0

    def add(self, posted: int, passed_us: int) -> None:
        """Count a balance that stood for so long."""
        self._balance += posted * passed_us
        self._overdrawn += max(-posted, 0) * passed_us

    @property
    def balance(self) -> tuple[int, int, int]:
        """Return the integral of the balance as area, its high part and its rest."""
        return _in_words(self._balance)

    @property
    def overdrawn(self) -> tuple[int, int, int]:
        """Return the integral of what was overdrawn, likewise."""
        return _in_words(self._overdrawn)


def _first(known_us: int, now_us: int) -> int:
    return now_us if known_us == NULL else known_us


def _in_words(area: int) -> tuple[int, int, int]:
    # Python's numbers have no bound, those of the totals do.
    seconds, rest = divmod(area, SECOND_US)
    return seconds & ((1 << AREA_BITS) - 1), seconds >> AREA_BITS, rest

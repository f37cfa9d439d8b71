"""Whole numbers the reference engine follows through time.

Takes changes as they happen; gives areas and maxima over [warm_up, horizon).
"""

from __future__ import annotations

from sim.contract.layout import SUM_MAX
from sim.contract.run import SUM_TOO_LARGE
from sim.errors import TooLargeError


class Gauge:
    """Whole number followed through time: its area and maximum over [warm_up, horizon)."""

    __slots__ = ("area", "last_us", "level", "most", "read_most", "warm_up_us")

    def __init__(self, warm_up_us: int) -> None:
        self.warm_up_us = warm_up_us
        self.level = 0
        self.area = 0
        self.most = 0
        """Since the last reading; and the most before it."""
        self.read_most = 0
        self.last_us = 0

    def settle(self, now_us: int) -> None:
        """Count the level that stood until now."""
        # A level counts by the time it stands: one that ended at the warm-up never stood in it.
        if now_us > self.warm_up_us:
            self.area += self.level * (now_us - max(self.last_us, self.warm_up_us))
            # Python would count on; what both engines can tell is what an int64 holds.
            if self.area >= SUM_MAX:
                raise TooLargeError(SUM_TOO_LARGE)
            # One that lasted no time was counted when it came.
            if now_us > self.last_us:
                self.most = max(self.most, self.level)
        self.last_us = now_us

    def begin_anew(self) -> None:
        """Begin the maximum anew; the area is up to date, and so the level counts if it lasts."""
        self.read_most = max(self.read_most, self.most)
        self.most = 0

    @property
    def highest(self) -> int:
        """Return the maximum of the whole run so far."""
        return max(self.read_most, self.most)

    def move(self, now_us: int, change: int) -> None:
        """Change the level."""
        # The old level up to now, before it is gone.
        self.settle(now_us)
        self.level += change
        # The new level, at the warm-up itself already.
        if now_us >= self.warm_up_us:
            self.most = max(self.most, self.level)

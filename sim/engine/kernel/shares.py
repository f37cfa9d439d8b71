"""Shares of whole numbers, in parts per million.

Takes whole numbers; gives whole numbers. See "Share" in :mod:`sim.contract.agenda`.
"""

from __future__ import annotations

from sim.contract.layout import PPM
from sim.jit.functions import called


@called
def share(amount: int, ppm: int) -> int:
    """Return a share of an amount, rounded half up, with the amount's sign."""
    size = abs(amount)
    # Whole millions apart, so that only a remainder below 2^20 meets the share.
    found = size // PPM * ppm + (size % PPM * ppm + PPM // 2) // PPM
    return found if amount >= 0 else -found

"""Shares of whole numbers, in parts per million.

Takes whole numbers; gives whole numbers. See "Share" in :mod:`sim.contract.agenda`.
"""

from __future__ import annotations

from sim.contract.layout import PPM


def share(amount: int, ppm: int) -> int:
    """Return a share of an amount, rounded half up, with the amount's sign."""
    size = abs(amount)
    found = size // PPM * ppm + (size % PPM * ppm + PPM // 2) // PPM
    return found if amount >= 0 else -found

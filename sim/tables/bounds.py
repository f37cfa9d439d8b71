"""Whether a sum over payments still fits 64 bits.

Takes sums in floating point, which does not wrap; raises where a whole number would.
"""

from __future__ import annotations

from sim.contract.layout import SUM_MAX
from sim.errors import TooLargeError


def check_sum(total: float) -> None:
    """Stop where a sum over payments would not fit 64 bits.

    Raises
    ------
    TooLargeError
        If it reaches SUM_MAX.
    """
    if total >= SUM_MAX:
        raise TooLargeError(
            f"times or amounts of all payments sum up to {total:.3g}; allowed: below "
            f"{float(SUM_MAX):.3g} microseconds or minor units. Needed: a shorter horizon or "
            "smaller amounts"
        )

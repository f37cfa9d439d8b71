"""The margin of a conversion: fixed, or by the amount and the time.

Takes rows of the plan's conversion and spread arrays; gives millionths. It holds no state, does no
floating point, and gives the same result compiled, uncompiled and in plain Python.
"""

from __future__ import annotations

from sim.contract.layout import ConversionColumn
from sim.contract.plan import Array
from sim.contract.spreads import SpreadColumn
from sim.jit.cache import compiled


@compiled
def spread_at(conversion: Array, spread: Array, row: int, instructed: int, time_us: int) -> int:
    """Return the margin of a conversion for an amount at an instant, 0 without a conversion.

    Parameters
    ----------
    conversion, spread : ndarray of int64
        As in the plan.
    row : int
        Row of ``conversion``, -1 for none.
    instructed : int
        Instructed amount in minor units.
    time_us : int
        Instant of the price, at least 0.

    Returns
    -------
    int
        Millionths of the amount at mid rate.

    Notes
    -----
    Which row holds is specified in :mod:`sim.contract.spreads`.
    """
    if row < 0:
        return 0
    count = int(conversion[row, ConversionColumn.SPREAD_COUNT])
    if count <= 0:
        return int(conversion[row, ConversionColumn.SPREAD_PPM])
    first = int(conversion[row, ConversionColumn.SPREAD_FIRST])
    # Rows below ``low`` have begun, those from ``high`` on have not: a month of shifts has
    # hundreds of rows, and a router asks once for every candidate.
    low, high = first, first + count
    while low < high:
        middle = (low + high) // 2
        if spread[middle, SpreadColumn.FROM_US] <= time_us:
            low = middle + 1
        else:
            high = middle
    at = low - 1
    # Back through the amounts of that instant, the least of which is 0.
    while at > first and spread[at, SpreadColumn.AT_LEAST] > instructed:
        at -= 1
    return int(spread[at, SpreadColumn.PPM])

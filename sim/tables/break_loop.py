"""Find the few payments that are a reconciliation break, one by one.

Takes payment records and the instants at which books are compared; gives places of records.
"""

from __future__ import annotations

from sim.contract.layout import NEVER_US, NULL
from sim.contract.plan import Array
from sim.contract.records import RecordColumn
from sim.jit.cache import compiled


@compiled
def find_breaks(rows: Array, at_us: Array, found: Array) -> int:
    """Note payments that are a break at any reconciliation; see :mod:`sim.contract.breaks`.

    Parameters
    ----------
    rows : ndarray of int64, shape (payments, RECORD_WIDTH)
    at_us : ndarray of int64, shape (reconciliations,)
        In order of time.
    found : ndarray of int64, shape (payments,)
        Receives their places.

    Returns
    -------
    int
        How many there are.
    """
    count = 0
    for i in range(len(rows)):
        until = NEVER_US
        if rows[i, RecordColumn.CREDITED_US] != NULL:
            until = rows[i, RecordColumn.CREDITED_US]
        if rows[i, RecordColumn.END_US] != NULL:
            until = min(until, rows[i, RecordColumn.END_US])
        doubt = rows[i, RecordColumn.KNOWN_US]
        if doubt == NULL or rows[i, RecordColumn.IN_DOUBT_SINCE_US] != NULL:
            doubt = NEVER_US
        if _meets(at_us, rows[i, RecordColumn.SETTLED_US], until) or _meets(
            at_us, rows[i, RecordColumn.DOUBTED_US], doubt
        ):
            found[count] = i
            count += 1
    return count


@compiled
def _meets(at_us: Array, start: int, stop: int) -> bool:
    """Tell whether an instant lies behind a start and not behind a stop."""
    if start == NULL:
        return False
    low, high = 0, len(at_us)
    while low < high:
        middle = (low + high) // 2
        if at_us[middle] > start:
            high = middle
        else:
            low = middle + 1
    return low < len(at_us) and at_us[low] <= stop

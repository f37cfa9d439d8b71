"""The inner loop of load: count the payments of a stream that join a ledger, cell by cell.

Takes a stream's key and the clock of its demand; gives numbers by cell. The same customers come at
the same instants as where each one is simulated (:mod:`sim.workload.loop`): when payment n comes
follows from the same draws. The second number of each draw, which nothing else uses, decides
whether payment n reaches the ledger. No payment's instant is worked out, only in which cell it
lies: of each edge of a cell it is known how many expected payments lie before it. Whole numbers
only.
"""

from __future__ import annotations

import numpy as np

from sim.contract.plan import Array
from sim.draws.lookup import draw62_pair, quantile
from sim.jit.cache import compiled
from sim.workload.long_division import scaled

MOST, HORIZON_US, AFTER_US, CELL_US = 0, 1, 2, 3
"""Columns of ``limits``: payments at most, the horizon, how long after its submission a payment
joins, and the length of a cell."""


@compiled
def count_joining(
    key: Array,
    purpose: int,
    table: Array,
    hazard: Array,
    reaching: Array,
    limits: Array,
    counts: Array,
) -> int:
    """Add the payments of a stream that join a ledger to the cells in which they do.

    Parameters
    ----------
    key : ndarray of int64, shape (4,)
        Draw key of the stream.
    purpose : int
        Of the arrivals.
    table : ndarray of int64
        Quantile table of the unit exponential.
    hazard : ndarray of int64, shape (points, 3)
        Instants, expected payments up to each, and 62 less the bit length of the microseconds from
        each point to the next.
    reaching : ndarray of int64, shape (spans, 2)
        Instants, ascending from 0, and the 62-bit threshold below which payments that would join
        from then on do.
    limits : ndarray of int64, shape (4,)
        See above.
    counts : ndarray of int64
        By cell; grows.

    Returns
    -------
    int
        Payments that joined before the horizon.
    """
    most, horizon_us = int(limits[MOST]), int(limits[HORIZON_US])
    after_us, cell_us = int(limits[AFTER_US]), int(limits[CELL_US])
    # A visit written as 0 would have the draw compiled once more, for that number alone.
    visit = int(np.int64(0))
    joined, n, at, span, cell = 0, 0, 0, 0, 0
    reached = int(np.int64(0))
    edge_us = _next_edge(reaching, span, min(cell_us, horizon_us))
    bound = _expected_before(hazard, at, edge_us - after_us)
    while n < most:
        wait62, luck62 = draw62_pair(key, n, purpose, visit)
        reached += int(quantile(table, 0, wait62))
        # Most cells hold no edge of another payment, so this is one comparison.
        while reached >= bound:
            if reached >= hazard[at + 1, 1]:
                at += 1
                # Beyond what is expected up to the horizon.
                if at + 1 == len(hazard):
                    return joined
            else:
                if edge_us == horizon_us:
                    return joined
                if span + 1 < len(reaching) and edge_us == reaching[span + 1, 0]:
                    span += 1
                if edge_us == (cell + 1) * cell_us:
                    cell += 1
                edge_us = _next_edge(reaching, span, min((cell + 1) * cell_us, horizon_us))
            bound = _expected_before(hazard, at, edge_us - after_us)
        if luck62 < reaching[span, 1]:
            counts[cell] += 1
            joined += 1
        n += 1
    return joined


@compiled
def _next_edge(reaching: Array, span: int, end_us: int) -> int:
    """Return the end of a cell, or the instant from which more or fewer reach the ledger."""
    if span + 1 < len(reaching):
        return min(int(reaching[span + 1, 0]), end_us)
    return end_us


@compiled
def _expected_before(hazard: Array, at: int, instant_us: int) -> int:
    """Return how many payments must be expected for one of a stretch not to come before an instant.

    Never more than at the end of the stretch.
    """
    start_us, end_us = int(hazard[at, 0]), int(hazard[at + 1, 0])
    if instant_us >= end_us:
        return int(hazard[at + 1, 1])
    if instant_us <= start_us:
        return int(hazard[at, 1])
    width, rise = end_us - start_us, int(hazard[at + 1, 1]) - int(hazard[at, 1])
    into = instant_us - start_us
    whole = scaled(into, width, rise, int(hazard[at, 2]))
    # Rounded up. Either product may leave an int64, and both wrap around alike.
    return int(hazard[at, 1]) + whole + (0 if whole * width == into * rise else 1)

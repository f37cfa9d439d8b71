"""Demand into load: how many payments of a stream join a ledger by when.

Takes a stream's key and the clock of its demand; gives counts by cell of time. Numba is only needed
once payments are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.contract.loads import LOAD_MAX
from sim.contract.plan import Array
from sim.draws.keys import purpose_id
from sim.workload.arrivals import HAZARD_UNIT
from sim.workload.streams import PURPOSES, exponential_table


@dataclass(frozen=True, slots=True, eq=False)
class LoadDemand:
    """The payments of one stream that are carried as load, before they are counted.

    Attributes
    ----------
    key : tuple of int
        Draw key of the stream.
    hazard_time_us, hazard : ndarray of int64
        Breakpoints of the expected number of payments (:mod:`~sim.workload.arrivals`).
    count_max : int
        Payments at most; -1 for no such bound.
    after_us : int
        How long after its submission a payment joins the ledger.
    reaching : tuple of (int, int)
        Instants, ascending from 0, and the 62-bit threshold of those that reach the ledger of the
        payments that would join from then on.
    """

    key: tuple[int, ...]
    hazard_time_us: Array
    hazard: Array
    count_max: int
    after_us: int
    reaching: Sequence[tuple[int, int]]


def joined_by_cell(demands: Sequence[LoadDemand], *, horizon_us: int, cell_us: int) -> Array:
    """Return how many payments of some streams have joined before the begin of each cell.

    Parameters
    ----------
    demands : sequence of LoadDemand
    horizon_us : int
        Nobody joins from here on.
    cell_us : int
        Length of a cell.

    Returns
    -------
    ndarray of int64
        One more than the cells that reach beyond the horizon; the first is 0.

    Raises
    ------
    ValueError
        If more are expected than can be counted.
    """
    from sim.workload.load_loop import count_joining

    if sum(int(demand.hazard[-1]) for demand in demands) > LOAD_MAX // 2 * HAZARD_UNIT:
        raise ValueError(f"more than {LOAD_MAX // 2:,} payments of load are expected")
    counts = np.zeros(horizon_us // cell_us + 2, dtype=np.int64)
    purpose = purpose_id(PURPOSES[0])
    unbounded = np.iinfo(np.int64).max
    for demand in demands:
        times = demand.hazard_time_us
        widths = np.diff(times, append=times[-1]).tolist()
        shifts = [62 - max(width, 1).bit_length() for width in widths]
        hazard = np.column_stack([times, demand.hazard, shifts]).astype(np.int64)
        most = unbounded if demand.count_max < 0 else demand.count_max
        count_joining(
            np.array(demand.key, dtype=np.int64),
            purpose,
            np.ascontiguousarray(exponential_table()).copy(),
            np.ascontiguousarray(hazard),
            np.array(demand.reaching, dtype=np.int64).reshape(-1, 2),
            np.array([most, horizon_us, demand.after_us, cell_us], dtype=np.int64),
            # What joins in a cell counts from the begin of the next one on.
            counts[1:],
        )
    joined: Array = np.cumsum(counts)
    return joined

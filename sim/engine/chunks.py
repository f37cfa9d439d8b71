"""Chunks of a workload as compiled code wants them.

Takes whatever gives payments; gives chunks in order of time, in one layout.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.contract.plan import Array
from sim.contract.records import WorkloadColumn
from sim.contract.run import WorkloadSource


def checked_chunks(workload: WorkloadSource, horizon_us: int) -> Iterator[Array]:
    """Give the chunks that hold payments below the horizon, as the kernel wants them."""
    last = 0
    for chunk in workload:
        # An empty chunk has no first instant to compare and nothing to hand over.
        if len(chunk) == 0:
            continue
        times = chunk[:, WorkloadColumn.TIME_US]
        # Within a chunk and between chunks: an arrival in the past would be taken at once, out
        # of order.
        if times[0] < last or bool((np.diff(times) < 0).any()):
            raise ValueError("workload: payments must come in ascending order of time, from 0")
        last = int(times[-1])
        # Compiled code knows one layout only; a chunk from a file may be read-only or of
        # another type.
        if not (chunk.dtype == np.int64 and chunk.flags.c_contiguous and chunk.flags.writeable):
            chunk = np.array(chunk, dtype=np.int64, order="C")  # noqa: PLW2901
        yield chunk
        # What comes after the horizon is never asked for: an endless workload may be given.
        if last >= horizon_us:
            return

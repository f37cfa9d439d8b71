"""Random payments for random plans: at any instants, or many at one.

Takes a source of luck and how many; gives rows of a workload.
"""

from __future__ import annotations

import random

import numpy as np

from sim.contract.plan import Array
from sim.contract.records import WORKLOAD_WIDTH
from sim.units import SECOND_US

CODE_FOR_EVER = 1 << 61


def random_workload(
    luck: random.Random, payments: int, streams: int, *, span_us: int, ties: bool
) -> Array:
    """Return payments of some streams over a span, with ties at whole seconds if wanted."""
    rows = np.zeros((payments, WORKLOAD_WIDTH), dtype=np.int64)
    busy_us = span_us + SECOND_US
    times = [luck.randrange(busy_us) for _ in range(payments)]
    if ties:
        times = [time // SECOND_US * SECOND_US for time in times]
    pairs = sorted((time, luck.randrange(streams)) for time in times)
    ordinals = [0] * streams
    for row, (time_us, stream) in zip(rows, pairs, strict=True):
        code_expiry = luck.choice((*[CODE_FOR_EVER] * 4, time_us + 2 * SECOND_US))
        row[:] = (
            time_us, stream, ordinals[stream], luck.choice((-1, 0, 0, 1, 1, 2)),
            luck.choice((1, 3, 50, 120, 350, 500)), luck.randrange(4), luck.randrange(3),
            luck.randrange(3), luck.choice((0,) * 19 + (1,)), code_expiry, -1,
            luck.randrange(3), luck.choice((-1, 0, 1, 2)), luck.randrange(3),
        )  # fmt: skip
        ordinals[stream] += 1
    return rows

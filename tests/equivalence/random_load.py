"""Random load on the ledgers of random plans.

Takes luck of its own and the ledgers of a plan under construction; changes the plan. Some loads are
more than the blocks can hold, some come in bursts, some ledgers have none.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from sim.compiler.builder import PlanBuilder
from sim.units import SECOND_US


def add_load(
    seed: int, b: PlanBuilder, ledgers: Sequence[int], *, span_us: int, ties: bool
) -> None:
    """Load some ledgers of every other plan."""
    # Luck of its own, so that plans with and without it are alike in all else.
    luck = random.Random(f"load {seed}")
    if luck.random() < 0.5:
        return
    for ledger in ledgers:
        if luck.random() < 0.3:
            continue
        cell_us = SECOND_US if ties else luck.choice((250_000, 333_333, 1_000_000, 70_001))
        # The horizon lies up to a second behind the span.
        cells = (span_us + SECOND_US) // cell_us + 1
        most = luck.choice((0, 1, 2, 9, 150))
        counts = [luck.randint(0, most) if luck.random() < 0.4 else 0 for _ in range(cells)]
        b.add_load(ledger, cell_us, np.cumsum([0, *counts]))

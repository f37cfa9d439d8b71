"""Margins by amount and time for conversions of random plans."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from sim.contract.layout import ConversionColumn
from sim.contract.plan import Plan


def with_spreads(seed: int, plan: Plan) -> Plan:
    """Return a plan in which about half of all conversions have margins by amount and time.

    Drawn apart from all else, so that what plans were before they had margins stays.
    """
    luck = random.Random(f"{seed} spreads")
    conversion = plan.conversion.copy()
    rows: list[tuple[int, int, int]] = []
    for at in range(len(conversion)):
        if luck.random() < 0.5:
            continue
        instants = sorted(
            {0, *(luck.randrange(plan.horizon_us) for _ in range(luck.randint(0, 4)))}
        )
        amounts = sorted({0, *(luck.randint(1, 900) for _ in range(luck.randint(0, 3)))})
        conversion[at, ConversionColumn.SPREAD_FIRST] = len(rows)
        conversion[at, ConversionColumn.SPREAD_COUNT] = len(instants) * len(amounts)
        rows += [
            (from_us, least, luck.choice((0, 1, 2_500, 40_000)))
            for from_us in instants
            for least in amounts
        ]
    spread = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return replace(plan, conversion=conversion, spread=spread)

"""Margins by amount and time for conversions of random plans."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from sim.contract.layout import CandidateColumn, ConversionColumn
from sim.contract.plan import Plan


def with_spreads(seed: int, plan: Plan) -> Plan:
    """Return a plan with margins by amount and time, and with quotes that compete.

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
    candidate = plan.candidate.copy()
    # In some plans quotes compete, too.
    if luck.random() < 0.4:
        groups = [luck.choice((-1, 0, 0, 1)) for _ in range(len(candidate))]
        candidate[:, CandidateColumn.GROUP] = groups
    return replace(plan, conversion=conversion, spread=spread, candidate=candidate)

"""Random refunds for random plans.

Takes luck of its own and a plan under construction; lets completed payments be paid back.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from sim.compiler.builder import PlanBuilder
from sim.contract.layout import CERTAIN, StageColumn
from sim.contract.meaning import Op, Outcome
from sim.contract.records import Register
from sim.contract.refunds import RefundRate
from sim.units import SECOND_US


def add_refunds(seed: int, b: PlanBuilder, accounts: Sequence[int], *, ties: bool) -> None:
    """Let some payments of every other plan be paid back, from accounts others wait for, too."""
    # Luck of its own, so that plans with and without it are alike in all else.
    luck = random.Random(seed)
    if luck.random() < 0.5:
        return
    for row, stage in enumerate(b._rows["stage"]):
        if stage[StageColumn.OP] != Op.END or stage[StageColumn.VALUE] != Outcome.COMPLETED:
            continue
        count = luck.randint(0, 3)
        rows = [
            b.add_transfer(luck.choice(accounts), luck.choice(accounts), Register.INSTRUCTED)
            for _ in range(count)
        ]
        if rows:
            b.set_stage(row, first=rows[0], count=count)
    for account in accounts:
        if luck.random() < 0.2:
            b.set_pool(account)
    for stream in range(len(b.streams)):
        written = [
            (ordinal, luck.choice((0, SECOND_US, 3 * SECOND_US)), luck.choice((1, 40, 900)))
            for ordinal in range(6)
            for _ in range(luck.choice((0, 0, 1, 3)))
        ]
        mean = SECOND_US if ties else luck.choice((100_000, 5 * SECOND_US))
        after = b.constant_table(mean) if ties else b.table("exponential", {"mean": float(mean)})
        b.set_refunds(
            stream,
            written if luck.random() < 0.5 else (),
            share=luck.choice((0, CERTAIN // 3, CERTAIN)),
            total_ppm=luck.choice((333_333, 1_000_000)),
            parts=luck.randint(1, 4),
            after_table=after,
            rate=int(luck.choice(list(RefundRate))),
        )

"""Payers who leave, for random plans.

Takes luck of its own and a plan under construction; adds stages at which payers begin to wait, wait
no more, or leave elsewhere, to every other plan.
"""

from __future__ import annotations

import random

from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import Op
from sim.contract.patience import PATIENCE
from sim.units import SECOND_US


class Patience:
    """The patience of the payers of a random plan, with luck that moves no other.

    Parameters
    ----------
    seed : int
    b : PlanBuilder
    ties : bool
        Everything on whole seconds.
    """

    def __init__(self, seed: int, b: PlanBuilder, *, ties: bool) -> None:
        self.luck, self.b, self.ties = random.Random(seed + 55), b, ties
        self.ends = self.luck.random() < 0.5

    def of_stream(self) -> int:
        """Return a table of patience, -1 for a stream whose payers wait for ever."""
        if not self.ends or self.luck.random() < 0.2:
            return -1
        if self.ties or self.luck.random() < 0.3:
            return self.b.constant_table(self.luck.choice((0, 1, 2, 4, 9)) * SECOND_US)
        return self.b.table("exponential", {"mean": self.luck.choice((900_000.0, 5_000_000.0))})

    def maybe(self, fail_path: int) -> None:
        """Add a stage of patience, or none."""
        if self.ends and self.luck.random() < 0.4:
            value = self.luck.choice((1, 1, 1, 0, -1))
            self.b.add_stage(
                Op.PATIENCE, "patience", value=value, target=self.luck.choice((fail_path, -1)),
                purpose=self.b.purpose(PATIENCE),
            )  # fmt: skip

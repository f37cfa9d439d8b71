"""Random shops for random plans.

Takes luck of its own and a plan under construction; lets the payments of some streams be orders,
asked about one by one or many at a time, and adds the stages of these inquiries.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import Cause, Op, Reason
from sim.units import SECOND_US


class Shops:
    """The shops of a random plan, with luck that moves no other.

    Parameters
    ----------
    seed : int
    b : PlanBuilder
    stations : sequence of int
    """

    def __init__(self, seed: int, b: PlanBuilder, stations: Sequence[int]) -> None:
        self.luck, self.b = random.Random(seed + 99), b
        self.entries: list[int] = []
        if self.luck.random() < 0.4:
            return
        for number, per_call in enumerate((0, self.luck.choice((1, 2, 50)))):
            self._add_shop(number, per_call)
            self._add_asking(number, per_call, stations)

    def _add_shop(self, number: int, per_call: int) -> None:
        luck = self.luck
        self.b.add_shop(
            f"shop{number}",
            every_us=luck.choice((1, 3)) * SECOND_US if per_call else 0,
            stock=luck.choice((1, 3, 9, 60)),
            holds=luck.choice((1, 1, 0)),
            life_us=luck.choice((1, 4, 9, 30)) * SECOND_US,
            token_count=luck.choice((0, 1, 3)),
            token_period_us=luck.choice((1_000_000, 1_700_001, 3_000_000)),
            token_burst=luck.choice((1, 2, 5)),
            per_call=per_call,
        )

    def _add_asking(self, number: int, per_call: int, stations: Sequence[int]) -> None:
        """Add what asks about orders of a shop, to which no payment comes."""
        luck, b = self.luck, self.b
        times = [b.constant_table(at * SECOND_US) for at in (0, 1, 2, 5)]
        entry = b.next_stage
        if not per_call:
            b.add_stage(
                Op.TRANSIT, f"shop.{number}", table=luck.choice(times), cause=Cause.TRANSIT,
                purpose=b.purpose(f"shop.{number}"),
            )  # fmt: skip
        following = -1 if per_call else luck.choice((-1, entry, entry))
        asked = b.add_stage(
            Op.POLL, "poll", subject=following, value=luck.randint(1, 9), first=number
        )
        served = b.add_stage(
            Op.SERVE, "polls", subject=luck.choice(stations), table=luck.choice(times),
            purpose=b.purpose(f"polls.{number}"), cause=Cause.SERVICE, reason=Reason.MS03,
        )  # fmt: skip
        b.add_stage(Op.ANSWER, "answer", value=1, first=number)
        refused = b.add_stage(Op.ANSWER, "refused", value=0)
        b.set_stage(asked, target=refused)
        b.set_stage(served, target=refused)
        self.entries.append(entry)

    def maybe_order(self, end: int) -> int:
        """Add a stage at which a payment is ordered, or none; return where the stream begins."""
        entry = self.b.next_stage
        if self.entries and self.luck.random() < 0.7:
            shop = self.luck.randrange(len(self.entries))
            self.b.add_stage(
                Op.ORDER, "order", subject=self.entries[shop], first=shop, target=end,
                reason=Reason.OUT_OF_STOCK,
            )  # fmt: skip
            if self.luck.random() < 0.5:
                self.b.add_stage(Op.CODE, "code", target=end)
        return entry

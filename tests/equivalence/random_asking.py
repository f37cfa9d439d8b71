"""Random inquiries and tries again for random plans.

Takes the luck of its own and a plan under construction; adds stages to it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import Cause, Flag, Op, Reason
from sim.units import SECOND_US


class Asking:
    """What a random plan asks about its payments, with luck that moves no other.

    Parameters
    ----------
    seed : int
    b : PlanBuilder
    stations : sequence of int
    """

    def __init__(self, seed: int, b: PlanBuilder, stations: Sequence[int]) -> None:
        self.luck, self.b = random.Random(seed + 77), b
        self.entries: list[int] = []
        self._add_chains(stations)
        # Nobody but measures looks at it.
        b.add_window("early", [(0, 10 * SECOND_US)])
        b.add_window(
            "later", [(7 * SECOND_US + 1, 12 * SECOND_US), (13 * SECOND_US, 90 * SECOND_US)]
        )

    def _add_chains(self, stations: Sequence[int]) -> None:
        """Add two chains of inquiries, which no payment comes to."""
        luck, b, times = self.luck, self.b, self._times()
        for number in range(2):
            entry = b.add_stage(
                Op.TRANSIT, f"asked.{number}", table=luck.choice(times), cause=Cause.TRANSIT,
                purpose=b.purpose(f"asked.{number}"),
            )  # fmt: skip
            b.add_stage(
                Op.ASK, "ask", subject=luck.choice((-1, entry, entry)), value=luck.randint(1, 5)
            )
            served = b.add_stage(
                Op.SERVE, "asks", subject=luck.choice(stations), table=luck.choice(times),
                purpose=b.purpose(f"asks.{number}"), cause=Cause.SERVICE, reason=Reason.MS03,
            )  # fmt: skip
            b.add_stage(Op.ANSWER, "answer", value=1, flags=luck.choice((Flag(0), Flag.SAME)))
            b.set_stage(served, target=b.add_stage(Op.ANSWER, "turned away", value=0))
            self.entries.append(entry)

    def maybe_inquire(self) -> None:
        """Add a stage that begins a chain, or none."""
        if self.luck.random() < 0.4:
            self.b.add_stage(Op.INQUIRE, "inquire", subject=self.luck.choice(self.entries))

    def polled(self) -> int:
        """Return where AWAIT begins polls, -1 for nowhere."""
        return self.luck.choice((-1, *self.entries))

    def maybe_retry(self, flags: Flag) -> int:
        """Add a try again, to be led somewhere by :meth:`lead`; return its stage, -1 for none."""
        if self.luck.random() < 0.5:
            return -1
        return self.b.add_stage(Op.RETRY, "again", value=self.luck.randint(1, 3), flags=flags)

    def lead(self, retry: int, target: int) -> None:
        """Lead a try again to a stage, over a wait."""
        b = self.b
        if retry >= 0:
            wait = b.add_stage(
                Op.TRANSIT, "wait", table=self.luck.choice(self._times()), cause=Cause.RETRY,
                purpose=b.purpose("wait"),
            )  # fmt: skip
            b.add_stage(
                Op.DECIDE, "back", value=1 << 62, target=target, purpose=b.purpose("back"), reason=0
            )
            b.set_stage(retry, target=wait)

    def _times(self) -> tuple[int, ...]:
        """Return tables of short durations, one of them nothing."""
        return tuple(self.b.constant_table(at * SECOND_US) for at in (0, 1, 2, 5))

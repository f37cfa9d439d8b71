"""Random large-value systems for random plans.

Takes luck of its own; adds systems with members to a plan under construction, and stages at which
payments settle in them. What moves makes no more sense than anything else in a random plan.
"""

from __future__ import annotations

import random

from sim.compiler.builder import PlanBuilder
from sim.contract.large_value import AtClose, Offset, Order
from sim.contract.meaning import Cause, Flag, Op, Reason
from sim.contract.records import Register
from sim.units import SECOND_US

_MEMBERS = 3


class Systems:
    """Up to two systems in two of three plans.

    Parameters
    ----------
    seed : int
        Luck of its own, so that plans with and without systems are alike in all else.
    b : PlanBuilder
    span_us : int
        How long payments come.
    """

    def __init__(self, seed: int, b: PlanBuilder, *, span_us: int) -> None:
        self.luck, self.b = random.Random(seed), b
        self.systems: list[tuple[int, list[int]]] = []
        for number in range(self.luck.choice((0, 1, 2))):
            self.systems.append(self._system(number, span_us))

    def _system(self, number: int, span_us: int) -> tuple[int, list[int]]:
        luck, b = self.luck, self.b
        # Two accounts for each member: one for each leg of a payment against payment.
        accounts = [
            b.add_account(
                f"m{number}.{at}",
                "USD",
                overdraft=luck.choice((0, 0, 100, 1 << 61)),
                watched=luck.random() < 0.5,
            )
            for at in range(2 * _MEMBERS)
        ]
        for account in accounts:
            for _ in range(luck.randint(0, 3)):
                at_us = luck.choice((0, luck.randrange(span_us)))
                b.deposit(at_us, account, luck.choice((0, 30, 200, 900)))
        offset = luck.choice((Offset.NONE, *Offset, *Offset))
        system = b.add_system(
            f"system{number}",
            accounts=accounts,
            order=luck.choice(list(Order)),
            offset=offset,
            on_arrival=luck.randint(0, 1),
            at_close=luck.choice(list(AtClose)),
            offsets_us=self._instants(span_us),
            closes_us=self._instants(span_us),
        )
        return system, accounts

    def _instants(self, span_us: int) -> list[int]:
        """Return a few whole seconds, at which much else happens."""
        found = (self.luck.randrange(span_us) for _ in range(self.luck.randint(0, 2)))
        return sorted(at // SECOND_US * SECOND_US for at in found)

    def maybe_settle(self, fail_path: int) -> None:
        """Add a stage at which payments settle, now and then."""
        luck = self.luck
        if not self.systems or luck.random() < 0.5:
            return
        system, accounts = luck.choice(self.systems)
        one, two = luck.sample(range(_MEMBERS), 2)
        legs = [(accounts[one], accounts[two])]
        if luck.random() < 0.3:
            legs.append((accounts[_MEMBERS + two], accounts[_MEMBERS + one]))
        rows = [self.b.add_transfer(debit, credit, Register.INSTRUCTED) for debit, credit in legs]
        self.b.add_stage(
            Op.SETTLE, "settle", subject=system, first=rows[0], count=len(rows),
            cause=luck.choice((Cause.LIQUIDITY, Cause.LEDGER)), target=fail_path,
            reason=Reason.AM04, flags=luck.choice((Flag(0), Flag.SETTLES)),
        )  # fmt: skip

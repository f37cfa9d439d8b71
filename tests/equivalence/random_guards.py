"""Random alarms and stop-losses for random plans.

Takes luck of its own, the accounts and the routes of a plan under construction; changes both. What
is watched makes no more sense than anything else in a random plan.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from sim.compiler.builder import PlanBuilder
from sim.contract.layout import RouteColumn
from sim.contract.records import Register

_LEVELS = (-100, 0, 50, 400, 3000)


def add_guards(seed: int, b: PlanBuilder, accounts: Sequence[int]) -> None:
    """Watch some accounts of every other plan, and let routes depend on them."""
    # Luck of its own, so that plans with and without it are alike in all else.
    luck = random.Random(seed)
    if luck.random() < 0.5:
        return
    for account in accounts:
        watches = [(name, luck.choice(_LEVELS)) for name in ("alarm_below", "stop_below")]
        b.guard(account, [one for one in watches if luck.random() < 0.6])
        b.guard(account, [("idle_ppb", luck.choice((0, 40_000_000))), ("overdraft_ppb", 10**8)])
    for route, row in enumerate(list(b._rows["route"])):
        first = row[RouteColumn.VIEW_FIRST]
        views = [tuple(one) for one in b._rows["route_view"][first:][: row[RouteColumn.VIEW_COUNT]]]
        views += [
            (2, luck.choice(accounts), int(Register.DEBITED))
            for _ in range(luck.choice((0, 1, 1, 2)))
        ]
        b.set_route_view(route, [(kind, subject, each) for kind, subject, each in views])

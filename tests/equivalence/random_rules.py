"""Random rules of routers for random plans: what bars routes, breakers, learning, own policies.

Takes luck of its own and a plan under construction; changes its routes and guards. All routes share
one rule, as those of a corridor do.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from sim.compiler.builder import PlanBuilder
from sim.contract.layout import CERTAIN, RouteColumn, RouteSetColumn
from sim.contract.plan import Plan
from sim.contract.policies import Policy
from sim.routing.policies import OwnRow
from sim.study.fuzz.own_policy import SUMS_UP
from sim.units import SECOND_US

ORACLES = (Policy.ORACLE_COST, Policy.ORACLE_TIME)
OURS = [policy for policy in Policy if policy is not Policy.OWN and policy not in ORACLES]
"""What is drawn for random plans: an oracle takes the reference engine long."""


def _add_own(luck: random.Random, b: PlanBuilder) -> OwnRow:
    """Let some route sets be chosen from by a function of the user's own."""
    for row in b._rows["route_set"]:
        if luck.random() < 0.6:
            row[RouteSetColumn.POLICY] = Policy.OWN
    settings = (luck.randint(1, 5), luck.randint(0, 3))
    return OwnRow("sums_up(times,plus)", SUMS_UP.memory, SUMS_UP.digest, settings)


def with_oracles(plan: Plan) -> Plan:
    """Return the plan with oracles of cost and of time for all route sets, by turns."""
    route_set = plan.route_set.copy()
    route_set[:, RouteSetColumn.POLICY] = [ORACLES[at % 2] for at in range(len(route_set))]
    return replace(plan, route_set=route_set)


def add_rules(seed: int, b: PlanBuilder, accounts: Sequence[int]) -> None:
    """Give the routes of two plans in three a rule, and some accounts a reserve."""
    # Luck of its own, so that plans with and without it are alike in all else.
    luck = random.Random(seed + 1)
    if luck.random() < 1 / 3:
        return
    columns = {
        "cost_max_ppm": luck.choice((-1, 0, 5_000, 200_000)),
        "time_max_us": luck.choice((-1, 0, 4, 9)) * SECOND_US,
        "spares": luck.randint(0, 1),
        "time_worth_ppm": luck.choice((0, 1_000, 1_000_000)),
        "failures": luck.choice((0, 1, 2, 3)),
        "window": luck.choice((3, 4, 62)),
        "open_us": luck.choice((0, 1, 5)) * SECOND_US,
        "learns": luck.randint(0, 1),
        "explore": luck.choice((0, CERTAIN // 3, CERTAIN)),
        "penalty_us": luck.choice((0, 7)) * SECOND_US,
        "sampled": luck.randint(0, 1),
    }
    columns["time_max_us"] = max(columns["time_max_us"], -1)
    own = _add_own(luck, b) if luck.random() < 0.4 else None
    rule = b.rule(tuple(columns.items()), own)
    for row in b._rows["route"]:
        row[RouteColumn.RULE] = rule
    for account in accounts:
        if luck.random() < 0.5:
            b.guard(account, [("reserve", luck.choice((1, 40, 500)))])

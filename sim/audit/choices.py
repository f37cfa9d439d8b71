"""What of a plan an audit looks up: ways to come to routes, and agents by what is theirs.

Takes the plan; gives arrays.
"""

from __future__ import annotations

import numpy as np

from sim.audit.state import NOBODY, WORD, RouteState
from sim.contract.layout import CandidateColumn, RouteSetColumn
from sim.contract.plan import Array, Plan


def route_choices(plan: Plan) -> tuple[Array, Array]:
    """Return the ways to come to routes, a row each, and the routes that point to them."""
    found: dict[int, set[tuple[int, int, int, int]]] = {}
    attempts = [0] * len(plan.route)
    candidates = plan.candidate[:, CandidateColumn.ROUTE].tolist()
    for row in plan.route_set.tolist():
        first, policy, count = (
            row[column]
            for column in (RouteSetColumn.FIRST, RouteSetColumn.POLICY, RouteSetColumn.COUNT)
        )
        for at, route in enumerate(candidates[first : first + count]):
            found.setdefault(route, set()).add((policy, at, first, count))
            attempts[route] = max(attempts[route], row[RouteSetColumn.MAX_ATTEMPTS])
    choices: list[tuple[int, int, int, int]] = []
    routes = np.zeros((len(plan.route), len(RouteState) + plan.route.shape[1]), dtype=np.int64)
    routes[:, : plan.route.shape[1]] = plan.route
    for route in range(len(routes)):
        ways = sorted(found.get(route, ()))
        routes[route, RouteState.CHOICE_FIRST] = len(choices)
        routes[route, RouteState.CHOICE_COUNT] = len(ways)
        routes[route, RouteState.ATTEMPTS_MAX] = attempts[route]
        choices.extend(ways)
    return np.array(choices, dtype=np.int64).reshape(-1, 4), routes


def role_sets(plan: Plan) -> tuple[Array, Array]:
    """Return which agents have each account and station, by kind, as sets of bits."""
    kinds = plan.agent_account.shape[1]
    tables = (plan.agent_account, plan.agent_station)
    columns = kinds + plan.agent_station.shape[1]
    place = np.full((columns, max(len(plan.account), len(plan.station), 1)), NOBODY, dtype=np.int64)
    agents = max(len(table) for table in tables)
    sets: list[Array] = []
    for offset, table in zip((0, kinds), tables, strict=True):
        for agent, row in enumerate(table.tolist()):
            for kind, subject in enumerate(row):
                if subject < 0:
                    continue
                if place[offset + kind, subject] < 0:
                    place[offset + kind, subject] = len(sets)
                    # Bits of 62 per word: with 63 the sign would be one of them.
                    sets.append(np.zeros(-(-agents // WORD) or 1, dtype=np.int64))
                sets[place[offset + kind, subject]][agent // WORD] |= 1 << agent % WORD
    # Compiled code must not be given an array without columns.
    if not sets:
        sets.append(np.zeros(1, dtype=np.int64))
    return place, np.array(sets)

"""Quotes that compete: of each group of candidates only the best is chosen from.

Takes a payment at a choice of its route and the candidates it may take; gives those left. The
meaning is in :mod:`sim.contract.policies`.
"""

from __future__ import annotations

from sim.contract.layout import CandidateColumn, RouteColumn, RouteSetColumn
from sim.contract.plan import Plan
from sim.contract.records import Register
from sim.engine.kernel import state as st
from sim.engine.kernel.prices import price
from sim.engine.kernel.state import KernelState
from sim.jit.functions import called


@called
def best_quotes(
    plan: Plan, state: KernelState, slot: int, route_set: int, count: int, eligible: int
) -> int:
    """Return the eligible candidates, a bit each, whose quote no other of their group betters."""
    first = plan.route_set[route_set, RouteSetColumn.FIRST]
    left = eligible
    for position in range(count):
        group = plan.candidate[first + position, CandidateColumn.GROUP]
        if group < 0 or (left >> position) & 1 == 0:
            continue
        # The order of quotes is total, so who loses once is out, and who is left beats them all.
        for other in range(position + 1, count):
            is_rival = plan.candidate[first + other, CandidateColumn.GROUP] == group
            if not is_rival or (left >> other) & 1 == 0:
                continue
            if _betters(plan, state, slot, first + other, first + position):
                left &= ~(1 << position)
                break
            left &= ~(1 << other)
    return left


@called
def _betters(plan: Plan, state: KernelState, slot: int, later: int, earlier: int) -> bool:
    """Say whether the later of two candidates quotes better; of equal ones the earlier stays."""
    is_open, asked, given = _quoted(plan, state, slot, earlier)
    is_open_2, asked_2, given_2 = _quoted(plan, state, slot, later)
    if is_open != is_open_2:
        return bool(is_open_2 > is_open)
    if asked != asked_2:
        return bool(asked_2 < asked)
    if given != given_2:
        return bool(given_2 > given)
    rank = plan.candidate[earlier, CandidateColumn.RANK]
    return bool(plan.candidate[later, CandidateColumn.RANK] < rank)


@called
def _quoted(plan: Plan, state: KernelState, slot: int, candidate: int) -> tuple[int, int, int]:
    """Return whether a candidate's price can be used, what the payer pays and the payee gets."""
    route = plan.candidate[candidate, CandidateColumn.ROUTE]
    row = plan.route[route, RouteColumn.PRICING]
    if row < 0 or price(plan, state, slot, row, state.cursor[st.C_NOW]) == 0:
        return 0, 0, 0
    asked = state.scratch[Register.DEBITED] + state.scratch[Register.PAYER_FEE]
    return 1, int(asked), int(state.scratch[Register.CREDITED])

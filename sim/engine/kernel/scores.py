"""What a router thinks of a route: its score by policy, and whether its rule bars it.

Takes a payment and a candidate; gives the score. The meaning is in :mod:`sim.contract.policies`.
"""

from __future__ import annotations

from sim.contract.guards import GuardColumn
from sim.contract.layout import SCORE_WORST, LedgerColumn, RouteColumn, RouteViewColumn
from sim.contract.meaning import Policy
from sim.contract.own_policies import OWN_SCORE_MAX, SPARE_NONE
from sim.contract.plan import Plan
from sim.contract.policies import (
    SCORE_BARRED,
    WORTH_PPM_MAX,
    WORTH_SECONDS_MAX_US,
    RuleColumn,
)
from sim.contract.records import Register
from sim.engine.kernel import state as st
from sim.engine.kernel.health import is_breaker_open
from sim.engine.kernel.journal import break_off
from sim.engine.kernel.prices import price
from sim.engine.kernel.state import (
    A_PENDING,
    A_POSTED,
    H_SEEN_LEARNT,
    L_SEEN,
    S_SEEN,
    KernelState,
)
from sim.jit.functions import called
from sim.jit.own_functions import call_address

OF_STATION, OF_ACCOUNT = 0, 2


@called
def score_of(plan: Plan, state: KernelState, slot: int, route: int, place: tuple[int, int]) -> int:
    """Return a candidate's score, that of a barred one behind all others.

    ``place`` is the policy and the candidate's position.
    """
    policy, position = place
    rule = plan.route[route, RouteColumn.RULE]
    by_cost = policy in (Policy.CHEAPEST, Policy.WEIGHTED, Policy.OWN)
    # Without a rule nothing is barred, and position and time need no price.
    needs_cost = by_cost or (
        rule >= 0
        and (
            plan.rule[rule, RuleColumn.COST_MAX_PPM] >= 0 or plan.rule[rule, RuleColumn.SPARES] != 0
        )
    )
    cost = 0
    has_price = False
    if needs_cost and plan.route[route, RouteColumn.PRICING] >= 0:
        row = plan.route[route, RouteColumn.PRICING]
        # A price that would fail sorts behind every real one but stays eligible: if all fail,
        # the first is tried and fails at its own QUOTE, with that stage's reason.
        if price(plan, state, slot, row, state.cursor[st.C_NOW]) == 0:
            if by_cost:
                return SCORE_WORST
        else:
            has_price = True
            cost = state.scratch[Register.FX_MARGIN] + state.scratch[Register.PAYER_FEE]
    score = position
    if policy == Policy.CHEAPEST:
        score = cost
    elif policy == Policy.WEIGHTED:
        score = cost
        if rule >= 0 and has_price:
            score += _worth(plan, state, rule, _time(plan, state, route))
    elif policy == Policy.FASTEST:
        score = _time(plan, state, route)
    elif policy == Policy.ADAPTIVE:
        score = _time(plan, state, route)
        if rule >= 0 and state.health[route, H_SEEN_LEARNT] >= 0:
            score = state.health[route, H_SEEN_LEARNT]
    elif policy in (Policy.ORACLE_COST, Policy.ORACLE_TIME):
        score = state.foreseen[position]
    elif policy == Policy.OWN:
        score = _own_score(plan, state, slot, (route, position), cost if has_price else -1)
    if rule >= 0 and _is_barred(plan, state, route, cost, has_price):
        score += SCORE_BARRED
    return int(score)


@called
def _is_barred(plan: Plan, state: KernelState, route: int, cost: int, has_price: bool) -> bool:
    """Tell whether a route's rule keeps payments away while another is left."""
    rule = plan.route[route, RouteColumn.RULE]
    if is_breaker_open(plan, state, route):
        return True
    most_us = plan.rule[rule, RuleColumn.TIME_MAX_US]
    if most_us >= 0 and _time(plan, state, route) > most_us:
        return True
    if not has_price:
        return False
    most_ppm = plan.rule[rule, RuleColumn.COST_MAX_PPM]
    if most_ppm >= 0 and cost > _millionths(state.scratch[Register.DEBITED], most_ppm):
        return True
    if plan.rule[rule, RuleColumn.SPARES] == 0:
        return False
    return _spare(plan, state, route) < 0


@called
def _spare(plan: Plan, state: KernelState, route: int) -> int:
    """Return the least any account a route draws on would have left above its reserve."""
    spare = SPARE_NONE
    first = plan.route[route, RouteColumn.VIEW_FIRST]
    for at in range(first, first + plan.route[route, RouteColumn.VIEW_COUNT]):
        if plan.route_view[at, RouteViewColumn.KIND] == OF_ACCOUNT:
            account = plan.route_view[at, RouteViewColumn.SUBJECT]
            taken = state.scratch[plan.route_view[at, RouteViewColumn.PER_ITEM]]
            level = state.account[account, A_POSTED] - state.account[account, A_PENDING]
            spare = min(spare, level - taken - plan.guard[account, GuardColumn.RESERVE])
    return spare


@called
def _own_score(
    plan: Plan, state: KernelState, slot: int, candidate: tuple[int, int], cost: int
) -> int:
    """Return what a function of the user's own gives a route at a position; cost -1: no price."""
    route, position = candidate
    pool, told, priced = state.pool, state.told, cost >= 0
    # In the order of the fields of Known.
    told[0] = pool[slot, st.P_ID]
    told[1] = state.cursor[st.C_NOW]
    told[2] = pool[slot, st.P_ATTEMPTS] - pool[slot, st.P_BEGUN]
    told[3] = position
    told[4] = pool[slot, st.P_INSTRUCTED]
    told[5] = state.scratch[Register.DEBITED] if priced else 0
    told[6] = state.scratch[Register.CREDITED] if priced else 0
    told[7] = cost if priced else 0
    told[8] = plan.route[route, RouteColumn.EXPECTED_US]
    told[9] = _time(plan, state, route)
    told[10] = _spare(plan, state, route) if priced else SPARE_NONE
    # A route set with this policy has routes whose rule names its function.
    own = plan.rule[plan.route[route, RouteColumn.RULE], RuleColumn.OWN]
    score = call_address(state.own[own, 0], told, state.seen_memory, route, plan.own_setting, own)
    if score < 0 or score > OWN_SCORE_MAX:
        break_off(state.cursor, st.E_OWN_POLICY, pool[slot, st.P_ID])
        return 0
    return int(score)


@called
def _worth(plan: Plan, state: KernelState, rule: int, time_us: int) -> int:
    """Return what a wait is worth to the payer, in debited currency."""
    ppm = min(time_us, WORTH_SECONDS_MAX_US) // 1_000
    ppm = ppm * plan.rule[rule, RuleColumn.TIME_WORTH_PPM] // 1_000
    return _millionths(state.scratch[Register.DEBITED], min(ppm, WORTH_PPM_MAX))


@called
def _millionths(amount: int, ppm: int) -> int:
    """Return so many millionths of an amount, rounded down; no product leaves an int64."""
    return amount // 1_000_000 * ppm + amount % 1_000_000 * ppm // 1_000_000


@called
def _time(plan: Plan, state: KernelState, route: int) -> int:
    """Return what a route takes without queues, added to the queues as last sampled."""
    time_us = plan.route[route, RouteColumn.EXPECTED_US]
    first = plan.route[route, RouteColumn.VIEW_FIRST]
    for at in range(first, first + plan.route[route, RouteColumn.VIEW_COUNT]):
        subject = plan.route_view[at, RouteViewColumn.SUBJECT]
        kind = plan.route_view[at, RouteViewColumn.KIND]
        if kind == OF_STATION:
            per_item = plan.route_view[at, RouteViewColumn.PER_ITEM]
            time_us += state.station[subject, S_SEEN] * per_item
        elif kind != OF_ACCOUNT:
            # Whole blocks ahead of the payment, rounded down: those in the unfinished one are
            # committed together with it.
            blocks = state.ledger[subject, L_SEEN] // plan.ledger[subject, LedgerColumn.BLOCK_LIMIT]
            time_us += blocks * plan.ledger[subject, LedgerColumn.ROUND_INTERVAL_US]
    return int(time_us)

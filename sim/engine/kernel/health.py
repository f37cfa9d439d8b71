"""What the router has heard of routes: breakers, and times learnt.

Takes payments whose attempt begins or ends, and the sample events that refresh what is seen. The
meaning is in :mod:`sim.contract.policies`.
"""

from __future__ import annotations

from sim.contract.layout import RouteColumn
from sim.contract.meaning import FAILOVER_REASONS, Cause
from sim.contract.plan import Array, Plan
from sim.contract.policies import LEARNING_SHIFT, RuleColumn
from sim.engine.kernel import state as st
from sim.engine.kernel.state import (
    H_LEARNT,
    H_MARKS,
    H_OPENED,
    H_PROBE,
    H_SEEN_LEARNT,
    H_SEEN_OPENED,
    P_ID,
    P_ROUTE,
    KernelState,
)
from sim.jit.functions import called

_NEVER = -1
_FAILOVER_MASK = sum(1 << int(reason) for reason in FAILOVER_REASONS)
SUCCEEDED = -1
SAYS_NOTHING = -2
"""In place of a reason: how an attempt ended that failed for none."""


@called
def begin_attempt(plan: Plan, state: KernelState, slot: int) -> None:
    """Note that a payment tries its route from now on."""
    pool = state.pool
    if state.health.shape[0] == 0:
        return
    route = pool[slot, P_ROUTE]
    pool[slot, st.P_HEARD] = 1
    pool[slot, st.P_ROUTED] = state.cursor[st.C_NOW] - pool[slot, st.P_TIME + Cause.HUMAN]
    # Barred it would not be if another route were left; whoever comes is the probe.
    if state.health[route, H_OPENED] != _NEVER and state.health[route, H_PROBE] == _NEVER:
        state.health[route, H_PROBE] = pool[slot, P_ID]


@called
def end_attempt(plan: Plan, state: KernelState, slot: int, reason: int) -> None:
    """Hear how an attempt ended: the reason of its failure, SUCCEEDED or SAYS_NOTHING."""
    pool, health = state.pool, state.health
    if health.shape[0] == 0 or pool[slot, st.P_HEARD] == 0:
        return
    pool[slot, st.P_HEARD] = 0
    route = pool[slot, P_ROUTE]
    is_probe = health[route, H_PROBE] == pool[slot, P_ID]
    if is_probe:
        health[route, H_PROBE] = _NEVER
    failed = 0
    if reason >= 0:
        failed = (_FAILOVER_MASK >> reason) & 1
    rule = plan.route[route, RouteColumn.RULE]
    if rule < 0 or (reason != SUCCEEDED and failed == 0):
        return
    _mark(plan, state, route, failed, is_probe)
    if plan.rule[rule, RuleColumn.LEARNS] != 0:
        now = state.cursor[st.C_NOW]
        took = now - pool[slot, st.P_TIME + Cause.HUMAN] - pool[slot, st.P_ROUTED]
        if failed != 0:
            took = plan.rule[rule, RuleColumn.PENALTY_US]
        if health[route, H_LEARNT] == _NEVER:
            health[route, H_LEARNT] = took
        else:
            health[route, H_LEARNT] += (took - health[route, H_LEARNT]) >> LEARNING_SHIFT
    if plan.rule[rule, RuleColumn.SAMPLED] == 0:
        _see(health, route)


@called
def _mark(plan: Plan, state: KernelState, route: int, failed: int, is_probe: bool) -> None:
    """Let a breaker hear of an attempt that failed or succeeded."""
    health, rule = state.health, plan.route[route, RouteColumn.RULE]
    if plan.rule[rule, RuleColumn.FAILURES] == 0:
        return
    now = state.cursor[st.C_NOW]
    if is_probe:
        health[route, H_OPENED] = now if failed != 0 else _NEVER
        health[route, H_MARKS] = 0
    elif health[route, H_OPENED] == _NEVER:
        # A bit for each attempt it looks back on; those not made yet did not fail.
        window = (1 << plan.rule[rule, RuleColumn.WINDOW]) - 1
        marks = ((health[route, H_MARKS] << 1) | failed) & window
        health[route, H_MARKS] = marks
        found = 0
        while marks != 0:
            marks &= marks - 1
            found += 1
        if found >= plan.rule[rule, RuleColumn.FAILURES]:
            health[route, H_OPENED] = now
            health[route, H_MARKS] = 0


@called
def is_breaker_open(plan: Plan, state: KernelState, route: int) -> bool:
    """Tell whether a route's breaker keeps payments away now."""
    health, rule = state.health, plan.route[route, RouteColumn.RULE]
    if health[route, H_SEEN_OPENED] == _NEVER:
        return False
    since = state.cursor[st.C_NOW] - health[route, H_SEEN_OPENED]
    is_early = since < plan.rule[rule, RuleColumn.OPEN_US]
    return bool(is_early or health[route, H_PROBE] != _NEVER)


@called
def see_health(state: KernelState) -> None:
    """Let the router see everything as it is at a sample."""
    for route in range(state.health.shape[0]):
        _see(state.health, route)


@called
def _see(health: Array, route: int) -> None:
    health[route, H_SEEN_OPENED] = health[route, H_OPENED]
    health[route, H_SEEN_LEARNT] = health[route, H_LEARNT]

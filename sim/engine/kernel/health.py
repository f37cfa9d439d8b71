"""What the router has heard of routes: breakers, and times learnt.

Takes payments whose attempt begins or ends, and the sample events that refresh what is seen. The
meaning is in :mod:`sim.contract.policies`.
"""

from __future__ import annotations

from sim.contract.layout import RouteColumn
from sim.contract.meaning import FAILOVER_REASONS, Cause
from sim.contract.own_policies import BEGUN, FAILED, MEMORY_MAX
from sim.contract.own_policies import SAYS_NOTHING as SAYS_SO
from sim.contract.own_policies import SUCCEEDED as WORKED
from sim.contract.plan import Array, Plan
from sim.contract.policies import LEARNING_SHIFT, RuleColumn
from sim.engine.kernel import state as st
from sim.engine.kernel.journal import break_off
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
from sim.jit.own_functions import call_address

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
    if state.own.shape[0] != 0:
        _tell(plan, state, slot, (BEGUN, 0, -1))


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
    now = state.cursor[st.C_NOW]
    took = now - pool[slot, st.P_TIME + Cause.HUMAN] - pool[slot, st.P_ROUTED]
    if state.own.shape[0] != 0:
        event = SAYS_SO
        if reason == SUCCEEDED:
            event = WORKED
        elif failed != 0:
            event = FAILED
        _tell(plan, state, slot, (event, took, max(reason, -1)))
    if rule < 0 or (reason != SUCCEEDED and failed == 0):
        return
    _mark(plan, state, route, failed, is_probe)
    if plan.rule[rule, RuleColumn.LEARNS] != 0:
        if failed != 0:
            took = plan.rule[rule, RuleColumn.PENALTY_US]
        if health[route, H_LEARNT] == _NEVER:
            health[route, H_LEARNT] = took
        else:
            health[route, H_LEARNT] += (took - health[route, H_LEARNT]) >> LEARNING_SHIFT
    if plan.rule[rule, RuleColumn.SAMPLED] == 0:
        _see(health, route)


@called
def _tell(plan: Plan, state: KernelState, slot: int, what: tuple[int, int, int]) -> None:
    """Let a policy of the user's own hear of an attempt: its event, time and reason."""
    route = state.pool[slot, P_ROUTE]
    rule = plan.route[route, RouteColumn.RULE]
    if rule < 0 or plan.rule[rule, RuleColumn.OWN] < 0:
        return
    own = plan.rule[rule, RuleColumn.OWN]
    if state.own[own, 1] == 0:
        return
    event, took, reason = what
    told = state.told
    # In the order of the fields of Heard.
    told[0] = event
    told[1] = state.pool[slot, P_ID]
    told[2] = state.cursor[st.C_NOW]
    told[3] = took
    told[4] = reason
    said = call_address(state.own[own, 1], told, state.memory, route, plan.own_setting, own)
    if said != 0:
        break_off(state.cursor, st.E_OWN_POLICY, state.pool[slot, P_ID])
    if plan.rule[rule, RuleColumn.SAMPLED] == 0:
        _see_memory(state, route)


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
    for route in range(state.memory.shape[0]):
        _see_memory(state, route)


@called
def _see_memory(state: KernelState, route: int) -> None:
    for at in range(MEMORY_MAX):
        state.seen_memory[route, at] = state.memory[route, at]


@called
def _see(health: Array, route: int) -> None:
    health[route, H_SEEN_OPENED] = health[route, H_OPENED]
    health[route, H_SEEN_LEARNT] = health[route, H_LEARNT]

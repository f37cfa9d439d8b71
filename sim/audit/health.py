"""Rebuild what a router has heard of routes from the rows of the log: breakers, times learnt.

Takes ROUTE, FAIL, EXPIRE, OUTCOME and SAMPLE rows; keeps beside each route what a router knew.
Written from :mod:`sim.contract.policies` without the engines.
"""

from __future__ import annotations

from sim.audit.containers import number_of
from sim.audit.state import NOBODY, Count, Pay, RouteState, Things
from sim.audit.world import World
from sim.contract.layout import RouteColumn
from sim.contract.meaning import FAILOVER_REASONS, Cause, Outcome
from sim.contract.own_policies import BEGUN, FAILED, SAYS_NOTHING, SUCCEEDED
from sim.contract.policies import RuleColumn
from sim.jit.functions import called
from sim.jit.own_functions import call_address

_HELPFUL = sum(1 << int(reason) for reason in FAILOVER_REASONS)


@called
def rule_of(w: World, route: int) -> int:
    """Return the row of a route's rule among the things, -1 without one."""
    number = w.things[w.first[Things.ROUTE] + route, RouteColumn.RULE]
    return int(w.first[Things.RULE] + number) if number >= 0 else NOBODY


@called
def attempt_begins(w: World, p: int) -> None:
    """Note the ROUTE row of a payment."""
    if w.size[Things.RULE] == 0:
        return
    row = w.first[Things.ROUTE] + w.pay[p, Pay.ROUTE]
    w.pay[p, Pay.UNHEARD] = 1
    w.pay[p, Pay.ROUTED_US] = w.g[Count.NOW] - w.pay[p, Pay.TIME_0 + Cause.HUMAN]
    if w.things[row, RouteState.OPENED_US] >= 0 and w.things[row, RouteState.PROBE] < 0:
        w.things[row, RouteState.PROBE] = number_of(w, p)
    _tell(w, p, (BEGUN, 0, -1))


@called
def attempt_fails(w: World, p: int, reason: int) -> None:
    """Note the first FAIL or EXPIRE row of an attempt."""
    helps = 0 <= reason < 63 and ((_HELPFUL >> reason) & 1) == 1
    _attempt_ends(w, p, 1 if helps else -1, reason)


@called
def payment_ends(w: World, p: int, outcome: int) -> None:
    """Note the OUTCOME row of a payment."""
    _attempt_ends(w, p, 0 if outcome == Outcome.COMPLETED else -1, -1)


@called
def _attempt_ends(w: World, p: int, failed: int, reason: int) -> None:
    """Let an attempt end that failed (1), succeeded (0), or says nothing (-1)."""
    if w.size[Things.RULE] == 0 or w.pay[p, Pay.UNHEARD] != 1:
        return
    w.pay[p, Pay.UNHEARD] = 0
    route = w.pay[p, Pay.ROUTE]
    row, rule = w.first[Things.ROUTE] + route, rule_of(w, route)
    probes = w.things[row, RouteState.PROBE] == number_of(w, p)
    if probes:
        w.things[row, RouteState.PROBE] = NOBODY
    took = w.g[Count.NOW] - w.pay[p, Pay.TIME_0 + Cause.HUMAN] - w.pay[p, Pay.ROUTED_US]
    event = SAYS_NOTHING
    if failed >= 0:
        event = FAILED if failed == 1 else SUCCEEDED
    _tell(w, p, (event, took, reason))
    if rule == NOBODY or failed < 0:
        return
    most = w.things[rule, RuleColumn.FAILURES]
    if most > 0:
        if probes:
            w.things[row, RouteState.OPENED_US] = w.g[Count.NOW] if failed == 1 else -1
            _forget_marks(w, row)
        elif w.things[row, RouteState.OPENED_US] < 0:
            _add_mark(w, row, rule, failed)
            if _failures(w, row, rule) >= most:
                w.things[row, RouteState.OPENED_US] = w.g[Count.NOW]
                _forget_marks(w, row)
    if w.things[rule, RuleColumn.LEARNS] == 1:
        if failed == 1:
            took = w.things[rule, RuleColumn.PENALTY_US]
        learnt = w.things[row, RouteState.LEARNT_US]
        # An eighth of the way, rounded down.
        w.things[row, RouteState.LEARNT_US] = took if learnt < 0 else learnt + (took - learnt) // 8
    if w.things[rule, RuleColumn.SAMPLED] == 0:
        router_looks(w, row)


@called
def _tell(w: World, p: int, what: tuple[int, int, int]) -> None:
    """Let a function of the user's own hear of an attempt: its event, time and reason."""
    route = w.pay[p, Pay.ROUTE]
    rule = rule_of(w, route)
    if rule == NOBODY or w.things[rule, RuleColumn.OWN] < 0:
        return
    own = w.things[rule, RuleColumn.OWN]
    if w.own[own, 1] == 0:
        return
    # As many are told as Heard has fields, in their order.
    w.told[0], w.told[3], w.told[4] = what
    w.told[1], w.told[2] = number_of(w, p), w.g[Count.NOW]
    call_address(w.own[own, 1], w.told, w.memory, route, w.settings, own)
    if w.things[rule, RuleColumn.SAMPLED] == 0:
        _memory_is_seen(w, route)


@called
def _memory_is_seen(w: World, route: int) -> None:
    """Let a router see what is kept in mind of a route."""
    for at in range(w.memory.shape[1]):
        w.memory[w.size[Things.ROUTE] + route, at] = w.memory[route, at]


@called
def router_looks(w: World, row: int) -> None:
    """Let a router see what is known of a route now."""
    w.things[row, RouteState.SEEN_OPENED_US] = w.things[row, RouteState.OPENED_US]
    w.things[row, RouteState.SEEN_LEARNT_US] = w.things[row, RouteState.LEARNT_US]


@called
def routers_look(w: World) -> None:
    """Let routers see everything, at a sample."""
    if w.size[Things.RULE] > 0:
        for route in range(w.size[Things.ROUTE]):
            router_looks(w, w.first[Things.ROUTE] + route)
            if w.memory.shape[0] > 0:
                _memory_is_seen(w, route)


@called
def breaker_bars(w: World, route: int) -> bool:
    """Say whether a route's breaker keeps payments away now."""
    row, rule = w.first[Things.ROUTE] + route, rule_of(w, route)
    since = w.things[row, RouteState.SEEN_OPENED_US]
    if since < 0:
        return False
    early = w.g[Count.NOW] < since + w.things[rule, RuleColumn.OPEN_US]
    return bool(early or w.things[row, RouteState.PROBE] >= 0)


@called
def _forget_marks(w: World, row: int) -> None:
    w.things[row, RouteState.MARKS] = 0


@called
def _add_mark(w: World, row: int, rule: int, failed: int) -> None:
    """Remember an attempt in front of those before."""
    window = w.things[rule, RuleColumn.WINDOW]
    w.things[row, RouteState.MARKS] = (2 * w.things[row, RouteState.MARKS] + failed) % (1 << window)


@called
def _failures(w: World, row: int, rule: int) -> int:
    """Return how many of the attempts looked back on failed."""
    found = 0
    for back in range(w.things[rule, RuleColumn.WINDOW]):
        found += (w.things[row, RouteState.MARKS] >> back) & 1
    return int(found)

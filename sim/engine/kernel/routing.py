"""ROUTE: choose a route, or another one after a failure.

Takes a payment at a ROUTE stage, and the sample events that refresh what the router knows. The
meaning is in ``meaning.Op.ROUTE`` and ``meaning.Policy``.
"""

from __future__ import annotations

from sim.contract.layout import (
    SCORE_WORST,
    AccountColumn,
    LedgerColumn,
    RouteColumn,
    RouteSetColumn,
    RouteViewColumn,
    StageColumn,
)
from sim.contract.meaning import FAILOVER_REASONS, Cause, Flag, LogKind, Policy, Reason
from sim.contract.plan import Plan
from sim.contract.records import Register
from sim.engine.kernel import state as st
from sim.engine.kernel.journal import write_log, write_sample
from sim.engine.kernel.payments import fail
from sim.engine.kernel.prices import price
from sim.engine.kernel.state import (
    A_PENDING,
    A_POSTED,
    L_QUEUE,
    L_ROUND,
    L_SEEN,
    P_ATTEMPTS,
    P_ID,
    P_ROUTE,
    P_STAGE,
    P_TIME,
    P_TRIED,
    S_BUSY,
    S_QUEUE,
    S_SEEN,
    KernelState,
)
from sim.jit.functions import called

# Numba knows members of an IntEnum as constants, those of an IntFlag it does not.
_NEXT = int(Flag.NEXT)
_FAILOVER_MASK = sum(1 << int(reason) for reason in FAILOVER_REASONS)


@called
def choose_route(plan: Plan, state: KernelState, slot: int) -> None:
    """Put a payment on a route, or let it pass or fail where there is none."""
    pool = state.pool
    at = pool[slot, P_STAGE]
    route_set = pool[slot, st.P_ROUTE_SET]
    count = 0
    if route_set >= 0:
        count = plan.route_set[route_set, RouteSetColumn.COUNT]
    if (plan.stage[at, StageColumn.FLAGS] & _NEXT) == 0:
        if count == 0:
            fail(plan, state, slot, plan.stage[at, StageColumn.REASON])
            return
        pool[slot, P_TRIED] = 0
        pool[slot, P_ATTEMPTS] = 1
    else:
        untried = ((1 << count) - 1) & ~pool[slot, P_TRIED]
        can_help = (_FAILOVER_MASK >> pool[slot, st.P_REASON]) & 1
        if (
            can_help == 0
            or untried == 0
            or pool[slot, P_ATTEMPTS] >= plan.route_set[route_set, RouteSetColumn.MAX_ATTEMPTS]
        ):
            pool[slot, P_STAGE] = at + 1
            return
        for cause in range(Cause.RETRY):
            pool[slot, P_TIME + Cause.RETRY] += pool[slot, P_TIME + cause]
            pool[slot, P_TIME + cause] = 0
        pool[slot, st.P_REASON] = Reason.NONE
        pool[slot, P_ATTEMPTS] += 1
    _take_best(plan, state, slot, route_set, count)


@called
def _take_best(plan: Plan, state: KernelState, slot: int, route_set: int, count: int) -> None:
    """Choose the untried candidate of lowest score and put the payment on it."""
    pool = state.pool
    tried = pool[slot, P_TRIED]
    first = plan.route_set[route_set, RouteSetColumn.FIRST]
    untried = 0
    for position in range(count):
        untried += 1 - ((tried >> position) & 1)
    best = -1
    best_score = 0
    for position in range(count):
        if (tried >> position) & 1 == 0:
            score = 0
            if untried > 1:
                policy = plan.route_set[route_set, RouteSetColumn.POLICY]
                score = _score(plan, state, slot, plan.candidate[first + position], policy)
                if policy not in (Policy.CHEAPEST, Policy.FASTEST):
                    score = position
            if best < 0 or score < best_score:
                best = position
                best_score = score
    route = plan.candidate[first + best]
    pool[slot, P_TRIED] = tried | (1 << best)
    pool[slot, P_ROUTE] = route
    if plan.route[route, RouteColumn.DEBTOR_AGENT] >= 0:
        pool[slot, st.P_DEBTOR_AGENT] = plan.route[route, RouteColumn.DEBTOR_AGENT]
    if plan.route[route, RouteColumn.CREDITOR_AGENT] >= 0:
        pool[slot, st.P_CREDITOR_AGENT] = plan.route[route, RouteColumn.CREDITOR_AGENT]
    write_log(
        state.cursor,
        state.log,
        LogKind.ROUTE,
        pool[slot, P_ID],
        pool[slot, P_STAGE],
        route,
        best_score,
        pool[slot, P_ATTEMPTS],
    )
    pool[slot, P_STAGE] = plan.route[route, RouteColumn.ENTRY]


@called
def _score(plan: Plan, state: KernelState, slot: int, route: int, policy: int) -> int:
    """Return a route's cost or expected time, by policy; 0 for any other policy."""
    if policy == Policy.CHEAPEST:
        row = plan.route[route, RouteColumn.PRICING]
        if row < 0:
            return 0
        if price(plan, state, slot, row) == 0:
            return SCORE_WORST
        return int(state.scratch[Register.FX_MARGIN] + state.scratch[Register.PAYER_FEE])
    if policy != Policy.FASTEST:
        return 0
    score = plan.route[route, RouteColumn.EXPECTED_US]
    first = plan.route[route, RouteColumn.VIEW_FIRST]
    for at in range(first, first + plan.route[route, RouteColumn.VIEW_COUNT]):
        subject = plan.route_view[at, RouteViewColumn.SUBJECT]
        if plan.route_view[at, RouteViewColumn.KIND] == 0:
            score += state.station[subject, S_SEEN] * plan.route_view[at, RouteViewColumn.PER_ITEM]
        else:
            blocks = state.ledger[subject, L_SEEN] // plan.ledger[subject, LedgerColumn.BLOCK_LIMIT]
            score += blocks * plan.ledger[subject, LedgerColumn.ROUND_INTERVAL_US]
    return int(score)


@called
def sample(plan: Plan, state: KernelState) -> None:
    """Refresh the router's view and log the series."""
    cursor = state.cursor
    log = state.log
    for s in range(state.station.shape[0]):
        length = state.station[s, S_QUEUE]
        state.station[s, S_SEEN] = length
        write_sample(cursor, log, LogKind.SAMPLE_STATION, s, length, state.station[s, S_BUSY])
    for ledger in range(state.ledger.shape[0]):
        length = state.ledger[ledger, L_QUEUE]
        state.ledger[ledger, L_SEEN] = length
        rounds = state.ledger[ledger, L_ROUND]
        write_sample(cursor, log, LogKind.SAMPLE_LEDGER, ledger, length, rounds)
    for account in range(state.account.shape[0]):
        if plan.account[account, AccountColumn.WATCHED] != 0:
            posted = state.account[account, A_POSTED]
            pending = state.account[account, A_PENDING]
            write_sample(cursor, log, LogKind.SAMPLE_ACCOUNT, account, posted, pending)

"""ROUTE: choose a route, or another one after a failure.

Takes a payment at a ROUTE stage, and the sample events that refresh what the router knows. The
meaning is in ``meaning.Op.ROUTE`` and ``meaning.Policy``.
"""

from __future__ import annotations

from sim.contract.layout import (
    CANDIDATES_MAX,
    SCORE_WORST,
    AccountColumn,
    CandidateColumn,
    RouteColumn,
    RouteSetColumn,
    RouteViewColumn,
    StageColumn,
    StreamColumn,
)
from sim.contract.loads import LoadColumn
from sim.contract.meaning import FAILOVER_REASONS, Cause, Flag, LogKind, Policy, Reason
from sim.contract.plan import Array, Plan
from sim.contract.policies import SCORE_BARRED, RuleColumn
from sim.engine.kernel import state as st
from sim.engine.kernel.health import begin_attempt, see_health
from sim.engine.kernel.journal import write_log, write_sample
from sim.engine.kernel.loads import joined
from sim.engine.kernel.payments import draw, fail
from sim.engine.kernel.prices import price_again
from sim.engine.kernel.quotes import best_quotes
from sim.engine.kernel.scores import OF_ACCOUNT, score_of
from sim.engine.kernel.state import (
    A_CLOSED,
    A_PENDING,
    A_POSTED,
    C_NOW,
    L_QUEUE,
    L_ROUND,
    L_SEEN,
    L_TAKEN,
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
_CHEAPEST, _FASTEST = int(Policy.CHEAPEST), int(Policy.FASTEST)
# A bit for every reason another route can help against; reasons are below 63.
_FAILOVER_MASK = sum(1 << int(reason) for reason in FAILOVER_REASONS)


@called
def choose_route(plan: Plan, state: KernelState, slot: int) -> None:
    """Put a payment on a route, or let it pass or fail where there is none."""
    pool = state.pool
    at = pool[slot, P_STAGE]
    route_set = pool[slot, st.P_ROUTE_SET]
    count = 0
    eligible = 0
    # -1 is an empty route set: a class of payees that nobody reaches.
    if route_set >= 0:
        count = plan.route_set[route_set, RouteSetColumn.COUNT]
        eligible = _open_candidates(plan, state, route_set, count)
    if state.cursor[st.C_ASKS] == slot + 1:
        # An oracle has been asked and has answered; all else is done.
        eligible &= ~pool[slot, P_TRIED]
    elif (plan.stage[at, StageColumn.FLAGS] & _NEXT) == 0:
        if count == 0:
            fail(plan, state, slot, plan.stage[at, StageColumn.REASON])
            return
        if eligible == 0:
            fail(plan, state, slot, Reason.AG10)
            return
        # A first choice starts afresh, whatever was tried before it.
        pool[slot, P_TRIED] = 0
        pool[slot, st.P_BEGUN] = pool[slot, P_ATTEMPTS]
        _count_attempt(pool, slot)
        pool[slot, st.P_STANDING] = 0
    else:
        # Short-circuit keeps the row of the route set from being read where there is none: without
        # candidates nothing is untried.
        eligible &= ~pool[slot, P_TRIED]
        can_help = (_FAILOVER_MASK >> pool[slot, st.P_REASON]) & 1
        if (
            can_help == 0
            or eligible == 0
            or pool[slot, P_ATTEMPTS] - pool[slot, st.P_BEGUN]
            >= plan.route_set[route_set, RouteSetColumn.MAX_ATTEMPTS]
        ):
            # No other route helps: the payment goes on to what its payer does then, or passes on to
            # what ends it, with the reason it has.
            after = plan.stream[pool[slot, st.P_STREAM], StreamColumn.AFTER_FAILURE]
            pool[slot, P_STAGE] = after if after >= 0 else at + 1
            return
        forget_failure(pool, slot)
        _count_attempt(pool, slot)
    eligible = best_quotes(plan, state, slot, route_set, count, eligible)
    if _asks(plan, state, slot, route_set, eligible):
        return
    state.cursor[st.C_ASKS] = 0
    _take_best(plan, state, slot, route_set, count, eligible)


@called
def _asks(plan: Plan, state: KernelState, slot: int, route_set: int, eligible: int) -> bool:
    """Ask what an oracle foresees, where one chooses; tell whether the payment awaits an answer."""
    cursor = state.cursor
    # No choice, no question; in a course that is foreseen nobody asks but who it is about.
    if cursor[st.C_ASKS] != 0 or cursor[st.C_COURSE] != 0 or eligible & (eligible - 1) == 0:
        return False
    policy = plan.route_set[route_set, RouteSetColumn.POLICY]
    is_watched = cursor[st.C_WATCHES] == state.pool[slot, P_ID] + 1
    if policy not in (Policy.ORACLE_COST, Policy.ORACLE_TIME) and not is_watched:
        return False
    for position in range(CANDIDATES_MAX):
        state.foreseen[position] = (eligible >> position) & 1
    cursor[st.C_ASKS] = -(slot + 1)
    return True


@called
def policy_of(plan: Plan, state: KernelState, route_set: int) -> int:
    """Return the policy of a route set; in a course that is foreseen no oracle is left."""
    policy = plan.route_set[route_set, RouteSetColumn.POLICY]
    if state.cursor[st.C_COURSE] != 0:
        if policy == Policy.ORACLE_COST:
            return _CHEAPEST
        if policy == Policy.ORACLE_TIME:
            return _FASTEST
    return int(policy)


@called
def _open_candidates(plan: Plan, state: KernelState, route_set: int, count: int) -> int:
    """Return the candidates of a route set, a bit each, that no closed channel stops."""
    # CANDIDATES_MAX is 32, so the mask fits easily.
    opened = (1 << count) - 1
    if state.cursor[st.C_GUARDED] == 0:
        return opened
    for position in range(count):
        candidate = plan.route_set[route_set, RouteSetColumn.FIRST] + position
        route = plan.candidate[candidate, CandidateColumn.ROUTE]
        first = plan.route[route, RouteColumn.VIEW_FIRST]
        for at in range(first, first + plan.route[route, RouteColumn.VIEW_COUNT]):
            if (
                plan.route_view[at, RouteViewColumn.KIND] == OF_ACCOUNT
                and state.account[plan.route_view[at, RouteViewColumn.SUBJECT], A_CLOSED] != 0
            ):
                opened &= ~(1 << position)
    return opened


@called
def switch(plan: Plan, state: KernelState, slot: int) -> bool:
    """Let the payer take the second instrument; tell whether the payment passes on instead."""
    pool = state.pool
    at = pool[slot, P_STAGE]
    second = pool[slot, st.P_INSTRUMENT_2]
    # Without a second there is nothing to decide and no draw to make.
    if second == 0:
        return True
    if (
        draw(plan.stream_key, pool, slot, plan.stage[at, StageColumn.PURPOSE])
        >= plan.stage[at, StageColumn.VALUE]
    ):
        return True
    write_log(state.cursor, state.log, LogKind.SWITCH, pool[slot, P_ID], at, second, -1, -1)
    pool[slot, st.P_INSTRUMENT] = second
    pool[slot, st.P_ROUTE_SET] = pool[slot, st.P_ROUTE_SET_2]
    # Nobody carries three.
    pool[slot, st.P_INSTRUMENT_2] = 0
    forget_failure(pool, slot)
    pool[slot, P_STAGE] = plan.stage[at, StageColumn.TARGET]
    return False


@called
def _count_attempt(pool: Array, slot: int) -> None:
    """Count one more attempt; its draws are others."""
    # The attempt in steps of 64, as a payment can ask for 63 quotes again at most: the two never
    # collide.
    pool[slot, st.P_VISIT] = pool[slot, P_ATTEMPTS] * 64 + pool[slot, st.P_REQUOTES]
    pool[slot, P_ATTEMPTS] += 1
    pool[slot, st.P_RESENT] = 0


@called
def forget_failure(pool: Array, slot: int) -> None:
    """Begin anew: what was spent so far was spent in vain, but for the time of a person."""
    # All that was spent so far was spent on an attempt that failed, whatever it was spent on.
    # RETRY is the last cause, so the loop leaves out itself; a person did not try twice.
    for cause in range(Cause.RETRY):
        if cause != Cause.HUMAN:
            pool[slot, P_TIME + Cause.RETRY] += pool[slot, P_TIME + cause]
            pool[slot, P_TIME + cause] = 0
    # Whatever the next route does, it has not failed yet.
    pool[slot, st.P_REASON] = Reason.NONE


@called
def _take_best(
    plan: Plan, state: KernelState, slot: int, route_set: int, count: int, eligible: int
) -> None:
    """Choose the candidate of lowest score of those eligible, and put the payment on it."""
    pool = state.pool
    first = plan.route_set[route_set, RouteSetColumn.FIRST]
    # Counted first: a single candidate is taken without a score, so that a log does not depend
    # on what could not have mattered.
    eligible = _told(state, eligible)
    untried = 0
    for position in range(count):
        untried += (eligible >> position) & 1
    best = -1
    best_score = 0
    best_rank = 0
    ties = 0
    barred = 0
    policy = policy_of(plan, state, route_set)
    for position in range(count):
        if (eligible >> position) & 1 != 0:
            score = 0
            rank = plan.candidate[first + position, CandidateColumn.RANK]
            if untried > 1:
                route = plan.candidate[first + position, CandidateColumn.ROUTE]
                score = score_of(plan, state, slot, route, (policy, position))
                # The worst score is that of a price that fails, whatever else.
                if SCORE_BARRED <= score < SCORE_WORST:
                    barred |= 1 << position
            # Strictly lower: of those still equal the earlier stays, and shares decide below.
            if best < 0 or score < best_score or (score == best_score and rank < best_rank):
                best = position
                best_score = score
                best_rank = rank
                ties = 0
            # Noted as it goes, so that no score is computed twice.
            if score == best_score and rank == best_rank:
                ties |= 1 << position
    explored = -1
    if policy == Policy.ADAPTIVE and untried > 1:
        explored = _explored(plan, state, slot, route_set, (eligible, barred))
    if explored >= 0:
        best = explored
        route = plan.candidate[first + best, CandidateColumn.ROUTE]
        best_score = score_of(plan, state, slot, route, (policy, best))
    elif ties & (ties - 1) != 0:
        best = _draw_one(plan, state, slot, first, ties)
    route = plan.candidate[first + best, CandidateColumn.ROUTE]
    # Marked as tried when chosen, so a fail-over never comes back to it.
    pool[slot, P_TRIED] |= 1 << best
    given_up = pool[slot, P_ROUTE]
    pool[slot, P_ROUTE] = route
    # A route may say at which institutions it begins and ends. Role references of the stages
    # that follow are resolved against these.
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
    begin_attempt(plan, state, slot)
    pool[slot, P_STAGE] = _entrance(plan, state, slot, given_up)


@called
def _told(state: KernelState, eligible: int) -> int:
    """Return the candidate a course that is foreseen begins with, else all that may be taken."""
    course = state.cursor[st.C_COURSE]
    if course <= 0:
        return eligible
    state.cursor[st.C_COURSE] = -1
    return int(1 << (course - 1))


@called
def _entrance(plan: Plan, state: KernelState, slot: int, given_up: int) -> int:
    """Return where a payment begins its route, or goes on behind the payer's back."""
    pool = state.pool
    route = pool[slot, P_ROUTE]
    at = -1
    # A first choice has standing 0, whatever route stands in the payment.
    if (
        given_up >= 0
        and plan.route[route, RouteColumn.CLASS] >= 0
        and plan.route[route, RouteColumn.CLASS] == plan.route[given_up, RouteColumn.CLASS]
    ):
        if pool[slot, st.P_STANDING] > 1:
            at = plan.route[route, RouteColumn.AUTHORISED]
        if pool[slot, st.P_STANDING] > 0 and at < 0:
            at = plan.route[route, RouteColumn.CONFIRMED]
    if at < 0:
        pool[slot, st.P_STANDING] = 0
        return int(plan.route[route, RouteColumn.ENTRY])
    row = plan.route[route, RouteColumn.PRICING]
    # What the agents bear may differ; what the payer was shown holds, at the rates of then.
    if row >= 0 and pool[slot, st.P_PRICING] >= 0:
        price_again(plan, state, slot, row, pool[slot, st.P_QUOTED])
    return int(at)


@called
def _draw_one(plan: Plan, state: KernelState, slot: int, first: int, ties: int) -> int:
    """Return one of the candidates tied, by their shares."""
    total = 0
    lowest = -1
    for position in range(CANDIDATES_MAX):
        if (ties >> position) & 1 != 0:
            total += plan.candidate[first + position, CandidateColumn.SHARE]
            if lowest < 0:
                lowest = position
    # Nobody has a share: the earlier one.
    if total == 0:
        return lowest
    pool = state.pool
    purpose = plan.stage[pool[slot, P_STAGE], StageColumn.PURPOSE]
    # 31 bits of the draw times less than 2^31: the product fits an int64.
    at = ((draw(plan.stream_key, pool, slot, purpose) >> 31) * total) >> 31
    for position in range(CANDIDATES_MAX):
        if (ties >> position) & 1 != 0:
            at -= plan.candidate[first + position, CandidateColumn.SHARE]
            if at < 0:
                return position
    return lowest


@called
def _explored(
    plan: Plan, state: KernelState, slot: int, route_set: int, masks: tuple[int, int]
) -> int:
    """Return the position of a candidate taken to learn from, -1 if it does not come to it.

    ``masks`` are the candidates that may be taken, and of these the barred ones.
    """
    eligible, barred = masks
    first = plan.route_set[route_set, RouteSetColumn.FIRST]
    # Routes of one corridor share a rule.
    rule = plan.route[plan.candidate[first, CandidateColumn.ROUTE], RouteColumn.RULE]
    if rule < 0:
        return -1
    pool = state.pool
    explore = plan.rule[rule, RuleColumn.PURPOSE_EXPLORE]
    if draw(plan.stream_key, pool, slot, explore) >= plan.rule[rule, RuleColumn.EXPLORE]:
        return -1
    free = eligible & ~barred
    if free == 0:
        free = eligible
    count = 0
    for position in range(CANDIDATES_MAX):
        count += (free >> position) & 1
    at = 0
    if count > 1:
        which = plan.rule[rule, RuleColumn.PURPOSE_WHICH]
        at = ((draw(plan.stream_key, pool, slot, which) >> 31) * count) >> 31
    for position in range(CANDIDATES_MAX):
        if (free >> position) & 1 != 0:
            if at == 0:
                return position
            at -= 1
    return -1


@called
def sample(plan: Plan, state: KernelState) -> None:
    """Refresh the router's view and log the series."""
    cursor = state.cursor
    log = state.log
    # Stations, ledgers, accounts, each by index: the order of rows of one sample is part of the
    # log. The view is refreshed even if nobody wants the rows.
    for s in range(state.station.shape[0]):
        length = state.station[s, S_QUEUE]
        state.station[s, S_SEEN] = length
        write_sample(cursor, log, LogKind.SAMPLE_STATION, s, length, state.station[s, S_BUSY])
    for ledger in range(state.ledger.shape[0]):
        length = state.ledger[ledger, L_QUEUE]
        state.ledger[ledger, L_SEEN] = length
        rounds = state.ledger[ledger, L_ROUND]
        write_sample(cursor, log, LogKind.SAMPLE_LEDGER, ledger, length, rounds)
    for ledger in range(state.ledger.shape[0]):
        if plan.load[ledger, LoadColumn.COUNT] > 0:
            taken = state.ledger[ledger, L_TAKEN]
            waiting = joined(plan, ledger, cursor[C_NOW]) - taken
            state.ledger[ledger, L_SEEN] += waiting
            write_sample(cursor, log, LogKind.SAMPLE_LOAD, ledger, waiting, taken)
    see_health(state)
    for account in range(state.account.shape[0]):
        if plan.account[account, AccountColumn.WATCHED] != 0:
            posted = state.account[account, A_POSTED]
            pending = state.account[account, A_PENDING]
            write_sample(cursor, log, LogKind.SAMPLE_ACCOUNT, account, posted, pending)

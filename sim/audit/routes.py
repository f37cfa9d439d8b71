"""Check choices of routes, uses of limits, causes of failures and who an agent can be.

Takes rebuilt payments and what a row says of them; reports what no policy, no limit and no stage
could have given. Agents are not in the log: every account and station used narrows down who it is.
"""

from __future__ import annotations

from sim.audit.containers import check
from sim.audit.guards import is_closed, may_find_closed
from sim.audit.habits import may_hit
from sim.audit.health import rule_of
from sim.audit.messages import Check
from sim.audit.prices import price
from sim.audit.program import today
from sim.audit.quotes import outbids
from sim.audit.scores import score_of, show
from sim.audit.state import NEXT, NOBODY, QUEUE, WORD, Count, Pay, RouteState, Shown, Things
from sim.audit.world import SEVERAL, World
from sim.contract.layout import (
    CANDIDATES_MAX,
    LIMITS_MAX,
    ROLE_KINDS_MAX,
    CandidateColumn,
    LimitColumn,
)
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import FAILOVER_REASONS, Op, Policy, Reason
from sim.contract.policies import FORESEEN_FAILS, SCORE_BARRED, RuleColumn
from sim.contract.shops import OrderStatus
from sim.jit.functions import called

_POLICY, _POSITION, _FIRST, _COUNT = range(4)
"""Columns of a way to come to a route."""
_HELPFUL = sum(1 << int(reason) for reason in FAILOVER_REASONS)
"""Bit set of the reasons another route can help against."""


@called
def check_route(w: World, p: int, route: int, score: int) -> None:
    """Check that a route may be chosen now and that its score is what a policy gives."""
    g, number = w.g, w.pay[p, Pay.NUMBER]
    if g[Count.WATCHED] < len(w.watch) and w.watch[g[Count.WATCHED], 0] == g[Count.ROW]:
        _show_choice(w, p)
    is_next = (w.things[w.pay[p, Pay.PC], S.FLAGS] & NEXT) != 0
    attempts, reason = w.pay[p, Pay.ATTEMPTS], w.pay[p, Pay.REASON]
    # A first choice has no attempt behind it, a fail-over has.
    attempts -= w.pay[p, Pay.BEGUN]
    check(g, Check.ROUTED_TWICE, is_next == (attempts > 0), (number,))
    # Tried routes are known from their ROUTE rows.
    if is_next:
        helps = 0 <= reason < WORD and ((_HELPFUL >> reason) & 1) == 1
        right = helps and not _is_tried(w, p, route)
        check(g, Check.FAILS_OVER, right, (number, route, reason))
    check(g, Check.ROUTE_CLOSED, not is_closed(w, route), (number, route))
    row = w.first[Things.ROUTE] + route
    # The payment's route set is not in the log. A route may be in several, of which the most
    # generous counts.
    most = w.things[row, RouteState.ATTEMPTS_MAX]
    check(g, Check.ATTEMPTS, attempts < most, (number, attempts + 1, route, most))
    possible = False
    choice = w.first[Things.CHOICE] + w.things[row, RouteState.CHOICE_FIRST]
    last = choice + w.things[row, RouteState.CHOICE_COUNT]
    # For the same reason any set in which this route is a candidate may have been chosen from.
    while not possible and choice < last:
        possible = _may_choose(w, p, is_next, choice, score)
        choice += 1
    check(g, Check.SCORE, possible, (number, route, score))


@called
def _show_choice(w: World, p: int) -> None:
    """Write down what the router thinks of every candidate at a row that is watched."""
    at = w.g[Count.WATCHED]
    policy, first, count = w.watch[at, 1], w.watch[at, 2], w.watch[at, 3]
    is_next = (w.things[w.pay[p, Pay.PC], S.FLAGS] & NEXT) != 0
    for position in range(count):
        candidate = w.first[Things.CANDIDATE] + first + position
        route, row = w.things[candidate, CandidateColumn.ROUTE], at * CANDIDATES_MAX + position
        show(w, p, route, (policy, position), row)
        w.shown[row, Shown.STANDING] = 1
        if is_next and _is_tried(w, p, route):
            w.shown[row, Shown.STANDING] = 2
        elif is_closed(w, route):
            w.shown[row, Shown.STANDING] = 3
        else:
            for other in range(count):
                rival = w.first[Things.CANDIDATE] + first + other
                if (
                    other != position
                    and _is_open(w, p, is_next, rival)
                    and (w.things[candidate, CandidateColumn.GROUP] >= 0)
                    and outbids(w, p, rival, candidate)
                ):
                    w.shown[row, Shown.STANDING] = 4
        w.shown[row, Shown.SEEN_US] = NOBODY
        if w.g[Count.SAMPLE_INTERVAL_US] > 0 and w.g[Count.NEXT_SAMPLE] > 0:
            seen_us = (w.g[Count.NEXT_SAMPLE] - 1) * w.g[Count.SAMPLE_INTERVAL_US]
            w.shown[row, Shown.SEEN_US] = seen_us
    w.g[Count.WATCHED] += 1


@called
def mark_tried(w: World, p: int, route: int) -> None:
    """Note that a payment tries a route."""
    at = Pay.SETS + 2 * w.g[Count.AGENT_WORDS] + route // WORD
    w.pay[p, at] |= 1 << (route % WORD)


@called
def forget_tried(w: World, p: int) -> None:
    """Forget what a payment tried with an instrument its payer has put away."""
    at = Pay.SETS + 2 * w.g[Count.AGENT_WORDS]
    for word in range(w.g[Count.ROUTE_WORDS]):
        w.pay[p, at + word] = 0


@called
def is_account(w: World, p: int, reference: int, account: int) -> bool:
    """Say whether a reference may stand for an account, and learn the agent from it."""
    return _resolves(w, p, reference, account, 0)


@called
def known_account(w: World, p: int, reference: int) -> int:
    """Return the account a reference stands for, -1 where its agent is not known yet."""
    if reference >= 0:
        return reference
    role, kind = (-reference - 2) // ROLE_KINDS_MAX, (-reference - 2) % ROLE_KINDS_MAX
    agent = w.pay[p, Pay.AGENT_0 + role]
    return int(w.role[agent, kind]) if agent >= 0 else NOBODY


@called
def is_station(w: World, p: int, reference: int, station: int) -> bool:
    """Say whether a reference may stand for a station, and learn the agent from it."""
    return _resolves(w, p, reference, station, w.g[Count.STATION_KINDS])


@called
def limit_cell(w: World, p: int, limit: int, payer: int) -> int:
    """Return the cell with the use of a limit, -1 where there is none."""
    first = w.cell[limit, w.pay[p, Pay.STREAM]]
    cell = first + payer
    return cell if first >= 0 and first <= cell < len(w.used) else NOBODY


@called
def use_limit(w: World, p: int, limit: int, amount: int, payer: int) -> None:
    """Check a LIMIT row and let the use grow."""
    row, g, day = w.first[Things.LIMIT] + limit, w.g, today(w, limit)
    due = w.pay[p, Pay.REGISTER_0 + w.things[row, LimitColumn.REGISTER]]
    most, number = w.things[row, LimitColumn.PER_PAYMENT], w.pay[p, Pay.NUMBER]
    right = amount == due and not 0 <= most < amount and amount >= w.things[row, LimitColumn.LEAST]
    check(g, Check.LIMIT_PAYMENT, right, (number, amount, limit))
    cell = limit_cell(w, p, limit, payer)
    used = amount
    if w.used[cell, 0] == day:
        used += w.used[cell, 1]
    within = used <= w.things[row, LimitColumn.PER_DAY]
    check(g, Check.LIMIT_DAY, within, (payer, used, limit))
    w.used[cell, 0], w.used[cell, 1] = day, used
    slot = w.things[w.pay[p, Pay.PC], S.VALUE]
    # Remembered by slot, as VOID gives back by slot.
    if 0 <= slot < LIMITS_MAX:
        at = Pay.LIMIT_0 + 4 * slot
        w.pay[p, at], w.pay[p, at + 1] = limit, amount
        w.pay[p, at + 2], w.pay[p, at + 3] = day, payer


@called
def give_back(w: World, p: int, limit: int, amount: int, payer: int) -> None:
    """Let the use of a limit shrink."""
    cell = limit_cell(w, p, limit, payer)
    used = w.used[cell, 1]
    # Nobody gives back more than was used.
    check(w.g, Check.GIVEN_BACK, used >= amount, (amount, limit, used))
    w.used[cell, 1] = used - amount


@called
def check_failure(w: World, p: int, reason: int) -> None:
    """Check the reason of a FAIL row where the stage alone decides it."""
    stage = w.pay[p, Pay.PC]
    op, value, flags = w.things[stage, S.OP], w.things[stage, S.VALUE], w.things[stage, S.FLAGS]
    is_named = reason == w.things[stage, S.REASON]
    holds = False
    # Judged by the station or the shop itself, which knows its queue or stock.
    if op in (Op.SERVE, Op.ORDER):
        holds = True
    # The state of the code is in the workload and not in the log: either reason is possible.
    elif op == Op.CODE:
        holds = reason in (Reason.FF01, Reason.AEXR)
        # Of an order's code all is known: it is whole, and good as long as the order.
        if w.pay[p, Pay.ORDER] != OrderStatus.NONE:
            holds = reason == Reason.AEXR and w.g[Count.NOW] > w.pay[p, Pay.ORDER_US]
    elif op == Op.LIMIT:
        holds = _may_exceed(w, p, stage, reason)
    # Chance is not in the log either; that it can fail at all is what is checked.
    elif op == Op.DECIDE:
        holds = is_named and reason > 0 and may_hit(w, p, stage)
    elif op == Op.QUOTE:
        holds = not price(w, p, w.things[stage, S.SUBJECT], w.g[Count.NOW]) and is_named
    # Only a lapsed quote, and only when no requote is left.
    elif op == Op.CONVERT:
        lapsed = w.g[Count.NOW] > w.pay[p, Pay.EXPIRY_US]
        holds = is_named and lapsed and w.pay[p, Pay.REQUOTES] >= value
    # With the flag QUEUE it would wait instead.
    elif op == Op.RESERVE:
        holds = is_named and (flags & QUEUE) == 0
    elif op == Op.ROUTE:
        holds = (flags & NEXT) == 0 and (is_named or (reason == Reason.AG10 and may_find_closed(w)))
    # Whom a close has returned, and nobody else.
    elif op == Op.SETTLE:
        holds = is_named and w.pay[p, Pay.RETURNED] == 1
        w.pay[p, Pay.RETURNED], w.pay[p, Pay.LEGS] = 0, 0
    check(w.g, Check.FAILS, holds, (w.pay[p, Pay.NUMBER], stage, reason))


@called
def known_agent(w: World, p: int, role: int) -> int:
    """Return the agent of a payment where the rows left one possible, else -2."""
    agent = w.pay[p, Pay.AGENT_0 + role]
    return agent if agent >= 0 else SEVERAL


@called
def _may_exceed(w: World, p: int, stage: int, reason: int) -> bool:
    row = w.first[Things.LIMIT] + w.things[stage, S.SUBJECT]
    most = w.things[row, LimitColumn.PER_PAYMENT]
    amount = w.pay[p, Pay.REGISTER_0 + w.things[row, LimitColumn.REGISTER]]
    # Too little is said first, whatever else would be wrong.
    if amount < w.things[row, LimitColumn.LEAST]:
        return bool(reason == Reason.AM06)
    exceeds = 0 <= most < amount
    # The bound of one payment decides next; what passes that one has the stage's own reason.
    if exceeds:
        return bool(reason == Reason.AM02)
    # The payer of a payment that used no limit is not in the log: a full day is believed.
    if w.things[row, LimitColumn.PER_DAY] < 0:
        return False
    named = w.things[stage, S.REASON]
    if named > 0:
        return bool(reason == named)
    return bool(reason == Reason.AM14)


@called
def _is_tried(w: World, p: int, route: int) -> bool:
    at = Pay.SETS + 2 * w.g[Count.AGENT_WORDS] + route // WORD
    return bool(((w.pay[p, at] >> (route % WORD)) & 1) == 1)


@called
def _is_left(w: World, p: int, is_next: bool, choice: int, at: int) -> bool:
    """Say whether a candidate is open, untried, and no better quote of its group is."""
    first = w.first[Things.CANDIDATE] + w.things[choice, _FIRST]
    if not _is_open(w, p, is_next, first + at):
        return False
    if w.things[first + at, CandidateColumn.GROUP] < 0:
        return True
    for other in range(first, first + w.things[choice, _COUNT]):
        if (
            other != first + at
            and _is_open(w, p, is_next, other)
            and outbids(w, p, other, first + at)
        ):
            return False
    return True


@called
def _is_open(w: World, p: int, is_next: bool, candidate: int) -> bool:
    """Say whether a candidate's channels are open and it is untried, if that matters."""
    route = w.things[candidate, CandidateColumn.ROUTE]
    # A first choice starts afresh, whatever was tried before.
    return not (is_closed(w, route) or (is_next and _is_tried(w, p, route)))


@called
def _may_choose(w: World, p: int, is_next: bool, choice: int, score: int) -> bool:
    """Say whether a candidate of a set could be taken, with that score, before all others.

    Which of the tied is taken is chance and not in the log; that it is one of them is what is
    checked: nobody untried has a lower score, of equal scores nobody a lower rank, and who has no
    share is taken only where none of the tied has one, and then as the first of them.
    """
    mine, first = w.things[choice, _POSITION], w.first[Things.CANDIDATE] + w.things[choice, _FIRST]
    untried, ahead, shares, earlier, free = 0, 0, 0, 0, 0
    if not _is_left(w, p, is_next, choice, mine):
        return False
    mine_right, mine_free = False, False
    rank = w.things[first + mine, CandidateColumn.RANK]
    for at in range(w.things[choice, _COUNT]):
        route = w.things[first + at, CandidateColumn.ROUTE]
        if not _is_left(w, p, is_next, choice, at):
            continue
        untried += 1
        other = score_of(w, p, route, w.things[choice, _POLICY], at)
        free += other < SCORE_BARRED
        other_rank = w.things[first + at, CandidateColumn.RANK]
        if at == mine:
            ahead += other != score
            mine_right, mine_free = other == score, other < SCORE_BARRED
        elif other < score or (other == score and other_rank < rank):
            ahead += 1
        elif other == score and other_rank == rank:
            shares += w.things[first + at, CandidateColumn.SHARE]
            earlier += at < mine
    # Who has one candidate left takes it unscored.
    if untried == 1:
        return bool(score == 0)
    policy = w.things[choice, _POLICY]
    if policy in (Policy.ORACLE_COST, Policy.ORACLE_TIME):
        return _may_be_foreseen(w, p, choice, (is_next, score))
    # Whether it is explored is chance and not in the log; a barred one never is where another is
    # left.
    if mine_right and (mine_free or free == 0) and _may_explore(w, choice, first + mine):
        return True
    has_share = w.things[first + mine, CandidateColumn.SHARE] > 0
    return bool(ahead == 0 and (has_share or (shares == 0 and earlier == 0)))


@called
def _may_be_foreseen(w: World, p: int, choice: int, what: tuple[bool, int]) -> bool:
    """Say whether an oracle may have taken a candidate with a score.

    That it foresaw rightly cannot be seen in the log. A score is at most that of a course that
    fails, and a barred route is taken where all are barred.
    """
    is_next, score = what
    mine, first = w.things[choice, _POSITION], w.first[Things.CANDIDATE] + w.things[choice, _FIRST]
    policy, free, barred = w.things[choice, _POLICY], 0, 0
    for at in range(w.things[choice, _COUNT]):
        route = w.things[first + at, CandidateColumn.ROUTE]
        if not _is_left(w, p, is_next, choice, at):
            continue
        known = score_of(w, p, route, policy, at)
        free += known < SCORE_BARRED
        if at == mine:
            barred = known
    return bool(
        score - barred <= FORESEEN_FAILS
        and score - barred > -FORESEEN_FAILS
        and (barred < SCORE_BARRED or free == 0)
    )


@called
def _may_explore(w: World, choice: int, candidate: int) -> bool:
    """Say whether a candidate may be taken to learn from."""
    rule = rule_of(w, w.things[candidate, CandidateColumn.ROUTE])
    if rule == NOBODY or w.things[choice, _POLICY] != Policy.ADAPTIVE:
        return False
    return bool(w.things[rule, RuleColumn.EXPLORE] > 0)


@called
def _resolves(w: World, p: int, reference: int, subject: int, first_kind: int) -> bool:
    # Named outright.
    if reference >= 0:
        return reference == subject
    role, kind = (-reference - 2) // ROLE_KINDS_MAX, first_kind + (-reference - 2) % ROLE_KINDS_MAX
    exists = kind < w.role.shape[1] and 0 <= subject < w.place.shape[1]
    if role < 0 or role > 1 or not exists:
        return False
    agent = w.pay[p, Pay.AGENT_0 + role]
    # The agent is known by now, so is its account.
    if agent >= 0:
        return bool(w.role[agent, kind] == subject)
    chosen = w.place[kind, subject]
    return chosen != NOBODY and _narrow_down(w, p, role, chosen)


@called
def _narrow_down(w: World, p: int, role: int, chosen: int) -> bool:
    """Keep of the agents possible in a role those of a set; say whether any is left."""
    words = w.g[Count.AGENT_WORDS]
    first, is_any = Pay.SETS + role * words, w.pay[p, Pay.AGENT_0 + role] == NOBODY
    # Every account or station a payment uses leaves fewer agents it can have. With one left the
    # agent is known, with none the row is wrong.
    left, agent = 0, NOBODY
    for word in range(words):
        members = w.sets[chosen, word]
        if not is_any:
            members &= w.pay[p, first + word]
        # Two are enough to know that it is not determined yet.
        while members != 0 and left < 2:
            bit = 0
            while ((members >> bit) & 1) == 0:
                bit += 1
            agent = word * WORD + bit
            left += 1
            members &= members - 1
    if left == 0:
        return False
    for word in range(words):
        members = w.sets[chosen, word]
        w.pay[p, first + word] = members if is_any else members & w.pay[p, first + word]
    w.pay[p, Pay.AGENT_0 + role] = agent if left == 1 else SEVERAL
    return True

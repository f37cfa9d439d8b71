"""Routing of the reference engine: ROUTE and the view of the router, refreshed by SAMPLE.

Takes the run and a payment at a ROUTE stage; gives the entry of the chosen route, or the next
stage. See ``Op.ROUTE`` and ``Policy``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from sim.contract.guards import GuardColumn
from sim.contract.layout import (
    SCORE_WORST,
    LedgerColumn,
    RouteColumn,
    RouteSetColumn,
    StreamColumn,
)
from sim.contract.meaning import FAILOVER_REASONS, Cause, Flag, LogKind, Policy, Reason
from sim.contract.own_policies import SPARE_NONE, Known
from sim.contract.policies import (
    SCORE_BARRED,
    WORTH_PPM_MAX,
    WORTH_SECONDS_MAX_US,
    RuleColumn,
)
from sim.contract.records import Register
from sim.engine.reference.foresight import IMAGINED, ORACLES, Foresight, Told
from sim.engine.reference.health import NEVER
from sim.engine.reference.prices import price
from sim.engine.reference.run import Run
from sim.engine.reference.state import NOWHERE, Payment, Stage

_OF_STATION, _OF_ACCOUNT = 0, 2
"""Kinds of a route's views."""


class Candidate(NamedTuple):
    """One row of ``Plan.candidate``; fields are columns of ``CandidateColumn``."""

    route: int
    rank: int
    share: int
    group: int


def route(run: Run, payment: Payment, stage: Stage) -> int:
    """Choose a first route, or another one after a failure."""
    candidates = _candidates(run, payment)
    if not stage.flags & Flag.NEXT:
        if not candidates:
            return run.fail(payment, stage, stage.reason)
        opened = [at for at in range(len(candidates)) if _is_open(run, candidates[at])]
        if not opened:
            return run.fail(payment, stage, Reason.AG10)
        # A first choice knows of no earlier one.
        payment.tried = 0
        payment.begun = payment.attempts
        payment.attempts += 1
        payment.standing = 0
        payment.resent = 0
        best = _best_quotes(run, payment, candidates, opened)
        return _enter(run, payment, _take(run, payment, stage, candidates, best))
    untried = [
        at
        for at in range(len(candidates))
        if not payment.tried >> at & 1 and _is_open(run, candidates[at])
    ]
    # A refused payer or an expired code is no better off on another route; a time-out or a
    # short prefunded account may be. Where no route helps, the payment passes on to its end.
    if payment.reason not in FAILOVER_REASONS or not untried:
        return _pass_on(run, payment)
    most = int(run.plan.route_set[payment.route_set, RouteSetColumn.MAX_ATTEMPTS])
    if payment.attempts - payment.begun >= most:
        return _pass_on(run, payment)
    forget_failure(payment)
    payment.attempts += 1
    payment.resent = 0
    given_up = run.routes[payment.route][RouteColumn.CLASS] if payment.route >= 0 else NOWHERE
    best = _best_quotes(run, payment, candidates, untried)
    row = _take(run, payment, stage, candidates, best)
    if given_up < 0 or row[RouteColumn.CLASS] != given_up:
        return _enter(run, payment, row)
    return _resume(run, payment, row)


def switch(run: Run, payment: Payment, stage: Stage) -> int:
    """Let the payer take the second instrument, if there is one and it comes to that."""
    if not payment.instrument_2 or run.draw(payment, stage.purpose) >= stage.value:
        return payment.at + 1
    run.log(LogKind.SWITCH, payment, payment.instrument_2)
    payment.instrument, payment.route_set = payment.instrument_2, payment.route_set_2
    # Nobody carries three.
    payment.instrument_2 = 0
    forget_failure(payment)
    return stage.target


def _pass_on(run: Run, payment: Payment) -> int:
    """Return where a payment goes on that no other route helps."""
    after = run.streams[payment.stream][StreamColumn.AFTER_FAILURE]
    return after if after >= 0 else payment.at + 1


def forget_failure(payment: Payment) -> None:
    """Begin anew: what was spent so far was spent in vain, but for the time of a person."""
    # RETRY included: after a second failure everything before it is retry again.
    human_us = payment.times[Cause.HUMAN]
    spent_us = sum(payment.times) - human_us
    payment.times = [0] * len(Cause)
    payment.times[Cause.HUMAN], payment.times[Cause.RETRY] = human_us, spent_us
    # The failure is overcome so far; a later one has a reason of its own.
    payment.reason = int(Reason.NONE)


def _enter(run: Run, payment: Payment, row: list[int]) -> int:
    """Begin a route; return its first stage."""
    payment.standing = 0
    return row[RouteColumn.ENTRY]


def _resume(run: Run, payment: Payment, row: list[int]) -> int:
    """Go on behind the payer's back, as far along a route of the same class as it has come."""
    at = NOWHERE
    if payment.standing > 1:
        at = row[RouteColumn.AUTHORISED]
    if payment.standing > 0 and at < 0:
        at = row[RouteColumn.CONFIRMED]
    if at < 0:
        return _enter(run, payment, row)
    pricing = row[RouteColumn.PRICING]
    if pricing >= 0 and payment.pricing >= 0:
        # What the agents bear may differ; what the payer was shown holds, at the rates of then.
        _, payment.registers = price(run, payment, pricing, payment.quoted_us)
        payment.pricing = pricing
    return at


def refresh_view(run: Run) -> None:
    """Let the router see the queues as they are now."""
    run.seen_station = [len(station.queue) for station in run.stations]
    run.seen_ledger = [
        len(ledger.queue) + ledger.load.waiting(run.now_us) for ledger in run.ledgers
    ]
    run.healths.look()


def _candidates(run: Run, payment: Payment) -> list[Candidate]:
    if payment.route_set < 0:
        return []
    row = run.plan.route_set[payment.route_set]
    first = int(row[RouteSetColumn.FIRST])
    rows = run.plan.candidate[first : first + int(row[RouteSetColumn.COUNT])].tolist()
    return [Candidate(*row) for row in rows]


def _is_open(run: Run, candidate: Candidate) -> bool:
    """Return whether no account a route draws on has its channel closed."""
    return not any(
        kind == _OF_ACCOUNT and run.accounts[subject].guard.is_closed
        for kind, subject, _ in _views(run, candidate.route)
    )


def _best_quotes(
    run: Run, payment: Payment, candidates: list[Candidate], open_: list[int]
) -> list[int]:
    """Return those of some positions whose quote no other of their group betters."""
    groups: dict[int, list[int]] = {}
    for at in open_:
        groups.setdefault(candidates[at].group, []).append(at)
    kept = groups.pop(-1, [])
    for members in groups.values():
        # One alone is quoted against nobody, and need not be priced.
        kept.append(
            members[0]
            if len(members) == 1
            else min(members, key=lambda at: (*_quoted(run, payment, candidates[at]), at))
        )
    return sorted(kept)


def _quoted(run: Run, payment: Payment, candidate: Candidate) -> tuple[int, int, int, int]:
    """Return what orders quotes, the best first."""
    pricing = run.routes[candidate.route][RouteColumn.PRICING]
    if pricing >= 0:
        is_usable, amounts = price(run, payment, pricing)
        if is_usable:
            asked = amounts[Register.DEBITED] + amounts[Register.PAYER_FEE]
            return 0, asked, -amounts[Register.CREDITED], candidate.rank
    return 1, 0, 0, candidate.rank


def _views(run: Run, route: int) -> list[list[int]]:
    """Return what a router sees of a route."""
    row = run.routes[route]
    first = row[RouteColumn.VIEW_FIRST]
    views: list[list[int]] = run.plan.route_view[
        first : first + row[RouteColumn.VIEW_COUNT]
    ].tolist()
    return views


def _take(
    run: Run, payment: Payment, stage: Stage, candidates: list[Candidate], untried: list[int]
) -> list[int]:
    """Take the candidate of the lowest score among these; return the row of its route."""
    # No choice, no score: what it would have cost to compute says nothing.
    told = _told(run, payment) if len(untried) > 1 else None
    if len(untried) == 1 or told is not None:
        score, position = 0, untried[0] if told is None else told
    else:
        foreseen = _foreseen(run, payment, untried)
        scores = {
            at: _score(run, payment, candidates[at].route, at, foreseen=foreseen.get(at))
            for at in untried
        }
        # Routes of one corridor share a rule.
        explored = _explored(run, payment, scores, run.healths.of(candidates[0].route).rule)
        score = scores[explored] if explored != NOWHERE else min(scores.values())
        best = [at for at in untried if scores[at] == score]
        rank = min(candidates[at].rank for at in best)
        tied = [at for at in best if candidates[at].rank == rank]
        position = explored
        if explored == NOWHERE:
            position = _draw_one(run, payment, stage, tied, [candidates[at].share for at in tied])
    chosen = candidates[position].route
    if isinstance(run.foresight, Foresight) and _is_foreseen(run, payment, untried):
        run.foresight.taken.append(position)
    payment.tried |= 1 << position
    payment.route = chosen
    run.log(LogKind.ROUTE, payment, chosen, score, value=payment.attempts)
    run.healths.begin(payment, run.now_us)
    row = run.routes[chosen]
    if row[RouteColumn.DEBTOR_AGENT] >= 0:
        payment.debtor_agent = row[RouteColumn.DEBTOR_AGENT]
    if row[RouteColumn.CREDITOR_AGENT] >= 0:
        payment.creditor_agent = row[RouteColumn.CREDITOR_AGENT]
    return row


def _draw_one(run: Run, payment: Payment, stage: Stage, tied: list[int], shares: list[int]) -> int:
    """Return one of the positions tied, by their shares."""
    total = sum(shares)
    # Without shares the earlier one; one alone needs no luck.
    if len(tied) == 1 or total == 0:
        return tied[0]
    at = ((run.draw(payment, stage.purpose) >> 31) * total) >> 31
    # The first whose running sum is beyond the point drawn; the last sum is the total.
    return next(where for where, upto in zip(tied, accumulate(shares), strict=True) if at < upto)


def _policy(run: Run, payment: Payment) -> int:
    """Return by what policy a payment is routed; in a course that is foreseen no oracle is left."""
    policy = int(run.plan.route_set[payment.route_set, RouteSetColumn.POLICY])
    if policy in ORACLES and isinstance(run.foresight, Told):
        return IMAGINED[Policy(policy)]
    return policy


def _told(run: Run, payment: Payment) -> int | None:
    """Return the position that is told of a course that is foreseen, None where none is."""
    policy = int(run.plan.route_set[payment.route_set, RouteSetColumn.POLICY])
    if policy in ORACLES and isinstance(run.foresight, Told):
        return run.foresight.next()
    return None


def _is_foreseen(run: Run, payment: Payment, untried: list[int]) -> bool:
    """Say whether an oracle chooses among these."""
    return len(untried) > 1 and _policy(run, payment) in ORACLES


def _foreseen(run: Run, payment: Payment, untried: list[int]) -> dict[int, int]:
    """Return what an oracle foresees by position; nothing for other policies."""
    if not isinstance(run.foresight, Foresight) or not _is_foreseen(run, payment, untried):
        return {}
    policy = _policy(run, payment)
    return run.foresight.scores(
        policy, untried, now_us=run.now_us, payments=run.payments, payment=payment.number
    )


def _score(
    run: Run, payment: Payment, candidate: int, position: int, *, foreseen: int | None = None
) -> int:
    """Return a candidate's score, that of a barred one behind all others."""
    policy = _policy(run, payment)
    rule = run.healths.of(candidate).rule
    # Without a rule nothing is barred, and position and time need no price.
    by_cost = policy in (Policy.CHEAPEST, Policy.WEIGHTED, Policy.OWN)
    needs_cost = by_cost or (
        rule is not None and (rule[RuleColumn.COST_MAX_PPM] >= 0 or rule[RuleColumn.SPARES] != 0)
    )
    cost, registers = _cost(run, payment, candidate) if needs_cost else (0, [])
    if cost == SCORE_WORST and by_cost:
        return SCORE_WORST
    if policy == Policy.PRIORITY:
        score = position
    elif policy == Policy.CHEAPEST:
        score = cost
    elif policy == Policy.WEIGHTED:
        score = cost + _worth(rule, registers, _time(run, candidate))
    elif foreseen is not None:
        score = foreseen
    elif policy == Policy.OWN:
        health = run.healths.of(candidate)
        known = _known(run, payment, (candidate, position), cost, registers)
        asked = run.healths.asked(health)
        assert asked is not None
        score = asked.score(known, health.seen_memory)
    else:
        learnt_us = run.healths.of(candidate).seen_learnt_us if policy == Policy.ADAPTIVE else NEVER
        score = _time(run, candidate) if learnt_us == NEVER else learnt_us
    return score + SCORE_BARRED * _is_barred(run, candidate, cost, registers)


def _known(
    run: Run, payment: Payment, candidate: tuple[int, int], cost: int, registers: list[int]
) -> Known:
    """Return what a policy of the user's own is told of a candidate, a route at a position."""
    route, position = candidate
    spare = SPARE_NONE
    if registers:
        spare = min(_left(run, route, registers), default=SPARE_NONE)
    return Known(
        payment=payment.number,
        now_us=run.now_us,
        attempt=payment.attempts - payment.begun,
        position=position,
        instructed=payment.instructed,
        debited=registers[Register.DEBITED] if registers else 0,
        credited=registers[Register.CREDITED] if registers else 0,
        cost=cost,
        expected_us=run.routes[route][RouteColumn.EXPECTED_US],
        time_us=_time(run, route),
        spare=spare,
    )


def _left(run: Run, route: int, registers: list[int]) -> Iterator[int]:
    """Yield what each account a route draws on would have left above its reserve."""
    for kind, subject, register in _views(run, route):
        if kind == _OF_ACCOUNT:
            account = run.accounts[subject]
            reserve = int(run.plan.guard[subject, GuardColumn.RESERVE])
            yield account.posted - account.pending - registers[register] - reserve


def _is_barred(run: Run, candidate: int, cost: int, registers: list[int]) -> bool:
    """Tell whether a route's rule keeps payments away while another is left."""
    health = run.healths.of(candidate)
    rule = health.rule
    if rule is None:
        return False
    most_ppm, most_us = rule[RuleColumn.COST_MAX_PPM], rule[RuleColumn.TIME_MAX_US]
    if health.is_open(run.now_us) or 0 <= most_us < _time(run, candidate):
        return True
    if not registers:
        return False
    if most_ppm >= 0 and cost > _millionths(registers[Register.DEBITED], most_ppm):
        return True
    return bool(rule[RuleColumn.SPARES]) and any(
        left < 0 for left in _left(run, candidate, registers)
    )


def _worth(rule: list[int] | None, registers: list[int], time_us: int) -> int:
    """Return what a wait is worth to the payer, in debited currency."""
    if rule is None or not registers:
        return 0
    ppm = min(time_us, WORTH_SECONDS_MAX_US) // 1_000 * rule[RuleColumn.TIME_WORTH_PPM] // 1_000
    return _millionths(registers[Register.DEBITED], min(ppm, WORTH_PPM_MAX))


def _millionths(amount: int, ppm: int) -> int:
    return amount // 10**6 * ppm + amount % 10**6 * ppm // 10**6


def _cost(run: Run, payment: Payment, candidate: int) -> tuple[int, list[int]]:
    """Return what a route costs and its registers; none where it carries no money."""
    pricing = run.routes[candidate][RouteColumn.PRICING]
    # A route without money costs nothing.
    if pricing < 0:
        return 0, []
    is_usable, registers = price(run, payment, pricing)
    # Last, but still a candidate: it will fail at its own QUOTE, for that stage's reason.
    if not is_usable:
        return SCORE_WORST, []
    return registers[Register.FX_MARGIN] + registers[Register.PAYER_FEE], registers


def _time(run: Run, candidate: int) -> int:
    """Return the expected time of a route, queues as last seen included."""
    time_us: int = run.routes[candidate][RouteColumn.EXPECTED_US]
    for kind, subject, per_item_us in _views(run, candidate):
        if kind == _OF_STATION:
            time_us += run.seen_station[subject] * per_item_us
        elif kind != _OF_ACCOUNT:
            ledger = run.ledgers[subject]
            # Full blocks before it, rounded down: the rest commits together with the payment.
            # A limit that is cut for a while is not known to routers.
            limit = int(run.plan.ledger[subject, LedgerColumn.BLOCK_LIMIT])
            blocks = run.seen_ledger[subject] // limit
            time_us += blocks * ledger.round_interval_us
    return time_us


def _explored(run: Run, payment: Payment, scores: dict[int, int], rule: list[int] | None) -> int:
    """Return the position of a candidate taken to learn from, NOWHERE if it does not come to it."""
    policy = int(run.plan.route_set[payment.route_set, RouteSetColumn.POLICY])
    if policy != Policy.ADAPTIVE or rule is None:
        return NOWHERE
    if run.draw(payment, rule[RuleColumn.PURPOSE_EXPLORE]) >= rule[RuleColumn.EXPLORE]:
        return NOWHERE
    free = [at for at, score in scores.items() if score < SCORE_BARRED] or list(scores)
    if len(free) == 1:
        return free[0]
    at = ((run.draw(payment, rule[RuleColumn.PURPOSE_WHICH]) >> 31) * len(free)) >> 31
    return free[at]

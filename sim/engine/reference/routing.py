"""Routing of the reference engine: ROUTE and the view of the router, refreshed by SAMPLE.

Takes the run and a payment at a ROUTE stage; gives the entry of the chosen route, or the next
stage. See ``Op.ROUTE`` and ``Policy``.
"""

from __future__ import annotations

from sim.contract.layout import SCORE_WORST, RouteColumn, RouteSetColumn, RouteViewColumn
from sim.contract.meaning import FAILOVER_REASONS, Cause, Flag, LogKind, Policy, Reason
from sim.contract.records import Register
from sim.engine.reference.prices import price
from sim.engine.reference.run import Run
from sim.engine.reference.state import Payment, Stage


def route(run: Run, payment: Payment, stage: Stage) -> int:
    """Choose a first route, or another one after a failure."""
    candidates = _candidates(run, payment)
    if not stage.flags & Flag.NEXT:
        if not candidates:
            return run.fail(payment, stage, stage.reason)
        payment.tried = 0
        payment.attempts = 1
        return _take(run, payment, candidates)
    untried = [at for at in range(len(candidates)) if not payment.tried >> at & 1]
    if payment.reason not in FAILOVER_REASONS or not untried:
        return payment.at + 1
    if payment.attempts >= int(run.plan.route_set[payment.route_set, RouteSetColumn.MAX_ATTEMPTS]):
        return payment.at + 1
    spent_us = sum(payment.times)
    payment.times = [0] * len(Cause)
    payment.times[Cause.RETRY] = spent_us
    payment.reason = int(Reason.NONE)
    payment.attempts += 1
    return _take(run, payment, candidates)


def refresh_view(run: Run) -> None:
    """Let the router see the queues as they are now."""
    run.seen_station = [len(station.queue) for station in run.stations]
    run.seen_ledger = [len(ledger.queue) for ledger in run.ledgers]


def _candidates(run: Run, payment: Payment) -> list[int]:
    if payment.route_set < 0:
        return []
    row = run.plan.route_set[payment.route_set]
    first = int(row[RouteSetColumn.FIRST])
    found: list[int] = run.plan.candidate[first : first + int(row[RouteSetColumn.COUNT])].tolist()
    return found


def _take(run: Run, payment: Payment, candidates: list[int]) -> int:
    """Take the untried candidate of the lowest score; the earlier one of equals."""
    untried = [at for at in range(len(candidates)) if not payment.tried >> at & 1]
    if len(untried) == 1:
        score, position = 0, untried[0]
    else:
        score, position = min((_score(run, payment, candidates[at], at), at) for at in untried)
    chosen = candidates[position]
    payment.tried |= 1 << position
    payment.route = chosen
    run.log(LogKind.ROUTE, payment, chosen, score, value=payment.attempts)
    row = run.routes[chosen]
    if row[RouteColumn.DEBTOR_AGENT] >= 0:
        payment.debtor_agent = row[RouteColumn.DEBTOR_AGENT]
    if row[RouteColumn.CREDITOR_AGENT] >= 0:
        payment.creditor_agent = row[RouteColumn.CREDITOR_AGENT]
    return row[RouteColumn.ENTRY]


def _score(run: Run, payment: Payment, candidate: int, position: int) -> int:
    policy = int(run.plan.route_set[payment.route_set, RouteSetColumn.POLICY])
    if policy == Policy.PRIORITY:
        return position
    if policy == Policy.CHEAPEST:
        return _price_score(run, payment, candidate)
    return _time_score(run, candidate)


def _price_score(run: Run, payment: Payment, candidate: int) -> int:
    pricing = run.routes[candidate][RouteColumn.PRICING]
    if pricing < 0:
        return 0
    is_usable, registers = price(run, payment, pricing)
    if not is_usable:
        return SCORE_WORST
    return registers[Register.FX_MARGIN] + registers[Register.PAYER_FEE]


def _time_score(run: Run, candidate: int) -> int:
    """Return the expected time of a route, queues as last seen included."""
    row = run.routes[candidate]
    score = row[RouteColumn.EXPECTED_US]
    first = row[RouteColumn.VIEW_FIRST]
    for view in run.plan.route_view[first : first + row[RouteColumn.VIEW_COUNT]].tolist():
        subject = view[RouteViewColumn.SUBJECT]
        if view[RouteViewColumn.KIND] == 0:
            score += run.seen_station[subject] * view[RouteViewColumn.PER_ITEM]
        else:
            ledger = run.ledgers[subject]
            blocks = run.seen_ledger[subject] // ledger.block_limit
            score += blocks * ledger.round_interval_us
    return score

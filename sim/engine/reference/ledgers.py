"""Ledgers of the reference engine: BATCH, rounds, votes, commits.

Takes the run and a payment at a BATCH stage; gives STOP, as the payment always waits. See
``Op.BATCH`` and ``LedgerColumn``.
"""

from __future__ import annotations

from sim.contract.layout import LEDGER_PSEUDO, STEP_MASK, order_key
from sim.contract.meaning import EventClass, LogKind
from sim.draws.lookup import draw62, quantile
from sim.engine.reference.accounts import post_rows
from sim.engine.reference.run import STOP, Run
from sim.engine.reference.state import NOWHERE, Payment, Stage, Wait


def batch(run: Run, payment: Payment, stage: Stage) -> int:
    """Wait for a block."""
    run.ledgers[stage.subject].queue.join(payment, run.now_us)
    payment.wait = Wait.LEDGER
    payment.wait_subject = stage.subject
    run.log(LogKind.ENQUEUE, payment, stage.subject)
    return STOP


def leave_ledger(run: Run, payment: Payment) -> int:
    """Take a payment whose time is up out of a ledger's queue; return the ledger."""
    run.ledgers[payment.wait_subject].queue.leave(payment, run.now_us)
    return payment.wait_subject


def plan_round(run: Run, number: int, round_: int, at_us: int) -> None:
    """Schedule the start of a ledger's round."""
    key = order_key(EventClass.COMPLETE, LEDGER_PSEUDO - number, (2 * round_) & STEP_MASK)
    run.schedule(at_us, key, _start_round, number, round_)


def _start_round(run: Run, number: int, round_: int) -> None:
    ledger = run.ledgers[number]
    ledger.round = round_
    if run.now_us >= ledger.warm_up_us:
        ledger.rounds += 1
    if not len(ledger.queue):
        # An idle ledger looks ever more rarely, so that a night without payments costs nothing.
        longest_us = max(ledger.idle_max_us, ledger.round_interval_us)
        ledger.gap_us = min(2 * ledger.gap_us, longest_us)
        plan_round(run, number, round_ + 1, run.now_us + ledger.gap_us)
        return
    ledger.gap_us = ledger.round_interval_us
    next_us = run.now_us + ledger.gap_us
    key = run.plan.ledger_key[number]
    if draw62(key, round_, ledger.purpose_leader, 0) < ledger.leader_failure:
        run.log(LogKind.LEADER_FAILED, None, number, value=round_)
    else:
        commit_us = run.now_us + _vote_time(run, number, round_)
        _fill_block(run, number, round_, commit_us)
        next_us = max(next_us, commit_us)
    plan_round(run, number, round_ + 1, next_us)


def _vote_time(run: Run, number: int, round_: int) -> int:
    """Return the delay after which a quorum of peers has voted."""
    ledger = run.ledgers[number]
    key = run.plan.ledger_key[number]
    votes = [
        quantile(run.plan.table, ledger.vote_table, draw62(key, round_, ledger.purpose_vote, peer))
        for peer in range(ledger.peers)
    ]
    return sorted(votes)[ledger.quorum - 1]


def _fill_block(run: Run, number: int, round_: int, commit_us: int) -> None:
    ledger = run.ledgers[number]
    block: list[Payment] = []
    while len(ledger.queue) and len(block) < ledger.block_limit:
        payment = ledger.queue.head()
        ledger.queue.leave(payment, run.now_us)
        payment.wait = Wait.BLOCK
        payment.armed_step = NOWHERE
        run.log(LogKind.IN_BLOCK, payment, number, value=round_)
        block.append(payment)
    # The block travels with its event: at the wrap of the step the next round may start first.
    key = order_key(EventClass.COMPLETE, LEDGER_PSEUDO - number, (2 * round_ + 1) & STEP_MASK)
    run.schedule(commit_us, key, _commit, number, round_, block)


def _commit(run: Run, number: int, round_: int, block: list[Payment]) -> None:
    ledger = run.ledgers[number]
    run.log(LogKind.COMMIT, None, number, len(block), value=round_)
    ledger.count_block(run.now_us, [run.now_us - payment.accounted_us for payment in block])
    for payment in block:
        stage = run.stages[payment.at]
        post_rows(run, payment, stage)
        payment.account_time(stage.cause, run.now_us)
        payment.stop_waiting()
        run.advance(payment, payment.at + 1)
        run.empty_ready_list()

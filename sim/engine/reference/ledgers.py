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
    ledger = run.ledgers[stage.subject]
    ledger.queue.join(payment, run.now_us)
    # Before it, whatever else happens at this instant: the load is no event.
    payment.load_before = ledger.load.joined(run.now_us)
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
    # Starts have even steps and commits odd ones, so both of a round can share an instant.
    key = order_key(EventClass.COMPLETE, LEDGER_PSEUDO - number, (2 * round_) & STEP_MASK)
    run.schedule(at_us, key, _start_round, number, round_)


def _start_round(run: Run, number: int, round_: int) -> None:
    ledger = run.ledgers[number]
    ledger.round = round_
    if run.now_us >= ledger.warm_up_us:
        ledger.rounds += 1
    waiting = ledger.load.look(run.now_us)
    if not len(ledger.queue) and not waiting:
        # An idle ledger looks ever more rarely, so that a night without payments costs nothing.
        longest_us = max(ledger.idle_max_us, ledger.round_interval_us)
        ledger.gap_us = min(2 * ledger.gap_us, longest_us)
        plan_round(run, number, round_ + 1, run.now_us + ledger.gap_us)
        return
    # A round with work, even one whose leader fails, brings the regular pace back.
    ledger.gap_us = ledger.round_interval_us
    next_us = run.now_us + ledger.gap_us
    key = run.plan.ledger_key[number]
    # Keyed by the round's number: whether somebody waited in an earlier round changes nothing
    # here.
    if draw62(key, round_, ledger.purpose_leader, 0) < ledger.leader_failure:
        run.log(LogKind.LEADER_FAILED, None, number, value=round_)
    else:
        commit_us = run.now_us + _vote_time(run, number, round_)
        _fill_block(run, number, round_, commit_us, waiting)
        # One block at a time: the next round waits for this one's commit.
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
    # The vote that completes the quorum decides; slower peers do not delay the block.
    return sorted(votes)[ledger.quorum - 1]


def _fill_block(run: Run, number: int, round_: int, commit_us: int, waiting: int) -> None:
    ledger = run.ledgers[number]
    block: list[Payment] = []
    while len(ledger.queue):
        payment = ledger.queue.head()
        # Its place, counted from 0: the load before it, and the payments before it.
        if payment.load_before - ledger.load.taken + len(block) >= ledger.block_limit:
            break
        ledger.queue.leave(payment, run.now_us)
        payment.wait = Wait.BLOCK
        # The point of no return: what the ledger has taken it will commit.
        payment.armed_step = NOWHERE
        run.log(LogKind.IN_BLOCK, payment, number, value=round_)
        block.append(payment)
    load = min(waiting, ledger.block_limit - len(block))
    ledger.load.taken += load
    if waiting:
        run.log(LogKind.LOAD, None, number, load, value=waiting - load)
    # The block travels with its event: at the wrap of the step the next round may start first.
    key = order_key(EventClass.COMPLETE, LEDGER_PSEUDO - number, (2 * round_ + 1) & STEP_MASK)
    run.schedule(commit_us, key, _commit, number, round_, block, load)


def _commit(run: Run, number: int, round_: int, block: list[Payment], load: int) -> None:
    ledger = run.ledgers[number]
    run.log(LogKind.COMMIT, None, number, len(block), value=round_)
    # Before any of them is posted, as accounting below would end the waits counted here.
    waits_us = [run.now_us - payment.accounted_us for payment in block]
    ledger.count_block(run.now_us, waits_us, load)
    for payment in block:
        stage = run.stages[payment.at]
        post_rows(run, payment, stage)
        payment.account_time(stage.cause, run.now_us)
        payment.stop_waiting()
        run.advance(payment, payment.at + 1)
        # Between two payments of the block, so that the money one of them frees is used before
        # the next one's.
        run.empty_ready_list()

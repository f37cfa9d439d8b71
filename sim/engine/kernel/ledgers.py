"""BATCH: rounds, blocks and commits of a ledger.

Takes a payment at a BATCH stage, or the event of a round or a commit. The meaning is in
``layout.LedgerColumn``.
"""

from __future__ import annotations

import numpy as np

from sim.contract.layout import LEDGER_PSEUDO, STEP_BITS, STEP_MASK, LedgerColumn, StageColumn
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LedgerTotal
from sim.draws.lookup import draw62, quantile
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import post_rows
from sim.engine.kernel.heap import push
from sim.engine.kernel.histogram import bucket
from sim.engine.kernel.journal import account_time, add_area, break_off, write_log
from sim.engine.kernel.loads import joined, look_at_load
from sim.engine.kernel.payments import COMPLETE_BASE
from sim.engine.kernel.queues import append, unlink
from sim.engine.kernel.state import (
    C_ACTIVE,
    C_BLOCK,
    C_BLOCK_ENDS,
    C_BLOCK_LEDGER,
    C_LEDGER_ENDS,
    C_NOW,
    C_WARM_UP,
    L_BLOCK_LIMIT,
    L_BLOCK_LOAD,
    L_BLOCK_ROUND,
    L_BLOCK_SIZE,
    L_GAP,
    L_QUEUE,
    L_ROUND,
    L_SINCE,
    L_TAKEN,
    L_TOTAL,
    P_ID,
    P_STAGE,
    Q_HEAD,
    KernelState,
)
from sim.jit.functions import called

_BLOCKS = L_TOTAL + LedgerTotal.BLOCKS
_INCLUDED = L_TOTAL + LedgerTotal.INCLUDED
_QUEUE_AREA = L_TOTAL + LedgerTotal.QUEUE_AREA
_QUEUE_MAX = L_TOTAL + LedgerTotal.QUEUE_MAX
_ROUNDS = L_TOTAL + LedgerTotal.ROUNDS
_WAIT_SUM = L_TOTAL + LedgerTotal.WAIT_SUM_US
_LOAD = L_TOTAL + LedgerTotal.LOAD


@called
def enqueue(plan: Plan, state: KernelState, slot: int) -> None:
    """Let a payment wait for the next block."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    ledger = plan.stage[at, StageColumn.SUBJECT]
    # No event is scheduled: the ledger's rounds come by themselves, and its round is what the
    # payment waits for.
    append(pool, state.ends, cursor[C_LEDGER_ENDS] + ledger, slot)
    _change_queue(cursor, state.ledger, ledger, 1)
    # Before it, whatever else happens at this instant: the load is no event.
    pool[slot, st.P_LOAD_BEFORE] = joined(plan, ledger, cursor[C_NOW])
    pool[slot, st.P_WAIT] = st.W_LEDGER
    pool[slot, st.P_PLACE] = ledger
    write_log(cursor, state.log, LogKind.ENQUEUE, pool[slot, P_ID], at, ledger, -1, -1)


@called
def run_round(plan: Plan, state: KernelState, ledger: int) -> None:
    """Start the next round of a ledger: idle, failed, or with a block."""
    cursor = state.cursor
    own = state.ledger
    now = cursor[C_NOW]
    # Every round counts, idle and failed ones too: the number is the counter of the round's
    # draws, and one that depended on who waits would move the draws of all later rounds.
    number = own[ledger, L_ROUND] + 1
    own[ledger, L_ROUND] = number
    if now >= cursor[C_WARM_UP]:
        own[ledger, _ROUNDS] += 1
    interval = plan.ledger[ledger, LedgerColumn.ROUND_INTERVAL_US]
    # An idle ledger looks ever more rarely, so that a night without payments costs a few events
    # and not a hundred thousand. A payment that comes then waits for the next look.
    waiting = look_at_load(plan, state, ledger)
    if own[ledger, L_QUEUE] == 0 and waiting == 0:
        # Never less than the interval: IDLE_MAX_US of 0 means that the gap does not grow.
        longest = max(plan.ledger[ledger, LedgerColumn.IDLE_MAX_US], interval)
        own[ledger, L_GAP] = min(2 * own[ledger, L_GAP], longest)
        # The start of round r has step 2r, its commit 2r + 1.
        _schedule_step(state, ledger, 2 * number + 2, now + own[ledger, L_GAP])
        return
    # Work has come, so the ledger is back to its regular pace from this round on.
    own[ledger, L_GAP] = interval
    key = plan.ledger_key[ledger]
    threshold = plan.ledger[ledger, LedgerColumn.LEADER_FAILURE]
    purpose = plan.ledger[ledger, LedgerColumn.PURPOSE_LEADER]
    # A visit written as 0 would have the draw compiled once more, for that number alone.
    visit = int(np.int64(0))
    # The draw is left out where it cannot hit; being keyed, no other draw depends on its having
    # been made.
    if threshold > 0 and draw62(key, number, purpose, visit) < threshold:
        write_log(cursor, state.log, LogKind.LEADER_FAILED, -1, -1, ledger, -1, number)
        _schedule_step(state, ledger, 2 * number + 2, now + interval)
        return
    # The block is cut at the start of the round. Who comes during the vote waits for the next
    # one.
    _fill_block(state, ledger, number, waiting)
    vote_us = _vote_time(plan, state.scratch, ledger, number)
    # A delay below zero would commit before the round began.
    if vote_us < 0:
        break_off(cursor, st.E_DURATION, -1)
    _schedule_step(state, ledger, 2 * number + 1, now + vote_us)
    # Rounds do not overlap: with a vote longer than the interval the next one starts with the
    # commit, whose step is lower and which therefore comes first.
    _schedule_step(state, ledger, 2 * number + 2, now + max(interval, vote_us))


@called
def begin_commit(state: KernelState, ledger: int, parity: int) -> None:
    """Commit a block: from now on the loop takes its payments one by one."""
    cursor = state.cursor
    own = state.ledger
    # By parity of the round: where the step wraps, 2r + 2 is 0 and stands before the commit of
    # the same instant, so that the next block may be filled while this one is waiting.
    size = own[ledger, L_BLOCK_SIZE + parity]
    number = own[ledger, L_BLOCK_ROUND + parity]
    if cursor[C_NOW] >= cursor[C_WARM_UP]:
        own[ledger, _BLOCKS] += 1
        own[ledger, _INCLUDED] += size
        own[ledger, _LOAD] += own[ledger, L_BLOCK_LOAD + parity]
    # The block's own row comes before the rows of its payments.
    write_log(cursor, state.log, LogKind.COMMIT, -1, -1, ledger, size, number)
    # Its payments are taken by the loop, one per turn. Done here, each could set others free,
    # who would have to advance in the middle of this function.
    cursor[C_BLOCK] = cursor[C_BLOCK_ENDS] + 2 * ledger + parity
    cursor[C_BLOCK_LEDGER] = ledger


@called
def commit_next(plan: Plan, state: KernelState) -> None:
    """Post the next payment of the block being committed and let it advance."""
    cursor = state.cursor
    pool = state.pool
    # First in, first out: in the order in which the payments entered the block.
    slot = state.ends[cursor[C_BLOCK], Q_HEAD]
    if slot < 0:
        cursor[C_BLOCK] = -1
        return
    unlink(pool, state.ends, slot)
    # P_SINCE is the instant of ENQUEUE, as nothing was accounted for since.
    if cursor[C_NOW] >= cursor[C_WARM_UP]:
        waited = cursor[C_NOW] - pool[slot, st.P_SINCE]
        add_area(cursor, state.ledger, cursor[C_BLOCK_LEDGER], _WAIT_SUM, 1, waited)
        state.commit_wait[cursor[C_BLOCK_LEDGER], bucket(waited)] += 1
    # Post, account, advance, in this order: rows of the log show the money before what comes
    # next.
    post_rows(plan, state, slot)
    at = pool[slot, P_STAGE]
    account_time(cursor, pool, slot, plan.stage[at, StageColumn.CAUSE])
    pool[slot, st.P_WAIT] = st.W_NOTHING
    pool[slot, P_STAGE] = at + 1
    cursor[C_ACTIVE] = slot


@called
def leave_ledger(state: KernelState, ledger: int, slot: int) -> None:
    """Take a payment out of a ledger's queue."""
    unlink(state.pool, state.ends, slot)
    _change_queue(state.cursor, state.ledger, ledger, -1)


@called
def settle_queue_area(cursor: Array, own: Array, ledger: int) -> None:
    """Bring a ledger's queue area up to now; call it before the queue changes."""
    now = cursor[C_NOW]
    past = now - own[ledger, L_SINCE]
    # L_SINCE starts at the warm-up, so what came before it counts for nothing.
    if past > 0:
        add_area(cursor, own, ledger, _QUEUE_AREA, own[ledger, L_QUEUE], past)
        own[ledger, L_SINCE] = now
        own[ledger, _QUEUE_MAX] = max(own[ledger, _QUEUE_MAX], own[ledger, L_QUEUE])


@called
def _change_queue(cursor: Array, own: Array, ledger: int, change: int) -> None:
    """Note that a ledger's queue grew or shrank by one."""
    settle_queue_area(cursor, own, ledger)
    length = own[ledger, L_QUEUE] + change
    own[ledger, L_QUEUE] = length
    if cursor[C_NOW] >= cursor[C_WARM_UP]:
        own[ledger, _QUEUE_MAX] = max(own[ledger, _QUEUE_MAX], length)


@called
def _fill_block(state: KernelState, ledger: int, number: int, waiting: int) -> None:
    """Put the first that wait into the block; the time-outs of payments no longer count."""
    cursor = state.cursor
    pool = state.pool
    ends = state.ends
    parity = number & 1
    line = cursor[C_LEDGER_ENDS] + ledger
    block = cursor[C_BLOCK_ENDS] + 2 * ledger + parity
    limit, taken = state.ledger[ledger, L_BLOCK_LIMIT], state.ledger[ledger, L_TAKEN]
    size = 0
    while True:
        slot = ends[line, Q_HEAD]
        # Its place, counted from 0: the load before it, and the payments before it.
        if slot < 0 or pool[slot, st.P_LOAD_BEFORE] - taken + size >= limit:
            break
        size += 1
        leave_ledger(state, ledger, slot)
        append(pool, ends, block, slot)
        pool[slot, st.P_WAIT] = st.W_BLOCK
        # The point of no return: the ledger has taken it in and will commit it, whatever the
        # payer's session does in the meantime.
        pool[slot, st.P_ARMED_STEP] = -1
        write_log(
            cursor,
            state.log,
            LogKind.IN_BLOCK,
            pool[slot, P_ID],
            pool[slot, P_STAGE],
            ledger,
            -1,
            number,
        )
    load = min(waiting, limit - size)
    state.ledger[ledger, L_TAKEN] = taken + load
    if waiting > 0:
        write_log(cursor, state.log, LogKind.LOAD, -1, -1, ledger, load, waiting - load)
    state.ledger[ledger, L_BLOCK_LOAD + parity] = load
    state.ledger[ledger, L_BLOCK_SIZE + parity] = size
    state.ledger[ledger, L_BLOCK_ROUND + parity] = number


@called
def _vote_time(plan: Plan, scratch: Array, ledger: int, number: int) -> int:
    """Return when enough peers have voted: the QUORUM-th smallest of their delays."""
    key = plan.ledger_key[ledger]
    table = plan.ledger[ledger, LedgerColumn.VOTE_TABLE]
    purpose = plan.ledger[ledger, LedgerColumn.PURPOSE_VOTE]
    # An insertion sort over the scratch array, as there are a few dozen peers at most and
    # nothing may be allocated here. The draws are keyed by peer, so their order does not
    # matter.
    for peer in range(plan.ledger[ledger, LedgerColumn.PEERS]):
        delay = quantile(plan.table, table, draw62(key, number, purpose, peer))
        at = peer
        while at > 0 and scratch[at - 1] > delay:
            scratch[at] = scratch[at - 1]
            at -= 1
        scratch[at] = delay
    # The quorum's last vote decides; slower peers delay nothing.
    return int(scratch[plan.ledger[ledger, LedgerColumn.QUORUM] - 1])


@called
def _schedule_step(state: KernelState, ledger: int, step: int, time_us: int) -> None:
    """Schedule the start of a round (even step) or a commit (odd step)."""
    # Above every payment and every station's wake-up: what completes at this instant may still
    # join the block that is cut now.
    key = COMPLETE_BASE | ((LEDGER_PSEUDO - ledger) << STEP_BITS) | (step & STEP_MASK)
    push(state.cursor, state.heap, time_us, key, -1, 0)

"""Check every row by which a payment begins or ends a wait.

Takes rebuilt payments and the columns of a row about stations, delays, ledgers and time-outs; moves
both along and reports what the stage, the clock or the place does not allow.
"""

from __future__ import annotations

from sim.audit.accounts import leave_account, touch_account
from sim.audit.containers import add, append, bear, check, unlink
from sim.audit.doubt import give_up
from sim.audit.habits import may_last
from sim.audit.health import attempt_fails
from sim.audit.large_value import returned_row
from sim.audit.ledgers import enter_block, leave_ledger, ledger_line
from sim.audit.loads import load_joined
from sim.audit.messages import Check
from sim.audit.program import account_time, begins_to_wait, jump
from sim.audit.queues import touch_system
from sim.audit.routes import is_station
from sim.audit.state import NOBODY, Count, Pay, StationState, Things, Wait
from sim.audit.stations import (
    check_direct,
    check_next,
    finish_service,
    join,
    leave_station,
    start_service,
)
from sim.audit.turns import act_at, begin_own, check_in_time
from sim.audit.visits import begin_visit, end_visit
from sim.audit.world import COMPLETE_KEY, EXPIRE_KEY, STREAM_LONGEST, STREAM_SHORTEST, World
from sim.contract.layout import NULL, PPM, STEP_BITS, STEP_MASK
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import Cause, Op, Reason
from sim.jit.functions import called

_STATION, _LEDGER, _ACCOUNT, _SYSTEM = 0, 1, 2, 3
"""Places a payment leaves, as LEAVE rows number them."""


@called
def join_row(w: World, p: int, stage: int, station: int) -> None:
    """Check a JOIN row and put the payment into the queue."""
    act_at(w, p, stage, Op.SERVE)
    _check_station(w, p, stage, station)
    join(w, station, p)
    w.pay[p, Pay.WAIT] = Wait.QUEUE
    w.pay[p, Pay.WAIT_SUBJECT] = station
    begin_visit(w, p)


@called
def start_row(w: World, p: int, stage: int, station: int, service_us: int) -> None:
    """Check a START row, direct or from the queue."""
    # A START row is of a payment that has just come, or of one from the queue, in anybody's
    # event.
    is_direct = w.pay[p, Pay.WAIT] != Wait.QUEUE
    if is_direct:
        act_at(w, p, stage, Op.SERVE)
        _check_station(w, p, stage, station)
    else:
        if w.pay[p, Pay.DEADLINE_US] >= 0:
            check_in_time(w, p)
        same = w.pay[p, Pay.WAIT_SUBJECT] == station and w.pay[p, Pay.PC] == stage
        check(w.g, Check.STARTS_ELSEWHERE, same, (w.pay[p, Pay.NUMBER],))
    pace_ppm = w.things[w.first[Things.STATION] + station, StationState.PACE_PPM]
    lasts = may_last(w, p, stage, service_us, pace_ppm)
    check(w.g, Check.LASTS, lasts, (w.pay[p, Pay.NUMBER], stage, service_us))
    # Each event a payment schedules has the next step; so the key of what it waits for is
    # known.
    w.pay[p, Pay.STEPS] += 1
    start_service(w, station, p, stage, service_us)
    if is_direct:
        check_direct(w, station, p)
    else:
        check_next(w, station, p)
        leave_station(w, w.pay[p, Pay.WAIT_SUBJECT], p)
    account_time(w, p, Cause.WAITING)
    w.pay[p, Pay.WAIT] = Wait.SERVICE
    w.pay[p, Pay.WAIT_SUBJECT] = station
    if is_direct:
        begin_visit(w, p)
    w.pay[p, Pay.STARTED_US] = w.g[Count.NOW]
    w.pay[p, Pay.DUE_KEY] = w.pay[p, Pay.STEPS]
    w.pay[p, Pay.CAUSE] = w.things[stage, S.CAUSE]
    # Due at this very instant: it must be handled before the clock moves.
    if service_us == 0:
        bear(w, _own_key(w, p, COMPLETE_KEY))


@called
def delay_row(w: World, p: int, stage: int, cause: int, delay_us: int) -> None:
    """Check a DELAY row and note when it ends."""
    act_at(w, p, stage, Op.TRANSIT)
    # The delay's length is a random number and believed as far as its table gives it; its cause
    # and its end are not.
    lasts = may_last(w, p, stage, delay_us, PPM)
    check(w.g, Check.LASTS, lasts, (w.pay[p, Pay.NUMBER], stage, delay_us))
    right = cause == w.things[stage, S.CAUSE] and delay_us >= 0
    check(w.g, Check.DELAY_CAUSE, right, (w.pay[p, Pay.NUMBER],))
    w.pay[p, Pay.STEPS] += 1
    w.pay[p, Pay.WAIT] = Wait.DELAY
    w.pay[p, Pay.WAIT_SUBJECT] = NOBODY
    begin_visit(w, p)
    w.pay[p, Pay.STARTED_US] = w.g[Count.NOW]
    w.pay[p, Pay.CAUSE] = cause
    w.pay[p, Pay.DUE_US] = w.g[Count.NOW] + delay_us
    w.pay[p, Pay.DUE_KEY] = _own_key(w, p, COMPLETE_KEY)
    if delay_us == 0:
        bear(w, w.pay[p, Pay.DUE_KEY])


@called
def enqueue_row(w: World, p: int, stage: int, ledger: int) -> None:
    """Check an ENQUEUE row and put the payment into the ledger's queue."""
    act_at(w, p, stage, Op.BATCH)
    right = ledger == w.things[stage, S.SUBJECT]
    check(w.g, Check.OTHER_LEDGER, right, (w.pay[p, Pay.NUMBER],))
    append(w, ledger_line(w, ledger), p)
    w.pay[p, Pay.LOAD_BEFORE] = load_joined(w, ledger, w.g[Count.NOW])
    w.pay[p, Pay.WAIT] = Wait.LEDGER
    w.pay[p, Pay.WAIT_SUBJECT] = ledger
    begin_visit(w, p)
    w.pay[p, Pay.CAUSE] = w.things[stage, S.CAUSE]


@called
def in_block_row(w: World, p: int, ledger: int, number: int) -> None:
    """Check an IN_BLOCK row and disarm the payment's time-out."""
    waits = w.pay[p, Pay.WAIT] == Wait.LEDGER and w.pay[p, Pay.WAIT_SUBJECT] == ledger
    check(w.g, Check.BLOCK_TWICE, waits, (w.pay[p, Pay.NUMBER],))
    if w.pay[p, Pay.DEADLINE_US] >= 0:
        check_in_time(w, p)
    enter_block(w, ledger, p, number)
    w.pay[p, Pay.WAIT] = Wait.BLOCK
    w.pay[p, Pay.STARTED_US] = w.g[Count.NOW]
    # The point of no return: from here on no EXPIRE may come.
    w.pay[p, Pay.DEADLINE_US] = -1


@called
def deadline_row(w: World, p: int, stage: int, after_us: int) -> None:
    """Check a DEADLINE row and arm the time-out."""
    act_at(w, p, stage, Op.DEADLINE)
    # A DEADLINE of 0 disarms and writes no row.
    right = after_us == w.things[stage, S.VALUE] and after_us > 0
    check(w.g, Check.ARMS, right, (w.pay[p, Pay.NUMBER], after_us))
    w.pay[p, Pay.STEPS] += 1
    w.pay[p, Pay.DEADLINE_US] = w.g[Count.NOW] + after_us
    w.pay[p, Pay.DEADLINE_STAGE] = stage
    w.pay[p, Pay.DEADLINE_KEY] = _own_key(w, p, EXPIRE_KEY)
    jump(w, p, w.pay[p, Pay.PC] + 1)


@called
def expire_row(w: World, p: int, reason: int) -> None:
    """Check an EXPIRE row, abandon the wait and go on at the target."""
    g, number, due_us = w.g, w.pay[p, Pay.NUMBER], w.pay[p, Pay.DEADLINE_US]
    begin_own(w, p)
    # At its instant and with its own key: a time-out that was forgotten has neither.
    at_turn = g[Count.NOW] == due_us and g[Count.KEY] == w.pay[p, Pay.DEADLINE_KEY]
    check(g, Check.EXPIRES, due_us >= 0 and at_turn, (number, due_us))
    w.pay[p, Pay.DEADLINE_US] = -1
    if due_us < 0:
        return
    stage = w.pay[p, Pay.DEADLINE_STAGE]
    due = w.things[stage, S.REASON]
    # Without a reason of its own a time-out leaves the payment the one it has.
    if due < 0:
        due = w.pay[p, Pay.REASON]
    check(g, Check.EXPIRES_OTHERWISE, reason == due, (number,))
    _give_way(w, p, due, w.things[stage, S.TARGET])


@called
def patience_row(w: World, p: int, stage: int, patience_us: int) -> None:
    """Check a PATIENCE row and let the payer wait."""
    act_at(w, p, stage, Op.PATIENCE)
    row = w.first[Things.STREAM] + w.pay[p, Pay.STREAM]
    lasts = w.things[row, STREAM_SHORTEST] <= patience_us <= w.things[row, STREAM_LONGEST]
    right = w.things[stage, S.VALUE] > 0 and begins_to_wait(w, p) and lasts
    check(w.g, Check.PATIENCE, right, (w.pay[p, Pay.NUMBER], patience_us))
    w.pay[p, Pay.STEPS] += 1
    w.pay[p, Pay.PATIENCE_US] = w.g[Count.NOW] + patience_us
    w.pay[p, Pay.PATIENCE_STAGE] = stage
    w.pay[p, Pay.PATIENCE_KEY] = _own_key(w, p, EXPIRE_KEY)
    w.pay[p, Pay.GONE_US] = NULL
    jump(w, p, w.pay[p, Pay.PC] + 1)


@called
def gone_row(w: World, p: int, stage: int, is_given_up: int) -> None:
    """Check a GONE row; the payment is given up with its payer, or goes its way."""
    g, number, due_us = w.g, w.pay[p, Pay.NUMBER], w.pay[p, Pay.PATIENCE_US]
    begin_own(w, p)
    at_turn = g[Count.NOW] == due_us and g[Count.KEY] == w.pay[p, Pay.PATIENCE_KEY]
    right = due_us >= 0 and at_turn and stage == w.pay[p, Pay.PC]
    check(g, Check.GONE, right, (number, due_us))
    w.pay[p, Pay.PATIENCE_US] = -1
    if due_us < 0:
        return
    w.pay[p, Pay.GONE_US] = g[Count.NOW]
    wait, target = w.pay[p, Pay.WAIT], w.things[w.pay[p, Pay.PATIENCE_STAGE], S.TARGET]
    wanted = 0
    if target >= 0 and wait not in (Wait.BLOCK, Wait.ANSWER):
        wanted = 1
    check(g, Check.GONE_OTHERWISE, is_given_up == wanted, (number,))
    if wanted == 1:
        _give_way(w, p, Reason.DS02, target)
    elif w.pay[p, Pay.SETTLED_US] == NULL:
        w.pay[p, Pay.REASON] = Reason.DS02


@called
def _give_way(w: World, p: int, reason: int, target: int) -> None:
    """End the wait of a payment without what it waited for, and take it elsewhere."""
    g, wait, place = w.g, w.pay[p, Pay.WAIT], NOBODY
    attempt_fails(w, p, reason)
    if wait == Wait.QUEUE:
        place = _STATION
    elif wait == Wait.LEDGER:
        place = _LEDGER
    elif wait == Wait.LIQUIDITY:
        place = _ACCOUNT
    elif wait == Wait.SYSTEM:
        place = _SYSTEM
    # From a queue a LEAVE row follows at once; from transit none does, and from service none but
    # that of a request in doubt.
    if wait == Wait.SERVICE:
        give_up(w, p)
    if place != NOBODY:
        g[Count.LEAVING], g[Count.LEAVING_PLACE] = p, place
        g[Count.LEAVING_SUBJECT] = w.pay[p, Pay.WAIT_SUBJECT]
        if wait == Wait.SYSTEM:
            g[Count.LEAVING_SUBJECT] = w.things[w.pay[p, Pay.PC], S.SUBJECT]
        # LEAVE carries the stage waited at, though the payment has moved on to the target.
        g[Count.LEAVING_STAGE] = w.pay[p, Pay.PC]
    _abandon(w, p)
    w.pay[p, Pay.REASON] = reason
    jump(w, p, target)


@called
def leave_row(w: World, p: int, stage: int, subject: int, place: int) -> None:
    """Check that a LEAVE row is the one the time-out asked for."""
    g = w.g
    if g[Count.LEAVING] == NOBODY and place == _SYSTEM:
        returned_row(w, p, stage, subject)
        return
    right = g[Count.LEAVING] == p and g[Count.LEAVING_SUBJECT] == subject
    right = right and g[Count.LEAVING_PLACE] == place and g[Count.LEAVING_STAGE] == stage
    if g[Count.LEAVING] != NOBODY and g[Count.LEAVING_PLACE] == _ACCOUNT:
        # Who left the head may make room for those behind.
        touch_account(w, g[Count.LEAVING_SUBJECT])
    g[Count.LEAVING] = NOBODY
    check(g, Check.LEAVES, right, (w.pay[p, Pay.NUMBER],))


@called
def miss_leave(w: World) -> None:
    """Report a LEAVE row that did not come."""
    p = w.g[Count.LEAVING]
    if p != NOBODY:
        w.g[Count.LEAVING] = NOBODY
        add(w.g, Check.LEFT_NOTHING, (w.pay[p, Pay.NUMBER],))


@called
def finish_row(w: World, p: int, payment: int, stage: int, station: int) -> None:
    """Check a FINISH row, orphaned or not; nobody is in the slot once the payment has ended."""
    step = w.g[Count.KEY] & STEP_MASK
    right = w.g[Count.KEY] == COMPLETE_KEY + (payment << STEP_BITS) + step
    check(w.g, Check.FINISH_EVENT, right, (payment,))
    finish_service(w, station, payment, step, stage)
    # The payment has ended. Its service ends all the same, and that was checked above.
    if p == NOBODY:
        return
    if w.pay[p, Pay.UNANSWERED] == step:
        w.pay[p, Pay.UNANSWERED] = NOBODY
    # Otherwise orphaned: it timed out and waits for something else, or acts elsewhere.
    waits = w.pay[p, Pay.WAIT] == Wait.SERVICE or w.pay[p, Pay.WAIT] == Wait.ANSWER
    if waits and w.pay[p, Pay.DUE_KEY] == step:
        end_visit(w, p, w.g[Count.NOW])
        account_time(w, p, w.pay[p, Pay.CAUSE])
        w.pay[p, Pay.WAIT] = Wait.NOTHING
        jump(w, p, w.pay[p, Pay.PC] + 1)
        # Others start before the payment goes on, but nobody else acts in this event first.
        begin_own(w, p)


@called
def account_open_wait(w: World, p: int) -> None:
    """Account the wait at hand to its cause."""
    wait = w.pay[p, Pay.WAIT]
    if wait == Wait.QUEUE:
        account_time(w, p, Cause.WAITING)
    elif wait == Wait.LIQUIDITY:
        account_time(w, p, Cause.LIQUIDITY)
    else:
        account_time(w, p, w.pay[p, Pay.CAUSE])


@called
def _own_key(w: World, p: int, class_key: int) -> int:
    """Return the order key of the event a payment has just scheduled."""
    return int(class_key + (w.pay[p, Pay.NUMBER] << STEP_BITS) + w.pay[p, Pay.STEPS])


@called
def _check_station(w: World, p: int, stage: int, station: int) -> None:
    right = is_station(w, p, w.things[stage, S.SUBJECT], station)
    check(w.g, Check.OTHER_STATION, right, (w.pay[p, Pay.NUMBER], station))


@called
def _abandon(w: World, p: int) -> None:
    """Account the wait that ends here and take the payment out of whatever queue it is in."""
    wait, subject = w.pay[p, Pay.WAIT], w.pay[p, Pay.WAIT_SUBJECT]
    if wait == Wait.NOTHING:
        return
    if wait == Wait.QUEUE:
        leave_station(w, subject, p)
    elif wait == Wait.LIQUIDITY:
        leave_account(w, subject, p)
    elif wait == Wait.LEDGER:
        leave_ledger(w, subject, p)
    elif wait == Wait.SYSTEM:
        unlink(w, p)
        touch_system(w, w.things[w.pay[p, Pay.PC], S.SUBJECT])
        w.pay[p, Pay.LEGS] = 0
    end_visit(w, p, w.g[Count.NOW])
    account_open_wait(w, p)
    w.pay[p, Pay.WAIT] = Wait.NOTHING

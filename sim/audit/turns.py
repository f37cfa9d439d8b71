"""Check whose turn it is within an event, and that a payment can be at the stage it acts at.

Takes rows by which payments act; moves rebuilt payments along their programs and reports those
that act out of turn, skip a stage or stop without waiting.
"""

from __future__ import annotations

from sim.audit.containers import add, append, check, unlink
from sim.audit.messages import Check
from sim.audit.program import (
    ALL_DONE,
    account_time,
    begin_stage,
    has_due,
    jump,
    leave_stage,
    passes,
)
from sim.audit.state import NOBODY, Count, Pay, Things, Wait
from sim.audit.visits import end_visit
from sim.audit.world import World
from sim.contract.layout import PAYMENT_BITS, STEP_BITS
from sim.contract.layout import StageColumn as S
from sim.jit.functions import called

_PAYMENT_MASK = (1 << PAYMENT_BITS) - 1


@called
# Whose turn it is follows from the specification's "Advancing": first the payment of the event
# (or the payments of a block, one by one), then those set free, first in first out.
def begin_own(w: World, p: int) -> None:
    """Let the event's own payment act."""
    w.g[Count.OWN_USED] = 1
    w.g[Count.CURRENT] = p


@called
def make_ready(w: World, p: int) -> None:
    """Let a payment act once those before it have."""
    append(w, w.g[Count.READY], p)


@called
def end_turns(w: World) -> None:
    """Check that everybody who could act has acted and waits."""
    p = w.g[Count.CURRENT]
    # Whoever acted last must now wait or have ended.
    if p != NOBODY and w.pay[p, Pay.WAIT] == Wait.NOTHING:
        _stops(w, p)
    # Those who were set free and did not act, and what is left of a block.
    for line in range(w.g[Count.READY], w.g[Count.READY] + 2):
        while w.line[line, 0] != NOBODY:
            p = w.line[line, 0]
            _stops(w, p)
            unlink(w, p)
    w.g[Count.CURRENT] = NOBODY
    w.g[Count.OWN_USED] = 0


@called
def act(w: World, p: int, stage: int) -> None:
    """Let a payment act at a stage; check that it is its turn and that it can be there."""
    if p != w.g[Count.CURRENT]:
        _take_turn(w, p)
    if w.pay[p, Pay.WAIT] != Wait.NOTHING:
        _wake(w, p)
    # Its time-out was due before: then it should not act here at all.
    if w.pay[p, Pay.DEADLINE_US] >= 0:
        check_in_time(w, p)
    if w.pay[p, Pay.PATIENCE_US] >= 0:
        check_patience(w, p)
    # Stages that leave no row are passed silently, if they may be. The log names the stage of
    # each row, so the way from one to the next can be walked.
    while w.pay[p, Pay.PC] != stage:
        at = w.pay[p, Pay.PC]
        exists = 0 <= at < w.size[Things.STAGE]
        if not exists or has_due(w, p) or not passes(w, p):
            message = Check.UNPOSTED if exists and has_due(w, p) else Check.UNDONE
            add(w.g, message, (w.pay[p, Pay.NUMBER], stage, at))
            # From here on as if it had come rightly: one finding, and not one for every row to
            # come.
            jump(w, p, stage)
            return
        leave_stage(w, p)
    # Counted by hand, as the check is the whole walk above.
    w.g[Count.CHECKED + Check.UNDONE] += 1


@called
def check_op(w: World, stage: int, holds: bool) -> bool:
    """Check that a stage's operation writes the row at hand."""
    return check(w.g, Check.OP, holds, (stage,))


@called
def act_at(w: World, p: int, stage: int, op: int) -> bool:
    """Let a payment act at a stage of an operation; say whether it is one."""
    act(w, p, stage)
    return check_op(w, stage, w.things[stage, S.OP] == op)


@called
def check_in_time(w: World, p: int) -> None:
    """Check that a time-out did not go by."""
    due_us, now = w.pay[p, Pay.DEADLINE_US], w.g[Count.NOW]
    # At one instant the keys decide whether the time-out came first.
    passed = due_us == now and w.pay[p, Pay.DEADLINE_KEY] < w.g[Count.KEY]
    is_late = due_us < now or passed
    check(w.g, Check.TIMED_OUT, not is_late, (w.pay[p, Pay.NUMBER], due_us))
    # Reported once.
    if is_late:
        w.pay[p, Pay.DEADLINE_US] = -1


@called
def check_patience(w: World, p: int) -> None:
    """Check that a payer whose patience ran out is gone."""
    due_us, now = w.pay[p, Pay.PATIENCE_US], w.g[Count.NOW]
    passed = due_us == now and w.pay[p, Pay.PATIENCE_KEY] < w.g[Count.KEY]
    is_late = due_us < now or passed
    check(w.g, Check.STILL_THERE, not is_late, (w.pay[p, Pay.NUMBER], due_us))
    if is_late:
        w.pay[p, Pay.PATIENCE_US] = -1


@called
def _take_turn(w: World, p: int) -> None:
    """Check whose turn it is within the event."""
    g, number = w.g, w.pay[p, Pay.NUMBER]
    last = g[Count.CURRENT]
    g[Count.CURRENT] = p
    # The one before has to have stopped by waiting or by ending.
    if last != NOBODY and w.pay[last, Pay.WAIT] == Wait.NOTHING:
        _stops(w, last)
    ready, block = w.line[g[Count.READY], 0], w.line[g[Count.READY] + 1, 0]
    due = p
    # The ready list goes before the next payment of a block, and both before anybody else.
    if ready != NOBODY:
        due = ready
        unlink(w, due)
    elif block != NOBODY:
        due = block
        unlink(w, due)
        _leave_block(w, due)
    # The event's own payment acts once, and the key says which one it is.
    elif g[Count.OWN_USED] == 0 and ((g[Count.KEY] >> STEP_BITS) & _PAYMENT_MASK) == number:
        g[Count.OWN_USED] = 1
    else:
        add(g, Check.TURN_OF_OTHER, (number,))
        return
    check(g, Check.TURN, due == p, (number, w.pay[due, Pay.NUMBER]))


@called
def _wake(w: World, p: int) -> None:
    """End a delay; whatever else a payment waits for ends by a row of its own."""
    g, number = w.g, w.pay[p, Pay.NUMBER]
    if w.pay[p, Pay.WAIT] == Wait.DELAY:
        due_us = w.pay[p, Pay.DUE_US]
        # A delay leaves no row when it ends. The first row after it must be at its end, in the
        # payment's own event.
        at_turn = g[Count.NOW] == due_us and g[Count.KEY] == w.pay[p, Pay.DUE_KEY]
        check(g, Check.DELAY_ENDS, at_turn, (number, due_us))
        end_visit(w, p, due_us)
        account_time(w, p, w.pay[p, Pay.CAUSE])
        jump(w, p, w.pay[p, Pay.PC] + 1)
    else:
        # Queues, services, blocks and liquidity end with a row; to act without it is a jump.
        add(g, Check.IN_PLACE, (number, w.pay[p, Pay.PC], w.pay[p, Pay.WAIT]))
    w.pay[p, Pay.WAIT] = Wait.NOTHING


@called
def _leave_block(w: World, p: int) -> None:
    end_visit(w, p, w.g[Count.NOW])
    account_time(w, p, w.things[w.pay[p, Pay.PC], S.CAUSE])
    w.pay[p, Pay.WAIT] = Wait.NOTHING
    # The rows it posts come next; without any it has left the stage already.
    begin_stage(w, p)
    if not has_due(w, p):
        leave_stage(w, p)


@called
def _stops(w: World, p: int) -> None:
    """Report a payment that stops without waiting."""
    stage = w.pay[p, Pay.PC]
    exists = 0 <= stage < w.size[Things.STAGE]
    message = Check.STOPS_POSTING if exists and has_due(w, p) else Check.STOPS
    add(w.g, message, (w.pay[p, Pay.NUMBER], stage))
    w.pay[p, Pay.CURSOR] = ALL_DONE

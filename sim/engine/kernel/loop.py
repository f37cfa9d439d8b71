"""The next event, and what it does.

Takes the plan and the state; ``run`` handles events until it has handled as many as asked, needs
something, reaches the end or finds an invariant broken, and returns which. It can be called again
at once: everything it knows is in the state, down to the payment at hand.
"""

from __future__ import annotations

from sim.contract.layout import (
    LEDGER_PSEUDO,
    NEVER_US,
    PAYMENT_BITS,
    PAYMENTS_MAX,
    STATION_PSEUDO,
    STEP_BITS,
    STEP_MASK,
    AgendaColumn,
    StageColumn,
)
from sim.contract.meaning import Cause, EventClass
from sim.contract.plan import Plan
from sim.contract.records import WorkloadColumn
from sim.engine.kernel import state as st
from sim.engine.kernel.arrivals import follow_agenda, submit
from sim.engine.kernel.guards import settle_account, settle_channel
from sim.engine.kernel.heap import drop_first
from sim.engine.kernel.journal import account_time, break_off
from sim.engine.kernel.large_value import look, sample_systems, settle_next
from sim.engine.kernel.ledgers import (
    begin_commit,
    commit_next,
    run_round,
    settle_queue_area,
)
from sim.engine.kernel.loads import look_at_load
from sim.engine.kernel.operations import advance, close_open
from sim.engine.kernel.payments import EXPIRE_BASE
from sim.engine.kernel.prefetch import prefetch_payment
from sim.engine.kernel.queues import unlink
from sim.engine.kernel.refunds import pay_part
from sim.engine.kernel.routing import sample
from sim.engine.kernel.shops import begin_call, expire_order
from sim.engine.kernel.state import (
    C_ACTIVE,
    C_AGENDA,
    C_ARRIVAL,
    C_BLOCK,
    C_CALLING,
    C_CHUNK,
    C_CLOSING,
    C_EDGE,
    C_ERROR,
    C_EVENTS,
    C_FREE,
    C_GUARDED,
    C_HEAD_KEY,
    C_HEAD_LINE,
    C_HEAD_TIME,
    C_HEAP,
    C_HORIZON,
    C_KEY,
    C_LATER,
    C_LIVE,
    C_LOG,
    C_MARGIN,
    C_MARKED,
    C_NEXT_PAYMENT,
    C_NODE,
    C_NOW,
    C_READY,
    C_RECORDS,
    C_SAMPLE,
    C_SAMPLE_INTERVAL,
    C_SETTLING,
    C_TIMER,
    C_WANTS_LOG,
    C_WANTS_RECORDS,
    C_WORKLOAD_DONE,
    H_KEY,
    H_PLACE,
    H_SLOT,
    H_TIME,
    P_ID,
    P_STAGE,
    PLACE_BITS,
    Q_HEAD,
    S_WAKE_PENDING,
    KernelState,
)
from sim.engine.kernel.stations import (
    finish_service,
    settle_areas,
    start_waiting,
)
from sim.engine.kernel.time_outs import expire, walk_away
from sim.engine.kernel.timers import drop_due, note_first
from sim.jit.functions import called, inlined

# Keys are put together by shifts and by OR, as in ``order_key``, since most parts of them are
# constants of a class. The class stands above the payment, so comparing a key with the base of
# a class tells the class without taking the key apart.
PAYMENT_MASK = (1 << PAYMENT_BITS) - 1
CLASS_SHIFT = PAYMENT_BITS + STEP_BITS
CALENDAR_BASE = EventClass.CALENDAR << CLASS_SHIFT
SUBMIT_BASE = EventClass.SUBMIT << CLASS_SHIFT
SAMPLE_BASE = EventClass.SAMPLE << CLASS_SHIFT
HORIZON_BASE = EventClass.HORIZON << CLASS_SHIFT
# A program is a few hundred stages at most, and what it goes back to (a requote, another route)
# is bounded too. A payment that runs a million of them without waiting goes in a circle.
STAGES_MAX = 1_000_000
_CAUSES = len(Cause)


@inlined
def run(plan: Plan, state: KernelState, budget: int) -> int:
    """Handle events until something is wanted.

    Parameters
    ----------
    plan : Plan
        Arrays of the plan.
    state : KernelState
        Arrays of the run; changed in place.
    budget : int
        Most events to handle before returning ``BUDGET_SPENT``.

    Returns
    -------
    int
        One of the constants of ``state``, from ``BUDGET_SPENT`` to ``BROKEN``.
    """
    cursor = state.cursor
    # The budget is counted in events and not in turns of the loop below: a turn may be one
    # stage of a payment, and the caller measures how long events take.
    stop = cursor[C_EVENTS] + budget
    stages = 0
    # New workload may have come since the last call.
    _find_head(plan, state)
    while True:
        # 1. Every step below writes a bounded number of rows and events; make sure they fit.
        lack = _find_lack(state)
        if lack != st.GOES_ON:
            # The caller provides it and calls again. Nothing was begun, so the next call starts
            # here as if it had never been away.
            return lack
        # 2. The payment at hand goes first, then those it set free, then the rest of the block.
        # Priorities without recursion: as in the specification an event is handled completely
        # before the next is taken, though each turn of this loop runs but a single stage. A
        # stage that sets others free only has to append them to the ready list.
        slot = cursor[C_ACTIVE]
        if slot >= 0:
            stages += 1
            if stages > STAGES_MAX:
                break_off(cursor, st.E_ENDLESS, state.pool[slot, P_ID])
            if not advance(plan, state, slot):
                cursor[C_ACTIVE] = -1
                stages = 0
            # An error is a word of the cursor and not an exception: the log up to it is handed
            # to the sink before Python raises.
            if cursor[C_ERROR] != 0:
                return st.BROKEN
            continue
        # Payments that settle at one stroke all settle before the first of them goes on.
        if cursor[C_SETTLING] >= 0:
            settle_next(plan, state)
            continue
        # A shop's calls all begin before the first of them goes on.
        if cursor[C_CALLING] > 0:
            begin_call(plan, state)
            continue
        # First in first out, so that those set free by one transfer advance in the order in
        # which they waited for the money.
        slot = state.ends[cursor[C_READY], Q_HEAD]
        if slot >= 0:
            unlink(state.pool, state.ends, slot)
            cursor[C_ACTIVE] = slot
            continue
        # Only when nobody is ready any more: the specification empties the ready list between
        # two payments of a block.
        if cursor[C_BLOCK] >= 0:
            commit_next(plan, state)
            continue
        # Last of all within an event, large-value systems whose members were credited.
        if cursor[C_MARKED] > 0:
            look(plan, state)
            if cursor[C_ERROR] != 0:
                return st.BROKEN
            continue
        # 3. Nothing is left of the last event: take the next one.
        if cursor[C_CLOSING] >= 0:
            return _close_next(plan, state)
        # A spent budget stops the run only between events: every balance is settled then, and no
        # payment half way through a stage.
        if cursor[C_EVENTS] >= stop:
            return st.BUDGET_SPENT
        # The next arrival has to be known before the earliest event is, or a later one would be
        # taken first.
        if cursor[C_ARRIVAL] == cursor[C_CHUNK] and cursor[C_WORKLOAD_DONE] == 0:
            return st.WANTS_WORKLOAD
        lack = _take_event(plan, state)
        if lack != st.GOES_ON:
            return lack
        if cursor[C_ERROR] != 0:
            return st.BROKEN


@inlined
def _find_lack(state: KernelState) -> int:
    """Return what has to be provided before the next step can be taken."""
    cursor = state.cursor
    # The most one step can schedule is one event for every payment in flight (a station that
    # opens may start them all), and a few of its own, fewer than eight.
    live = cursor[C_LIVE]
    if cursor[C_HEAP] + cursor[C_LATER] + live + 8 > state.heap.shape[0]:
        return st.WANTS_HEAP
    # They are -1 where the list of free ones is empty, and the OR of numbers is negative if one
    # of them is: one comparison for all. A step takes one of each at most.
    # An arrival and an inquiry take a slot; which event comes next is not known yet. Nor is the
    # answer to a question.
    if cursor[C_NODE] | cursor[C_TIMER] | cursor[C_FREE] | cursor[st.C_ASKS] < 0:
        if cursor[st.C_ASKS] < 0:
            return st.WANTS_FORESIGHT
        if cursor[C_FREE] < 0:
            return st.WANTS_SLOTS
        return st.WANTS_NODES if cursor[C_NODE] < 0 else st.WANTS_TIMERS
    # One test for both buffers where neither is wanted, which is when every nanosecond counts.
    if cursor[C_WANTS_LOG] | cursor[C_WANTS_RECORDS] == 0:
        return st.GOES_ON
    # A step may write one row for every live payment (START, RESERVE or IN_BLOCK), with two of a
    # guard behind it, and what it writes besides is C_MARGIN: the rows of one POST, the samples of
    # every place.
    rows = live * (1 + 2 * cursor[C_GUARDED]) + cursor[C_MARGIN]
    if cursor[C_WANTS_LOG] != 0 and (cursor[C_LOG] + rows > state.log.shape[0]):
        return st.WANTS_FLUSH
    # One row of room is enough here: a step ends one payment.
    if cursor[C_WANTS_RECORDS] != 0 and cursor[C_RECORDS] == state.record.shape[0]:
        return st.WANTS_FLUSH
    return st.GOES_ON


@inlined
def _take_event(plan: Plan, state: KernelState) -> int:
    """Handle the earliest event up to where payments advance; else say why there is none."""
    cursor = state.cursor
    heap = state.heap
    # Two candidates are compared: the head, the earliest of all that comes in order by itself and
    # needs no heap (agenda, arrivals, samples, lines of time-outs), and the top of the heap.
    time_us = cursor[C_HEAD_TIME]
    key = cursor[C_HEAD_KEY]
    is_scheduled = False
    if cursor[C_HEAP] > 0:
        first_us = heap[0, H_TIME]
        # Times are nearly always different; only ties need the keys, and then no two are equal.
        if first_us < time_us or (first_us == time_us and heap[0, H_KEY] < key):
            time_us = first_us
            key = heap[0, H_KEY]
            is_scheduled = True
    # The horizon itself is outside: an event there is neither handled nor counted. Before this
    # one may come another that was set aside.
    if time_us >= min(cursor[C_EDGE], cursor[C_HORIZON]):
        return st.WANTS_EVENTS if cursor[C_EDGE] < cursor[C_HORIZON] else st.AT_HORIZON
    payment = (key >> STEP_BITS) & PAYMENT_MASK
    # Not ``key < C_KEY`` at one instant: handling an event may schedule another for the same
    # instant with a lower key (a delay of 0), which is then simply next. Twice one key is a bug.
    if time_us < cursor[C_NOW] or (time_us == cursor[C_NOW] and key == cursor[C_KEY]):
        break_off(cursor, st.E_ORDER, payment)
    cursor[C_NOW] = time_us
    cursor[C_KEY] = key
    cursor[C_EVENTS] += 1
    if is_scheduled:
        slot = heap[0, H_SLOT]
        # Read before it is dropped: dropping the first moves another event into its row.
        place = heap[0, H_PLACE]
        drop_first(cursor, heap)
        # Whose event comes next is known; it is on its way while this one is handled. Of a crowd
        # the one after that is far away, too: one of four.
        prefetch_payment(state.pool, heap[0, H_SLOT])
        if cursor[C_EDGE] != st.NO_EDGE:
            for child in range(1, 5):
                prefetch_payment(state.pool, heap[child, H_SLOT])
        # The heap holds two classes only, COMPLETE and those EXPIRE that no line of time-outs
        # took.
        if key >= EXPIRE_BASE:
            _expire_armed(plan, state, slot, payment)
        else:
            _complete(plan, state, slot, payment, place)
        return st.GOES_ON
    # Descending by class, so that one comparison decides; arrivals are tested early, being the
    # most frequent of these.
    if key >= SAMPLE_BASE:
        sample(plan, state)
        sample_systems(plan, state)
        cursor[C_SAMPLE] += 1
    elif key >= SUBMIT_BASE:
        submit(plan, state)
    elif key >= EXPIRE_BASE:
        # The line is known from the search for the head, and its first timer is the event at
        # hand.
        slot = drop_due(cursor, state.timer, state.due, cursor[C_HEAD_LINE])
        _expire_armed(plan, state, slot, payment)
    else:
        follow_agenda(plan, state, payment)
        cursor[C_AGENDA] += 1
    # Only what came from the head can have changed which of them is first; events of the heap
    # leave it as it is, and a time-out armed meanwhile announces itself
    # (``timers.note_first``).
    _find_head(plan, state)
    return st.GOES_ON


@inlined
def _expire_armed(plan: Plan, state: KernelState, slot: int, payment: int) -> None:
    """Let a time-out fire unless it was forgotten or its payment has ended."""
    pool = state.pool
    # A slot may have been given to another payment since: hence both the id and the armed step
    # must be those the event was scheduled with. A forgotten time-out changes nothing and
    # leaves no row.
    if pool[slot, P_ID] != payment:
        return
    step = state.cursor[C_KEY] & STEP_MASK
    if pool[slot, st.P_ARMED_STEP] == step:
        expire(plan, state, slot)
    elif pool[slot, st.P_PATIENCE_STEP] == step:
        walk_away(plan, state, slot)
    elif pool[slot, st.P_ORDER_STEP] == step:
        expire_order(plan, state, slot)


@inlined
def _complete(plan: Plan, state: KernelState, slot: int, payment: int, place: int) -> None:
    """Handle the end of a service or a transit, a wake-up, a round or a commit."""
    cursor = state.cursor
    pool = state.pool
    # Three kinds of subject share the class COMPLETE. Real ids end at PAYMENTS_MAX; above them
    # stand the stations' pseudo payments, and above these the ledgers'.
    step = cursor[C_KEY] & STEP_MASK
    if payment < PAYMENTS_MAX:
        # An orphaned completion is one of a payment that timed out, failed over or ended since.
        # It finds another step, or another id in its slot.
        is_awaited = pool[slot, P_ID] == payment and pool[slot, st.P_WAIT_STEP] == step
        # An orphaned transit holds no server, so there is nothing to free and nothing to log.
        if place == 0 and not is_awaited:
            return
        # A transit has place 0, which gives station -1: none. That is why stations are counted
        # from 1 in H_PLACE.
        s = (place & STEP_MASK) - 1
        # The server is freed even if the payment has gone, and the row names the stage it was
        # served at, which the event carries: the payment may be at another one now.
        if place != 0:
            finish_service(plan, state, s, payment, place >> PLACE_BITS)
            # The answer to a request its payment gave up, or awaits by now.
            if pool[slot, P_ID] == payment and pool[slot, st.P_UNANSWERED] == step:
                pool[slot, st.P_UNANSWERED] = -1
    elif payment > STATION_PSEUDO:
        ledger = LEDGER_PSEUDO - payment
        # Rounds have even steps and commits odd ones. Where the number of rounds wraps within
        # 20 bits its parity survives, as 2^20 is even; and the parity says which block is
        # meant.
        if step & 1:
            begin_commit(state, ledger, (step >> 1) & 1)
        else:
            run_round(plan, state, ledger)
        return
    else:
        # A wake-up belongs to a station and completes no payment. Whatever slot -1 would be is
        # not looked at.
        is_awaited = False
        s = STATION_PSEUDO - payment
        state.station[s, S_WAKE_PENDING] = 0
    # Those waiting start before the payment that left advances: the specification gives the
    # freed server to the queue first, and a payment that comes back to the station joins
    # behind.
    if s >= 0:
        start_waiting(plan, state, s)
    if is_awaited and pool[slot, st.P_WAIT] == st.W_REFUND:
        pay_part(plan, state, slot)
        return
    if is_awaited:
        # Its stage cannot have changed since it began to wait for this event; it is not the stage
        # it was served at where it awaits the answer to a request it gave up.
        at = pool[slot, P_STAGE]
        account_time(cursor, pool, slot, plan.stage[at, StageColumn.CAUSE])
        pool[slot, st.P_WAIT_STEP] = -1
        pool[slot, st.P_WAIT] = st.W_NOTHING
        pool[slot, P_STAGE] = at + 1
        cursor[C_ACTIVE] = slot


@called
def _find_head(plan: Plan, state: KernelState) -> None:
    """Find the earliest of next agenda row, first time-outs, next arrival and next sample."""
    cursor = state.cursor
    # Later than every horizon, so that an empty list of candidates ends the run.
    time_us = NEVER_US
    key = 0
    # Looked at in order of class, so that the first of one instant stays.
    at = cursor[C_AGENDA]
    if at < plan.agenda.shape[0]:
        time_us = plan.agenda[at, AgendaColumn.TIME_US]
        key = CALENDAR_BASE | (at << STEP_BITS)
    at = cursor[C_ARRIVAL]
    # Strictly earlier: at one instant CALENDAR stands before SUBMIT, and SUBMIT before SAMPLE.
    if at < cursor[C_CHUNK] and state.chunk[at, WorkloadColumn.TIME_US] < time_us:
        time_us = state.chunk[at, WorkloadColumn.TIME_US]
        key = SUBMIT_BASE | (cursor[C_NEXT_PAYMENT] << STEP_BITS)
    # An interval of 0 means that nobody samples. The product cannot overflow: it passes the
    # horizon by one interval at most.
    interval = cursor[C_SAMPLE_INTERVAL]
    if interval > 0 and cursor[C_SAMPLE] * interval < time_us:
        time_us = cursor[C_SAMPLE] * interval
        key = SAMPLE_BASE | (cursor[C_SAMPLE] << STEP_BITS)
    cursor[C_HEAD_TIME] = time_us
    cursor[C_HEAD_KEY] = key
    # Time-outs come last although EXPIRE stands before SUBMIT: ``note_first`` compares keys,
    # too, and therefore needs no order.
    for line in range(state.due.shape[0]):
        first = state.due[line, Q_HEAD]
        if first >= 0:
            note_first(cursor, state.timer, line, first)


@called
def _close_next(plan: Plan, state: KernelState) -> int:
    """Write down payments the horizon finds open, then bring all totals up to it."""
    cursor = state.cursor
    order = state.order
    while cursor[C_CLOSING] < order.shape[0]:
        # The same question as in the loop: each open payment writes a row and a record, and the
        # buffers may be full in between. The run then ends in several calls.
        lack = _find_lack(state)
        if lack != st.GOES_ON:
            return lack
        slot = order[cursor[C_CLOSING]]
        # The key of the class HORIZON: these rows are written down and never were events.
        cursor[C_KEY] = HORIZON_BASE | (state.pool[slot, P_ID] << STEP_BITS)
        close_open(plan, state, slot)
        cursor[C_CLOSING] += 1
    # Areas are brought up to date lazily, whenever something changes; what has not changed
    # since still lacks the time up to the horizon.
    for s in range(state.station.shape[0]):
        settle_areas(cursor, state.station, s)
    for ledger in range(state.ledger.shape[0]):
        settle_queue_area(cursor, state.ledger, ledger)
        look_at_load(plan, state, ledger)
    for account in range(state.account.shape[0]):
        settle_account(plan, state, account)
        settle_channel(state, account)
    # The time up to the horizon may be what no longer fits.
    return st.FINISHED if cursor[C_ERROR] == 0 else st.BROKEN

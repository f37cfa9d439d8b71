"""Replay rows of an event log and check that every row was allowed: the compiled part.

Takes a :class:`~sim.audit.world.World` and rows of a log, in order; rebuilds stations,
ledgers, accounts and payments from them alone and notes what does not follow from
:mod:`sim.contract.meaning`. Written without the engines. Nothing here allocates.
"""

from __future__ import annotations

from sim.audit.accounts import expect_freed, sum_currencies
from sim.audit.containers import add, check, open_slot, slot_of
from sim.audit.doubt import await_row, in_doubt_row, known_row
from sim.audit.ends import fail_row, outcome_row
from sim.audit.events import (
    begin_event,
    end_event,
    end_samples,
    follow_event,
    skip_agenda,
    take_other,
)
from sim.audit.guards import expect_guards
from sim.audit.inquiries import (
    answered_row,
    asked_row,
    is_inquiry,
    left_open,
    order_of,
    retry_row,
    wait_row,
)
from sim.audit.large_value import leg_row, queued_row, settle_row
from sim.audit.ledgers import advance, commit
from sim.audit.loads import look_at_load
from sim.audit.messages import Check
from sim.audit.money import (
    decide_row,
    lapse_row,
    limit_row,
    posting_row,
    quote_row,
    reserve_row,
    route_row,
    short_row,
    switch_row,
)
from sim.audit.refunds import is_refunded_later, refund_due_row, refund_move, refund_row
from sim.audit.routes import limit_cell
from sim.audit.shops import find_paid, is_ordered_later, order_row
from sim.audit.state import NOBODY, Count, Pay, Things, Wait
from sim.audit.stations import finish_stations
from sim.audit.turns import begin_own
from sim.audit.waits import (
    deadline_row,
    delay_row,
    enqueue_row,
    expire_row,
    finish_row,
    gone_row,
    in_block_row,
    join_row,
    leave_row,
    miss_leave,
    patience_row,
    start_row,
)
from sim.audit.world import STREAM_RANK, World
from sim.contract.layout import AMOUNT_MAX, FEES_MAX, LIMITS_MAX, NULL, PAYMENTS_MAX, StreamColumn
from sim.contract.log_columns import UNUSED
from sim.contract.meaning import Cause, LogKind
from sim.contract.plan import Array
from sim.contract.records import REGISTER_COUNT, LogColumn
from sim.contract.shops import OrderStatus
from sim.jit.functions import called

L = LogColumn
_OF_MONEY = (
    int(LogKind.RESERVE), int(LogKind.POST), int(LogKind.TRANSFER), int(LogKind.VOID),
    int(LogKind.FEE), int(LogKind.GIVE_BACK), int(LogKind.SHORT), int(LogKind.QUOTE),
    int(LogKind.LAPSE), int(LogKind.ROUTE), int(LogKind.LIMIT), int(LogKind.DECIDE),
)  # fmt: skip
_OF_PAYMENTS_ALONE = (
    int(LogKind.OUTCOME), int(LogKind.LEG), int(LogKind.QUEUED), int(LogKind.SETTLE),
    int(LogKind.ORDERED), int(LogKind.RELEASED), int(LogKind.ORDER_EXPIRED),
)  # fmt: skip
_NAMES_STAGE = (*_OF_MONEY, *(
    int(kind) for kind in (
        LogKind.JOIN, LogKind.START, LogKind.DELAY, LogKind.ENQUEUE, LogKind.DEADLINE,
        LogKind.FAIL, LogKind.OUTCOME, LogKind.IN_DOUBT, LogKind.AWAIT, LogKind.KNOWN,
        LogKind.SWITCH, LogKind.LEG, LogKind.QUEUED, LogKind.SETTLE, LogKind.REFUND_DUE,
        LogKind.REFUND,
        LogKind.ASKED, LogKind.ANSWERED, LogKind.RETRY, LogKind.PATIENCE, LogKind.GONE,
        LogKind.ORDERED, LogKind.THROTTLED, LogKind.RELEASED, LogKind.ORDER_EXPIRED,
    )
))  # fmt: skip
_NAMES_STATION = tuple(
    int(kind)
    for kind in (
        LogKind.JOIN, LogKind.START, LogKind.OPEN, LogKind.CLOSE, LogKind.SAMPLE_STATION,
        LogKind.IN_DOUBT, LogKind.STATION_PACE, LogKind.STATION_RATE, LogKind.STATION_SERVERS,
    )
)  # fmt: skip
_NAMES_LEDGER = tuple(
    int(kind)
    for kind in (
        LogKind.ENQUEUE, LogKind.IN_BLOCK, LogKind.COMMIT, LogKind.LEADER_FAILED,
        LogKind.SAMPLE_LEDGER, LogKind.LEDGER_BLOCK, LogKind.LOAD, LogKind.SAMPLE_LOAD,
    )
)  # fmt: skip
_NAMES_ACCOUNTS = tuple(
    int(kind)
    for kind in (
        LogKind.RESERVE,
        LogKind.POST,
        LogKind.TRANSFER,
        LogKind.VOID,
        LogKind.MOVED,
        LogKind.LEG,
    )
)
_CAUSES = len(Cause)
_UNUSED = tuple(
    sum(1 << int(column) for column in UNUSED.get(LogKind(kind), ())) if kind in set(LogKind) else 0
    for kind in range(max(LogKind) + 1)
)
"""By number of kind, a bit for every column it does not use."""
_OF_SYSTEM = 3
"""Value of the LEAVE row of a payment that leaves a large-value system."""


@called
def replay(w: World, rows: Array) -> None:
    """Replay rows of a log; stop for good at a row that names what does not exist."""
    g = w.g
    for at in range(len(rows)):
        # A row that names what is not there would be looked up beyond an array. Everything
        # after it would be wrong for that reason alone.
        if g[Count.UNREADABLE] != 0:
            return
        time_us, key, kind = rows[at, L.TIME_US], rows[at, L.KEY], rows[at, L.KIND]
        payment, subject = rows[at, L.PAYMENT], rows[at, L.SUBJECT]
        g[Count.ROW] += 1
        # Before the row is taken: it may be the one that is due.
        if g[Count.LOOK_FIRST] != NOBODY or g[Count.LOOK_SECOND] != NOBODY:
            expect_guards(w, kind, subject)
        # Those set free stand behind what follows from the level.
        if g[Count.REFILLED] != NOBODY and kind not in (LogKind.ALARM, LogKind.CHANNEL):
            expect_freed(w, kind, payment, subject)
        # Rows of one event have one time and one key; two events never have both alike.
        if time_us != g[Count.NOW] or key != g[Count.KEY]:
            end_event(w)
            begin_event(w, time_us, key, kind, payment)
            # Nothing of the horizon's own instant happens: rounds due then never start.
            advance(w, time_us, key if time_us < g[Count.HORIZON_US] else 0)
        else:
            follow_event(w, kind)
        # A LEAVE or IN_DOUBT row follows its EXPIRE at once.
        if g[Count.LEAVING] != NOBODY and kind not in (LogKind.LEAVE, LogKind.IN_DOUBT):
            miss_leave(w)
        _take(w, rows, at)


@called
def _check_unused(w: World, rows: Array, at: int) -> None:
    """Check that a row says nothing where its kind has nothing to say."""
    kind = rows[at, L.KIND]
    unused = _UNUSED[kind] if 0 <= kind < len(_UNUSED) else 0
    for column in range(L.PAYMENT, L.VALUE + 1):
        if (unused >> column) & 1 == 1:
            check(w.g, Check.UNUSED, rows[at, column] == -1, (kind, rows[at, column]))


@called
def _take(w: World, rows: Array, at: int) -> None:
    """Hand a row to whoever checks it."""
    kind, payment, stage = rows[at, L.KIND], rows[at, L.PAYMENT], rows[at, L.STAGE]
    subject, amount, value = rows[at, L.SUBJECT], rows[at, L.AMOUNT], rows[at, L.VALUE]
    _check_unused(w, rows, at)
    if not _is_readable(w, rows, at):
        w.g[Count.UNREADABLE] = 1
        add(w.g, Check.NO_SUCH, (kind, payment, stage, subject, amount, value))
    elif kind == LogKind.SUBMIT:
        _submit(w, payment, stage, subject, amount, value)
    elif kind == LogKind.FINISH:
        finish_row(w, slot_of(w, payment), payment, stage, subject)
    elif kind == LogKind.COMMIT:
        commit(w, subject, amount, value)
    elif kind == LogKind.ASKED:
        asked_row(w, (payment, stage, subject, amount, value))
    elif kind == LogKind.MOVED and payment >= 0:
        p = slot_of(w, payment)
        if check(w.g, Check.NOT_OPEN, p != NOBODY, (payment,)):
            refund_move(w, p, subject, amount, value)
    elif _is_of_payment(kind):
        p = slot_of(w, payment)
        if check(w.g, Check.NOT_OPEN, p != NOBODY, (payment,)):
            # A payer is known from the row only, so its cell is checked here and not with the
            # names.
            if (kind == LogKind.GIVE_BACK and limit_cell(w, p, subject, value) == NOBODY) or (
                kind == LogKind.LIMIT and limit_cell(w, p, subject, value) == NOBODY
            ):
                w.g[Count.UNREADABLE] = 1
            # Whoever only asks never moves money, and ends by an answer.
            elif is_inquiry(payment) and (kind in _OF_MONEY or kind in _OF_PAYMENTS_ALONE):
                add(w.g, Check.ASKING_MOVES, (payment, kind))
            elif kind in _OF_MONEY:
                _take_money(w, p, rows, at)
            else:
                _take_wait(w, p, rows, at)
            if w.g[Count.UNREADABLE] != 0:
                add(w.g, Check.NO_SUCH, (kind, payment, stage, subject, amount, value))
    else:
        take_other(w, kind, subject, amount, value)


@called
def _is_of_payment(kind: int) -> bool:
    """Say whether rows of a kind tell of a payment."""
    if LogKind.IN_DOUBT <= kind <= LogKind.KNOWN:
        return True
    refunds = (LogKind.REFUND_DUE, LogKind.REFUND)
    again = (LogKind.ANSWERED, LogKind.RETRY, LogKind.PATIENCE, LogKind.GONE)
    if LogKind.ORDERED <= kind <= LogKind.ORDER_EXPIRED:
        return True
    if LogKind.SWITCH <= kind <= LogKind.SETTLE or kind in refunds or kind in again:
        return True
    return bool(LogKind.SUBMIT <= kind <= LogKind.OUTCOME and kind != LogKind.LEADER_FAILED)


@called
def _take_money(w: World, p: int, rows: Array, at: int) -> None:
    """Hand a row about money, prices or routes to whoever checks it."""
    kind, stage = rows[at, L.KIND], rows[at, L.STAGE]
    subject, amount, value = rows[at, L.SUBJECT], rows[at, L.AMOUNT], rows[at, L.VALUE]
    if kind == LogKind.RESERVE:
        reserve_row(w, p, stage, subject, amount, value)
    elif kind == LogKind.SHORT:
        short_row(w, p, stage, subject, amount)
    elif kind == LogKind.QUOTE:
        quote_row(w, p, stage, subject, amount, value)
    elif kind == LogKind.LAPSE:
        lapse_row(w, p, stage)
    elif kind == LogKind.ROUTE:
        route_row(w, p, stage, subject, amount, value)
    elif kind == LogKind.LIMIT:
        limit_row(w, p, stage, subject, amount, value)
    elif kind == LogKind.DECIDE:
        decide_row(w, p, stage, subject)
    else:
        posting_row(w, p, kind, stage, subject, amount, value)


@called
def _take_wait(w: World, p: int, rows: Array, at: int) -> None:
    """Hand a row about waiting, failing or ending to whoever checks it."""
    kind, stage = rows[at, L.KIND], rows[at, L.STAGE]
    subject, amount, value = rows[at, L.SUBJECT], rows[at, L.AMOUNT], rows[at, L.VALUE]
    if kind == LogKind.JOIN:
        join_row(w, p, stage, subject)
    elif kind == LogKind.START:
        start_row(w, p, stage, subject, amount)
    elif kind == LogKind.LEAVE:
        leave_row(w, p, stage, subject, value)
    elif kind == LogKind.DELAY:
        delay_row(w, p, stage, subject, amount)
    elif kind == LogKind.ENQUEUE:
        enqueue_row(w, p, stage, subject)
    elif kind == LogKind.IN_BLOCK:
        in_block_row(w, p, subject, value)
    elif kind == LogKind.DEADLINE:
        deadline_row(w, p, stage, amount)
    elif kind == LogKind.EXPIRE:
        expire_row(w, p, subject)
    elif kind == LogKind.PATIENCE:
        patience_row(w, p, stage, amount)
    elif kind == LogKind.GONE:
        gone_row(w, p, stage, subject)
    elif kind == LogKind.FAIL:
        fail_row(w, p, stage, subject)
    elif kind == LogKind.IN_DOUBT:
        in_doubt_row(w, p, stage, subject)
    elif kind == LogKind.SWITCH:
        switch_row(w, p, stage, subject)
    elif kind == LogKind.LEG:
        leg_row(w, p, stage, subject, amount, value)
    elif kind == LogKind.QUEUED:
        queued_row(w, p, stage, subject, amount, value)
    elif kind == LogKind.SETTLE:
        settle_row(w, p, stage, subject, amount, value)
    elif kind == LogKind.RETRY:
        retry_row(w, p, stage, amount)
    elif kind == LogKind.ANSWERED:
        number, order = w.pay[p, Pay.NUMBER], order_of(w, p)
        answered_row(w, p, stage, subject, amount)
        if amount == 1:
            find_paid(w, stage, number, order)
    elif kind == LogKind.AWAIT and is_inquiry(w.pay[p, Pay.NUMBER]):
        wait_row(w, p, stage)
    elif kind == LogKind.AWAIT:
        await_row(w, p, stage, amount)
    elif kind == LogKind.KNOWN:
        known_row(w, p, stage, amount)
    elif LogKind.ORDERED <= kind <= LogKind.ORDER_EXPIRED:
        order_row(w, p, kind, stage, (subject, amount, value))
    elif kind == LogKind.REFUND_DUE:
        refund_due_row(w, p, stage, subject, amount, value)
    elif kind == LogKind.REFUND:
        refund_row(w, p, stage, subject, amount, value)
    else:
        outcome_row(w, p, stage, subject, amount, value)


@called
def _submit(w: World, payment: int, stage: int, stream: int, amount: int, ordinal: int) -> None:
    g, row = w.g, w.first[Things.STREAM] + stream
    entry = w.things[row, StreamColumn.ENTRY]
    check(g, Check.SUBMIT_TURN, payment == g[Count.NEXT_PAYMENT], (payment,))
    check(g, Check.SUBMIT_STAGE, stage == entry, (payment, stage))
    # Whatever slot: the number is looked up in a table of hashes, ids being of no bound.
    p = open_slot(w, payment)
    w.pay[p, Pay.NUMBER], w.pay[p, Pay.STREAM] = payment, stream
    w.pay[p, Pay.ORDINAL], w.pay[p, Pay.PC] = ordinal, entry
    w.pay[p, Pay.SUBMITTED_US], w.pay[p, Pay.ACCOUNTED_US] = g[Count.NOW], g[Count.NOW]
    w.pay[p, Pay.RANK] = w.things[row, STREAM_RANK]
    w.pay[p, Pay.WAIT] = Wait.NOTHING
    w.pay[p, Pay.BEGUN] = 0
    # Where nobody carries anything there is nothing not to know.
    w.pay[p, Pay.INSTRUMENT] = -2 if g[Count.INSTRUMENTS] > 0 else 0
    # What -1 and NULL mean is as in the specification: none, and never happened.
    for column in (Pay.LEGS, Pay.IN_SET, Pay.RETURNED, Pay.UNHEARD):
        w.pay[p, column] = 0
    for column in (
        Pay.DEADLINE_US, Pay.ROUTE, Pay.PRICING, Pay.AGENT_0, Pay.UNANSWERED, Pay.INQUIRY,
        Pay.PATIENCE_US,
    ):  # fmt: skip
        w.pay[p, column] = -1
    w.pay[p, Pay.AGENT_0 + 1] = -1
    for column in (
        Pay.EXPIRY_US, Pay.SETTLED_US, Pay.CREDITED_US, Pay.QUOTED_US, Pay.DOUBT_SINCE_US,
        Pay.GONE_US, Pay.DOUBTED_US, Pay.KNOWN_US,
    ):  # fmt: skip
        w.pay[p, column] = NULL
    w.pay[p, Pay.ORDER] = OrderStatus.NONE
    for register in range(REGISTER_COUNT):
        w.pay[p, Pay.REGISTER_0 + register] = NULL
    for fee in range(FEES_MAX):
        w.pay[p, Pay.FEE_0 + fee] = NULL
    for slot in range(LIMITS_MAX):
        w.pay[p, Pay.LIMIT_0 + 4 * slot] = NOBODY
    w.pay[p, Pay.REGISTER_0] = amount
    # A number out of turn is reported once and not for all that follow.
    g[Count.NEXT_PAYMENT] = max(g[Count.NEXT_PAYMENT], payment + 1)
    begin_own(w, p)


@called
def _is_readable(w: World, rows: Array, at: int) -> bool:
    """Say whether everything a row names exists."""
    kind, payment, stage = rows[at, L.KIND], rows[at, L.PAYMENT], rows[at, L.STAGE]
    subject, amount, value = rows[at, L.SUBJECT], rows[at, L.AMOUNT], rows[at, L.VALUE]
    # Ids above are pseudo payments, of which no row speaks.
    if payment < -1 or payment >= PAYMENTS_MAX:
        return False
    if kind in _NAMES_STAGE and not _exists(w, Things.STAGE, stage):
        return False
    if kind in _NAMES_STATION:
        return _exists(w, Things.STATION, subject)
    if kind in _NAMES_LEDGER:
        return _exists(w, Things.LEDGER, subject)
    if kind in _NAMES_ACCOUNTS:
        return _exists(w, Things.ACCOUNT, subject) and _exists(w, Things.ACCOUNT, value)
    if kind == LogKind.SUBMIT:
        is_amount = 0 <= amount < AMOUNT_MAX
        return payment >= 0 and is_amount and _exists(w, Things.STREAM, subject)
    if LogKind.ORDERED <= kind <= LogKind.SHOP_ASKS:
        return _exists(w, Things.SHOP, subject)
    if kind == LogKind.ASKED:
        return bool(payment >= 0 and subject >= 0 and value >= -1)
    if kind == LogKind.SWITCH:
        return bool(0 < subject <= w.g[Count.INSTRUMENTS])
    if kind in (
        LogKind.SETTLE,
        LogKind.OFFSET,
        LogKind.SYSTEM_OFFSET,
        LogKind.SYSTEM_CLOSE,
        LogKind.SAMPLE_SYSTEM,
    ):
        return _exists(w, Things.SYSTEM, subject)
    if kind == LogKind.LEAVE and value == _OF_SYSTEM:
        return _exists(w, Things.STAGE, stage) and _exists(w, Things.SYSTEM, subject)
    if kind in (
        LogKind.SHORT,
        LogKind.SAMPLE_ACCOUNT,
        LogKind.QUEUED,
        LogKind.ALARM,
        LogKind.CHANNEL,
        LogKind.SAMPLE_MEMBER,
    ):
        return _exists(w, Things.ACCOUNT, subject)
    if kind == LogKind.DEPOSIT:
        return _exists(w, Things.ACCOUNT, value)
    if kind in (LogKind.FILE_CUT, LogKind.FILE_CONVERTED, LogKind.FILE_SETTLED):
        return _exists(w, Things.FILE, subject)
    if kind in (LogKind.TOP_UP_ORDERED, LogKind.TOP_UP_ARRIVED):
        return _exists(w, Things.ORDER, subject)
    if kind == LogKind.ROUTE:
        return _exists(w, Things.ROUTE, subject)
    if kind == LogKind.FEE:
        return _exists(w, Things.FEE, subject)
    if kind in (LogKind.LIMIT, LogKind.GIVE_BACK):
        return _exists(w, Things.LIMIT, subject)
    return bool(kind != LogKind.DELAY or 0 <= subject < _CAUSES)


@called
def _exists(w: World, table: int, number: int) -> bool:
    return bool(0 <= number < w.size[table])


@called
def finish(w: World) -> None:
    """Check what must hold at the end of a run."""
    horizon_us = w.g[Count.HORIZON_US]
    # The last row and the last event have no following row that would end them.
    expect_guards(w, -1, NOBODY)
    end_event(w)
    miss_leave(w)
    # Rounds before the horizon that left no row still count, and must have been idle.
    advance(w, horizon_us, 0)
    for ledger in range(w.size[Things.LEDGER]):
        look_at_load(w, ledger, horizon_us)
    finish_stations(w, horizon_us)
    sum_currencies(w)
    skip_agenda(w, w.size[Things.AGENDA])
    end_samples(w)
    # Everybody open has a row of class HORIZON, which closes its slot.
    for at in range(len(w.slot)):
        if is_inquiry(w.slot[at, 0]):
            left_open(w, w.slot[at, 1])
        elif w.slot[at, 0] != NOBODY and is_ordered_later(w, w.slot[at, 1]):
            continue
        elif w.slot[at, 0] != NOBODY and not is_refunded_later(w, w.slot[at, 1]):
            check(w.g, Check.NO_OUTCOME, False, (w.slot[at, 0],))

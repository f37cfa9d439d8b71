"""Check every row by which something is asked about a payment, answered, or tried again.

Takes rebuilt payments and inquiries, which stand in slots alike, and the columns of a row; follows
from the rows alone which inquiries a payment has and what they may be told.
"""

from __future__ import annotations

from sim.audit.containers import add, check, close_slot, open_slot, slot_of
from sim.audit.messages import Check
from sim.audit.money import begin_anew
from sim.audit.program import account_time, chain_goes_on, jump, leave_stage, may_try_again
from sim.audit.routes import forget_tried
from sim.audit.state import NEXT, NOBODY, SAME, Count, Pay, Things, Wait
from sim.audit.turns import act_at, make_ready
from sim.audit.visits import end_visit
from sim.audit.world import World
from sim.contract.inquiries import INQUIRY_FIRST
from sim.contract.layout import NULL, PAYMENT_BITS, PAYMENTS_MAX, STEP_BITS
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import EventClass, Op, Outcome
from sim.contract.shops import OrderStatus, ShopColumn
from sim.jit.functions import called

_ANSWERED, _UNASKED = 1, -1


@called
def asked_row(w: World, rows: tuple[int, int, int, int, int]) -> None:
    """Check an ASKED row and let the inquiry act once it is its turn.

    Columns are the inquiry, its stage, its payment, its number there, and the one before it.
    """
    g = w.g
    number, stage, payment, times, before = rows
    check(g, Check.ASKS_TURN, number == INQUIRY_FIRST + g[Count.NEXT_INQUIRY], (number,))
    # A second one of its number would stand in two lists at once, which ends in a circle.
    if not is_inquiry(number) or slot_of(w, number) != NOBODY:
        return
    p, op = slot_of(w, payment), w.things[stage, S.OP]
    actor = p if before == NOBODY else slot_of(w, before)
    # Beside a payment that is not open nothing begins, and nobody begins an inquiry but a payment
    # or an inquiry about it.
    known = p != NOBODY and payment < INQUIRY_FIRST and actor != NOBODY
    known = known and (before == NOBODY or w.pay[actor, Pay.ASKS] == payment)
    if not check(g, Check.ASKS, known, (number, payment)):
        return
    place = 1
    from_calls = op == Op.ORDER and before == NOBODY and _is_called(g[Count.KEY])
    if from_calls:
        right = call_begins(w, p, number)
    elif before != NOBODY:
        act_at(w, actor, stage, Op.POLL if op == Op.POLL else Op.ASK)
        place = w.pay[actor, Pay.PLACE]
        place += 1 if place > 0 else -1
        right = chain_goes_on(w, actor) and abs(place) <= w.things[stage, S.VALUE]
    elif op == Op.AWAIT:
        place = NOBODY
        right = g[Count.POLL_DUE] == p and w.pay[p, Pay.PC] == stage
        g[Count.POLL_DUE] = NOBODY
    elif op == Op.ORDER:
        # Once, behind its own ORDERED row.
        act_at(w, actor, stage, Op.ORDER)
        right = w.pay[p, Pay.ORDER] == OrderStatus.OPEN and w.pay[p, Pay.INQUIRED] == 0
    else:
        act_at(w, actor, stage, Op.INQUIRE)
        right = True
    entry = w.things[stage, S.SUBJECT]
    right = right and entry >= 0 and times == w.pay[p, Pay.INQUIRED] + 1
    check(g, Check.ASKS, right, (number, payment))
    if op == Op.POLL:
        # The token is looked at behind this row.
        w.pay[actor, Pay.HAS_BEGUN] = 1
    elif op != Op.AWAIT and not from_calls:
        leave_stage(w, actor)
    if entry >= 0:
        _begin(w, p, (number, entry, place))
        own = slot_of(w, number)
        w.pay[own, Pay.OF_ORDER] = 1 if op in (Op.ORDER, Op.POLL) else 0


@called
def _begin(w: World, p: int, asked: tuple[int, int, int]) -> None:
    number, entry, place = asked
    payment = w.pay[p, Pay.NUMBER]
    own, now = open_slot(w, number), w.g[Count.NOW]
    w.g[Count.NEXT_INQUIRY] = max(w.g[Count.NEXT_INQUIRY], number - INQUIRY_FIRST + 1)
    w.pay[p, Pay.INQUIRED] += 1
    for same in (Pay.STREAM, Pay.ORDINAL, Pay.RANK, Pay.AGENT_0):
        w.pay[own, same] = w.pay[p, same]
    w.pay[own, Pay.AGENT_0 + 1] = w.pay[p, Pay.AGENT_0 + 1]
    for column in range(Pay.SETS, w.pay.shape[1]):
        w.pay[own, column] = w.pay[p, column]
    w.pay[own, Pay.NUMBER], w.pay[own, Pay.PC] = number, entry
    w.pay[own, Pay.SUBMITTED_US], w.pay[own, Pay.ACCOUNTED_US] = now, now
    for column in (
        Pay.DEADLINE_US,
        Pay.PATIENCE_US,
        Pay.ROUTE,
        Pay.PRICING,
        Pay.UNANSWERED,
        Pay.INQUIRY,
    ):
        w.pay[own, column] = NOBODY
    w.pay[own, Pay.ORDER] = OrderStatus.NONE
    w.pay[own, Pay.DOUBT_SINCE_US], w.pay[own, Pay.TOLD] = NULL, NULL
    w.pay[own, Pay.ASKS], w.pay[own, Pay.PLACE] = payment, place
    w.pay[own, Pay.BEGUN] = w.pay[p, Pay.ATTEMPTS]
    # The newest first; who is told first is decided by number.
    w.pay[own, Pay.SIBLING], w.pay[own, Pay.SIBLING_BEFORE] = w.pay[p, Pay.INQUIRY], NOBODY
    if w.pay[p, Pay.INQUIRY] != NOBODY:
        w.pay[w.pay[p, Pay.INQUIRY], Pay.SIBLING_BEFORE] = own
    w.pay[p, Pay.INQUIRY] = own
    make_ready(w, own)


@called
def wait_row(w: World, own: int, stage: int) -> None:
    """Check that an inquiry waits for its payment's end: it asks for the same answer."""
    act_at(w, own, stage, Op.ANSWER)
    waits = (w.things[stage, S.FLAGS] & SAME) != 0 and w.pay[own, Pay.TOLD] == NULL
    check(w.g, Check.ANSWERS, waits, (w.pay[own, Pay.NUMBER], NOBODY))
    w.pay[own, Pay.WAIT] = Wait.OUTCOME


@called
def answered_row(w: World, own: int, stage: int, told: int, answered: int) -> None:
    """Check an ANSWERED row, let a payment know that waits for it, and forget the inquiry."""
    g, number = w.g, w.pay[own, Pay.NUMBER]
    known, payment = w.pay[own, Pay.TOLD], w.pay[own, Pay.ASKS]
    p = NOBODY if known != NULL else slot_of(w, payment)
    if w.pay[own, Pay.WAIT] == Wait.OUTCOME:
        # Told behind the outcome and in order, and not before.
        right = g[Count.TELLING] == own and answered == _ANSWERED and w.pay[own, Pay.PC] == stage
        g[Count.TELLING] = next_to_tell(w, w.pay[own, Pay.NEXT_TOLD])
    elif answered == _UNASKED:
        asks = Op.POLL + 0 if w.pay[own, Pay.OF_ORDER] == 1 else Op.ASK + 0
        right = act_at(w, own, stage, asks) and not chain_goes_on(w, own)
    else:
        right = act_at(w, own, stage, Op.ANSWER) and answered == w.things[stage, S.VALUE]
        # While it is open only its end can be told for certain.
        right = right and ((w.things[stage, S.FLAGS] & SAME) == 0 or known != NULL)
    due = Outcome.IN_PROGRESS + 0 if known == NULL else known
    check(g, Check.ANSWERS, right and told == due, (number, told))
    _unlink(w, p, own)
    close_slot(w, own)
    if g[Count.CURRENT] == own:
        g[Count.CURRENT] = NOBODY
    if p != NOBODY and answered == _ANSWERED and _waits_to_hear(w, p):
        end_visit(w, p, g[Count.NOW])
        account_time(w, p, w.pay[p, Pay.CAUSE])
        w.pay[p, Pay.WAIT] = Wait.NOTHING
        jump(w, p, w.pay[p, Pay.PC] + 1)
        make_ready(w, p)


@called
def _waits_to_hear(w: World, p: int) -> bool:
    polled = w.things[w.pay[p, Pay.PC], S.SUBJECT] >= 0
    return bool(w.pay[p, Pay.WAIT] == Wait.ANSWER and polled and w.pay[p, Pay.UNANSWERED] < 0)


@called
def tell(w: World, p: int, outcome: int) -> None:
    """Note for every inquiry about a payment how it ended, and who is to be answered now."""
    own, oldest, kept = w.pay[p, Pay.INQUIRY], NOBODY, NOBODY
    asks_on = w.pay[p, Pay.ORDER] == OrderStatus.OPEN
    w.pay[p, Pay.INQUIRY] = NOBODY
    # From the newest to the oldest, so that each knows who is told after it.
    while own != NOBODY:
        older = w.pay[own, Pay.SIBLING]
        # A shop asks on while its order is open.
        if asks_on and w.pay[own, Pay.OF_ORDER] == 1:
            w.pay[own, Pay.SIBLING_BEFORE], w.pay[own, Pay.SIBLING] = kept, NOBODY
            if kept == NOBODY:
                w.pay[p, Pay.INQUIRY] = own
            else:
                w.pay[kept, Pay.SIBLING] = own
            kept = own
        else:
            w.pay[own, Pay.TOLD], w.pay[own, Pay.NEXT_TOLD] = outcome, oldest
            oldest = own
        own = older
    w.g[Count.TELLING] = next_to_tell(w, oldest)


@called
def next_to_tell(w: World, own: int) -> int:
    """Return the first of those told from here on that waits to be told."""
    while own != NOBODY and w.pay[own, Pay.WAIT] != Wait.OUTCOME:
        own = w.pay[own, Pay.NEXT_TOLD]
    return int(own)


@called
def end_telling(w: World) -> None:
    """Check at the end of an event that everybody was told, and every poll begun."""
    g = w.g
    if g[Count.TELLING] != NOBODY:
        add(g, Check.TOLD_LATE, (w.pay[g[Count.TELLING], Pay.NUMBER],))
        g[Count.TELLING] = NOBODY
    if g[Count.POLL_DUE] != NOBODY:
        add(g, Check.POLLS, (w.pay[g[Count.POLL_DUE], Pay.NUMBER],))
        g[Count.POLL_DUE] = NOBODY


@called
def left_open(w: World, own: int) -> None:
    """Check an inquiry the horizon leaves open."""
    wait, number = w.pay[own, Pay.WAIT], w.pay[own, Pay.NUMBER]
    check(w.g, Check.IDLE_AT_END, wait != Wait.NOTHING, (number,))
    arrives = wait != Wait.DELAY or w.pay[own, Pay.DUE_US] >= w.g[Count.HORIZON_US]
    check(w.g, Check.NEVER_ARRIVED, arrives, (number,))
    check(w.g, Check.TOLD_LATE, wait != Wait.OUTCOME or w.pay[own, Pay.TOLD] == NULL, (number,))


@called
def _is_called(key: int) -> bool:
    """Say whether an event is one of the agenda, by which shops ask about many orders."""
    return bool(key >> (PAYMENT_BITS + STEP_BITS) == EventClass.CALENDAR)


@called
def call_begins(w: World, p: int, number: int) -> bool:
    """Let an inquiry about many orders begin, and say whether it is this one's turn."""
    g = w.g
    one = g[Count.CALL_NEXT]
    if one == NOBODY or one != p:
        return False
    shop = w.first[Things.SHOP] + w.things[w.pay[p, Pay.ORDER_STAGE], S.FIRST]
    room = w.things[shop, ShopColumn.PER_CALL]
    while one != NOBODY and room > 0:
        w.pay[one, Pay.CALL] = number
        one = w.pay[one, Pay.ORDER_NEXT]
        room -= 1
    g[Count.CALL_NEXT] = one
    return True


@called
def order_of(w: World, own: int) -> int:
    """Return the slot of the order an inquiry asks about, -1 where it asks about none."""
    if w.pay[own, Pay.OF_ORDER] == 0 or w.pay[own, Pay.TOLD] != NULL:
        return NOBODY
    return int(slot_of(w, w.pay[own, Pay.ASKS]))


@called
def is_inquiry(number: int) -> bool:
    """Say whether a number is of an inquiry and not of a payment."""
    return INQUIRY_FIRST <= number < PAYMENTS_MAX


@called
def _unlink(w: World, p: int, own: int) -> None:
    before, after = w.pay[own, Pay.SIBLING_BEFORE], w.pay[own, Pay.SIBLING]
    # Of a payment that has ended the list means nothing any more.
    if p == NOBODY:
        return
    if before == NOBODY:
        w.pay[p, Pay.INQUIRY] = after
    else:
        w.pay[before, Pay.SIBLING] = after
    if after != NOBODY:
        w.pay[after, Pay.SIBLING_BEFORE] = before


@called
def retry_row(w: World, p: int, stage: int, times: int) -> None:
    """Check a RETRY row: the reason may pass, and there is one more try."""
    act_at(w, p, stage, Op.RETRY)
    is_resent = (w.things[stage, S.FLAGS] & NEXT) != 0
    column = Pay.RESENT if is_resent else Pay.RETRIES
    right = may_try_again(w, p, stage) and times == w.pay[p, column] + 1
    check(w.g, Check.TRIES_AGAIN, right, (w.pay[p, Pay.NUMBER], times))
    w.pay[p, column] += 1
    if is_resent:
        w.pay[p, Pay.REASON] = 0
    else:
        # Any route is open again.
        w.pay[p, Pay.BEGUN] = w.pay[p, Pay.ATTEMPTS]
        forget_tried(w, p)
        begin_anew(w, p)
    jump(w, p, w.things[stage, S.TARGET])

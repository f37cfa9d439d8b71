"""Check every row by which a payment moves money, is priced, routed or limited.

Takes rebuilt payments and the columns of a row; books what they say and reports amounts, accounts,
prices and choices that do not follow from the plan.
"""

from __future__ import annotations

from sim.audit.accounts import has_queue, hold_back, move, post, release, void, wait_for
from sim.audit.containers import check, held_of, hold, release_held
from sim.audit.habits import may_be_alike, may_hit
from sim.audit.health import attempt_begins
from sim.audit.messages import Check
from sim.audit.pools import Held
from sim.audit.prices import fee_slot, price
from sim.audit.program import (
    account_time,
    amount_of,
    begin_stage,
    has_accounts,
    has_due,
    jump,
    leave_stage,
)
from sim.audit.routes import check_route, forget_tried, give_back, is_account, mark_tried, use_limit
from sim.audit.state import NEXT, NOBODY, QUEUE, Count, Pay, Things, Wait
from sim.audit.turns import act, act_at, check_in_time, check_op, make_ready
from sim.audit.visits import begin_visit, end_visit
from sim.audit.world import World
from sim.contract.layout import NEVER_US, NULL, FeeColumn, RouteColumn, TransferColumn
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import Bearer, Cause, LogKind, Op
from sim.contract.records import Register
from sim.jit.functions import called


@called
def reserve_row(w: World, p: int, stage: int, debit: int, amount: int, credit: int) -> None:
    """Check a RESERVE row, of the payment acting or of one set free, and hold the money."""
    g, number = w.g, w.pay[p, Pay.NUMBER]
    # Two kinds of RESERVE rows: of a payment set free, which acts later, and of one that acts
    # now.
    if w.pay[p, Pay.WAIT] == Wait.LIQUIDITY:
        right = debit == w.pay[p, Pay.WAIT_SUBJECT] and amount == w.pay[p, Pay.WAIT_AMOUNT]
        right = right and stage == w.pay[p, Pay.PC]
        check(g, Check.GIVEN, right, (number,))
        if w.pay[p, Pay.DEADLINE_US] >= 0:
            check_in_time(w, p)
        # Taken out of the queue before the next row is looked at, which may be the next one's.
        release(w, debit, p)
        end_visit(w, p, g[Count.NOW])
        account_time(w, p, Cause.LIQUIDITY)
        w.pay[p, Pay.WAIT] = Wait.NOTHING
        make_ready(w, p)
    else:
        act_at(w, p, stage, Op.RESERVE)
        # With others waiting nobody reserves at once.
        check(g, Check.RESERVES_PAST, not has_queue(w, debit), (number, debit))
    if w.things[stage, S.OP] != Op.RESERVE:
        return
    transfer = w.things[stage, S.FIRST]
    row = w.first[Things.TRANSFER] + transfer
    due_debit = w.things[row, TransferColumn.DEBIT]
    _check_accounts(w, p, due_debit, w.things[row, TransferColumn.CREDIT], debit, credit)
    # The stage's amount, and not reserved already.
    right = amount == amount_of(w, p, transfer) and held_of(w, p, transfer) == NOBODY
    check(g, Check.RESERVES, right, (number, amount))
    hold_back(w, debit, credit, amount)
    # Booked as the row says even where it is wrong, so that later rows are judged by what
    # happened.
    node = hold(w, p, transfer)
    w.held[node, Held.DEBIT], w.held[node, Held.CREDIT] = debit, credit
    w.held[node, Held.AMOUNT] = amount
    jump(w, p, stage + 1)


@called
def short_row(w: World, p: int, stage: int, account: int, amount: int) -> None:
    """Check a SHORT row and let the payment wait for liquidity."""
    if act_at(w, p, stage, Op.RESERVE):
        transfer = w.things[stage, S.FIRST]
        debit = w.things[w.first[Things.TRANSFER] + transfer, TransferColumn.DEBIT]
        # The stage's account, one that may be waited for, and the stage's amount.
        right = is_account(w, p, debit, account) and (w.things[stage, S.FLAGS] & QUEUE) != 0
        right = right and amount == amount_of(w, p, transfer)
        check(w.g, Check.WAITS_FOR, right, (w.pay[p, Pay.NUMBER], amount))
    wait_for(w, account, p, amount)
    w.pay[p, Pay.WAIT] = Wait.LIQUIDITY
    w.pay[p, Pay.WAIT_SUBJECT] = account
    w.pay[p, Pay.WAIT_AMOUNT] = amount
    begin_visit(w, p)


@called
def posting_row(
    w: World, p: int, kind: int, stage: int, subject: int, amount: int, value: int
) -> None:
    """Check one row of a stage that writes several, and book it."""
    act(w, p, stage)
    g, number, op = w.g, w.pay[p, Pay.NUMBER], w.things[stage, S.OP]
    # These four write several rows; which one is due next is kept in CURSOR.
    posts = op in (Op.POST, Op.BATCH, Op.VOID, Op.CHARGE)
    check_op(w, stage, posts)
    # Nothing is undone before it is known what there is to undo.
    knows = op != Op.VOID or w.pay[p, Pay.DOUBT_SINCE_US] == NULL
    check(g, Check.UNDONE_IN_DOUBT, knows, (number,))
    if w.pay[p, Pay.HAS_BEGUN] == 0:
        begin_stage(w, p)
    # More rows than the stage asks for.
    if not check(g, Check.POSTS_UNASKED, has_due(w, p), (number,)):
        return
    due_kind, due_amount, transfer = g[Count.DUE_KIND], g[Count.DUE_AMOUNT], g[Count.DUE_TRANSFER]
    due_subject, due_value = g[Count.DUE_SUBJECT], g[Count.DUE_VALUE]
    message = Check.FEE_DUE if op == Op.CHARGE else Check.POSTING_DUE
    right = kind == due_kind and amount == due_amount
    check(g, message, right, (number, kind, amount, due_kind, due_amount))
    # Accounts may be named by role, so they are resolved and not compared.
    if has_accounts(due_kind):
        _check_accounts(w, p, due_subject, due_value, subject, value)
    elif kind == due_kind:
        right = subject == due_subject and value == due_value
        check(g, Check.POSTS_TO, right, (number, subject))
    _book(w, p, kind, subject, amount, value)
    if transfer != NOBODY:
        release_held(w, p, held_of(w, p, transfer))
    # VOID goes on with the first of what is still held, and counts only the limits it gives
    # back.
    if op != Op.VOID or transfer == NOBODY:
        w.pay[p, Pay.CURSOR] += 1
    # After its last row the stage is done, and has settled what its flags say.
    if not has_due(w, p):
        leave_stage(w, p)


@called
def quote_row(w: World, p: int, stage: int, pricing: int, debited: int, credited: int) -> None:
    """Check a QUOTE row against the price computed again."""
    if not act_at(w, p, stage, Op.QUOTE):
        return
    # Priced by the stage's own price and not by the row's: that is what was due.
    price(w, p, w.things[stage, S.SUBJECT], w.g[Count.NOW])
    due_debited = w.pay[p, Pay.REGISTER_0 + Register.DEBITED]
    due_credited = w.pay[p, Pay.REGISTER_0 + Register.CREDITED]
    right = debited == due_debited and credited == due_credited
    right = right and pricing == w.things[stage, S.SUBJECT]
    figures = (w.pay[p, Pay.NUMBER], debited, credited, due_debited, due_credited)
    check(w.g, Check.QUOTED, right, figures)
    valid_us = w.things[stage, S.VALUE]
    w.pay[p, Pay.EXPIRY_US] = w.g[Count.NOW] + valid_us if valid_us > 0 else NEVER_US
    jump(w, p, w.pay[p, Pay.PC] + 1)


@called
def lapse_row(w: World, p: int, stage: int) -> None:
    """Check a LAPSE row and jump back for a new quote where one is left."""
    if not act_at(w, p, stage, Op.CONVERT):
        return
    expiry_us = w.pay[p, Pay.EXPIRY_US]
    # Valid up to and including its last instant.
    lapsed = expiry_us != NULL and w.g[Count.NOW] > expiry_us
    check(w.g, Check.QUOTE_VALID, lapsed, (w.pay[p, Pay.NUMBER],))
    w.pay[p, Pay.LAPSED] += 1
    # Otherwise a FAIL row follows, which is judged for itself.
    if w.pay[p, Pay.REQUOTES] < w.things[stage, S.VALUE]:
        w.pay[p, Pay.REQUOTES] += 1
        jump(w, p, w.things[stage, S.SUBJECT])


@called
def route_row(w: World, p: int, stage: int, route: int, score: int, attempts: int) -> None:
    """Check a ROUTE row and take the payment to the route's entry."""
    act_at(w, p, stage, Op.ROUTE)
    check_route(w, p, route, score)
    given_up = w.pay[p, Pay.ROUTE]
    is_next = (w.things[stage, S.FLAGS] & NEXT) != 0
    w.pay[p, Pay.ATTEMPTS] += 1
    w.pay[p, Pay.RESENT] = 0
    # Counted along, and compared with what the row says.
    right = w.pay[p, Pay.ATTEMPTS] == attempts
    check(w.g, Check.MISCOUNTS, right, (w.pay[p, Pay.NUMBER],))
    if is_next:
        begin_anew(w, p)
    w.pay[p, Pay.ROUTE] = route
    mark_tried(w, p, route)
    attempt_begins(w, p)
    row = w.first[Things.ROUTE] + route
    if w.things[row, RouteColumn.DEBTOR_AGENT] >= 0:
        w.pay[p, Pay.AGENT_0] = w.things[row, RouteColumn.DEBTOR_AGENT]
    if w.things[row, RouteColumn.CREDITOR_AGENT] >= 0:
        w.pay[p, Pay.AGENT_0 + 1] = w.things[row, RouteColumn.CREDITOR_AGENT]
    resumed = NOBODY
    if is_next and given_up >= 0:
        resumed = _resumed(w, p, w.first[Things.ROUTE] + given_up, row)
    if resumed != NOBODY:
        jump(w, p, resumed)
    else:
        w.pay[p, Pay.STANDING] = 0
        jump(w, p, w.things[row, RouteColumn.ENTRY])


@called
def switch_row(w: World, p: int, stage: int, instrument: int) -> None:
    """Check a SWITCH row and let the payer begin anew with another instrument."""
    act_at(w, p, stage, Op.SWITCH)
    # One that is known is given up, and a second time there is none left.
    before, number = w.pay[p, Pay.INSTRUMENT], w.pay[p, Pay.NUMBER]
    right = w.things[stage, S.VALUE] > 0 and before < 0
    check(w.g, Check.SWITCHES, right, (number, instrument))
    w.pay[p, Pay.INSTRUMENT] = instrument
    w.pay[p, Pay.BEGUN] = w.pay[p, Pay.ATTEMPTS]
    forget_tried(w, p)
    begin_anew(w, p)
    jump(w, p, w.things[stage, S.TARGET])


@called
def begin_anew(w: World, p: int) -> None:
    """Count as spent in vain what was spent so far, but for what a person took."""
    spent_us = 0
    for cause in range(Cause.RETRY + 1):
        if cause != Cause.HUMAN:
            spent_us += w.pay[p, Pay.TIME_0 + cause]
            w.pay[p, Pay.TIME_0 + cause] = 0
    w.pay[p, Pay.TIME_0 + Cause.RETRY] = spent_us
    w.pay[p, Pay.REASON] = 0


@called
def _resumed(w: World, p: int, before: int, row: int) -> int:
    """Return where a payment goes on without its payer, -1 where it asks again; price it anew."""
    standing, found = w.pay[p, Pay.STANDING], NOBODY
    group = w.things[row, RouteColumn.CLASS]
    if standing <= 0 or group < 0 or group != w.things[before, RouteColumn.CLASS]:
        return NOBODY
    if standing > 1:
        found = w.things[row, RouteColumn.AUTHORISED]
    if found < 0:
        found = w.things[row, RouteColumn.CONFIRMED]
    pricing, quoted_us = w.things[row, RouteColumn.PRICING], w.pay[p, Pay.QUOTED_US]
    if found >= 0 and pricing >= 0 and w.pay[p, Pay.PRICING] >= 0:
        debited, credited = _shown(w, p)
        price(w, p, pricing, quoted_us)
        # What was shown to the payer, and what the payee was promised, stays what it was.
        same = (debited, credited) == _shown(w, p)
        check(w.g, Check.RESUMES, same, (w.pay[p, Pay.NUMBER], debited, _shown(w, p)[0]))
    return int(found)


@called
def _shown(w: World, p: int) -> tuple[int, int]:
    """Return what the payer pays, fees included, and what the payee gets."""
    first = Pay.REGISTER_0 + 0
    paid = w.pay[p, first + Register.DEBITED] + w.pay[p, first + Register.PAYER_FEE]
    return paid, w.pay[p, first + Register.CREDITED]


@called
def limit_row(w: World, p: int, stage: int, limit: int, amount: int, payer: int) -> None:
    """Check a LIMIT row and let the use grow."""
    act_at(w, p, stage, Op.LIMIT)
    right = limit == w.things[stage, S.SUBJECT]
    check(w.g, Check.OTHER_LIMIT, right, (w.pay[p, Pay.NUMBER],))
    use_limit(w, p, limit, amount, payer)
    jump(w, p, w.pay[p, Pay.PC] + 1)


@called
def decide_row(w: World, p: int, stage: int, target: int) -> None:
    """Check a DECIDE row and branch."""
    act(w, p, stage)
    op = w.things[stage, S.OP]
    check_op(w, stage, op in (Op.DECIDE, Op.ON_US))
    right = target == w.things[stage, S.TARGET]
    if op == Op.ON_US:
        right = right and may_be_alike(w, p)
    else:
        # A threshold of 0 never hits; a stage with a reason fails instead of branching.
        right = right and may_hit(w, p, stage) and w.things[stage, S.REASON] <= 0
    check(w.g, Check.BRANCH, right, (w.pay[p, Pay.NUMBER],))
    jump(w, p, w.things[stage, S.TARGET])


@called
def _book(w: World, p: int, kind: int, subject: int, amount: int, value: int) -> None:
    if kind == LogKind.TRANSFER:
        move(w, subject, value, amount)
    elif kind == LogKind.POST:
        post(w, subject, value, amount)
    elif kind == LogKind.VOID:
        void(w, subject, amount)
    elif kind == LogKind.GIVE_BACK:
        give_back(w, p, subject, amount, value)
    else:
        _charge(w, p, subject, amount)


@called
def _charge(w: World, p: int, fee: int, amount: int) -> None:
    """Mark a fee as charged."""
    slot = fee_slot(w, p, fee)
    # Reported as a fee that was not due.
    if slot < 0:
        return
    w.pay[p, Pay.CHARGED] |= 1 << slot
    before = w.pay[p, Pay.FEE_0 + slot]
    w.pay[p, Pay.FEE_0 + slot] = amount if before == NULL else before + amount
    bearer = w.things[w.first[Things.FEE] + fee, FeeColumn.BEARER]
    if bearer == Bearer.DEBTOR:
        w.pay[p, Pay.PAYER_FEE] += amount
    elif bearer == Bearer.CREDITOR:
        w.pay[p, Pay.MERCHANT_FEE] += amount


@called
def _check_accounts(
    w: World, p: int, due_debit: int, due_credit: int, debit: int, credit: int
) -> None:
    right = is_account(w, p, due_debit, debit) and is_account(w, p, due_credit, credit)
    check(w.g, Check.OTHER_ACCOUNTS, right, (w.pay[p, Pay.NUMBER], debit, credit))

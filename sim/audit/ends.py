"""Check how payments end and fail, and write the record each must have.

Takes rebuilt payments and the columns of OUTCOME and FAIL rows; the registers, times and sums of a
record are those rebuilt from the log, never copied from a record.
"""

from __future__ import annotations

from sim.audit.accounts import available, has_queue
from sim.audit.containers import check, close_slot
from sim.audit.health import attempt_fails, payment_ends
from sim.audit.inquiries import tell
from sim.audit.messages import Check
from sim.audit.prices import worth
from sim.audit.program import amount_of, jump
from sim.audit.refunds import keep_for_refunds
from sim.audit.routes import check_failure, known_agent
from sim.audit.shops import keep_order, refused_order
from sim.audit.state import NOBODY, Count, Pay, Things, Wait
from sim.audit.stations import refuse
from sim.audit.turns import act, act_at, check_in_time, check_patience
from sim.audit.visits import end_visit
from sim.audit.waits import account_open_wait
from sim.audit.world import HORIZON_KEY, World
from sim.contract.layout import FEES_MAX, NULL, STEP_BITS, RouteColumn, TransferColumn
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import Cause, Op, Outcome
from sim.contract.records import RECORD_WIDTH, RecordColumn, Register
from sim.contract.shops import OrderStatus
from sim.jit.functions import called


@called
def fail_row(w: World, p: int, stage: int, reason: int) -> None:
    """Check a FAIL row and take the payment to the stage's target."""
    act(w, p, stage)
    check_failure(w, p, reason)
    op, station = w.things[stage, S.OP], w.things[stage, S.SUBJECT]
    # A station named by role is the payment's own bank's, and a failure does not say which bank
    # that is; there nothing is known of the queue to hold it against.
    if op == Op.ORDER:
        refused_order(w, p, reason)
    elif op == Op.SERVE and station >= 0:
        refuse(w, station, reason, w.things[stage, S.REASON])
    # A refusal for lack of funds with funds on the account is a finding.
    elif op == Op.RESERVE:
        _check_short(w, p, w.things[stage, S.FIRST])
    w.pay[p, Pay.REASON] = reason
    attempt_fails(w, p, reason)
    jump(w, p, w.things[stage, S.TARGET])


@called
def outcome_row(w: World, p: int, stage: int, outcome: int, reason: int, value: int) -> None:
    """Check an OUTCOME row, write the record and forget the payment."""
    g, number, now, end_us = w.g, w.pay[p, Pay.NUMBER], w.g[Count.NOW], w.g[Count.NOW]
    if outcome == Outcome.IN_PROGRESS:
        _open_at_horizon(w, p, reason)
        end_us = NULL
    else:
        is_end = act_at(w, p, stage, Op.END)
        wanted = w.things[stage, S.REASON]
        # A program's end without a reason of its own keeps the one the payment failed with.
        if wanted < 0:
            wanted = w.pay[p, Pay.REASON]
        right = is_end and outcome == w.things[stage, S.VALUE] and reason == wanted
        check(g, Check.OUTCOME, right, (number, outcome, reason))
        check(g, Check.ENDS_IN_DOUBT, w.pay[p, Pay.DOUBT_SINCE_US] == NULL, (number,))
        check(g, Check.MONEY_HELD, w.pay[p, Pay.HELD] == NOBODY, (number,))
        # After all checks: the record must show it, the program did not have to.
        if outcome == Outcome.COMPLETED and w.pay[p, Pay.CREDITED_US] == NULL:
            w.pay[p, Pay.CREDITED_US] = now
        w.pay[p, Pay.REASON] = wanted
    payment_ends(w, p, outcome)
    w.pay[p, Pay.PATIENCE_US] = -1
    spent_us = 0
    for cause in range(Cause.RETRY + 1):
        spent_us += w.pay[p, Pay.TIME_0 + cause]
    # The causes add up to the payment's life, at the horizon as well.
    right = spent_us == now - w.pay[p, Pay.SUBMITTED_US]
    check(g, Check.TIMES, right, (number, spent_us))
    if g[Count.WANTS_RECORDS] != 0:
        _write_record(w, p, outcome, end_us)
    # At the horizon nobody is told anything.
    if w.pay[p, Pay.INQUIRY] != NOBODY and outcome != Outcome.IN_PROGRESS:
        tell(w, p, outcome)
    if w.pay[p, Pay.ORDER] != OrderStatus.NONE and keep_order(w, p, outcome, value):
        return
    # Whatever is wrong with its end, nothing may be said of it any more but what is paid back.
    if outcome != Outcome.COMPLETED or not keep_for_refunds(w, p, stage, value):
        close_slot(w, p)


@called
def _check_short(w: World, p: int, transfer: int) -> None:
    debit = w.things[w.first[Things.TRANSFER] + transfer, TransferColumn.DEBIT]
    # Not by role, for the same reason as above.
    if debit >= 0:
        short = has_queue(w, debit) or available(w, debit) < amount_of(w, p, transfer)
        check(w.g, Check.FAILS_WITH_FUNDS, short, (w.pay[p, Pay.NUMBER],))


@called
def _open_at_horizon(w: World, p: int, reason: int) -> None:
    g, number, now, wait = w.g, w.pay[p, Pay.NUMBER], w.g[Count.NOW], w.pay[p, Pay.WAIT]
    right = now == g[Count.HORIZON_US] and g[Count.KEY] == HORIZON_KEY + (number << STEP_BITS)
    check(g, Check.OPEN_EARLY, right, (number,))
    # Usually none; a payment on its way back has one already.
    check(g, Check.OPEN_REASON, reason == w.pay[p, Pay.REASON], (number, reason))
    # A time-out due at the horizon itself never fires, as nothing of that instant happens.
    if 0 <= w.pay[p, Pay.DEADLINE_US] < now:
        check_in_time(w, p)
    if 0 <= w.pay[p, Pay.PATIENCE_US] < now:
        check_patience(w, p)
    if wait == Wait.DELAY:
        check(g, Check.NEVER_ARRIVED, w.pay[p, Pay.DUE_US] >= now, (number,))
    # A delay that runs out just then is over, though nothing follows from it any more.
    is_over = wait == Wait.DELAY and w.pay[p, Pay.DUE_US] <= now
    end_visit(w, p, now if is_over else NULL)
    check(g, Check.IDLE_AT_END, wait != Wait.NOTHING, (number,))
    account_open_wait(w, p)


@called
def _write_record(w: World, p: int, outcome: int, end_us: int) -> None:
    """Write the record a payment must have; columns nobody can know are -2."""
    at = w.g[Count.ENDED]
    w.g[Count.ENDED] += 1
    row, pay = w.ended[at], w.pay[p]
    # NULL is "never happened" in every column; what came true is written over it.
    for column in range(RECORD_WIDTH):
        row[column] = NULL
    row[RecordColumn.PAYMENT], row[RecordColumn.STREAM] = pay[Pay.NUMBER], pay[Pay.STREAM]
    row[RecordColumn.ORDINAL], row[RecordColumn.ROUTE] = pay[Pay.ORDINAL], pay[Pay.ROUTE]
    row[RecordColumn.DEBTOR_AGENT] = known_agent(w, p, 0)
    row[RecordColumn.CREDITOR_AGENT] = known_agent(w, p, 1)
    row[RecordColumn.INSTRUMENT] = pay[Pay.INSTRUMENT]
    instead = w.things[pay[Pay.PC], S.SUBJECT] if end_us != NULL else -1
    if instead >= 0:
        row[RecordColumn.INSTEAD] = instead
    row[RecordColumn.INSTRUCTED] = pay[Pay.REGISTER_0]
    _write_amounts(w, p, outcome, at)
    row[RecordColumn.SUBMITTED_US] = pay[Pay.SUBMITTED_US]
    row[RecordColumn.SETTLED_US] = pay[Pay.SETTLED_US]
    row[RecordColumn.CREDITED_US], row[RecordColumn.END_US] = pay[Pay.CREDITED_US], end_us
    row[RecordColumn.OUTCOME], row[RecordColumn.REASON] = outcome, pay[Pay.REASON]
    row[RecordColumn.ATTEMPTS], row[RecordColumn.REQUOTES] = pay[Pay.ATTEMPTS], pay[Pay.REQUOTES]
    row[RecordColumn.QUOTED_US] = pay[Pay.QUOTED_US]
    row[RecordColumn.QUOTES_LAPSED], row[RecordColumn.CHARGED] = pay[Pay.LAPSED], pay[Pay.CHARGED]
    row[RecordColumn.IN_DOUBT_SINCE_US] = pay[Pay.DOUBT_SINCE_US]
    row[RecordColumn.GONE_US] = pay[Pay.GONE_US]
    row[RecordColumn.DOUBTED_US] = pay[Pay.DOUBTED_US]
    row[RecordColumn.KNOWN_US] = pay[Pay.KNOWN_US]
    for cause in range(Cause.RETRY + 1):
        row[RecordColumn.TIME_0 + cause] = pay[Pay.TIME_0 + cause]
    for fee in range(FEES_MAX):
        row[RecordColumn.FEE_0 + fee] = pay[Pay.FEE_0 + fee]
    # One column beyond the record: the tables want the price quoted last to name currencies.
    row[RECORD_WIDTH] = pay[Pay.PRICING]


@called
def _write_amounts(w: World, p: int, outcome: int, at: int) -> None:
    """Write what a record shows of a price: only what came true."""
    route, first, row = w.pay[p, Pay.ROUTE], Pay.REGISTER_0 + 0, w.ended[at]
    # Never quoted, so there is nothing to show.
    if w.pay[p, Pay.PRICING] < 0:
        return
    if route >= 0 and w.things[w.first[Things.ROUTE] + route, RouteColumn.PRICING] < 0:
        return
    if w.pay[p, Pay.SETTLED_US] != NULL or outcome == Outcome.COMPLETED:
        row[RecordColumn.DEBITED] = w.pay[p, first + Register.DEBITED]
        row[RecordColumn.SETTLEMENT] = w.pay[p, first + Register.SETTLEMENT]
        row[RecordColumn.PAYER_FEE] = w.pay[p, Pay.PAYER_FEE]
        row[RecordColumn.SPREAD_1] = w.pay[p, first + Register.SPREAD_1]
        if outcome != Outcome.RETURNED:
            row[RecordColumn.FX_MARGIN] = w.pay[p, first + Register.FX_MARGIN]
            row[RecordColumn.FX_DRIFT] = w.pay[p, first + Register.FX_DRIFT]
            row[RecordColumn.FX_ROUNDING] = w.pay[p, first + Register.FX_ROUNDING]
            if w.pay[p, Pay.SETTLED_US] != NULL:
                # What was credited is worth more or less by then, for whoever sold it.
                gross, margin = first + Register.CREDITED_GROSS, first + Register.FX_MARGIN
                at_quote = w.pay[p, first + Register.DEBITED] - w.pay[p, margin]
                price, settled_us = w.pay[p, Pay.PRICING], w.pay[p, Pay.SETTLED_US]
                at_settlement = worth(w, price, w.pay[p, gross], settled_us)
                row[RecordColumn.FX_RISK] = at_settlement - at_quote
    if w.pay[p, Pay.CREDITED_US] != NULL:
        row[RecordColumn.CREDITED] = w.pay[p, first + Register.CREDITED]
        row[RecordColumn.MERCHANT_FEE] = w.pay[p, Pay.MERCHANT_FEE]

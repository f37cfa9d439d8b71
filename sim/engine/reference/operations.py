"""Course of a payment in the reference engine: all that neither queues nor moves money.

Takes the run and a payment at such a stage; gives the next stage or STOP. Also makes the record of
a payment that ended or is open at the horizon.
"""

from __future__ import annotations

from sim.contract.layout import FEES_MAX, NULL, RouteColumn
from sim.contract.meaning import Cause, EventClass, Flag, LogKind, Outcome, Reason
from sim.contract.records import Register
from sim.contract.shops import OrderStatus
from sim.engine.reference.accounts import free_waiting, leave_account
from sim.engine.reference.inquiries import begin, tell_outcome
from sim.engine.reference.ledgers import leave_ledger
from sim.engine.reference.prices import fx_risk
from sim.engine.reference.refunds import await_part, begin_refunds
from sim.engine.reference.run import STOP, Run
from sim.engine.reference.shops import note_late
from sim.engine.reference.state import NOWHERE, Due, Payment, Stage, Wait
from sim.engine.reference.stations import leave_queue

_CODE_DAMAGED = 1


def transit(run: Run, payment: Payment, stage: Stage) -> int:
    """Take time."""
    delay_us = run.draw_time(payment, stage)
    run.log(LogKind.DELAY, payment, stage.cause, delay_us)
    payment.wait = Wait.TRANSIT
    # Even a delay of 0 is an event of its own: others due at this instant come first.
    payment.awaited_step = run.schedule_step(payment, EventClass.COMPLETE, delay_us, _arrive)
    return STOP


def _arrive(run: Run, payment: Payment, due: Due) -> None:
    # A payment that timed out on its way does not arrive; its event stays and does nothing.
    if payment.awaited_step == due.step:
        payment.account_time(run.stages[due.stage].cause, run.now_us)
        payment.stop_waiting()
        run.advance(payment, due.stage + 1)


def decide(run: Run, payment: Payment, stage: Stage) -> int:
    """Branch at random."""
    # A hit is a draw below the threshold, so a threshold of 2^62 always hits and 0 never does.
    if run.draw(payment, stage.purpose) >= run.threshold_of(payment, stage.value):
        return payment.at + 1
    # A branch with a reason is a failure with a probability; one without is a fork in the road.
    if stage.reason > 0:
        return run.fail(payment, stage, stage.reason)
    run.log(LogKind.DECIDE, payment, stage.target)
    return stage.target


def on_us(run: Run, payment: Payment, stage: Stage) -> int:
    """Branch where payer and payee are customers of one institution."""
    if payment.debtor_agent < 0 or payment.debtor_agent != payment.creditor_agent:
        return payment.at + 1
    run.log(LogKind.DECIDE, payment, stage.target)
    return stage.target


def code(run: Run, payment: Payment, stage: Stage) -> int:
    """Read the code on the counter."""
    # What cannot be read cannot be found expired.
    if payment.code_state == _CODE_DAMAGED:
        return run.fail(payment, stage, Reason.FF01)
    # The last instant of its validity still counts.
    if run.now_us > payment.code_expiry_us:
        return run.fail(payment, stage, Reason.AEXR)
    return payment.at + 1


def deadline(run: Run, payment: Payment, stage: Stage) -> int:
    """Arm the payment's only time-out, disarm it, or lead it elsewhere."""
    # Arming forgets the earlier time-out as well: its event stays on the agenda and finds
    # another step.
    if stage.value < 0:
        payment.armed_stage = payment.at
        return payment.at + 1
    payment.armed_step = NOWHERE
    if stage.value:
        run.log(LogKind.DEADLINE, payment, amount=stage.value)
        _arm(run, payment, stage)
    return payment.at + 1


def await_answer(run: Run, payment: Payment, stage: Stage) -> int:
    """Wait for the answer to a request in doubt."""
    if payment.in_doubt_since_us == NULL:
        return stage.target
    is_polled = stage.subject >= 0
    if payment.unanswered_step == NOWHERE and not is_polled:
        return payment.at + 1
    run.log(LogKind.AWAIT, payment, amount=stage.value)
    _arm(run, payment, stage)
    payment.wait = Wait.ANSWER
    if is_polled:
        # Nobody hears of the end of the request itself.
        begin(run, payment, payment.at).is_of_doubt = True
        return STOP
    # The event it gave up at the time-out is what it waits for again.
    payment.awaited_step = payment.unanswered_step
    return STOP


def resolve(run: Run, payment: Payment, stage: Stage) -> int:
    """End a payment's doubt."""
    payment.armed_step = NOWHERE
    if payment.in_doubt_since_us != NULL:
        run.log(LogKind.KNOWN, payment, amount=run.now_us - payment.in_doubt_since_us)
        payment.in_doubt_since_us, payment.known_us = NULL, run.now_us
        payment.unanswered_step = NOWHERE
    return payment.at + 1


def _arm(run: Run, payment: Payment, stage: Stage) -> None:
    payment.armed_step = run.schedule_step(payment, EventClass.EXPIRE, stage.value, _expire)
    payment.armed_stage = payment.at


def _expire(run: Run, payment: Payment, due: Due) -> None:
    # Forgotten: disarmed, replaced by another, or its payment has ended.
    if payment.armed_step != due.step:
        return
    payment.armed_step = NOWHERE
    timed_out = run.stages[payment.armed_stage]
    # Who waits for an answer has failed for a reason before; to wait in vain is no other.
    if timed_out.reason >= 0:
        payment.reason = timed_out.reason
    run.log(LogKind.EXPIRE, payment, payment.reason)
    run.healths.end(payment, payment.reason, run.now_us)
    # Rows of one time-out: EXPIRE, LEAVE or IN_DOUBT, then RESERVE rows of those it sets free. The
    # payment itself advances before they do.
    abandon(run, payment)
    run.advance(payment, timed_out.target)


def abandon(run: Run, payment: Payment) -> None:
    """End a payment's wait without what it waited for."""
    wait = payment.wait
    # First: leaving the queue below does not take time, but forgetting the wait would lose it.
    payment.account_time(waiting_cause(run, payment), run.now_us)
    if wait == Wait.QUEUE:
        run.log(LogKind.LEAVE, payment, leave_queue(run, payment), value=0)
    elif wait == Wait.LEDGER:
        run.log(LogKind.LEAVE, payment, leave_ledger(run, payment), value=1)
    elif wait == Wait.LIQUIDITY:
        account = leave_account(run, payment)
        run.log(LogKind.LEAVE, payment, account, value=2)
        # Who left may have stood at the head and asked for more than there is.
        free_waiting(run, account)
    elif wait == Wait.SYSTEM:
        run.log(LogKind.LEAVE, payment, run.systems.leave(payment), value=3)
    elif wait == Wait.SERVICE:
        _doubt(run, payment)
    # BLOCK cannot time out (disarmed when included), and a payment that acts is not waiting.
    elif wait not in (Wait.TRANSIT, Wait.ANSWER):
        run.broken(f"a time-out fires in state {wait.name}", payment.number)
    payment.stop_waiting()


def _doubt(run: Run, payment: Payment) -> None:
    """Note that nobody knows how a service will end that a payment no longer waits for."""
    if run.stages[payment.at].flags & Flag.ASKS:
        run.log(LogKind.IN_DOUBT, payment, payment.wait_subject)
        payment.unanswered_step = payment.awaited_step
        # A second request given up while the first is open makes the doubt no younger.
        if payment.in_doubt_since_us == NULL:
            payment.in_doubt_since_us = run.now_us
        if payment.doubted_us == NULL:
            payment.doubted_us = run.now_us


def waiting_cause(run: Run, payment: Payment) -> int:
    """Return the cause to which a payment's present wait is accounted."""
    if payment.wait == Wait.QUEUE:
        return Cause.WAITING
    if payment.wait == Wait.LIQUIDITY:
        return Cause.LIQUIDITY
    return run.stages[payment.at].cause


def end(run: Run, payment: Payment, stage: Stage) -> int:
    """End the payment."""
    # A time-out must not fire for a payment that is no more.
    payment.armed_step = payment.patience_step = NOWHERE
    # Money would stay pending for ever. Every path posts or voids what it reserved.
    if payment.reservations:
        run.broken(f"ends with open reservations {payment.reservations}", payment.number)
    # Money would come back, or not, before anybody knows where it is.
    if payment.in_doubt_since_us != NULL:
        run.broken("ends in doubt", payment.number)
    # NONE (0) is a reason of its own, that of success; below 0 the payment keeps its own.
    if stage.reason >= 0:
        payment.reason = stage.reason
    if stage.value == Outcome.COMPLETED and payment.credited_us == NULL:
        payment.credited_us = run.now_us
    if stage.subject >= 0:
        payment.instead = stage.subject
    run.healths.end(payment, None if stage.value == Outcome.COMPLETED else -1, run.now_us)
    # What becomes of an order decides whether it is paid back, which no payment's end does.
    may_go_back = payment.order in (OrderStatus.NONE, OrderStatus.EXPIRED)
    refund = begin_refunds(run, payment, stage) if may_go_back else None
    parts = -1 if refund is None else 1
    run.log(LogKind.OUTCOME, payment, stage.value, payment.reason, value=parts)
    # The invariant of "Time by cause", at the only place where both sides are known.
    if sum(payment.times) != run.now_us - payment.submitted_us:
        run.broken(f"times {payment.times} do not add up", payment.number)
    run.keep_record(record(run, payment, stage.value, run.now_us))
    tell_outcome(run, payment, stage.value)
    del run.open[payment.number]
    if payment.order is OrderStatus.OPEN:
        payment.ended = (stage.value, stage)
    elif payment.order is OrderStatus.EXPIRED and stage.value == Outcome.COMPLETED:
        note_late(run, payment)
    if refund is not None:
        await_part(run, *refund)
    return STOP


def record(run: Run, payment: Payment, outcome: int, end_us: int) -> list[int]:
    """Return a payment's record in the order of ``RecordColumn``."""
    registers = payment.registers
    # A payment that never met a ROUTE stage (route -1) is judged by its registers alone.
    is_unpriced = registers[Register.DEBITED] == NULL or (
        payment.route >= 0 and run.routes[payment.route][RouteColumn.PRICING] < 0
    )
    is_settled = payment.settled_us != NULL or outcome == Outcome.COMPLETED
    is_paid = is_settled and not is_unpriced
    is_credited = payment.credited_us != NULL and not is_unpriced
    # A return gives the margin back with the principal.
    has_margin = is_paid and outcome != Outcome.RETURNED
    return [
        payment.number,
        payment.stream,
        payment.ordinal,
        payment.route,
        payment.debtor_agent,
        payment.creditor_agent,
        payment.instructed,
        registers[Register.DEBITED] if is_paid else NULL,
        registers[Register.SETTLEMENT] if is_paid else NULL,
        registers[Register.CREDITED] if is_credited else NULL,
        payment.payer_fee if is_paid else NULL,
        registers[Register.FX_MARGIN] if has_margin else NULL,
        registers[Register.FX_DRIFT] if has_margin else NULL,
        payment.merchant_fee if is_credited else NULL,
        payment.submitted_us,
        payment.settled_us,
        payment.credited_us,
        end_us,
        outcome,
        payment.reason,
        payment.attempts,
        payment.requotes,
        payment.quotes_lapsed,
        *payment.times,
        registers[Register.SPREAD_1] if is_paid else NULL,
        # As in Plan.fee: slot 0 is the lowest bit.
        sum(1 << slot for slot in payment.charged),
        payment.in_doubt_since_us,
        registers[Register.FX_ROUNDING] if has_margin else NULL,
        fx_risk(run, payment) if has_margin else NULL,
        payment.quoted_us,
        payment.instrument,
        payment.instead,
        payment.gone_us,
        payment.doubted_us,
        payment.known_us,
        *(payment.charged.get(slot, NULL) for slot in range(FEES_MAX)),
    ]

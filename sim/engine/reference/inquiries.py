"""Inquiries of the reference engine: polls of a payment, repeated requests, and trying again.

Takes the run and a payment or an inquiry at such a stage; gives the next stage or STOP. The meaning
is in :mod:`sim.contract.inquiries`.
"""

from __future__ import annotations

from sim.contract.inquiries import INQUIRY_FIRST, INQUIRY_VISIT
from sim.contract.layout import NULL
from sim.contract.meaning import RETRY_REASONS, Flag, LogKind, Op, Outcome, Reason
from sim.contract.shops import OrderStatus
from sim.engine.reference.routing import forget_failure
from sim.engine.reference.run import STOP, Run
from sim.engine.reference.state import NOWHERE, Payment, Stage, Wait

_ANSWERED, _UNASKED = 1, -1


def begin(run: Run, payment: Payment, stage: int, before: Payment | None = None) -> Payment:
    """Begin an inquiry about a payment, behind another one of its chain, and return it.

    Parameters
    ----------
    run : Run
    payment : Payment
        What it asks about.
    stage : int
        The stage that begins it.
    before : Payment or None
    """
    payment.inquired += 1
    inquiry = Payment(
        number=INQUIRY_FIRST + run.inquiries,
        stream=payment.stream,
        ordinal=payment.ordinal,
        route_set=NOWHERE,
        instructed=payment.instructed,
        payer=payment.payer,
        debtor_agent=payment.debtor_agent,
        creditor_agent=payment.creditor_agent,
        code_state=0,
        code_expiry_us=0,
        instrument=0,
        route_set_2=NOWHERE,
        instrument_2=0,
        priority=payment.priority,
        submitted_us=run.now_us,
        # Who is ready goes on behind the stage it is at.
        at=run.stages[stage].subject - 1,
        accounted_us=run.now_us,
        asks=payment,
        own_visit=INQUIRY_VISIT + payment.inquired,
        place=1 if before is None else before.place + 1,
        is_of_doubt=before.is_of_doubt if before is not None else False,
        is_of_order=before.is_of_order if before is not None else False,
        # Of the attempt it belongs to; a later one has inquiries of its own.
        begun=payment.attempts,
    )
    run.inquiries += 1
    payment.open_inquiries[inquiry.number] = inquiry
    chain = NOWHERE if before is None else before.number
    run.log(LogKind.ASKED, inquiry, payment.number, payment.inquired, value=chain, stage=stage)
    run.ready.append(inquiry)
    return inquiry


def inquire(run: Run, payment: Payment, stage: Stage) -> int:
    """Begin a chain of inquiries."""
    begin(run, payment, payment.at)
    return payment.at + 1


def ask(run: Run, inquiry: Payment, stage: Stage) -> int:
    """Ask, if there is still something to ask about."""
    payment = _asked_about(run, inquiry)
    if inquiry.told != NULL or payment.attempts != inquiry.begun:
        return finish(run, inquiry, _UNASKED)
    if inquiry.is_of_doubt and payment.wait != Wait.ANSWER:
        return finish(run, inquiry, _UNASKED)
    if stage.subject >= 0 and inquiry.place < stage.value:
        begin(run, payment, inquiry.at, inquiry)
    return inquiry.at + 1


def answer(run: Run, inquiry: Payment, stage: Stage) -> int:
    """End an inquiry; the same answer as the payment's own is waited for."""
    payment = _asked_about(run, inquiry)
    if stage.flags & Flag.SAME and inquiry.told == NULL:
        run.log(LogKind.AWAIT, inquiry)
        inquiry.wait = Wait.OUTCOME
        return STOP
    finish(run, inquiry, stage.value)
    # Who waits to be told: by then the request must have ended, or there is nothing to tell.
    if (
        stage.value == _ANSWERED
        and inquiry.told == NULL
        and payment.wait == Wait.ANSWER
        and run.stages[payment.at].op == Op.AWAIT
        and run.stages[payment.at].subject >= 0
        and payment.unanswered_step == NOWHERE
    ):
        payment.account_time(run.stages[payment.at].cause, run.now_us)
        payment.stop_waiting()
        run.ready.append(payment)
    return STOP


def tell_outcome(run: Run, payment: Payment, outcome: int) -> None:
    """Let a payment's inquiries know how it ended; answer those that wait for it."""
    for inquiry in list(payment.open_inquiries.values()):
        # A shop asks on while its order is open.
        if inquiry.is_of_order and payment.order is OrderStatus.OPEN:
            continue
        inquiry.told = outcome
        if inquiry.wait == Wait.OUTCOME:
            finish(run, inquiry, _ANSWERED)


def finish(run: Run, inquiry: Payment, answered: int) -> int:
    """End an inquiry: answered (1), turned away (0) or not asked after all (-1)."""
    payment = _asked_about(run, inquiry)
    told = Outcome.IN_PROGRESS if inquiry.told == NULL else inquiry.told
    run.log(LogKind.ANSWERED, inquiry, told, answered)
    inquiry.armed_step = NOWHERE
    inquiry.stop_waiting()
    del payment.open_inquiries[inquiry.number]
    return STOP


def _asked_about(run: Run, inquiry: Payment) -> Payment:
    if inquiry.asks is None:
        run.broken("a payment is at a stage of inquiries", inquiry.number)
    return inquiry.asks


def retry(run: Run, payment: Payment, stage: Stage) -> int:
    """Try again, by the payer or by the institution."""
    is_resent = bool(stage.flags & Flag.NEXT)
    times = payment.resent if is_resent else payment.retries
    if payment.reason not in RETRY_REASONS or times >= stage.value:
        return payment.at + 1
    run.log(LogKind.RETRY, payment, amount=times + 1)
    if is_resent:
        payment.resent += 1
        payment.reason = int(Reason.NONE)
    else:
        payment.retries += 1
        forget_failure(payment)
    return stage.target

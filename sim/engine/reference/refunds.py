"""What is paid back of completed payments, in the reference engine.

Takes the run and a payment that has ended; schedules its parts and pays them. The meaning is in
:mod:`sim.contract.refunds`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.contract.guards import GuardColumn
from sim.contract.layout import PPM, PricingColumn, TransferColumn
from sim.contract.meaning import EventClass, LogKind, Reason
from sim.contract.records import Register
from sim.contract.refunds import REFUND_WITHIN_US, RefundRate, RefundTotal
from sim.draws.lookup import draw62, quantile
from sim.engine.reference.accounts import move_back
from sim.engine.reference.run import Run
from sim.engine.reference.state import Due, Payment, Stage, Transfer
from sim.money.exchange import mul_div_floor, part_floor, unit_price


@dataclass(frozen=True, slots=True)
class RefundRule:
    """One row of ``Plan.refund``; fields are columns of ``RefundColumn``."""

    share: int
    total_ppm: int
    parts: int
    after_table: int
    rate: int
    purpose_share: int
    purpose_after: int
    written_first: int
    written_count: int


@dataclass(slots=True)
class Refund:
    """A payment that is paid back, as far as it is."""

    payment: Payment
    stage: Stage
    ended_us: int
    number: int = 0
    """Of the part that fell due last."""
    back: int = 0
    """Paid back so far, in minor units of INSTRUCTED."""
    asked: int = 0
    """By the next part."""


def begin_refunds(run: Run, payment: Payment, stage: Stage) -> tuple[Refund, int] | None:
    """Return what is paid back of a payment and how long until its first part, None if never."""
    if stage.count == 0:
        return None
    refund = Refund(payment, stage, run.now_us)
    delay_us = _find_part(run, refund)
    return None if delay_us is None else (refund, delay_us)


def await_part(run: Run, refund: Refund, delay_us: int) -> None:
    """Schedule the next part."""
    payment = refund.payment
    run.log(LogKind.REFUND_DUE, payment, refund.number + 1, refund.asked, value=delay_us)

    def pay(run: Run, _: Payment, __: Due) -> None:
        _pay_part(run, refund)

    run.schedule_step(payment, EventClass.COMPLETE, delay_us, pay)


def _pay_part(run: Run, refund: Refund) -> None:
    """Pay or refuse the part that falls due."""
    payment, stage = refund.payment, refund.stage
    after = refund.back + refund.asked
    refund.number += 1
    reason, transfers = Reason.AM02, []
    if after <= payment.instructed:
        rows = range(stage.first, stage.first + stage.count)
        transfers = [_transfer(run, refund, row, after) for row in rows]
        reason = Reason.NONE if _are_covered(run, transfers) else Reason.AM04
    paid = refund.asked if reason == Reason.NONE else 0
    run.log(LogKind.REFUND, payment, refund.number, paid, value=int(reason))
    if run.now_us >= run.plan.warm_up_us:
        total = run.refunds[payment.stream]
        total[RefundTotal.REFUSED if reason else RefundTotal.PARTS] += 1
        total[RefundTotal.PAYMENTS] += reason == Reason.NONE and refund.back == 0
        total[RefundTotal.VALUE] += paid
    if reason == Reason.NONE:
        for transfer in transfers:
            move_back(run, payment, transfer)
        refund.back = after
    delay_us = _find_part(run, refund)
    if delay_us is not None:
        await_part(run, refund, delay_us)


def _are_covered(run: Run, transfers: list[Transfer]) -> bool:
    """Tell whether every account has what is taken from it, each looked at by itself."""
    for debit, _, amount in transfers:
        account = run.accounts[debit]
        left = account.available
        if run.plan.guard[debit, GuardColumn.POOL]:
            left = account.posted - account.pending
        # Whoever waits for the account comes first.
        if amount and (len(account.queue) or left < amount):
            return False
    return True


def _find_part(run: Run, refund: Refund) -> int | None:
    """Note what the next part asks for; return the time until it falls due, None for never."""
    payment, number = refund.payment, refund.number + 1
    rule = RefundRule(*run.plan.refund[payment.stream].tolist())
    last = rule.written_first + rule.written_count
    rows = run.plan.written_refund[rule.written_first : last].tolist()
    written = [(after, amount) for ordinal, after, amount in rows if ordinal == payment.ordinal]
    if written:
        if number > len(written):
            return None
        after_us, refund.asked = written[number - 1]
    else:
        if rule.share == 0 or number > rule.parts:
            return None
        key = run.stream_key(payment.stream)
        if number == 1 and draw62(key, payment.ordinal, rule.purpose_share, 0) >= rule.share:
            return None
        total = payment.instructed * rule.total_ppm // PPM
        refund.asked = total * number // rule.parts - total * (number - 1) // rule.parts
        u62 = draw62(key, payment.ordinal, rule.purpose_after, number)
        after_us = int(quantile(run.plan.table, rule.after_table, u62))
    delay_us: int = max(after_us, 1)
    # Counted from the end of the payment, however many parts came before.
    if run.now_us + delay_us - refund.ended_us > REFUND_WITHIN_US:
        return None
    return delay_us


def _transfer(run: Run, refund: Refund, row: int, after: int) -> Transfer:
    """Return what a row moves for the part at hand."""
    payment = refund.payment
    debit, credit = (
        run.account_of(payment, run.transfers[row][side])
        for side in (TransferColumn.DEBIT, TransferColumn.CREDIT)
    )
    register = run.transfers[row][TransferColumn.REGISTER]
    is_current = run.plan.refund[payment.stream].tolist()[4] == RefundRate.CURRENT
    first = -1
    if is_current and payment.pricing >= 0:
        first = run.pricings[payment.pricing][PricingColumn.CONVERSION_1]
    if first < 0 or register not in (Register.DEBITED, Register.MID_1, Register.SPREAD_1):
        return Transfer(debit, credit, _share(run, refund, register, after))
    if register == Register.SPREAD_1:
        return Transfer(debit, credit, 0)
    plan = run.plan
    price = unit_price(
        plan.conversion, plan.rate, plan.pair_scale, plan.fx_step_us, first, run.now_us
    )
    settled = _share(run, refund, Register.SETTLEMENT, after)
    return Transfer(debit, credit, int(mul_div_floor(settled, *price)))


def _share(run: Run, refund: Refund, register: int, after: int) -> int:
    """Return a register's share of the part at hand."""
    value, whole = run.register(refund.payment, register), refund.payment.instructed
    return int(part_floor(value, after, whole) - part_floor(value, refund.back, whole))

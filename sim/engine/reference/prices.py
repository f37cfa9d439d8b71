"""Prices and limits of the reference engine: QUOTE, CONVERT, LIMIT and giving limits back.

Takes the run and a payment at such a stage; gives the next stage. The arithmetic itself is in
:mod:`sim.money.pricing`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.contract.layout import NEVER_US, NULL, LimitColumn
from sim.contract.meaning import LogKind, Reason
from sim.contract.records import REGISTER_COUNT, Register
from sim.engine.reference.run import Run
from sim.engine.reference.state import LimitUse, Payment, Stage
from sim.money.exchange import value_at_mid
from sim.money.pricing import price_payment
from sim.units import DAY_US


def price(run: Run, payment: Payment, row: int, at_us: int | None = None) -> tuple[bool, list[int]]:
    """Return whether a price of an instant, by default now, can be used, and its registers."""
    plan = run.plan
    # Fresh ones for each price: a comparison of routes must not change what the payment holds.
    registers = np.zeros(REGISTER_COUNT, dtype=np.int64)
    is_usable = price_payment(
        plan.pricing,
        plan.conversion,
        plan.rate,
        plan.pair_scale,
        plan.spread,
        plan.fee,
        plan.tier,
        plan.fx_step_us,
        row,
        payment.instructed,
        run.now_us if at_us is None else at_us,
        payment.submitted_us,
        registers,
    )
    amounts: list[int] = registers.tolist()
    return bool(is_usable), amounts


def quote(run: Run, payment: Payment, stage: Stage) -> int:
    """Price the payment at the rates of now."""
    # Kept even where the price cannot be used, as "What a payment remembers" says.
    is_usable, payment.registers = price(run, payment, stage.subject)
    payment.pricing = stage.subject
    payment.quoted_us = run.now_us
    if not is_usable:
        return run.fail(payment, stage, stage.reason)
    # A validity of 0 holds for ever.
    payment.quote_expiry_us = run.now_us + stage.value if stage.value else NEVER_US
    run.log(
        LogKind.QUOTE,
        payment,
        stage.subject,
        run.register(payment, Register.DEBITED),
        value=run.register(payment, Register.CREDITED),
    )
    return payment.at + 1


def fx_risk(run: Run, payment: Payment) -> int:
    """Return what a payment's providers lost from its quote to its settlement."""
    if payment.settled_us == NULL:
        return NULL
    plan = run.plan
    settled = value_at_mid(
        plan.pricing,
        plan.conversion,
        plan.rate,
        plan.pair_scale,
        plan.fx_step_us,
        payment.pricing,
        payment.registers[Register.CREDITED_GROSS],
        payment.settled_us,
    )
    # The value at the quote is not kept: it is what the debit is without the margin.
    return int(settled) - (
        payment.registers[Register.DEBITED] - payment.registers[Register.FX_MARGIN]
    )


def convert(run: Run, payment: Payment, stage: Stage) -> int:
    """Use the quote, ask for a new one, or give up."""
    # Valid up to and including its last instant.
    if run.now_us <= payment.quote_expiry_us:
        return payment.at + 1
    run.log(LogKind.LAPSE, payment)
    payment.quotes_lapsed += 1
    if payment.requotes < stage.value:
        # Counted before it jumps: the stages met again draw fresh numbers.
        payment.requotes += 1
        return stage.subject
    return run.fail(payment, stage, stage.reason)


def limit(run: Run, payment: Payment, stage: Stage) -> int:
    """Check a limit and use it."""
    row = run.limits[stage.subject]
    per_payment, per_day = row[LimitColumn.PER_PAYMENT], row[LimitColumn.PER_DAY]
    amount = run.register(payment, row[LimitColumn.REGISTER])
    # No bound is -1, which nothing is below.
    if amount < row[LimitColumn.LEAST]:
        return run.fail(payment, stage, Reason.AM06)
    # The bound of one payment first. It decides between AM02 and AM14 where both are exceeded.
    if 0 <= per_payment < amount:
        return run.fail(payment, stage, Reason.AM02)
    # Without a bound of the day nothing is stored, so streams without one need no cells.
    if per_day >= 0:
        first = int(run.plan.limit_first[stage.subject, payment.stream])
        if first < 0:
            run.broken(f"limit {stage.subject} has no cells for this stream", payment.number)
        cell = first + payment.payer
        today = _today(run, row)
        day, used = run.limit_used[cell]
        # Yesterday's use is not reset, it is ignored.
        used = used if day == today else 0
        # What exceeds the limit is not added to it: a smaller payment later may still fit.
        if used + amount > per_day:
            return run.fail(payment, stage, stage.reason if stage.reason > 0 else Reason.AM14)
        run.limit_used[cell] = (today, used + amount)
        payment.limits[stage.value] = LimitUse(stage.subject, cell, amount, today)
        run.log(LogKind.LIMIT, payment, stage.subject, amount, value=payment.payer)
    return payment.at + 1


def give_back_limits(run: Run, payment: Payment) -> None:
    """Undo what the payment used of its limits today; other days are over."""
    # Ascending by slot, as the log has it, and not in the order they were used.
    for slot in sorted(payment.limits):
        use = payment.limits[slot]
        today = _today(run, run.limits[use.limit])
        if use.day == today:
            day, used = run.limit_used[use.cell]
            # The cell was used today by this payment, so it cannot be of another day or hold
            # less.
            if day != today or used < use.amount:
                run.broken(f"limit cell {use.cell} gives back more than it holds", payment.number)
            run.limit_used[use.cell] = (today, used - use.amount)
            run.log(LogKind.GIVE_BACK, payment, use.limit, use.amount, value=payment.payer)
    payment.limits.clear()


def _today(run: Run, row: Sequence[int]) -> int:
    """Return the number of the period of a limit that runs now."""
    day = (run.now_us + run.plan.day_offset_us) // DAY_US
    return (day + row[LimitColumn.SHIFT]) // row[LimitColumn.DAYS]

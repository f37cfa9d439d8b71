"""Patience of payers in the reference engine: they wait for an answer, and leave.

Takes the run and a payment at such a stage, or whose payer's patience runs out.
"""

from __future__ import annotations

from sim.contract.layout import NULL, StreamColumn
from sim.contract.meaning import EventClass, LogKind, Reason
from sim.draws.lookup import quantile
from sim.engine.reference.operations import abandon
from sim.engine.reference.run import Run
from sim.engine.reference.state import NOWHERE, Due, Payment, Stage, Wait


def patience(run: Run, payment: Payment, stage: Stage) -> int:
    """Let the payer begin to wait, or wait no more, or lead elsewhere."""
    if stage.value == 0:
        payment.patience_step = NOWHERE
        return payment.at + 1
    payment.patience_stage = payment.at
    table = run.streams[payment.stream][StreamColumn.PATIENCE]
    # Who waits already waits on.
    if stage.value > 0 and table >= 0 and payment.patience_step == NOWHERE:
        payment.gone_us = NULL
        drawn = run.draw(payment, stage.purpose)
        patience_us = max(1, quantile(run.plan.table, table, drawn))
        run.log(LogKind.PATIENCE, payment, amount=patience_us)
        payment.patience_step = run.schedule_step(payment, EventClass.EXPIRE, patience_us, _leave)
    return payment.at + 1


def _leave(run: Run, payment: Payment, due: Due) -> None:
    """Let the payer walk away, unless the patience was forgotten."""
    if payment.patience_step != due.step:
        return
    payment.patience_step = NOWHERE
    payment.gone_us = run.now_us
    target = run.stages[payment.patience_stage].target
    is_given_up = target >= 0 and payment.wait not in (Wait.BLOCK, Wait.ANSWER)
    run.log(LogKind.GONE, payment, int(is_given_up))
    if is_given_up:
        payment.reason = Reason.DS02
        run.healths.end(payment, payment.reason, run.now_us)
        abandon(run, payment)
        run.advance(payment, target)
    elif payment.settled_us == NULL:
        payment.reason = Reason.DS02

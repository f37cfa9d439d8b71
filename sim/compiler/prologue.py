"""What happens to a stream's payments before a route is chosen, and after the last one failed.

Takes a demand section; gives the program: the scan, the choice of a route, and what payers do whom
no route helps: change to another instrument, pay cash, or give up.
"""

from __future__ import annotations

from dataclasses import replace

from sim.contract.meaning import Cause, Instead, Op, Outcome, Reason
from sim.model.sections import AfterFailure
from sim.rails.asking import tries
from sim.rails.patience import answered
from sim.rails.stages import FAIL, Program, Stage, decide, threshold, transit

AFTER_FAILURE = "after_failure"
"""Label at which payments go on that no other route helps."""
_NOT_PAYABLE = "not_payable"
_CHANGED = "changed"
_CASH = "cash:"
_NO_MORE, _CHOSEN = "tried_enough", "chosen_again"


def prologue(
    scan: Program, after: AfterFailure | None, *, patient: bool = False, asides: Program = ()
) -> Program:
    """Return what happens around the routes of a payment.

    Parameters
    ----------
    scan : Program
        Reading the code; it leads to FAIL where that fails.
    after : AfterFailure or None
        What payers do after a failure; None where nothing is known of it.
    patient : bool
        Whether their patience ends; who does something after a failure has had an answer.
    asides : Program
        What else stands beside, and is only jumped to.
    """
    choose = Stage(Op.ROUTE, "choose route", target=_NOT_PAYABLE, reason=Reason.AG03)
    return (
        *scan,
        choose,
        Stage(Op.END, "refused", mark=FAIL, value=int(Outcome.REJECTED), own_reason=True),
        *(_changed(after, choose) if after is not None else ()),
        *_answered(_again(after), patient),
        *_gives_up(Outcome.NOT_PAYABLE, _NOT_PAYABLE, after),
        *_answered(() if after is None else _for_good(after), patient),
        *asides,
    )


def _for_good(after: AfterFailure) -> Program:
    return _gives_up(Outcome.REJECTED, _given_up(after), after)


def _answered(program: Program, patient: bool) -> Program:
    """Return what payers do once they wait no more, where they did."""
    if not (patient and program):
        return program
    first, *others = program
    return (replace(answered()[0], mark=first.mark), replace(first, mark=""), *others)


def _given_up(after: AfterFailure) -> str:
    """Return the label at which payers go on who do not try the same again."""
    return AFTER_FAILURE if after.retry is None else _NO_MORE


def _again(after: AfterFailure | None) -> Program:
    """Return how payers try the same again, before they do anything else."""
    if after is None or after.retry is None:
        return ()
    return (
        *tries(AFTER_FAILURE, after.retry, again=_CHOSEN, failing=_NO_MORE, by_payer=True),
        Stage(Op.ROUTE, "choose again", mark=_CHOSEN, target=_NOT_PAYABLE, reason=Reason.AG03),
    )


def _changed(after: AfterFailure, choose: Stage) -> Program:
    """Return the way back with another instrument; its scan is part of the person's time."""
    return (
        Stage(Op.POST, "changed instrument", mark=_CHANGED),
        *transit("payer.change", after.change_time, cause=Cause.HUMAN),
        choose,
    )


def _gives_up(outcome: Outcome, mark: str, after: AfterFailure | None) -> Program:
    """Return how a payment ends for good: with another instrument, with cash, or with nothing."""
    end = Stage(Op.END, mark, value=int(outcome), own_reason=True)
    if after is None:
        return (Stage(Op.END, mark, mark=mark, value=int(outcome), own_reason=True),)
    cash = _CASH + mark
    return (
        Stage(
            Op.SWITCH,
            "payer.changes",
            mark=mark,
            value=threshold(after.change),
            target=_CHANGED,
        ),
        *decide("payer.pays_cash", threshold(after.cash), target=cash),
        Stage(end.op, f"{mark}.gave_up", value=end.value, own_reason=True, instead=Instead.GAVE_UP),
        Stage(
            end.op, f"{mark}.cash", mark=cash, value=end.value, own_reason=True,
            instead=Instead.CASH,
        ),
    )  # fmt: skip

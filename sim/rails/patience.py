"""Payers who wait for an answer, as stages.

Takes labels; gives the stages at which a payer begins to wait, has an answer, or could leave with
another effect than before. Only programs of payers whose patience ends have them.
"""

from __future__ import annotations

from sim.contract.meaning import Op
from sim.rails.stages import Program, Stage

_BEGINS, _ENDS, _LEADS = 1, 0, -1


def waits(target: str) -> Program:
    """Return the stage at which the payer begins to wait; leaving, its payment goes to a label."""
    return (Stage(Op.PATIENCE, "payer.waits", value=_BEGINS, target=target),)


def answered() -> Program:
    """Return the stage at which the payer has an answer, or acts."""
    return (Stage(Op.PATIENCE, "payer.answered", value=_ENDS),)


def leads(target: str = "") -> Program:
    """Return the stage from which on a payer who leaves takes the payment elsewhere, or nowhere."""
    return (Stage(Op.PATIENCE, "payer.may_leave", value=_LEADS, target=target),)

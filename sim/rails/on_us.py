"""Payments on us: payer and payee are customers of one institution, which books them inside.

Takes the two ends of a leg between a payer and a payee here; gives the stages that take the place
of the ledger's. No rail is crossed, so none of its limits, fees of admission or blocks apply; the
institution's core system debits and credits as it does for every payment.
"""

from __future__ import annotations

from dataclasses import replace

from sim.contract.meaning import Flag, Op, Outcome, Reason
from sim.rails.protocol import CreditorSide, DebtorSide
from sim.rails.stages import Move, Program, Stage

ON_US = "on_us"
"""Label at which a payment goes on that stays inside one institution."""


def stay_inside() -> Program:
    """Return the branch where both ends are at one institution."""
    return (Stage(Op.ON_US, ON_US, target=ON_US),)


def book_inside(
    debtor: DebtorSide, creditor: CreditorSide, closing: Program, back: tuple[Move, ...] = ()
) -> Program:
    """Return the booking, and what follows it.

    Parameters
    ----------
    debtor, creditor : DebtorSide, CreditorSide
        The two ends; of the creditor's, one whose failures lead to FAIL, as nothing was sent.
    closing : Program
        Fees and messages once the payee is credited.
    back : tuple of Move
        What is moved back where the payment is, once it has completed.
    """
    first = replace(creditor.book[0], mark=ON_US)
    return (
        first,
        *creditor.book[1:],
        # Disarmed right before the money moves: a time-out behind it would have to bring it back.
        Stage(Op.DEADLINE, "disarm"),
        Stage(
            Op.POST,
            "on_us.book",
            # One posting: the institution's own book is debited and credited by the same amount.
            moves=(*debtor.debit, *creditor.credit),
            flags=Flag.SETTLES | Flag.CREDITS,
        ),
        *closing,
        Stage(Op.END, "completed", value=int(Outcome.COMPLETED), reason=Reason.NONE, moves=back),
    )

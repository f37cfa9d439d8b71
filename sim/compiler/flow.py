"""What the composition of a route gives: its program, its price and its two ends.

Takes nothing; gives :class:`Flow`, which parts of a plan carry.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.rails.obligations import Obligation
from sim.rails.price import Price
from sim.rails.protocol import CreditorSide, DebtorSide
from sim.rails.stages import Program


@dataclass(frozen=True, slots=True)
class Flow:
    """The program of a route, with its price and its two ends.

    Attributes
    ----------
    program : Program
    price : Price or None
        None: it moves no money.
    debtor, creditor : DebtorSide, CreditorSide
    obligations : tuple of Obligation
        What a completed payment leaves owing.
    entrances : pair of str
        Labels at which a payment goes on that comes from another route of the same class: its payer
        has confirmed; the payer's side has authorised it, too. Empty: none.
    """

    program: Program
    price: Price | None
    debtor: DebtorSide
    creditor: CreditorSide
    obligations: tuple[Obligation, ...] = ()
    entrances: tuple[str, str] = ("", "")

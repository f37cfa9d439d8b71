"""Measures of what comes after a payment: settlement money and refunds.

Takes what :mod:`sim.analysis.sources` holds of a run; gives definitions to the catalogue, which
says which there are.
"""

from __future__ import annotations

from sim.analysis.definition import HEADLINE, Definition
from sim.analysis.kinds import AMOUNT, Better, Kind
from sim.analysis.sources import Payments, ratio
from sim.tables.folding import Tally

_WHOLE = frozenset({HEADLINE})


def settled(name: str, kind: Kind, field: str, words: str) -> Definition[Payments]:
    """Define a figure of what schemes owe."""
    return Definition(
        name,
        kind,
        _WHOLE,
        lambda of: None if of.settled is None else getattr(of.settled, field),
        words,
        Better.NEITHER if field == "gain" else Better.LOWER,
    )


def refunded(name: str, kind: Kind, field: str) -> Definition[Payments]:
    """Define a figure of what was paid back."""
    return Definition(
        name,
        kind,
        _WHOLE,
        lambda of: None if of.refunded is None else getattr(of.refunded, field),
        better=Better.LOWER if field == "refused" else Better.NEITHER,
    )


def refund_share(of: Payments) -> float | None:
    """Return of how many completed payments a part was paid back."""
    if of.refunded is None:
        return None
    return ratio(of.refunded.payments, of.count[Tally.COMPLETED])


def placed(name: str, which: int, words: str) -> Definition[Payments]:
    """Define a figure of the money on all watched accounts."""
    return Definition(name, AMOUNT, _WHOLE, lambda of: of.placed[which], words, better=Better.LOWER)

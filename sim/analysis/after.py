"""Measures of what comes after a payment, or instead: settlement money, refunds, who gave up.

Takes what :mod:`sim.analysis.sources` holds of a run; gives definitions to the catalogue, which
says which there are.
"""

from __future__ import annotations

from sim.analysis.definition import HEADLINE, WINDOW, Definition
from sim.analysis.kinds import AMOUNT, SHARE, TIME, Better, Kind, Pooling
from sim.analysis.sources import Payments, in_seconds, ratio
from sim.analysis.summary import Measures
from sim.tables.durations import Between
from sim.tables.folding import Tally

_WHOLE = frozenset({HEADLINE})
_OF_PATIENCE = frozenset({HEADLINE, WINDOW, "scope", "corridor", "route", "rail"})


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


def gave_up(name: str, kind: Kind, column: Tally, words: str) -> Definition[Payments]:
    """Define a figure of payers who walked away, a share of the payments or a count."""
    is_share = kind is SHARE

    def of(group: Payments) -> float | None:
        if not group.has_patience:
            return None
        return group.share(column, Tally.SUBMITTED) if is_share else group.count[column]

    return Definition(
        name,
        kind,
        _OF_PATIENCE,
        of,
        words,
        Better.LOWER,
        pooling=Pooling.SHARE if is_share else Pooling.MEAN,
        trials=_submitted if is_share else None,
    )


def _submitted(known: Measures) -> float:
    return float(known["submitted"])


def broke(name: str, kind: Kind, field: str, words: str) -> Definition[Payments]:
    """Define a figure of what books disagreed about."""

    def of(group: Payments) -> float | Between | None:
        if group.breaks is None:
            return None
        value: int = getattr(group.breaks, field)
        return in_seconds(Between(value, value)) if kind is TIME else value

    return Definition(name, kind, _WHOLE, of, words, Better.LOWER)


def placed(name: str, which: int, words: str) -> Definition[Payments]:
    """Define a figure of the money on all watched accounts."""
    return Definition(name, AMOUNT, _WHOLE, lambda of: of.placed[which], words, better=Better.LOWER)

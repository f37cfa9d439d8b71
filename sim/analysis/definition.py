"""What a measure is: its definition, and how it is computed of what a run tells.

Takes the sources of :mod:`sim.analysis.sources`; gives :class:`Definition`, of which the catalogue
has one for each measure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sim.analysis.kinds import AMOUNT, Better, Kind, Pooling
from sim.analysis.sources import AccountUse, Amount, Payments, Place, ProviderUse, SystemUse
from sim.analysis.summary import Measure, Measures
from sim.tables.durations import Between

Source = TypeVar("Source", Payments, Place, AccountUse, SystemUse, ProviderUse)
Of = Callable[[Source], float | int | Between | Amount | None]

HEADLINE = "headline"
"""The measures of a summary as a whole; all other groups stand in its ``by``."""
LEDGER = "ledger"
"""Ledgers are shown among the stations and have other measures."""
WINDOW = "window"
"""The measures of a part of the run; those of its groups are those of the groups."""


@dataclass(frozen=True, slots=True)
class Definition(Generic[Source]):
    """One measure.

    Attributes
    ----------
    name : str
        Its one name.
    kind : Kind
        Unit, and what follows from it.
    groups : frozenset of str
        Where it is known: :data:`HEADLINE`, :data:`LEDGER` or a group of a summary.
    of : callable
        Computes it; None where there is nothing to measure.
    words : str
        What people call it; empty where the name says it.
    better : Better
        Which way it improves.
    alias : str
        Short name in objectives and precisions.
    pooling : Pooling
        How replications become one figure.
    trials : callable or None
        Of a pooled share: of how many payments it is.
    quantile : float or None
        The share that does not exceed it, where it is a quantile.
    more, less : str
        How a difference is told where the kind does not say it well.
    """

    name: str
    kind: Kind
    groups: frozenset[str]
    of: Of[Source]
    words: str = ""
    better: Better = Better.NEITHER
    alias: str = ""
    pooling: Pooling = Pooling.MEAN
    trials: Callable[[Measures], float] | None = None
    quantile: float | None = None
    more: str = ""
    less: str = ""

    def measure(self, source: Source) -> Measure:
        """Compute the measure of one run."""
        unit = f"{self.kind.unit} {source.currency}" if self.kind is AMOUNT else self.kind.unit
        value = self.of(source)
        if isinstance(value, Amount):
            return Measure(value.minor, f"{self.kind.unit} {value.currency}")
        if isinstance(value, Between):
            return Measure(value.middle, unit, width=value.width)
        return Measure(value, unit)

    def difference_words(self, key: str, size: str, *, is_more: bool) -> str:
        """Tell a difference of some size, in words."""
        told = (self.more or self.kind.more) if is_more else (self.less or self.kind.less)
        return told.format(size=size, key=key)

"""Whether a plan's parts fit the numbers its rows are known by.

Takes parts; gives (path, message) pairs. Ids of ledgers and stations stand above those of payments
in the order of events, and a reference by role has so many kinds: beyond that two would be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.compiler.parts import Part
from sim.contract.layout import LEDGERS_MAX, ROLE_KINDS_MAX, STATIONS_MAX
from sim.model.base import FieldPath
from sim.rails.resources import BlockLedger, Holding, Station


def size_problems(parts: Sequence[Part]) -> Iterator[tuple[FieldPath, str]]:
    """Yield what there is more of than the plan can number."""
    stations = [part for part in parts if isinstance(part, Station)]
    kinds = {part.kind for part in parts if isinstance(part, (Station, Holding)) and part.kind}
    ledgers = sum(isinstance(part, BlockLedger) for part in parts)
    found: tuple[tuple[FieldPath, str, int, int], ...] = (
        (("institutions",), "stations", len(stations), STATIONS_MAX),
        (("rails",), "ledgers", ledgers, LEDGERS_MAX),
        (("rails",), "kinds of account by ledger and currency", len(kinds), ROLE_KINDS_MAX),
    )
    for path, what, count, most in found:
        if count > most:
            yield path, f"found {count:,} {what}; allowed: at most {most:,}"

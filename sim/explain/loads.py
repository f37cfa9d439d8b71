"""Say what is carried as load: which part of a stream, where it queues, and what it does not do.

Takes a compiled scenario; gives sentences.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.compiler.compile import Compiled
from sim.compiler.loads import cell_of
from sim.contract.loads import LoadColumn
from sim.contract.plan import Plan
from sim.explain.words import about, count, listed, span
from sim.rails.resources import BlockLedger
from sim.rails.stages import CREDITOR_AGENT, Place


def load_words(compiled: Compiled, stream: str) -> Iterator[str]:
    """Yield what becomes of a stream that is carried as load; nothing of others."""
    for load in compiled.loads:
        if load.name != stream:
            continue
        way = load.way
        yield (
            f"carried as load: {load.reaching:.1%} of them join {way.ledger}, "
            f"{about(way.after_us)} after they are submitted; the others end on the way or stay "
            "within one institution"
        )
        passed = listed(list(dict.fromkeys(map(_station, way.passed)))) or "no station"
        yield (
            f"up to {load.busiest:,.0f} of them a second; they use no capacity of {passed}, hold "
            "no money and meet no limit, time-out or poll"
        )
        yield "while a station on the way is closed, those who need it never join"


def ledger_load_words(compiled: Compiled, ledger: BlockLedger) -> Iterator[str]:
    """Yield which streams load a ledger, and how finely that is counted."""
    names = [load.name for load in compiled.loads if load.way.ledger == ledger.name]
    if names:
        cell_us = cell_of(ledger, compiled.plan.horizon_us)
        yield (
            f"load of {listed(names)} queues with payments, first in first out, counted by cells "
            f"of {span(cell_us)}"
        )


def joining_words(compiled: Compiled) -> Iterator[str]:
    """Yield how much load joins each ledger in this run, beside its payments."""
    plan = compiled.plan
    for number, ledger in enumerate(compiled.ledgers):
        names = [load.name for load in compiled.loads if load.way.ledger == ledger.name]
        if not names:
            continue
        first, counts = plan.load[number, [LoadColumn.FIRST, LoadColumn.COUNT]].tolist()
        # Counted for a run only.
        joined = int(plan.load_count[first + counts - 1]) if counts else 0
        told = f": {count(joined, 'payment')} in this run" if counts else ""
        yield f"Load of {listed(names)} joins {ledger.name}{told}"


def joined_by(plan: Plan, ledger: int, time_us: int) -> int:
    """Return how much load has joined a ledger by an instant; see :mod:`sim.contract.loads`."""
    cell_us, first, counts = plan.load[ledger].tolist()
    if not counts:
        return 0
    at, into_us = divmod(time_us, cell_us)
    before, after = plan.load_count[first + at : first + at + 2].tolist()
    return int(before + (2 * (after - before) * into_us + cell_us) // (2 * cell_us))


def _station(place: Place) -> str:
    if isinstance(place, str):
        return place
    role = "creditor" if place.role == CREDITOR_AGENT else "debtor"
    return f"the {role} agent's {place.kind}"

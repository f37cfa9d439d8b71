"""Rebuild the load of every ledger: how much has joined, and what of it each block takes.

Takes the plan's counts and rows of ledgers; reports payments that enter a block before their place,
and blocks that take more or less of the load than there was room for. Written from
:mod:`sim.contract.loads` alone.
"""

from __future__ import annotations

from sim.audit.containers import check
from sim.audit.messages import Check
from sim.audit.state import NOBODY, Count, LedgerState, Pay, Things
from sim.audit.world import World
from sim.contract.loads import LoadColumn
from sim.jit.functions import called

_CARRIED, _MOST, _LEFT = 0, 1, 2
"""Totals of load, behind ``LedgerState.LOAD_0``."""


@called
def has_load(w: World, at: int) -> bool:
    """Say whether a ledger has load."""
    return bool(w.load[at, LoadColumn.COUNT] > 0)


@called
def load_joined(w: World, at: int, time_us: int) -> int:
    """Return how much of a ledger's load has joined by an instant."""
    if not has_load(w, at):
        return 0
    cell_us, first = w.load[at, LoadColumn.CELL_US], w.load[at, LoadColumn.FIRST]
    # A corrupted row may name any instant.
    cell = min(max(time_us // cell_us, 0), w.load[at, LoadColumn.COUNT] - 2)
    before, after = w.load_count[first + cell], w.load_count[first + cell + 1]
    # The i-th of n joins when (i - 1/2) / n of the cell are over: n * into / cell, half up.
    product = (after - before) * min(max(time_us - cell * cell_us, 0), cell_us)
    whole = product // cell_us
    return int(before + whole + (1 if 2 * (product - whole * cell_us) >= cell_us else 0))


@called
def load_waits(w: World, at: int, time_us: int) -> int:
    """Return how much of it is in no block yet."""
    row = w.first[Things.LEDGER] + at
    return int(load_joined(w, at, time_us) - w.things[row, LedgerState.LOAD_TAKEN])


@called
def look_at_load(w: World, at: int, time_us: int) -> None:
    """Note the load that waits at the start of a round or at the horizon."""
    row = w.first[Things.LEDGER] + at
    waits = load_waits(w, at, time_us)
    w.things[row, LedgerState.LOAD_WAITS] = waits
    w.things[row, LedgerState.BLOCK_LOAD] = NOBODY
    w.things[row, LedgerState.LOAD_0 + _LEFT] = waits
    if time_us >= w.g[Count.WARM_UP_US]:
        most = w.things[row, LedgerState.LOAD_0 + _MOST]
        w.things[row, LedgerState.LOAD_0 + _MOST] = max(most, waits)


@called
def check_place(w: World, at: int, p: int, number: int) -> None:
    """Check that a payment enters a block at its place, of those the load leaves."""
    row = w.first[Things.LEDGER] + at
    if not has_load(w, at):
        return
    place = place_of_payment(w, at, p)
    limit = w.things[row, LedgerState.BLOCK_LIMIT]
    # Behind the LOAD row nobody enters: it says what is left of the block for the load.
    right = place <= limit and w.things[row, LedgerState.BLOCK_LOAD] == NOBODY
    payment, before = w.pay[p, Pay.NUMBER], w.pay[p, Pay.LOAD_BEFORE]
    check(w.g, Check.LOAD_PLACE, right, (payment, number, at, place, limit, before))


@called
def place_of_payment(w: World, at: int, p: int) -> int:
    """Return the place a payment would have behind those who have entered, from 1."""
    row = w.first[Things.LEDGER] + at
    before = w.pay[p, Pay.LOAD_BEFORE] - w.things[row, LedgerState.LOAD_TAKEN]
    return int(before + w.things[row, LedgerState.BLOCK_SIZE] + 1)


@called
def load_row(w: World, at: int, amount: int, value: int) -> None:
    """Check a LOAD row, behind the rows of the payments that entered the block."""
    row = w.first[Things.LEDGER] + at
    waits, number = w.things[row, LedgerState.LOAD_WAITS], w.things[row, LedgerState.NUMBER]
    due = _due(w, row)
    right = waits > 0 and w.things[row, LedgerState.BLOCK_LOAD] == NOBODY
    right = right and amount == due and value == waits - due
    check(w.g, Check.LOAD_BLOCK, right, (number, amount, value, due, waits - due))
    w.things[row, LedgerState.BLOCK_LOAD] = due


@called
def close_load(w: World, at: int) -> None:
    """Take what the block holds of the load, once all rows of the round have been seen."""
    row = w.first[Things.LEDGER] + at
    waits, number = w.things[row, LedgerState.LOAD_WAITS], w.things[row, LedgerState.NUMBER]
    if waits > 0:
        is_told = w.things[row, LedgerState.BLOCK_LOAD] != NOBODY
        check(w.g, Check.LOAD_UNTOLD, is_told, (number, at, waits))
    due = _due(w, row)
    w.things[row, LedgerState.LOAD_TAKEN] += due
    w.things[row, LedgerState.BLOCK_LOAD] = due


@called
def commit_load(w: World, row: int) -> None:
    """Count the load of a block that commits."""
    if w.g[Count.NOW] >= w.g[Count.WARM_UP_US]:
        load = max(w.things[row, LedgerState.BLOCK_LOAD], 0)
        w.things[row, LedgerState.LOAD_0 + _CARRIED] += load
    w.things[row, LedgerState.BLOCK_LOAD] = NOBODY


@called
def loads_before(w: World, ledger: int) -> int:
    """Return how many ledgers before one have load."""
    found = 0
    for at in range(ledger):
        found += has_load(w, at)
    return found


@called
def _due(w: World, row: int) -> int:
    """Return how much of the load a block has room for behind its payments."""
    room = w.things[row, LedgerState.BLOCK_LIMIT] - w.things[row, LedgerState.BLOCK_SIZE]
    # A corrupted log may have put in more payments than there were places.
    return int(max(min(w.things[row, LedgerState.LOAD_WAITS], room), 0))

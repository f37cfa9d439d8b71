"""Load on a ledger: payments carried as numbers, not one by one. Columns of ``Plan.load``.

Takes nothing; gives an enumeration in whose docstrings the meaning is said. A part of
:mod:`sim.contract.meaning`.

**Counts.** Of a ledger's load only this is known: how many of its payments join the ledger's queue
by when. Time is cut into cells of CELL_US. ``k[c] = load_count[FIRST + c]`` is how many have joined
before the instant ``c * CELL_US``; ``k[0] = 0``, and k never falls. Those of one cell join evenly
spread over it, so that by an instant ``t`` in cell ``c = t // CELL_US``, with ``n = k[c + 1] -
k[c]``, there have joined

    ``C(t) = k[c] + (2 * n * (t - c * CELL_US) + CELL_US) // (2 * CELL_US)``.

A ledger without counts has no load: C is 0 throughout, and all below is as if it were not said.

**Places.** Load and payments stand in one queue, first in first out. A payment that joins at ``t``
has the C(t) before it, whatever else happens at that instant. *taken* is how much of the load has
entered blocks so far, 0 at first. At the start ``s`` of a round, ``L = C(s) - taken`` of the load
wait; a round is idle only where L is 0, too. A block has BLOCK_LIMIT places. The i-th of the
payments that wait, from 1, with C_i before it, has place ``C_i - taken + i``; those whose place
does not exceed BLOCK_LIMIT enter, in order (IN_BLOCK rows). With m of them in the block ``min(L,
BLOCK_LIMIT - m)`` of the load enter, too, and are taken. Where L is above 0 a LOAD row stands
behind the IN_BLOCK rows (subject = ledger, amount = load that entered, value = load that waits on).
The block is voted on and commits as any other, though it may hold no payment.

**What it is not.** Load has no time-out, no amount and no bank, moves no money, and is in no
record, no measure of payments and no wait. A failed leader lets it wait on.

**Seen.** A router sees a ledger's queue with its load: what SAMPLE_LEDGER and SAMPLE_LOAD say
together. A sample has a SAMPLE_LOAD row for every ledger with load, in order, behind the rows of
all ledgers.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.table import Between, Span, Table

CELL_MAX_US = 1_000_000
"""Longest cell: with it, and LOAD_MAX payments in one, C(t) is worked out within an int64."""

LOAD_MAX = (1 << 40) - 1
"""Most payments a load may have."""


class LoadColumn(IntEnum):
    """Columns of ``Plan.load``, one row per ledger."""

    CELL_US = 0
    FIRST = 1
    COUNT = 2
    """How many counts, one more than cells; 0: no load. The cells reach beyond the horizon."""


LOADS = Table(
    "ledgers",
    LoadColumn,
    {
        LoadColumn.CELL_US: Between(1, CELL_MAX_US),
        LoadColumn.FIRST: Span("load counts", LoadColumn.COUNT),
    },
)
LOAD_COUNTS = Table("load counts", each=Between(0, LOAD_MAX))
"""The tables of the plan that these are columns of."""

"""Margins that depend on the amount and on the time: columns of ``Plan.spread``.

Takes nothing; gives an enumeration in whose docstrings the meaning is said. A part of
:mod:`sim.contract.meaning`.

**Which row holds.** A conversion with SPREAD_COUNT above 0 has its margin from so many rows from
SPREAD_FIRST on, in order of FROM_US and, of one instant, of AT_LEAST. Of a price for the instructed
amount ``a`` at the instant ``t`` the *last* row holds with ``FROM_US <= t`` and ``AT_LEAST <= a``.
The first row begins at 0 with an amount of 0, so that one always does. Every instant at which
margins change repeats the rows of all amounts. ``t`` is the instant of the price, a QUOTE's own or
that a router compares at; what was promised stays as it is.

The amount is the payment's INSTRUCTED register, in the currency of the fixed side: it is known
before anything is priced, so that no price depends on itself.

What a conversion sells of a clearing file or a covering trade is no payment: its margin is
SPREAD_PPM, which is also the first row's.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.table import Between, Table


class SpreadColumn(IntEnum):
    """Columns of ``Plan.spread``."""

    FROM_US = 0
    """Instant from which on it holds, its first included."""
    AT_LEAST = 1
    """Least instructed amount, in minor units of the fixed side's currency."""
    PPM = 2
    """Margin over the mid rate, in millionths."""


SPREADS = Table(
    "spreads",
    SpreadColumn,
    {
        SpreadColumn.FROM_US: Between(0),
        SpreadColumn.AT_LEAST: Between(0),
        SpreadColumn.PPM: Between(0),
    },
)

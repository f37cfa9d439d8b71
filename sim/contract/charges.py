"""What a price is made of: kinds of fees, who bears them, which side an amount fixes.

Takes nothing; gives enumerations, in whose docstrings the meaning of each member is said. A part of
:mod:`sim.contract.meaning`, which hands the names on.
"""

from __future__ import annotations

from enum import IntEnum

DESK = " of "
"""Stands in the name of a pair before whose own rates it holds: ``USD/KHR of lotus_bank 4030``."""


class FeeKind(IntEnum):
    """How a fee follows from its BASE register, is kept in bounds and then rounded down to GRANULE.

    Bounds are MINIMUM and MAXIMUM (below 0: none).
    """

    FIXED = 0
    """FIXED."""
    PROPORTIONAL = 1
    """FIXED + floor(base * PPM / 10^6)."""
    TIERED = 2
    """Of the first tier with ``base <= UP_TO`` (below 0: no end): its FIXED + floor(base * PPM /
    10^6). The last tier has no end."""
    SURCHARGE = 3
    """0 while ``base <= THRESHOLD``, else FIXED + floor(base * PPM / 10^6), on the whole amount;
    MINIMUM and MAXIMUM only where the fee is not 0."""


class Bearer(IntEnum):
    """Who bears a fee (ISO 20022 charge bearer DEBT, CRED)."""

    DEBTOR = 0
    CREDITOR = 1
    AGENT = 2
    """An institution between the two: what its own conversion costs it. In no price of the payer
    and in nothing the payee is charged."""


class FixedSide(IntEnum):
    """Side of the payment the instructed amount fixes."""

    CREDITOR = 0
    DEBTOR = 1


class Rounding(IntEnum):
    """How often a price with conversions is rounded. Users write the name in lower case."""

    ONCE = 0
    """The payer's bill is rounded once, half up, and nothing before it. What is settled is a line
    of the clearing file: the unrounded settlement amount, rounded half up for itself, on which no
    price rests. Remainders stay on the books of the FX providers."""
    EACH_STEP = 1
    """Every conversion rounds to a whole minor unit what it asks for at mid rate, and to a whole
    granule what it asks for with its spread: up where the payee's amount is fixed, down where the
    payer's is."""

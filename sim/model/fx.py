"""The foreign exchange market as a scenario writes it: mid rates and how they move.

Takes text as people write it (through :mod:`sim.model`); gives frozen, checked values. Paths of
rates are worked out by the compiler (:mod:`sim.compiler.prices`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sim.contract.charges import Rounding
from sim.model.base import Model
from sim.model.defaults import assumed
from sim.model.quantities import CurrencyPair, DecimalText, PositiveDurationUs, SharePpb

if TYPE_CHECKING:
    RoundingName = str
else:
    # Roundings are named once, where they are specified.
    RoundingName = Literal[tuple(rounding.name.lower() for rounding in Rounding)]

SUFFIXES = (".csv",)
"""How a file of rates may end: text with a header line."""


class RateFile(Model):
    """Recorded or supposed rates of one pair, a row of a file for each."""

    file: str
    """CSV with the columns `at` (time since the start, or an instant with its offset) and `rate`,
    relative to the file that names it; rows in order of time. A rate holds until the next row;
    before the first one `rate` holds. Rates move in steps (`fx.step`): a row acts from the first
    step at or after its instant."""
    digest: str | None = None
    """Digest of the file's bytes (BLAKE2b); another content is refused. Run folders write it."""


class MidRate(Model):
    """The market's mid rate of one pair."""

    rate: DecimalText
    """Units of the second currency per unit of the first, at the start."""
    daily_volatility: SharePpb = 0
    """Standard deviation of the daily log return; 0 keeps the rate constant."""
    path: RateFile | None = None
    """File the rate's course is read from, in place of a volatility; jumps (`disruptions`) come on
    top of it."""


class Fx(Model):
    """The foreign exchange market."""

    mid: dict[CurrencyPair, MidRate] = {}
    """Mid rates by pair; pairs without one are crossed through the US dollar, or else through the
    first currency, by its code, that has a rate to both. What is crossed or turned over is kept to
    nine digits."""
    step: PositiveDurationUs = assumed(60_000_000, "rates move once a minute")
    """How often mid rates move."""
    rounding: RoundingName = assumed(
        "once", "schemes bill the payer once, half up, and clear net; no scheme publishes its rule"
    )
    """How often a price with conversions is rounded: `once`, half up, what the payer is billed; or
    `each_step`, up at every conversion and spread."""

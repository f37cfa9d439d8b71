"""Numbers with the unit they are written in, and how they become larger or smaller.

Takes text in the number grammar; gives :class:`Magnitude`, and :data:`UNITS`, the one table of
units: what each measures, how much of it one is and to how many digits it is written. Durations,
amounts, rates and counts are multiplied; a share is multiplied below one half, and above it its
complement is divided, so that it stays between 0 and 100 %.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from sim.model.number_text import NUMBER, SPACE, plain_digits
from sim.units import CURRENCIES, Currency, declared_currencies

_MAGNITUDE = re.compile(
    rf"\s*(?P<number>{NUMBER}){SPACE}*(?P<unit>|%|/?{SPACE}*[A-Za-z]+(?: [A-Za-z]+)?)\s*"
)


class Form(StrEnum):
    """What kind of value a field holds, hence how it can be larger or smaller."""

    SHARE = "share"
    """From 0 to 100 %, in parts per billion."""
    FEE = "fee"
    """From 0 to 100 % of an amount, in parts per million."""
    WHOLE = "whole number"
    """A count."""
    AMOUNT = "amount"
    """Money in the currency of its field."""
    NUMBER = "number"
    """A number, with a unit or without."""
    DISTRIBUTION = "distribution"
    """Of durations or amounts; its size moves and its shape stays."""
    WEIGHTS = "weights"
    """Whole numbers of which only the proportions count."""
    CHOICE = "choice"
    """One of several words: a currency of the scenario, or what the field lists."""
    WORD = "word"
    """A name or a date."""
    LISTED = "in a list"
    """Whatever stands in a list, which is set only as a whole."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: what it measures, how much of it one is, and digits after the point."""

    of: str
    size: Fraction
    decimals: int = 6


def _money(currency: Currency) -> Unit:
    """Return the unit money of a currency is written in."""
    return Unit(currency.code, Fraction(1), 0 if currency.granule > 1 else currency.exponent)


_DAY = Unit("time", Fraction(86_400))
UNITS = {
    "us": Unit("time", Fraction(1, 10**6), 0),
    "ms": Unit("time", Fraction(1, 1000), 3),
    "s": Unit("time", Fraction(1)),
    "min": Unit("time", Fraction(60)),
    "h": Unit("time", Fraction(3600)),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    "/s": Unit("rate", Fraction(1)),
    "/min": Unit("rate", Fraction(1, 60)),
    **dict.fromkeys(("/h", "/hour"), Unit("rate", Fraction(1, 3600))),
    **dict.fromkeys(("/d", "/day"), Unit("rate", 1 / _DAY.size)),
    "": Unit("number", Fraction(1)),
    "share": Unit("share", Fraction(1), 9),
    "%": Unit("share", Fraction(1, 100)),
    "bps": Unit("share", Fraction(1, 10_000)),
    **dict.fromkeys(("business day", "business days"), Unit("business days", Fraction(1))),
    **{code: _money(currency) for code, currency in CURRENCIES.items()},
}
"""Those every scenario may write; currencies it declares are units there, too."""


def find_unit(name: str) -> Unit | None:
    """Return a unit by its name, None where there is none of it here."""
    if name in UNITS:
        return UNITS[name]
    declared = declared_currencies().get(name)
    return None if declared is None else _money(declared)


_SHARE_DIGITS = {Form.SHARE: 9, Form.FEE: 6}
"""Digits after the point to which a share of 1 is kept."""
_MONEY_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Magnitude:
    """A number with the unit it is written in."""

    number: Decimal
    unit: str

    @classmethod
    def read(cls, text: object) -> Magnitude | None:
        """Read a number with its unit, None where the text is none."""
        found = _MAGNITUDE.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return None
        return cls(Decimal(plain_digits(found["number"])), found["unit"].replace("/ ", "/"))

    def __str__(self) -> str:
        return f"{self.number:f} {self.unit}".strip()

    @property
    def share(self) -> float:
        """Return a share as a number from 0 to 1."""
        return float(self.number) * float(UNITS[self.unit].size)

    def in_unit(self, unit: str) -> Magnitude | None:
        """Return the same in another unit of what this one measures, None where it is none."""
        if self.unit == unit:
            return self
        own, wanted = find_unit(self.unit), find_unit(unit)
        if own is None or wanted is None or own.of != wanted.of:
            return None
        ratio = own.size / wanted.size
        return Magnitude(self.number * ratio.numerator / ratio.denominator, unit)

    def rounded(self, digits: int | None = None) -> Magnitude:
        """Return the number rounded to some digits after the point, or to those of its unit."""
        if digits is None:
            digits = (find_unit(self.unit) or UNITS[""]).decimals
        number = self.number.quantize(Decimal(1).scaleb(-digits)).normalize()
        return Magnitude(number, self.unit)

    def scaled(self, factor: float, form: Form) -> Magnitude:
        """Return the magnitude multiplied, as its form allows.

        Parameters
        ----------
        factor : float
            Above 0.
        form : Form
            Of the field it stands in.
        """
        if form in _SHARE_DIGITS:
            size = UNITS[self.unit].size
            share = moved_share(self.share, factor) / float(size)
            shift = len(str(size.denominator)) - 1
            return Magnitude(Decimal(repr(share)), self.unit).rounded(_SHARE_DIGITS[form] - shift)
        moved = Magnitude(self.number * Decimal(repr(factor)), self.unit)
        is_whole = self.number == int(self.number)
        own = find_unit(self.unit)
        # Of all units money alone is measured in itself.
        is_coarse = own is not None and own.of == self.unit and own.decimals == 0
        if form is Form.WHOLE or (form is Form.AMOUNT and is_whole) or is_coarse:
            # A count stays a count, and never becomes none at all.
            least = Decimal(min(1, int(self.number)))
            number = max(moved.number.to_integral_value(), least)
            return Magnitude(number, self.unit).rounded(0)
        return moved.rounded(_MONEY_DIGITS if form is Form.AMOUNT else None)


def moved_share(share: float, factor: float) -> float:
    """Multiply a share that is below one half; above, divide its complement.

    Parameters
    ----------
    share : float
        Between 0 and 1.
    factor : float
        Above 0.

    Notes
    -----
    ``u`` up to 1/2 and ``1 - 1 / (4 u)`` beyond meet with the same slope, so the share is a smooth
    function of the factor: 3 % becomes 1.5 % to 6 %, 70 % becomes 42 % to 85 %. All of something
    has no complement to divide, and stays all of it.
    """
    if share >= 1:
        return share
    there = stretched(share) * factor
    return there if there <= 0.5 else 1 - 1 / (4 * there)


def stretched(share: float) -> float:
    """Return what a factor multiplies: the share up to one half, beyond it without bound."""
    return share if share <= 0.5 else 1 / (4 * (1 - share))

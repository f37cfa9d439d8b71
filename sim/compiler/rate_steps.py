"""The course of an exchange rate, step by step and exactly.

Takes rates and what they are multiplied with or crossed by; gives whole numbers, rounded once. A
year has half a million steps, so a course is one fraction for all of them, times a whole number
over another for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import lcm

Whole = tuple[int, ...]
TWELVE_DIGITS = 10**12


@dataclass(frozen=True, slots=True)
class RateSteps:
    """A rate at every step, as a factor times a whole number over another.

    Attributes
    ----------
    factor : Fraction
    over, under : tuple of int
        Numerator and denominator of each step; the last ones hold from there on.
    """

    factor: Fraction
    over: Whole = (1,)
    under: Whole = (1,)

    @classmethod
    def of(cls, rates: Sequence[Fraction]) -> RateSteps:
        """Return the course of a list of rates."""
        unit = lcm(*(rate.denominator for rate in rates))
        over = tuple(rate.numerator * (unit // rate.denominator) for rate in rates)
        return cls(Fraction(1, unit), over)

    @property
    def start(self) -> Fraction:
        """Return the rate of the first step."""
        return self.factor * Fraction(self.over[0], self.under[0])

    def inverted(self) -> RateSteps:
        """Return one over every rate."""
        return RateSteps(1 / self.factor, self.under, self.over)

    def times(self, ratio: Fraction) -> RateSteps:
        """Return every rate times the same."""
        return replace(self, factor=self.factor * ratio)

    def crossed(self, other: RateSteps) -> RateSteps:
        """Return every rate over the other's of the same step."""
        return RateSteps(
            self.factor / other.factor,
            _product(self.over, other.under),
            _product(self.under, other.over),
        )

    def jumped(self, step: int, ratio: Fraction) -> RateSteps:
        """Return the rates before a step, and from it on those times a ratio."""
        over = _lasting(self.over, step + 1)
        before, after = ratio.denominator, ratio.numerator
        moved = (*(one * before for one in over[:step]), *(one * after for one in over[step:]))
        return replace(self, factor=self.factor / ratio.denominator, over=moved)

    def whole(self, rounded: Callable[[int, int], int]) -> list[int]:
        """Return every rate as a whole number.

        Parameters
        ----------
        rounded : callable
            Makes a whole number of a numerator and a denominator above 0: :func:`floor`,
            :func:`ceiling` or :func:`half_even`.
        """
        over, under = self.factor.numerator, self.factor.denominator
        pairs = _alike(self.over, self.under)
        return [rounded(n * over, d * under) for n, d in pairs]


def floor(numerator: int, denominator: int) -> int:
    """Return the greatest whole number not above a quotient."""
    return numerator // denominator


def ceiling(numerator: int, denominator: int) -> int:
    """Return the least whole number not below a quotient."""
    return -(-numerator // denominator)


def half_even(numerator: int, denominator: int) -> int:
    """Return the whole number nearest to a quotient; of two as near, the even one."""
    below, rest = divmod(numerator, denominator)
    return below + (2 * rest + (below & 1) > denominator)


def twelve_digits(rate: float) -> int:
    """Return a number above 0 in units of 10^-12, by its decimal text of twelve digits.

    Notes
    -----
    Through decimal text, so that the last digit of ``exp``, which differs between mathematical
    libraries, does not reach the plan.
    """
    return int(Decimal(repr(round(rate, 12))) * TWELVE_DIGITS)


def _alike(left: Whole, right: Whole) -> Iterator[tuple[int, int]]:
    """Yield entries side by side, of the shorter one the last as long as needed."""
    length = max(len(left), len(right))
    return zip(_lasting(left, length), _lasting(right, length), strict=True)


def _lasting(values: Whole, length: int) -> Whole:
    """Return values whose last one holds up to a length at least."""
    return values + values[-1:] * (length - len(values))


def _product(left: Whole, right: Whole) -> Whole:
    return tuple(a * b for a, b in _alike(left, right))

"""A course of rates is exact until it is rounded, once, to whole numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.compiler.rate_steps import RateSteps, ceiling, floor, half_even, twelve_digits

F = Fraction


def test_a_course_is_crossed_inverted_and_jumped_exactly() -> None:
    # 4,000 riel and, from step 2 on, 4,400 (a jump by 1.1) for a dollar; 7, 7.5 and 8 yuan.
    riel = RateSteps(F(4000)).jumped(2, F(11, 10))
    yuan = RateSteps.of([F(7), F(15, 2), F(8)])
    assert yuan.start == 7
    # Riel for a yuan, in thousandths: 4,000 / 7 = 571.428571, / 7.5 = 533.333, 4,400 / 8 = 550.
    crossed = riel.crossed(yuan)
    assert crossed.start == F(4000, 7)
    assert crossed.times(F(1000)).whole(floor) == [571_428, 533_333, 550_000]
    assert crossed.times(F(1000)).whole(ceiling) == [571_429, 533_334, 550_000]
    # Yuan for a riel, in 10^-9: 7 / 4,000 = 0.00175, 7.5 / 4,000 = 0.001875, 8 / 4,400.
    back = crossed.inverted().times(F(10**9))
    assert back.whole(half_even) == [1_750_000, 1_875_000, 1_818_182]


def test_the_last_rate_holds_where_the_other_course_is_longer() -> None:
    short, long = RateSteps.of([F(2), F(3)]), RateSteps.of([F(1), F(1), F(6), F(12)])
    assert long.crossed(short).times(F(6)).whole(floor) == [3, 2, 12, 24]
    assert short.crossed(long).times(F(4)).whole(floor) == [8, 12, 2, 1]
    # A second jump, beyond what is known: 2, 3, 3, 3, 3 and then a third of it.
    assert short.jumped(5, F(1, 3)).whole(floor) == [2, 3, 3, 3, 3, 1]


@pytest.mark.parametrize(
    ("rounded", "exact"), [(floor, math.floor), (ceiling, math.ceil), (half_even, round)]
)
@given(n=st.integers(-(10**30), 10**30), d=st.integers(1, 10**6))
def test_whole_numbers_are_rounded_as_fractions_are(
    rounded: Callable[[int, int], int], exact: Callable[[Fraction], int], n: int, d: int
) -> None:
    assert rounded(n, d) == exact(F(n, d))


def test_of_two_as_near_the_even_one_is_taken() -> None:
    assert [half_even(n, 2) for n in (1, 3, 5, 7)] == [0, 2, 2, 4]


@given(st.floats(1e-9, 1e6))
def test_twelve_digits_are_those_of_the_decimal_text(rate: float) -> None:
    assert twelve_digits(rate) == Decimal(repr(round(rate, 12))) * 10**12

"""Prices that are rounded once, by hand and against exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contract.charges import Rounding
from sim.contract.layout import MICRO, RATE_MAX
from sim.contract.plan import Array
from sim.contract.records import REGISTER_COUNT, Register
from sim.money.exchange import nearest, times, value_at_mid
from sim.money.pricing import price_payment

NO_FEES = np.zeros((0, 16), dtype=np.int64)
NO_TIERS = np.zeros((0, 3), dtype=np.int64)
STEP_US = 60


def array(*rows: tuple[int, ...]) -> Array:
    return np.array(rows, dtype=np.int64)


# Yuan buy dollars at 7.1875 with 1 %, dollars buy riel at 4000 with 0.12 %; riel in whole ones.
CONVERSION = array((0, 0, 10_000, 0, 0), (1, 1, 1_200, 0, 0))
NO_SPREADS = np.zeros((0, 3), dtype=np.int64)
RATE = array((71_875, 72_000), (4_000, 4_000))
SCALE = np.array([10_000, 1], dtype=np.int64)
RIEL = 100


def price(
    conversions: tuple[int, int], side: int, granules: tuple[int, int, int], instructed: int,
    *, rounding: Rounding = Rounding.ONCE, conversion: Array = CONVERSION, rate: Array = RATE,
    scale: Array = SCALE, now_us: int = 0,
) -> dict[str, int]:  # fmt: skip
    registers = np.full(REGISTER_COUNT, -77, dtype=np.int64)
    row = array((*conversions, side, 0, 0, *granules, 0, 0, 0, -1, -1, int(rounding), 0))
    market = (conversion, rate, scale, NO_SPREADS, NO_FEES, NO_TIERS, STEP_US)
    price_payment(row, *market, 0, instructed, now_us, 0, registers)
    return {member.name: int(registers[member]) for member in Register if member < Register.FEE_0}


def test_coming_in_the_bill_is_rounded_once() -> None:
    """41 300 riel are paid by a wallet in yuan, settled in dollars.

    Dollars at mid 4 130 000 / 4000 = 1032.5 cents, with 0.12 % 1033.739; yuan at mid 1033.739 *
    7.1875 = 7429.9990625, carried as 7429.999063; with 1 % 7504.29905363, as 7504.299054. Billed
    7504 fen, settled 1034 cents; at mid 7430 and (half up) 1033. Worth 1032.5 * 7.1875, which is
    7421.09375: 7421, so the margin is 83. The spreads make 7504.299054 - 7421.09375 = 83.205304;
    rounding takes 0.205304 off it. At 7.2, a step later: 1032.5 * 7.2 = 7434, drift 13.
    """
    got = price((0, 1), 0, (1, 1, RIEL), 4_130_000)
    assert got == {
        "INSTRUCTED": 4_130_000, "DEBITED": 7_504, "SETTLEMENT": 1_034,
        "CREDITED_GROSS": 4_130_000, "CREDITED": 4_130_000,
        "MID_1": 7_430, "SPREAD_1": 74, "MID_2": 1_033, "SPREAD_2": 1,
        "FX_MARGIN": 83, "FX_DRIFT": 0, "PAYER_FEE": 0, "MERCHANT_FEE": 0,
        "FX_ROUNDING": -205_304,
    }  # fmt: skip
    assert price((0, 1), 0, (1, 1, RIEL), 4_130_000, now_us=STEP_US)["FX_DRIFT"] == 13


def test_going_out_riel_are_billed_whole() -> None:
    """50 yuan are paid in riel, settled in yuan; 0.8 % at 556.521739 riel to a yuan.

    At mid 5000 * 556.521739 = 2 782 608.695 hundredths of a riel, with 0.8 % 2 804 869.56456.
    Billed in whole riel 2 804 900, at mid 2 782 600, worth 2 782 600: margin 22 300. The spread
    makes 22 260.86956, so rounding makes 39.13044.
    """
    got = price(
        (0, -1), 0, (RIEL, 1, 1), 5_000, conversion=array((0, 0, 8_000, 0, 0)),
        rate=array((556_521_739,)), scale=np.array([10**6], dtype=np.int64),
    )  # fmt: skip
    assert (got["DEBITED"], got["MID_1"], got["SPREAD_1"]) == (2_804_900, 2_782_600, 22_300)
    assert (got["SETTLEMENT"], got["CREDITED"], got["FX_MARGIN"]) == (5_000, 5_000, 22_300)
    assert got["FX_ROUNDING"] == 39_130_440


def test_sent_amounts_are_paid_out_rounded_down() -> None:
    """100 yuan are sent, paid out in riel through dollars.

    Less 1 %: 10 000 / 1.01 = 9900.990099 fen, 9900.990099 / 7.1875 = 1377.5290572 cents, carried as
    1377.529057; less 0.12 % 1375.878003; * 4000 = 5 503 512.012: 55 035 riel, 12 hundredths cut.
    Settled 1378 cents, at mid 9901 fen and 1376 cents. Worth 5 503 500 / 4000 * 7.1875 =
    9889.1015625: 9889, margin 111. Less both spreads 9900.990099 / 1.0012 = 9889.1231512 are left,
    carried as 9889.123151; the spreads make 110.876849, rounding 0.123151.
    """
    got = price((0, 1), 1, (1, 1, RIEL), 10_000)
    assert (got["DEBITED"], got["SETTLEMENT"], got["CREDITED"]) == (10_000, 1_378, 5_503_500)
    assert (got["MID_1"], got["SPREAD_1"], got["MID_2"], got["SPREAD_2"]) == (9_901, 99, 1_376, 2)
    assert (got["FX_MARGIN"], got["FX_ROUNDING"]) == (111, 123_151)


def test_halves_are_rounded_up_and_the_least_bill_is_one_granule() -> None:
    half = array((0, 0, 0, 0, 0))
    rate, scale = array((1,)), np.array([2], dtype=np.int64)
    # 5 at one half is 2.5: 3, and worth 3 as well.
    got = price((0, -1), 0, (1, 1, 1), 5, conversion=half, rate=rate, scale=scale)
    assert (got["DEBITED"], got["FX_MARGIN"], got["FX_ROUNDING"]) == (3, 0, 0)
    # 1 at one half is worth 1, by rounding; at a quarter 0, and the bill is 1 all the same.
    quarter = np.array([4], dtype=np.int64)
    got = price((0, -1), 0, (1, 1, 1), 1, conversion=half, rate=rate, scale=quarter)
    assert (got["DEBITED"], got["FX_MARGIN"], got["FX_ROUNDING"]) == (1, 1, MICRO)
    # Without a first conversion it is the settlement that is billed.
    got = price((-1, 0), 0, (1, 1, 1), 1, conversion=half, rate=rate, scale=quarter)
    assert (got["DEBITED"], got["SETTLEMENT"], got["MID_2"]) == (1, 1, 0)


@settings(deadline=None)
@given(
    whole=st.integers(0, 2**53 - 1), part=st.integers(0, MICRO - 1),
    num=st.integers(1, RATE_MAX - 1), den=st.integers(1, RATE_MAX - 1),
)  # fmt: skip
def test_an_amount_is_carried_to_the_nearest_millionth(
    whole: int, part: int, num: int, den: int
) -> None:
    exact = (whole + Fraction(part, MICRO)) * num / den
    if exact < 2**62:
        made = times(whole, part, num, den)
        assert 0 <= made[1] < MICRO
        assert made[0] * MICRO + made[1] == math.floor(exact * MICRO + Fraction(1, 2))


def _half_up(value: Fraction, granule: int) -> int:
    return math.floor(value / granule + Fraction(1, 2)) * granule


def _micro(value: Fraction) -> Fraction:
    return Fraction(math.floor(value * MICRO + Fraction(1, 2)), MICRO)


@settings(deadline=None)
@given(whole=st.integers(0, 10**6), part=st.integers(0, MICRO - 1), granule=st.integers(1, 100))
def test_nearest_is_half_up(whole: int, part: int, granule: int) -> None:
    expected = _half_up(whole + Fraction(part, MICRO), granule)
    assert nearest(whole, part, granule) == expected


@settings(deadline=None, max_examples=300)
@given(
    steps=st.integers(1, 2**27), side=st.integers(0, 1),
    has=st.tuples(st.booleans(), st.booleans()),
    inverted=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    rates=st.tuples(st.integers(500, 2**17), st.integers(500, 2**17)),
    scales=st.tuples(st.integers(500, 2**17), st.integers(500, 2**17)),
    spreads=st.tuples(st.integers(0, 200_000), st.integers(0, 200_000)),
    granules=st.tuples(*(st.sampled_from([1, 10, 100]) for _ in range(3))),
    rounding=st.sampled_from(Rounding),
)  # fmt: skip
def test_no_money_comes_or_goes_by_rounding(
    steps: int, side: int, has: tuple[bool, bool], inverted: tuple[int, int],
    rates: tuple[int, int], scales: tuple[int, int], spreads: tuple[int, int],
    granules: tuple[int, int, int], rounding: Rounding,
) -> None:  # fmt: skip
    """Whatever the rates, what is posted is whole, never below zero, and adds up."""
    # Currencies have one granule: amounts that nothing converts have the same one.
    grain = list(granules)
    grain[1] = grain[1] if has[0] else grain[0]
    grain[2] = grain[2] if has[1] else grain[1]
    conversions = (0 if has[0] else -1, 1 if has[1] else -1)
    instructed = steps * (grain[2] if side == 0 else grain[0])
    conversion = array((0, inverted[0], spreads[0], 0, 0), (1, inverted[1], spreads[1], 0, 0))
    rate, scale = array((rates[0],), (rates[1],)), np.array(scales, dtype=np.int64)
    got = price(
        conversions, side, (grain[0], grain[1], grain[2]), instructed, rounding=rounding,
        conversion=conversion, rate=rate, scale=scale,
    )  # fmt: skip
    assert got["DEBITED"] == got["MID_1"] + got["SPREAD_1"]
    assert got["SETTLEMENT"] == got["MID_2"] + got["SPREAD_2"]
    for name in ("DEBITED", "SETTLEMENT", "MID_1", "SPREAD_1", "MID_2", "SPREAD_2"):
        assert got[name] >= 0
    # What the second provider keeps of the margin is no less than nothing, either.
    assert 0 <= got["SPREAD_1"] * has[1] <= got["FX_MARGIN"]
    mids = [Fraction(rates[leg], scales[leg]) if has[leg] else Fraction(1) for leg in range(2)]
    costs = [
        1 / mid if flag and used else mid
        for mid, flag, used in zip(mids, inverted, has, strict=True)
    ]
    factors = [1 + Fraction(spreads[leg] if has[leg] else 0, 10**6) for leg in range(2)]
    if side == 0:
        value = _micro(_micro(instructed * costs[1]) * costs[0])
        settled = _micro(_micro(instructed * costs[1]) * factors[1])
        bill = _micro(_micro(settled * costs[0]) * factors[0])
        alone = bill - value
    else:
        alone = instructed - _micro(_micro(instructed / factors[0]) / factors[1])
    assert got["FX_ROUNDING"] == (got["FX_MARGIN"] - alone) * MICRO
    if rounding is Rounding.ONCE and side == 0:
        by = grain[0] if has[0] else grain[1]
        due = instructed if not any(has) else max(_half_up(bill, by), by)
        assert got["DEBITED"] == due
        row = array((*conversions, side, 0, 0, *grain, 0, 0, 0, -1, -1, 0))
        worth = value_at_mid(row, conversion, rate, scale, STEP_US, 0, instructed, 0)
        assert worth == (instructed if not any(has) else _half_up(value, by))

"""Fees and exchange, by hand and against exact fractions; prices here round at each step."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.contract.charges import Rounding
from sim.contract.layout import AMOUNT_MAX, RATE_MAX
from sim.contract.meaning import FeeKind
from sim.contract.plan import Array
from sim.contract.records import REGISTER_COUNT, Register
from sim.money.exchange import mid_cost, mid_value, mul_div_ceil, mul_div_floor, worth_at_mid
from sim.money.fees import fee_amount
from sim.money.pricing import price_payment

NO_TIERS = np.zeros((0, 3), dtype=np.int64)
TIERS = np.array([[100, 5, 0], [1_000, 0, 20_000], [-1, 10, 10_000]], dtype=np.int64)
FX_STEP_US = 60


def array(*rows: tuple[int, ...]) -> Array:
    return np.array(rows, dtype=np.int64)


def fee_row(
    kind: FeeKind,
    *,
    base: int = Register.DEBITED,
    fixed: int = 0,
    ppm: int = 0,
    threshold: int = -1,
    minimum: int = -1,
    maximum: int = -1,
    tiers: tuple[int, int] = (0, 0),
    granule: int = 1,
    bearer: int = 0,
) -> tuple[int, ...]:
    values = (kind, base, fixed, ppm, threshold, minimum, maximum, *tiers, granule, bearer)
    return (*(int(value) for value in values), -1, -1, -1, -1, -1)


# The first call compiles, so no deadline.
@settings(deadline=None)
@given(
    a=st.integers(0, AMOUNT_MAX - 1),
    num=st.integers(0, RATE_MAX - 1),
    den=st.integers(1, RATE_MAX - 1),
)
def test_mul_div_is_exact_wherever_the_result_fits(a: int, num: int, den: int) -> None:
    if a * num // den < 2**62:
        assert mul_div_floor(a, num, den) == a * num // den
        assert mul_div_ceil(a, num, den) == -(-a * num // den)


@pytest.mark.parametrize(
    ("row", "base", "expected"),
    [
        (fee_row(FeeKind.FIXED, fixed=70, ppm=999_999), 10_000, 70),
        # 3 + floor(999 * 15000 / 10^6) = 3 + floor(14.985) = 17
        (fee_row(FeeKind.PROPORTIONAL, fixed=3, ppm=15_000), 999, 17),
        (fee_row(FeeKind.PROPORTIONAL, ppm=15_000, minimum=20), 999, 20),
        (fee_row(FeeKind.PROPORTIONAL, ppm=15_000, maximum=12), 999, 12),
        (fee_row(FeeKind.PROPORTIONAL, ppm=15_000, maximum=0), 999, 0),
        # set the wrong way round, the maximum holds
        (fee_row(FeeKind.PROPORTIONAL, ppm=15_000, minimum=20, maximum=13), 999, 13),
        # minimum 150 first, then down to whole hundreds
        (fee_row(FeeKind.PROPORTIONAL, ppm=10_000, minimum=150, granule=100), 5_000, 100),
        (fee_row(FeeKind.TIERED, tiers=(0, 3)), 100, 5),
        # 101 is past the first tier: floor(101 * 0.02) = 2
        (fee_row(FeeKind.TIERED, tiers=(0, 3)), 101, 2),
        (fee_row(FeeKind.TIERED, tiers=(0, 3)), 1_000, 20),
        # past the second: 10 + floor(1001 * 0.01) = 20
        (fee_row(FeeKind.TIERED, tiers=(0, 3)), 1_001, 20),
        (fee_row(FeeKind.TIERED, tiers=(2, 1)), 1, 10),
        (fee_row(FeeKind.SURCHARGE, ppm=30_000, threshold=200, minimum=1), 200, 0),
        # on the whole 201, not on the 1 above: floor(6.03)
        (fee_row(FeeKind.SURCHARGE, ppm=30_000, threshold=200), 201, 6),
        (fee_row(FeeKind.SURCHARGE, ppm=30_000, threshold=200, minimum=9), 201, 9),
        # 0.3 rounds down to 0, and the minimum only applies where there is a fee
        (fee_row(FeeKind.SURCHARGE, ppm=30_000, threshold=5, minimum=9), 10, 0),
    ],
)
def test_fee(row: tuple[int, ...], base: int, expected: int) -> None:
    assert fee_amount(array(row), TIERS, 0, base) == expected


@pytest.mark.parametrize(
    ("inverted", "time_us", "cost", "value"),
    [
        # 7.2 quote per base, then 8.0, which holds for ever. Buying 101 base costs
        # ceil(101 * 7.2) = ceil(727.2) = 728; 101 quote buy floor(101 / 7.2) = 14.
        (0, 0, 728, 14),
        (0, 59, 728, 14),
        (0, 60, 808, 12),
        (0, 10_000, 808, 12),
        # inverted: 101 quote cost ceil(101 / 7.2) = ceil(14.03) = 15 base; 101 base give 727
        (1, 59, 15, 727),
        (1, 60, 13, 808),
    ],
)
def test_mid_rates_by_direction_and_time(
    inverted: int, time_us: int, cost: int, value: int
) -> None:
    conversion = array((0, inverted, 0, 0, 0))
    rate, scale = array((72_000, 80_000)), np.array([10_000], dtype=np.int64)
    assert mid_cost(conversion, rate, scale, FX_STEP_US, 0, 101, time_us) == cost
    assert mid_value(conversion, rate, scale, FX_STEP_US, 0, 101, time_us) == value


# Pair 0 is bought with its quote currency, pair 1 with its base.
CONVERSION = array((0, 0, 10_000, 0, 0), (1, 1, 20_000, 0, 0))
NO_SPREADS = np.zeros((0, 3), dtype=np.int64)
RATE = array((72_000, 80_000), (40_000, 50_000))
SCALE = np.array([10_000, 10], dtype=np.int64)


def price(
    pricing: tuple[int, ...],
    fees: Array,
    *,
    instructed: int,
    now_us: int = 60,
    submitted_us: int = 0,
) -> tuple[int, dict[str, int], list[int]]:
    registers = np.full(REGISTER_COUNT, -77, dtype=np.int64)
    usable = price_payment(
        array(pricing),
        CONVERSION,
        RATE,
        SCALE,
        NO_SPREADS,
        fees,
        TIERS,
        FX_STEP_US,
        0,
        instructed,
        now_us,
        submitted_us,
        registers,
    )
    named = {member.name: int(registers[member]) for member in Register if member < Register.FEE_0}
    return usable, named, registers[Register.FEE_0 :].tolist()


def pricing_row(
    *,
    conversions: tuple[int, int],
    side: int,
    fees: int = 0,
    granules: tuple[int, int, int] = (1, 1, 1),
) -> tuple[int, ...]:
    return (*conversions, side, 0, fees, *granules, 0, 0, 0, -1, -1, int(Rounding.EACH_STEP), 0)


NO_FEES = np.zeros((0, 16), dtype=np.int64)


def test_creditor_fixed_two_conversions_backwards() -> None:
    """4050 riel-like units to be credited, bought with settlement, bought with debited currency.

    Second conversion (inverted, 50000/10 = 5000 per unit at 60 us, 4000 before): mid =
    ceil(405000 * 10 / 50000) = 81; spread 2 %: ceil(1.62) = 2; paid 83, up to tens: 90.
    First (8.0 at 60 us, 7.2 before): mid = 90 * 8 = 720; spread 1 %: ceil(7.2) = 8; 728, up to
    hundreds: 800. Value of 405000 now: 81 settlement, 648 debited; margin 800 - 648 = 152.
    At submission: 405000 * 10 / 40000 = 101.25, not rounded, * 7.2 = 729; drift 648 - 729 = -81.
    Spreads alone: 81 * 1.02 = 82.62, * 8 = 660.96, * 1.01 = 667.5696, less 648 = 19.5696; so of the
    margin 152 - 19.5696 = 132.4304 is rounding.
    """
    row = pricing_row(conversions=(0, 1), side=0, granules=(100, 10, 100))
    usable, got, fees = price(row, NO_FEES, instructed=405_000)
    assert usable == 1
    assert got == {
        "INSTRUCTED": 405_000,
        "DEBITED": 800,
        "SETTLEMENT": 90,
        "CREDITED_GROSS": 405_000,
        "CREDITED": 405_000,
        "MID_1": 720,
        "SPREAD_1": 80,
        "MID_2": 81,
        "SPREAD_2": 9,
        "FX_MARGIN": 152,
        "FX_DRIFT": -81,
        "PAYER_FEE": 0,
        "MERCHANT_FEE": 0,
        "FX_ROUNDING": 132_430_400,
    }
    assert fees == [0] * 8


def test_debtor_fixed_two_conversions_forwards_with_fees() -> None:
    """1000 debited: mid = floor(1000 / 1.01) = 990, spread 10; buys floor(990 / 8) = 123, 120.

    Second: mid = floor(120 / 1.02) = 117, spread 3; 117 * 5000 = 585000, in steps of 1000.
    Value of that: 117 settlement, 936 debited: margin 64. At submission: 585000 / 4000 = 146.25,
    not rounded, * 7.2 = 1053: drift 936 - 1053 = -117.
    Fees: debtor 1 % of 1000 = 10 and fixed 7; creditor 1 % of 585000 = 5850, down to thousands.
    Spreads alone leave 1000 / 1.01 = 990.099010, / 1.02 = 970.685304 (to the millionth) of 1000, so
    they make 29.314696, and 64 - 29.314696 = 34.685304 is rounding.
    """
    fees = array(
        fee_row(FeeKind.PROPORTIONAL, ppm=10_000),
        fee_row(
            FeeKind.PROPORTIONAL,
            base=Register.CREDITED_GROSS,
            ppm=10_000,
            granule=1_000,
            bearer=1,
        ),
        fee_row(FeeKind.FIXED, fixed=7),
    )
    row = pricing_row(conversions=(0, 1), side=1, fees=3, granules=(1, 10, 1_000))
    usable, got, slots = price(row, fees, instructed=1_000)
    assert usable == 1
    assert slots == [10, 5_000, 7, 0, 0, 0, 0, 0]
    assert got == {
        "INSTRUCTED": 1_000,
        "DEBITED": 1_000,
        "SETTLEMENT": 120,
        "CREDITED_GROSS": 585_000,
        "CREDITED": 580_000,
        "MID_1": 990,
        "SPREAD_1": 10,
        "MID_2": 117,
        "SPREAD_2": 3,
        "FX_MARGIN": 64,
        "FX_DRIFT": -117,
        "PAYER_FEE": 17,
        "MERCHANT_FEE": 5_000,
        "FX_ROUNDING": 34_685_304,
    }


def test_what_is_rounded_at_the_settlement_currency_is_margin() -> None:
    """1000 to be credited at 5000 per unit are 0.2 settlement, asked as mid 1, spread ceil(0.02).

    The 2 cost 2 * 8 = 16 at mid, spread ceil(0.16) = 1: 17. The 1000 are worth 0.2 * 8 = 1.6, up to
    2: margin 15, whereas by way of a whole settlement unit they would seem to be worth 8.
    """
    row = pricing_row(conversions=(0, 1), side=0)
    _, got, _ = price(row, NO_FEES, instructed=1_000)
    assert (got["MID_2"], got["SPREAD_2"], got["MID_1"], got["SPREAD_1"]) == (1, 1, 16, 1)
    assert (got["DEBITED"], got["FX_MARGIN"]) == (17, 15)
    # At submission 1000 / 4000 * 7.2 = 1.8, up to 2 as well.
    assert got["FX_DRIFT"] == 0


RATES = st.integers(1, RATE_MAX - 1) | st.integers(RATE_MAX - 9, RATE_MAX - 1)


@settings(deadline=None, max_examples=500)
@given(
    credited=st.integers(0, AMOUNT_MAX - 1),
    inverted=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    rates=st.tuples(RATES, RATES),
    scales=st.tuples(RATES, RATES),
)
@example(AMOUNT_MAX - 1, (0, 0), (RATE_MAX - 1, RATE_MAX - 1), (RATE_MAX - 2, RATE_MAX - 2))
# Parts of RATE_MAX - 2 and RATE_MAX - 4: their sum is below 2^63 by less than 2^35, and adding the
# divisor less one to it would not fit.
@example(RATE_MAX, (0, 0), (RATE_MAX - 4, RATE_MAX - 2), (RATE_MAX - 3, RATE_MAX - 1))
def test_worth_through_two_mid_rates_is_exact_and_rounded_once(
    credited: int,
    inverted: tuple[int, int],
    rates: tuple[int, int],
    scales: tuple[int, int],
) -> None:
    """Compare with fractions over every rate and amount a plan may hold."""
    mids = [Fraction(rates[leg], scales[leg]) for leg in range(2)]
    prices = [1 / mid if flag else mid for mid, flag in zip(mids, inverted, strict=True)]
    # What the compiler proves: no amount on the way reaches AMOUNT_MAX; results need an int64.
    worth = credited * prices[1] * prices[0]
    if credited * prices[1] >= 2**62 or worth >= 2**62:
        return
    arrays = (
        array((0, inverted[0], 0, 0, 0), (1, inverted[1], 0, 0, 0)),
        array((rates[0],), (rates[1],)),
        np.array(scales, dtype=np.int64),
    )
    assert worth_at_mid(*arrays, FX_STEP_US, 0, 1, credited, 0) == math.ceil(worth)
    # Without the one conversion and without the other.
    assert worth_at_mid(*arrays, FX_STEP_US, -1, 1, credited, 0) == math.ceil(credited * prices[1])
    if credited * prices[0] < 2**62:
        found = worth_at_mid(*arrays, FX_STEP_US, 0, -1, credited, 0)
        assert found == math.ceil(credited * prices[0])


@pytest.mark.parametrize("side", [0, 1])
def test_without_conversion_all_amounts_are_equal(side: int) -> None:
    _, got, _ = price(pricing_row(conversions=(-1, -1), side=side), NO_FEES, instructed=500)
    for name in ("DEBITED", "SETTLEMENT", "CREDITED_GROSS", "CREDITED", "MID_1", "MID_2"):
        assert got[name] == 500
    for name in ("SPREAD_1", "SPREAD_2", "FX_MARGIN", "FX_DRIFT"):
        assert got[name] == 0


@pytest.mark.parametrize(
    ("fee", "instructed", "usable"), [(9, 10, 1), (10, 10, 0), (11, 10, 0), (0, 0, 0)]
)
def test_price_that_leaves_nothing_is_unusable(fee: int, instructed: int, usable: int) -> None:
    fees = array(fee_row(FeeKind.FIXED, fixed=fee, bearer=1))
    row = pricing_row(conversions=(-1, -1), side=0, fees=1)
    assert price(row, fees, instructed=instructed)[0] == usable


def test_tiny_debit_that_buys_nothing_is_unusable() -> None:
    # 7 debited: mid 6, buys floor(6 / 8) = 0.
    usable, got, _ = price(pricing_row(conversions=(0, -1), side=1), NO_FEES, instructed=7)
    assert (usable, got["CREDITED"], got["FX_MARGIN"]) == (0, 0, 7)


def up(value: Fraction, granule: int) -> int:
    return math.ceil(value / granule) * granule


def down(value: Fraction, granule: int) -> int:
    return math.floor(value / granule) * granule


def oracle_value(gross: int, prices: tuple[Fraction | None, Fraction | None]) -> int:
    value = Fraction(gross)
    for unit_price in prices:
        value *= 1 if unit_price is None else unit_price
    return math.ceil(value)


# The first call compiles, so no deadline.
@settings(deadline=None)
@given(
    instructed=st.integers(1, 2**34),
    side=st.integers(0, 1),
    has_first=st.booleans(),
    has_second=st.booleans(),
    inverted=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    rates=st.lists(st.integers(500, 2**17), min_size=4, max_size=4),
    scales=st.tuples(st.integers(500, 2**17), st.integers(500, 2**17)),
    spreads=st.tuples(st.integers(0, 200_000), st.integers(0, 200_000)),
    granules=st.tuples(*(st.sampled_from([1, 10, 100]) for _ in range(3))),
)
def test_price_equals_exact_fractions(
    instructed: int,
    side: int,
    has_first: bool,
    has_second: bool,
    inverted: tuple[int, int],
    rates: list[int],
    scales: tuple[int, int],
    spreads: tuple[int, int],
    granules: tuple[int, int, int],
) -> None:
    """Recompute every register from unit prices (source per bought unit) kept as fractions."""
    has = (has_first, has_second)

    def unit_prices(step: int) -> tuple[Fraction | None, Fraction | None]:
        found: list[Fraction | None] = []
        for leg in range(2):
            mid = Fraction(rates[2 * leg + step], scales[leg])
            found.append((1 / mid if inverted[leg] else mid) if has[leg] else None)
        return found[0], found[1]

    then, now = unit_prices(0), unit_prices(1)
    chain: list[int] = []
    mids = [0, 0]
    if side == 0:
        chain = [instructed]
        for leg in (1, 0):
            bought, unit_price = chain[0], now[leg]
            mids[leg] = paid = bought
            if unit_price is not None:
                mids[leg] = mid = math.ceil(bought * unit_price)
                paid = up(
                    Fraction(mid + math.ceil(Fraction(mid * spreads[leg], 10**6))), granules[leg]
                )
            chain.insert(0, paid)
    else:
        chain = [instructed]
        for leg in (0, 1):
            paid, unit_price = chain[-1], now[leg]
            mids[leg] = bought = paid
            if unit_price is not None:
                mids[leg] = mid = paid * 10**6 // (10**6 + spreads[leg])
                bought = down(Fraction(math.floor(mid / unit_price)), granules[leg + 1])
            chain.append(bought)
    value_now = oracle_value(chain[2], now)
    registers = np.zeros(REGISTER_COUNT, dtype=np.int64)
    usable = price_payment(
        array(
            pricing_row(
                conversions=(0 if has_first else -1, 1 if has_second else -1),
                side=side,
                granules=granules,
            )
        ),
        array((0, inverted[0], spreads[0], 0, 0), (1, inverted[1], spreads[1], 0, 0)),
        array((rates[0], rates[1]), (rates[2], rates[3])),
        np.array(scales, dtype=np.int64),
        NO_SPREADS,
        NO_FEES,
        NO_TIERS,
        FX_STEP_US,
        0,
        instructed,
        FX_STEP_US,
        0,
        registers,
    )
    assert registers[Register.DEBITED : Register.CREDITED + 1].tolist() == [*chain, chain[2]]
    assert registers[Register.MID_1 : Register.SPREAD_2 + 1].tolist() == [
        mids[0],
        chain[0] - mids[0],
        mids[1],
        chain[1] - mids[1],
    ]
    assert registers[Register.FX_MARGIN] == chain[0] - value_now
    assert registers[Register.FX_DRIFT] == value_now - oracle_value(chain[2], then)
    # What fees.parquet gives the first and the second provider: never below 0.
    assert 0 <= registers[Register.SPREAD_1] <= registers[Register.FX_MARGIN]
    assert usable == (chain[0] >= 1 and chain[2] >= 1)


def test_compiled_and_plain_python_agree() -> None:
    fees = array(fee_row(FeeKind.TIERED, tiers=(0, 3)), fee_row(FeeKind.FIXED, fixed=3, bearer=1))
    row = array(pricing_row(conversions=(0, 1), side=1, fees=2))
    registers = [np.zeros(REGISTER_COUNT, dtype=np.int64) for _ in range(2)]
    plain = getattr(price_payment, "py_func", price_payment)
    for function, filled in zip((price_payment, plain), registers, strict=True):
        function(
            row,
            CONVERSION,
            RATE,
            SCALE,
            NO_SPREADS,
            fees,
            TIERS,
            FX_STEP_US,
            0,
            98_765,
            60,
            0,
            filled,
        )
    assert registers[0].tolist() == registers[1].tolist()

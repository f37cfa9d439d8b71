"""Exchange in whole minor units: rates, what amounts cost and are worth at mid, and roundings.

Takes rows of the plan's pricing and conversion arrays and its rates; gives int64 amounts, or minor
units with millionths of one beside them. Every function holds no state, does no floating point, and
gives the same result compiled, uncompiled and in plain Python. Nothing is checked here: the
compiler proved that no amount reaches ``AMOUNT_MAX`` and no rate ``RATE_MAX``.
"""

from __future__ import annotations

from sim.contract.charges import Rounding
from sim.contract.layout import MICRO, ConversionColumn, PricingColumn
from sim.contract.plan import Array
from sim.jit.cache import compiled


@compiled
def mul_div_floor(a: int, num: int, den: int) -> int:
    """Return ``floor(a * num / den)`` without an intermediate beyond int64.

    Parameters
    ----------
    a : int
        From 0 to 2**53 - 1.
    num, den : int
        ``num`` from 0, ``den`` from 1, both below 2**31; the result must fit an int64.
    """
    # The whole part is multiplied apart, so that only a remainder below 2**31 meets num.
    return (a // den) * num + ((a % den) * num) // den


@compiled
def mul_div_ceil(a: int, num: int, den: int) -> int:
    """Return ``ceil(a * num / den)`` without an intermediate beyond int64.

    Parameters
    ----------
    a, num, den
        As for :func:`mul_div_floor`.
    """
    # Adding den - 1 before the floor is the ceiling; with den and num below 2^31 the sum stays
    # below 2^62 + 2^31.
    return (a // den) * num + ((a % den) * num + den - 1) // den


@compiled
def part_floor(amount: int, part: int, whole: int) -> int:
    """Return ``floor(amount * part / whole)`` for numbers beyond 31 bits.

    Parameters
    ----------
    amount, part, whole : int
        From 0 to 2**53 - 1, ``whole`` from 1, ``part`` at most ``whole``.
    """
    rest = amount % whole
    low = 0
    left = 0
    # Long multiplication by the binary digits of ``part``: ``low * whole + left`` is what those
    # so far make of the remainder, and no number reaches 2^54.
    for digit in range(52, -1, -1):
        low *= 2
        left *= 2
        if left >= whole:
            left -= whole
            low += 1
        if (part >> digit) & 1:
            left += rest
            if left >= whole:
                left -= whole
                low += 1
    return (amount // whole) * part + low


@compiled
def mid_rate(rate: Array, fx_step_us: int, pair: int, time_us: int) -> int:
    """Return the scaled mid rate of a pair at an instant; the last step holds for ever."""
    step = time_us // fx_step_us
    # A path of rates is as long as the horizon needs. A price may be asked for at its very end.
    last = rate.shape[1] - 1
    step = min(step, last)
    return int(rate[pair, step])


@compiled
def mid_cost(
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    fx_step_us: int,
    row: int,
    bought: int,
    time_us: int,
) -> int:
    """Return what buying an amount costs at the mid rate, rounded up.

    Parameters
    ----------
    conversion, rate, pair_scale : ndarray of int64
        As in the plan.
    fx_step_us : int
        Microseconds per step of ``rate``.
    row : int
        Row of ``conversion``.
    bought : int
        Minor units of the bought currency, at least 0.
    time_us : int
        Instant of the rate.

    Returns
    -------
    int
        Minor units of the source currency.
    """
    cost, unit = unit_price(conversion, rate, pair_scale, fx_step_us, row, time_us)
    # Rounded up: it is asked of somebody.
    return mul_div_ceil(bought, cost, unit)


@compiled
def mid_value(
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    fx_step_us: int,
    row: int,
    paid: int,
    time_us: int,
) -> int:
    """Return what an amount of the source currency buys at the mid rate, rounded down.

    Parameters
    ----------
    conversion, rate, pair_scale, fx_step_us, row, time_us
        As for :func:`mid_cost`.
    paid : int
        Minor units of the source currency, at least 0.

    Returns
    -------
    int
        Minor units of the bought currency.
    """
    cost, unit = unit_price(conversion, rate, pair_scale, fx_step_us, row, time_us)
    # Rounded down: it is given to somebody.
    return mul_div_floor(paid, unit, cost)


@compiled
def worth_at_mid(
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    fx_step_us: int,
    first: int,
    second: int,
    credited: int,
    time_us: int,
) -> int:
    """Return what a credited amount is worth in debited currency, rounded up once at the end.

    Nothing is rounded at the settlement currency: the fraction of its minor unit is carried on, so
    that what the provider gains by rounding there is part of its margin.

    Parameters
    ----------
    conversion, rate, pair_scale, fx_step_us, time_us
        As for :func:`mid_cost`.
    first, second : int
        Rows of ``conversion``, -1 for none: debited to settlement, settlement to credited currency.
    credited : int
        Minor units of the credited currency, at least 0.

    Returns
    -------
    int
        Minor units of the debited currency.
    """
    cost_1, unit_1 = unit_price(conversion, rate, pair_scale, fx_step_us, first, time_us)
    cost_2, unit_2 = unit_price(conversion, rate, pair_scale, fx_step_us, second, time_us)
    # credited * cost_2 / unit_2 = settlement + part_2 / unit_2, exactly; times cost_1 / unit_1 =
    # debited + part_1 / unit_1 + part_2 * cost_1 / (unit_2 * unit_1). All four are below 2^31 and
    # each part below its unit: two products below 2^62, whose sum is below 2^63.
    settlement = mul_div_floor(credited, cost_2, unit_2)
    part_2 = ((credited % unit_2) * cost_2) % unit_2
    debited = mul_div_floor(settlement, cost_1, unit_1)
    part_1 = ((settlement % unit_1) * cost_1) % unit_1
    rest = part_1 * unit_2 + part_2 * cost_1
    # Adding the divisor less one, as mul_div_ceil does, could pass 2^63.
    return debited - (-rest // (unit_1 * unit_2))


@compiled
def unit_price(
    conversion: Array, rate: Array, pair_scale: Array, fx_step_us: int, row: int, time_us: int
) -> tuple[int, int]:
    """Return the source units per bought unit at mid as a fraction; 1 / 1 without a conversion."""
    # Without a conversion the same formulas hold at a rate of one, with nothing to round.
    if row < 0:
        return 1, 1
    pair = int(conversion[row, ConversionColumn.PAIR])
    scaled = mid_rate(rate, fx_step_us, pair, time_us)
    scale = int(pair_scale[pair])
    # The fraction is turned over and never divided out, so a rate and its inverse are equally
    # exact.
    if conversion[row, ConversionColumn.INVERTED] == 0:
        return scaled, scale
    return scale, scaled


@compiled
def times(whole: int, part: int, num: int, den: int) -> tuple[int, int]:
    """Return an amount times a fraction, half up to a millionth of a minor unit.

    Parameters
    ----------
    whole, part : int
        Minor units, and millionths of one.
    num, den : int
        As for :func:`mul_div_floor`.
    """
    rest = (whole % den) * num
    # rest % den and part are below 2^31 and 2^20: two products below 2^51.
    parts = ((rest % den) * MICRO + part * num + den // 2) // den
    return (whole // den) * num + rest // den + parts // MICRO, parts % MICRO


@compiled
def nearest(whole: int, part: int, granule: int) -> int:
    """Return an amount in whole granules, half up."""
    rest = (whole % granule) * MICRO + part
    return whole - whole % granule + (granule if 2 * rest >= granule * MICRO else 0)


@compiled
def value_at_mid(
    pricing: Array,
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    fx_step_us: int,
    row: int,
    gross: int,
    time_us: int,
) -> int:
    """Return what a credited amount is worth at mid rates, rounded by the rule of its price.

    Parameters
    ----------
    pricing, conversion, rate, pair_scale : ndarray of int64
        As in the plan.
    fx_step_us : int
        Microseconds per step of ``rate``.
    row : int
        Row of ``pricing``.
    gross : int
        Minor units of the credited currency, at least 0.
    time_us : int
        Instant of the rates.

    Returns
    -------
    int
        Minor units of the debited currency.
    """
    first = int(pricing[row, PricingColumn.CONVERSION_1])
    second = int(pricing[row, PricingColumn.CONVERSION_2])
    if pricing[row, PricingColumn.ROUNDING] == Rounding.EACH_STEP:
        return worth_at_mid(conversion, rate, pair_scale, fx_step_us, first, second, gross, time_us)
    # An amount nothing converts is its own value, whatever the granule.
    if first < 0 and second < 0:
        return gross
    cost_1, unit_1 = unit_price(conversion, rate, pair_scale, fx_step_us, first, time_us)
    cost_2, unit_2 = unit_price(conversion, rate, pair_scale, fx_step_us, second, time_us)
    whole, part = times(gross, 0, cost_2, unit_2)
    whole, part = times(whole, part, cost_1, unit_1)
    return nearest(whole, part, _billed_granule(pricing, row))


@compiled
def _billed_granule(pricing: Array, row: int) -> int:
    """Return the step of the payer's bill: without a first conversion, of what is settled."""
    if pricing[row, PricingColumn.CONVERSION_1] < 0:
        return int(pricing[row, PricingColumn.GRANULE_SETTLEMENT])
    return int(pricing[row, PricingColumn.GRANULE_DEBITED])

"""Fees and foreign exchange in whole minor units: the arithmetic both engines share.

Takes rows of the plan's pricing, conversion, fee and tier arrays; gives int64 amounts. Every
function holds no state, does no floating point, and gives the same result compiled, uncompiled and
in plain Python. The meaning of every column is in :mod:`sim.contract.spec`. Nothing is checked
here: the compiler proved that no amount reaches ``AMOUNT_MAX`` and no rate ``RATE_MAX``.

Every rounding names its direction: what is asked of somebody is rounded up, what is given is
rounded down, and the difference stays with the FX provider.
"""

from __future__ import annotations

from sim.contract.plan import Array
from sim.contract.spec import (
    FEES_MAX,
    PPM,
    Bearer,
    ConversionColumn,
    FeeColumn,
    FeeKind,
    FixedSide,
    PricingColumn,
    Register,
    TierColumn,
)
from sim.draws.compiled import compiled

# Numba reads module-level plain ints as constants; members of an IntEnum would be boxed objects.
_PAIR = int(ConversionColumn.PAIR)
_INVERTED = int(ConversionColumn.INVERTED)
_SPREAD_PPM = int(ConversionColumn.SPREAD_PPM)

_KIND = int(FeeColumn.KIND)
_BASE = int(FeeColumn.BASE)
_FIXED = int(FeeColumn.FIXED)
_PPM = int(FeeColumn.PPM)
_THRESHOLD = int(FeeColumn.THRESHOLD)
_MINIMUM = int(FeeColumn.MINIMUM)
_MAXIMUM = int(FeeColumn.MAXIMUM)
_TIER_FIRST = int(FeeColumn.TIER_FIRST)
_TIER_COUNT = int(FeeColumn.TIER_COUNT)
_GRANULE = int(FeeColumn.GRANULE)
_BEARER = int(FeeColumn.BEARER)
_TIER_UP_TO = int(TierColumn.UP_TO)
_TIER_FIXED = int(TierColumn.FIXED)
_TIER_PPM = int(TierColumn.PPM)
_KIND_FIXED = int(FeeKind.FIXED)
_KIND_TIERED = int(FeeKind.TIERED)
_KIND_SURCHARGE = int(FeeKind.SURCHARGE)
_BEARER_DEBTOR = int(Bearer.DEBTOR)

_CONVERSION_1 = int(PricingColumn.CONVERSION_1)
_CONVERSION_2 = int(PricingColumn.CONVERSION_2)
_FIXED_SIDE = int(PricingColumn.FIXED_SIDE)
_FEE_FIRST = int(PricingColumn.FEE_FIRST)
_FEE_COUNT = int(PricingColumn.FEE_COUNT)
_GRANULE_DEBITED = int(PricingColumn.GRANULE_DEBITED)
_GRANULE_SETTLEMENT = int(PricingColumn.GRANULE_SETTLEMENT)
_GRANULE_CREDITED = int(PricingColumn.GRANULE_CREDITED)
_SIDE_CREDITOR = int(FixedSide.CREDITOR)

_INSTRUCTED = int(Register.INSTRUCTED)
_DEBITED = int(Register.DEBITED)
_SETTLEMENT = int(Register.SETTLEMENT)
_CREDITED_GROSS = int(Register.CREDITED_GROSS)
_CREDITED = int(Register.CREDITED)
_MID_1 = int(Register.MID_1)
_SPREAD_1 = int(Register.SPREAD_1)
_MID_2 = int(Register.MID_2)
_SPREAD_2 = int(Register.SPREAD_2)
_FX_MARGIN = int(Register.FX_MARGIN)
_FX_DRIFT = int(Register.FX_DRIFT)
_PAYER_FEE = int(Register.PAYER_FEE)
_MERCHANT_FEE = int(Register.MERCHANT_FEE)
_FEE_0 = int(Register.FEE_0)


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
    return (a // den) * num + ((a % den) * num + den - 1) // den


@compiled
def mid_rate(rate: Array, fx_step_us: int, pair: int, time_us: int) -> int:
    """Return the scaled mid rate of a pair at an instant; the last step holds for ever."""
    step = time_us // fx_step_us
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
    cost, unit = _unit_price(conversion, rate, pair_scale, fx_step_us, row, time_us)
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
    cost, unit = _unit_price(conversion, rate, pair_scale, fx_step_us, row, time_us)
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
    cost_1, unit_1 = _unit_price(conversion, rate, pair_scale, fx_step_us, first, time_us)
    cost_2, unit_2 = _unit_price(conversion, rate, pair_scale, fx_step_us, second, time_us)
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
def _unit_price(
    conversion: Array, rate: Array, pair_scale: Array, fx_step_us: int, row: int, time_us: int
) -> tuple[int, int]:
    """Return the source units per bought unit at mid as a fraction; 1 / 1 without a conversion."""
    if row < 0:
        return 1, 1
    pair = int(conversion[row, _PAIR])
    scaled = mid_rate(rate, fx_step_us, pair, time_us)
    scale = int(pair_scale[pair])
    if conversion[row, _INVERTED] == 0:
        return scaled, scale
    return scale, scaled


@compiled
def fee_amount(fee: Array, tier: Array, row: int, base: int) -> int:
    """Return one fee on a base amount.

    Parameters
    ----------
    fee, tier : ndarray of int64
        As in the plan.
    row : int
        Row of ``fee``.
    base : int
        Value of the fee's BASE register, at least 0.

    Returns
    -------
    int
        Minor units, at least 0, a multiple of the fee's granule.
    """
    kind = int(fee[row, _KIND])
    fixed = int(fee[row, _FIXED])
    ppm = int(fee[row, _PPM])
    if kind == _KIND_TIERED:
        at = int(fee[row, _TIER_FIRST])
        last = at + int(fee[row, _TIER_COUNT]) - 1
        while at < last and 0 <= tier[at, _TIER_UP_TO] < base:
            at += 1
        fixed = int(tier[at, _TIER_FIXED])
        ppm = int(tier[at, _TIER_PPM])
    amount = fixed
    if kind == _KIND_SURCHARGE and base <= fee[row, _THRESHOLD]:
        amount = 0
    elif kind != _KIND_FIXED:
        amount += mul_div_floor(base, ppm, PPM)
    if kind != _KIND_SURCHARGE or amount != 0:
        minimum = int(fee[row, _MINIMUM])
        maximum = int(fee[row, _MAXIMUM])
        if minimum >= 0 and amount < minimum:
            amount = minimum
        if maximum >= 0 and amount > maximum:
            amount = maximum
    granule = int(fee[row, _GRANULE])
    return amount - amount % granule


@compiled
def price_payment(
    pricing: Array,
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    fee: Array,
    tier: Array,
    fx_step_us: int,
    row: int,
    instructed: int,
    now_us: int,
    submitted_us: int,
    registers: Array,
) -> int:
    """Fill a payment's registers from its instructed amount at the rates of now.

    Parameters
    ----------
    pricing, conversion, rate, pair_scale, fee, tier : ndarray of int64
        As in the plan.
    fx_step_us : int
        Microseconds per step of ``rate``.
    row : int
        Row of ``pricing``.
    instructed : int
        Instructed amount in minor units of the fixed side's currency.
    now_us, submitted_us : int
        Instant of the price and of the payment's submission.
    registers : ndarray of int64, shape (REGISTER_COUNT,)
        Receives every register; what it held before does not matter.

    Returns
    -------
    int
        1, or 0 where the price cannot be used (CREDITED or DEBITED below 1). The registers are
        filled in both cases.
    """
    first = int(pricing[row, _CONVERSION_1])
    second = int(pricing[row, _CONVERSION_2])
    registers[_INSTRUCTED] = instructed
    if pricing[row, _FIXED_SIDE] == _SIDE_CREDITOR:
        gross = instructed
        settlement = mid_2 = gross
        if second >= 0:
            mid_2 = mid_cost(conversion, rate, pair_scale, fx_step_us, second, gross, now_us)
            granule = int(pricing[row, _GRANULE_SETTLEMENT])
            settlement = _with_spread(mid_2, int(conversion[second, _SPREAD_PPM]), granule)
        debited = mid_1 = settlement
        if first >= 0:
            mid_1 = mid_cost(conversion, rate, pair_scale, fx_step_us, first, settlement, now_us)
            granule = int(pricing[row, _GRANULE_DEBITED])
            debited = _with_spread(mid_1, int(conversion[first, _SPREAD_PPM]), granule)
    else:
        debited = instructed
        settlement = mid_1 = debited
        if first >= 0:
            mid_1 = mul_div_floor(debited, PPM, PPM + int(conversion[first, _SPREAD_PPM]))
            settlement = mid_value(conversion, rate, pair_scale, fx_step_us, first, mid_1, now_us)
            settlement -= settlement % int(pricing[row, _GRANULE_SETTLEMENT])
        gross = mid_2 = settlement
        if second >= 0:
            mid_2 = mul_div_floor(settlement, PPM, PPM + int(conversion[second, _SPREAD_PPM]))
            gross = mid_value(conversion, rate, pair_scale, fx_step_us, second, mid_2, now_us)
            gross -= gross % int(pricing[row, _GRANULE_CREDITED])
    registers[_DEBITED] = debited
    registers[_SETTLEMENT] = settlement
    registers[_CREDITED_GROSS] = gross
    registers[_MID_1] = mid_1
    registers[_SPREAD_1] = debited - mid_1
    registers[_MID_2] = mid_2
    registers[_SPREAD_2] = settlement - mid_2
    value_now = worth_at_mid(conversion, rate, pair_scale, fx_step_us, first, second, gross, now_us)
    value_then = worth_at_mid(
        conversion, rate, pair_scale, fx_step_us, first, second, gross, submitted_us
    )
    registers[_FX_MARGIN] = debited - value_now
    registers[_FX_DRIFT] = value_now - value_then
    _price_fees(pricing, fee, tier, row, registers)
    if debited < 1 or registers[_CREDITED] < 1:
        return 0
    return 1


@compiled
def _with_spread(mid: int, spread_ppm: int, granule: int) -> int:
    """Return the mid amount plus the provider's spread, up to the next whole granule."""
    paid = mid + mul_div_ceil(mid, spread_ppm, PPM)
    return -(-paid // granule) * granule


@compiled
def _price_fees(pricing: Array, fee: Array, tier: Array, row: int, registers: Array) -> None:
    """Fill the fee registers in order of slot, then the sums by bearer and what is credited."""
    # A fee may only be based on a register filled before it; those after are a defined 0 or gross.
    for slot in range(FEES_MAX):
        registers[_FEE_0 + slot] = 0
    registers[_PAYER_FEE] = 0
    registers[_MERCHANT_FEE] = 0
    registers[_CREDITED] = registers[_CREDITED_GROSS]
    first = int(pricing[row, _FEE_FIRST])
    payer_fee = 0
    merchant_fee = 0
    for slot in range(int(pricing[row, _FEE_COUNT])):
        base = int(registers[int(fee[first + slot, _BASE])])
        amount = fee_amount(fee, tier, first + slot, base)
        registers[_FEE_0 + slot] = amount
        if fee[first + slot, _BEARER] == _BEARER_DEBTOR:
            payer_fee += amount
        else:
            merchant_fee += amount
    registers[_PAYER_FEE] = payer_fee
    registers[_MERCHANT_FEE] = merchant_fee
    registers[_CREDITED] = registers[_CREDITED_GROSS] - merchant_fee

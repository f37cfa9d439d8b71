"""Fees and foreign exchange in whole minor units: the arithmetic both engines share.

Takes rows of the plan's pricing, conversion, fee and tier arrays; gives int64 amounts. Every
function holds no state, does no floating point, and gives the same result compiled, uncompiled and
in plain Python. The meaning of every column is in :mod:`sim.contract.meaning`. Nothing is checked
here: the compiler proved that no amount reaches ``AMOUNT_MAX`` and no rate ``RATE_MAX``.

Every rounding names its direction: what is asked of somebody is rounded up, what is given is
rounded down, and the difference stays with the FX provider.
"""

from __future__ import annotations

from sim.contract.layout import (
    FEES_MAX,
    PPM,
    ConversionColumn,
    FeeColumn,
    PricingColumn,
    TierColumn,
)
from sim.contract.meaning import Bearer, FeeKind, FixedSide
from sim.contract.plan import Array
from sim.contract.records import Register
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
    cost, unit = _unit_price(conversion, rate, pair_scale, fx_step_us, row, time_us)
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
    cost, unit = _unit_price(conversion, rate, pair_scale, fx_step_us, row, time_us)
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
    kind = int(fee[row, FeeColumn.KIND])
    fixed = int(fee[row, FeeColumn.FIXED])
    ppm = int(fee[row, FeeColumn.PPM])
    if kind == FeeKind.TIERED:
        at = int(fee[row, FeeColumn.TIER_FIRST])
        last = at + int(fee[row, FeeColumn.TIER_COUNT]) - 1
        # The last tier has no end, whatever it says; a bound below 0 is none either, and ends
        # the search.
        while at < last and 0 <= tier[at, TierColumn.UP_TO] < base:
            at += 1
        fixed = int(tier[at, TierColumn.FIXED])
        ppm = int(tier[at, TierColumn.PPM])
    amount = fixed
    if kind == FeeKind.SURCHARGE and base <= fee[row, FeeColumn.THRESHOLD]:
        # At the threshold itself there is no surcharge yet.
        amount = 0
    elif kind != FeeKind.FIXED:
        # Rounded down: a fee takes no more than its share.
        amount += mul_div_floor(base, ppm, PPM)
    # A surcharge that does not apply is 0 and is not lifted to its minimum.
    if kind != FeeKind.SURCHARGE or amount != 0:
        minimum = int(fee[row, FeeColumn.MINIMUM])
        maximum = int(fee[row, FeeColumn.MAXIMUM])
        # The minimum before the maximum: where a user sets them the wrong way round the maximum
        # holds.
        if minimum >= 0 and amount < minimum:
            amount = minimum
        if maximum >= 0 and amount > maximum:
            amount = maximum
    granule = int(fee[row, FeeColumn.GRANULE])
    # Down to the granule last of all, bounds included: nobody is charged a part of a coin.
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
    first = int(pricing[row, PricingColumn.CONVERSION_1])
    second = int(pricing[row, PricingColumn.CONVERSION_2])
    registers[Register.INSTRUCTED] = instructed
    # Backwards from what is to arrive: each conversion asks for what the one behind it needs.
    # The creditor's amount comes out exactly, so all remainders are the debtor's.
    if pricing[row, PricingColumn.FIXED_SIDE] == FixedSide.CREDITOR:
        gross = instructed
        # Without a conversion mid and amount are equal, and the spread is 0.
        settlement = mid_2 = gross
        if second >= 0:
            mid_2 = mid_cost(conversion, rate, pair_scale, fx_step_us, second, gross, now_us)
            granule = int(pricing[row, PricingColumn.GRANULE_SETTLEMENT])
            ppm = int(conversion[second, ConversionColumn.SPREAD_PPM])
            # To the granule of the currency that is paid: nobody can pay half a cent of
            # settlement.
            settlement = _with_spread(mid_2, ppm, granule)
        debited = mid_1 = settlement
        if first >= 0:
            mid_1 = mid_cost(conversion, rate, pair_scale, fx_step_us, first, settlement, now_us)
            granule = int(pricing[row, PricingColumn.GRANULE_DEBITED])
            ppm = int(conversion[first, ConversionColumn.SPREAD_PPM])
            debited = _with_spread(mid_1, ppm, granule)
    else:
        # Forwards from what is paid: the spread is taken off first, then the rest buys.
        debited = instructed
        settlement = mid_1 = debited
        if first >= 0:
            ppm = int(conversion[first, ConversionColumn.SPREAD_PPM])
            # The inverse of ``mid + mid * ppm``: the spread is a share of what buys, in both
            # directions. PPM + ppm is below 2^31, as spreads are.
            mid_1 = mul_div_floor(debited, PPM, PPM + ppm)
            settlement = mid_value(conversion, rate, pair_scale, fx_step_us, first, mid_1, now_us)
            # Down to the granule of what is bought; what is cut off stays with the provider.
            settlement -= settlement % int(pricing[row, PricingColumn.GRANULE_SETTLEMENT])
        gross = mid_2 = settlement
        if second >= 0:
            ppm = int(conversion[second, ConversionColumn.SPREAD_PPM])
            mid_2 = mul_div_floor(settlement, PPM, PPM + ppm)
            gross = mid_value(conversion, rate, pair_scale, fx_step_us, second, mid_2, now_us)
            gross -= gross % int(pricing[row, PricingColumn.GRANULE_CREDITED])
    registers[Register.DEBITED] = debited
    registers[Register.SETTLEMENT] = settlement
    registers[Register.CREDITED_GROSS] = gross
    registers[Register.MID_1] = mid_1
    registers[Register.SPREAD_1] = debited - mid_1
    registers[Register.MID_2] = mid_2
    registers[Register.SPREAD_2] = settlement - mid_2
    # Margin and drift measure the same gross at two instants, through both mid rates. At the
    # same rates the drift is exactly 0, however things were rounded.
    value_now = worth_at_mid(conversion, rate, pair_scale, fx_step_us, first, second, gross, now_us)
    value_then = worth_at_mid(
        conversion, rate, pair_scale, fx_step_us, first, second, gross, submitted_us
    )
    # Never below SPREAD_1: ``value_now`` is rounded up once, ``mid_1`` at least as often.
    registers[Register.FX_MARGIN] = debited - value_now
    registers[Register.FX_DRIFT] = value_now - value_then
    _price_fees(pricing, fee, tier, row, registers)
    # Below one minor unit there is nothing to debit or to credit; the caller fails the payment.
    return int(debited >= 1 and registers[Register.CREDITED] >= 1)


@compiled
def _with_spread(mid: int, spread_ppm: int, granule: int) -> int:
    """Return the mid amount plus the provider's spread, up to the next whole granule."""
    # Rounded up twice, to the minor unit and to the granule, both in favour of the provider.
    paid = mid + mul_div_ceil(mid, spread_ppm, PPM)
    return -(-paid // granule) * granule


@compiled
def _price_fees(pricing: Array, fee: Array, tier: Array, row: int, registers: Array) -> None:
    """Fill the fee registers in order of slot, then the sums by bearer and what is credited."""
    # A fee may only be based on a register filled before it; those after are a defined 0 or gross.
    for slot in range(FEES_MAX):
        registers[Register.FEE_0 + slot] = 0
    registers[Register.PAYER_FEE] = 0
    registers[Register.MERCHANT_FEE] = 0
    registers[Register.CREDITED] = registers[Register.CREDITED_GROSS]
    first = int(pricing[row, PricingColumn.FEE_FIRST])
    payer_fee = 0
    merchant_fee = 0
    for slot in range(int(pricing[row, PricingColumn.FEE_COUNT])):
        base = int(registers[int(fee[first + slot, FeeColumn.BASE])])
        # In order of slot: a fee may be a share of an earlier one, never of a later.
        amount = fee_amount(fee, tier, first + slot, base)
        registers[Register.FEE_0 + slot] = amount
        if fee[first + slot, FeeColumn.BEARER] == Bearer.DEBTOR:
            payer_fee += amount
        elif fee[first + slot, FeeColumn.BEARER] == Bearer.CREDITOR:
            merchant_fee += amount
    registers[Register.PAYER_FEE] = payer_fee
    registers[Register.MERCHANT_FEE] = merchant_fee
    registers[Register.CREDITED] = registers[Register.CREDITED_GROSS] - merchant_fee

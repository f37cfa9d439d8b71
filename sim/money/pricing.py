"""The price of a payment in whole minor units: the arithmetic both engines share.

Takes rows of the plan's pricing, conversion, fee and tier arrays; fills a payment's registers.
Every function holds no state, does no floating point, and gives the same result compiled,
uncompiled and in plain Python. The meaning of every column is in :mod:`sim.contract.meaning`.
Nothing is checked here: the compiler proved that no amount reaches ``AMOUNT_MAX`` and no rate
``RATE_MAX``.

Where a price rounds each step, what is asked of somebody is rounded up and what is given is rounded
down; where it rounds once, amounts are carried in millionths of a minor unit until they are money.
The difference stays with the FX provider in every case.
"""

from __future__ import annotations

from sim.contract.charges import Rounding
from sim.contract.layout import MICRO, PPM, PricingColumn
from sim.contract.meaning import FixedSide
from sim.contract.plan import Array
from sim.contract.records import Register
from sim.jit.cache import compiled
from sim.money.exchange import (
    mid_cost,
    mid_value,
    mul_div_ceil,
    mul_div_floor,
    nearest,
    times,
    unit_price,
    value_at_mid,
)
from sim.money.fees import price_fees
from sim.money.spreads import spread_at


@compiled
def price_payment(
    pricing: Array,
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    spread: Array,
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
    pricing, conversion, rate, pair_scale, spread, fee, tier : ndarray of int64
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
        1, or 0 where the price cannot be used (CREDITED or DEBITED below 1, DEBITED below what it
        is offered for). The registers are filled in both cases.
    """
    registers[Register.INSTRUCTED] = instructed
    # What the spreads alone make is carried unrounded, whatever the rule: the difference is
    # rounding.
    if pricing[row, PricingColumn.FIXED_SIDE] == FixedSide.CREDITOR:
        whole, part = _price_backwards(
            pricing, conversion, rate, pair_scale, spread, fx_step_us, row, now_us, registers
        )
    else:
        whole, part = _price_forwards(
            pricing, conversion, rate, pair_scale, spread, fx_step_us, row, now_us, registers
        )
    if pricing[row, PricingColumn.ROUNDING] == Rounding.EACH_STEP:
        _round_each_step(
            pricing, conversion, rate, pair_scale, spread, fx_step_us, row, now_us, registers
        )
    debited, gross = registers[Register.DEBITED], registers[Register.CREDITED_GROSS]
    registers[Register.SPREAD_1] = debited - registers[Register.MID_1]
    registers[Register.SPREAD_2] = registers[Register.SETTLEMENT] - registers[Register.MID_2]
    # Margin and drift measure the same gross at two instants, through both mid rates. At the
    # same rates the drift is exactly 0, however things were rounded.
    value_now = value_at_mid(pricing, conversion, rate, pair_scale, fx_step_us, row, gross, now_us)
    value_then = value_at_mid(
        pricing, conversion, rate, pair_scale, fx_step_us, row, gross, submitted_us
    )
    # Never below SPREAD_1: the value is rounded once, ``mid_1`` is the rounding of no less.
    registers[Register.FX_MARGIN] = debited - value_now
    registers[Register.FX_DRIFT] = value_now - value_then
    # The difference first: margin and spreads are close, and a margin in millionths may not fit.
    registers[Register.FX_ROUNDING] = (debited - value_now - whole) * MICRO - part
    price_fees(pricing, fee, tier, row, registers)
    # Below one minor unit there is nothing to debit or to credit; the caller fails the payment.
    # A tier of a quote is not offered below its own least amount.
    least = max(1, int(pricing[row, PricingColumn.LEAST_DEBITED]))
    return int(debited >= least and registers[Register.CREDITED] >= 1)


@compiled
def _price_backwards(
    pricing: Array,
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    spread: Array,
    fx_step_us: int,
    row: int,
    now_us: int,
    registers: Array,
) -> tuple[int, int]:
    """Price what is to arrive, each amount rounded once; return what the spreads alone make."""
    first = int(pricing[row, PricingColumn.CONVERSION_1])
    second = int(pricing[row, PricingColumn.CONVERSION_2])
    # By the amount that is known beforehand, so that no price depends on itself.
    spread_1 = spread_at(conversion, spread, first, registers[Register.INSTRUCTED], now_us)
    spread_2 = spread_at(conversion, spread, second, registers[Register.INSTRUCTED], now_us)
    by_settlement = int(pricing[row, PricingColumn.GRANULE_SETTLEMENT])
    by_debited = int(pricing[row, PricingColumn.GRANULE_DEBITED])
    cost_1, unit_1 = unit_price(conversion, rate, pair_scale, fx_step_us, first, now_us)
    cost_2, unit_2 = unit_price(conversion, rate, pair_scale, fx_step_us, second, now_us)
    gross = registers[Register.INSTRUCTED]
    mid_2, part_mid_2 = times(gross, 0, cost_2, unit_2)
    value, part_value = times(mid_2, part_mid_2, cost_1, unit_1)
    paid, part_paid = times(mid_2, part_mid_2, PPM + spread_2, PPM)
    mid_1, part_mid_1 = times(paid, part_paid, cost_1, unit_1)
    bill, part_bill = times(mid_1, part_mid_1, PPM + spread_1, PPM)
    settlement = gross
    registers[Register.MID_2] = gross
    if second >= 0:
        settlement = nearest(paid, part_paid, by_settlement)
        # Nobody is billed nothing for something.
        if first < 0:
            settlement = max(settlement, by_settlement)
        registers[Register.MID_2] = nearest(mid_2, part_mid_2, by_settlement)
    debited = settlement
    registers[Register.MID_1] = settlement
    if first >= 0:
        debited = max(nearest(bill, part_bill, by_debited), by_debited)
        registers[Register.MID_1] = nearest(mid_1, part_mid_1, by_debited)
    registers[Register.CREDITED_GROSS] = gross
    registers[Register.SETTLEMENT] = settlement
    registers[Register.DEBITED] = debited
    return _less(bill, part_bill, value, part_value)


@compiled
def _price_forwards(
    pricing: Array,
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    spread: Array,
    fx_step_us: int,
    row: int,
    now_us: int,
    registers: Array,
) -> tuple[int, int]:
    """Price what is sent, each amount rounded once; return what the spreads alone make."""
    first = int(pricing[row, PricingColumn.CONVERSION_1])
    second = int(pricing[row, PricingColumn.CONVERSION_2])
    # By the amount that is known beforehand, so that no price depends on itself.
    spread_1 = spread_at(conversion, spread, first, registers[Register.INSTRUCTED], now_us)
    spread_2 = spread_at(conversion, spread, second, registers[Register.INSTRUCTED], now_us)
    by_settlement = int(pricing[row, PricingColumn.GRANULE_SETTLEMENT])
    by_credited = int(pricing[row, PricingColumn.GRANULE_CREDITED])
    cost_1, unit_1 = unit_price(conversion, rate, pair_scale, fx_step_us, first, now_us)
    cost_2, unit_2 = unit_price(conversion, rate, pair_scale, fx_step_us, second, now_us)
    debited = registers[Register.INSTRUCTED]
    mid_1, part_mid_1 = times(debited, 0, PPM, PPM + spread_1)
    value, part_value = times(mid_1, part_mid_1, PPM, PPM + spread_2)
    paid, part_paid = times(mid_1, part_mid_1, unit_1, cost_1)
    mid_2, part_mid_2 = times(paid, part_paid, PPM, PPM + spread_2)
    bought, _ = times(mid_2, part_mid_2, unit_2, cost_2)
    settlement = debited
    registers[Register.MID_1] = debited
    if first >= 0:
        by_debited = int(pricing[row, PricingColumn.GRANULE_DEBITED])
        registers[Register.MID_1] = min(nearest(mid_1, part_mid_1, by_debited), debited)
        # What is paid out is cut, and without a second conversion that is the settlement.
        settlement = paid - paid % by_settlement
        if second >= 0:
            settlement = nearest(paid, part_paid, by_settlement)
    gross = settlement
    registers[Register.MID_2] = settlement
    if second >= 0:
        registers[Register.MID_2] = min(nearest(mid_2, part_mid_2, by_settlement), settlement)
        gross = bought - bought % by_credited
    registers[Register.CREDITED_GROSS] = gross
    registers[Register.SETTLEMENT] = settlement
    registers[Register.DEBITED] = debited
    return _less(debited, 0, value, part_value)


@compiled
def _less(whole: int, part: int, other: int, other_part: int) -> tuple[int, int]:
    """Return the difference of two amounts, its millionths between 0 and MICRO."""
    parts = part - other_part
    return whole - other + parts // MICRO, parts % MICRO


@compiled
def _round_each_step(
    pricing: Array,
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    spread: Array,
    fx_step_us: int,
    row: int,
    now_us: int,
    registers: Array,
) -> None:
    """Replace the amounts by those of a price that rounds every conversion and spread."""
    first = int(pricing[row, PricingColumn.CONVERSION_1])
    second = int(pricing[row, PricingColumn.CONVERSION_2])
    # By the amount that is known beforehand, so that no price depends on itself.
    spread_1 = spread_at(conversion, spread, first, registers[Register.INSTRUCTED], now_us)
    spread_2 = spread_at(conversion, spread, second, registers[Register.INSTRUCTED], now_us)
    # Backwards from what is to arrive: each conversion asks for what the one behind it needs.
    # The creditor's amount comes out exactly, so all remainders are the debtor's.
    if pricing[row, PricingColumn.FIXED_SIDE] == FixedSide.CREDITOR:
        gross = registers[Register.INSTRUCTED]
        # Without a conversion mid and amount are equal, and the spread is 0.
        settlement = mid_2 = gross
        if second >= 0:
            mid_2 = mid_cost(conversion, rate, pair_scale, fx_step_us, second, gross, now_us)
            granule = int(pricing[row, PricingColumn.GRANULE_SETTLEMENT])
            # To the granule of the currency that is paid: nobody can pay half a cent of
            # settlement.
            settlement = _with_spread(mid_2, spread_2, granule)
        debited = mid_1 = settlement
        if first >= 0:
            mid_1 = mid_cost(conversion, rate, pair_scale, fx_step_us, first, settlement, now_us)
            granule = int(pricing[row, PricingColumn.GRANULE_DEBITED])
            debited = _with_spread(mid_1, spread_1, granule)
    else:
        # Forwards from what is paid: the spread is taken off first, then the rest buys.
        debited = registers[Register.INSTRUCTED]
        settlement = mid_1 = debited
        if first >= 0:
            # The inverse of ``mid + mid * ppm``: the spread is a share of what buys, in both
            # directions. PPM + ppm is below 2^31, as spreads are.
            mid_1 = mul_div_floor(debited, PPM, PPM + spread_1)
            settlement = mid_value(conversion, rate, pair_scale, fx_step_us, first, mid_1, now_us)
            # Down to the granule of what is bought; what is cut off stays with the provider.
            settlement -= settlement % int(pricing[row, PricingColumn.GRANULE_SETTLEMENT])
        gross = mid_2 = settlement
        if second >= 0:
            mid_2 = mul_div_floor(settlement, PPM, PPM + spread_2)
            gross = mid_value(conversion, rate, pair_scale, fx_step_us, second, mid_2, now_us)
            gross -= gross % int(pricing[row, PricingColumn.GRANULE_CREDITED])
    registers[Register.DEBITED] = debited
    registers[Register.SETTLEMENT] = settlement
    registers[Register.CREDITED_GROSS] = gross
    registers[Register.MID_1] = mid_1
    registers[Register.MID_2] = mid_2


@compiled
def _with_spread(mid: int, spread_ppm: int, granule: int) -> int:
    """Return the mid amount plus the provider's spread, up to the next whole granule."""
    # Rounded up twice, to the minor unit and to the granule, both in favour of the provider.
    paid = mid + mul_div_ceil(mid, spread_ppm, PPM)
    return -(-paid // granule) * granule

"""Price a payment again, with none of the engines' code.

Takes the plan's prices, rates and fees; fills the registers a QUOTE must have filled. Amounts stay
below 2^53 and rates below 2^31 (see :mod:`sim.contract.meaning`), so that what is multiplied is
first divided: the whole part and the remainder are scaled apart, and no product leaves an int64.
"""

from __future__ import annotations

from sim.audit.state import Count, Pay, Things
from sim.audit.world import CONVERSION_SCALE, World
from sim.contract.charges import Rounding
from sim.contract.layout import (
    MICRO,
    PPM,
    ConversionColumn,
    FeeColumn,
    PricingColumn,
    TierColumn,
)
from sim.contract.meaning import Bearer, FeeKind, FixedSide
from sim.contract.plan import Array
from sim.contract.records import Register
from sim.contract.spreads import SpreadColumn
from sim.jit.functions import called


@called
def price_anew(w: World, pricing: int, instructed: int, now_us: int, submitted_us: int) -> bool:
    """Fill ``World.scratch`` with every register; say whether something is left for both sides.

    Parameters
    ----------
    pricing : int
        Number of the price.
    instructed : int
        Instructed amount.
    now_us, submitted_us : int
        Instants of the quote and of the submission.
    """
    row, found = w.first[Things.PRICING] + pricing, w.scratch
    # A fee may be based on a register that is filled later: it finds 0, as in the
    # specification.
    for register in range(len(found)):
        found[register] = 0
    found[Register.INSTRUCTED] = instructed
    is_creditors = w.things[row, PricingColumn.FIXED_SIDE] == FixedSide.CREDITOR
    if is_creditors:
        whole, part = _asked_for(w, row, instructed, now_us)
    else:
        whole, part = _sent(w, row, instructed, now_us)
    if w.things[row, PricingColumn.ROUNDING] == Rounding.EACH_STEP:
        _round_steps(w, row, instructed, now_us, is_creditors)
    debited, settlement = found[Register.DEBITED], found[Register.SETTLEMENT]
    gross = found[Register.CREDITED_GROSS]
    value_now = worth(w, pricing, gross, now_us)
    found[Register.CREDITED] = gross
    found[Register.SPREAD_1] = debited - found[Register.MID_1]
    found[Register.SPREAD_2] = settlement - found[Register.MID_2]
    found[Register.FX_MARGIN] = debited - value_now
    found[Register.FX_DRIFT] = value_now - worth(w, pricing, gross, submitted_us)
    # All of the margin that no spread explains.
    found[Register.FX_ROUNDING] = MICRO * (found[Register.FX_MARGIN] - whole) - part
    # Last, since fees may be shares of any of these amounts.
    _add_fees(w, row)
    least = max(1, w.things[row, PricingColumn.LEAST_DEBITED])
    return bool(found[Register.DEBITED] >= least and found[Register.CREDITED] >= 1)


@called
def worth(w: World, pricing: int, gross: int, time_us: int) -> int:
    """Return what a credited amount is worth to a price at the mid rates of an instant.

    Parameters
    ----------
    pricing : int
        Number of the price.
    gross : int
        Minor units of the credited currency.
    time_us : int
        Instant of the rates.
    """
    row = w.first[Things.PRICING] + pricing
    first = w.things[row, PricingColumn.CONVERSION_1]
    second = w.things[row, PricingColumn.CONVERSION_2]
    if w.things[row, PricingColumn.ROUNDING] == Rounding.EACH_STEP:
        # Rounded once, at the end: what is lost at the settlement currency is margin.
        return _worth(w, first, second, gross, time_us)
    if first < 0 and second < 0:
        return gross
    cost_2, unit_2 = _mid_rate(w, second, time_us)
    cost_1, unit_1 = _mid_rate(w, first, time_us)
    there, parts = _carried(gross, 0, cost_2, unit_2)
    there, parts = _carried(there, parts, cost_1, unit_1)
    column = PricingColumn.GRANULE_DEBITED if first >= 0 else PricingColumn.GRANULE_SETTLEMENT
    return _to_granule(there, parts, w.things[row, column])


@called
def _asked_for(w: World, row: int, gross: int, now_us: int) -> tuple[int, int]:
    """Fill the amounts of a price rounded once from the payee's; return what its spreads make."""
    found = w.scratch
    first = w.things[row, PricingColumn.CONVERSION_1]
    second = w.things[row, PricingColumn.CONVERSION_2]
    by_settlement = w.things[row, PricingColumn.GRANULE_SETTLEMENT]
    by_debited = w.things[row, PricingColumn.GRANULE_DEBITED]
    by_first = _spread(w, first, gross, now_us)
    by_second = _spread(w, second, gross, now_us)
    cost_2, unit_2 = _mid_rate(w, second, now_us)
    cost_1, unit_1 = _mid_rate(w, first, now_us)
    # Through both mid rates without any spread: what the payee's amount is worth.
    settled, parts = _carried(gross, 0, cost_2, unit_2)
    mid_2 = _to_granule(settled, parts, by_settlement)
    worth_whole, worth_parts = _carried(settled, parts, cost_1, unit_1)
    settled, parts = _carried(settled, parts, PPM + by_second, PPM)
    settlement = _to_granule(settled, parts, by_settlement)
    settled, parts = _carried(settled, parts, cost_1, unit_1)
    mid_1 = _to_granule(settled, parts, by_debited)
    settled, parts = _carried(settled, parts, PPM + by_first, PPM)
    debited = max(_to_granule(settled, parts, by_debited), by_debited)
    # Nothing happens where nothing is converted.
    if second < 0:
        settlement = mid_2 = gross
    elif first < 0:
        settlement = max(settlement, by_settlement)
    if first < 0:
        debited = mid_1 = settlement
    found[Register.CREDITED_GROSS], found[Register.SETTLEMENT] = gross, settlement
    found[Register.DEBITED], found[Register.MID_1] = debited, mid_1
    found[Register.MID_2] = mid_2
    return settled - worth_whole, parts - worth_parts


@called
def _sent(w: World, row: int, debited: int, now_us: int) -> tuple[int, int]:
    """Fill the amounts of a price rounded once from the payer's; return what its spreads make."""
    found = w.scratch
    first = w.things[row, PricingColumn.CONVERSION_1]
    second = w.things[row, PricingColumn.CONVERSION_2]
    by_settlement = w.things[row, PricingColumn.GRANULE_SETTLEMENT]
    by_first = _spread(w, first, debited, now_us)
    by_second = _spread(w, second, debited, now_us)
    cost_2, unit_2 = _mid_rate(w, second, now_us)
    cost_1, unit_1 = _mid_rate(w, first, now_us)
    left, parts = _carried(debited, 0, PPM, PPM + by_first)
    mid_1 = _to_granule(left, parts, w.things[row, PricingColumn.GRANULE_DEBITED])
    # What is left of the payer's money once both spreads are off it.
    worth_whole, worth_parts = _carried(left, parts, PPM, PPM + by_second)
    left, parts = _carried(left, parts, unit_1, cost_1)
    settlement = _to_granule(left, parts, by_settlement)
    # The last amount is paid out: down, and in whole granules.
    if second < 0:
        settlement = left // by_settlement * by_settlement
    left, parts = _carried(left, parts, PPM, PPM + by_second)
    mid_2 = _to_granule(left, parts, by_settlement)
    left, parts = _carried(left, parts, unit_2, cost_2)
    by_credited = w.things[row, PricingColumn.GRANULE_CREDITED]
    gross = left // by_credited * by_credited
    if first < 0:
        settlement = mid_1 = debited
    if second < 0:
        gross = mid_2 = settlement
    found[Register.CREDITED_GROSS], found[Register.SETTLEMENT] = gross, settlement
    found[Register.DEBITED], found[Register.MID_1] = debited, min(mid_1, debited)
    found[Register.MID_2] = min(mid_2, settlement)
    return debited - worth_whole, -worth_parts


@called
def _round_steps(w: World, row: int, instructed: int, now_us: int, is_creditors: bool) -> None:
    """Fill the amounts of a price that rounds at each step."""
    found = w.scratch
    first = w.things[row, PricingColumn.CONVERSION_1]
    second = w.things[row, PricingColumn.CONVERSION_2]
    by_first = _spread(w, first, instructed, now_us)
    by_second = _spread(w, second, instructed, now_us)
    by_settlement = w.things[row, PricingColumn.GRANULE_SETTLEMENT]
    # Backwards and rounded up for the payee's amount, forwards and rounded down for the
    # payer's.
    if is_creditors:
        gross = instructed
        mid_2 = asked_at_mid(w, second, gross, now_us)
        settlement = _with_spread(second, by_second, mid_2, by_settlement)
        mid_1 = asked_at_mid(w, first, settlement, now_us)
        by_debited = w.things[row, PricingColumn.GRANULE_DEBITED]
        debited = _with_spread(first, by_first, mid_1, by_debited)
    else:
        debited = instructed
        mid_1 = without_spread(first, by_first, debited)
        settlement = bought_at_mid(w, first, mid_1, now_us, by_settlement)
        mid_2 = without_spread(second, by_second, settlement)
        by_credited = w.things[row, PricingColumn.GRANULE_CREDITED]
        gross = bought_at_mid(w, second, mid_2, now_us, by_credited)
    found[Register.DEBITED], found[Register.MID_1] = debited, mid_1
    found[Register.SETTLEMENT], found[Register.MID_2] = settlement, mid_2
    found[Register.CREDITED_GROSS] = gross


@called
def _spread(w: World, conversion: int, instructed: int, time_us: int) -> int:
    """Return a conversion's margin for an amount at an instant, 0 without one."""
    if conversion < 0:
        return 0
    row = w.first[Things.CONVERSION] + conversion
    found = w.things[row, ConversionColumn.SPREAD_PPM]
    # Every row in its order: the last one that has begun and asks for no more holds.
    first = w.first[Things.SPREAD] + w.things[row, ConversionColumn.SPREAD_FIRST]
    for at in range(first, first + w.things[row, ConversionColumn.SPREAD_COUNT]):
        begun = w.things[at, SpreadColumn.FROM_US] <= time_us
        if begun and w.things[at, SpreadColumn.AT_LEAST] <= instructed:
            found = w.things[at, SpreadColumn.PPM]
    return int(found)


@called
def _carried(whole: int, parts: int, by: int, over: int) -> tuple[int, int]:
    """Return an amount with its millionths times a fraction, half up to a millionth."""
    rest = whole % over * by
    # Half of the divisor added, everything doubled: below 2^54.
    doubled = 2 * (rest % over * MICRO + parts * by) + over
    made = doubled // (2 * over)
    return whole // over * by + rest // over + made // MICRO, made % MICRO


@called
def _to_granule(whole: int, parts: int, granule: int) -> int:
    """Return the nearest whole granule, the higher one of two as near."""
    below = whole // granule * granule
    # By what is missing to the next one: at most half of it.
    missing = (below + granule - whole) * MICRO - parts
    return below + granule if 2 * missing <= granule * MICRO else below


@called
def price_all(w: World, asked: Array, found: Array) -> None:
    """Fill the registers of many prices (see :func:`~sim.audit.views.price_rows`)."""
    for at in range(len(asked)):
        price_anew(w, asked[at, 0], asked[at, 1], asked[at, 2], asked[at, 3])
        for register in range(len(w.scratch)):
            found[at, register] = w.scratch[register]


@called
def worth_all(w: World, asked: Array, found: Array) -> None:
    """Fill in what amounts are worth (see :func:`~sim.audit.views.worth_rows`)."""
    for at in range(len(asked)):
        found[at] = worth(w, asked[at, 0], asked[at, 1], asked[at, 2])


@called
def price(w: World, p: int, pricing: int, now_us: int) -> bool:
    """Fill a payment's registers at the rates of an instant; say whether the price can be used."""
    usable = price_anew(w, pricing, w.pay[p, Pay.REGISTER_0], now_us, w.pay[p, Pay.SUBMITTED_US])
    for register in range(len(w.scratch)):
        w.pay[p, Pay.REGISTER_0 + register] = w.scratch[register]
    w.pay[p, Pay.PRICING], w.pay[p, Pay.QUOTED_US] = pricing, now_us
    return usable


@called
def fee_slot(w: World, p: int, fee: int) -> int:
    """Return the slot of a fee within a payment's price, -1 where it is none of its fees."""
    pricing = w.pay[p, Pay.PRICING]
    if pricing < 0:
        return -1
    row = w.first[Things.PRICING] + pricing
    slot = fee - w.things[row, PricingColumn.FEE_FIRST]
    # Fees of other prices are none of this payment's.
    return slot if 0 <= slot < w.things[row, PricingColumn.FEE_COUNT] else -1


@called
def _mid_rate(w: World, conversion: int, time_us: int) -> tuple[int, int]:
    """Return the cost of one bought unit in source units at the mid rate, as a fraction."""
    if conversion < 0:
        return 1, 1
    row = w.first[Things.CONVERSION] + conversion
    pair, scale = w.things[row, ConversionColumn.PAIR], w.things[row, CONVERSION_SCALE]
    # A corrupted row may lie before the start.
    step = max(0, min(time_us // w.g[Count.FX_STEP_US], w.rate.shape[1] - 1))
    # The fraction turned over, never divided.
    if w.things[row, ConversionColumn.INVERTED] == 0:
        return w.rate[pair, step], scale
    return scale, w.rate[pair, step]


@called
def asked_at_mid(w: World, conversion: int, bought: int, time_us: int) -> int:
    """Return what buying an amount costs at the mid rate, rounded up."""
    cost, unit = _mid_rate(w, conversion, time_us)
    return _scaled_up(bought, cost, unit)


@called
def _worth(w: World, first: int, second: int, gross: int, time_us: int) -> int:
    """Return what an amount is worth through both mid rates, rounded up at the end only."""
    cost_2, unit_2 = _mid_rate(w, second, time_us)
    whole = _scaled_down(gross, cost_2, unit_2)
    over_2 = gross % unit_2 * cost_2 % unit_2
    cost_1, unit_1 = _mid_rate(w, first, time_us)
    over_1 = whole % unit_1 * cost_1 % unit_1
    # Both parts as fractions of unit_1 * unit_2: two products below 2^62, a sum below 2^63.
    parts = over_1 * unit_2 + over_2 * cost_1
    return _scaled_down(whole, cost_1, unit_1) - -parts // (unit_1 * unit_2)


@called
def _with_spread(conversion: int, spread: int, mid: int, granule: int) -> int:
    """Return what is paid where an amount is due at mid rate, rounded up to the granule."""
    if conversion < 0:
        return mid
    paid = with_margin(mid, spread)
    # Up to the granule: what is asked for is rounded in favour of who asks.
    return -(-paid // granule) * granule


@called
def with_margin(mid: int, spread: int) -> int:
    """Return what is paid where an amount is due at mid rate, rounded up."""
    return mid + _scaled_up(mid, spread, PPM)


@called
def without_spread(conversion: int, spread: int, paid: int) -> int:
    """Return which part of a payment buys at mid rate, rounded down."""
    if conversion < 0:
        return paid
    return _scaled_down(paid, PPM, PPM + spread)


@called
def bought_at_mid(w: World, conversion: int, mid: int, time_us: int, granule: int) -> int:
    """Return what an amount buys at mid rate, rounded down to the granule."""
    if conversion < 0:
        return mid
    cost, unit = _mid_rate(w, conversion, time_us)
    return _scaled_down(mid, unit, cost) // granule * granule


@called
def costs_at_mid(w: World, conversion: int, bought: int) -> int:
    """Return what an amount costs at the mid rate of now, rounded down."""
    cost, unit = _mid_rate(w, conversion, w.g[Count.NOW])
    return _scaled_down(bought, cost, unit)


@called
def _scaled_down(amount: int, by: int, over: int) -> int:
    """Return ``amount * by / over``, rounded down."""
    # Whole part and remainder are scaled apart: the remainder is below ``over``, so its product
    # fits.
    return amount // over * by + amount % over * by // over


@called
def _scaled_up(amount: int, by: int, over: int) -> int:
    """Return ``amount * by / over``, rounded up."""
    return amount // over * by - (-(amount % over * by) // over)


@called
def _add_fees(w: World, row: int) -> None:
    """Fill the fee registers, in order of slot, and their sums."""
    found, first = w.scratch, w.first[Things.FEE] + w.things[row, PricingColumn.FEE_FIRST]
    count = max(w.things[row, PricingColumn.FEE_COUNT], 0)
    for slot in range(count):
        fee = first + slot
        found[Register.FEE_0 + slot] = _fee_amount(w, fee, found[w.things[fee, FeeColumn.BASE]])
    for slot in range(count):
        if w.things[first + slot, FeeColumn.BEARER] == Bearer.DEBTOR:
            found[Register.PAYER_FEE] += found[Register.FEE_0 + slot]
        elif w.things[first + slot, FeeColumn.BEARER] == Bearer.CREDITOR:
            found[Register.MERCHANT_FEE] += found[Register.FEE_0 + slot]
    found[Register.CREDITED] = found[Register.CREDITED_GROSS] - found[Register.MERCHANT_FEE]


@called
def _fee_amount(w: World, fee: int, base: int) -> int:
    """Return one fee on a base amount."""
    kind = w.things[fee, FeeColumn.KIND]
    fixed, ppm = w.things[fee, FeeColumn.FIXED], w.things[fee, FeeColumn.PPM]
    if kind == FeeKind.TIERED:
        tier = w.first[Things.TIER] + w.things[fee, FeeColumn.TIER_FIRST]
        last = tier + w.things[fee, FeeColumn.TIER_COUNT] - 1
        # The last tier has no end.
        while tier < last and 0 <= w.things[tier, TierColumn.UP_TO] < base:
            tier += 1
        fixed, ppm = w.things[tier, TierColumn.FIXED], w.things[tier, TierColumn.PPM]
    amount = fixed
    if kind != FeeKind.FIXED:
        amount += _scaled_down(base, ppm, PPM)
    # A surcharge that is 0 stays 0, whatever its minimum.
    if kind == FeeKind.SURCHARGE and (base <= w.things[fee, FeeColumn.THRESHOLD] or amount == 0):
        return 0
    if w.things[fee, FeeColumn.MINIMUM] >= 0:
        amount = max(amount, w.things[fee, FeeColumn.MINIMUM])
    if w.things[fee, FeeColumn.MAXIMUM] >= 0:
        amount = min(amount, w.things[fee, FeeColumn.MAXIMUM])
    # After the bounds, downwards.
    granule = w.things[fee, FeeColumn.GRANULE]
    return int(amount // granule * granule)

"""Fees in whole minor units, by the rows of a plan.

Takes registers of a price and rows of the plan's pricing, fee and tier arrays; gives int64 amounts.
"""

from __future__ import annotations

from sim.contract.layout import FEES_MAX, PPM, FeeColumn, PricingColumn, TierColumn
from sim.contract.meaning import Bearer, FeeKind
from sim.contract.plan import Array
from sim.contract.records import Register
from sim.jit.cache import compiled
from sim.money.exchange import mul_div_floor


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
def price_fees(pricing: Array, fee: Array, tier: Array, row: int, registers: Array) -> None:
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

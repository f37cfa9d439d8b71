"""What a payment of a given amount would cost on a route, at the rates of an instant.

Takes the price of a route and its rows in a plan; gives amounts in minor units. Exact integer
arithmetic by the rules of :class:`~sim.contract.layout.PricingColumn`, written from them and not
from the engines' own, which the compiler may not import.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from sim.contract.charges import Rounding
from sim.contract.layout import MICRO, PPM, ConversionColumn, PricingColumn
from sim.contract.meaning import Bearer, FixedSide
from sim.contract.plan import Plan
from sim.contract.spreads import SpreadColumn
from sim.rails.price import Price
from sim.units import currency_of

P = PricingColumn


@dataclass(frozen=True, slots=True)
class PricedAmount:
    """The price of one amount.

    Attributes
    ----------
    debited, settlement, credited : int
        Minor units of their currencies; ``credited`` after the creditor's fees.
    payer_fee, fx_margin : int
        In debited currency.
    merchant_fee : int
        In credited currency.
    rounding : Fraction
        Part of ``fx_margin`` that comes from rounding and not from a spread.
    """

    debited: int
    settlement: int
    credited: int
    payer_fee: int
    fx_margin: int
    merchant_fee: int
    rounding: Fraction = Fraction(0)

    @property
    def rounding_bps(self) -> float:
        """Return what of the cost is rounding, in basis points of the debit."""
        return float(10_000 * self.rounding / self.debited) if self.debited else 0.0

    @property
    def cost_bps(self) -> float:
        """Return what the payer bears beyond the mid rate, in basis points of the debit."""
        if self.debited == 0:
            return 0.0
        return 10_000 * (self.payer_fee + self.fx_margin) / self.debited


def price_amount(
    plan: Plan, row: int, price: Price, instructed: int, *, time_us: int = 0
) -> PricedAmount:
    """Price an instructed amount at the rates of an instant, by default the start.

    Parameters
    ----------
    plan : Plan
    row : int
        Row of ``plan.pricing``.
    price : Price
        What the row was made from: its fees.
    instructed : int
        Minor units, in the currency of the fixed side.
    time_us : int
        Which rates.
    """
    # The last step of the rates holds for ever.
    step = min(time_us // plan.fx_step_us, plan.rate.shape[1] - 1) if plan.fx_step_us else 0
    rates = _Rates(plan, step, instructed, time_us)
    pricing = [int(value) for value in plan.pricing[row]]
    rows = (pricing[P.CONVERSION_1], pricing[P.CONVERSION_2])
    granules = (
        pricing[P.GRANULE_DEBITED],
        pricing[P.GRANULE_SETTLEMENT],
        pricing[P.GRANULE_CREDITED],
    )
    # A third reading of the same rules, in Python's unbounded numbers: no product has to be
    # taken apart, so the formulas stand as the specification has them.
    is_creditors = pricing[P.FIXED_SIDE] == FixedSide.CREDITOR
    unrounded = (_asked_exactly if is_creditors else _given_exactly)(rates, rows, instructed)
    if pricing[P.ROUNDING] == Rounding.ONCE:
        debited, settlement, gross = _rounded_once(
            unrounded, rows, granules, is_creditors=is_creditors
        )
        worth = gross
        if any(row >= 0 for row in rows):
            value = _micro(_micro(gross * rates.at(rows[1])) * rates.at(rows[0]))
            worth = _half_up(value, granules[0] if rows[0] >= 0 else granules[1])
    else:
        if is_creditors:
            gross = instructed
            settlement = _asked(rates, rows[1], gross, granules[1])
            debited = _asked(rates, rows[0], settlement, granules[0])
        else:
            debited = instructed
            settlement = _given(rates, rows[0], debited, granules[1])
            gross = _given(rates, rows[1], settlement, granules[2])
        worth = _worth(rates, rows, gross)
    payer_fee, merchant_fee = _fees(price, debited, gross)
    return PricedAmount(
        debited=debited,
        settlement=settlement,
        credited=gross - merchant_fee,
        payer_fee=payer_fee,
        fx_margin=debited - worth,
        merchant_fee=merchant_fee,
        rounding=debited - worth - unrounded.spreads,
    )


def margin_ppm(plan: Plan, row: int, instructed: int, time_us: int) -> int:
    """Return the margin of a conversion for an amount at an instant: the last row that holds.

    Parameters
    ----------
    plan : Plan
    row : int
        Row of ``plan.conversion``.
    instructed : int
        Minor units, in the currency of the fixed side.
    time_us : int

    Returns
    -------
    int
        Millionths.
    """
    sold = plan.conversion[row]
    first = int(sold[ConversionColumn.SPREAD_FIRST])
    rows = plan.spread[first : first + max(int(sold[ConversionColumn.SPREAD_COUNT]), 0)]
    holds = (rows[:, SpreadColumn.FROM_US] <= time_us) & (
        rows[:, SpreadColumn.AT_LEAST] <= instructed
    )
    found = rows[holds, SpreadColumn.PPM]
    return int(found[-1] if len(found) else sold[ConversionColumn.SPREAD_PPM])


@dataclass(frozen=True, slots=True)
class _Rates:
    """The rates of one step of the market, and the margins for an amount at an instant."""

    plan: Plan
    step: int
    instructed: int
    time_us: int

    def of(self, row: int) -> tuple[int, int]:
        """Return minor units of the source per minor unit bought, as a fraction."""
        pair = int(self.plan.conversion[row, ConversionColumn.PAIR])
        scaled, scale = int(self.plan.rate[pair, self.step]), int(self.plan.pair_scale[pair])
        is_inverted = self.plan.conversion[row, ConversionColumn.INVERTED] == 1
        return (scale, scaled) if is_inverted else (scaled, scale)

    def at(self, row: int) -> Fraction:
        """Return the same as one number, 1 without a conversion."""
        return Fraction(*self.of(row)) if row >= 0 else Fraction(1)

    def margin(self, row: int) -> Fraction:
        """Return by how much a conversion's price exceeds the mid rate, as a factor."""
        return 1 + Fraction(self.spread_ppm(row) if row >= 0 else 0, PPM)

    def spread_ppm(self, row: int) -> int:
        """Return the margin of a conversion."""
        return margin_ppm(self.plan, row, self.instructed, self.time_us)


@dataclass(frozen=True, slots=True)
class _Unrounded:
    """The amounts of a price before they are rounded, and what its spreads make."""

    debited: Fraction
    settlement: Fraction
    credited: Fraction
    spreads: Fraction


def _micro(amount: Fraction) -> Fraction:
    """Return an amount as it is carried, half up to a millionth of a minor unit."""
    return Fraction(math.floor(amount * MICRO + Fraction(1, 2)), MICRO)


def _half_up(amount: Fraction, granule: int) -> int:
    return math.floor(amount / granule + Fraction(1, 2)) * granule


def _asked_exactly(rates: _Rates, rows: tuple[int, int], gross: int) -> _Unrounded:
    """Return what has to be paid for something to arrive."""
    first, second = rows
    mid_2 = _micro(gross * rates.at(second))
    value = _micro(mid_2 * rates.at(first))
    settlement = _micro(mid_2 * rates.margin(second))
    debited = _micro(_micro(settlement * rates.at(first)) * rates.margin(first))
    return _Unrounded(debited, settlement, Fraction(gross), debited - value)


def _given_exactly(rates: _Rates, rows: tuple[int, int], debited: int) -> _Unrounded:
    """Return what arrives of something that is paid."""
    first, second = rows
    mid_1 = _micro(debited / rates.margin(first))
    value = _micro(mid_1 / rates.margin(second))
    settlement = _micro(mid_1 / rates.at(first))
    gross = _micro(_micro(settlement / rates.margin(second)) / rates.at(second))
    return _Unrounded(Fraction(debited), settlement, gross, debited - value)


def _rounded_once(
    amounts: _Unrounded,
    rows: tuple[int, int],
    granules: tuple[int, int, int],
    *,
    is_creditors: bool,
) -> tuple[int, int, int]:
    """Return the debited, settlement and credited amount, each rounded for itself."""
    first, second = rows
    settlement = _half_up(amounts.settlement, granules[1])
    if is_creditors:
        gross = int(amounts.credited)
        # Nobody is billed nothing for something.
        if second < 0:
            settlement = gross
        elif first < 0:
            settlement = max(settlement, granules[1])
        debited = max(_half_up(amounts.debited, granules[0]), granules[0])
        return (settlement if first < 0 else debited), settlement, gross
    debited = int(amounts.debited)
    # What is paid out last is cut: nobody pays out more than came in.
    if first < 0:
        settlement = debited
    elif second < 0:
        settlement = math.floor(amounts.settlement / granules[1]) * granules[1]
    gross = math.floor(amounts.credited / granules[2]) * granules[2]
    return debited, settlement, (settlement if second < 0 else gross)


def _mid_cost(rates: _Rates, row: int, bought: int) -> int:
    """Return what an amount costs at the mid rate; what is asked is rounded up."""
    if row < 0:
        return bought
    number, over = rates.of(row)
    return -(-bought * number // over)


def _worth(rates: _Rates, rows: tuple[int, int], gross: int) -> int:
    """Return what an amount is worth in debited currency; rounded up once, at the end."""
    # Both conversions as one fraction, rounded once at the end.
    number = over = 1
    for row in rows:
        if row >= 0:
            cost, unit = rates.of(row)
            number, over = number * cost, over * unit
    return -(-gross * number // over)


def _asked(rates: _Rates, row: int, bought: int, granule: int) -> int:
    if row < 0:
        return bought
    mid = _mid_cost(rates, row, bought)
    # Minus the floor of a negative number is the ceiling.
    paid = mid - (-mid * rates.spread_ppm(row) // PPM)
    return -(-paid // granule) * granule


def _given(rates: _Rates, row: int, paid: int, granule: int) -> int:
    if row < 0:
        return paid
    mid = paid * PPM // (PPM + rates.spread_ppm(row))
    number, over = rates.of(row)
    bought = mid * over // number
    return bought - bought % granule


def _fees(price: Price, debited: int, gross: int) -> tuple[int, int]:
    """Return the fees borne by the payer and by the creditor."""
    payer, merchant = 0, 0
    for terms in price.fees:
        granule = currency_of(terms.currency).granule
        # What an agent bears is in nobody's price.
        if terms.bearer is Bearer.DEBTOR:
            payer += terms.fee.charge(debited, granule=granule)
        elif terms.bearer is Bearer.CREDITOR:
            merchant += terms.fee.charge(gross, granule=granule)
    return payer, merchant

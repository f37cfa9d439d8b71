"""Price a payment again, with Python's unbounded integers and none of the engines' code.

Takes the plan's prices, rates and fees; gives the registers a QUOTE must have filled. Rates are
exact fractions, so the only roundings are those the plan's columns name.
"""

from __future__ import annotations

from sim.contract.plan import Plan
from sim.contract.spec import (
    PPM,
    REGISTER_COUNT,
    Bearer,
    ConversionColumn,
    FeeColumn,
    FeeKind,
    FixedSide,
    PricingColumn,
    Register,
    RouteColumn,
    TierColumn,
)

UNPRICED_SCORE = 1 << 61


class PriceBook:
    """Answer what a price must have been.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self._pricing: list[list[int]] = plan.pricing.tolist()
        self._conversion: list[list[int]] = plan.conversion.tolist()
        self._rate: list[list[int]] = plan.rate.tolist()
        self._scale: list[int] = plan.pair_scale.tolist()
        self._step_us = plan.fx_step_us
        self._fee: list[list[int]] = plan.fee.tolist()
        self._tier: list[list[int]] = plan.tier.tolist()
        self._route_pricing: list[int] = plan.route[:, RouteColumn.PRICING].tolist()

    def fee_slot(self, pricing: int, fee: int) -> int:
        """Return the slot of a fee row within a price."""
        return fee - self._pricing[pricing][PricingColumn.FEE_FIRST]

    def bearer(self, fee: int) -> int:
        """Return who bears a fee."""
        return self._fee[fee][FeeColumn.BEARER]

    def fee_accounts(self, fee: int) -> tuple[int, int]:
        """Return the debit and credit account of a fee, or role references."""
        row = self._fee[fee]
        return row[FeeColumn.DEBIT], row[FeeColumn.CREDIT]

    def registers(self, row: int, instructed: int, now_us: int, submitted_us: int) -> list[int]:
        """Return every register of a payment priced at an instant.

        Parameters
        ----------
        row : int
            Row of ``Plan.pricing``.
        instructed : int
            Instructed amount.
        now_us, submitted_us : int
            Instants of the quote and of the submission.
        """
        price = self._pricing[row]
        first = price[PricingColumn.CONVERSION_1]
        second = price[PricingColumn.CONVERSION_2]
        if price[PricingColumn.FIXED_SIDE] == FixedSide.CREDITOR:
            gross = instructed
            settlement, mid_2 = self._buy(
                second, gross, now_us, price[PricingColumn.GRANULE_SETTLEMENT]
            )
            debited, mid_1 = self._buy(
                first, settlement, now_us, price[PricingColumn.GRANULE_DEBITED]
            )
        else:
            debited = instructed
            settlement, mid_1 = self._sell(
                first, debited, now_us, price[PricingColumn.GRANULE_SETTLEMENT]
            )
            gross, mid_2 = self._sell(
                second, settlement, now_us, price[PricingColumn.GRANULE_CREDITED]
            )
        value_now = self._worth(first, second, gross, now_us)
        found = [0] * REGISTER_COUNT
        found[Register.INSTRUCTED] = instructed
        found[Register.DEBITED] = debited
        found[Register.SETTLEMENT] = settlement
        found[Register.CREDITED_GROSS] = found[Register.CREDITED] = gross
        found[Register.MID_1], found[Register.SPREAD_1] = mid_1, debited - mid_1
        found[Register.MID_2], found[Register.SPREAD_2] = mid_2, settlement - mid_2
        found[Register.FX_MARGIN] = debited - value_now
        found[Register.FX_DRIFT] = value_now - self._worth(first, second, gross, submitted_us)
        self._add_fees(price, found)
        return found

    def score(self, route: int, instructed: int, now_us: int, submitted_us: int) -> int:
        """Return what the cheapest policy must have found for a route."""
        pricing = self._route_pricing[route]
        if pricing < 0:
            return 0
        found = self.registers(pricing, instructed, now_us, submitted_us)
        if not is_usable(found):
            return UNPRICED_SCORE
        return found[Register.FX_MARGIN] + found[Register.PAYER_FEE]

    def _mid(self, conversion: int, time_us: int) -> tuple[int, int]:
        """Return the cost of one bought unit in source units at the mid rate, as a fraction."""
        row = self._conversion[conversion]
        pair = row[ConversionColumn.PAIR]
        path = self._rate[pair]
        step = min(time_us // self._step_us, len(path) - 1)
        if row[ConversionColumn.INVERTED] == 0:
            return path[step], self._scale[pair]
        return self._scale[pair], path[step]

    def _buy(self, conversion: int, bought: int, time_us: int, granule: int) -> tuple[int, int]:
        """Return what buying an amount costs in all and at mid rate; both rounded up."""
        if conversion < 0:
            return bought, bought
        cost, unit = self._mid(conversion, time_us)
        mid = _up(bought * cost, unit)
        spread = self._conversion[conversion][ConversionColumn.SPREAD_PPM]
        return _up(mid + _up(mid * spread, PPM), granule) * granule, mid

    def _sell(self, conversion: int, paid: int, time_us: int, granule: int) -> tuple[int, int]:
        """Return what an amount buys and which part of it bought; both rounded down."""
        if conversion < 0:
            return paid, paid
        spread = self._conversion[conversion][ConversionColumn.SPREAD_PPM]
        mid = paid * PPM // (PPM + spread)
        cost, unit = self._mid(conversion, time_us)
        return mid * unit // cost // granule * granule, mid

    def _worth(self, first: int, second: int, gross: int, time_us: int) -> int:
        """Return the credited amount in debited currency at mid rates, each step rounded up."""
        for conversion in (second, first):
            if conversion >= 0:
                cost, unit = self._mid(conversion, time_us)
                gross = _up(gross * cost, unit)
        return gross

    def _add_fees(self, price: list[int], found: list[int]) -> None:
        """Fill the fee registers, in order of slot, and their sums."""
        first = price[PricingColumn.FEE_FIRST]
        for slot in range(price[PricingColumn.FEE_COUNT]):
            fee = self._fee[first + slot]
            amount = self._fee_amount(fee, found[fee[FeeColumn.BASE]])
            found[Register.FEE_0 + slot] = amount
        for slot in range(price[PricingColumn.FEE_COUNT]):
            by_debtor = self.bearer(first + slot) == Bearer.DEBTOR
            total = Register.PAYER_FEE if by_debtor else Register.MERCHANT_FEE
            found[total] += found[Register.FEE_0 + slot]
        found[Register.CREDITED] = found[Register.CREDITED_GROSS] - found[Register.MERCHANT_FEE]

    def _fee_amount(self, fee: list[int], base: int) -> int:
        """Return one fee on a base amount."""
        kind, fixed, ppm = fee[FeeColumn.KIND], fee[FeeColumn.FIXED], fee[FeeColumn.PPM]
        if kind == FeeKind.TIERED:
            start = fee[FeeColumn.TIER_FIRST]
            tiers = self._tier[start : start + fee[FeeColumn.TIER_COUNT]]
            fits = [t for t in tiers if t[TierColumn.UP_TO] < 0 or base <= t[TierColumn.UP_TO]]
            tier = fits[0] if fits else tiers[-1]
            fixed, ppm = tier[TierColumn.FIXED], tier[TierColumn.PPM]
        amount = fixed if kind == FeeKind.FIXED else fixed + base * ppm // PPM
        if kind == FeeKind.SURCHARGE:
            if base <= fee[FeeColumn.THRESHOLD]:
                amount = 0
            if amount == 0:
                return 0
        if fee[FeeColumn.MINIMUM] >= 0:
            amount = max(amount, fee[FeeColumn.MINIMUM])
        if fee[FeeColumn.MAXIMUM] >= 0:
            amount = min(amount, fee[FeeColumn.MAXIMUM])
        return amount // fee[FeeColumn.GRANULE] * fee[FeeColumn.GRANULE]


def _up(part: int, whole: int) -> int:
    """Return a quotient rounded up."""
    return -(-part // whole)


def is_usable(registers: list[int]) -> bool:
    """Say whether a price leaves something for both sides."""
    return registers[Register.DEBITED] >= 1 and registers[Register.CREDITED] >= 1

"""Exchange rates as integers: rate paths, conversions, and the bounds on amounts.

Takes the scenario's mid rates and a route's price; gives parts of a plan. A pair is kept in the
orientation in which one minor unit of its base costs at least one minor unit of its quote, as an
integer over a power of ten, so that both stay below 2^31 and an amount times a rate never
overflows an int64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from sim.compiler.parts import Conversion, RatePath
from sim.compiler.rate_files import Course
from sim.compiler.rate_steps import (
    TWELVE_DIGITS,
    RateSteps,
    ceiling,
    floor,
    half_even,
    twelve_digits,
)
from sim.compiler.spreads import margins_over_time
from sim.contract.charges import DESK
from sim.contract.layout import AMOUNT_MAX, FEES_MAX, PPM, RATE_MAX
from sim.contract.meaning import FixedSide
from sim.draws.arrays import draw_array, quantile_array
from sim.model.fx import Fx
from sim.model.money import MoneyAmount
from sim.model.pricing import ChargeBearer
from sim.model.quantities import CurrencyPair
from sim.model.sections import Clock
from sim.model.steps import MULTIPLE_UNIT
from sim.rails.desks import quote_of
from sim.rails.price import Exchange, Price
from sim.units import DAY_US, currency_of

SCALED_RATE = 10**8
"""Rates are scaled to lie between this and ten times this at the start: nine digits, and room to
double before RATE_MAX."""
VEHICLE = "USD"
"""Pairs without a mid rate of their own are crossed through this currency before any other."""


class PriceError(ValueError):
    """A price that cannot be compiled; the message says why."""


class Market:
    """The mid-rate paths of a scenario, and the pairs that routes need.

    Parameters
    ----------
    fx : Fx
    horizon_us, seed, replication : int
        A path depends on the pair's name, seed and replication, and on nothing else.
    jumps : mapping of CurrencyPair to sequence of (int, int), optional
        Instants at which written pairs jump, and by which multiple in 10^-9.
    courses : mapping of CurrencyPair to sequence of (int, Fraction), optional
        Courses of written pairs that stand in files (:mod:`sim.compiler.rate_files`).
    clock : Clock, optional
        Of the run; providers with margins by the hour need it.
    """

    def __init__(
        self,
        fx: Fx,
        *,
        horizon_us: int,
        seed: int,
        replication: int,
        jumps: Mapping[CurrencyPair, Sequence[tuple[int, int]]] | None = None,
        courses: Mapping[CurrencyPair, Course] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock
        self._fx, self._jumps, self._courses = fx, jumps or {}, courses or {}
        # Rounded up: the last step may reach beyond the horizon.
        self._steps = -(-horizon_us // fx.step)
        self._seed, self._replication = seed, replication
        self._paths: dict[CurrencyPair, RateSteps] = {}
        # By base, quote and, of a provider who quotes rates of its own, whose they are.
        self._pairs: dict[tuple[str, str, str], RatePath] = {}
        self.rate_start: dict[tuple[str, str, str], Fraction] = {}

    @property
    def used(self) -> frozenset[CurrencyPair]:
        """Return the written pairs that some conversion so far was computed from."""
        return frozenset(self._paths)

    def conversion(self, exchange: Exchange, fixed: str = "") -> Conversion:
        """Return the conversion of an exchange, along or against the pair that is kept.

        Parameters
        ----------
        exchange : Exchange
        fixed : str
            Currency of the amounts its provider's margins depend on; empty: what is converted is no
            payment, and of such margins the first holds.
        """
        source, target, desk = exchange.source, exchange.target, desk_of(exchange)
        rows = self._margins(exchange, fixed)
        spread = rows[0][2] if rows else self.spread_ppm(exchange)
        # One margin for everything is no table.
        spreads = rows if len(rows) > 1 and fixed else ()
        # A pair is kept once, in whichever way round came first, so that both directions use
        # one path.
        for base, quote, inverted in ((target, source, False), (source, target, True)):
            if (base, quote, desk) in self._pairs:
                return Conversion(self._pairs[base, quote, desk], inverted, spread, spreads)
        forward = self._path(target, source)
        if exchange.quote is not None:
            # The mid rate but for the millionth the margin is written in: with the margin it is
            # the quoted rate, and moves as the market does.
            exact = 1 / (exchange.quote * (1 + Fraction(spread, PPM)))
            forward = forward.times(exact / forward.start)
        minor = _minor_ratio(target, source)
        # One minor unit of the base must cost at least one of the quote.
        # Kept the way round in which the integer is large, as small integers would round a rate
        # coarsely.
        if forward.start * minor >= 1:
            self._pairs[target, source, desk] = self._keep(
                (target, source), desk, forward, minor, is_cost=True
            )
        else:
            self._pairs[source, target, desk] = self._keep(
                (source, target), desk, forward.inverted(), 1 / minor, is_cost=False
            )
        return self.conversion(exchange, fixed)

    def _margins(self, exchange: Exchange, fixed: str) -> tuple[tuple[int, int, int], ...]:
        """Return what its provider takes for an exchange, as rows of ``Plan.spread``."""
        quote = quote_of(self._fx, exchange.provider, exchange)
        if quote is None:
            return ()
        provider = self._fx.providers[exchange.provider]
        # Nobody without a clock asks for hours.
        over_time = (
            ((0, 0),) if self._clock is None else margins_over_time(self._clock, provider, quote)
        )
        bands = [(0, quote.spread)]
        for band in quote.amounts if fixed else ():
            bands.append((self._in_currency(band.at_least, fixed), band.spread))
        return tuple(
            (at_us, least, spread + more) for at_us, more in over_time for least, spread in bands
        )

    def _in_currency(self, money: MoneyAmount, currency: str) -> int:
        """Return an amount in minor units of a currency, at the start's mid rates, rounded up."""
        if money.currency == currency:
            return money.amount_minor
        return math.ceil(money.amount_minor * self.minor_rate(money.currency, currency))

    def minor_rate(self, source: str, target: str) -> Fraction:
        """Return what a minor unit of a currency is in those of another, at the start's mid rates.

        Raises
        ------
        PriceError
            If there is no such rate.
        """
        return self._path(source, target).start * _minor_ratio(source, target)

    def widest_ppm(self, exchange: Exchange) -> int:
        """Return the greatest margin of an exchange, of whatever amount and at whatever time."""
        quote = quote_of(self._fx, exchange.provider, exchange)
        if quote is None:
            return self.spread_ppm(exchange)
        added = quote.closed + sum(hours.more for hours in quote.hours.values())
        return max(quote.spread, *(band.spread for band in quote.amounts), 0) + added

    def spread_ppm(self, exchange: Exchange, amount: tuple[str, Fraction] | None = None) -> int:
        """Return the margin of an exchange, of a quoted rate how far it is from the mid rate.

        Parameters
        ----------
        exchange : Exchange
        amount : (str, Fraction), optional
            Currency and minor units of what a payment fixes, where its provider's margin depends on
            it; that of the start holds.

        Raises
        ------
        PriceError
            If a quote is better than the mid rate at the start.
        """
        if amount is not None and (rows := self._margins(exchange, amount[0])):
            start = [ppm for at_us, least, ppm in rows if at_us == 0 and least <= amount[1]]
            return start[-1]
        if exchange.quote is None:
            return exchange.spread_ppm
        mid = 1 / self._path(exchange.target, exchange.source).start
        if exchange.quote > mid:
            raise PriceError(
                f"{exchange.provider} quotes {float(exchange.quote):g} {exchange.target} for a "
                f"{exchange.source}, above the mid rate of {float(mid):g}; allowed: at most that"
            )
        return int((mid / exchange.quote - 1) * PPM)

    def _keep(
        self,
        sides: tuple[str, str],
        desk: str,
        path: RateSteps,
        minor: Fraction,
        *,
        is_cost: bool,
    ) -> RatePath:
        (base, quote), start = sides, path.start * minor
        # A power of ten, as small as gives nine digits.
        scale = 1
        while start * scale < SCALED_RATE:
            scale *= 10
        # A quote is never undercut by the last of the nine digits: the second currency is what is
        # bought along the pair, and what is paid against it.
        whole = half_even if not desk else floor if is_cost else ceiling
        scaled = path.times(minor * scale).whole(whole)
        if scaled[0] >= RATE_MAX:
            raise PriceError(
                f"the rate {base}/{quote} is {float(path.start):g}; allowed: below {RATE_MAX:,} "
                "minor units for one minor unit"
            )
        # Whatever the walk does within the horizon, the arithmetic was proved for these bounds
        # only.
        if max(scaled) >= RATE_MAX or min(scaled) < 1:
            raise PriceError(
                f"the rate {base}/{quote} leaves the range the arithmetic can hold; allowed: rates "
                f"that stay within a factor of two of where they start"
            )
        self.rate_start[base, quote, desk] = Fraction(scaled[0], scale)
        return RatePath(f"{base}/{quote}{desk}", tuple(scaled), scale)

    def _path(self, base: str, quote: str) -> RateSteps:
        """Return the path of units of quote per unit of base, direct, inverse or crossed."""
        direct = self._given(base, quote)
        if direct is not None:
            return direct
        for vehicle in self._vehicles(base, quote):
            left, right = self._given(vehicle, base), self._given(vehicle, quote)
            assert left is not None
            assert right is not None
            # Exactly: crossing must not round before the pair itself does.
            return right.crossed(left)
        missing = base if self._given(VEHICLE, base) is None else quote
        crossed = f", or {VEHICLE}/{missing} to cross through {VEHICLE}"
        raise PriceError(
            f"no mid rate for {base}/{quote}; needed: that pair in fx.mid"
            f"{crossed if VEHICLE not in (base, quote) else ''}"
        )

    def _vehicles(self, base: str, quote: str) -> tuple[str, ...]:
        """Return the currencies with a written rate to both ends: the dollar, then by code."""
        written = {frozenset((pair.base, pair.quote)) for pair in self._fx.mid}
        known = sorted(set().union(*written), key=lambda code: (code != VEHICLE, code))
        return tuple(
            code
            for code in known
            if all(frozenset((code, end)) in written for end in (base, quote))
        )

    def _given(self, base: str, quote: str) -> RateSteps | None:
        """Return a path written in the scenario, either way round."""
        # One unit of a currency costs one.
        if base == quote:
            return RateSteps(Fraction(1))
        if CurrencyPair(base, quote) in self._fx.mid:
            return self._walk(CurrencyPair(base, quote))
        if CurrencyPair(quote, base) in self._fx.mid:
            return self._walk(CurrencyPair(quote, base)).inverted()
        return None

    def _walk(self, pair: CurrencyPair) -> RateSteps:
        """Return the path of one written pair: constant, a walk of its logarithm, or of a file."""
        if pair not in self._paths:
            written = self._fx.mid[pair]
            start = Fraction(written.rate)
            # Per step: the variance of a random walk grows with time, its standard deviation
            # with the root.
            sigma = written.daily_volatility / 10**9 * math.sqrt(self._fx.step / DAY_US)
            path = RateSteps(start)
            if pair in self._courses:
                path = RateSteps.of(self._recorded(start, self._courses[pair]))
            elif sigma:
                walk = self._positions(str(pair)).tolist()
                moves = [twelve_digits(math.exp(sigma * position / 1e6)) for position in walk]
                path = RateSteps(start / TWELVE_DIGITS, tuple(moves))
            self._paths[pair] = self._jumped(pair, path)
        return self._paths[pair]

    def _recorded(self, start: Fraction, course: Course) -> list[Fraction]:
        """Return a course by steps: of each the last rate at or before the instant it begins."""
        path, rate, at = [], start, 0
        for step in range(self._steps):
            while at < len(course) and course[at][0] <= step * self._fx.step:
                rate = course[at][1]
                at += 1
            path.append(rate)
        return path

    def _jumped(self, pair: CurrencyPair, path: RateSteps) -> RateSteps:
        """Return a path with its jumps, each from the first step at or after its instant."""
        for at_us, times in self._jumps.get(pair, ()):
            step = -(-at_us // self._fx.step)
            if step < self._steps:
                path = path.jumped(step, Fraction(times, MULTIPLE_UNIT))
        return path

    def _positions(self, pair: str) -> npt.NDArray[np.int64]:
        """Return the normal walk of a pair, in millionths of a standard deviation of one step."""
        from sim.draws.keys import stream_key
        from sim.draws.quantile import build_table

        key = np.array(stream_key(self._seed, self._replication, "fx", pair), dtype=np.int64)
        # Whole millionths of a standard deviation: the sum of steps is exact.
        table = build_table("normal", {"mean": 0.0, "sd": 1e6})
        # Keyed by the number of the step: a longer horizon continues the same path.
        draws = draw_array(key, np.arange(1, self._steps, dtype=np.int64), "fx.step")
        return np.concatenate(([0], np.cumsum(quantile_array(table, draws))))


def desk_of(exchange: Exchange) -> str:
    """Return what tells a pair of a provider's own rates from the market's; empty: the market."""
    if exchange.quote is None:
        return ""
    return f"{DESK}{exchange.provider} {float(exchange.quote):.9g}"


def _minor_ratio(base: str, quote: str) -> Fraction:
    """Return what turns units of quote per unit of base into minor units per minor unit."""
    exponent = currency_of(quote).exponent - currency_of(base).exponent
    return Fraction(10) ** exponent


def price_conversions(
    market: Market, price: Price, fixed_side: FixedSide
) -> tuple[Conversion | None, Conversion | None]:
    """Return the conversions of a price of one fixed side, and check its fees.

    Raises
    ------
    PriceError
        If a rate is missing, a fee is in the wrong currency, or there are too many fees.
    """
    if len(price.fees) > FEES_MAX:
        raise PriceError(f"found {len(price.fees)} fees on one route; allowed: {FEES_MAX}")
    fixed = price.currencies[0 if fixed_side is FixedSide.DEBTOR else 2]
    first, second = (
        market.conversion(exchange, fixed) if exchange is not None else None
        for exchange in price.exchanges
    )
    for terms in price.fees:
        # A fee names its currency for the reader; it has to be that of the side which bears it.
        if terms.fee.currency not in (None, terms.currency):
            raise PriceError(
                f"fee {terms.component!r} is written in {terms.fee.currency}; needed: "
                f"{terms.currency}, the currency of the {terms.bearer.name.lower()}'s side"
            )
    return first, second


def check_bounds(market: Market, price: Price, amount_max: int, *, fixed_side: int) -> str | None:
    """Return why amounts of this size would overflow the arithmetic, or None.

    Every register of a payment must stay below AMOUNT_MAX minor units.
    """
    # The walk may double a rate before the pair itself is refused.
    amounts = amounts_at(market, price, amount_max, fixed_side=fixed_side, doubling=2)
    for currency, amount in zip(price.currencies, amounts, strict=True):
        if amount >= AMOUNT_MAX:
            return _too_large(amount_max, f"{currency} amount", price)
    for bearer, amount in ((ChargeBearer.DEBTOR, amounts[0]), (ChargeBearer.CREDITOR, amounts[2])):
        fees = [terms.fee for terms in price.fees if terms.fee.bearer is bearer]
        # Their sum is a register, too.
        if sum(fee.largest(amount) for fee in fees) >= AMOUNT_MAX:
            return _too_large(amount_max, f"fees the {bearer.value} bears", price)
    return None


def amounts_at(
    market: Market,
    price: Price,
    amount: Fraction | int,
    *,
    fixed_side: int,
    doubling: int = 1,
    slack: int = 1,
) -> tuple[Fraction, Fraction, Fraction]:
    """Return what an instructed amount comes to: debited, settlement and credited, in minor units.

    Parameters
    ----------
    doubling : int
        By how much a rate may have moved since the start.
    slack : int
        Minor units each conversion may add by rounding.
    """
    # In the direction in which the price is computed, each amount from the one before it.
    found = [Fraction(amount)]
    for exchange in price.exchanges if fixed_side else reversed(price.exchanges):
        at = found[-1]
        if exchange is not None:
            rate = _rate_minor(market, exchange)
            margin = 1 + Fraction(market.widest_ppm(exchange), PPM)
            at = doubling * (at / rate if fixed_side else at * rate * margin) + slack
        found.append(at)
    first, second, third = found if fixed_side else reversed(found)
    return first, second, third


def _rate_minor(market: Market, exchange: Exchange) -> Fraction:
    """Return minor units of the source per minor unit of the target, at the start."""
    desk = desk_of(exchange)
    if (exchange.target, exchange.source, desk) in market.rate_start:
        return market.rate_start[exchange.target, exchange.source, desk]
    # Kept the other way round.
    return 1 / market.rate_start[exchange.source, exchange.target, desk]


def _too_large(amount_max: int, what: str, price: Price) -> str:
    return (
        f"amounts up to {amount_max:,} minor units make the {what} of {'-'.join(price.currencies)} "
        f"overflow; allowed: below {AMOUNT_MAX:,} minor units everywhere"
    )

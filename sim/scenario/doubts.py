"""What a scenario says that is allowed and most likely not meant: rates turned over, and the like.

Takes a scenario; gives (path, message) pairs, which ``validate`` and ``explain`` show as warnings.
A world of one's own may have any rates, so none of this is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations

from sim.model.base import FieldPath
from sim.model.quantities import CurrencyPair, write_duration
from sim.scenario.model import Scenario

KNOWN = {
    "CNY": (Fraction("7.1875"), "fx.mid_2025_average.CNY"),
    "THB": (Fraction("32.8619"), "fx.mid_2025_average.THB"),
    "MYR": (Fraction("4.2809"), "fx.mid_2025_average.MYR"),
    "KRW": (Fraction("1421.3963"), "fx.mid_2025_average.KRW"),
    "JPY": (Fraction("149.5686"), "fx.mid_2025_average.JPY"),
    "SGD": (Fraction("1.3065"), "fx.mid_2025_average.SGD"),
    "INR": (Fraction("87.1468"), "fx.mid_2025_average.INR"),
    "HKD": (Fraction("7.7956"), "fx.mid_2025_average.HKD"),
    "KHR": (Fraction(4050), "fx.mid.KHR"),
    "LAK": (Fraction(21625), "fx.mid.LAK"),
    "VND": (Fraction(26200), "fx.mid.VND"),
    "IDR": (Fraction(16700), "fx.mid.IDR"),
    "USD": (Fraction(1), "fx.base"),
}
"""Units of each currency to a dollar, and the key of the calibration that says so."""

FACTOR = 3
"""How far a rate may lie from the known one, as a factor either way: half an order of magnitude. No
known currency moved so far in a year, and a rate that is turned over lies much farther off."""

CLOSES = Fraction(1, 100)
"""How far three rates may be from closing. What is wider than the dearest spread of a counter is an
arbitrage and no market."""


def find_doubts(scenario: Scenario) -> tuple[tuple[FieldPath, str], ...]:
    """Return everything that is most likely not meant, in the order of the file."""
    return (*_rates(scenario), *_triangles(scenario), *_counts(scenario), *_stops(scenario))


def _rates(scenario: Scenario) -> Iterator[tuple[FieldPath, str]]:
    """Yield rates of another order of magnitude than known ones."""
    for pair, written in scenario.fx.mid.items():
        if pair.base not in KNOWN or pair.quote not in KNOWN:
            continue
        (base, base_key), (quote, quote_key) = KNOWN[pair.base], KNOWN[pair.quote]
        rate, known = Fraction(written.rate), quote / base
        if known / FACTOR <= rate <= known * FACTOR:
            continue
        keys = ", ".join(key for key in (base_key, quote_key) if key != KNOWN["USD"][1])
        hint = ""
        # The slip behind most of these: the pair was meant the other way round.
        if known / FACTOR <= 1 / rate <= known * FACTOR:
            hint = f". Did you mean {pair.quote}/{pair.base}?"
        yield (
            ("fx", "mid", str(pair)),
            f"found {_digits(rate)} {pair.quote} for one {pair.base}; expected about "
            f"{_digits(known)}, within a factor of {FACTOR} ({keys}){hint}",
        )


def _triangles(scenario: Scenario) -> Iterator[tuple[FieldPath, str]]:
    """Yield pairs that two others contradict."""
    rates = {(pair.base, pair.quote): Fraction(mid.rate) for pair, mid in scenario.fx.mid.items()}
    rates |= {(quote, base): 1 / rate for (base, quote), rate in rates.items()}
    # The last pair in the file of each three is told of: the others stood before it.
    places = {frozenset((pair.base, pair.quote)): at for at, pair in enumerate(scenario.fx.mid)}
    for pair in scenario.fx.mid:
        for between in sorted({one for one, _ in rates} - {pair.base, pair.quote}):
            legs = ((pair.base, between), (between, pair.quote))
            if not all(leg in rates for leg in legs) or not _is_last(pair, between, places):
                continue
            crossed = rates[legs[0]] * rates[legs[1]]
            apart = rates[pair.base, pair.quote] / crossed - 1
            if abs(apart) > CLOSES:
                yield (
                    ("fx", "mid", str(pair)),
                    f"found {_digits(rates[pair.base, pair.quote])}; through {between} it is "
                    f"{_digits(crossed)}, {float(apart):+.1%} apart; expected within "
                    f"{float(CLOSES):.0%}",
                )


def _is_last(pair: CurrencyPair, between: str, places: dict[frozenset[str], int]) -> bool:
    three = (pair.base, pair.quote, between)
    found = {places[frozenset(two)] for two in permutations(three, 2) if frozenset(two) in places}
    return places[frozenset((pair.base, pair.quote))] == max(found)


def _counts(scenario: Scenario) -> Iterator[tuple[FieldPath, str]]:
    """Yield streams that stop long before the horizon because of their count."""
    for name, demand in scenario.demand.items():
        if demand.count is None or demand.rate is None:
            continue
        expected = Fraction(demand.rate.numerator * scenario.clock.horizon, demand.rate.denominator)
        if demand.count < expected:
            ends_us = round(demand.count / expected * scenario.clock.horizon)
            yield (
                ("demand", name, "count"),
                f"found {demand.count}; at this rate the stream ends after about "
                f"{write_duration(ends_us // 1_000_000 * 1_000_000)} of "
                f"{write_duration(scenario.clock.horizon)}, about {float(expected):,.0f} payments. "
                "Whatever the load, no more will come",
            )


def _stops(scenario: Scenario) -> Iterator[tuple[FieldPath, str]]:
    """Yield accounts that begin below what is watched of them."""
    for name, account in scenario.accounts.items():
        for field, level, so in (
            ("alarm_below", account.alarm_below, "the alarm stands"),
            ("stop_below", account.stop_below, "the channel over it is closed"),
        ):
            if level is not None and account.balance < level:
                yield (
                    ("accounts", name, field),
                    f"found {level}, above the opening balance of {account.balance}: {so} from the "
                    "start",
                )


def _digits(rate: Fraction) -> str:
    return f"{float(rate):.6g}"

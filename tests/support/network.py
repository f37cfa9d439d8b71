"""A generated network: institutions in many countries, rails between them, corridors over rails.

Takes how many of each and a seed; gives the text of a scenario. Nothing in it stands for anything
real: it is as large as one likes, and that is what it is for.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

CURRENCY_OF = {
    "KH": "KHR", "US": "USD", "CN": "CNY", "TH": "THB", "VN": "VND", "LA": "LAK", "MY": "MYR",
    "SG": "SGD", "ID": "IDR", "PH": "PHP", "IN": "INR", "KR": "KRW", "JP": "JPY", "HK": "HKD",
    "DE": "EUR", "FR": "EUR", "IT": "EUR", "ES": "EUR", "NL": "EUR", "IE": "EUR", "AT": "EUR",
    "PT": "EUR", "BE": "EUR", "GB": "GBP", "BR": "BRL",
}  # fmt: skip
_PER_DOLLAR = {
    "KHR": "4000", "CNY": "7.2", "THB": "33", "VND": "25000", "LAK": "21500", "MYR": "4.3",
    "SGD": "1.3", "IDR": "16000", "PHP": "57", "INR": "85", "KRW": "1400", "JPY": "150",
    "HKD": "7.8", "EUR": "0.9", "GBP": "0.8", "BRL": "5.5",
}  # fmt: skip
_ROUND = {"KHR": 40_000, "VND": 250_000, "LAK": 200_000, "IDR": 160_000, "KRW": 14_000, "JPY": 1500}
_RAILS_OF_A_CORRIDOR = 3


def network_text(
    institutions: int,
    rails: int,
    corridors: int,
    *,
    rate: str,
    horizon: str = "1 h",
    seed: int = 1,
) -> str:
    """Return the scenario of a network.

    Parameters
    ----------
    institutions, rails, corridors : int
        How many; corridors at most 600.
    rate : str
        Mean arrivals of each corridor.
    horizon : str
    seed : int
        Of the network, not of the run.
    """
    drawn = random.Random(seed)
    lines = [
        "scenario: network",
        f"clock: {{start: 2025-09-17T12:00:00+07:00, horizon: {horizon}}}",
        "seed: 1",
        "fx:",
        "  mid:",
        *(f"    USD/{code}: {{rate: {rate_of}}}" for code, rate_of in _PER_DOLLAR.items()),
        "institutions:",
        *_institutions(institutions, drawn),
        "rails:",
        *_rails(rails, drawn),
    ]
    pairs = [(a, b) for a in CURRENCY_OF for b in CURRENCY_OF if a != b]
    drawn.shuffle(pairs)
    chosen = pairs[:corridors]
    assert len(chosen) == corridors
    lines += ["corridors:", *_corridors(chosen, rails, drawn), "demand:"]
    for source, target in chosen:
        currency = CURRENCY_OF[target]
        name, amount = f"{source.lower()}_{target.lower()}", _ROUND.get(currency, 50)
        lines.append(
            f"  {name}: {{corridor: {name}, rate: {rate}, payers: 1000, "
            f"amount: {{lognormal: {{mean: {amount} {currency}, sigma: 1}}}}}}"
        )
    return "\n".join(lines) + "\n"


def _institutions(count: int, drawn: random.Random) -> Iterator[str]:
    countries = list(CURRENCY_OF)
    for number in range(count):
        shares = f"payer_share: {drawn.randint(1, 100)}, merchant_share: {drawn.randint(1, 100)}"
        core = f"core: {{servers: 2, service_time: 0.2 s}}, {shares}"
        country = countries[number % len(countries)]
        yield f"  bank_{number}: {{country: {country}, roles: [issuer, acquirer], {core}}}"


def _rails(count: int, drawn: random.Random) -> Iterator[str]:
    for number in range(count):
        yield f"  rail_{number}:"
        yield "    kind: generic"
        yield f"    stations: {{switch: {{servers: {drawn.randint(20, 60)}}}}}"
        yield f"    fees: {{fee: {{component: fee, proportional: 0.{drawn.randint(10, 90)} %}}}}"
        yield "    stages:"
        yield "      - {name: hop, delay: 0.1 s}"
        yield "      - {name: confirm, delay: {lognormal: {median: 3 s, sigma: 0.5}}, human: true}"
        yield (
            "      - {name: pass, serve: switch, "
            f"time: {{exponential: {{mean: {drawn.randint(10, 90)} ms}}}}}}"
        )
        yield f"      - {{name: refused, decline: {drawn.randint(1, 30) / 10} %}}"
        yield "      - {name: bound, limit: {per_day: 900 000 000}}"


def _corridors(pairs: list[tuple[str, str]], rails: int, drawn: random.Random) -> Iterator[str]:
    for source, target in pairs:
        ends = ", ".join(
            f"{way}: {{country: {one}, currency: {CURRENCY_OF[one]}}}"
            for way, one in (("from", source), ("to", target))
        )
        over = drawn.sample(range(rails), min(_RAILS_OF_A_CORRIDOR, rails))
        named = ", ".join(f"rail_{number}" for number in over)
        yield f"  {source.lower()}_{target.lower()}: {{{ends}, rails: [{named}]}}"

"""Margins of providers become rows by instant and amount, and the last row that fits holds."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.compiler.spreads import margins_over_time
from sim.contract.layout import ConversionColumn
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from sim.model.fx import FxProvider
from sim.model.sections import Clock
from sim.money.spreads import spread_at
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL

HOUR_US = 3_600 * 10**6


def _margins(start: str, horizon: str, **fields: object) -> list[tuple[float, int]]:
    """Return hours and millionths of a provider whose quote and calendars are given."""
    quote = {"spread": "1 %", **{k: v for k, v in fields.items() if k in ("hours", "closed")}}
    own = {k: v for k, v in fields.items() if k not in quote}
    provider = FxProvider.model_validate({"quotes": {"USD/KHR": quote}, **own})
    clock = Clock.model_validate({"start": start, "horizon": horizon})
    [made] = provider.quotes.values()
    return [(at / HOUR_US, more) for at, more in margins_over_time(clock, provider, made)]


def test_hours_over_midnight_and_weekends_are_added() -> None:
    # Friday 19 September 2025, 12:00. Nights from 17:00 to 08:00 cost 0.1 % more, days on which
    # banks in Cambodia are closed 0.3 %: here the Saturday, from hour 12 on.
    nights = {"night": {"from": "17:00", "to": "08:00", "more": "0.1 %"}}
    found = _margins(
        "2025-09-19T12:00:00+07:00", "30 h", hours=nights, closed="0.3 %", calendars=["KH"]
    )
    # Noon; 17:00; midnight to Saturday; 08:00; 17:00, an hour before the end.
    assert found == [(0, 0), (5, 1_000), (12, 4_000), (20, 3_000), (29, 4_000)]


def test_hours_are_those_of_the_providers_clock() -> None:
    noon = {"noon": {"from": "12:00", "to": "13:00", "more": "0.1 %"}}
    # 08:00 in Phnom Penh is 09:00 in Shanghai: noon there is three hours on, at home four.
    found = [
        _margins("2025-09-19T08:00:00+07:00", "6 h", hours=noon, **clock)
        for clock in ({}, {"clock": "CN"}, {"calendars": ["CN"]})
    ]
    assert found == [
        [(0, 0), (4, 1_000), (5, 0)],
        [(0, 0), (3, 1_000), (4, 0)],
        [(0, 0), (3, 1_000), (4, 0)],
    ]


def test_the_last_row_that_has_begun_and_asks_for_no_more_holds() -> None:
    conversion = np.array([[0, 0, 77, 1, 4]], dtype=np.int64)
    rows = [(0, 0, 1), (0, 0, 500), (0, 100, 400), (60, 0, 900), (60, 100, 800), (0, 0, 2)]
    spread = np.array(rows, dtype=np.int64)
    for instructed, time_us, expected in (
        (1, 0, 500), (99, 59, 500), (100, 59, 400),
        (10**9, 0, 400), (99, 60, 900), (100, 10**9, 800),
    ):  # fmt: skip
        assert spread_at(conversion, spread, 0, instructed, time_us) == expected
    assert spread_at(conversion, spread, -1, 1, 0) == 0
    conversion[0, ConversionColumn.SPREAD_COUNT] = 0
    assert spread_at(conversion, spread, 0, 1, 0) == 77


def test_a_search_by_halves_finds_what_a_look_at_every_row_finds() -> None:
    luck = random.Random(20250917)
    for _ in range(200):
        instants = sorted({0, *(luck.randrange(50) for _ in range(luck.randint(0, 12)))})
        amounts = sorted({0, *(luck.randrange(50) for _ in range(luck.randint(0, 4)))})
        rows = [(at, least, luck.randrange(9_000)) for at in instants for least in amounts]
        conversion = np.array([[0, 0, 0, 0, len(rows)]], dtype=np.int64)
        amount, time_us = luck.randrange(60), luck.randrange(60)
        expected = [ppm for at, least, ppm in rows if at <= time_us and least <= amount][-1]
        table = np.array(rows, dtype=np.int64)
        assert spread_at(conversion, table, 0, amount, time_us) == expected


PROVIDERS = """
scenario: bands
extends: MINIMAL
institutions: {desk: {country: KH, roles: [fx_provider]}}
fx:
  desks: {river_bank: [desk]}
  providers:
    desk: {quotes: {CNY/KHR: {spread: 0.5 %, amounts: [{at_least: 11 131 KHR, spread: 0.4 %}]}}}
"""


def _compiled(folder: Path, text: str) -> Compiled:
    path = folder / "bands.yaml"
    path.write_text(text.replace("MINIMAL", str(MINIMAL)), encoding="utf-8")
    return compile_scenario(load_scenario(path))


def test_amounts_in_the_other_currency_are_turned_at_the_start_and_rounded_up(
    tmp_path: Path,
) -> None:
    plan = _compiled(tmp_path, PROVIDERS).plan
    # 11 131.00 riel at 4000 / 7.1875 = 556.521739 riel a yuan are 20.0010... yuan: 20.01 at least.
    assert plan.spread.tolist() == [[0, 0, 5_000], [0, 2_001, 4_000]]


def test_explain_names_providers(tmp_path: Path) -> None:
    text = PROVIDERS.replace(
        "amounts", 'hours: {noon: {from: "12:00", to: "13:00", more: 1 %}}, amounts'
    )
    text = text.replace(
        "desk: {quotes", "desk: {inventory: {CNY: {short: 5 000, long: 80}}, quotes"
    )
    said = explain_plan(_compiled(tmp_path, text))
    for line in (
        "provider desk",
        "CNY/KHR, both ways: 0.5 %, from 11 131.00 KHR on 0.4 % over the mid rate",
        "noon: 1 % more from 12:00 to 13:00 local time",
        "position in CNY: opens with nothing; down to -5000 CNY and up to 80 CNY",
        "for river_bank convert, the first where quotes are equal: desk",
        "kh_cn/unionpay.river_bank.desk",
    ):
        assert line in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("roles: [fx_provider]", "roles: [operator]", "no fx_provider"),
        ("[desk]", "[desk, desk]", "found 'desk' again"),
        ("[desk]", "[river_bank]", "unknown provider 'river_bank'"),
        ("{river_bank: [desk]}", "{riverbank: [desk]}", "Did you mean 'river_bank'"),
        ("11 131 KHR", "3 USD", "allowed: an amount in CNY or KHR"),
        ("11 131 KHR", "0 KHR", "found no more than before"),
        ("quotes:", "inventory: {CNY: {opening: 9, long: 8}}, quotes:", "at least what it holds"),
        ("CNY/KHR: {", "KHR/CNY: {spread: 1 %}, CNY/KHR: {", "allowed: one of them"),
        ("quotes:", "calendars: [CN], quotes:", None),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, old: str, new: str, said: str | None) -> None:
    assert old in PROVIDERS
    text = PROVIDERS.replace(old, new, 1)
    if said is None:
        found = dict(_compiled(tmp_path, text).notes)
        assert "margins are the same" in found["fx", "providers", "desk", "calendars"]
        return
    with pytest.raises(ScenarioError, match=said):
        _compiled(tmp_path, text)


def test_what_nothing_comes_of_is_told(tmp_path: Path) -> None:
    text = (
        PROVIDERS.replace("[desk]", "[desk, idle]")
        + "    idle: {quotes: {USD/EUR: {spread: 1 %}}}\n"
    )
    text = text.replace(
        "institutions: {", "institutions: {idle: {country: KH, roles: [fx_provider]}, "
    )
    text = text.replace(
        "spread: 0.5 %",
        'spread: 0.5 %, closed: 1 %, hours: {off: {from: "03:00", to: "04:00", more: 1 %}}',
    )
    text = text.replace("desk: {quotes", "desk: {inventory: {USD: {short: 5}}, quotes")
    notes = dict(_compiled(tmp_path, text).notes)
    place = ("fx", "providers", "desk", "quotes", "CNY/KHR")
    assert "lies within the run" in notes[(*place, "hours", "off")]
    assert "no day of the run is closed" in notes[(*place, "closed")]
    assert "converts neither from nor to it" in notes["fx", "providers", "desk", "inventory", "USD"]
    assert "no route converts with it" in notes["fx", "providers", "idle"]
    assert "no route converts with it" in notes["fx", "desks", "river_bank", 1]

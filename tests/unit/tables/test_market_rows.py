"""Every priced amount of a run follows from the tables of its folder alone."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import sim
from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import Op, Outcome
from sim.tables.market_rows import price_rows, rate_rows
from sim.tables.schemas import FEES_FILE, PAYMENTS_FILE, PRICES_FILE, RATES_FILE
from tests.theory.driver import SCENARIOS

Row = dict[str, object]
MILLION = 10**6


def _rows(folder: Path, name: str) -> list[Row]:
    found: list[Row] = pq.read_table(folder / name).to_pylist()
    return found


def _half_up(value: Fraction, step: int = 1) -> int:
    return math.floor(value / step + Fraction(1, 2)) * step


def _carried(value: Fraction) -> Fraction:
    """To the nearest millionth of a minor unit, as amounts on the way are carried."""
    return Fraction(_half_up(value * MILLION), MILLION)


class Market:
    """Rates and prices of a folder."""

    def __init__(self, folder: Path) -> None:
        self.times: dict[str, list[int]] = defaultdict(list)
        self.mids: dict[str, list[Fraction]] = defaultdict(list)
        for row in _rows(folder, RATES_FILE):
            assert row["pair"] == f"{row['base_currency']}/{row['quote_currency']}"
            self.times[row["pair"]].append(row["time_us"])
            self.mids[row["pair"]].append(Fraction(row["rate"], row["scale"]))
        self.legs: dict[tuple[str, int], Row] = {}
        for row in _rows(folder, PRICES_FILE):
            self.legs[row["route"], row["conversion"]] = row

    def cost(self, leg: Row | None, time_us: int) -> Fraction:
        """Return minor units of the source for one of the target, at mid."""
        if leg is None:
            return Fraction(1)
        at = bisect_right(self.times[leg["pair"]], time_us) - 1
        mid = self.mids[leg["pair"]][at]
        # A pair says what its base costs in its quote.
        return (
            mid if leg["pair"] == f"{leg['target_currency']}/{leg['source_currency']}" else 1 / mid
        )

    def value(self, payment: Row, gross: int, time_us: int) -> Fraction:
        """Return what an amount is worth to the payer at mid rates."""
        first, second = (self.legs.get((payment["route"], slot)) for slot in (1, 2))
        return _carried(_carried(gross * self.cost(second, time_us)) * self.cost(first, time_us))


def test_rates_and_prices_are_told_as_they_are() -> None:
    b = PlanBuilder(horizon_us=100)
    b._scalars["fx_step_us"] = 10
    for agent in ("quay", "wharf"):
        b.agents.add(agent)
    # A rate that stays for a step is told once: 7.20 up to 20 us, then 7.30.
    pair = b.add_pair("USD/CNY", [72, 72, 73, 73], 10)
    still = b.add_pair("USD/KHR", [4_000] * 4, 1)
    first = b.add_conversion(pair, inverted=False, spread_ppm=1_500)
    second = b.add_conversion(still, inverted=True, spread_ppm=2_500)
    pricing = b.add_pricing(
        currencies=("CNY", "USD", "KHR"),
        conversions=(first, second),
        providers=("quay", "wharf"),
        granules=(1, 5, 100),
    )
    entry = b.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    b.add_route("way", rail="rail", corridor="c", entry=entry, pricing=pricing)
    plan = b.build()
    rates = rate_rows(plan, 3).to_pylist()
    told = [(row["pair"], row["time_us"], row["rate"], row["scale"]) for row in rates]
    assert told == [("USD/CNY", 0, 72, 10), ("USD/CNY", 20, 73, 10), ("USD/KHR", 0, 4_000, 1)]
    assert {row["replication"] for row in rates} == {3}
    prices = price_rows(plan, 3).to_pylist()
    names = ("conversion", "source_currency", "target_currency", "pair", "spread_ppm", "provider")
    steps = ("source_step", "target_step")
    assert [tuple(row[name] for name in (*names, *steps)) for row in prices] == [
        (1, "CNY", "USD", "USD/CNY", 1_500, "quay", 1, 5),
        (2, "USD", "KHR", "USD/KHR", 2_500, "wharf", 5, 100),
    ]


@pytest.mark.slow
def test_every_priced_amount_follows_from_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    # Rates that move, so that the instant of a quote matters.
    sim.run(
        SCENARIOS / "china-two-way.yaml",
        overrides={"clock.horizon": "20 min", "fx.step": "10 s"},
        out=folder,
    )
    market = Market(folder)
    assert max(len(times) for times in market.times.values()) > 100
    taken: dict[object, int] = defaultdict(int)
    for fee in _rows(folder, FEES_FILE):
        if fee["bearer"] == "creditor":
            taken[fee["payment_id"]] += fee["amount_minor"]
    priced = converted = moved = 0
    for payment in _rows(folder, PAYMENTS_FILE):
        if payment["debited_amount_minor"] is None:
            continue
        priced += 1
        gross = payment["instructed_amount_minor"]
        first, second = (market.legs.get((payment["route"], slot)) for slot in (1, 2))
        assert first is None or first["fixed_side"] == "creditor"
        debited, settlement = gross, gross
        quoted, value = payment["quoted_us"], Fraction(gross)
        if first is not None or second is not None:
            converted += 1
            value = market.value(payment, gross, quoted)
            spreads = [leg["spread_ppm"] if leg else 0 for leg in (first, second)]
            margins = [1 + Fraction(spread, MILLION) for spread in spreads]
            settled = _carried(_carried(gross * market.cost(second, quoted)) * margins[1])
            bill = _carried(_carried(settled * market.cost(first, quoted)) * margins[0])
            if second is not None:
                settlement = _half_up(settled, second["source_step"])
            debited = settlement if first is None else _half_up(bill, first["source_step"])
        assert (payment["debited_amount_minor"], payment["settlement_amount_minor"]) == (
            debited,
            settlement,
        )
        if payment["credited_amount_minor"] is not None:
            assert payment["credited_amount_minor"] == gross - taken[payment["payment_id"]]
        if payment["fx_margin_minor"] is not None and (first or second):
            step = (first or second)["source_step"]
            now, then, later = (
                _half_up(market.value(payment, gross, payment[name]), step)
                for name in ("quoted_us", "submitted_us", "settled_us")
            )
            assert payment["fx_margin_minor"] == debited - now
            assert payment["fx_drift_minor"] == now - then
            assert payment["fx_risk_minor"] == later - now
            rounding = (debited - now - (bill - value)) * MILLION
            assert payment["fx_rounding_millionths"] == rounding
            moved += payment["fx_risk_minor"] != 0
    # All of the run's kinds are among them: paid at home and abroad, at a rate that moved.
    assert priced > 10_000
    assert converted > 100
    assert moved > 10

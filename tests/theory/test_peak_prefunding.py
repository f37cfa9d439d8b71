"""The most an agent must put ahead over a holiday, as runs: riel drawn down until files are paid.

Payments come by the shipped course of the day, and what the scheme owes is paid at ten on the very
account they draw on. So a day's payments are one unit, and what the account has lost at its lowest
is the peak worked out in ``tests/unit/calendars/test_bank_days.py``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.meaning import Outcome
from sim.contract.plan import Array
from sim.contract.records import RECORD_WIDTH, AccountTotal, RecordColumn, WorkloadColumn
from sim.contract.run import Engine
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.scenario.scenario import load_scenario
from sim.units import DAY_US, HOUR_US

ROOT = Path(__file__).resolve().parents[2]
HOURLY = [6, 3, 2, 2, 4, 12, 32, 56, 58, 52, 54, 70, 74, 52, 44, 46, 54, 72, 82, 78, 60, 44, 28, 15]
"""Payments of an hour, a thousand a day."""
PREFUNDED = "river_khr_for_alipay"
AMOUNT_MINOR = 100_00
SCENARIO = """
scenario: peak
extends: {minimal}
clock: {{start: {start}T00:00:00+08:00, horizon: {days} d}}
routing: {{view_interval: 1 d}}
rails:
  alipay_plus:
    inbound:
      settlement_currency: KHR
      spread: 0 %
      fees: {{interchange: null, service: null}}
      settlement:
        calendars: [{calendar}]
        clock: CN
        lag: {lag} business days
        paid_at: "10:00"
        interchange: 0 %
        scheme_fee: 0 %
    settlement_agents: {{river_bank: {{settled_to: river_khr_for_alipay}}}}
  bakong: {{opening_balance: {{KHR: 900 000 000}}}}
accounts:
  river_khr_for_alipay: {{balance: 100 000 000}}
demand:
  domestic: null
  outbound: null
  inbound: {{payments: [{{at: 1 s, amount: 100, merchant: 1}}]}}
"""


class _Records:
    """Keep the outcomes, to see that every payment went through."""

    wants_log = False
    wants_records = True

    def __init__(self) -> None:
        self.rows: list[Array] = [np.empty((0, RECORD_WIDTH), dtype=np.int64)]

    def take_log(self, rows: Array) -> None:
        raise AssertionError

    def take_records(self, rows: Array) -> None:
        self.rows.append(rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        pass


def _compiled(folder: Path, start: date, days: int, calendar: str, lag: int) -> Compiled:
    path = folder / "peak.yaml"
    minimal = ROOT / "scenarios" / "minimal.yaml"
    text = SCENARIO.format(minimal=minimal, start=start, days=days, calendar=calendar, lag=lag)
    path.write_text(text, encoding="utf-8")
    return compile_scenario(load_scenario(path))


def _evenly(times: list[float], days: int, factors: dict[int, float]) -> list[float]:
    """Add the payments of every day: each hour's evenly over it."""
    for day in range(days):
        for hour, count in enumerate(HOURLY):
            number = round(count * factors.get(day, 1.0))
            times += [(day * 24 + hour + (at + 0.5) / number) * HOUR_US for at in range(number)]
    return times


def _lost(compiled: Compiled, times: Array, engine: Engine = run_compiled) -> float:
    """Return what the account has lost at its lowest, in payments."""
    [first] = list(compiled.workload())
    workload = np.repeat(first[:1], len(times), axis=0)
    workload[:, WorkloadColumn.TIME_US] = times
    workload[:, WorkloadColumn.ORDINAL] = np.arange(len(times))
    sink = _Records()
    totals = engine(compiled.plan, [workload], sink)
    outcomes = np.concatenate(sink.rows)[:, RecordColumn.OUTCOME]
    # Those of the last seconds may be open; nobody was refused for money.
    assert set(outcomes.tolist()) <= {Outcome.COMPLETED, Outcome.IN_PROGRESS}
    assert np.count_nonzero(outcomes == Outcome.COMPLETED) >= len(times) - 3
    account = compiled.plan.names.accounts.index(PREFUNDED)
    opening = 100_000_000_00
    return float(opening - totals.account[account, AccountTotal.LOW]) / AMOUNT_MINOR


GOLDEN_2025 = (date(2025, 9, 22), 20)
PEAKS = [
    # Each row: calendar, days to settlement, demand of 1 to 8 October, days looked at, peak.
    ("CN", 2, 1.0, (date(2025, 9, 1), 14), 4.227),
    ("CN", 1, 1.0, (date(2025, 9, 1), 14), 3.227),
    ("CN", 2, 1.0, GOLDEN_2025, 10.227),
    ("CN", 1, 1.0, GOLDEN_2025, 9.227),
    ("CN", 2, 1.21, GOLDEN_2025, 11.907),
    ("CN", 2, 1.5, GOLDEN_2025, 14.227),
    ("CN", 2, 2.0, GOLDEN_2025, 18.227),
    ("KH", 2, 1.0, (date(2025, 9, 8), 21), 7.227),
    ("CN", 2, 1.0, (date(2026, 9, 21), 20), 9.227),
    ("CN", 2, 1.0, (date(2026, 2, 5), 24), 12.227),
]


@pytest.mark.slow
@pytest.mark.parametrize(("calendar", "lag", "factor", "span", "peak"), PEAKS)
def test_peak_of_a_run(
    tmp_path: Path, calendar: str, lag: int, factor: float, span: tuple[date, int], peak: float
) -> None:
    start, days = span
    compiled = _compiled(tmp_path, start, days, calendar, lag)
    # 1 to 8 October are the days 9 to 16 after 22 September. 1.21 times 1,000 in whole payments by
    # the hour is 1,211: 8 * 1.211 + 2.227 = 11.915, within 0.01 of the table.
    factors = dict.fromkeys(range(9, 17), factor)
    lost = _lost(compiled, np.array(_evenly([], days, factors), dtype=np.int64))
    # A payment is booked some seconds after it is submitted: one more or less by ten o'clock.
    assert lost / 1000 == pytest.approx(peak, abs=0.01)


@pytest.mark.slow
def test_both_engines_find_the_same_peak(tmp_path: Path) -> None:
    # Thu 4 to Tue 9 September, noon: Fri, Sat, Sun and Mon, and 0.227 of Tuesday.
    compiled = _compiled(tmp_path, date(2025, 9, 4), 6, "CN", 2)
    times = np.array(_evenly([], 6, {}), dtype=np.int64)[::10]
    found = [_lost(compiled, times, engine) for engine in (run_compiled, run_reference)]
    assert found[0] == found[1]
    assert found[0] / 100 == pytest.approx(4.227, abs=0.02)


@pytest.mark.slow
def test_peak_of_golden_week_by_chance(tmp_path: Path) -> None:
    # Arrivals by chance, 20 times: a thousand a day on average, so the peak of 10,227 has a
    # standard deviation of 101, one in a hundred. The largest of twenty, which is the smallest
    # prefunding without a refusal in any of them, comes within 5 %.
    start, days = GOLDEN_2025
    compiled = _compiled(tmp_path, start, days, "CN", 2)
    luck = np.random.default_rng(20250922)
    hours = np.tile(np.array(HOURLY, dtype=float), days)
    found = []
    for _ in range(20):
        counts = luck.poisson(hours)
        times = np.concatenate(
            [(hour + luck.random(count)) * HOUR_US for hour, count in enumerate(counts)]
        )
        found.append(_lost(compiled, np.sort(times).astype(np.int64)))
    assert max(found) / 1000 == pytest.approx(10.227, rel=0.05)
    assert days * DAY_US == compiled.plan.horizon_us

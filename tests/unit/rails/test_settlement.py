"""A scenario's settlement: which files there are, what may be written, what begins on its way."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from sim.calendars.bank_days import NO_MAKE_UP_DAY
from sim.compiler.compile import Compiled, compile_scenario
from sim.compiler.parts import Clearing
from sim.contract.agenda import FileColumn, LineColumn
from sim.contract.layout import AgendaColumn, FeeColumn
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from sim.scenario.scenario import load_scenario
from sim.units import HOUR_US

ROOT = Path(__file__).resolve().parents[3]
# Seoul time would do as well: hours follow the clock of the first calendar, an hour ahead of here.
WEEK = """
scenario: golden
extends: {minimal}
clock: {{start: 2025-09-29T00:00:00+07:00, horizon: 288 h}}
rails:
  alipay_plus:
    inbound:
      settlement: {{calendars: [CN], lag: 2 business days, paid_at: "10:00"}}
demand: {{domestic: null, outbound: null}}
"""


def _compiled(folder: Path, *changes: str) -> Compiled:
    path = folder / "golden.yaml"
    minimal = ROOT / "scenarios" / "minimal.yaml"
    path.write_text(WEEK.format(minimal=minimal), encoding="utf-8")
    return compile_scenario(load_scenario(path, changes), with_tables=False)


def test_files_of_golden_week(tmp_path: Path) -> None:
    # The Chinese day begins at 23:00 here. Days of 25 to 28 September are paid on Mon 29 and Tue 30
    # at ten in China, nine here; 29 on Thu 9 October; 30 and 1 to 8 on Fri 10; 9 on Mon 13, beyond
    # the end (11 October, midnight).
    compiled = _compiled(tmp_path)
    [part] = [part for part in compiled.parts if isinstance(part, Clearing)]
    paid = {file.day: file.settled_us // HOUR_US for file in part.line.files}
    hours = {date(2025, 9, day): 33 for day in (26, 27, 28)}
    hours[date(2025, 9, 25)] = 9
    hours[date(2025, 9, 29)] = 10 * 24 + 9
    hours[date(2025, 9, 30)] = 11 * 24 + 9
    hours |= {date(2025, 10, day): 11 * 24 + 9 for day in range(1, 9)}
    assert {day: hour for day, hour in paid.items() if hour < 288} == hours
    assert min(paid) == date(2025, 9, 25)
    cut = {file.day: file.cut_us // HOUR_US for file in part.line.files}
    assert cut[date(2025, 9, 28)] == -1
    assert cut[date(2025, 9, 29)] == 23
    # Nothing was on its way; no row of the agenda cuts a file of before the start.
    assert (compiled.plan.file[:, FileColumn.NET] == 0).all()
    assert (np.diff(compiled.plan.agenda[:, AgendaColumn.TIME_US]) >= 0).all()


def test_a_run_may_begin_soon_after_the_first_year_of_a_list(tmp_path: Path) -> None:
    # Mon 6 January 2025: files of Thu 2 (Fri 3, Mon 6), Fri 3, Sat 4 and Sun 5 (Mon 6, Tue 7) are
    # on their way; those of earlier days were paid before, and 2024 is not asked for.
    hypothetical = "rails.unionpay.outbound.hypothetical=true"
    compiled = _compiled(tmp_path, "clock.start=2025-01-06T00:00:00+07:00", hypothetical)
    [part] = [part for part in compiled.parts if isinstance(part, Clearing)]
    assert [file.day for file in part.line.files][:5] == [date(2025, 1, day) for day in range(2, 7)]


def test_the_pipeline_begins_filled(tmp_path: Path) -> None:
    # 500.00 a day: less 0.6 % and 0.2 %, 496.00 for each of the days 25 to 28 September. The day of
    # the 29th began an hour before the start: 500.00 / 24 = 20.83.
    change = "rails.alipay_plus.settlement_agents.river_bank.receivable=500"
    compiled = _compiled(tmp_path, change)
    nets = compiled.plan.file[:, FileColumn.NET]
    assert nets[nets > 0].tolist() == [496_00] * 4
    opened = compiled.plan.line[0, LineColumn.PAYMENTS]
    agenda = compiled.plan.agenda
    part_day = agenda[(agenda[:, 1] == 1) & (agenda[:, AgendaColumn.SUBJECT] == opened)]
    assert part_day[:, AgendaColumn.AMOUNT].tolist() == [20_83]


def _earners(compiled: Compiled, component: str) -> set[str]:
    """Return who earns a fee, by name."""
    plan, names = compiled.plan, compiled.plan.names
    number = names.components.index(component)
    mine = plan.fee[plan.fee[:, FeeColumn.COMPONENT] == number]
    return {names.recipients[int(row[FeeColumn.RECIPIENT])] for row in mine}


def test_who_earns_what_merchants_pay(tmp_path: Path) -> None:
    # The service fee of the scenario names nobody: with files the agent earns it, without them the
    # operator. The interchange names the wallet.
    assert _earners(_compiled(tmp_path), "service") == {"river_bank"}
    unsettled = _compiled(tmp_path, "rails.alipay_plus.inbound.settlement=null")
    assert _earners(unsettled, "service") == {"alipay_operator"}
    for compiled in (unsettled, _compiled(tmp_path)):
        assert _earners(compiled, "interchange") == {"alipay_wallet"}


def test_explain_tells_files_and_doubtful_days(tmp_path: Path) -> None:
    text = explain_plan(_compiled(tmp_path))
    assert "file of 2025-09-30: closed t = 47 h, paid t = 273 h" in text
    assert "nothing is on its way at the start" in text
    moved = _compiled(
        tmp_path,
        "clock.start=2026-10-05T00:00:00+07:00",
        "accounts.river_khr_for_alipay.top_up={low: 1, target: 2, calendars: [KH]}",
    )
    told = " ".join(explain_plan(moved).split())
    assert "Not known for sure: 2026-10-12 in KH: Pchum Ben Day: not found: the sub-decree" in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            ("clock.start=2026-12-28T00:00:00+07:00",),
            "the calendar CN covers 2025 to 2026",
        ),
        (
            ("rails.alipay_plus.inbound.settlement.lag=0 business days",),
            "found an hour before the file of the day is closed and sold",
        ),
        (
            # 99.8 and 0.2 leave nothing of a file to be paid.
            (
                "rails.alipay_plus.inbound.settlement.interchange=99.8 %",
                "rails.alipay_plus.inbound.settlement.scheme_fee=0.2 %",
            ),
            "found 99.8 % beside a scheme_fee of 0.2 %; allowed: together less than 100 %",
        ),
        (
            ("rails.alipay_plus.inbound.settlement.conversion={to: USD}",),
            "found USD, the settlement currency; allowed: another",
        ),
        (
            ("accounts.river_khr_for_alipay.top_up={low: 5, target: 4}",),
            "found 4, below the level it orders at",
        ),
        (
            (
                "accounts.river_khr_for_alipay.top_up={low: 1, target: 4}",
                "accounts.river_khr_for_alipay.top_up.source=river_cny_at_unionpay",
            ),
            "account 'river_cny_at_unionpay' is in CNY; needed: KHR",
        ),
        (
            ("rails.alipay_plus.inbound.settlement.calendars=[FR]",),
            "FR",
        ),
        (
            ("rails.alipay_plus.settlement_agents.river_bank.settled_to=river_cny_at_unionpay",),
            "account 'river_cny_at_unionpay' is in CNY; needed: USD",
        ),
        (
            (
                "rails.alipay_plus.inbound.settlement=null",
                "rails.alipay_plus.settlement_agents.river_bank.receivable=5",
            ),
            "found a value, but payments coming in have no settlement",
        ),
        (
            ("rails.alipay_plus.settlement_agents.river_bank.receivable=5.001",),
            "USD",
        ),
        (
            ("rails.alipay_plus.inbound.settlement.cut_off=00:00",),
            "found 00:00, the end of the day before; allowed: 24:00",
        ),
        (
            (
                "rails.alipay_plus.inbound.settlement.make_up_days=true",
                "rails.alipay_plus.inbound.settlement.calendars=[SG]",
            ),
            NO_MAKE_UP_DAY,
        ),
        (
            ("accounts.river_khr_for_alipay.top_up={low: 1, target: 4, make_up_days: true}",),
            NO_MAKE_UP_DAY,
        ),
        (
            ("accounts.river_khr_for_alipay.top_up={low: 1.001, target: 4}",),
            "1.001",
        ),
        (
            (
                "accounts.river_khr_for_alipay.top_up={low: 1, target: 4}",
                "accounts.river_khr_for_alipay.top_up.look_at=[]",
            ),
            "found no time; needed: at least one",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(tmp_path: Path, changes: tuple[str, ...], words: str) -> None:
    with pytest.raises(ScenarioError, match=words.replace("(", r"\(")):
        _compiled(tmp_path, *changes)

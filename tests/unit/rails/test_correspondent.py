"""Payments through two correspondent banks, each within its own hours, worked out by hand.

Bank KH is open from 8 to 16 o'clock of Phnom Penh (+07) and takes payments in up to 15, bank CN
from 9 to 17 o'clock of Beijing (+08) and up to 16:30. Either works half an hour at a payment. All
else takes no time, so that every instant is one of a clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.meaning import LogKind
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from tests.theory.driver import Ran, load_text, run

WIRE = """
scenario: wire
extends: MINIMAL
clock: {start: 2025-09-19T08:00:00+07:00, horizon: 168 h}
fx: {mid: {USD/KHR: {rate: 4000}, USD/CNY: {rate: 7.2}}}
institutions:
  temple_bank: {core: {service_time: 0 s}}
  bank_kh: {country: KH, roles: [issuer], decline: 0 %}
  bank_cn: {country: CN, roles: [acquirer], decline: 0 %}
  dragon_bank:
    country: CN
    roles: [issuer, acquirer]
    payer_share: 1
    merchant_share: 1
    core: {service_time: 0 s}
    decline: 0 %
rails:
  # Not used here, and slow on purpose: a week of idle rounds says nothing.
  bakong: {round_interval: 6 h, idle_interval: 6 h}
  wire:
    kind: correspondent
    banks:
      bank_kh: {calendar: KH, opens: "08:00", closes: "16:00", cut_off: "15:00", work_time: 30 min}
      bank_cn: {calendar: CN, opens: "09:00", closes: "17:00", cut_off: "16:30", work_time: 30 min}
    chains: [[bank_kh, bank_cn]]
    spread: 1.5 %
    fees: {wire: {component: wire, fixed: 20 USD}}
    repair_share: 0 %
    repair_time: 4 h
    refused_share: 0 %
    hop_time: 0 s
corridors:
  kh_cn_wire:
    from: {country: KH, currency: USD}
    to: {country: CN, currency: CNY}
    rails: [wire]
  cn_kh_wire:
    from: {country: CN, currency: USD}
    to: {country: KH, currency: USD}
    rails: [wire]
demand:
  inbound: null
  outbound: null
  domestic: null
  out: {corridor: kh_cn_wire, fixed_side: debtor, payments: [{at: AT, amount: 1 015}]}
"""
START = datetime.fromisoformat("2025-09-19T08:00:00+07:00")


def _run(folder: Path, engine: str, at: str, *changes: str) -> Ran:
    return run(load_text(folder, WIRE.replace("AT,", f"{at},"), changes), engine)


def _when(time_us: int | None) -> str:
    return (START + timedelta(microseconds=time_us or 0)).strftime("%a %d %H:%M:%S")


def test_in_time_it_arrives_within_the_hour(tmp_path: Path, engine: str) -> None:
    # Friday 14:00 in Phnom Penh is 15:00 in Beijing: 14:30, then 15:30 to 16:00 there, which is
    # 15:00 here.
    ran = _run(tmp_path, engine, "6 h")
    assert _when(ran.record("out")["credited_us"]) == "Fri 19 15:00:00"
    record = ran.record("out")
    # 1 015 dollars less 1.5 % are 1 000.00, times 7.2; and 20 dollars on top.
    assert (record["debited"], record["credited"], record["payer_fee"]) == (101_500, 720_000, 2_000)
    balances = ran.balances()
    assert balances["fees:bank_kh:USD"] == 2_000
    assert balances["customers:dragon_bank:CNY"] == 720_000


def test_a_minute_after_the_cut_off_it_takes_six_days(tmp_path: Path, engine: str) -> None:
    # Friday 15:01; the weekend, Pchum Ben from Sunday 21 to Tuesday 23, Constitution Day on
    # Wednesday 24: taken in on Thursday at 8:00, at 8:30 (9:30 in Beijing) with the other bank.
    ran = _run(tmp_path, engine, "421 min")
    assert _when(ran.record("out")["credited_us"]) == "Thu 25 09:00:00"
    took = timedelta(microseconds=(ran.record("out")["credited_us"] or 0) - 421 * 60_000_000)
    assert took == timedelta(days=5, hours=17, minutes=59)


def test_a_repair_takes_bank_hours(tmp_path: Path, engine: str) -> None:
    # Friday 14:30 to 16:00 is an hour and a half of the four, Thursday 8:00 to 10:30 the rest; then
    # 11:30 in Beijing, and 12:00.
    ran = _run(tmp_path, engine, "6 h", "rails.wire.repair_share=100 %")
    assert _when(ran.record("out")["credited_us"]) == "Thu 25 11:00:00"


def test_what_cannot_be_repaired_is_refused(tmp_path: Path, engine: str) -> None:
    changes = ("rails.wire.repair_share=100 %", "rails.wire.refused_share=100 %")
    ran = _run(tmp_path, engine, "6 h", *changes)
    end_us, outcome, reason = ran.ended("out")
    assert (_when(end_us), outcome, reason) == ("Thu 25 10:30:00", "REJECTED", "RR04")
    assert ran.rows(LogKind.TRANSFER) == []


def test_the_other_way_it_goes_backwards(tmp_path: Path, engine: str) -> None:
    paid = "{at: 6 h, amount: 100, creditor_agent: temple_bank}"
    change = f"demand.out={{corridor: cn_kh_wire, payments: [{paid}]}}"
    ran = _run(tmp_path, engine, "6 h", change)
    # 15:00 in Beijing to 15:30, which is 14:30 here; 15:00.
    assert _when(ran.record("out")["credited_us"]) == "Fri 19 15:00:00"
    chosen = [row[4] for row in ran.rows(LogKind.ROUTE)]
    assert chosen == ["cn_kh_wire/wire (debtor fixed)"]
    started = [row[4] for row in ran.rows(LogKind.START) if "desk" in row[4]]
    assert started == ["wire.bank_cn.desk", "wire.bank_kh.desk"]
    assert ran.balances()["fees:bank_cn:USD"] == 2_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('rails.wire.banks.bank_kh.cut_off="16:30"', "hours that do not follow each other"),
        ("rails.wire.chains=[[bank_kh, temple_bank]]", "unknown bank 'temple_bank'"),
        ("rails.wire.chains=[[bank_kh]]", "fewer than two banks"),
        ("clock.start=2031-01-01T08:00:00+07:00", "needed: a run within its years"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        compile_scenario(load_text(tmp_path, WIRE.replace("AT,", "6 h,"), (change,)))


def test_explain_shows_when_banks_are_closed(tmp_path: Path) -> None:
    text = explain_plan(compile_scenario(load_text(tmp_path, WIRE.replace("AT,", "6 h,"))))
    assert "wire.bank_kh.intake" in text
    assert "wire.bank_cn.desk" in text

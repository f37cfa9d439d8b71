"""Payments whose payer and payee are customers of one institution are booked inside it.

Instants are those of the minimal scenario (see ``test_cases_by_hand``): scan 0.1 s, core 0.2 s,
confirmation 3 s, hop 0.05 s, message 0.1 s.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from sim.audit.run import audit_log
from sim.compiler.compile import compile_scenario
from sim.contract.layout import StageColumn
from sim.contract.meaning import LogKind, Op, Outcome
from sim.contract.records import LogColumn, RecordColumn
from tests.theory.driver import Ran, load_text, run

BOTH = """
scenario: on-us
extends: MINIMAL
rails: {bakong: {on_us: HOW}}
demand:
  inbound: null
  outbound: null
  domestic:
    payments:
      - {at: 2 s, amount: 12 000, merchant: 1, debtor_agent: temple_bank}
      - {at: 3 s, amount: 5 000, merchant: 0, debtor_agent: temple_bank}
"""
"""Merchant 1 is a customer of Temple Bank, merchant 0 of River Bank."""


def _both(folder: Path, engine: str, how: str = "book") -> Ran:
    return run(load_text(folder, BOTH.replace("HOW", how)), engine)


def test_one_institution_books_inside(tmp_path: Path, engine: str) -> None:
    ran = _both(tmp_path, engine)
    # Scan 2.1, core 2.3, confirmed 5.3, core again 5.5: booked and credited at once, told 5.6.
    assert ran.ended("domestic") == (5_600_000, "COMPLETED", "NONE")
    record = ran.record("domestic")
    assert (record["settled_us"], record["credited_us"]) == (5_500_000, 5_500_000)
    assert ran.times("domestic") == {"service": 400_000, "transit": 200_000, "human": 3_000_000}
    book, customers = "book:temple_bank:KHR", "customers:temple_bank:KHR"
    moves = [(row[4], row[5], row[6]) for row in ran.rows(LogKind.TRANSFER, of="domestic")]
    assert moves == [(customers, 1_200_000, book), (book, 1_200_000, customers)]


def test_two_institutions_use_the_ledger(tmp_path: Path, engine: str) -> None:
    ran = _both(tmp_path, engine)
    # Confirmed 6.3, joins 6.35, round 8.4, commit 8.7, core 8.9, told 9.0.
    assert ran.ended("domestic.1") == (9_000_000, "COMPLETED", "NONE")
    assert [row[2] for row in ran.rows(LogKind.IN_BLOCK)] == ["domestic.1"]
    # Only what crossed it left Temple's account on the ledger: 1,000,000 - 5,000 riel.
    assert ran.balances()["temple_bank@bakong:KHR"] == 99_500_000
    assert ran.balances()["river_bank@bakong:KHR"] == 100_500_000


def test_all_use_the_ledger_where_the_scenario_says_so(tmp_path: Path, engine: str) -> None:
    ran = _both(tmp_path, engine, "ledger")
    # The first is confirmed 5.3, joins 5.35 and misses no round: 5.4, commit 5.7, told 6.0.
    assert ran.ended("domestic") == (6_000_000, "COMPLETED", "NONE")
    assert [row[2] for row in ran.rows(LogKind.IN_BLOCK)] == ["domestic", "domestic.1"]
    assert not (ran.plan.stage[:, StageColumn.OP] == Op.ON_US).any()


def test_a_time_out_before_the_booking_moves_no_money(tmp_path: Path, engine: str) -> None:
    text = BOTH.replace("HOW", "book") + "corridors: {kh_kh: {time_out: 3.3 s}}\n"
    ran = run(load_text(tmp_path, text), engine)
    # From the choice of a route at 2.1: out at 5.4, amid the second service of 5.3 to 5.5.
    assert ran.ended("domestic") == (5_400_000, "REJECTED", "AB03")
    assert ran.rows(LogKind.TRANSFER, of="domestic") == []


def test_the_share_follows_from_the_institutions_drawn(tmp_path: Path) -> None:
    text = """
scenario: shares
extends: MINIMAL
clock: {horizon: 500 s}
institutions:
  river_bank: {payer_share: 1, merchant_share: 3}
  temple_bank: {payer_share: 3, merchant_share: 1}
rails:
  khqr: {payloads: [], merchants: 4000, currency_share: {KHR: 100 %}, damaged_share: 0 %}
  bakong: {opening_balance: {KHR: 1 000 000 000}}
demand:
  inbound: null
  outbound: null
  domestic: {payments: null, rate: 10 /s, amount: 100 KHR}
"""
    ran = run(load_text(tmp_path, text), "compiled")
    done = ran.records[ran.records[:, RecordColumn.OUTCOME] == Outcome.COMPLETED]
    inside = done[:, RecordColumn.DEBTOR_AGENT] == done[:, RecordColumn.CREDITOR_AGENT]
    # 1/4 x 3/4 + 3/4 x 1/4 = 37.5 %, within four standard errors of payments and of merchants.
    error = math.sqrt(0.375 * 0.625 * (1 / len(done) + 1 / 4000))
    assert abs(inside.mean() - 0.375) < 4 * error
    crossed = len(np.unique(ran.log[ran.log[:, LogColumn.KIND] == LogKind.IN_BLOCK, 3]))
    assert (~inside).sum() <= crossed <= (~inside).sum() + 100


def test_the_audit_knows_who_stays_inside(tmp_path: Path) -> None:
    ran = _both(tmp_path, "reference")
    # Exchanged, Temple's payment to itself would have to cross, and the other to stay.
    stage = ran.plan.stage.copy()
    at = int(np.flatnonzero(stage[:, StageColumn.OP] == Op.ON_US)[0])
    log = ran.log.copy()
    row = np.flatnonzero(log[:, LogColumn.KIND] == LogKind.DECIDE)
    assert log[row, LogColumn.STAGE].tolist() == [at]
    # The row of the branch left out, the payment cannot be where it is next.
    found = audit_log(ran.plan, [np.delete(log, row, axis=0)], None).violations
    assert "sequence" in {violation.rule for violation in found}
    # Everybody's accounts are River's: then the second payment stays inside, too.
    accounts, stations = ran.plan.agent_account.copy(), ran.plan.agent_station.copy()
    agents = ran.plan.names.agents
    river, temple = agents.index("river_bank"), agents.index("temple_bank")
    stations[temple] = stations[river]
    accounts[temple] = accounts[river]
    plan = replace(ran.plan, agent_account=accounts, agent_station=stations)
    assert not audit_log(plan, [log], None).ok


def test_explain_tells_of_the_branch(tmp_path: Path) -> None:
    compiled = compile_scenario(load_text(tmp_path, BOTH.replace("HOW", "book")))
    labels = [name.rpartition("/")[2] for name in compiled.plan.names.stages]
    assert {"on_us", "on_us.book"} <= set(labels)

"""Shares of institutions as the thresholds their payments are drawn by."""

from __future__ import annotations

from pathlib import Path

from sim.compiler.compile import compile_scenario
from tests.theory.driver import load_text

TWO = """
scenario: shares
clock: {start: 2025-09-17T18:00:00+07:00, horizon: 10 s}
institutions:
  one: {country: KH, roles: [issuer, acquirer], payer_share: 1, merchant_share: 5, bakong_id: onee}
  two: {country: KH, roles: [issuer, acquirer], payer_share: 3, merchant_share: 3, bakong_id: twoo}
rails:
  hall:
    kind: generic
    stages: [{name: walk, delay: 1 s}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  crowd: {corridor: inside, rate: 1 /s}
"""


def test_payers_and_payees_come_by_shares_of_their_own(tmp_path: Path) -> None:
    compiled = compile_scenario(load_text(tmp_path, TWO))
    demand, names = compiled.demands[0], compiled.plan.names.agents
    assert [names[agent] for agent in demand.debtor_agent] == ["one", "two"]
    assert [names[agent] for agent in demand.creditor_agent] == ["one", "two"]
    # A draw lies below 2^62: one payer in four is of the first bank, and five payees in eight.
    assert demand.debtor_cumulative62.tolist() == [2**60, 2**62]
    assert demand.creditor_cumulative62.tolist() == [5 * 2**59, 2**62]

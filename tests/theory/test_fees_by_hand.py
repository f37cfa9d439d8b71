"""Fees of a corridor worked out by hand on either engine: of which amount, and how often.

Takes variations of ``scenarios/minimal.yaml``.
"""

from __future__ import annotations

from pathlib import Path

from sim.contract.meaning import LogKind
from tests.theory.driver import load_text, run

GOING_OUT = """
scenario: case
extends: MINIMAL
demand:
  inbound: null
  domestic: null
  outbound: {corridor: kh_cn, payments: [{at: 3 s, amount: 50}]}
corridors:
  kh_cn:
    fees:
      a_payer: {component: service, proportional: 1 %}
      b_shop: {component: discount, bearer: creditor, proportional: 1 %}
"""
AT_HOME = """
scenario: case
extends: MINIMAL
rails: {bakong: {on_us: book}}
demand:
  inbound: null
  outbound: null
  domestic:
    payments: [{at: 2 s, amount: 12 000, merchant: 1, debtor_agent: temple_bank}]
corridors:
  kh_kh: {fees: {service: {component: service, fixed: 700 KHR}}}
"""


def test_a_payer_s_fee_is_of_what_is_debited_and_a_shop_s_of_what_arrives(
    tmp_path: Path, engine: str
) -> None:
    record = run(load_text(tmp_path, GOING_OUT), engine).record("outbound")
    # 50 yuan cost 28 049 riel (see the minimal scenario): 1 % is 280.49, down to 280 riel. Of the
    # 5 000 fen that arrive the shop is charged 50.
    assert record["debited"] == 2_804_900
    assert record["payer_fee"] == 28_000
    assert (record["merchant_fee"], record["credited"]) == (50, 4_950)


def test_a_fee_is_charged_once_inside_an_institution(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, AT_HOME), engine)
    assert ran.record("domestic")["payer_fee"] == 70_000
    assert [row[5] for row in ran.rows(LogKind.FEE)] == [70_000]
    # 12 000 riel and 700 riel left the customers of the bank, and 12 000 came to them.
    assert ran.balances()["customers:temple_bank:KHR"] == -70_000

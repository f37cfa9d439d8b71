"""Fees of a corridor worked out by hand on either engine: of which amount, and how often.

Takes variations of ``scenarios/minimal.yaml``.
"""

from __future__ import annotations

from pathlib import Path

from sim.compiler.compile import compile_scenario
from sim.contract.layout import PricingColumn as P
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


COMING_IN = """
scenario: case
extends: MINIMAL
rails: {alipay_plus: {limits: {per_day: 100}}}
demand:
  outbound: null
  domestic: null
  inbound:
    payers: 2
    payments:
      - {at: 1 s, amount: 30 000, merchant: 0}
      - {at: 2 s, amount: 30 000, merchant: 0}
      - {at: 3 s, amount: 20 000, merchant: 0}
      - {at: 4 s, amount: 30 000, merchant: 0, payer: 1}
"""


def test_a_wallet_s_limit_of_a_day_is_its_payer_s(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, COMING_IN), engine)
    # At 556.52 riel to a yuan and with less than 3 % of margins 30 000 riel are between 53 and 56
    # yuan, 20 000 between 35 and 38: two of the first are above 100, one of each is below.
    ends = [ran.ended(name)[1:] for name in ("inbound", "inbound.1", "inbound.2", "inbound.3")]
    done, refused = ("COMPLETED", "NONE"), ("REJECTED", "AM14")
    assert ends == [done, refused, done, done]
    assert 5_300 < (ran.record("inbound")["debited"] or 0) < 5_600


def test_every_amount_has_the_step_of_its_currency(tmp_path: Path) -> None:
    columns = [P.GRANULE_DEBITED, P.GRANULE_SETTLEMENT, P.GRANULE_CREDITED]
    # Whole riel at home, on all three sides; riel, and fen twice, on the way to China.
    for text, steps in ((AT_HOME, [100, 100, 100]), (GOING_OUT, [100, 1, 1])):
        plan = compile_scenario(load_text(tmp_path, text)).plan
        assert plan.pricing[:, columns].tolist() == [steps] * len(plan.pricing)

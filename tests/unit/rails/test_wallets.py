"""Several wallets of one gateway, each in its own currency, worked out by hand, in both engines.

The gateway of the minimal scenario prices through dollars, 4 000 riel each, with 1 % for itself:
10 000 riel are 2.50 dollars, and 2.525 with the margin.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from tests.theory.driver import load_text, run

WALLETS = """
scenario: wallets
extends: MINIMAL
fx: {mid: {USD/HKD: {rate: 7.8}, USD/PHP: {rate: 57}, USD/MYR: {rate: 4.2}, USD/KRW: {rate: 1 400}}}
institutions:
  alipay_hk: {country: HK, roles: [issuer], core: {service_time: 0.2 s}, decline: 0 %}
  gcash: {country: PH, roles: [issuer], core: {service_time: 0.2 s}, decline: 0 %}
  touch_n_go: {country: MY, roles: [issuer], core: {service_time: 0.2 s}, decline: 0 %}
  kakaopay: {country: KR, roles: [issuer], core: {service_time: 0.2 s}, decline: 0 %}
rails:
  alipay_plus:
    wallets:
      HKD: {wallet: alipay_hk, limits: {per_payment: 19.70}}
      PHP: {wallet: gcash}
      MYR: {wallet: touch_n_go}
      KRW: {wallet: kakaopay, limits: {per_payment: 3 534}}
corridors:
  hk_kh: {from: {country: HK, currency: HKD}, to: {country: KH, currency: KHR}, codes: khqr}
  ph_kh: {from: {country: PH, currency: PHP}, to: {country: KH, currency: KHR}, codes: khqr}
  my_kh: {from: {country: MY, currency: MYR}, to: {country: KH, currency: KHR}, codes: khqr}
  kr_kh: {from: {country: KR, currency: KRW}, to: {country: KH, currency: KHR}, codes: khqr}
demand:
  inbound: null
  outbound: null
  domestic: null
  hong_kong: {corridor: hk_kh, payments: [{at: 0 s, amount: 10 000, merchant: 1}]}
  philippines: {corridor: ph_kh, payments: [{at: 0 s, amount: 10 000, merchant: 1}]}
  malaysia: {corridor: my_kh, payments: [{at: 0 s, amount: 10 000, merchant: 1}]}
  korea: {corridor: kr_kh, payments: [{at: 0 s, amount: 10 000, merchant: 1}]}
"""


def test_each_wallet_is_billed_in_its_own_money(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, WALLETS), engine)
    # 2.525 x 7.8 = 19.695, half up 19.70 dollars of Hong Kong; x 57 = 143.925, 143.93 pesos (half
    # up); x 4.2 = 10.605, 10.61 ringgit; x 1 400 = 3 535 won, which have no hundredths.
    paid = {name: ran.record(name)["debited"] for name in ("hong_kong", "philippines", "malaysia")}
    assert paid == {"hong_kong": 1_970, "philippines": 14_393, "malaysia": 1_061}
    for name in paid:
        assert ran.ended(name)[1:] == ("COMPLETED", "NONE")
    balances = ran.balances()
    assert balances["customers:alipay_hk:HKD"] == -1_970
    assert balances["customers:gcash:PHP"] == -14_393
    assert balances["customers:touch_n_go:MYR"] == -1_061
    # One won above the limit of the wallet: nothing is paid.
    assert ran.ended("korea")[1:] == ("REJECTED", "AM02")
    assert "customers:kakaopay:KRW" not in balances


def test_won_have_no_minor_unit(tmp_path: Path, engine: str) -> None:
    change = "rails.alipay_plus.wallets.KRW.limits.per_payment=3 535"
    ran = run(load_text(tmp_path, WALLETS, (change,)), engine)
    assert ran.record("korea")["debited"] == 3_535
    assert ran.ended("korea")[1] == "COMPLETED"


def test_obligations_name_the_wallet_that_owes(tmp_path: Path) -> None:
    compiled = compile_scenario(load_text(tmp_path, WALLETS))
    plan = compiled.plan
    owing = {plan.names.agents[int(row[2])] for row in plan.obligation}
    assert {"alipay_hk", "gcash", "touch_n_go", "kakaopay"} <= owing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("rails.alipay_plus.wallets.CNY={wallet: gcash}", "the currency of 'wallet'"),
        ("rails.alipay_plus.wallets.PHP.wallet=nobody", "unknown institution 'nobody'"),
        ("rails.alipay_plus.wallets.PHP.wallet=nbc", "is no issuer"),
        ("rails.alipay_plus.wallets.KRW.limits.per_payment=3 534.50", "KRW"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        compile_scenario(load_text(tmp_path, WALLETS, (change,)))

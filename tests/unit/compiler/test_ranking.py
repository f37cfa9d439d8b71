"""Candidates stand in the order of the price the payer is charged."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from sim.compiler.compile import Compiled, compile_scenario
from sim.compiler.prices import Market
from sim.compiler.ranking import payer_cost
from sim.contract.layout import CandidateColumn
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, load_text

TWO = """
scenario: two
extends: MINIMAL
rails:
  second:
    kind: wallet_gateway
    operator: alipay_operator
    wallet: alipay_wallet
    currency: CNY
    inbound: {live_from: 2024-10-14, settlement_currency: SETTLED, spread: SPREAD, fees: {FEES}}
    settlement_agents: {river_bank: {prefunding: river_khr_for_alipay, spread: AGENT}}
demand: {domestic: null, outbound: null}
"""


def compiled(folder: Path, *, settled: str, spread: str, agent: str, fees: str = "") -> Compiled:
    text = TWO.replace("SETTLED", settled).replace("SPREAD", spread).replace("AGENT", agent)
    return compile_scenario(load_text(folder, text.replace("FEES", fees)), with_tables=False)


def order(made: Compiled) -> list[str]:
    return [
        made.plan.names.routes[route].rpartition("/")[2]
        for route in made.plan.candidate[:, CandidateColumn.ROUTE]
    ]


def costs(made: Compiled) -> list[Fraction]:
    fx = made.scenario.fx
    market = Market(fx, horizon_us=made.plan.horizon_us, seed=1, replication=0)
    routes = sorted(made.routes, key=lambda route: route.name)
    for route in routes:
        for exchange in filter(None, route.flow.price.exchanges):
            market.conversion(exchange)
    return [payer_cost(fx, market, route) for route in routes]


FIRST = 1 - 1 / Fraction("1.01")
"""Of the minimal scenario's gateway: 1 % of the mid value is 0.9901 % of what is debited. The
0.12 % its agent pays for riel are in no price."""


def test_a_spread_that_is_not_charged_does_not_count(tmp_path: Path) -> None:
    # Settled in riel there is no second conversion: the agent's 3 % apply to nothing.
    made = compiled(tmp_path, settled="KHR", spread="0.99 %", agent="3 %")
    assert costs(made) == [FIRST, 1 - 1 / Fraction("1.0099")]
    assert order(made) == ["second.river_bank", "alipay_plus.river_bank"]
    assert order(compiled(tmp_path, settled="KHR", spread="1.01 %", agent="0 %")) == [
        "alipay_plus.river_bank",
        "second.river_bank",
    ]


def test_a_fixed_fee_counts_for_what_it_is(tmp_path: Path) -> None:
    # Nothing but 0.9 yuan. A dollar is 7.1875 yuan: 90 fen on 3593.75, 35937.5 and 359375 fen.
    fees = "ride: {component: ride, fixed: 0.9 CNY}"
    made = compiled(tmp_path, settled="USD", spread="0 %", agent="0 %", fees=fees)
    shares = [Fraction(90) / Fraction(amount) for amount in ("3593.75", "35937.5", "359375")]
    # 2.5043 %, 0.2504 % and 0.0250 %: 0.9266 % in the mean, less than 0.9901 %.
    assert costs(made) == [FIRST, sum(shares) / 3]
    assert order(made) == ["second.river_bank", "alipay_plus.river_bank"]
    # With 0.1 % on top it is the dearer one: 1.0256 %. Its spread alone is a tenth of the other's.
    dear = compiled(tmp_path, settled="USD", spread="0.1 %", agent="0 %", fees=fees)
    assert order(dear) == ["alipay_plus.river_bank", "second.river_bank"]


def test_what_the_payee_bears_is_not_the_payers_price(tmp_path: Path) -> None:
    fees = "{mdr: {component: mdr, bearer: creditor, proportional: 5 %}}"[1:-1]
    made = compiled(tmp_path, settled="USD", spread="0.9 %", agent="0 %", fees=fees)
    assert order(made) == ["second.river_bank", "alipay_plus.river_bank"]


def test_candidates_are_cut_off_after_preference() -> None:
    changes = ["routing.candidates=2", "routing.order=[wechat_pay]"]
    # Visitors of whom no wallet is said: within one there is little to cut off.
    changes += ["demand.cn_counter.instruments=null", "demand.cn_counter.second_instrument=null"]
    # Some codes without UnionPay's tag, and no digital yuan, which is cheaper than all of these.
    changes += ["rails.khqr.unionpay_share=30 %"]
    changes += ["corridors.cn_kh.rails=[alipay_plus, bakong, unionpay, wechat_pay]"]
    loaded = load_scenario(SCENARIOS / "china-two-way.yaml", changes)
    plan = compile_scenario(loaded, with_tables=False).plan
    found = set()
    for first, count, *_ in plan.route_set.tolist():
        routes = plan.candidate[first : first + count, CandidateColumn.ROUTE]
        names = [plan.names.routes[at] for at in routes]
        found.add(tuple(name.removeprefix("cn_kh/") for name in names if name.startswith("cn_kh/")))
    # The preferred one, then the cheapest: UnionPay where the code has its tag, else Alipay+, of
    # whose two agents the earlier name comes first.
    assert found == {
        (),
        ("wechat_pay.acleda", "unionpay.acleda"),
        ("wechat_pay.acleda", "alipay_plus.aba"),
    }

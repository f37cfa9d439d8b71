"""A fail-over behind the payer's back: asked once, priced once, and a person's time stays one.

Every instant and amount was worked out by hand; rounds and times are those of the minimal scenario
(see ``test_cases_by_hand``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.meaning import LogKind
from tests.theory.driver import Ran, load_text, run

LOTUS = """
  lotus_bank:
    country: KH
    roles: [issuer, acquirer, settlement_agent, fx_provider]
    name: Lotus Bank
    bakong_id: lots
    core: {servers: 2, service_time: 0.2 s}
    screening: {servers: 1, service_time: 0.25 s, hit_share: 0 %}
    decline: 0 %
"""
FO = f"""
scenario: fo
extends: MINIMAL
institutions:{LOTUS}
rails:
  alipay_plus:
    settlement_agents:
      river_bank: {{prefunding: river_khr_for_alipay, spread: 0.12 %}}
      lotus_bank: {{prefunding: lotus_khr_for_alipay, spread: 0.20 %}}
accounts:
  river_khr_for_alipay: {{balance: 10 000}}
  lotus_khr_for_alipay: {{owner: lotus_bank, at: bakong, currency: KHR, balance: 100 000}}
demand: {{domestic: null, outbound: null}}
routing: {{policy: cheapest, failover: 1}}
"""
"""The first agent has 10 000 riel and the payment wants 41 300; the second has enough."""


def _run(folder: Path, engine: str, text: str, *changes: str) -> Ran:
    return run(load_text(folder, text, changes), engine)


def test_another_agent_takes_over_behind_the_payers_back(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, FO)
    # To both agents the payer pays the same; River's own conversion costs 0.12 %, Lotus' 0.20 %.
    # Scan 0.1, risk 0.2, confirmed 3, authorised 0.5, hop 0.3, screened 0.25: short at 5.35.
    # Reversed 1 s, hop 0.3, screened 0.25, hop 0.05: in line at 6.95. Rounds 0.8, 2.4 and 5.4 found
    # nobody, 8.4 does; votes 0.3 s; core 0.2 s.
    steps = [
        (row[0], row[1], row[3])
        for row in ran.rows(of="inbound")
        if row[1] in ("ROUTE", "FAIL", "START", "IN_BLOCK", "POST")
    ]
    assert steps == [
        (1_100_000, "ROUTE", "choose route"),
        (1_100_000, "START", "debtor_agent.risk"),
        (4_300_000, "START", "alipay_plus.authorise"),
        (5_100_000, "START", "river_bank.screening"),
        (5_350_000, "FAIL", "prefunding"),
        (6_350_000, "ROUTE", "next route"),
        (6_650_000, "START", "lotus_bank.screening"),
        (6_950_000, "START", "bakong.admission"),
        (8_400_000, "IN_BLOCK", "bakong.block"),
        (8_700_000, "POST", "bakong.block"),
        (8_700_000, "START", "creditor_agent.core"),
    ]
    record = ran.record("inbound")
    assert (record["settled_us"], record["credited_us"]) == (8_700_000, 8_900_000)
    # Priced once, confirmed once.
    assert len(ran.rows(LogKind.QUOTE)) == 1
    assert [row[5] for row in ran.rows(LogKind.DELAY) if row[4] == "HUMAN"] == [3_000_000]
    # 8.9 - 1.0 = 7.9 from end to end, 3.0 of a person, 4.9 of machines; of these 6.35 - 1.0 - 3.0
    # were spent on the first agent. What follows the credit (0.1 + 0.3) is transit.
    assert ran.times("inbound") == {
        "human": 3_000_000,
        "retry": 2_350_000,
        "service": 450_000,  # screened 0.25, core 0.2
        "transit": 300_000 + 50_000 + 100_000 + 300_000,
        "ledger": 8_700_000 - 6_950_000,
    }


def test_who_takes_over_changes_nothing_the_payer_pays(tmp_path: Path, engine: str) -> None:
    other = _run(tmp_path, engine, FO).record("inbound")
    enough = "accounts.river_khr_for_alipay.balance=100 000"
    first = _run(tmp_path, engine, FO, enough).record("inbound")
    paid = ("debited", "settlement", "credited", "payer_fee", "fx_margin", "merchant_fee")
    assert [other[name] for name in paid] == [first[name] for name in paid]
    # 1 033 cents: River's desk takes 1.24, down to 1; Lotus' takes 2.07, down to 2. Fees by name:
    # interchange, service, and what the agent bears itself.
    cells = _run(tmp_path, engine, FO).cells("inbound")
    assert cells[-8:-5].tolist() == [24_700, 8_200, 2]
    assert _run(tmp_path, engine, FO, enough).cells("inbound")[-8:-5].tolist() == [24_700, 8_200, 1]
    balances = _run(tmp_path, engine, FO).balances()
    assert balances["spread:lotus_bank:USD"] == 2
    assert balances["book:lotus_bank:USD"] == -1_033 - 2
    assert "book:river_bank:USD" not in balances


def test_what_the_gateway_declines_is_authorised_again_and_not_confirmed_again(
    tmp_path: Path, engine: str
) -> None:
    ran = _run(tmp_path, engine, FO, "rails.alipay_plus.technical_decline=100 %")
    # Declined at 4.8, reversed 5.8, authorised again 0.5 and declined again: 6.3, reversed 7.3.
    starts = [row[0] for row in ran.rows(LogKind.START) if row[3] == "alipay_plus.authorise"]
    assert starts == [4_300_000, 5_800_000]
    assert ran.ended("inbound") == (7_300_000, "REJECTED", "AB10")
    assert ran.times("inbound")["human"] == 3_000_000


def test_a_payment_nobody_has_confirmed_begins_again(tmp_path: Path, engine: str) -> None:
    # The order lives 2 s: it ends while the payer reads the price, and again at 4.1 + 2.
    ran = _run(tmp_path, engine, FO, "rails.alipay_plus.order_life=2 s")
    assert [row[0] for row in ran.rows(LogKind.EXPIRE)] == [3_100_000, 6_100_000]
    assert len(ran.rows(LogKind.QUOTE)) == 2
    # 3.1 - 1.3 and 6.1 - 4.3 of a person.
    assert ran.times("inbound")["human"] == 2 * 1_800_000


def test_going_out_the_limit_of_a_day_is_used_once(tmp_path: Path, engine: str) -> None:
    text = f"""
scenario: out
extends: MINIMAL
institutions:{LOTUS}
rails:
  bakong: {{limits: {{tier: {{per_day: {{KHR: 40 000}}}}}}}}
  unionpay:
    settlement_agents:
      river_bank: {{nostro: river_cny_at_unionpay}}
      lotus_bank: {{nostro: lotus_cny_at_unionpay}}
accounts:
  river_cny_at_unionpay: {{balance: 40}}
  lotus_cny_at_unionpay: {{owner: lotus_bank, at: unionpay, currency: CNY, balance: 200}}
corridors: {{kh_cn: {{kyc_tier: tier}}}}
demand: {{domestic: null, inbound: null}}
routing: {{policy: priority, order: [unionpay.river_bank], failover: 1}}
"""
    ran = _run(tmp_path, engine, text)
    # Confirmed at 6.5, River screens to 6.75 and is short; nothing was sent, so Lotus screens at
    # once to 7.0. 28 049 riel are used, given back and used again, never 56 098.
    uses = [(row[0], row[1], row[5]) for row in ran.rows(LogKind.LIMIT, LogKind.GIVE_BACK)]
    assert uses == [
        (6_500_000, "LIMIT", 2_804_900),
        (6_750_000, "GIVE_BACK", 2_804_900),
        (6_750_000, "LIMIT", 2_804_900),
    ]
    # Hop 0.05: in line at 7.05, round 8.4, commit 8.7, hop 0.2, authorised 0.4, core 0.2.
    assert ran.record("outbound")["credited_us"] == 9_500_000
    assert ran.times("outbound")["human"] == 3_000_000
    assert ran.record("outbound")["debited"] == 2_804_900


SPLIT = f"""
scenario: split
extends: MINIMAL
clock: {{horizon: 3 h}}
institutions:{LOTUS}
rails:
  bakong: {{opening_balance: {{KHR: 1 000 000 000}}}}
  alipay_plus:
    settlement_agents:
      river_bank: {{spread: 0.12 %SHARE_1}}
      lotus_bank: {{spread: 0.20 %SHARE_2}}
demand:
  domestic: null
  outbound: null
  inbound: {{payments: null, rate: 600 /h, count: 1000, amount: 1 000 KHR}}
routing: {{policy: cheapest, failover: 0}}
"""


@pytest.mark.parametrize(
    ("shares", "spread", "expected"),
    [
        # Stated: 70 of 100, whatever the agents' own conversion costs them.
        ((", share: 70 %", ", share: 30 %"), "0.20 %", 0.70),
        # Not stated: the agent whose own conversion costs less; of equals each a half.
        (("", ""), "0.20 %", 1.0),
        (("", ""), "0.12 %", 0.5),
        # No share of what is equal: only the other one is taken.
        ((", share: 0 %", ", share: 100 %"), "0.20 %", 0.0),
    ],
)
def test_equal_routes_are_split_by_shares(
    tmp_path: Path, engine: str, shares: tuple[str, str], spread: str, expected: float
) -> None:
    text = SPLIT.replace("SHARE_1", shares[0]).replace("SHARE_2", shares[1])
    ran = _run(tmp_path, engine, text.replace("0.20 %", spread))
    taken = [row[4] for row in ran.rows(LogKind.ROUTE)]
    # All but the few whose code cannot be read.
    assert 980 <= len(taken) <= 1_000
    share = taken.count("cn_kh/alipay_plus.river_bank") / len(taken)
    # Four standard deviations of a binomial share: at most 4 * 0.5 / sqrt(980) = 0.064.
    assert abs(share - expected) <= 4 * (expected * (1 - expected) / len(taken)) ** 0.5

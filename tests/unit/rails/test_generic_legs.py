"""A generic rail is a leg beside others: first, in the middle and last on a route.

Every instant was found on paper; the ledger's rounds are those of the minimal scenario: 0.8, 2.4,
5.4, 8.4 s while nobody pays, each committing 0.3 s later. The road takes 2 s and parking 0.4 s.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.meaning import LogKind
from sim.errors import ScenarioError
from tests.theory.driver import SCENARIOS, load_text, run

WORLD = """
scenario: van
extends: MINIMAL
institutions:
  lotus_bank:
    country: KH
    roles: [settlement_agent]
    screening: {service_time: 0.25 s, hit_share: 0 %}
rails:
  bakong: {currencies: [KHR, USD]}
  van:
    kind: generic
    stations: {road: {servers: 1}}
    stages: [{name: drive, serve: road, time: 2 s}, {name: park, delay: 0.4 s}]
    between: BETWEEN
corridors:
  cn_kh: {rails: [alipay_plus, bakong, van]}
  kh_us:
    from: {country: KH, currency: USD}
    to: {country: US, currency: USD}
    rails: [bakong, van]
  us_kh:
    from: {country: US, currency: KHR}
    to: {country: KH, currency: KHR}
    codes: khqr
    rails: [bakong, van]
routing: {policy: priority, order: [ORDER]}
demand:
  domestic: null
  outbound: null
  inbound: INBOUND
"""


def _text(*, between: str, order: str, inbound: str) -> str:
    text = WORLD.replace("BETWEEN", between).replace("ORDER", order)
    return text.replace("INBOUND", inbound)


def test_in_the_middle_of_a_route_over_three_rails(tmp_path: Path, engine: str) -> None:
    text = _text(
        between="[{from: river_bank, to: lotus_bank}]",
        order="alipay_plus+van",
        inbound="{corridor: cn_kh}",
    )
    ran = run(load_text(tmp_path, text), engine)
    # 1.0 + scan 0.1, risk 0.2, confirmed 3, authorised 0.5, hop 0.3, screened twice 0.25: 5.6. On
    # the road and parked by 8.0, hop 8.05, round 8.4, commit 8.7, core 8.9; told 9.0, confirmed.
    route = "cn_kh/alipay_plus+van.river_bank+lotus_bank"
    assert [row[4] for row in ran.rows(LogKind.ROUTE)] == [route]
    assert ran.record("inbound")["credited_us"] == 8_900_000
    assert ran.ended("inbound") == (9_300_000, "COMPLETED", "NONE")
    balances = ran.balances()
    assert balances["book:lotus_bank:KHR"] == 4_130_000
    assert balances["lotus_bank@bakong:KHR"] == 100_000_000 - 4_130_000


def test_as_the_last_leg_behind_a_ledger(tmp_path: Path, engine: str) -> None:
    text = _text(
        between="[{from: river_bank, to: creditor}]",
        order="van",
        inbound="{corridor: kh_us, payments: [{at: 1 s, amount: 100}]}",
    )
    ran = run(load_text(tmp_path, text), engine)
    # Core 0.2, screened 0.25, hop 0.05: joins at 1.5, round 2.4, commit 2.7; the road to 5.1.
    record = ran.record("inbound")
    assert (record["settled_us"], record["credited_us"]) == (2_700_000, 5_100_000)
    assert ran.ended("inbound") == (5_100_000, "COMPLETED", "NONE")
    balances = ran.balances()
    assert balances["customers:creditors:USD"] == 10_000
    assert balances["customers:temple_bank:USD"] == -10_000


def test_as_the_first_leg_before_a_ledger(tmp_path: Path, engine: str) -> None:
    text = _text(
        between="[{from: debtor, to: river_bank}]",
        order="van",
        inbound="{corridor: us_kh, payments: [{at: 1 s, amount: 41 300, merchant: 1}]}",
    )
    ran = run(load_text(tmp_path, text), engine)
    # Scan 0.1, screened 0.25: 1.35. The road to 3.75, hop 3.8, round 5.4, commit 5.7, core 5.9, the
    # merchant told by 6.0.
    assert ran.record("inbound")["credited_us"] == 5_900_000
    assert ran.ended("inbound") == (6_000_000, "COMPLETED", "NONE")
    balances = ran.balances()
    assert balances["customers:debtors:KHR"] == -4_130_000
    assert balances["customers:temple_bank:KHR"] == 4_130_000


def test_fees_of_the_payers_institution_are_charged_on_a_chain_of_its_own(
    tmp_path: Path, engine: str
) -> None:
    text = """
scenario: chain
clock: {start: 2025-09-17T00:00:00+07:00, horizon: 60 s}
institutions:
  op: {country: KH, roles: [operator]}
  bank: {country: KH, roles: [issuer], payer_share: 1}
rails:
  shop:
    kind: generic
    operator: op
    stages: [{name: s, delay: 1 s}]
    fees: {a: {component: a, fixed: 10 KHR}}
corridors:
  inside:
    from: {country: KH, currency: KHR}
    to: {country: KH, currency: KHR}
    fees: {b: {component: b, fixed: 500 KHR, recipient: bank}}
demand:
  customers: {corridor: inside, payments: [{at: 1 s, amount: 1000}]}
"""
    ran = run(load_text(tmp_path, text), engine)
    # 10 + 500 riel, beside the 1 000 paid.
    record = ran.record("customers")
    assert (record["debited"], record["payer_fee"]) == (100_000, 51_000)
    assert ran.balances() == {
        "customers:debtors:KHR": -151_000,
        "customers:creditors:KHR": 100_000,
        "fees:op:KHR": 1_000,
        "fees:bank:KHR": 50_000,
    }


def test_the_ends_are_checked(tmp_path: Path) -> None:
    text = _text(
        between="[{from: temple_bank, to: river_bank}, {from: lotus, to: creditor}, "
        "{from: river_bank, to: river_bank}]",
        order="",
        inbound="{corridor: cn_kh}",
    )
    with pytest.raises(ScenarioError) as told:
        load_text(tmp_path, text)
    message = str(told.value)
    assert "rails.van.between.0.from: 'temple_bank' is no settlement_agent" in message
    assert "rails.van.between.1.from: unknown institution or 'debtor' 'lotus'" in message
    assert "Did you mean 'lotus_bank'?" in message
    assert "rails.van.between.2: found 'river_bank' at both ends; allowed: two ends" in message


def test_a_chain_without_a_corridor_is_told_and_no_crash(tmp_path: Path) -> None:
    queue = SCENARIOS / "theory" / "mm1.yaml"
    text = f"scenario: alone\nextends: {queue}\ncorridors: {{inside: null}}\n"
    with pytest.raises(ScenarioError, match="unknown corridor 'inside'"):
        load_text(tmp_path, text)

"""A kind of rail from one file stands first, in the middle and last on routes, in both engines.

Every instant and amount was found on paper. Bakong's rounds start at 0.8, 2.4, 5.4, 8.4 s and so on
while nobody pays; after a block the gap is 0.8 s again and doubles with every idle round up to 3 s.
A block commits 0.3 s after its round starts. Screening takes 0.25 s, a core system 0.2 s, the hop
to the ledger 0.05 s, a ride 2 s and a call 0.4 s.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sim
from sim.cli.schema import schema_text
from sim.compiler.compile import compile_scenario
from sim.contract.meaning import LogKind
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from sim.rails.payers import CreditorClass
from sim.rails.registry import rail_kinds, register_rail
from sim.routing.candidates import find_candidates
from sim.scenario.model import Scenario, scenario_model
from sim.scenario.scenario import load_scenario
from sim.study.audit_folder import audit_folder
from tests.theory.driver import ROOT, load_text, run
from tests.unit.rails.courier import CourierRail

WORLD = """
scenario: couriers
extends: MINIMAL
fx: {mid: {THB/KHR: {rate: 125}}}
institutions:
  post: {country: KH, roles: [operator, fx_provider], name: Couriers}
  lotus_bank:
    country: KH
    roles: [issuer, acquirer, settlement_agent]
    bakong_id: lots
    core: {servers: 2, service_time: 0.2 s}
    screening: {servers: 1, service_time: 0.25 s, hit_share: 0 %}
    decline: 0 %
  siam_bank:
    country: TH
    roles: [issuer, acquirer]
    payer_share: 1
    merchant_share: 1
    core: {servers: 2, service_time: 0.2 s}
    decline: 0 %
corridors:
  th_kh: {from: {country: TH, currency: THB}, to: {country: KH, currency: KHR}, codes: khqr}
  kh_th: {from: {country: KH, currency: KHR}, to: {country: TH, currency: THB}}
"""
COURIER = "{kind: courier, operator: post, live_from: 2025-01-01, %s}"
BETWEEN = "start: %s, end: %s, currency_from: KHR, currency_to: KHR"

pytestmark = pytest.mark.usefixtures("couriers")


STREAMS = ("domestic", "inbound", "outbound")
"""Streams of the minimal scenario; a case keeps one of them, or none beside its own."""


def _text(settings: str, demand: str, routing: str = "{}") -> str:
    """Return a world with couriers; ``demand`` is a stream to keep, or one of the case's own."""
    streams = [f"{name}: null" for name in STREAMS if name != demand]
    if demand not in STREAMS:
        streams.append(demand)
    courier = COURIER % settings
    return (
        f"{WORLD}demand: {{{', '.join(streams)}}}\n"
        f"rails: {{courier: {courier}}}\nrouting: {routing}\n"
    )


def test_in_the_middle_of_a_route_over_three_rails(tmp_path: Path, engine: str) -> None:
    text = _text(
        BETWEEN % ("river_bank", "lotus_bank") + ", fees: {ride: {component: ride, fixed: 1 CNY}}",
        "inbound",
        "{policy: priority, order: [alipay_plus+courier]}",
    )
    ran = run(load_text(tmp_path, text), engine)
    # Scan 0.1, risk 0.2, confirmed 3, authorised 0.5, hop 0.3: 1.0 + 4.1 = 5.1. Both agents screen:
    # 5.6. Ride to 7.6, hop to 7.65, round 8.4, commit 8.7, core to 8.9.
    route = "cn_kh/alipay_plus+courier.river_bank+lotus_bank"
    assert [row[4] for row in ran.rows(LogKind.ROUTE)] == [route]
    record = ran.record("inbound")
    assert (record["settled_us"], record["credited_us"]) == (8_700_000, 8_900_000)
    # Told the merchant 0.1, then back along the legs: call 0.4, confirmation 0.3.
    assert ran.ended("inbound") == (9_700_000, "COMPLETED", "NONE")
    assert ran.times("inbound") == {
        "service": 200_000 + 500_000 + 2 * 250_000 + 2_000_000 + 200_000,
        "transit": 100_000 + 300_000 + 50_000 + 100_000 + 400_000 + 300_000,
        "ledger": 8_700_000 - 7_650_000,
        "human": 3_000_000,
    }
    # The price is that of the minimal scenario, 74.95 yuan, and the ride's one yuan.
    assert (record["debited"], record["payer_fee"]) == (7_495, 100)
    balances = ran.balances()
    assert balances["lotus_bank@bakong:KHR"] == 100_000_000 - 4_130_000
    assert balances["temple_bank@bakong:KHR"] == 100_000_000 + 4_130_000
    # The first agent bought the riel and handed them to the second.
    assert "book:river_bank:KHR" not in balances
    assert balances["book:lotus_bank:KHR"] == 4_130_000
    assert balances["fees:post:CNY"] == 100


def test_as_the_first_leg(tmp_path: Path, engine: str) -> None:
    text = _text(
        "end: river_bank, currency_from: THB, currency_to: KHR, spread: 0.5 %",
        "thai: {corridor: th_kh, payments: [{at: 1 s, amount: 41 300, merchant: 1}]}",
    )
    ran = run(load_text(tmp_path, text), engine)
    # Scan 0.1, core 0.2, confirmed 3, screened 0.25: 4.55. Ride to 6.55, hop to 6.6, round 8.4.
    record = ran.record("thai")
    assert (record["settled_us"], record["credited_us"]) == (8_700_000, 8_900_000)
    assert ran.ended("thai") == (9_400_000, "COMPLETED", "NONE")  # told 0.1, call 0.4
    # 4 130 000 / 125 = 33 040 satang; 0.5 % of it 165.2: 33 205.2, half up 33 205.
    assert (record["debited"], record["credited"]) == (33_040 + 165, 4_130_000)
    assert record["fx_margin"] == 165
    balances = ran.balances()
    assert balances["customers:siam_bank:THB"] == -33_205
    assert balances["spread:post:THB"] == 165
    assert balances["river_bank@bakong:KHR"] == 100_000_000 - 4_130_000
    assert balances["customers:temple_bank:KHR"] == 4_130_000


KH_TH = "thai: {corridor: kh_th, payments: [{at: 1 s, amount: 100}]}"
TO_THAILAND = "start: river_bank, currency_from: KHR, currency_to: THB, spread: 0.5 %"


def test_as_the_last_leg(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, _text(TO_THAILAND, KH_TH)), engine)
    # Core 0.2, screened 0.25, hop 0.05: joins at 1.5, round 2.4, commit 2.7; ride to 4.7, core 4.9.
    record = ran.record("thai")
    assert (record["settled_us"], record["credited_us"]) == (2_700_000, 4_900_000)
    assert ran.ended("thai") == (5_300_000, "COMPLETED", "NONE")
    # 10 000 x 125 = 1 250 000; 0.5 % is 6 250; together 1 256 250, half up 1 256 300.
    assert (record["debited"], record["credited"]) == (1_256_300, 10_000)
    balances = ran.balances()
    assert balances["temple_bank@bakong:KHR"] == 100_000_000 - 1_256_300
    assert balances["customers:siam_bank:THB"] == 10_000


def test_what_is_lost_behind_the_ledger_comes_back(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, _text(TO_THAILAND + ", lost: 100 %", KH_TH)), engine)
    # Lost at 4.7; called off by 5.1. After the block of 2.4: 3.2 and 4.8 idle, then 7.8.
    assert ran.ended("thai") == (8_100_000, "RETURNED", "AB09")
    record = ran.record("thai")
    assert (record["settled_us"], record["credited_us"]) == (2_700_000, None)
    # As at the start: three banks' opening balances on the ledger, two written accounts, the world.
    assert ran.balances() == {
        "lotus_bank@bakong:KHR": 100_000_000,
        "river_bank@bakong:KHR": 100_000_000,
        "temple_bank@bakong:KHR": 100_000_000,
        "river_khr_for_alipay": 10_000_000,
        "river_cny_at_unionpay": 20_000,
        "world:KHR": -310_000_000,
        "world:CNY": -20_000,
    }


OVER_THREE = "{policy: priority, order: [courier+unionpay]}"


def test_a_payment_comes_back_over_two_ledgers_the_last_one_first(
    tmp_path: Path, engine: str
) -> None:
    settings = BETWEEN % ("lotus_bank", "river_bank") + ", keeps_books: true"
    text = _text(settings, "outbound", OVER_THREE).replace(
        "rails: {", "rails: {unionpay: {technical_decline: 100 %}, "
    )
    ran = run(load_text(tmp_path, text), engine)
    # Scan 0.1, core 0.2, looked up 0.2, confirmed 3, screened twice 0.5, hop 0.05: 3.0 + 4.05.
    # Round 8.4, commit 8.7. Ride to 10.7; the couriers' rounds are every full second, votes 0.2 s:
    # committed 11.2. Hop 0.2, authorisation 0.4, refused at 11.8.
    commits = [(row[0], row[4]) for row in ran.rows(LogKind.COMMIT)]
    assert commits == [
        (8_700_000, "bakong.ledger"),
        (11_200_000, "courier.book"),
        # UnionPay's reversal 1 s to 12.8: round 13.0.
        (13_200_000, "courier.book"),
        # The call 0.4 s to 13.6. After 8.4: 9.2, 10.8 idle, then 13.8.
        (14_100_000, "bakong.ledger"),
    ]
    assert ran.ended("outbound") == (14_100_000, "RETURNED", "AB10")
    assert [row[0] for row in ran.rows(LogKind.FAIL)] == [11_800_000]
    held = {name: money for name, money in ran.balances().items() if not name.startswith("world")}
    assert held == {
        "lotus_bank@bakong:KHR": 100_000_000,
        "river_bank@bakong:KHR": 100_000_000,
        "temple_bank@bakong:KHR": 100_000_000,
        "river_khr_for_alipay": 10_000_000,
        "river_cny_at_unionpay": 20_000,
    }


def test_a_refusal_before_any_ledger_is_reversed_by_every_leg_that_was_asked(
    tmp_path: Path, engine: str
) -> None:
    settings = BETWEEN % ("river_bank", "lotus_bank") + ", lost: 100 %"
    text = _text(
        settings,
        "inbound",
        "{policy: priority, order: [alipay_plus+courier], failover: 1}",
    )
    ran = run(load_text(tmp_path, text), engine)
    # Lost at 7.6; the call 0.4 s and Alipay+'s reversal 1 s: undone at 9.0. The next candidate is
    # the route without couriers: risk 0.2, confirmed 3, authorised 0.5, hop 0.3, screened 0.25,
    # hop 0.05: joins at 13.3, round 14.4, commit 14.7, core 14.9, told 15.0, confirmed 15.3.
    routes = [(row[0], row[4]) for row in ran.rows(LogKind.ROUTE)]
    assert [time for time, _ in routes] == [1_100_000, 9_000_000]
    assert routes[1][1] == "cn_kh/alipay_plus.river_bank"
    assert [row[0] for row in ran.rows(LogKind.VOID)] == [9_000_000]
    assert ran.ended("inbound") == (15_300_000, "COMPLETED", "NONE")


def test_a_limit_of_its_own_refuses_before_anything_is_asked(tmp_path: Path, engine: str) -> None:
    settings = BETWEEN % ("river_bank", "lotus_bank") + ", heaviest: 74.94"
    text = _text(
        settings,
        "inbound",
        "{policy: priority, order: [alipay_plus+courier]}",
    )
    ran = run(load_text(tmp_path, text), engine)
    # 74.95 yuan are a fen too heavy once the payer has confirmed, at 4.3. Limits come before any
    # request, so there is nothing to reverse.
    assert ran.ended("inbound") == (4_300_000, "REJECTED", "AM02")


def test_a_path_that_converts_three_times_is_no_route(tmp_path: Path) -> None:
    ride = "{kind: courier, operator: post, live_from: 2025-01-01, start: %s, end: %s, "
    ride += "currency_from: %s, currency_to: %s}"
    # Yuan to baht, baht to dollars, dollars to riel; a payment has amounts for two conversions.
    rides = {
        "east": ride % ("debtor", "river_bank", "CNY", "THB"),
        "west": ride % ("river_bank", "lotus_bank", "THB", "USD"),
        "home": ride % ("lotus_bank", "creditor", "USD", "KHR"),
        "south": ride % ("lotus_bank", "creditor", "USD", "USD"),
    }
    rails = ", ".join(f"{name}: {settings}" for name, settings in rides.items())
    text = f"{WORLD}demand: {{domestic: null, outbound: null}}\nrails: {{{rails}}}\n"
    text = text.replace("corridors:\n", "corridors:\n  cn_us: {from: {country: CN, currency: CNY}, "
                        "to: {country: US, currency: USD}}\n")  # fmt: skip
    scenario = load_text(tmp_path, text).scenario
    thrice = find_candidates(scenario, "cn_kh", CreditorClass())
    assert [candidate.name for candidate in thrice] == ["cn_kh/alipay_plus.river_bank"]
    (twice,) = find_candidates(scenario, "cn_us", CreditorClass())
    assert twice.name == "cn_us/east+west+south.river_bank+lotus_bank"


def test_a_run_folder_is_audited_with_the_kind_it_used(tmp_path: Path) -> None:
    text = _text(BETWEEN % ("river_bank", "lotus_bank"), "inbound")
    load_text(tmp_path, text)
    sim.run(tmp_path / "scenario.yaml", out=tmp_path / "run", record="events")
    report = audit_folder(tmp_path / "run")
    assert report.ok, report.violations
    assert report.level == "events"


def test_explain_speaks_of_it_in_its_own_words(tmp_path: Path) -> None:
    settings = "hypothetical: true, " + BETWEEN % ("river_bank", "lotus_bank")
    text = _text(settings, "inbound").replace("2025-01-01", "2026-01-01")
    words = explain_plan(compile_scenario(load_text(tmp_path, text), with_tables=False))
    assert "courier from river_bank to lotus_bank" in words
    assert "courier.ride: at courier.riders, 2 s (service), 2 servers" in words
    assert "rails.courier.ride_time = 2 s, default [latency_hops.client_to_psp_lognormal]" in words
    assert "rails.courier.riders = 2, default [as many as there are bicycles]" in words
    assert re.search(r"Hypothetical links\n-+\ncourier \(live from 2026-01-01\)", words)
    assert re.search(r"alipay_plus\+courier\S* .* hypothetical\n", words)


def test_its_settings_are_checked_like_any_others(tmp_path: Path) -> None:
    wrong = "start: river_bank, end: river_bank, currency_from: KHR, currency_to: KHR, riders: none"
    with pytest.raises(ScenarioError) as told:
        load_text(tmp_path, _text(wrong, "inbound"))
    assert "rails.courier.riders: found 'none'" in str(told.value)
    wrong = wrong.replace(", riders: none", "").replace("operator: post", "operator: posr")
    text = _text(wrong, "inbound").replace("operator: post", "operator: posr")
    with pytest.raises(ScenarioError) as told:
        load_text(tmp_path, text.replace("2025-01-01", "2025-12-01"))
    message = str(told.value)
    assert "rails.courier.end: found 'river_bank' at both ends; allowed: a ride" in message
    assert "rails.courier.operator: unknown institution 'posr'" in message
    assert "rails.courier.live_from: found 2025-12-01, after the clock's start" in message


def test_the_schema_knows_the_kind_while_it_is_registered() -> None:
    assert "CourierRail" in schema_text()
    assert scenario_model() is not Scenario
    assert scenario_model() is scenario_model()


def test_two_classes_cannot_be_one_kind() -> None:
    class OtherCourier(CourierRail):
        """Another class with the same word."""

    with pytest.raises(TypeError, match="'courier' is already the kind of CourierRail"):
        register_rail(OtherCourier)


def test_nothing_in_the_simulator_knows_its_name() -> None:
    sources = [*(ROOT / "sim").rglob("*.py"), *(ROOT / "scenarios").rglob("*")]
    knowing = [
        path for path in sources if path.is_file() and "courier" in path.read_text("utf-8").lower()
    ]
    assert knowing == []


def test_kinds_are_named_only_where_rails_live() -> None:
    classes = "|".join(kind.__name__ for kind in rail_kinds())
    words = "wallet_gateway|bakong|khqr"
    kinds = re.compile(rf"\b({classes})\b|['\"]({words})['\"]")
    naming = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "sim").rglob("*.py"))
        # The codec speaks of the scheme a code carries, not of a rail.
        if path.relative_to(ROOT / "sim").parts[0] not in ("rails", "qr")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if kinds.search(line)
    ]
    assert naming == []


def test_a_forgotten_kind_is_unknown_again(tmp_path: Path) -> None:
    text = _text(BETWEEN % ("river_bank", "lotus_bank"), "inbound")
    load_text(tmp_path, text)
    text = text.replace("kind: courier", "kind: corier")
    with pytest.raises(ScenarioError, match="courier"):
        load_text(tmp_path, text)
    assert load_scenario(ROOT / "scenarios" / "minimal.yaml").scenario.scenario == "minimal"

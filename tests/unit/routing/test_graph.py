"""Find candidate routes in small worlds where they can be listed by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from sim.rails.bakong import BakongRail
from sim.rails.payers import CreditorClass
from sim.rails.protocol import Leg
from sim.routing.candidates import Candidate, find_candidates, name_routes
from sim.routing.graph import build_graph
from sim.scenario.model import Scenario
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL, SCENARIOS, load_text

CHINA = SCENARIOS / "china-two-way.yaml"
KHR = CreditorClass("KHR")
KHR_UNIONPAY = CreditorClass("KHR", ("unionpay",))


def _names(scenario: Scenario, corridor: str, creditor: CreditorClass) -> list[str]:
    return [found.name.partition("/")[2] for found in find_candidates(scenario, corridor, creditor)]


@pytest.fixture(scope="module")
def china() -> Scenario:
    """Load the main scenario."""
    return load_scenario(CHINA).scenario


@pytest.mark.parametrize(
    ("creditor", "routes"),
    [
        # By number of legs and name. UnionPay needs its tag on the code.
        (KHR, ["ecny", "alipay_plus.aba", "alipay_plus.acleda", "wechat_pay.acleda"]),
        (
            KHR_UNIONPAY,
            [
                *("ecny", "alipay_plus.aba", "alipay_plus.acleda"),
                *("unionpay.acleda", "wechat_pay.acleda"),
            ],
        ),
        # Every gateway of the scenario pays riel accounts only.
        (CreditorClass("USD"), []),
    ],
)
def test_the_code_decides_which_wallets_may_pay_it(
    china: Scenario, creditor: CreditorClass, routes: list[str]
) -> None:
    assert _names(china, "cn_kh", creditor) == routes


@pytest.mark.parametrize(
    ("schemes", "routes"),
    [
        (("unionpay",), ["unionpay.acleda"]),
        # UnionPay reads the code of WeChat Pay, too.
        (("wechat_pay",), ["unionpay.acleda", "wechat_pay.acleda"]),
        (("alipay",), ["alipay_plus.aba", "alipay_plus.acleda"]),
        (("promptpay",), []),
    ],
)
def test_a_foreign_code_is_paid_through_its_scheme(
    china: Scenario, schemes: tuple[str, ...], routes: list[str]
) -> None:
    assert _names(china, "kh_cn", CreditorClass("CNY", schemes)) == routes


def test_at_home_the_ledger_is_the_only_leg(china: Scenario) -> None:
    (found,) = find_candidates(china, "kh_khr", KHR)
    assert (found.rail, found.agent) == ("bakong", "")
    assert [(leg.rail, leg.start, leg.end) for leg in found.legs] == [
        ("bakong", "debtor", "creditor")
    ]


def test_the_graph_holds_ends_and_settlement_agents_only(china: Scenario) -> None:
    graph = build_graph(china, "cn_kh", KHR_UNIONPAY)
    assert set(graph.nodes) == {
        ("debtor", "CNY"),
        ("creditor", "KHR"),
        ("acleda", "KHR"),
        ("aba", "KHR"),
    }
    edges = {(start[0], end[0], rail) for start, end, (rail, _) in graph.edges(keys=True)}
    assert ("debtor", "acleda", "unionpay") in edges
    assert ("acleda", "creditor", "bakong") in edges
    assert ("debtor", "aba", "unionpay") not in edges


def test_what_an_agent_bears_itself_decides_between_equals() -> None:
    scenario = load_scenario(MINIMAL).scenario
    (inbound,) = find_candidates(scenario, "cn_kh", KHR)
    # 0.12 % is the agent's own.
    assert (inbound.own_ppm, inbound.share) == (1_200, 1_000_000)
    (outbound,) = find_candidates(scenario, "kh_cn", CreditorClass("CNY", ("unionpay",)))
    assert outbound.agent == "river_bank"


def test_a_ledger_serves_its_operators_country(china: Scenario) -> None:
    rail = china.rails["bakong"]
    assert isinstance(rail, BakongRail)
    assert rail.home_country(china) == "KH"


VANS = """
scenario: vans
extends: MINIMAL
institutions:
  lotus_bank: {country: KH, roles: [settlement_agent]}
rails:
  bakong: {currencies: [KHR, USD]}
  north: {kind: generic, stages: [{name: drive, delay: 1 s}], between: NORTH}
  south: {kind: generic, stages: [{name: drive, delay: 1 s}], between: SOUTH}
corridors:
  cn_kh: {rails: [alipay_plus, bakong, north, south]}
demand: {domestic: null, outbound: null}
"""


def test_a_path_over_many_rails_is_a_route_and_says_all_that_name_it(tmp_path: Path) -> None:
    north, south = "[{from: river_bank, to: lotus_bank}]", "[{from: lotus_bank, to: creditor}]"
    text = VANS.replace("NORTH", north).replace("SOUTH", south)
    found = find_candidates(load_text(tmp_path, text).scenario, "cn_kh", KHR)
    # Cheapest first, then shorter, then by name; the ledger below others gives no name.
    assert [(candidate.name, candidate.agents) for candidate in found] == [
        ("cn_kh/alipay_plus.river_bank", ("river_bank",)),
        ("cn_kh/alipay_plus+north+south.river_bank+lotus_bank", ("river_bank", "lotus_bank")),
        ("cn_kh/alipay_plus+north.river_bank+lotus_bank", ("river_bank", "lotus_bank")),
    ]
    assert [leg.rail for leg in found[2].legs] == ["alipay_plus", "north", "bakong"]


SIDE_ROAD = """
scenario: side-road
extends: MINIMAL
rails:
  road: {kind: generic, stages: [{name: drive, delay: 1 s}]}
"""


def test_a_chain_joins_only_corridors_that_name_it(tmp_path: Path) -> None:
    added = load_text(tmp_path, SIDE_ROAD).scenario
    plain = load_scenario(MINIMAL).scenario
    # It has no price and no queue: unasked, it would be the cheapest route of every corridor.
    for corridor, creditor in (("cn_kh", KHR), ("kh_kh", KHR)):
        assert _names(added, corridor, creditor) == _names(plain, corridor, creditor)
    named = load_text(tmp_path, f"{SIDE_ROAD}corridors: {{cn_kh: {{rails: [road]}}}}\n").scenario
    assert _names(named, "cn_kh", KHR) == ["road"]


def test_alone_in_a_scenario_a_chain_need_not_be_named(tmp_path: Path) -> None:
    text = (
        "scenario: two\nclock: {start: 2025-09-17T00:00:00+07:00, horizon: 60 s}\n"
        "rails:\n  one: {kind: generic, stages: [{name: a, delay: 1 s}]}\n"
        "  two: {kind: generic, stages: [{name: a, delay: 1 s}]}\n"
        "corridors: {c: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}}\n"
        "demand: {d: {corridor: c, rate: 1 /s}}\n"
    )
    assert _names(load_text(tmp_path, text).scenario, "c", KHR) == ["one", "two"]


def test_a_corridor_without_a_route_says_which_rails_are_to_be_named(tmp_path: Path) -> None:
    text = (
        f"{SIDE_ROAD}corridors:\n  th_kh: {{from: {{country: TH, currency: THB}}, "
        "to: {country: KH, currency: KHR}}\ndemand: {far: {corridor: th_kh, rate: 1 /min, "
        "amount: {constant: 10 KHR}}}\n"
    )
    with pytest.raises(ScenarioError, match=r"\(road only where a corridor's `rails` name it\)"):
        compile_scenario(load_text(tmp_path, text), with_tables=False)


def test_a_path_that_comes_back_to_a_party_or_a_rail_is_no_route(tmp_path: Path) -> None:
    there = "[{from: river_bank, to: lotus_bank}, {from: lotus_bank, to: river_bank}]"
    text = VANS.replace("NORTH", there).replace("SOUTH", there)
    found = find_candidates(load_text(tmp_path, text).scenario, "cn_kh", KHR)
    for candidate in found:
        rails = [leg.rail for leg in candidate.legs]
        assert len(set(rails)) == len(rails)
        assert len(set(candidate.agents)) == len(candidate.agents)


def test_routes_that_share_a_name_are_told_apart_by_their_legs() -> None:
    legs = tuple(Leg(rail, "debtor", "creditor", "KHR", "KHR") for rail in ("one", "two"))
    alike = [Candidate("c/gate.agent", "c", "gate", (leg,)) for leg in legs]
    other = Candidate("c/other", "c", "other", legs[:1])
    assert [candidate.name for candidate in name_routes([*alike, other])] == [
        "c/gate.agent (one KHR-KHR)",
        "c/gate.agent (two KHR-KHR)",
        "c/other",
    ]

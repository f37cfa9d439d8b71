"""What is written without effect is told, and what has one is not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn, RecordColumn
from sim.scenario.scenario import load_scenario
from tests.support.scenarios import ROOT
from tests.theory.driver import MINIMAL, load_text, run

WIRE = "rails: {wire: {kind: generic, stages: [{name: carry, delay: 1 s}]}}"
WITHOUT = {
    "fx: {mid: {USD/THB: {rate: 32}}}": "fx.mid.USD/THB",
    "institutions: {idle: {country: KH, roles: [issuer]}}": "institutions.idle",
    "institutions: {nbc: {core: {servers: 3}}}": "institutions.nbc.core",
    "institutions: {temple_bank: {screening: {servers: 3}}}": "institutions.temple_bank.screening",
    "institutions: {temple_bank: {merchant_share: 1}}": "institutions.temple_bank.merchant_share",
    "institutions: {unionpay_wallet: {payer_share: 1}}": "institutions.unionpay_wallet.payer_share",
    "institutions: {nbc: {bakong_id: nbcb}}": "institutions.nbc.bakong_id",
    "rails: {second: {kind: bakong, operator: alipay_wallet, currencies: [THB]}}": "rails.second",
    "rails: {unionpay: {settlement_agents: {river_bank: {spread: 0.5 %}}}}": (
        "rails.unionpay.settlement_agents.river_bank.spread"
    ),
    "rails: {bakong: {limits: {basic: {per_day: {KHR: 5}}}}}": "rails.bakong.limits.basic",
    "accounts: {spare: {owner: temple_bank, at: bakong, currency: KHR, balance: 5}}": (
        "accounts.spare"
    ),
    "accounts: {river_cny_at_unionpay: {deposits: {late: {after: 1 min, amount: 5}}}}": (
        "accounts.river_cny_at_unionpay.deposits.late"
    ),
    "accounts: {river_cny_at_unionpay: {top_up: {low: 5, target: 9, source: reserve, "
    "look_at: ['12:00'], lead_time: 30 s}}, "
    "reserve: {owner: river_bank, at: unionpay, currency: CNY, balance: 5, when_short: queue}}": (
        "accounts.reserve.when_short"
    ),
    "accounts: {river_cny_at_unionpay: {top_up: {low: 5, target: 9, look_at: ['15:00']}}}": (
        "accounts.river_cny_at_unionpay.top_up"
    ),
    "accounts: {river_cny_at_unionpay: {top_up: {low: 5, target: 9, look_at: ['12:00'], "
    "lead_time: 1 min}}}": "accounts.river_cny_at_unionpay.top_up",
    "corridors: {us: {from: {country: US, currency: USD}, to: {country: KH, currency: KHR}}}": (
        "corridors.us"
    ),
    # The rails it would use anyhow; and, beside one that has to be named, one that no route uses.
    "corridors: {kh_kh: {rails: [bakong]}}": "corridors.kh_kh.rails",
    "corridors: {kh_cn: {rails: [alipay_plus, unionpay, bakong]}}": "corridors.kh_cn.rails",
    f"{WIRE}\ncorridors: {{cn_kh: {{rails: [alipay_plus, unionpay, bakong, wire]}}}}": (
        "corridors.cn_kh.rails.1"
    ),
    "profiles: {flat_day: {hourly: [" + "1, " * 23 + "1]}}": "profiles.flat_day",
    "disruptions: {late: {outage: river_bank, after: 60 s, for: 1 s}}": "disruptions.late",
    "disruptions: {night: {outage: bakong, from: '11:59:59', for: 1 s}}": "disruptions.night",
    "disruptions: {desk: {outage: unionpay_operator, after: 0 s, for: 1 s}}": "disruptions.desk",
    "disruptions: {jump: {fx_jump: USD/CNY, times: 1.1, after: 59 s}}": "disruptions.jump",
    "disruptions: {slow: {degradation: bakong, station: ledger, times: 2, after: 1 s, for: 1 s}}": (
        "disruptions.slow.times"
    ),
    "institutions: {alipay_wallet: {declines: {credit: {AB09: 2 %}}}}": (
        "institutions.alipay_wallet.declines.credit"
    ),
    "institutions: {temple_bank: {declines: {automatic: 50 %}}}": (
        "institutions.temple_bank.declines.automatic"
    ),
    "accounts: {river_cny_at_unionpay: {overdraft_rate: 4 %}}": (
        "accounts.river_cny_at_unionpay.overdraft_rate"
    ),
    "accounts: {river_cny_at_unionpay: {top_up: {low: 5, target: 9, source: reserve, "
    "look_at: ['12:00'], lead_time: 30 s}}, "
    "reserve: {owner: river_bank, at: unionpay, currency: CNY, balance: 5, stop_below: 1}}": (
        "accounts.reserve.stop_below"
    ),
    "routing: {spare_reserves: true}\n"
    "accounts: {river_cny_at_unionpay: {top_up: {low: 5, target: 9, source: vault, "
    "look_at: ['12:00'], lead_time: 30 s}}, "
    "vault: {owner: river_bank, at: unionpay, currency: CNY, balance: 5, reserve: 1}}": (
        "accounts.vault.reserve"
    ),
    "demand: {domestic: {payments: null, rate: 1 /s, amount: 5 000 KHR, steps: {9 min: 2}}}": (
        "demand.domestic.steps.9 min"
    ),
}
WITH = (
    "institutions: {temple_bank: {core: {servers: 3}}}",
    "institutions: {river_bank: {screening: {servers: 3}}}",
    "rails: {alipay_plus: {settlement_agents: {river_bank: {spread: 0.5 %}}}}",
    "rails: {unionpay: {outbound: {spread: 0.5 %}}}",
    # There is no margin beyond it to compare it with.
    "rails: {alipay_plus: {settlement_agents: {river_bank: {spread: 100 %}}}}",
    "accounts: {river_cny_at_unionpay: {deposits: {late: {after: 59 s, amount: 5}}}}",
    "accounts: {river_cny_at_unionpay: {top_up: {low: 5, target: 9, calendars: [CN], "
    "make_up_days: true, look_at: ['13:00'], lead_time: 30 s}}}",
    # What fills up an account that payments use is used, and so is what they are settled on.
    "accounts: {river_cny_at_unionpay: {top_up: {low: 5, target: 9, source: reserve, "
    "look_at: ['12:00'], lead_time: 30 s}}, "
    "reserve: {owner: river_bank, at: unionpay, currency: CNY, balance: 5, top_up: "
    "{low: 5, target: 9, source: vault, look_at: ['12:00'], lead_time: 30 s}}, "
    "vault: {owner: river_bank, at: river_bank, currency: CNY, balance: 5}}",
    "accounts: {paid: {owner: river_bank, at: river_bank, currency: USD, balance: 5}}\n"
    "rails: {alipay_plus: {inbound: {settlement: {}}, "
    "settlement_agents: {river_bank: {settled_to: paid}}}}",
    "accounts: {river_cny_at_unionpay: {when_short: queue}}",
    "accounts: {river_khr_for_alipay: {when_short: queue}}",
    "disruptions: {in_time: {outage: river_bank, after: 59 s, for: 1 s}}",
    f"{WIRE}\ncorridors: {{cn_kh: {{rails: [alipay_plus, bakong, wire]}}}}",
    "disruptions: {noon: {outage: bakong, from: '12:00:59', for: 1 s}}",
)


def _paths(folder: Path, change: str) -> set[str]:
    text = f"scenario: noted\nextends: {MINIMAL}\n{change}\n"
    compiled = compile_scenario(load_text(folder, text), with_tables=False)
    return {".".join(map(str, path)) for path, _ in compiled.notes}


@pytest.mark.parametrize("change", list(WITHOUT))
def test_what_changes_nothing_is_told_where_it_stands(tmp_path: Path, change: str) -> None:
    told = _paths(tmp_path, change) - _paths(tmp_path, "seed: 1")
    assert told == {WITHOUT[change]}


OF_EVERYTHING = {
    "rails.large.offset=none": {"rails.large.offset_every"},
    "rails.large.end_of_day=carry": {"rails.large.closes_at"},
    "rails.wire.banks.hill_bank={calendar: LA, closes: '12:02', cut_off: '12:01'}": {
        "rails.wire.banks.hill_bank"
    },
    "rails.nexus.access_banks.KH=river_bank": {"rails.nexus.access_banks.KH"},
    "rails.shop.stations.counter={servers: 1}": {"rails.shop.stations.counter"},
    "rails.promptpay.opening_balance.LAK=5": {"rails.promptpay.opening_balance.LAK"},
    "institutions.river_bank.screening={mode: decline, officers: 3, by_hand: null}": {
        "institutions.river_bank.screening.officers"
    },
    "institutions.river_bank.screening.mode=hold": {"institutions.river_bank.screening.by_hand"},
    "reconciliation.at='23:00'": {"reconciliation"},
    "fx.providers.quay.quotes.THB/USD={spread: 1 %}": {"fx.providers.quay.quotes.THB/USD"},
    # Nothing of the hours lies within the run, and whose clock they are by is all the same then.
    "fx.providers.quay.quotes.USD/HKD.hours.dusk={from: '22:00', to: '23:00', more: 0.2 %}": {
        "fx.providers.quay.clock", "fx.providers.quay.quotes.USD/HKD.hours.dusk",
    },
    # A rate nobody needs, and its jump.
    "fx.mid.USD/VND={rate: 25 000} & disruptions.shock.fx_jump=USD/VND": {
        "fx.mid.USD/VND", "disruptions.shock",
    },
}  # fmt: skip


@cache
def _notes(*sets: str) -> dict[str, str]:
    """Return what is told of the scenario that has everything, changed, by its path."""
    loaded = load_scenario(ROOT / "sim" / "study" / "fuzz" / "everything.yaml", sets)
    notes = compile_scenario(loaded, with_tables=False).notes
    return {".".join(map(str, place)): why for place, why in notes}


@pytest.mark.parametrize("change", list(OF_EVERYTHING))
def test_settings_of_rails_nobody_meets_are_told(change: str) -> None:
    told = _notes(*change.split(" & ")).keys() - _notes().keys()
    assert told == OF_EVERYTHING[change]


def test_a_cover_says_why_it_changes_nothing() -> None:
    place = "fx.providers.quay.inventory.HKD.cover"
    assert _notes()[place].endswith("nothing it trades is delivered within the run")
    assert _notes(f"{place}.look_at=['23:00']")[place].endswith("it never looks within the run")


@pytest.mark.parametrize("change", WITH)
def test_what_acts_is_not_told(tmp_path: Path, change: str) -> None:
    assert _paths(tmp_path, change) == _paths(tmp_path, "seed: 1")


@pytest.mark.parametrize("name", ["minimal", "china-two-way"])
def test_a_run_goes_nowhere_out_of_reach(name: str) -> None:
    path = MINIMAL.parent / f"{name}.yaml"
    sets = [] if name == "minimal" else ["clock.horizon=20 s"]
    ran = run(load_scenario(path, sets), "compiled")
    names, reach = ran.plan.names, ran.compiled.reach
    rows = {kind: ran.log[ran.log[:, LogColumn.KIND] == kind] for kind in LogKind}
    visited = {
        names.stations[int(row[LogColumn.SUBJECT])]
        for kind in (LogKind.JOIN, LogKind.START)
        for row in rows[kind]
    }
    assert visited
    assert visited <= reach.stations
    columns = (RecordColumn.DEBTOR_AGENT, RecordColumn.CREDITOR_AGENT)
    found = {int(number) for column in columns for number in ran.records[:, column]}
    agents = {names.agents[number] for number in found if number >= 0}
    assert agents
    assert agents <= reach.agents
    accounts = {
        names.accounts[int(row[column])]
        for kind in (LogKind.POST, LogKind.TRANSFER)
        for row in rows[kind]
        for column in (LogColumn.SUBJECT, LogColumn.VALUE)
    }
    assert accounts <= reach.accounts


def test_a_margin_in_whose_place_the_market_has_one_is_told(tmp_path: Path) -> None:
    def idle(providers: str) -> set[str]:
        text = f"extends: MINIMAL\nfx: {{providers: {providers}}}\n"
        notes = compile_scenario(load_text(tmp_path, text)).notes
        return {".".join(map(str, path)) for path, why in notes if "margins of their own" in why}

    # UnionPay's agent converts riel into yuan: with a quote of its own for the pair the rail's
    # 0.8 % count for nothing; a quote of another pair, or of nobody on the way, leaves them.
    assert idle("{river_bank: {quotes: {KHR/CNY: {spread: 0.3 %}}}}") == {
        "rails.unionpay.outbound.spread"
    }
    assert idle("{river_bank: {quotes: {USD/CNY: {spread: 0.3 %}}}}") == set()
    # Alipay's operator converts yuan into dollars at the rail's 1 %, and the agent dollars into
    # riel at its own cost of 0.12 %.
    assert idle("{alipay_operator: {quotes: {CNY/USD: {spread: 0.3 %}}}}") == {
        "rails.alipay_plus.inbound.spread"
    }
    assert idle("{river_bank: {quotes: {USD/KHR: {spread: 0.3 %}}}}") == {
        "rails.alipay_plus.settlement_agents.river_bank.spread"
    }
    assert idle("{}") == set()

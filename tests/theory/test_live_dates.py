"""Institutions that join a link on days of their own: who has routes on 17 September 2025.

The world is that of the minimal scenario; times and amounts of a payment that has a route are those
worked out there. An institution before its day has no route over the link, whichever end of the
payment it stands at; all others are as before.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.meaning import LogKind
from sim.contract.records import RecordColumn
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from tests.theory.driver import Ran, load_text, run
from tests.unit.rails.test_fast_payment import FAST

TEXT = "extends: MINIMAL\n"
ALONE = ("demand.domestic=null",)
LATER, TODAY = "2025-09-18", "2025-09-17"
TWO_CODES = "demand.inbound.payments=[{at: 1 s, amount: 41 300, merchant: %d}]"


def _joined(rail: str, use: str, institution: str, day: str, more: str = "") -> str:
    return f"rails.{rail}.{use}.joined={{{institution}: {{live_from: {day}{more}}}}}"


def _run(folder: Path, engine: str, *changes: str) -> Ran:
    return run(load_text(folder, TEXT, (*ALONE, *changes)), engine)


def test_payees_of_a_bank_that_joins_tomorrow_cannot_be_paid(tmp_path: Path, engine: str) -> None:
    inbound = ("demand.outbound=null", TWO_CODES % 1)
    # Temple Bank's merchant is paid from the very day its bank joins on. Scan 1.1, risk 1.3,
    # confirmed 4.3, authorised 4.8, hop 5.1, screened 5.35, hop 5.4, when a round begins (0, 0.8,
    # 2.4, 5.4 while nobody waits): committed 5.7, core 5.9, told 6.0, back 6.3.
    today = _run(
        tmp_path, engine, *inbound, _joined("alipay_plus", "inbound", "temple_bank", TODAY)
    )
    assert today.ended("inbound") == (6_300_000, "COMPLETED", "NONE")
    # A day before there is no route: the code is read at 1.1 s, and nothing else happens.
    before = _joined("alipay_plus", "inbound", "temple_bank", LATER)
    late = _run(tmp_path, engine, *inbound, before)
    assert late.ended("inbound") == (1_100_000, "NOT_PAYABLE", "AG03")
    assert late.rows(LogKind.ROUTE, LogKind.RESERVE, LogKind.QUOTE) == []
    # River Bank's merchant, a table away, is paid all the same.
    other = _run(tmp_path, engine, "demand.outbound=null", TWO_CODES % 0, before)
    assert other.ended("inbound") == (6_300_000, "COMPLETED", "NONE")


def test_payers_of_a_bank_that_joins_tomorrow_cannot_pay(tmp_path: Path, engine: str) -> None:
    both = (
        "demand.inbound=null",
        "demand.outbound.payments=[{at: 3 s, amount: 50, debtor_agent: temple_bank}, "
        "{at: 3 s, amount: 50, debtor_agent: river_bank}]",
    )
    late = _joined("unionpay", "outbound", "temple_bank", LATER)
    ran = _run(tmp_path, engine, *both, late)
    assert ran.ended("outbound") == (3_100_000, "NOT_PAYABLE", "AG03")
    assert ran.ended("outbound.1")[1:] == ("COMPLETED", "NONE")
    # Marked as hypothetical it takes part, and `explain` says of what it does.
    marked = _joined("unionpay", "outbound", "temple_bank", LATER, ", hypothetical: true")
    assert _run(tmp_path, engine, *both, marked).ended("outbound")[1:] == ("COMPLETED", "NONE")


def test_an_agent_that_joins_tomorrow_carries_nothing(tmp_path: Path, engine: str) -> None:
    two = (
        "demand.outbound=null",
        TWO_CODES % 1,
        "institutions.temple_bank.roles=[issuer, acquirer, settlement_agent]",
        # The cheaper of the two, had it joined.
        "rails.alipay_plus.settlement_agents.temple_bank={spread: 0 %}",
    )
    ran = _run(tmp_path, engine, *two)
    assert [row[4] for row in ran.rows(LogKind.ROUTE)] == ["cn_kh/alipay_plus.temple_bank"]
    # It is also the payee's bank; a bank of its own shows that the agent alone is looked at.
    own = ("institutions.hill_bank={country: KH, roles: [settlement_agent]}",)
    agent = "rails.alipay_plus.settlement_agents.hill_bank={spread: 0 %}"
    late = _joined("alipay_plus", "inbound", "hill_bank", LATER)
    ran = _run(tmp_path, engine, "demand.outbound=null", TWO_CODES % 1, *own, agent, late)
    assert [row[4] for row in ran.rows(LogKind.ROUTE)] == ["cn_kh/alipay_plus.river_bank"]


def test_a_wallet_that_joins_tomorrow_pays_nothing(tmp_path: Path, engine: str) -> None:
    hong_kong = (
        "demand.outbound=null",
        "fx.mid={USD/HKD: {rate: 7.8}}",
        "institutions.alipay_hk={country: HK, roles: [issuer], decline: 0 %}",
        "rails.alipay_plus.wallets={HKD: {wallet: alipay_hk}}",
        "corridors.hk_kh={from: {country: HK, currency: HKD}, to: {country: KH, currency: KHR}, "
        "codes: khqr}",
        "demand.hong_kong={corridor: hk_kh, payments: [{at: 1 s, amount: 41 300, merchant: 1}]}",
    )
    assert _run(tmp_path, engine, *hong_kong).ended("hong_kong")[1:] == ("COMPLETED", "NONE")
    late = _joined("alipay_plus", "inbound", "alipay_hk", LATER)
    with pytest.raises(ScenarioError, match="no route from HK HKD"):
        _run(tmp_path, engine, *hong_kong, late)


def test_drawn_payers_and_payees_are_told_apart(tmp_path: Path, engine: str) -> None:
    # Two banks on either side, of which one each joins tomorrow: a payment has a route where both
    # of its banks take part, whoever is drawn, and no other one has.
    text = FAST.replace("  siam_bank:", "  late_bank: {country: TH, roles: [issuer, acquirer], "
                        "merchant_share: 1, decline: 0 %}\n  siam_bank:")  # fmt: skip
    changes = (
        "demand.back=null",
        "corridors.th_kh=null",
        "corridors.kh_th.codes=null",
        "corridors.kh_th.foreign_codes=null",
        "institutions.river_bank.payer_share=1",
        "demand.out={payments: null, corridor: kh_th, fixed_side: debtor, rate: 30 /min, "
        "amount: 12 625 KHR}",
        "rails.promptpay.outbound.joined={late_bank: {live_from: 2025-12-01}, "
        "temple_bank: {live_from: 2025-12-01}}",
    )
    ran = run(load_text(tmp_path, text, changes), engine)
    names = ran.plan.names.agents
    seen = set()
    for row in ran.records.tolist():
        debtor, creditor = (
            names[row[RecordColumn[f"{end}_AGENT"]]] for end in ("DEBTOR", "CREDITOR")
        )
        takes_part = debtor != "temple_bank" and creditor != "late_bank"
        assert (row[RecordColumn.ROUTE] >= 0) is takes_part, (debtor, creditor)
        seen.add((debtor, creditor))
    assert len(seen) == 4


def test_merchants_of_a_bank_without_codes_are_in_no_sample(tmp_path: Path) -> None:
    made = ("rails.khqr.payloads=null", "rails.khqr.merchants=40", "demand.inbound.payments=null",
            "demand.inbound.rate=1 /min", "demand.inbound.amount=40 000 KHR",
            "demand.outbound=null", "institutions.river_bank.merchant_share=1",
            "institutions.temple_bank.merchant_share=1")  # fmt: skip

    def banks(*changes: str) -> set[str]:
        loaded = load_text(tmp_path, TEXT, (*ALONE, *made, *changes))
        return {one.agent for one in compile_scenario(loaded).merchants if one.agent}

    assert banks() == {"river_bank", "temple_bank"}
    joined = "rails.khqr.joined={temple_bank: {live_from: %s%s}}"
    assert banks(joined % (TODAY, "")) == {"river_bank", "temple_bank"}
    assert banks(joined % (LATER, "")) == {"river_bank"}
    assert banks(joined % (LATER, ", hypothetical: true")) == {"river_bank", "temple_bank"}


def test_explain_says_who_joined_when(tmp_path: Path) -> None:
    def told(more: str) -> str:
        change = _joined("unionpay", "outbound", "temple_bank", LATER, more)
        compiled = compile_scenario(load_text(tmp_path, TEXT, (change,)))
        return " ".join(explain_plan(compiled).split())

    ahead = told("")
    assert "outbound live from 2025-03-10; outbound at temple_bank live from 2025-09-18" in ahead
    assert "rails.unionpay.outbound.joined.temple_bank takes part from 2025-09-18 on" in ahead
    assert "Hypothetical links ------------------ none" in ahead
    marked = told(", hypothetical: true")
    assert "unionpay outbound at temple_bank (live from 2025-09-18)" in marked
    assert "takes part from" not in marked


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_joined("unionpay", "outbound", "temple", LATER), "unknown institution 'temple'"),
        (_joined("unionpay", "outbound", "temple_bank", "2025-03-09"), "before the link itself"),
        ("rails.khqr.joined={temple_bank: {live_from: 2025-01-01}}", "found beside 'payloads'"),
    ],
    ids=["unknown", "before", "codes"],
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_text(tmp_path, TEXT, (change,))

"""Payers carry instruments: routes are found for each, and a failure lets some of them change.

Instants are those of the minimal scenario (see ``test_cases_by_hand``): an inbound payment of 1 s
is scanned by 1.1 s; a wallet's risk check takes 0.2 s.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.meaning import Instead, LogKind, Outcome
from sim.contract.records import RecordColumn, WorkloadColumn
from sim.errors import ScenarioError
from tests.theory.driver import Ran, load_text, run

TWO_WALLETS = """
scenario: two-wallets
extends: MINIMAL
clock: {start: 2025-09-17T12:00:00+07:00, horizon: HORIZON}
rails:
  unionpay:
    inbound: {live_from: 2023-12-22, settlement_currency: USD, spread: 0.6 %}
    needs_unionpay_tag: TAG
institutions: {alipay_wallet: {decline: DECLINE}}
demand:
  outbound: null
  domestic: null
  inbound:
    instruments: {alipay_wallet: ALIPAY, unionpay_wallet: UNIONPAY}
    AFTER
"""
CHANGE = """second_instrument: {alipay_wallet: {unionpay_wallet: 100 %}}
    after_failure: {change: 100 %, change_time: 15 s, cash: 100 %}"""
CASH = "after_failure: {cash: SHARE}"


def _text(**words: str) -> str:
    given = {"HORIZON": "2 min", "TAG": "false", "DECLINE": "0 %", "AFTER": "", **words}
    text = TWO_WALLETS
    for name, word in given.items():
        text = text.replace(name, word)
    return text


def _alipay(folder: Path, engine: str, **words: str) -> Ran:
    return run(load_text(folder, _text(ALIPAY="100 %", UNIONPAY="0 %", **words)), engine)


def _unionpay(folder: Path, engine: str, **words: str) -> Ran:
    return run(load_text(folder, _text(ALIPAY="0 %", UNIONPAY="100 %", **words)), engine)


def _instrument(ran: Ran) -> str:
    return ran.plan.names.instruments[(ran.record("inbound")["instrument"] or 0) - 1]


def test_routes_are_found_within_the_instrument(tmp_path: Path, engine: str) -> None:
    # UnionPay asks 0.6 % and Alipay+ 1 %: by price alone nobody would pay with Alipay.
    for ran, name in (
        (_alipay(tmp_path, engine), "alipay_plus"),
        (_unionpay(tmp_path, engine), "unionpay"),
    ):
        [route] = ran.rows(LogKind.ROUTE)
        assert name in route[4]
        assert ran.ended("inbound")[1] == "COMPLETED"
        assert _instrument(ran).startswith(name[:6])


def test_a_code_the_instrument_cannot_pay_is_not_payable(tmp_path: Path, engine: str) -> None:
    ran = _unionpay(tmp_path, engine, TAG="true")
    # Read at 1.1 s, and there is nothing to choose from: nothing was asked or refused.
    assert ran.ended("inbound") == (1_100_000, "NOT_PAYABLE", "AG03")
    record = ran.record("inbound")
    assert (record["attempts"], record["route"], record["instead"]) == (0, -1, None)


@pytest.mark.parametrize(("share", "instead"), [("100 %", Instead.CASH), ("0 %", Instead.GAVE_UP)])
def test_who_has_no_second_instrument_pays_cash_or_gives_up(
    tmp_path: Path, engine: str, share: str, instead: Instead
) -> None:
    ran = _unionpay(tmp_path, engine, TAG="true", AFTER=CASH.replace("SHARE", share))
    assert ran.ended("inbound") == (1_100_000, "NOT_PAYABLE", "AG03")
    assert ran.record("inbound")["instead"] == instead
    assert ran.rows(LogKind.SWITCH) == []


def test_a_refused_payer_changes_the_app_and_pays(tmp_path: Path, engine: str) -> None:
    ran = _alipay(tmp_path, engine, DECLINE="100 %", AFTER=CHANGE)
    # Refused by Alipay at 1.3 s, changed by 16.3 s, on UnionPay's route then.
    assert [(row[0], row[1]) for row in ran.rows(LogKind.FAIL, LogKind.SWITCH, LogKind.ROUTE)] == [
        (1_100_000, "ROUTE"),
        (1_300_000, "FAIL"),
        (1_300_000, "SWITCH"),
        (16_300_000, "ROUTE"),
    ]
    assert ran.ended("inbound")[1:] == ("COMPLETED", "NONE")
    assert _instrument(ran) == "unionpay_wallet"
    record = ran.record("inbound")
    assert record["attempts"] == 2
    # 0.1 of the scan and 0.2 of Alipay's check were in vain; the 15 s of the change are a person's.
    assert ran.times("inbound")["retry"] == 300_000
    assert ran.times("inbound")["human"] == 15_000_000 + 3_000_000


def test_a_payer_changes_once(tmp_path: Path, engine: str) -> None:
    ran = _alipay(tmp_path, engine, DECLINE="100 %", TAG="true", AFTER=CHANGE)
    # UnionPay cannot read this code either: cash, and the second failure is what is told.
    assert ran.ended("inbound") == (16_300_000, "NOT_PAYABLE", "AG03")
    assert ran.record("inbound")["instead"] == Instead.CASH
    assert len(ran.rows(LogKind.SWITCH)) == 1


def test_a_dollar_account_pays_abroad_and_not_at_a_riel_code(tmp_path: Path, engine: str) -> None:
    text = """
scenario: dollars
extends: MINIMAL
rails: {bakong: {currencies: [KHR, USD], opening_balance: {KHR: 1 000 000, USD: 1 000}}}
demand:
  inbound: null
  outbound: {instruments: {USD: 100 %}}
  domestic: {instruments: {KHR: 0 %, USD: 100 %}}
"""
    ran = run(load_text(tmp_path, text), engine)
    # 50 yuan at 7.1875 are 6.9566 dollars, at 0.8 % more 7.0122, half up in whole cents 7.01.
    assert ran.ended("outbound")[1:] == ("COMPLETED", "NONE")
    assert ran.record("outbound")["debited"] == 701
    # Bakong converts nothing: read at 2.2 s, no route.
    assert ran.ended("domestic") == (2_200_000, "NOT_PAYABLE", "AG03")


def test_shares_of_instruments_are_drawn(tmp_path: Path) -> None:
    text = _text(
        ALIPAY="70 %", UNIONPAY="30 %", HORIZON="400 s",
        AFTER="second_instrument: {alipay_wallet: {unionpay_wallet: 40 %}}\n    after_failure: {}\n"
        "    payments: null\n    rate: 10 /s\n    amount: 10 000 KHR",
    )  # fmt: skip
    compiled = compile_scenario(load_text(tmp_path, text))
    rows = np.concatenate(list(compiled.workload()))
    assert compiled.plan.names.instruments == ("alipay_wallet", "unionpay_wallet")
    alipay = rows[:, WorkloadColumn.INSTRUMENT] == 1
    count = len(rows)
    assert abs(alipay.mean() - 0.7) < 4 * (0.7 * 0.3 / count) ** 0.5
    both = rows[alipay, WorkloadColumn.INSTRUMENT_2]
    assert set(both.tolist()) == {0, 2}
    assert abs((both == 2).mean() - 0.4) < 4 * (0.4 * 0.6 / alipay.sum()) ** 0.5
    assert (rows[~alipay, WorkloadColumn.INSTRUMENT_2] == 0).all()
    # Each instrument has routes of its own.
    sets = {rows[alipay, WorkloadColumn.ROUTE_SET][0], rows[~alipay, WorkloadColumn.ROUTE_SET][0]}
    assert len(sets) == 2


def test_engines_agree_on_payers_who_change(tmp_path: Path, engine: str) -> None:
    text = _text(
        ALIPAY="70 %", UNIONPAY="30 %", HORIZON="60 s", DECLINE="50 %",
        AFTER="second_instrument: {alipay_wallet: {unionpay_wallet: 60 %}}\n"
        "    after_failure: {}\n    payments: null\n    rate: 1 /s\n    amount: 100 KHR",
    )  # fmt: skip
    ran = run(load_text(tmp_path, text), engine)
    outcomes = ran.records[:, RecordColumn.OUTCOME]
    assert (outcomes == Outcome.COMPLETED).sum() > 10
    assert (outcomes == Outcome.REJECTED).sum() > 5
    insteads = ran.records[outcomes == Outcome.REJECTED, RecordColumn.INSTEAD]
    assert set(insteads.tolist()) <= {Instead.CASH, Instead.GAVE_UP}
    assert len(ran.rows(LogKind.SWITCH)) > 3


@pytest.mark.parametrize(
    ("inbound", "message"),
    [
        ("instruments: {alipay_wallet: 50 %}", "found shares adding up to 50 %; allowed: 100 %"),
        ("instruments: {cash: 100 %}", "unknown instrument 'cash'"),
        (
            "{instruments: {alipay_wallet: 100 %}, "
            "second_instrument: {alipay_wallet: {alipay_wallet: 1 %}}}",
            "found the first again",
        ),
        (
            "{instruments: {CNY: 50 %, alipay_wallet: 50 %}, "
            "second_instrument: {CNY: {alipay_wallet: 1 %}}}",
            "found second instruments nobody takes; needed: after_failure",
        ),
    ],
)  # fmt: skip
def test_instruments_that_do_not_fit_are_refused(
    tmp_path: Path, inbound: str, message: str
) -> None:
    entry = inbound if inbound.startswith("{") else f"{{{inbound}}}"
    text = f"scenario: bad\nextends: MINIMAL\ndemand: {{inbound: {entry}}}\n"
    with pytest.raises(ScenarioError) as caught:
        load_text(tmp_path, text)
    assert message in str(caught.value)

"""Persons who pay persons: the payee's bank is asked for the name first; worked out by hand.

Maybank's customers send ringgit to wallets in dollars, 2,500 USD a payer and day at most, as
Maybank and Bakong let them from August 2021 (calibration: corridors.MY_maybank_remit_inbound). The
limit is written in dollars, as it is published, and acts in the payer's currency: 10,500 MYR at
4.20 for a dollar, without a margin.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn, RecordColumn
from sim.errors import ScenarioError
from tests.theory.driver import SECOND, Ran, load_text, run
from tests.unit.rails.test_fast_payment import FAST

MAYBANK = """
scenario: maybank
clock: {start: 2021-08-17T12:00:00+07:00, horizon: 5 min}
fx: {mid: {USD/MYR: {rate: 4.2}}}
institutions:
  maybank: {country: MY, roles: [issuer, acquirer, fx_provider], payer_share: 1, decline: 0 %}
  wallet: {country: KH, roles: [issuer, acquirer], merchant_share: 1, decline: 0 %}
rails:
  remittance:
    kind: generic
    operator: maybank
    stages:
      - {name: limit, limit: {per_payment: 2 500, per_day: 2 500, currency: USD}}
      - {name: send, delay: 2 s}
corridors:
  my_kh: {from: {country: MY, currency: MYR}, to: {country: KH, currency: USD}}
demand:
  people:
    corridor: my_kh
    fixed_side: debtor
    name_check: CHECK
    payments: PAYMENTS
"""


def _run(folder: Path, engine: str, check: str, payments: str) -> Ran:
    text = MAYBANK.replace("CHECK", check).replace("PAYMENTS", payments)
    return run(load_text(folder, text), engine)


THREE = """
      - {at: 1 s, amount: 8 400, payer: 0}
      - {at: 60 s, amount: 2 100, payer: 0}
      - {at: 120 s, amount: 4.20, payer: 0}"""
SURE = "{time: 0.5 s, mismatch: 0 %, reads: 4 s, refuses: 0 %}"


def test_three_persons_are_paid_up_to_the_limit_of_the_day(tmp_path: Path, engine: str) -> None:
    # Asked for 0.5 s, read for 4 s, sent for 2 s: 1 + 6.5 = 7.5 and 66.5 s. 8,400 and 2,100 MYR are
    # the 10,500 of the day and come to 2,000 and 500 USD; a dollar more is refused (AM14) once the
    # name was read, at 124.5 s.
    ran = _run(tmp_path, engine, SURE, THREE)
    assert ran.ended("people") == (7_500_000, "COMPLETED", "NONE")
    assert ran.ended("people.1") == (66_500_000, "COMPLETED", "NONE")
    assert ran.ended("people.2") == (124_500_000, "REJECTED", "AM14")
    credited = [int(ran.cells(one)[RecordColumn.CREDITED]) for one in ("people", "people.1")]
    assert credited == [2_000_00, 500_00]
    asked = [row for row in ran.log.tolist() if row[LogColumn.KIND] == LogKind.START]
    names = {ran.plan.names.stations[row[LogColumn.SUBJECT]] for row in asked}
    assert names == {"wallet.names"}
    channel = ran.plan.names.channels
    assert channel == ("remittance",)


def test_a_name_that_is_another_ends_the_payment(tmp_path: Path, engine: str) -> None:
    # Every name is another: the bank says so at 1.5 s, before anything is read or priced.
    ran = _run(
        tmp_path, engine, SURE.replace("mismatch: 0 %", "mismatch: 100 %"),
        "[{at: 1 s, amount: 4 200}]",
    )  # fmt: skip
    assert ran.ended("people") == (1_500_000, "REJECTED", "BE01")
    assert ran.rows(LogKind.QUOTE, LogKind.RESERVE) == []


def test_a_payer_who_knows_nobody_of_that_name_does_not_pay(tmp_path: Path, engine: str) -> None:
    ran = _run(
        tmp_path, engine, SURE.replace("refuses: 0 %", "refuses: 100 %"),
        "[{at: 1 s, amount: 4 200}]",
    )  # fmt: skip
    assert ran.ended("people") == (5_500_000, "REJECTED", "NOAS")


def test_questions_wait_where_the_payees_bank_answers_one_at_a_time(
    tmp_path: Path, engine: str
) -> None:
    # Both ask at 1 s: the second is answered at 2 s, and is credited at 2 + 4 + 2 = 8 s.
    check = SURE.replace("{time", "{servers: 1, time")
    ran = _run(tmp_path, engine, check, "[{at: 1 s, amount: 42}, {at: 1 s, amount: 42, payer: 0}]")
    assert ran.ended("people")[0] == 7_500_000
    assert ran.ended("people.1")[0] == 8 * SECOND


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("fixed_side: debtor", "fixed_side: creditor"), "debtor, who fixes it"),
        (("merchant_share: 1, ", ""), "found nobody in KH to ask"),
        (("fixed_side: debtor", "fixed_side: debtor\n    channel: counter"), "found counter"),
        (("fixed_side: debtor", "fixed_side: debtor\n    channel: online"), "found online"),
        (("fixed_side: debtor", "fixed_side: debtor\n    as: load"), "checks of names"),
    ],
    ids=["side", "nobody", "counter", "online", "load"],
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = MAYBANK.replace("CHECK", SURE).replace("PAYMENTS", "[{at: 1 s, amount: 42}]")
    assert change[0] in text
    with pytest.raises(ScenarioError, match=message):
        run(load_text(tmp_path, text.replace(*change)), "reference")


def _promptpay(folder: Path, engine: str, *changes: str) -> Ran:
    """Run a person's payment to one in Thailand: no code is scanned, the payer fixes the amount."""
    person = f"{{corridor: kh_th, fixed_side: debtor, name_check: {SURE}, payments: [{{at: 0 s, "
    person += "amount: 12 625}]}"
    asked = ("demand.back=null", f"demand.out={person}", "corridors.th_kh=null")
    without = ("corridors.kh_th.codes=null", "corridors.kh_th.foreign_codes=null")
    return run(load_text(folder, FAST, (*asked, *without, *changes)), engine)


def _asked(ran: Ran) -> list[str]:
    """Return the stations of Siam Bank at which a payment was served, in order."""
    names = ran.plan.names.stations
    begun = [row for row in ran.log.tolist() if row[LogColumn.KIND] == LogKind.START]
    visited = [names[row[LogColumn.SUBJECT]] for row in begun]
    return [name for name in visited if name.startswith("siam_bank")]


def test_a_person_is_paid_over_promptpay(tmp_path: Path, engine: str) -> None:
    # Core 0.2; the link's look-up is the question for the name: 0.5 there, 0.5 at the payee's bank,
    # 0.5 back: 1.7; read 5.7; sent 6.2, the payee's core 0.2: credited 6.4; the answer 0.5: told
    # 6.9. 12,625 riel are 12,500 and 1 %, and at 125 riel a baht 100 baht.
    ran = _promptpay(tmp_path, engine)
    assert ran.record("out")["credited_us"] == 6_400_000
    assert ran.ended("out") == (6_900_000, "COMPLETED", "NONE")
    assert ran.record("out")["credited"] == 100_00
    # Asked once for the name, and once to credit.
    assert _asked(ran) == ["siam_bank.names", "siam_bank.core"]


def test_another_name_comes_back_over_the_link(tmp_path: Path, engine: str) -> None:
    other = SURE.replace("mismatch: 0 %", "mismatch: 100 %")
    ran = _promptpay(tmp_path, engine, f"demand.out.name_check={other}")
    assert ran.ended("out") == (1_700_000, "REJECTED", "BE01")
    refused = SURE.replace("refuses: 0 %", "refuses: 100 %")
    ran = _promptpay(tmp_path, engine, f"demand.out.name_check={refused}")
    assert ran.ended("out") == (5_700_000, "REJECTED", "NOAS")


def test_a_link_that_is_down_gives_no_name(tmp_path: Path, engine: str) -> None:
    # Asked at 0.2, lost at the link, given up after ten seconds: nobody was asked for a name.
    down = "disruptions={down: {outage: promptpay, after: 0 s, for: 60 s}}"
    ran = _promptpay(tmp_path, engine, down)
    assert ran.ended("out") == (10_200_000, "REJECTED", "AB05")
    assert _asked(ran) == []


def test_streams_of_one_corridor_may_ask_otherwise_or_not_at_all(
    tmp_path: Path, engine: str
) -> None:
    # Beside those who read for 4 s one who reads for 1 s, and one who asks for no name: his bank
    # asks all the same whether the account is there, 0.2 s of its core system.
    quick = SURE.replace("reads: 4 s", "reads: 1 s")
    more = "{corridor: kh_th, fixed_side: debtor, %s payments: [{at: %s, amount: 12 625}]}"
    ran = _promptpay(
        tmp_path,
        engine,
        f"demand.quick={more % (f'name_check: {quick},', '20 s')}",
        f"demand.sure={more % ('', '40 s')}",
    )
    assert ran.ended("out")[0] == 6_900_000
    assert ran.ended("quick")[0] == 23_900_000
    # Core 0.2, asked 1.2, sent 0.5, core 0.2, answer 0.5.
    assert ran.ended("sure")[0] == 42_600_000
    assert {route for route in ran.plan.names.routes if "kh_th" in route} == {
        "kh_th/promptpay (debtor fixed, names as by out)",
        "kh_th/promptpay (debtor fixed, names as by quick)",
        "kh_th/promptpay (debtor fixed)",
    }

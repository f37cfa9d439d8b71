"""Card payments worked out by hand, in both engines: authorised, cleared, billed.

A core system takes 0.2 s, a hop to the scheme 0.3 s, the authorisation 0.5 s, the payer 5 s.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from sim.audit.run import audit_log
from sim.compiler.compile import compile_scenario
from sim.contract.agenda import FileTotal
from sim.contract.layout import LimitColumn
from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from tests.theory.driver import Ran, load_text, run

CARD = """
scenario: card
extends: MINIMAL
clock: {start: 2025-09-15T12:00:00+07:00, horizon: 96 h}
institutions:
  visa: {country: SG, roles: [operator, fx_provider], name: Scheme}
  dragon_bank:
    country: CN
    roles: [acquirer]
    merchant_share: 1
    core: {servers: 2, service_time: 0.2 s}
rails:
  khqr: {scan_time: 0 s, confirmation_time: 5 s, notification_time: 0 s}
  # Not used here, and slow on purpose: four days of idle rounds say nothing.
  bakong: {round_interval: 6 h, idle_interval: 6 h}
  visa_card:
    kind: card
    operator: visa
    live_from: 2024-01-01
    issuers: {temple_bank: {billing: USD}}
    currencies: [CNY, USD]
    fees: {abroad: {component: abroad, recipient: temple_bank, proportional: 2 %}}
    authorisation_time: 0.5 s
    hop_time: 0.3 s
    technical_decline: 0 %
corridors:
  card_cn:
    from: {country: KH, currency: CNY}
    to: {country: CN, currency: CNY}
    rails: [visa_card]
demand:
  inbound: null
  outbound: null
  domestic: null
  abroad: {corridor: card_cn, payments: [{at: 0 s, amount: 719.60}]}
"""
WALLET = """
  wallet_card:
    kind: card
    operator: visa
    live_from: 2023-07-01
    issuers: {temple_bank: {billing: USD}}
    currencies: [CNY]
    schemes: [alipay]
    acquirer: alipay_wallet
    fees:
      wallet:
        component: wallet
        recipient: alipay_operator
        surcharge: {above: 200 CNY, proportional: 3 %}
    technical_decline: 0 %
"""


def _run(folder: Path, engine: str, *changes: str, text: str = CARD) -> Ran:
    return run(load_text(folder, text, changes), engine)


def test_authorised_now_and_billed_two_bank_days_later(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "fx.mid.USD/CNY.daily_volatility=0.5 %")
    # Core 0.2; to the scheme 0.3, authorised 0.5, back 0.3: 1.3; the merchant's bank 0.2: 1.5. No
    # code is scanned, so nobody confirms.
    assert ran.record("abroad")["credited_us"] == 1_500_000
    assert ran.ended("abroad") == (1_500_000, "COMPLETED", "NONE")
    record = ran.record("abroad")
    # 719.60 yuan and 2 % of it: 14.392, cut to 14.39.
    assert (record["debited"], record["credited"], record["payer_fee"]) == (71_960, 71_960, 1_439)
    # Monday's file is closed at midnight and paid on Wednesday at 10:00, 46 h after Monday noon;
    # its rate is that of 9:00, 45 h after it.
    hour = 3_600_000_000
    sold = [row for row in ran.log.tolist() if row[LogColumn.KIND] == LogKind.FILE_CONVERTED]
    sold = [row for row in sold if row[LogColumn.AMOUNT]]
    assert [row[LogColumn.TIME_US] for row in sold] == [45 * hour]
    (row,) = sold
    assert row[LogColumn.AMOUNT] == 71_960
    # At that day's rate, which moves every minute: 45 h are 2 700 steps.
    at = ran.plan.names.pairs.index("USD/CNY")
    rate = Fraction(int(ran.plan.rate[at, 2_700]), int(ran.plan.pair_scale[at]))
    assert row[LogColumn.VALUE] == int(71_960 / rate)
    assert ran.plan.rate[at, 2_700] != ran.plan.rate[at, 0]
    paid = [int(one) for one in ran.totals.file[:, FileTotal.PAID] if one > 0]
    assert paid == [row[LogColumn.VALUE]]
    assert ran.balances()["book:temple_bank:USD"] == row[LogColumn.VALUE]


def test_at_a_constant_rate_the_bill_is_known(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "fx.mid.USD/CNY.rate=7.196")
    # 719.60 / 7.196 = 100.00 dollars; the fee is yuan of the issuer.
    balances = ran.balances()
    assert balances["book:temple_bank:USD"] == 10_000
    assert balances["fees:temple_bank:CNY"] == 1_439
    assert balances["customers:dragon_bank:CNY"] == 71_960


@pytest.mark.parametrize(
    ("amount", "ended", "fee"),
    [
        # Free up to 200 yuan; 3 % of the whole above: 6.0003, cut to 6.00.
        ("200.00", "COMPLETED", 0),
        ("200.01", "COMPLETED", 600),
    ],
)
def test_a_card_in_a_foreign_wallet(
    tmp_path: Path, engine: str, amount: str, ended: str, fee: int
) -> None:
    text = CARD.replace("corridors:\n", WALLET.strip("\n") + "\ncorridors:\n")
    text = text.replace("rails: [visa_card]", "rails: [wallet_card]\n    codes: khqr\n    CODES")
    text = text.replace("CODES", "foreign_codes: {merchants: 1, schemes: {alipay: 100 %}}")
    text = text.replace("719.60", amount)
    ran = _run(tmp_path, engine, text=text)
    assert ran.ended("abroad")[1] == ended
    assert ran.record("abroad")["payer_fee"] == fee
    assert ran.balances().get("fees:alipay_operator:CNY", 0) == fee


def test_limits_of_a_payment_and_of_a_year(tmp_path: Path, engine: str) -> None:
    text = CARD.replace("currency: CNY}", "currency: USD}").replace("TO", "")
    pays = ", ".join(f"{{at: {12 * n} h, amount: 5 000}}" for n in range(12))
    changes = (
        "rails.visa_card.limits={USD: {per_payment: 5 000, per_year: 50 000}}",
        "clock.start=2025-12-27T12:00:00+07:00",
        "clock.horizon=144 h",
        f"demand.abroad.payments=[{{at: 0 s, amount: 5 000.01}}, {pays}]",
    )
    ran = _run(tmp_path, engine, *changes, text=text)
    ends = [ran.ended("abroad" if n == 0 else f"abroad.{n}")[1:] for n in range(13)]
    # 5 000.01 is too much at once; the tenth 5 000 fills the year, from noon of 27 December every
    # half day: to midnight of 1 January, which is the eleventh's. A new year begins with it.
    assert ends[0] == ("REJECTED", "AM02")
    assert [end[0] for end in ends[1:]] == ["COMPLETED"] * 12
    # The audit counts the same year: in one without an end the eleventh would be too much.
    limits = ran.plan.limit.copy()
    limits[:, LimitColumn.DAYS] = 10**6
    endless = replace(ran.plan, limit=limits)
    assert not audit_log(endless, [ran.log], [ran.records], ran.totals).ok
    # Five days earlier all twelve lie in the old year.
    changes = ("clock.start=2025-12-20T12:00:00+07:00", *changes[:1], *changes[2:])
    ran = _run(tmp_path, engine, *changes, text=text)
    ends = [ran.ended("abroad" if n == 0 else f"abroad.{n}")[1:] for n in range(13)]
    assert [end[0] for end in ends[1:11]] == ["COMPLETED"] * 10
    assert ends[11:] == [("REJECTED", "AM14")] * 2


def test_an_authorisation_that_takes_too_long_is_reversed(tmp_path: Path, engine: str) -> None:
    slow = "rails.visa_card.authorisation_time=40 s"
    ran = _run(tmp_path, engine, slow)
    # Asked from 0.2; given up 30 s later, in doubt; the answer at 0.5 + 40 and a hop of 0.3; the
    # reversal 1 s.
    assert [row[0] for row in ran.rows(LogKind.IN_DOUBT)] == [30_200_000]
    assert ran.ended("abroad") == (41_800_000, "REJECTED", "AB06")
    assert "book:temple_bank:USD" not in ran.balances()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("institutions.river_bank.payer_share=1", "no issuer 'river_bank'"),
        ("rails.visa_card.issuers.visa={billing: USD}", "holds no customers' money"),
        ("rails.visa_card.limits={KHR: {per_payment: 100}}", "found KHR"),
        ("rails.visa_card.live_from=2026-01-01", "hypothetical"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        compile_scenario(load_text(tmp_path, CARD, (change,)))


def test_explain_names_the_limit_of_the_year(tmp_path: Path) -> None:
    limit = "rails.visa_card.limits={CNY: {per_payment: 5 000, per_year: 50 000}}"
    text = explain_plan(compile_scenario(load_text(tmp_path, CARD, (limit,))))
    assert "per payer and year (AM14)" in " ".join(text.split())

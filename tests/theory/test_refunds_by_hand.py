"""Refunds of payments followed by hand: parts, rates, files, the pool of a day; in both engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.contract.meaning import LogKind, Reason
from sim.contract.plan import Array
from sim.contract.records import LogColumn as L
from sim.contract.refunds import RefundTotal
from sim.errors import ScenarioError
from sim.units import DAY_US, HOUR_US, MINUTE_US
from tests.support.scenarios import RanScenario, run_text

BASE = """
scenario: refunds
extends: minimal.yaml
clock: {start: START, horizon: HORIZON}
routing: {view_interval: 1 d}
demand:
  domestic: null
  outbound: null
  inbound:
    REFUNDS
    payments: PAYMENTS
"""


def _text(**words: str) -> str:
    text = BASE
    for word, value in {
        "START": "2025-09-17T12:00:00+07:00", "HORIZON": "4 h", "REFUNDS": "payers: 1", **words,
    }.items():  # fmt: skip
        text = text.replace(word, value)
    return text


PARTS = """[{at: 1 s, amount: 41 300, merchant: 1, refunds: {
    first: {after: 1 h, amount: 10 000}, rest: {after: 2 h, amount: 31 300},
    more: {after: 3 h, amount: 1}}}]"""


def _parts(folder: Path, **words: str) -> RanScenario:
    return run_text(folder, _text(PAYMENTS=PARTS, **words))


def test_a_payment_comes_back_in_two_parts_whole_to_the_minor_unit(tmp_path: Path) -> None:
    # 41 300.00 riel were 10.33 dollars (41,300 / 4,000 = 10.325, half up), 74.21 yuan at mid rate
    # (10.325 * 7.1875 = 74.2109) and 74.95 with 1 %: MID 74.21, SPREAD 0.74. The first part is
    # 10,000 / 41,300 of each, rounded down: 2.50 dollars (2.5012), 17.96 (17.969) and 0.17 yuan
    # (0.179); the second is the rest: 7.83, 56.25, 0.57. The third asks for more than is left.
    ran = _parts(tmp_path)
    end_us = 6_300_000
    assert ran.told(LogKind.REFUND_DUE) == [
        (end_us, 0, 1, 10_000_00, HOUR_US), (end_us + HOUR_US, 0, 2, 31_300_00, HOUR_US),
        (end_us + 2 * HOUR_US, 0, 3, 1_00, HOUR_US),
    ]  # fmt: skip
    assert ran.told(LogKind.REFUND) == [
        (end_us + HOUR_US, 0, 1, 10_000_00, 0), (end_us + 2 * HOUR_US, 0, 2, 31_300_00, 0),
        (end_us + 3 * HOUR_US, 0, 3, 0, Reason.AM02),
    ]  # fmt: skip
    payee, fx = "customers:temple_bank:KHR", "alipay_operator"
    back = [(credit, amount) for _, amount, credit in ran.moved(0)]
    riel = "river_khr_for_alipay"
    assert [amount for credit, amount in back if credit == riel] == [10_000_00, 31_300_00]
    yuan = [amount for credit, amount in back if credit == "customers:alipay_wallet:CNY"]
    assert yuan == [17, 17_96, 57, 56_25]
    assert sum(yuan) == 74_95
    dollars = [
        (debit, amount) for debit, amount, credit in ran.moved(0) if credit == f"fx:{fx}:USD"
    ]
    assert dollars == [("clearing:alipay_plus:river_bank:USD", cents) for cents in (2_50, 7_83)]
    assert [amount for debit, amount, _ in ran.moved(0) if debit == payee] == [10_000_00, 31_300_00]
    # Two parts paid, one refused, of one payment, 41 300 riel in all. Fees are kept.
    assert ran.totals.refund.tolist() == [[2, 1, 1, 41_300_00]]
    names = ran.compiled.plan.names.accounts
    fees = ran.totals.end_posted[[names.index(one) for one in names if one.startswith("fees:")]]
    assert sorted(fees.tolist())[-2:] == [82_00, 247_00]


def test_at_the_rate_of_the_day_the_margin_is_not_given_back(tmp_path: Path) -> None:
    # 2.50 dollars of the first part cost 17.96 yuan at mid rate (17.96875, down), 7.83 of the
    # second 56.27 (56.278): 74.23 in all, 0.72 less than was paid.
    ran = _parts(tmp_path, REFUNDS="refunds: {share: 0 %, rate: current}")
    yuan = [amount for _, amount, to in ran.moved(0) if to == "customers:alipay_wallet:CNY"]
    assert yuan == [17_96, 56_27]


def test_drawn_refunds_come_back_in_equal_parts(tmp_path: Path) -> None:
    # Half of 41 300.00 is 20 650.00; thirds of it, summed up and rounded down, are 6 883.33,
    # 6 883.33 and 6 883.34, ten minutes after each other.
    rule = "refunds: {share: 100 %, of_amount: 50 %, parts: 3, after: 10 min}"
    ran = run_text(
        tmp_path, _text(REFUNDS=rule, PAYMENTS="[{at: 1 s, amount: 41 300, merchant: 1}]")
    )
    told = [(time_us, part, amount) for time_us, _, part, amount, _ in ran.told(LogKind.REFUND)]
    assert told == [
        (6_300_000 + 10 * MINUTE_US, 1, 688_333), (6_300_000 + 20 * MINUTE_US, 2, 688_333),
        (6_300_000 + 30 * MINUTE_US, 3, 688_334),
    ]  # fmt: skip


def test_nothing_comes_back_after_a_year(tmp_path: Path) -> None:
    # Parts 200 days apart: the second would come 400 days after the payment.
    rule = "refunds: {share: 100 %, parts: 2, after: 4800 h}"
    words = {"REFUNDS": rule, "HORIZON": "500 d", "PAYMENTS": "[{at: 1 s, amount: 41 300}]"}
    # Nobody pays any more, so nobody waits for the rounds of the ledger that come ever more seldom.
    slow = _text(**words).replace("view_interval: 1 d", "view_interval: 90 d")
    ran = run_text(tmp_path, slow + "rails: {bakong: {idle_interval: 90 d}}\n")
    assert [(time_us - 6_300_000) // DAY_US for time_us, *_ in ran.told(LogKind.REFUND)] == [200]
    assert len(ran.told(LogKind.REFUND_DUE)) == 1


def test_a_share_of_payments_comes_back(tmp_path: Path) -> None:
    # 400 payments, each with probability 0.2: 80 on average, standard deviation 8; within four.
    # Twice the share brings back all of the same payments and more: their draws are their own.
    payments = "[" + ", ".join(f"{{at: {n} s, amount: 100}}" for n in range(1, 401)) + "]"
    found = []
    for share in (20, 40):
        rule = f"refunds: {{share: {share} %, after: 1 min}}"
        ran = run_text(tmp_path, _text(REFUNDS=rule, PAYMENTS=payments))
        completed = sum(row[2] == 0 for row in ran.told(LogKind.OUTCOME))
        assert completed == 400
        found.append({payment for _, payment, *_ in ran.told(LogKind.REFUND)})
        assert ran.totals.refund[0, RefundTotal.PAYMENTS] == len(found[-1])
    assert 80 - 32 <= len(found[0]) <= 80 + 32
    assert found[0] < found[1]


FILES = """
rails:
  alipay_plus:
    inbound:
      fees: {interchange: null, service: null}
      settlement: {lag: 2 business days, paid_at: "10:00"}
accounts: {river_khr_for_alipay: {balance: 1 000 000}}
"""


def test_clearing_file_with_a_refund_the_day_after(tmp_path: Path) -> None:
    # At 4,000 riel a dollar Monday's payments are 100.00 + 50.00 + 25.00 dollars; interchange 0.6 %
    # is 1.05, the scheme's 0.2 % is 0.35: 173.60 on Wednesday at ten. The 25.00 are refunded on
    # Tuesday: -25.00 + 0.15 = -24.85, carried. The agent has its 100 000 riel back at once.
    payments = """[{at: 9 h, amount: 400 000}, {at: 12 h, amount: 200 000},
        {at: 20 h, amount: 100 000, refunds: {all: {after: 19 h, amount: 100 000}}}]"""
    words = {"START": "2025-09-15T00:00:00+07:00", "HORIZON": "5 d", "PAYMENTS": payments}
    ran = run_text(tmp_path, _text(**words) + FILES)
    cut = [
        (time_us // DAY_US, gross, net) for time_us, _, _, gross, net in ran.told(LogKind.FILE_CUT)
    ]
    assert cut[:3] == [(1, 175_00, 173_60), (2, -25_00, -24_85), (3, 0, 0)]
    ten = 10 * HOUR_US
    paid = [(at, amount, carried) for at, _, _, amount, carried in ran.told(LogKind.FILE_SETTLED)]
    # Files of the two days before the start come first, empty.
    assert paid[-3:-1] == [(2 * DAY_US + ten, 173_60, 0), (3 * DAY_US + ten, 0, -24_85)]
    [(_, _, _, refunded, _)] = ran.told(LogKind.REFUND)
    assert refunded == 100_000_00
    assert (("refunds:clearing:alipay_plus:river_bank:USD", 25_00, "fx:alipay_operator:USD")) in (
        ran.moved(2)
    )


POOL = """
fx: {mid: {USD/CNY: {rate: 8}}}
rails:
  alipay_plus:
    inbound:
      settlement_currency: CNY
      spread: 0 %
      fees: {interchange: null, service: null}
      settlement:
        lag: 1 business day
        paid_at: "10:00"
        interchange: 0 %
        scheme_fee: 0 %
        refunds: pool
        payout_threshold: THRESHOLD
        conversion: {to: USD}
accounts: {river_khr_for_alipay: {balance: 1 000 000}}
"""
POOLED = """[{at: 9 h, amount: 60 000, refunds: {all: {after: 25 h, amount: 60 000}}},
    {at: 33 h, amount: 50 000, refunds: {most: {after: 2 h, amount: 30 000}}}]"""


@pytest.mark.parametrize(("threshold", "paid"), [("800", [0, 0]), ("20.00", [0, 20_00])])
def test_refunds_only_out_of_the_same_days_pool(
    tmp_path: Path, threshold: str, paid: list[int]
) -> None:
    # At 4,000 riel and 8 yuan a dollar a yuan is 500 riel. The pool of the first day, 120.00 yuan,
    # is closed at midnight and sold at nine for 15.00 dollars. On the second day 100.00 come at
    # 9:00; the 120.00 of the day before are refused at 10:00, 60.00 of the 100.00 come back at
    # 11:00, and 40.00 are left: closed at midnight, sold at nine for 5.00 dollars. From 800.00 on
    # they are paid out; from 20.00 on the two days together are, on the third at ten.
    words = {"START": "2025-09-15T00:00:00+07:00", "HORIZON": "4 d", "PAYMENTS": POOLED}
    ran = run_text(tmp_path, _text(**words) + POOL.replace("THRESHOLD", threshold))
    hours = [
        (round(at / HOUR_US), payment, amount, reason)
        for at, payment, _, amount, reason in ran.told(LogKind.REFUND)
    ]
    assert hours == [(34, 0, 0, Reason.AM04), (35, 1, 30_000_00, 0)]
    assert [gross for *_, gross, _ in ran.told(LogKind.FILE_CUT)][:2] == [120_00, 40_00]
    assert [(sold, bought) for *_, sold, bought in ran.told(LogKind.FILE_CONVERTED)][:2] == [
        (120_00, 15_00), (40_00, 5_00),
    ]  # fmt: skip
    settled = ran.told(LogKind.FILE_SETTLED)
    at_ten = {at // DAY_US: amount for at, _, _, amount, _ in settled}
    assert [at_ten[1], at_ten[2]] == paid
    assert settled[-1][4] == (20_00 if threshold == "800" else 0)


def test_set_off_in_files_the_same_refund_is_paid(tmp_path: Path) -> None:
    # The negative control: with files instead of the pool nothing is refused.
    words = {"START": "2025-09-15T00:00:00+07:00", "HORIZON": "4 d", "PAYMENTS": POOLED}
    text = _text(**words) + POOL.replace("refunds: pool", "refunds: files")
    ran = run_text(tmp_path, text.replace("THRESHOLD", "800"))
    assert [amount for *_, amount, _ in ran.told(LogKind.REFUND)] == [60_000_00, 30_000_00]


REFUSED = [
    ("domestic: null", "domestic: {refunds: {}}", "within a country"),
    ("payers: 1", "refunds: {parts: 51}", "at most 50"),
    ("amount: 10 000", "amount: 0", "above 0"),
    ("after: 1 h", "after: 8784 h", "within 365 days"),
]


@pytest.mark.parametrize(("old", "new", "said"), REFUSED)
def test_refunds_that_cannot_be_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        run_text(tmp_path, _text(PAYMENTS=PARTS).replace(old, new, 1))


def _change(kind: LogKind, column: L, change: int, which: int = 0) -> Callable[[Array], Array]:
    def fault(log: Array) -> Array:
        log = log.copy()
        log[np.flatnonzero(log[:, L.KIND] == kind)[which], column] += change
        return log

    return fault


def _drop(kind: LogKind, which: int = 0) -> Callable[[Array], Array]:
    return lambda log: np.delete(log, np.flatnonzero(log[:, L.KIND] == kind)[which], axis=0)


def _again(log: Array) -> Array:
    """Pay the first part twice: its rows once more, with the key of the second."""
    rows = np.flatnonzero((log[:, L.KIND] == LogKind.REFUND) | (log[:, L.KIND] == LogKind.MOVED))
    first = rows[log[rows, L.TIME_US] == log[rows[0], L.TIME_US]]
    again = log[first].copy()
    again[:, L.TIME_US] += 1
    at = first[-1] + 2
    return np.insert(log, at, again, axis=0)


def _pay_refused(log: Array) -> Array:
    """Pay the part that asks for more than is left."""
    log = log.copy()
    at = np.flatnonzero(log[:, L.KIND] == LogKind.REFUND)[2]
    log[at, [L.AMOUNT, L.VALUE]] = [1_00, 0]
    return log


FAULTS = [
    ("a part is paid twice", _again),
    ("a part asks for a riel more", _change(LogKind.REFUND_DUE, L.AMOUNT, 100)),
    ("a part is an hour early", _change(LogKind.REFUND_DUE, L.VALUE, -HOUR_US + 1)),
    ("less is paid back than was asked", _change(LogKind.REFUND, L.AMOUNT, -1)),
    ("more is paid back than was paid", _pay_refused),
    ("a part is refused with the money there", _change(LogKind.REFUND, L.VALUE, Reason.AM04)),
    ("a move is missing", _drop(LogKind.MOVED, 1)),
    ("a move is a cent short", _change(LogKind.MOVED, L.AMOUNT, -1, 3)),
    ("a move goes to another account", _change(LogKind.MOVED, L.VALUE, 1)),
    ("a part that is due never comes", _change(LogKind.OUTCOME, L.VALUE, -2)),
    ("a part is counted twice", _change(LogKind.REFUND, L.SUBJECT, 1, 1)),
]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> RanScenario:
    """Run the payment that comes back in parts."""
    return _parts(tmp_path_factory.mktemp("parts"))


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in FAULTS])
def test_faults_are_found(parts: RanScenario, fault: Callable[[Array], Array]) -> None:
    assert "refund" in parts.audit_of(fault(parts.log))

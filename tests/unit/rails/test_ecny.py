"""Digital yuan over a bridge that pays both sides or neither, worked out by hand, in both engines.

A lock takes 0.3 s, a core system 0.2 s, the payer 3 s; a yuan is 500 riel.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.meaning import LogKind
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from tests.theory.driver import Ran, load_text, run

BRIDGE = """
scenario: bridge
extends: MINIMAL
clock: {horizon: 2 min}
fx: {mid: {USD/KHR: {rate: 3500}, USD/CNY: {rate: 7}}}
institutions:
  bridge_operator: {country: CN, roles: [operator], name: Runs the bridge}
  ecny_bank:
    country: CN
    roles: [issuer, acquirer]
    core: {servers: 2, service_time: 0.2 s}
    decline: 0 %
rails:
  khqr: {scan_time: 0 s, confirmation_time: 3 s, notification_time: 0 s}
  ecny:
    kind: ecny
    operator: bridge_operator
    wallet: ecny_bank
    partner: river_bank
    issuance_account: river_ecny
    partner_account: river_khr
    inbound: {live_from: 2027-01-01, hypothetical: true, spread: 0 %}
    outbound: {live_from: 2027-01-01, hypothetical: true, spread: 0 %}
    lock_time: 0.3 s
accounts:
  river_ecny: {owner: river_bank, at: ecny, currency: CNY, balance: 10 000}
  river_khr: {owner: river_bank, at: river_bank, currency: KHR, balance: 5 000 000}
corridors:
  in:
    from: {country: CN, currency: CNY}
    to: {country: KH, currency: KHR}
    rails: [ecny]
    codes: khqr
  out: {from: {country: KH, currency: KHR}, to: {country: CN, currency: CNY}, rails: [ecny]}
demand:
  inbound: null
  outbound: null
  domestic: null
  pay_in: {corridor: in, fixed_side: debtor, payments: [{at: 0 s, amount: 100, merchant: 1}]}
  pay_out: {corridor: out, payments: [{at: 0 s, amount: 50}]}
"""
ONLY_IN = "demand.pay_out=null"
ONLY_OUT = "demand.pay_in=null"
MOVED = (LogKind.POST, LogKind.TRANSFER)


def _run(folder: Path, engine: str, *changes: str) -> Ran:
    return run(load_text(folder, BRIDGE, changes), engine)


def _exposures(ran: Ran) -> list[tuple[int, int]]:
    """Return, behind every event, what the partner was paid and what it paid, in fen."""
    found: dict[int, tuple[int, int]] = {}
    taken = given = 0
    accounts = {"river_ecny": 1, "river_khr": 500}
    for row in ran.rows(*MOVED, LogKind.OUTCOME):
        for account, worth in accounts.items():
            # Riel are worth a five hundredth of a yuan.
            given += row[5] // worth if row[4] == account and row[1] != "OUTCOME" else 0
            taken += row[5] // worth if row[6] == account and row[1] != "OUTCOME" else 0
        found[row[0]] = (taken, given)
    return list(found.values())


def test_both_are_locked_and_both_are_released(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine)
    # In: risk 0.2, confirmed 3.2, locked 3.5 and 3.8, released 4.1, the payee's core 0.2.
    assert (ran.record("pay_in")["settled_us"], ran.record("pay_in")["credited_us"]) == (
        4_100_000,
        4_300_000,
    )
    # Out nobody scans a code, so nobody confirms: 0.2, 0.5, 0.8, 1.1, and 1.3.
    assert ran.record("pay_out")["credited_us"] == 1_300_000
    # 100 yuan are 50 000 riel; 50 yuan cost 25 000.
    assert ran.record("pay_in")["credited"] == 5_000_000
    assert ran.record("pay_out")["debited"] == 2_500_000
    balances = ran.balances()
    assert balances["river_ecny"] == 1_000_000 + 10_000 - 5_000
    assert balances["river_khr"] == 500_000_000 - 5_000_000 + 2_500_000
    # Never one leg without the other: behind every event both were paid, or neither.
    assert all(taken == given for taken, given in _exposures(ran))
    assert _exposures(ran)[-1] == (15_000, 15_000)
    assert len(ran.plan.obligation) == 0


def test_only_the_payers_side_locked(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, ONLY_IN, "accounts.river_khr.balance=49 999")
    # The yuan are locked at 3.5; the riel are short at 3.8, and the yuan are given back.
    assert ran.ended("pay_in") == (3_800_000, "REJECTED", "AM04")
    assert [row[4] for row in ran.rows(LogKind.RESERVE)] == ["book:ecny_bank:CNY"]
    assert [row[4] for row in ran.rows(LogKind.VOID)] == ["book:ecny_bank:CNY"]
    assert ran.rows(*MOVED) == []


def test_only_the_riel_side_locked(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, ONLY_OUT, "accounts.river_ecny.balance=49.99")
    # Going out the riel are locked first, at 0.5; the digital yuan are short at 0.8.
    assert ran.ended("pay_out") == (800_000, "REJECTED", "AM04")
    assert [row[4] for row in ran.rows(LogKind.VOID)] == ["book:temple_bank:KHR"]
    assert ran.rows(*MOVED) == []


def test_a_time_out_between_the_locks(tmp_path: Path, engine: str) -> None:
    changes = ("accounts.river_khr.balance=0", "accounts.river_khr.when_short=queue")
    ran = _run(tmp_path, engine, ONLY_IN, *changes)
    # The first lock is asked for at 3.2; ten seconds later the second is given up, and the first.
    assert ran.ended("pay_in") == (13_200_000, "REJECTED", "AB06")
    assert [row[4] for row in ran.rows(LogKind.VOID)] == ["book:ecny_bank:CNY"]
    assert ran.rows(*MOVED) == []
    # With money in time both are paid: at 10 s, released 0.3 later.
    more = "accounts.river_khr.deposits={more: {after: 10 s, amount: 60 000}}"
    ran = _run(tmp_path, engine, ONLY_IN, *changes, more)
    assert ran.record("pay_in")["settled_us"] == 10_300_000


def test_limits_of_a_wallet(tmp_path: Path, engine: str) -> None:
    def pays(*amounts: str) -> Ran:
        listed = ", ".join(
            f"{{at: {10 * n} s, amount: {amount}, merchant: 1}}" for n, amount in enumerate(amounts)
        )
        return _run(tmp_path, engine, ONLY_IN, f"demand.pay_in.payments=[{listed}]")

    ran = pays("2 000.00", "2 000.01", "2 000", "2 000")
    ends = [ran.ended("pay_in" if n == 0 else f"pay_in.{n}")[1:] for n in range(4)]
    # 2 000.01 is too much at once; the third 2 000 would make 6 000 of 5 000 a day.
    assert ends == [
        ("COMPLETED", "NONE"),
        ("REJECTED", "AM02"),
        ("COMPLETED", "NONE"),
        ("REJECTED", "AM14"),
    ]
    # A verified wallet may; and no wallet is paid more than it may hold.
    one = "demand.pay_in.payments=[{at: 0 s, amount: 2 000.01, merchant: 1}]"
    ran = _run(tmp_path, engine, ONLY_IN, "rails.ecny.tier=verified", one)
    assert ran.ended("pay_in")[1] == "COMPLETED"
    much = "demand.pay_out.payments=[{at: 0 s, amount: 10 000.01}]"
    ran = _run(tmp_path, engine, ONLY_OUT, much)
    assert ran.ended("pay_out")[1:] == ("REJECTED", "AM02")


def _ends(ran: Ran, stream: str, number: int) -> list[tuple[str, str]]:
    names = [stream, *(f"{stream}.{n}" for n in range(1, number))]
    return [ran.ended(name)[1:] for name in names]


def test_a_wallet_pays_what_it_holds_and_no_more(tmp_path: Path, engine: str) -> None:
    listed = ", ".join(
        f"{{at: {20 * n} s, amount: {amount}, merchant: 1, payer: {payer}}}"
        for n, (amount, payer) in enumerate(((100, 0), (100, 0), (50, 0), (150, 1)))
    )
    changes = (
        ONLY_IN,
        "rails.ecny.wallet_balance=199.99",
        "demand.pay_in.payers=2",
        f"demand.pay_in.payments=[{listed}]",
    )
    ran = _run(tmp_path, engine, *changes)
    # 199.99 less 100 leaves 99.99: too little for 100, enough for 50. Another wallet has its own.
    done, short = ("COMPLETED", "NONE"), ("REJECTED", "AM04")
    assert _ends(ran, "pay_in", 4) == [done, short, done, done]
    # Refused before anything is locked: core 0.2, confirmed 3.2.
    assert ran.ended("pay_in.1")[0] == 23_200_000
    locked = [row for row in ran.rows(LogKind.RESERVE) if row[4] == "book:ecny_bank:CNY"]
    assert len(locked) == 3
    # What is given back when the other side is short is in the wallet again: 100 and 100 of 200,
    # the first in vain.
    again = (
        "rails.ecny.wallet_balance=100",
        "accounts.river_khr.balance=49 999",
        "accounts.river_khr.deposits={more: {after: 10 s, amount: 1 000 000}}",
    )
    ran = _run(tmp_path, engine, *changes, *again)
    assert _ends(ran, "pay_in", 3) == [short, done, short]


def test_a_wallet_takes_in_what_it_has_room_for(tmp_path: Path, engine: str) -> None:
    listed = ", ".join(
        f"{{at: {10 * n} s, amount: {amount}}}" for n, amount in enumerate((60, 50, 40, 0.01))
    )
    ran = _run(
        tmp_path,
        engine,
        ONLY_OUT,
        "rails.ecny.wallet_balance=9 900",
        f"demand.pay_out.payments=[{listed}]",
    )
    # A wallet of the lowest tier holds 10 000 at most: there is room for 100. 60 leave 40; 50 are
    # refused before any money moves, 40 fill it up, and a fen more is too much.
    done, full = ("COMPLETED", "NONE"), ("REJECTED", "AM02")
    assert _ends(ran, "pay_out", 4) == [done, full, done, full]
    assert ran.balances()["river_ecny"] == 1_000_000 - 10_000
    assert ran.ended("pay_out.1")[0] == 10_200_000


def test_explain_says_what_wallets_hold(tmp_path: Path) -> None:
    change = ("rails.ecny.wallet_balance=9 900",)
    text = " ".join(explain_plan(compile_scenario(load_text(tmp_path, BRIDGE, change))).split())
    assert "at most 9 900.00 CNY per payer and run (AM04)" in text
    assert "at most 100.00 CNY per payer and run (AM02)" in text


LAOS = """
scenario: laos
extends: MINIMAL
fx: {mid: {USD/LAK: {rate: 21 343}, USD/CNY: {rate: 7.0432}}}
institutions:
  bridge_operator: {country: CN, roles: [operator]}
  ecny_bank: {country: CN, roles: [issuer, acquirer], decline: 0 %}
  lao_bank: {country: LA, roles: [issuer, acquirer, settlement_agent], merchant_share: 1}
rails:
  ecny:
    kind: ecny
    operator: bridge_operator
    wallet: ecny_bank
    partner: lao_bank
    issuance_account: lao_ecny
    partner_account: lao_lak
    inbound: {live_from: 2027-01-01, hypothetical: true, spread: 0 %}
accounts:
  lao_ecny: {owner: lao_bank, at: ecny, currency: CNY, balance: 0}
  lao_lak: {owner: lao_bank, at: lao_bank, currency: LAK, balance: 5 000 000}
corridors:
  pilot: {from: {country: CN, currency: CNY}, to: {country: LA, currency: LAK}}
demand:
  inbound: null
  outbound: null
  domestic: null
  pilot: {corridor: pilot, payments: [{at: 0 s, amount: 3 000}]}
"""


def test_the_quote_of_the_pilot_in_laos(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, LAOS), engine)
    # 27 December 2025: 3 000 kip at 21 343 a dollar, and 7.0432 yuan for it, are 0.99000 yuan.
    debited = ran.record("pilot")["debited"] or 0
    assert debited == 99
    assert abs(debited / 100 / (3_000 / 21_343 * 7.0432) - 1) < 0.005


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("rails.ecny.tier=golden", "unknown tier 'golden'"),
        ("rails.ecny.wallet_balance=10 001", "above what wallets of tier 'anonymous' may hold"),
        ("rails.ecny.wallet_balance=1.001", "rails.ecny.wallet_balance"),
        ("rails.ecny.inbound.hypothetical=false", "hypothetical"),
        ("rails.ecny.partner=temple_bank", "no settlement_agent"),
        ("rails.ecny.issuance_account=river_khr", "needed: CNY"),
        ("corridors.in.time_out=30 s", "would replace the time_out"),
        (
            "rails.ecny.tiers={anonymous: {per_payment: 6 000, per_day: 5 000}}",
            "above the limit per day",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        compile_scenario(load_text(tmp_path, BRIDGE, (change,)))


def test_explain_names_the_hypothetical_link(tmp_path: Path) -> None:
    text = explain_plan(compile_scenario(load_text(tmp_path, BRIDGE)))
    assert "ecny inbound (live from 2027-01-01)" in text

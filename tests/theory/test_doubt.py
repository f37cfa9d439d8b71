"""A request given up stays in doubt until its answer comes, and nothing is undone before.

Every instant and amount was worked out by hand; rounds and times are those of the minimal scenario
(see ``test_cases_by_hand``).
"""

from __future__ import annotations

from pathlib import Path

from sim.contract.meaning import LogKind
from tests.theory.driver import Ran, load_text, run

GWLATE = """
scenario: gwlate
extends: MINIMAL
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 60 min}
rails: {unionpay: {authorisation_time: 1200 s}}
demand: {inbound: null, domestic: null}
"""
"""Committed at 8.7; hop 0.2; the gateway authorises from 8.9 to 1 208.9. The order lives 840 s from
the commit: to 848.7."""

LATE_WALLET = """
scenario: late
extends: MINIMAL
clock: {horizon: 60 min}
rails: {alipay_plus: {authorisation_time: 1200 s}}
demand: {outbound: null, domestic: null}
"""
"""The order lives from 1.1 to 841.1; the wallet's gateway authorises from 4.3 to 1 204.3."""

_TOLD = (LogKind.EXPIRE, LogKind.IN_DOUBT, LogKind.AWAIT, LogKind.KNOWN, LogKind.VOID)


def _run(folder: Path, engine: str, text: str, *changes: str) -> Ran:
    return run(load_text(folder, text, changes), engine)


def _told(ran: Ran) -> list[tuple[int, str]]:
    return [(row[0], row[1]) for row in ran.rows(*_TOLD)]


def test_nothing_comes_back_before_a_late_gateway_has_answered(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, GWLATE)
    # The answer comes at 1 208.9 and one hop of 0.2 later; the reversal is confirmed 1 s after.
    assert _told(ran) == [
        (848_700_000, "EXPIRE"),
        (848_700_000, "IN_DOUBT"),
        (848_700_000, "AWAIT"),
        (1_209_100_000, "KNOWN"),
        (1_210_100_000, "VOID"),
    ]
    # Idle rounds three seconds apart from 13.8 on: 13.8 + 399 x 3 = 1 210.8, votes 0.3 s.
    assert ran.ended("outbound") == (1_211_100_000, "RETURNED", "AB05")
    back = [row for row in ran.rows(LogKind.POST) if row[4] == "river_bank@bakong:KHR"]
    assert [(row[0], row[5]) for row in back] == [(1_211_100_000, 2_804_900)]
    assert ran.times("outbound")["in_doubt"] == 1_209_100_000 - 848_700_000
    assert ran.record("outbound")["in_doubt_since_us"] is None
    # Never both: nothing was paid abroad, and all is where it was.
    assert ran.record("outbound")["credited_us"] is None
    balances = ran.balances()
    assert balances["river_cny_at_unionpay"] == 20_000
    assert balances["river_bank@bakong:KHR"] == 100_000_000
    assert balances["temple_bank@bakong:KHR"] == 100_000_000


def test_at_the_horizon_a_doubt_says_since_when(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, GWLATE, "clock.horizon=20 min")
    assert ran.ended("outbound") == (None, "IN_PROGRESS", "AB05")
    assert ran.record("outbound")["in_doubt_since_us"] == 848_700_000
    assert ran.times("outbound")["in_doubt"] == 1_200_000_000 - 848_700_000


def test_the_file_of_the_next_day_ends_a_doubt_nobody_answers(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, GWLATE, "rails.unionpay.reconciliation_time=60 s")
    # 848.7 + 60: known to be unpaid. Reversed 909.7; 13.8 + 299 x 3 = 910.8, votes 0.3 s. The
    # payment keeps the reason it failed for, and the late end of the service means nothing more.
    assert _told(ran) == [
        (848_700_000, "EXPIRE"),
        (848_700_000, "IN_DOUBT"),
        (848_700_000, "AWAIT"),
        (908_700_000, "EXPIRE"),
        (908_700_000, "KNOWN"),
        (909_700_000, "VOID"),
    ]
    assert [row[4] for row in ran.rows(LogKind.EXPIRE)] == ["AB05", "AB05"]
    assert ran.ended("outbound") == (911_100_000, "RETURNED", "AB05")
    assert ran.times("outbound")["in_doubt"] == 60_000_000
    ends = [row[0] for row in ran.rows(LogKind.FINISH) if row[3] == "unionpay.authorise"]
    assert ends == [1_208_900_000]


def test_a_wallet_that_authorises_late_is_waited_for_coming_in(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, LATE_WALLET)
    # Expired at 841.1; the answer at 1 204.3 and a hop of 0.3; its reversal 1 s. No money moved.
    assert ran.ended("inbound") == (1_205_600_000, "REJECTED", "AB06")
    assert ran.times("inbound")["in_doubt"] == 1_204_600_000 - 841_100_000
    assert ran.rows(LogKind.RESERVE, LogKind.POST, LogKind.TRANSFER) == []


def test_no_other_route_is_tried_in_doubt(tmp_path: Path, engine: str) -> None:
    text = (
        LATE_WALLET
        + """
institutions:
  second_operator: {country: CN, roles: [operator, fx_provider]}
"""
    )
    text = text.replace(
        "rails: {alipay_plus: {authorisation_time: 1200 s}}",
        """rails:
  alipay_plus: {authorisation_time: 1200 s}
  second:
    kind: wallet_gateway
    operator: second_operator
    wallet: alipay_wallet
    currency: CNY
    inbound: {live_from: 2024-10-14, settlement_currency: USD, spread: 2 %}
    authorisation_time: 0.5 s
    hop_time: 0.3 s
    technical_decline: 0 %
    settlement_agents: {river_bank: {}}
routing: {failover: 1}""",
    )
    ran = _run(tmp_path, engine, text)
    # Else the wallet could have paid twice.
    assert [row[0] for row in ran.rows(LogKind.ROUTE)] == [1_100_000, 1_205_600_000]
    # All of the first attempt is a retry but the payer's 3 s: 1 205.6 - 1.0 - 3.0.
    assert ran.times("inbound")["retry"] == 1_201_600_000
    assert ran.ended("inbound")[1] == "COMPLETED"


def test_a_request_that_never_began_is_not_in_doubt(tmp_path: Path, engine: str) -> None:
    # One authorisation a minute: the second payment is in the gateway's queue when the order ends.
    text = GWLATE.replace("authorisation_time: 1200 s", "rate_limit: 1 /min, order_life: 10 s")
    text = text.replace("inbound: null", "inbound: null, outbound: {payments: [PAY]}")
    text = text.replace("PAY", "{at: 3 s, amount: 50}, {at: 3.01 s, amount: 50}")
    ran = _run(tmp_path, engine, text)
    assert ran.ended("outbound")[1] == "COMPLETED"
    # Both commit at 8.7; the order of the second ends at 18.7, in the queue; reversal to 19.7.
    kinds = [row[1] for row in ran.rows(of="outbound.1") if row[0] == 18_700_000]
    assert kinds == ["EXPIRE", "LEAVE", "DELAY"]
    assert ran.ended("outbound.1")[1:] == ("RETURNED", "AB05")
    assert "in_doubt" not in ran.times("outbound.1")


CHAIN = """
scenario: chain
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 1 min}
rails:
  slow:
    kind: generic
    stations: {desk: {servers: 1}}
    stages: [{name: patience, deadline: 1 s, reason: AB06}, {name: work, serve: desk, time: 5 s}]
    RETRY
corridors:
  one: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  asked: {corridor: one, payments: [{at: 1 s, amount: 1}]}
"""


def test_a_chain_that_confirms_reversals_is_waited_for(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, CHAIN.replace("RETRY", "retry_after: 0.7 s"))
    # Given up at 2.0; the desk works to 6.0; reversed 0.7 s later.
    assert ran.ended("asked") == (6_700_000, "REJECTED", "AB06")
    assert ran.times("asked") == {"service": 1_000_000, "in_doubt": 4_000_000, "transit": 700_000}


def test_a_customer_who_asked_for_nothing_just_leaves(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, CHAIN.replace("RETRY", ""))
    # Nobody confirms anything: who gives up is gone, and the desk works on for nobody.
    assert ran.ended("asked") == (2_000_000, "REJECTED", "AB06")
    assert [row[0] for row in ran.rows(LogKind.FINISH)] == [6_000_000]

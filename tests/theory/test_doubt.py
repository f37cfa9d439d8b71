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


ANTOM = "{first: 5 s, every: 3 s, most: 10, then: cancel}"
"""Antom's guide: first after 5 s, 3 s apart, 10 to 20 times, then cancel."""


def _answers(ran: Ran) -> list[tuple[int, int]]:
    return [(row[0], row[5]) for row in ran.rows(LogKind.ANSWERED)]


def test_a_request_nobody_answers_is_asked_about_and_cancelled(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, GWLATE, f"rails.unionpay.query={ANTOM}")
    # In doubt at 848.7; asked at 853.7 and every 3 s up to 880.7, ten times, in vain; cancelled 3 s
    # later. Reversed 884.7; 13.8 + 291 x 3 = 886.8, votes 0.3 s.
    asked = [853_700_000 + 3_000_000 * number for number in range(10)]
    assert _answers(ran) == [(at, 1) for at in asked]
    assert _told(ran) == [
        (848_700_000, "EXPIRE"),
        (848_700_000, "IN_DOUBT"),
        (848_700_000, "AWAIT"),
        (883_700_000, "EXPIRE"),
        (883_700_000, "KNOWN"),
        (884_700_000, "VOID"),
    ]
    assert ran.ended("outbound") == (887_100_000, "RETURNED", "AB05")
    assert ran.times("outbound")["in_doubt"] == 35_000_000
    # Whatever the gateway did in the end, nothing was paid abroad.
    assert ran.balances()["river_cny_at_unionpay"] == 20_000
    assert [row[0] for row in ran.rows(LogKind.FINISH) if row[3] == "unionpay.authorise"] == [
        1_208_900_000
    ]


def test_a_late_answer_is_known_once_somebody_asks(tmp_path: Path, engine: str) -> None:
    plan = "{first: 90 s, every: 150 s, most: 3, then: wait}"
    ran = _run(tmp_path, engine, GWLATE, f"rails.unionpay.query={plan}")
    # Asked at 938.7, 1 088.7 and 1 238.7; the request ended at 1 208.9, so only the third knows.
    # The way back 0.2; reversed 1 239.9; 13.8 + 409 x 3 = 1 240.8, votes 0.3 s.
    assert _answers(ran) == [(938_700_000, 1), (1_088_700_000, 1), (1_238_700_000, 1)]
    assert _told(ran)[3:] == [(1_238_900_000, "KNOWN"), (1_239_900_000, "VOID")]
    assert ran.ended("outbound") == (1_241_100_000, "RETURNED", "AB05")
    assert ran.times("outbound")["in_doubt"] == 1_238_900_000 - 848_700_000


def test_questions_in_vain_end_with_the_file_of_the_next_day(tmp_path: Path, engine: str) -> None:
    plan = "{first: 90 s, every: 60 s, most: 3, then: wait}"
    changes = (f"rails.unionpay.query={plan}", "rails.unionpay.reconciliation_time=30 min")
    ran = _run(tmp_path, engine, GWLATE, *changes)
    # Asked at 938.7, 998.7 and 1 058.7, before the request ends at 1 208.9; nobody asks again. The
    # file, here after half an hour: 848.7 + 1 800. Reversed 2 649.7; 13.8 + 879 x 3 = 2 650.8,
    # votes 0.3 s.
    assert [at for at, _ in _answers(ran)] == [938_700_000, 998_700_000, 1_058_700_000]
    assert _told(ran)[-2:] == [(2_648_700_000, "KNOWN"), (2_649_700_000, "VOID")]
    assert ran.ended("outbound") == (2_651_100_000, "RETURNED", "AB05")


def test_questions_stand_in_the_queue_of_the_gateway_or_in_their_own(
    tmp_path: Path, engine: str
) -> None:
    plan = "{first: 5 s, most: 1, time: 0.5 s, own_station: yes}"
    own = _run(tmp_path, engine, GWLATE, f"rails.unionpay.query={plan}")
    starts = [(row[0], row[4]) for row in own.rows(LogKind.START) if row[2].startswith("inquiry")]
    assert starts == [(853_700_000, "unionpay.query")]
    shared = plan.replace("yes", "no")
    same = _run(tmp_path, engine, GWLATE, f"rails.unionpay.query={shared}")
    starts = [(row[0], row[4]) for row in same.rows(LogKind.START) if row[2].startswith("inquiry")]
    assert starts == [(853_700_000, "unionpay.gateway")]


def test_an_authorisation_that_fails_is_sent_again(tmp_path: Path, engine: str) -> None:
    down = "disruptions={down: {outage: unionpay, role: gateway, after: 0 s, for: 12 s}}"
    again = "rails.unionpay.retry={most: 3, first: 1 s, jitter: 0 %}"
    ran = _run(tmp_path, engine, GWLATE.replace("1200 s", "0.4 s"), down, again)
    # Committed at 8.7; closed at 8.9 and 9.9 and 11.9; 4 s later, at 15.9, it is open: 0.4, and a
    # hop of 0.2 to the credit.
    assert [(row[0], row[5]) for row in ran.rows(LogKind.RETRY)] == [
        (8_900_000, 1),
        (9_900_000, 2),
        (11_900_000, 3),
    ]
    assert ran.ended("outbound")[1:] == ("COMPLETED", "NONE")
    assert ran.times("outbound")["retry"] == 7_000_000

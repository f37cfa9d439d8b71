"""Polls, repeated requests and tries again: every instant worked out by hand.

A desk serves a payment in 5 s, or as the test says; what is asked takes its servers, too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.inquiries import INQUIRY_FIRST
from sim.contract.meaning import LogKind, Outcome
from sim.contract.records import LogColumn, StationTotal
from sim.errors import ScenarioError
from tests.theory.driver import SECOND, Ran, load_text, run

DESK = """
scenario: desk
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 1 min}
rails:
  shop:
    kind: generic
    stations: {desk: {servers: 1}}
    stages: [{name: work, serve: desk, time: 5 s}]
    ASKED
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  paid: {corridor: inside, payments: [{at: 1 s, amount: 1000}, {at: 2 s, amount: 1000}]}
"""


def _run(folder: Path, engine: str, asked: str, *changes: tuple[str, str]) -> Ran:
    text = DESK.replace("ASKED", asked)
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return run(load_text(folder, text), engine)


def _asked(ran: Ran) -> list[tuple[float, int, int, int]]:
    """Return (second, payment, its inquiry, what was told and whether it was answered)."""
    about: dict[int, tuple[int, int]] = {}
    found = []
    for row in ran.log.tolist():
        kind, who = row[LogColumn.KIND], row[LogColumn.PAYMENT]
        if kind == LogKind.ASKED:
            about[who] = (row[LogColumn.SUBJECT], row[LogColumn.AMOUNT])
        elif kind == LogKind.ANSWERED:
            told = row[LogColumn.SUBJECT], row[LogColumn.AMOUNT]
            found.append((row[LogColumn.TIME_US] / SECOND, *about[who], *told))
    return found


DONE, OPEN = int(Outcome.COMPLETED), int(Outcome.IN_PROGRESS)
ONE = (", {at: 2 s, amount: 1000}", "")


def test_polls_go_on_until_the_payment_has_ended(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "polls: {first: 2 s, every: 1.5 s}", ONE)
    # Served 1 to 6; asked at 3 and 4.5; the third would be asked at 6, behind the end.
    assert _asked(ran) == [
        (3.0, 0, 1, OPEN, 1),
        (4.5, 0, 2, OPEN, 1),
        (6.0, 0, 3, DONE, -1),
    ]
    assert ran.ended("paid") == (6 * SECOND, "COMPLETED", "NONE")
    numbers = {
        int(row[LogColumn.PAYMENT]) for row in ran.log if row[LogColumn.KIND] == LogKind.ASKED
    }
    assert numbers == {INQUIRY_FIRST, INQUIRY_FIRST + 1, INQUIRY_FIRST + 2}
    assert len(ran.records) == ran.totals.payments == 1


def test_polls_come_ever_more_rarely(tmp_path: Path, engine: str) -> None:
    asked = "polls: {first: 2 s, every: 4 s, factor: 2, longest: 12 s}"
    ran = _run(tmp_path, engine, asked, ONE, ("time: 5 s", "time: 45 s"))
    # Served 1 to 46. Asked after 2, 4, 8, then 12 s each: 3, 7, 15, 27 and 39; 51 is too late.
    assert _asked(ran) == [
        (3.0, 0, 1, OPEN, 1),
        (7.0, 0, 2, OPEN, 1),
        (15.0, 0, 3, OPEN, 1),
        (27.0, 0, 4, OPEN, 1),
        (39.0, 0, 5, OPEN, 1),
        (51.0, 0, 6, DONE, -1),
    ]


def test_doubling_polls_are_a_tenth_of_those_that_do_not(tmp_path: Path, engine: str) -> None:
    # For 5 min: every 2 s asks 149 times; 2, 2, 4, 8, 16, 32 and then 60 s each ask at 2, 4, 8, 16,
    # 32, 64, 124, 184, 244 s: nine times.
    change = [ONE, ("time: 5 s", "time: 5 min"), ("horizon: 1 min", "horizon: 301 s")]
    often = _run(tmp_path, engine, "polls: {first: 2 s, every: 2 s}", *change)
    rarely = _run(tmp_path, engine, "polls: {first: 2 s, every: 2 s, factor: 2}", *change)
    assert [sum(one[4] == 1 for one in _asked(ran)) for ran in (often, rarely)] == [149, 9]


SHOWN = """
scenario: polled
extends: MINIMAL
rails: {RAIL: {polls: {first: 0.2 s, every: 0.3 s, most: 2, serve: gateway}}}
demand: {inbound: {payments: [{at: 1 s, amount: 41 000}]}, outbound: null, domestic: null}
"""


@pytest.mark.parametrize("rail", ["alipay_plus", "bakong"])
def test_polls_of_a_gateway_and_of_bakong_are_load_of_their_gateway(
    tmp_path: Path, engine: str, rail: str
) -> None:
    ran = run(load_text(tmp_path, SHOWN.replace("RAIL", rail)), engine)
    # One payment and its two polls; asked 0.2 and 0.5 s after the request.
    station = ran.totals.station[ran.plan.names.stations.index(f"{rail}.gateway")]
    answered = [one for one in _asked(ran) if one[4] == 1]
    assert station[StationTotal.STARTS] == 1 + len(answered)
    assert [one[2] for one in answered] == [1, 2]
    assert answered[1][0] - answered[0][0] == pytest.approx(0.3)


def test_no_more_polls_than_allowed(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "polls: {first: 1 s, every: 1 s, most: 2}", ONE)
    assert _asked(ran) == [(2.0, 0, 1, OPEN, 1), (3.0, 0, 2, OPEN, 1)]


def test_polls_take_the_servers_of_payments(tmp_path: Path, engine: str) -> None:
    asked = "polls: {first: 2 s, every: 2 s, most: 2, serve: desk, time: 0.5 s}"
    ran = _run(tmp_path, engine, asked)
    # Served 1 to 6 and 6 to 11. In the queue behind the second payment: polls of 3, 4, 5 and 6,
    # served 11 to 13; by then both payments have ended.
    assert ran.ended("paid.1") == (11 * SECOND, "COMPLETED", "NONE")
    assert _asked(ran) == [
        (11.5, 0, 1, DONE, 1),
        (12.0, 1, 1, DONE, 1),
        (12.5, 0, 2, DONE, 1),
        (13.0, 1, 2, DONE, 1),
    ]
    station = ran.totals.station[ran.plan.names.stations.index("shop.desk")]
    assert station[StationTotal.STARTS] == 6
    # 5 + 5 + 4 times 0.5; waits 4, then 8 + 7.5 + 7 + 6.5.
    assert station[StationTotal.BUSY_AREA] == 12 * SECOND
    assert station[StationTotal.WAIT_SUM_US] == 33 * SECOND


def test_a_poll_that_finds_the_queue_full_is_turned_away(tmp_path: Path, engine: str) -> None:
    asked = "polls: {first: 2 s, most: 1, serve: desk}"
    ran = _run(tmp_path, engine, asked, ("servers: 1", "servers: 1, queue_limit: 1"))
    # The second payment waits where one may; polls of 3 and 4 have no place.
    assert _asked(ran) == [(3.0, 0, 1, OPEN, 0), (4.0, 1, 1, OPEN, 0)]
    station = ran.totals.station[ran.plan.names.stations.index("shop.desk")]
    assert station[StationTotal.REFUSED] == 2


KEY = """repeats: {after: [0.1 s, 10 s], serve: desk, time: 0.05 s}
    fees: {levy: {component: levy, proportional: 0.1 %}}"""
TWO = ("servers: 1", "servers: 2")


def test_a_request_under_the_same_key_is_executed_once(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, KEY, ONE, TWO)
    # Served 1 to 6. Sent again at 1.1, looked up to 1.15, and told the outcome at 6; sent again at
    # 11, when it is known, and told at 11.05.
    assert _asked(ran) == [(6.0, 0, 1, DONE, 1), (11.05, 0, 2, DONE, 1)]
    debits = [row for row in ran.rows(LogKind.TRANSFER, LogKind.POST) if "debtors" in row[4]]
    # 1000.00 KHR and the levy of 0.1 %, once each.
    assert [(row[0], row[5]) for row in debits] == [(6 * SECOND, 100_000), (6 * SECOND, 100)]
    assert ran.balances()["customers:debtors:KHR"] == -100_100


def test_another_key_is_another_payment(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, KEY, TWO)
    debits = [row for row in ran.rows(LogKind.TRANSFER, LogKind.POST) if "debtors" in row[4]]
    assert len([row for row in debits if row[5] == 100_000]) == 2


def test_the_same_answer_is_a_rejection_too(tmp_path: Path, engine: str) -> None:
    late = ("stages: [", "stages: [{name: patience, deadline: 2 s}, ")
    ran = _run(tmp_path, engine, KEY, ONE, TWO, late)
    assert ran.ended("paid") == (3 * SECOND, "REJECTED", "MS03")
    assert _asked(ran) == [(3.0, 0, 1, 1, 1), (11.05, 0, 2, 1, 1)]


RETRY = (
    "time: 5 s}",
    "time: 5 s, retry: {most: MOST, first: 1 s, factor: 2, longest: 1 min, jitter: JITTER %}}",
)


def _retried(folder: Path, engine: str, most: int, jitter: int = 0) -> Ran:
    written = RETRY[1].replace("MOST", str(most)).replace("JITTER", str(jitter))
    full = ("servers: 1", "servers: 1, queue_limit: 0")
    return _run(folder, engine, "", (RETRY[0], written), full)


def test_a_step_that_fails_is_tried_again_after_longer_and_longer_waits(
    tmp_path: Path, engine: str
) -> None:
    ran = _retried(tmp_path, engine, 3)
    # The desk is busy from 1 to 6. Refused at 2, 3 and 5 (waits of 1 and 2 s); then after 4 s, at
    # 9, it is served.
    told = [(row[0] // SECOND, row[5]) for row in ran.rows(LogKind.RETRY)]
    assert told == [(2, 1), (3, 2), (5, 3)]
    assert ran.ended("paid.1") == (14 * SECOND, "COMPLETED", "NONE")
    assert ran.times("paid.1") == {"service": 5 * SECOND, "retry": 7 * SECOND}
    assert ran.record("paid.1")["attempts"] == 1


def test_no_more_tries_than_allowed(tmp_path: Path, engine: str) -> None:
    ran = _retried(tmp_path, engine, 2)
    assert ran.ended("paid.1") == (5 * SECOND, "REJECTED", "MS03")


def test_waits_are_spread_by_payment(tmp_path: Path, engine: str) -> None:
    ran = _retried(tmp_path, engine, 1, jitter=50)
    (wait,) = [row[5] for row in ran.rows(LogKind.DELAY)]
    # Evenly within half a second of one second, and not in its middle.
    assert SECOND // 2 <= wait <= SECOND * 3 // 2
    assert wait != SECOND


PAYERS = """
scenario: payers
extends: MINIMAL
clock: {horizon: 3 min}
disruptions: {down: {outage: alipay_plus, role: gateway, after: 0 s, for: 20 s}}
demand:
  domestic: null
  outbound: null
  inbound: {after_failure: {change: 0 %, cash: 0 %, retry: {most: MOST, first: 10 s, jitter: 0 %}}}
"""


def test_payers_try_again_from_the_choice_of_a_route(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, PAYERS.replace("MOST", "2")), engine)
    # The code is scanned from 1.0 to 1.1; the wallet's core 0.2, the way to the gateway and the
    # confirmation of 3 s lie before the gateway, which is closed at 4.3: AB07, reversed by 5.3. The
    # payer waits 10 s and tries from 15.3 on: closed at 18.5, reversed by 19.5. After 20 s more, at
    # 39.5, it is open.
    assert [(row[0], row[5]) for row in ran.rows(LogKind.RETRY)] == [
        (5_300_000, 1),
        (19_500_000, 2),
    ]
    assert [row[0] for row in ran.rows(LogKind.ROUTE)] == [1_100_000, 15_300_000, 39_500_000]
    assert ran.ended("inbound")[1:] == ("COMPLETED", "NONE")
    # Of its own person's time: three confirmations of 3 s, and the two waits.
    assert ran.times("inbound")["human"] == 39 * SECOND
    assert ran.record("inbound")["attempts"] == 3


def test_payers_give_up_after_the_last_try(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, PAYERS.replace("MOST", "1")), engine)
    assert ran.ended("inbound") == (19_500_000, "REJECTED", "AB07")
    assert ran.record("inbound")["instead"] == 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("polls: {serve: dask}", "unknown station 'dask'; known: desk"),
        ("polls: {most: 20000}", "allowed: at most 10,000"),
        ("repeats: {after: []}", "found no instant"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path: Path, asked: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        load_text(tmp_path, DESK.replace("ASKED", asked))


def test_too_many_tries_are_refused(tmp_path: Path) -> None:
    text = DESK.replace("ASKED", "").replace("time: 5 s}", "time: 5 s, retry: {most: 21}}")
    with pytest.raises(ScenarioError, match="found 21; allowed: at most 20"):
        load_text(tmp_path, text)

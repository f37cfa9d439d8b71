"""Orders at online shops: polls, tokens, expiry and refunds, every instant worked out by hand.

Payers pay a fixed time after they ordered; a bank inside one country books the payment.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn
from sim.contract.refunds import RefundTotal
from sim.contract.shops import ShopTotal
from sim.errors import ScenarioError
from sim.study.case import RunOptions
from sim.study.run import run_replication
from tests.theory.driver import MINIMAL, SECOND, Ran, load_text, run

# A payment takes no time of its own here: it is credited when the payer has decided.
SHOP = """
scenario: shop
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 20 min}
rails:
  bank:
    kind: generic
    stations: {desk: {servers: 100}}
    stages: [{name: work, serve: desk, time: 0 s}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
shops:
  lotus:
    stock: STOCK
    code: deep_link
    gives_up: 0 %
    decides: DECIDES
    POLLS
demand:
  orders: {corridor: inside, shop: lotus, payments: PAYMENTS}
"""


def _run(folder: Path, engine: str, **words: str) -> Ran:
    text = SHOP
    for word, found in {
        "STOCK": "10", "DECIDES": "45 s", "POLLS": "life: 10 min",
        "PAYMENTS": "[{at: 0 s, amount: 1000}]", **words,
    }.items():  # fmt: skip
        text = text.replace(word, found)
    return run(load_text(folder, text), engine)


def _told(ran: Ran, *kinds: LogKind) -> list[tuple[float, int, int, int]]:
    """Return (second, payment, amount, value) of every row of some kinds."""
    found = ran.log[np.isin(ran.log[:, LogColumn.KIND], kinds)]
    columns = [LogColumn.TIME_US, LogColumn.PAYMENT, LogColumn.AMOUNT, LogColumn.VALUE]
    return [(row[0] / SECOND, *row[1:]) for row in found[:, columns].tolist()]


def _asked_at(ran: Ran) -> list[float]:
    """Return the seconds at which inquiries were answered or refused, those not asked left out."""
    return [time for time, _, asked, _ in _told(ran, LogKind.ANSWERED) if asked >= 0]


def _totals(ran: Ran, *columns: ShopTotal) -> list[int]:
    return [int(ran.totals.shop[0, column]) for column in columns]


def test_a_shop_sees_its_money_with_the_next_poll(tmp_path: Path, engine: str) -> None:
    # Waits of 2, 4, 8, 16 and 32 s: asked at 2, 6, 14, 30, 62; paid at 45, seen 17 s late.
    ran = _run(tmp_path, engine)
    assert _asked_at(ran) == [2, 6, 14, 30, 62]
    assert _told(ran, LogKind.RELEASED) == [(62, 0, 5, 17 * SECOND)]
    assert _told(ran, LogKind.ORDERED) == [(0, 0, 9, 600 * SECOND)]
    # Every 3 s the 15th poll comes in the instant of the credit, and sees it.
    often = _run(tmp_path, engine, POLLS="polls: {first: 3 s, factor: 1}")
    assert _asked_at(often) == [3 * number for number in range(1, 16)]
    assert _told(often, LogKind.RELEASED) == [(45, 0, 15, 0)]


@pytest.mark.parametrize(
    ("polls", "calls"), [("{first: 2 s}", 13), ("{first: 2 s, factor: 1}", 300)]
)
def test_who_never_pays_is_asked_about_until_the_order_expires(
    tmp_path: Path, engine: str, polls: str, calls: int
) -> None:
    # 2, 6, 14, 30, 62, then every 60 s from 122 to 542: 5 + 8; every 2 s: 600 / 2, the last one in
    # the instant of the expiry and before it.
    ran = _run(tmp_path, engine, DECIDES="15 min", POLLS=f"polls: {polls}")
    assert len(_asked_at(ran)) == calls == _totals(ran, ShopTotal.CALLS)[0]
    assert _asked_at(ran)[-1] == {13: 542, 300: 600}[calls]
    assert _told(ran, LogKind.ORDER_EXPIRED) == [(600, 0, calls, 10)]
    # Whoever decides after a quarter of an hour finds a code that has expired.
    assert ran.ended("orders") == (15 * 60 * SECOND, "REJECTED", "AEXR")


def _list(instants: list[float]) -> str:
    return "[" + ", ".join(f"{{at: {at} s, amount: 1000}}" for at in instants) + "]"


def test_a_token_carries_thirty_orders_every_three_seconds(tmp_path: Path, engine: str) -> None:
    # Orders at 0, 0.1, ..., 2.9 s are asked about at 3, 3.1, ..., 5.9 and again every 3 s: ten a
    # second, evenly, all that 10 /s allow. The 31st, ordered at 2.95 s, is asked about at 5.95, 50
    # ms after the request before it: refused, and again at 8.95, 11.95 and 14.95.
    token = "life: 12 s\n    polls: {first: 3 s, factor: 1}\n    token: {rate: 10 /s, burst: 1}"
    words = {"STOCK": "40", "DECIDES": "1 min", "POLLS": token}
    thirty = [number / 10 for number in range(30)]
    ran = _run(tmp_path, engine, PAYMENTS=_list(thirty), **words)
    # Each is asked about at 3, 6, 9 and 12 s after it was ordered, the last one as it expires.
    assert _totals(ran, ShopTotal.CALLS, ShopTotal.THROTTLED) == [120, 0]
    more = _run(tmp_path, engine, PAYMENTS=_list([*thirty, 2.95]), **words)
    assert [round(time, 2) for time, *_ in _told(more, LogKind.THROTTLED)] == [
        5.95, 8.95, 11.95, 14.95,
    ]  # fmt: skip
    assert _totals(more, ShopTotal.CALLS, ShopTotal.THROTTLED) == [120, 4]


@pytest.mark.parametrize(("orders", "refused"), [(150, 0), (151, 1)])
def test_a_call_about_fifty_carries_fifty_times_as_many(
    tmp_path: Path, engine: str, orders: int, refused: int
) -> None:
    # A token of 1 /s, three at once, is spent by three calls every 3 s, about 50 orders each; the
    # 151st order asks for a fourth, which is refused in every round (3, 6 and 9 s).
    ran = _run(
        tmp_path, engine, STOCK="200", DECIDES="1 min", PAYMENTS=_list([0] * orders),
        POLLS="life: 10 s\n    polls: {first: 3 s, per_call: 50}\n"
        "    token: {rate: 1 /s, burst: 3}",
    )  # fmt: skip
    assert _totals(ran, ShopTotal.CALLS, ShopTotal.THROTTLED) == [9, 3 * refused]
    assert [time for time, *_ in _told(ran, LogKind.THROTTLED)] == [3, 6, 9][: 3 * refused]
    asked = _told(ran, LogKind.SHOP_ASKS)
    assert [row[2] for row in asked[:4]] == [orders, orders, orders, 0]
    # Those in calls that were answered were asked about three times each, the last one never.
    polls = [amount for _, _, amount, _ in _told(ran, LogKind.ORDER_EXPIRED)]
    assert polls == [3] * 150 + [0] * refused


def test_a_call_releases_all_it_finds_paid_and_no_other(tmp_path: Path, engine: str) -> None:
    # Asked at 3, 6 and 9 s in calls of two: those of 0 and 1 s, paid at 5 and 6, are both seen at 6
    # s, as the answer comes behind what is credited in its instant. The third, ordered at 3.5 and
    # paid at 8.5, is in the second call of 6 s and alone in the call of 9 s.
    ran = _run(
        tmp_path, engine, DECIDES="5 s", PAYMENTS=_list([0, 1, 3.5]),
        POLLS="polls: {first: 3 s, per_call: 2}",
    )  # fmt: skip
    assert _told(ran, LogKind.RELEASED) == [
        (6, 0, 2, SECOND), (6, 1, 2, 0), (9, 2, 2, SECOND // 2),
    ]  # fmt: skip


def test_a_call_that_was_refused_releases_nobody(tmp_path: Path, engine: str) -> None:
    # Three orders of 0 s, paid at 1; asked about at 3 s in calls of two. The token carries one a
    # second: the call about the third is refused, and it is seen with the next round, at 6 s.
    ran = _run(
        tmp_path, engine, DECIDES="1 s", PAYMENTS=_list([0, 0, 0]),
        POLLS="polls: {first: 3 s, per_call: 2}\n    token: {rate: 1 /s, burst: 1}",
    )  # fmt: skip
    assert [time for time, *_ in _told(ran, LogKind.THROTTLED)] == [3]
    assert [row[:2] for row in _told(ran, LogKind.RELEASED)] == [(3, 0), (3, 1), (6, 2)]


def test_stock_is_held_and_comes_back(tmp_path: Path, engine: str) -> None:
    # One unit: ordered at 1 s, the second order at 2 s finds none; the first expires at 11 s, and
    # the third, in that very instant, is taken.
    words = {"STOCK": "1", "DECIDES": "30 s", "POLLS": "life: 10 s"}
    ran = _run(tmp_path, engine, PAYMENTS=_list([1, 2, 11]), **words)
    assert _told(ran, LogKind.ORDERED) == [(1, 0, 0, 10 * SECOND), (11, 2, 0, 10 * SECOND)]
    assert [row[:2] for row in _told(ran, LogKind.ORDER_EXPIRED)] == [(11, 0), (21, 2)]
    assert ran.ended("orders.1") == (2 * SECOND, "NOT_PAYABLE", "OUT_OF_STOCK")
    columns = (ShopTotal.ORDERS, ShopTotal.SOLD_OUT, ShopTotal.EXPIRED, ShopTotal.OVERSOLD)
    assert _totals(ran, *columns) == [2, 1, 2, 0]


def test_whoever_finds_nothing_left_has_not_failed_to_pay(tmp_path: Path, engine: str) -> None:
    # Of three orders one is taken and paid; the two that find nothing were shown nothing to pay.
    words = {"STOCK": "1", "DECIDES": "5 s", "POLLS": "life: 10 s"}
    ran = _run(tmp_path, engine, PAYMENTS=_list([1, 2, 3]), **words)
    assert [ran.ended(f"orders.{n}")[1] for n in (1, 2)] == ["NOT_PAYABLE"] * 2
    summary = run_replication(ran.compiled, RunOptions(engine, "none")).summary
    domestic = summary.by["scope"]["domestic"]
    names = ("submitted", "not_payable", "completed", "success_rate", "within_60s")
    assert [domestic[name].value for name in names] == [3, 2, 1, 1.0, 1.0]


def test_a_shop_that_holds_nothing_sells_more_than_it_has(tmp_path: Path, engine: str) -> None:
    # One unit and three orders within 2 s, all paid after 5 s and seen at 6: -2 are left. An order
    # at 10 s is not taken.
    words = {"STOCK": "1\n    hold: false", "DECIDES": "5 s", "POLLS": "life: 10 s"}
    ran = _run(tmp_path, engine, PAYMENTS=_list([0, 0, 0, 10]), **words)
    assert [row[:2] for row in _told(ran, LogKind.RELEASED)] == [(6, 0), (6, 1), (6, 2)]
    columns = (ShopTotal.ORDERS, ShopTotal.SOLD_OUT, ShopTotal.RELEASED, ShopTotal.OVERSOLD)
    assert _totals(ran, *columns) == [3, 1, 3, 2]


def test_what_was_never_held_does_not_come_back(tmp_path: Path, engine: str) -> None:
    # Two orders expire unpaid after 10 s each: what is left stays the one unit there was.
    words = {"STOCK": "1\n    hold: false", "DECIDES": "30 s", "POLLS": "life: 10 s"}
    ran = _run(tmp_path, engine, PAYMENTS=_list([0, 5]), **words)
    assert [row[0] for row in _told(ran, LogKind.ORDER_EXPIRED)] == [10, 15]
    assert [row[3] for row in _told(ran, LogKind.ORDER_EXPIRED)] == [1, 1]
    assert _totals(ran, ShopTotal.ORDERS, ShopTotal.OVERSOLD) == [2, 0]


LATE = """
scenario: late
extends: EXTENDS
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 2 min}
shops:
  lotus:
    stock: 1
    gives_up: 0 %
    decides: 10 s
    life: LIFE
    refund_after: 30 s
demand:
  inbound: null
  outbound: null
  domestic:
    corridor: kh_kh
    shop: lotus
    payments: [{at: 2 s, amount: 12 000, merchant: 0}]
"""


def _late(folder: Path, engine: str, life: str) -> Ran:
    text = LATE.replace("LIFE", life).replace("EXTENDS", str(MINIMAL))
    return run(load_text(folder, text), engine)


# Ordered at 2 s; decided at 12, scanned 12.1, authorised 12.3, confirmed 15.3, in a block at 17.4,
# committed 17.7, credited 17.9, told and ended 18.0. Polls at 4, 8, 16 and 32 s.


def test_what_is_credited_after_expiry_goes_back(tmp_path: Path, engine: str) -> None:
    # Expired at 15 s, credited at 17.9, ended at 18: paid back 30 s later, to the payer.
    ran = _late(tmp_path, engine, "13 s")
    assert _told(ran, LogKind.ORDER_EXPIRED) == [(15, 0, 2, 1)]
    assert _told(ran, LogKind.REFUND_DUE) == [(18, 0, 12_000_00, 30 * SECOND)]
    assert _told(ran, LogKind.REFUND) == [(48, 0, 12_000_00, 0)]
    # Nothing is left of it anywhere: every account stands as it was opened.
    opened = [row for row in ran.log.tolist() if row[LogColumn.KIND] == LogKind.DEPOSIT]
    left = ran.totals.end_posted.copy()
    for row in opened:
        left[row[LogColumn.SUBJECT]] += row[LogColumn.AMOUNT]
        left[row[LogColumn.VALUE]] -= row[LogColumn.AMOUNT]
    assert not left.any()
    assert _totals(ran, ShopTotal.RELEASED, ShopTotal.EXPIRED, ShopTotal.LATE) == [0, 1, 1]
    assert ran.totals.refund[:, RefundTotal.VALUE].tolist() == [12_000_00]


def test_what_was_paid_and_not_seen_before_expiry_goes_back(tmp_path: Path, engine: str) -> None:
    # Credited at 17.9 and ended at 18.0, in the instant in which the order expires, and before it;
    # the next poll would have come at 32 s.
    ran = _late(tmp_path, engine, "16 s")
    assert _told(ran, LogKind.ORDER_EXPIRED, LogKind.OUTCOME, LogKind.REFUND_DUE) == [
        (18, 0, 0, -1), (18, 0, 3, 1), (18, 0, 12_000_00, 30 * SECOND),
    ]  # fmt: skip
    assert _told(ran, LogKind.REFUND) == [(48, 0, 12_000_00, 0)]
    assert _totals(ran, ShopTotal.LATE) == [1]


def test_what_is_seen_in_time_stays(tmp_path: Path, engine: str) -> None:
    # Expiry at 33 s; the poll of 32 s sees what was credited at 17.9, 14.1 s late.
    ran = _late(tmp_path, engine, "31 s")
    assert _told(ran, LogKind.RELEASED) == [(32, 0, 4, 14_100_000)]
    assert _told(ran, LogKind.REFUND_DUE, LogKind.ORDER_EXPIRED) == []
    assert _totals(ran, ShopTotal.RELEASED, ShopTotal.LATE) == [1, 0]


def test_a_payment_inside_one_bank_goes_back_too(tmp_path: Path, engine: str) -> None:
    # Both customers of River Bank: authorised 12.3, confirmed 15.3, booked 15.5 on the bank's own
    # books, told 15.6; expired at 15.
    bank = "institutions: {temple_bank: {payer_share: 0}, river_bank: {payer_share: 1}}\n"
    text = LATE.replace("LIFE", "13 s").replace("EXTENDS", str(MINIMAL)) + bank
    ran = run(load_text(tmp_path, text), engine)
    assert _told(ran, LogKind.REFUND_DUE) == [(15.6, 0, 12_000_00, 30 * SECOND)]
    assert len([row for row in ran.log if row[LogColumn.KIND] == LogKind.MOVED]) >= 1
    assert ran.totals.refund[:, RefundTotal.VALUE].tolist() == [12_000_00]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("code: deep_link", "code: static"), "cannot be tracked by its md5"),
        (("code: deep_link", "code: dynamic"), "which has no codes"),
        (("shop: lotus, ", ""), "a shop nobody orders from"),
        (("shop: lotus, ", "shop: lily, "), "unknown shop 'lily'"),
        (("shop: lotus, ", "shop: lotus, refunds: {}, "), "found refunds of orders"),
        (("shop: lotus, ", "shop: lotus, as: load, "), "orders of a shop"),
        (("life: 10 min", "polls: {per_call: 5, factor: 2}"), "found factor beside per_call"),
        (("life: 10 min", "polls: {rail: bank}"), "found rail or serve alone"),
        (("life: 10 min", "polls: {rail: lily, serve: desk}"), "unknown rail 'lily'"),
        (("life: 10 min", "polls: {rail: bank, serve: till}"), "unknown station 'till'"),
        (("life: 10 min", "token: {burst: 2000000}"), "allowed: at most 1,048,576"),
    ],
    ids=[
        "static", "no codes", "no stream", "unknown", "refunds", "load", "factor", "alone",
        "rail", "station", "burst",
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = SHOP
    for word, found in (
        ("STOCK", "10"), ("DECIDES", "45 s"), ("POLLS", "life: 10 min"),
        ("PAYMENTS", "[{at: 0 s, amount: 1000}]"), change,
    ):  # fmt: skip
        assert word in text
        text = text.replace(word, found)
    with pytest.raises(ScenarioError, match=message):
        run(load_text(tmp_path, text), "reference")

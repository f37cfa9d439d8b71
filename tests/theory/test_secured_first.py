"""Money is reserved on both sides before any moves, and every wait for it has an end.

Every instant and amount was worked out by hand; rounds and times are those of the minimal scenario
(see ``test_cases_by_hand``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.meaning import LogKind
from tests.theory.driver import Ran, load_text, run

NOSTRO = """
scenario: nostro
extends: MINIMAL
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 72 h}
rails: {unionpay: {debit_first: DEBIT_FIRST}}
accounts: {river_cny_at_unionpay: {balance: 40, when_short: WHEN_SHORT}}
demand: {inbound: null, domestic: null}
"""
"""One payment of 50 yuan out of 40; asked at 3 s, priced and confirmed by 6.5, screened by 6.75."""

AT_THE_START = {
    "river_bank@bakong:KHR": 100_000_000,
    "temple_bank@bakong:KHR": 100_000_000,
    "river_khr_for_alipay": 10_000_000,
    "river_cny_at_unionpay": 4_000,
}


def _nostro(folder: Path, engine: str, *, debit_first: str, when_short: str) -> Ran:
    text = NOSTRO.replace("DEBIT_FIRST", debit_first).replace("WHEN_SHORT", when_short)
    return run(load_text(folder, text), engine)


def _held(ran: Ran) -> dict[str, int]:
    return {name: money for name, money in ran.balances().items() if not name.startswith("world")}


def test_a_short_nostro_refuses_before_anybody_is_debited(tmp_path: Path, engine: str) -> None:
    ran = _nostro(tmp_path, engine, debit_first="false", when_short="reject")
    # Screened at 6.75; the payer's riel are reserved, the yuan are not there: nothing was sent.
    assert ran.ended("outbound") == (6_750_000, "REJECTED", "AM04")
    assert ran.record("outbound")["settled_us"] is None
    assert ran.rows(LogKind.ENQUEUE) == []
    assert [row[1] for row in ran.rows(LogKind.RESERVE, LogKind.VOID)] == ["RESERVE", "VOID"]
    assert _held(ran) == AT_THE_START


def test_waiting_for_a_nostro_ends_with_the_order(tmp_path: Path, engine: str) -> None:
    ran = _nostro(tmp_path, engine, debit_first="false", when_short="queue")
    # The order lives 14 min: 6.75 + 840 s. No money moved.
    assert ran.ended("outbound") == (846_750_000, "REJECTED", "AB05")
    assert ran.times("outbound")["liquidity"] == 840_000_000
    assert _held(ran) == AT_THE_START


def test_debited_first_a_short_nostro_is_returned_when_the_order_ends(
    tmp_path: Path, engine: str
) -> None:
    ran = _nostro(tmp_path, engine, debit_first="true", when_short="queue")
    # Hop 0.05: joins at 6.8, round 8.4, commit 8.7. Expires 840 s later, at 848.7; reversal to
    # 849.7. Idle rounds from 13.8 on are three seconds apart: 13.8 + 279 x 3 = 850.8, commit 851.1.
    assert [row[0] for row in ran.rows(LogKind.EXPIRE)] == [848_700_000]
    assert [row[0] for row in ran.rows(LogKind.IN_BLOCK)] == [8_400_000, 850_800_000]
    assert ran.ended("outbound") == (851_100_000, "RETURNED", "AB05")
    assert _held(ran) == AT_THE_START


def test_debited_first_a_short_nostro_that_refuses_is_returned_at_once(
    tmp_path: Path, engine: str
) -> None:
    ran = _nostro(tmp_path, engine, debit_first="true", when_short="reject")
    # Short at 8.7, reversal to 9.7; after 8.4: 9.2 idle, then 10.8, commit 11.1.
    assert ran.ended("outbound") == (11_100_000, "RETURNED", "AM04")
    assert _held(ran) == AT_THE_START


@pytest.mark.parametrize(
    ("time_out", "ended", "reason"),
    [
        # The payer's institution waits 10 s from the choice of the route at 1.1, and the block
        # comes at 20 s: reversal of a second from 11.1.
        ("10 s", (12_100_000, "REJECTED"), "AB03"),
        # A session longer than the order's life of 14 min is no bound: the block comes first.
        # Committed at 20.3, core 20.5, told 20.6, confirmed 20.9.
        ("20 min", (20_900_000, "COMPLETED"), "NONE"),
    ],
)
def test_the_payers_time_out_counts_coming_in(
    tmp_path: Path, engine: str, time_out: str, ended: tuple[int, str], reason: str
) -> None:
    text = f"""
scenario: slow
extends: MINIMAL
corridors: {{cn_kh: {{time_out: {time_out}}}}}
rails: {{bakong: {{round_interval: 20 s, idle_interval: 20 s}}}}
demand: {{outbound: null, domestic: null}}
"""
    ran = run(load_text(tmp_path, text), engine)
    assert ran.ended("inbound") == (*ended, reason)


def test_a_code_nobody_can_read_keeps_its_place_in_the_list(tmp_path: Path, engine: str) -> None:
    text = """
scenario: torn
extends: MINIMAL
rails:
  khqr:
    payloads:
      - 00020101021129120008sok@rivr5204599953031165802KH5911Sok Noodles60
      - 00020101021130330009dara@tmpl0108000000010204tmpl5204599953031165802KH5911Dara Coffee6009Siem Reap63047688
demand:
  outbound: null
  inbound: {payments: [{at: 1 s, amount: 41 300, merchant: 0}]}
  domestic: {payments: [{at: 2 s, amount: 100, merchant: 0}, {at: 30 s, amount: 100, merchant: 1}]}
"""  # noqa: E501 - a code is one line
    ran = run(load_text(tmp_path, text), engine)
    # Cut short before its checksum: read 0.1 s after the scan, in both corridors.
    assert ran.ended("inbound") == (1_100_000, "REJECTED", "FF01")
    assert ran.ended("domestic") == (2_100_000, "REJECTED", "FF01")
    assert ran.ended("domestic.1")[1] == "COMPLETED"

"""What a hit does before and behind the credit, worked out by hand.

Coming in, River Bank stands between the legs. All is that of the minimal scenario, in which nobody
else pays: the wallet's gateway has authorised at 4.8 and the hop to River Bank is over at 5.1.
Rounds of the idle ledger double from 0.8 s (0, 0.8, 2.4, 5.6, 12.0, ...) to one a minute.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.meaning import LogKind
from tests.theory.driver import Ran, load_text, run

HOUR = 3600 * 1_000_000
TEXT = """
scenario: screened
extends: MINIMAL
clock: {horizon: 48 h}
rails: {bakong: {idle_interval: 1 min}}
institutions:
  river_bank:
    screening: {mode: MODE, hit_share: HITS, review_time: 60 s, refused_share: REFUSED, MORE}
demand: {outbound: null, domestic: null}
"""


def _run(
    folder: Path,
    engine: str,
    mode: str,
    *changes: str,
    hits: str = "100 %",
    refused: str = "100 %",
    more: str = "",
) -> Ran:
    text = TEXT.replace("MODE", mode).replace("HITS", hits).replace("REFUSED", refused)
    return run(load_text(folder, text.replace(", MORE", f", {more}" if more else "")), engine)


def _at(ran: Ran, stage: str, *kinds: LogKind) -> list[tuple[int, str]]:
    return [(row[0], row[1]) for row in ran.rows(*kinds) if row[3] == stage]


def test_declined_at_the_counter_nothing_was_reserved(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "decline", refused="0 %")
    # Checked from 5.1 to 5.35; nobody reviews; the wallet's authorisation is reversed for 1 s.
    assert ran.ended("inbound") == (6_350_000, "REJECTED", "RR04")
    assert not ran.rows(LogKind.RESERVE, LogKind.POST, LogKind.TRANSFER)
    assert not _at(ran, "river_bank.review", LogKind.START)


def test_held_payments_wait_for_a_person(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "hold")
    # Reviewed from 5.35 to 65.35, refused, reversed for 1 s.
    assert ran.ended("inbound") == (66_350_000, "REJECTED", "RR04")
    assert not ran.rows(LogKind.RESERVE, LogKind.POST, LogKind.TRANSFER)


def test_who_does_not_hit_is_not_kept_by_a_check_that_follows(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "after", hits="0 %")
    # Reserved at 5.1 instead of 5.35, admitted at 5.15, in the block of 5.6; 0.3 votes, 0.2 core:
    # credited at 6.1. Notified 0.1 and confirmed 0.3 later.
    assert ran.record("inbound")["credited_us"] == 6_100_000
    assert ran.ended("inbound") == (6_500_000, "COMPLETED", "NONE")
    # The desk checks as it ends, beside it, and is as busy as ever.
    starts = [row for row in ran.rows(LogKind.START) if row[4] == "river_bank.screening"]
    assert [(row[0], row[2], row[5]) for row in starts] == [(6_500_000, "inquiry.0", 250_000)]
    assert [row[5] for row in ran.rows(LogKind.FEE)] == [24_700, 8_200, 1]


def test_what_is_cleared_after_the_credit_was_only_frozen(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "after", refused="0 %")
    # Credited at 6.1; checked from 6.5 to 6.75, reviewed to 66.75, and then free; fees are charged.
    assert ran.record("inbound")["credited_us"] == 6_100_000
    assert ran.ended("inbound") == (66_750_000, "COMPLETED", "NONE")
    assert ran.balances()["customers:temple_bank:KHR"] == 4_130_000 - 24_700 - 8_200


def test_what_is_refused_after_the_credit_goes_back_on_the_next_bank_day(
    tmp_path: Path, engine: str
) -> None:
    ran = _run(tmp_path, engine, "after")
    # Noon of Wednesday the 17th: midnight is 12 h later, 10:00 of Thursday 22 h.
    assert _at(ran, "river_bank.frozen.day", LogKind.FINISH) == [(12 * HOUR, "FINISH")]
    assert _at(ran, "river_bank.frozen.hour", LogKind.FINISH) == [(22 * HOUR, "FINISH")]
    # After the block of 5.6 idle rounds double up to 107.2: 107.2 + 1 319 minutes = 79 247.2, and
    # 0.3 s of votes.
    assert ran.ended("inbound") == (22 * HOUR + 47_500_000, "RETURNED", "RR04")
    # Credited once, taken back once, and whole: every balance is as at the start, no fee charged.
    credit = [row for row in ran.rows() if "customers:temple_bank:KHR" in (row[4], row[6])]
    assert [(row[1], row[5]) for row in credit] == [
        ("TRANSFER", 4_130_000), ("RESERVE", 4_130_000), ("POST", 4_130_000),
    ]  # fmt: skip
    assert not ran.rows(LogKind.FEE)
    still = {k: v for k, v in ran.balances().items() if not k.startswith("world:")}
    assert still == {
        "river_cny_at_unionpay": 20_000,
        "river_khr_for_alipay": 10_000_000,
        "river_bank@bakong:KHR": 100_000_000,
        "temple_bank@bakong:KHR": 100_000_000,
    }


def test_frozen_money_waits_for_the_hour_of_its_desk(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "after", more='by_hand: {at: "14:30", calendars: [KH]}')
    # Control: another rule, another hour, 26.5 h after noon.
    assert _at(ran, "river_bank.frozen.hour", LogKind.FINISH) == [(int(26.5 * HOUR), "FINISH")]


def test_outward_money_abroad_comes_back_before_the_ledger_s(tmp_path: Path, engine: str) -> None:
    text = TEXT.replace("outbound: null", "inbound: null").replace(", MORE", "")
    text = text.replace("MODE", "after").replace("HITS", "100 %").replace("REFUSED", "100 %")
    ran = run(load_text(tmp_path, text), engine)
    assert ran.ended("outbound")[1:] == ("RETURNED", "RR04")
    assert ran.record("outbound")["credited_us"] is not None
    # The shop's money and River Bank's nostro on the hour; riel a confirmed reversal (1 s) later,
    # in the next block, and 0.3 s of votes. After the block of 12.0 idle rounds double again up to
    # 113.6 and come every minute from there on: 113.6 + 1 319 minutes = 79 253.6, 22 h = 79 200.
    moves = [row for row in ran.rows(LogKind.POST, LogKind.TRANSFER) if row[0] >= 22 * HOUR]
    assert [row[0] for row in moves] == [22 * HOUR] * 5 + [22 * HOUR + 53_900_000] * 2
    assert (moves[0][4:6], moves[4][6]) == (
        ("customers:unionpay_wallet:CNY", 5_000),
        "river_cny_at_unionpay",
    )
    assert moves[5][4:6] == ("river_bank@bakong:KHR", 2_804_900)
    assert ran.balances()["river_cny_at_unionpay"] == 20_000
    assert ran.balances()["temple_bank@bakong:KHR"] == 100_000_000


def test_a_check_that_is_down_leaves_its_hits_to_a_person(tmp_path: Path, engine: str) -> None:
    text = TEXT.replace(", MORE", "").replace("MODE", "after").replace("HITS", "100 %")
    down = "disruptions={down: {outage: river_bank, station: screening, after: 0 s, for: 1 h}}"
    ran = run(load_text(tmp_path, text.replace("REFUSED", "0 %"), [down]), engine)
    # Reviewed from 6.5 on without a check.
    assert ran.ended("inbound") == (66_500_000, "COMPLETED", "NONE")


@pytest.mark.parametrize(
    ("screening", "fields"),
    [
        ("{mode: decline, review_time: 1 s, officers: 2}", {"review_time", "officers"}),
        ("{mode: hold, by_hand: {at: '09:00'}}", {"by_hand"}),
        ("{mode: after, by_hand: {at: '09:00'}}", set[str]()),
    ],
)
def test_what_a_mode_has_no_use_for_is_told(
    tmp_path: Path, screening: str, fields: set[str]
) -> None:
    text = (
        f"scenario: s\nextends: MINIMAL\ninstitutions: {{river_bank: {{screening: {screening}}}}}"
    )
    found = compile_scenario(load_text(tmp_path, text), with_tables=False)
    place = ("institutions", "river_bank", "screening")
    assert {str(path[-1]) for path, _ in found.notes if path[:-1] == place} == fields

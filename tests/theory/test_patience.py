"""Payers who walk away, worked out by hand: before money moved, after it, and in a block.

All is that of the minimal scenario (see ``test_minimal_by_hand``): coming in the payer confirms at
4.3 and the gateway authorises from then on; going out he confirms at 6.5 and the money moves in the
block of 8.4, at 8.7; at home he confirms at 5.4, and the block of 6.2 is committed at 6.5.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.meaning import LogKind, Reason
from sim.explain.plan import explain_plan
from sim.report.blocks import Text
from sim.report.documents.left_open import gave_up
from sim.study.case import RunOptions
from sim.study.run import run_replication
from tests.theory.driver import Ran, load_text, run

SLOW = """
scenario: patient
extends: MINIMAL
clock: {horizon: 30 min}
rails: {alipay_plus: {authorisation_time: 100 s}, unionpay: {authorisation_time: 100 s}}
demand: {inbound: {patience: PATIENCE}, outbound: {patience: PATIENCE}, domestic: null}
"""

_TOLD = (LogKind.GONE, LogKind.LEAVE, LogKind.IN_DOUBT, LogKind.KNOWN, LogKind.VOID)


def _run(folder: Path, engine: str, patience: str, *changes: str, text: str = SLOW) -> Ran:
    return run(load_text(folder, text.replace("PATIENCE", patience), changes), engine)


def _told(ran: Ran, of: str) -> list[tuple[int, str]]:
    return [(row[0], row[1]) for row in ran.rows(*_TOLD, of=of)]


def test_who_leaves_before_the_debit_leaves_a_request_in_doubt(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "10 s")
    # Waits for the price from 1.1 (it is there at 1.3) and for the answer from 4.3: gone at 14.3.
    # The gateway works on to 104.3; a hop of 0.3, and the reversal takes 1 s.
    assert [row[0] for row in ran.rows(LogKind.PATIENCE, of="inbound")] == [1_100_000, 4_300_000]
    assert _told(ran, "inbound") == [
        (14_300_000, "GONE"), (14_300_000, "IN_DOUBT"), (104_600_000, "KNOWN"),
    ]  # fmt: skip
    assert ran.ended("inbound") == (105_600_000, "REJECTED", "DS02")
    record = ran.record("inbound")
    assert record["gone_us"] == record["doubted_us"] == 14_300_000
    assert record["known_us"] == 104_600_000
    assert not ran.rows(LogKind.POST, LogKind.TRANSFER, of="inbound")


def test_after_the_debit_the_money_goes_its_way_without_the_payer(
    tmp_path: Path, engine: str
) -> None:
    ran = _run(tmp_path, engine, "10 s")
    # Confirmed at 6.5, debited at 8.7, gone at 16.5. The gateway authorises from 8.9 to 108.9, 0.2
    # at the acquirer: credited at 109.1; hops of 0.2 and 0.1 to the end.
    assert _told(ran, "outbound") == [(16_500_000, "GONE")]
    assert [row[4] for row in ran.rows(LogKind.GONE, of="outbound")] == ["0"]
    assert ran.record("outbound")["credited_us"] == 109_100_000
    assert ran.ended("outbound") == (109_400_000, "COMPLETED", "NONE")
    assert ran.record("outbound")["gone_us"] == 16_500_000


def test_patience_that_lasts_changes_nothing_but_its_rows(tmp_path: Path, engine: str) -> None:
    ran, other = _run(tmp_path, engine, "200 s"), _run(tmp_path, engine, "1 h")
    # Control: everybody has an answer by 109.4.
    assert not ran.rows(LogKind.GONE)
    assert [row[0] for row in ran.rows()] == [row[0] for row in other.rows()]
    assert {ran.ended(name)[1] for name in ("inbound", "outbound")} == {"COMPLETED"}
    assert ran.record("inbound")["gone_us"] is None


HOME = """
scenario: home
extends: MINIMAL
demand: {inbound: null, outbound: null, domestic: {patience: PATIENCE}}
"""


def test_a_place_in_the_ledger_s_queue_is_left(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "0.5 s", "rails.bakong.round_interval=6.2 s", text=HOME)
    # Reserved at 5.4, admitted at 5.45; gone at 5.9, before the first round at 6.2.
    assert _told(ran, "domestic") == [
        (5_900_000, "GONE"), (5_900_000, "LEAVE"), (5_900_000, "VOID"),
    ]  # fmt: skip
    assert ran.ended("domestic") == (5_900_000, "REJECTED", "DS02")


def test_in_a_block_nobody_can_leave(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "0.9 s", "rails.bakong.round_interval=6.2 s", text=HOME)
    # Gone at 6.3, while the block of 6.2 is voted on; committed at 6.5, 0.2 at the payee's bank.
    assert _told(ran, "domestic") == [(6_300_000, "GONE")]
    assert ran.ended("domestic") == (6_800_000, "COMPLETED", "NONE")
    assert ran.record("domestic")["settled_us"] == 6_500_000


QUEUE = """
scenario: queue
extends: MINIMAL
clock: {horizon: 5 min}
rails: {alipay_plus: {rate_limit: 1 /min}}
demand:
  inbound:
    patience: 10 s
    payments: [{at: 1 s, amount: 41 300, merchant: 1}, {at: 1.01 s, amount: 41 300, merchant: 1}]
  outbound: null
  domestic: null
"""


def test_who_leaves_a_queue_is_in_no_doubt(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "", text=QUEUE)
    # The second stands in the queue from 4.31 on, and leaves it at 14.31; the reversal takes 1 s.
    assert _told(ran, "inbound.1") == [(14_310_000, "GONE"), (14_310_000, "LEAVE")]
    assert ran.ended("inbound.1") == (15_310_000, "REJECTED", "DS02")
    assert ran.ended("inbound")[1] == "COMPLETED"


AGAIN = QUEUE.replace(
    "    patience: 10 s",
    """    patience: 10 s
    after_failure: {retry: {most: 2, first: 1 s, jitter: 0 %}, cash: 100 %}""",
)


def test_who_has_left_tries_nothing_again_and_pays_cash(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "", text=AGAIN)
    assert not ran.rows(LogKind.RETRY)
    assert ran.ended("inbound.1") == (15_310_000, "REJECTED", "DS02")
    assert ran.record("inbound.1")["instead"] == 1


def test_nobody_fails_over_for_a_payer_who_has_left(tmp_path: Path, engine: str) -> None:
    second = """
  second:
    kind: wallet_gateway
    operator: alipay_operator
    wallet: alipay_wallet
    currency: CNY
    inbound: {live_from: 2024-10-14, settlement_currency: USD, spread: 2 %}
    authorisation_time: 0.5 s
    hop_time: 0.3 s
    technical_decline: 0 %
    settlement_agents: {river_bank: {}}
routing: {failover: 1}
demand:"""
    text = QUEUE.replace("rails: {alipay_plus: {rate_limit: 1 /min}}", "rails:\n  alipay_plus: X")
    text = text.replace("X", "{rate_limit: 1 /min, order_life: LIFE}").replace("\ndemand:", second)
    left = _run(tmp_path, engine, "", text=text.replace("LIFE", "840 s"))
    assert left.ended("inbound.1") == (15_310_000, "REJECTED", "DS02")
    # Control: an order that ends at 9.11 leaves the payer there, and the second route pays. It is
    # tried from 10.11 on, another price is asked for, and patience begins anew behind it.
    late = _run(tmp_path, engine, "", text=text.replace("LIFE", "8 s"))
    assert late.ended("inbound.1")[1] == "COMPLETED"


def test_who_leaves_while_all_is_undone_has_nothing_tried_again(
    tmp_path: Path, engine: str
) -> None:
    # The order of the second ends at 9.11; its reversal takes 10 s, and the payer is gone at 14.31.
    changes = ("rails.alipay_plus.order_life=8 s", "rails.alipay_plus.reversal_time=10 s")
    ran = _run(tmp_path, engine, "", *changes, text=AGAIN)
    assert [row[4] for row in ran.rows(LogKind.EXPIRE, of="inbound.1")] == ["AB06"]
    assert [row[4] for row in ran.rows(LogKind.GONE, of="inbound.1")] == ["0"]
    assert not ran.rows(LogKind.RETRY, of="inbound.1")
    assert ran.ended("inbound.1") == (19_110_000, "REJECTED", "DS02")


def test_the_share_who_give_up_is_a_measure(tmp_path: Path) -> None:
    ran = _run(tmp_path, "reference", "10 s")
    case = run_replication(ran.compiled, RunOptions("compiled", "none")).summary
    assert (case["gave_up_share"].value, case["gone_after_debit"].value) == (1.0, 1)
    assert case.by["corridor"]["cn_kh"]["gone_after_debit"].value == 0
    (told,) = gave_up(case)
    assert isinstance(told, Text)
    assert told.words.startswith(
        "100.0 % of payers walked away before they had an answer; 1 of them"
    )
    for_ever = load_text(tmp_path, "scenario: s\nextends: MINIMAL\n")
    case = run_replication(compile_scenario(for_ever), RunOptions("compiled", "none")).summary
    assert case["gave_up_share"].value is None
    assert not list(gave_up(case))


def test_a_plan_says_where_a_payer_can_leave(tmp_path: Path) -> None:
    ran = _run(tmp_path, "reference", "10 s")
    told = explain_plan(ran.compiled)
    assert "the payer begins to wait, where his patience ends; leaving" in told
    assert "if the payer leaves from here on, the payment goes its way" in told
    assert Reason.DS02.name in {ran.ended("inbound")[2]}


@pytest.mark.parametrize("share", ["exponential", "lognormal"])
def test_patience_is_drawn_for_each_payer(tmp_path: Path, share: str) -> None:
    law = {"exponential": "{mean: 10 s}", "lognormal": "{median: 10 s, sigma: 1}"}[share]
    listed = ", ".join(f"{{at: {at} s, amount: 41 300, merchant: 1}}" for at in range(1, 9))
    text = QUEUE.replace("10 s", f"{{{share}: {law}}}").replace(
        "{at: 1 s,", f"{listed}, {{at: 9 s,"
    )
    for engine in ("reference", "compiled"):
        ran = _run(tmp_path, engine, "", text=text)
        drawn = {(row[2], row[5]) for row in ran.rows(LogKind.PATIENCE)}
        # One payer has one patience, for the price and for the answer.
        assert len({patience for _, patience in drawn}) == len(drawn) == 10

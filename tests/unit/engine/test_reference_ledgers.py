"""Ledgers, worked out by hand: times in seconds, payments numbered from 0."""

from __future__ import annotations

import numpy as np

from sim.contract.layout import LEDGER_PSEUDO, order_key
from sim.contract.meaning import EventClass, Flag, LogKind, Op
from sim.contract.records import LedgerTotal, LogColumn, RecordColumn, histogram_bucket
from sim.draws.lookup import draw62, quantile
from tests.unit.engine.worked import SECOND, Sketch, at, run_plan

ALWAYS = 1 << 62


def add_batch(sketch: Sketch, ledger: int, **values: int) -> int:
    return sketch.builder.add_stage(Op.BATCH, "", subject=ledger, **{"cause": 3, **values})


def test_rounds_back_off_while_idle_and_recover() -> None:
    """Interval 2, longest idle gap 5, votes 0.5 s.

    Round 1 at 2 is idle: gap 4; round 2 at 6 idle: gap min(8, 5) = 5; round 3 at 11 takes the
    payment of 7, gap 2 again; it commits at 11.5; round 4 at 13 takes that of 12, round 5 at 15
    is idle (gap 4), round 6 at 19 takes that of 16.
    """
    sketch = Sketch(horizon=20)
    ledger = sketch.builder.add_ledger(
        "ledger",
        round_interval_us=2 * SECOND,
        block_limit=10,
        vote_table=sketch.constant(0.5),
        idle_max_us=5 * SECOND,
    )
    add_batch(sketch, ledger)
    sketch.completed()
    ran = run_plan(sketch.build(), at(7, 12, 16))
    assert ran.rows(LogKind.ENQUEUE, LogKind.IN_BLOCK, LogKind.COMMIT) == [
        (7, "ENQUEUE", 0, 0, ledger, -1, -1),
        (11, "IN_BLOCK", 0, 0, ledger, -1, 3),
        (11.5, "COMMIT", -1, -1, ledger, 1, 3),
        (12, "ENQUEUE", 1, 0, ledger, -1, -1),
        (13, "IN_BLOCK", 1, 0, ledger, -1, 4),
        (13.5, "COMMIT", -1, -1, ledger, 1, 4),
        (16, "ENQUEUE", 2, 0, ledger, -1, -1),
        (19, "IN_BLOCK", 2, 0, ledger, -1, 6),
        (19.5, "COMMIT", -1, -1, ledger, 1, 6),
    ]
    assert ran.times_s(0)[3] == 4.5
    # Waits: 4.5 + 1.5 + 3.5; queue area 4 + 1 + 3.
    assert ran.totals.ledger[0].tolist() == [
        3,
        3,
        8 * SECOND,
        1,
        6,
        round(9.5 * SECOND),
        0,
        0,
        0,
    ]
    counted = [histogram_bucket(round(wait * SECOND)) for wait in (1.5, 3.5, 4.5)]
    assert np.flatnonzero(ran.totals.ledger_wait[0]).tolist() == counted
    assert ran.totals.ledger_wait.sum() == 3
    # 3 arrivals, 6 rounds, 3 commits
    assert ran.totals.events == 12


def test_block_limit_and_order_within_a_second() -> None:
    """At most two per block; a payment that completes its way at 2 still joins round 1 at 2.

    Payments 0, 1 and 2 arrive at 1 by a wait of 1 s: they complete at 2 before the ledger's
    round, as pseudo payments come last. The one submitted at 2 comes after the round.
    """
    sketch = Sketch(horizon=9)
    ledger = sketch.builder.add_ledger(
        "ledger", round_interval_us=2 * SECOND, block_limit=2, vote_table=sketch.constant(0)
    )
    sketch.wait(1)
    batch = add_batch(sketch, ledger)
    sketch.completed()
    ran = run_plan(sketch.build(), at(1, 1, 1, 2))
    assert [row[:3] for row in ran.rows(LogKind.ENQUEUE, LogKind.IN_BLOCK)] == [
        (2, "ENQUEUE", 0),
        (2, "ENQUEUE", 1),
        (2, "ENQUEUE", 2),
        (2, "IN_BLOCK", 0),
        (2, "IN_BLOCK", 1),
        (3, "ENQUEUE", 3),
        (4, "IN_BLOCK", 2),
        (4, "IN_BLOCK", 3),
    ]
    keys = [int(row[LogColumn.KEY]) for row in ran.log if row[LogColumn.STAGE] == batch]
    # Step 2 r of round 1.
    assert keys[3] == order_key(EventClass.COMPLETE, LEDGER_PSEUDO - ledger, 2)


def test_vote_is_that_of_the_quorum_and_a_slow_one_delays_the_next_round() -> None:
    """Four peers, quorum 3: the third smallest of four known draws, and rounds wait for it.

    Delays are uniform between 3 and 6 s, longer than the interval of 1 s: the next round starts
    with the commit.
    """
    sketch = Sketch(horizon=30)
    table = sketch.builder.table("uniform", {"low": 3 * SECOND, "high": 6 * SECOND})
    ledger = sketch.builder.add_ledger(
        "ledger", round_interval_us=SECOND, block_limit=1, vote_table=table, peers=4
    )
    add_batch(sketch, ledger)
    sketch.completed()
    plan = sketch.build()
    ran = run_plan(plan, at(0.5, 0.5))
    purpose = sketch.builder.purpose("ledger.vote")

    def vote_us(round_: int) -> int:
        delays = sorted(
            quantile(plan.table, table, draw62(plan.ledger_key[0], round_, purpose, peer))
            for peer in range(4)
        )
        assert delays[0] < delays[1] < delays[2] < delays[3]
        return delays[2]

    first = SECOND + vote_us(1)
    commits = [
        int(row[LogColumn.TIME_US]) for row in ran.log if row[LogColumn.KIND] == LogKind.COMMIT
    ]
    assert commits == [first, first + vote_us(2)]
    # The commit of a round comes before the start of the next at the same microsecond.
    assert [row[1] for row in ran.rows() if round(row[0] * SECOND) == first] == [
        "COMMIT",
        "OUTCOME",
        "IN_BLOCK",
    ]


def test_failed_leader_costs_a_round_and_nothing_else() -> None:
    """With the threshold 2^62 every leader fails: rows from round 2 on, when somebody waits."""
    sketch = Sketch(horizon=9)
    ledger = sketch.builder.add_ledger(
        "ledger",
        round_interval_us=2 * SECOND,
        block_limit=1,
        vote_table=sketch.constant(0),
        leader_failure=ALWAYS,
    )
    add_batch(sketch, ledger)
    sketch.completed()
    ran = run_plan(sketch.build(), at(3))
    # Round 1 at 2 is idle; the longest idle gap is the interval, so round 2 comes at 4.
    assert ran.rows(LogKind.LEADER_FAILED, LogKind.OUTCOME) == [
        (4, "LEADER_FAILED", -1, -1, ledger, -1, 2),
        (6, "LEADER_FAILED", -1, -1, ledger, -1, 3),
        (8, "LEADER_FAILED", -1, -1, ledger, -1, 4),
        (9, "OUTCOME", 0, 0, 3, 0, -1),
    ]
    assert ran.totals.ledger[0, LedgerTotal.ROUNDS] == 4


def test_some_leaders_fail_by_their_own_draws() -> None:
    sketch = Sketch(horizon=30)
    ledger = sketch.builder.add_ledger(
        "ledger",
        round_interval_us=SECOND,
        block_limit=1,
        vote_table=sketch.constant(0),
        leader_failure=ALWAYS // 2,
    )
    add_batch(sketch, ledger)
    sketch.completed()
    plan = sketch.build()
    ran = run_plan(plan, at(*[0.5] * 10))
    purpose = sketch.builder.purpose("ledger.leader")
    fails = [draw62(plan.ledger_key[0], n, purpose, 0) < ALWAYS // 2 for n in range(1, 30)]
    rows = ran.rows(LogKind.LEADER_FAILED, LogKind.COMMIT)
    assert [row[1] == "LEADER_FAILED" for row in rows] == fails[: len(rows)]
    assert 0 < sum(fails[: len(rows)]) < len(rows)


def test_commit_posts_then_advances_each_payment_in_turn() -> None:
    """Both are in one block; each posts its own row and runs on before the next one posts."""
    sketch = Sketch(horizon=9)
    builder = sketch.builder
    debit, credit = builder.add_account("a", "USD"), builder.add_account("b", "USD")
    transfer = builder.add_transfer(debit, credit, 0)
    ledger = builder.add_ledger(
        "ledger", round_interval_us=2 * SECOND, block_limit=9, vote_table=sketch.constant(1)
    )
    flags = Flag.SETTLES | Flag.CREDITS
    add_batch(sketch, ledger, first=transfer, count=1, flags=flags)
    sketch.wait(1)
    sketch.completed()
    ran = run_plan(sketch.build(), at(0, 1))
    assert [row[1:] for row in ran.rows() if row[0] == 3] == [
        ("COMMIT", -1, -1, ledger, 2, 1),
        ("TRANSFER", 0, 0, debit, 1_000, credit),
        ("DELAY", 0, 1, 2, SECOND, -1),
        ("TRANSFER", 1, 0, debit, 1_000, credit),
        ("DELAY", 1, 1, 2, SECOND, -1),
    ]
    columns = (RecordColumn.SETTLED_US, RecordColumn.CREDITED_US, RecordColumn.END_US)
    assert ran.record(1, *columns) == (3 * SECOND, 3 * SECOND, 4 * SECOND)
    assert ran.totals.end_posted.tolist() == [-2_000, 2_000]

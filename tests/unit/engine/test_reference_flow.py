"""Deadlines, luck, codes, routes, the horizon and broken plans, worked out by hand."""

from __future__ import annotations

import pytest

from sim.contract.layout import NULL, order_key
from sim.contract.meaning import (
    Cause,
    EventClass,
    FeeKind,
    Flag,
    LogKind,
    Op,
    Outcome,
    Policy,
    Reason,
)
from sim.contract.records import LogColumn, RecordColumn, Register
from sim.draws.lookup import draw62
from sim.errors import InvariantViolation
from tests.unit.engine.worked import SECOND, Sketch, at, outcomes, run_plan, workload

ALWAYS = 1 << 62


def arm(sketch: Sketch, seconds: float, target: int) -> int:
    return sketch.builder.add_stage(
        Op.DEADLINE, "", value=round(seconds * SECOND), target=target, reason=Reason.AB03
    )


def test_deadline_takes_a_payment_out_of_a_queue() -> None:
    """One server, service 10, deadline 4: 0 is served beyond its own; 1 leaves the queue at 5.

    0 expires at 4 in service: its server stays busy until 10, its FINISH is orphaned, and the
    third, waiting since 8, starts then; it expires at 12, and its own FINISH comes at 20.
    """
    sketch = Sketch()
    station = sketch.builder.add_station("desk", servers=1)
    arm(sketch, 4, 3)
    sketch.serve(station, 10)
    sketch.completed()
    sketch.rejected()
    ran = run_plan(sketch.build(), at(0, 1, 8))
    assert ran.rows() == [
        (0, "SUBMIT", 0, 0, 0, 1_000, 0),
        (0, "DEADLINE", 0, 0, -1, 4 * SECOND, -1),
        (0, "START", 0, 1, station, 10 * SECOND, -1),
        (1, "SUBMIT", 1, 0, 0, 1_000, 1),
        (1, "DEADLINE", 1, 0, -1, 4 * SECOND, -1),
        (1, "JOIN", 1, 1, station, -1, -1),
        (4, "EXPIRE", 0, 1, Reason.AB03, -1, -1),
        (4, "OUTCOME", 0, 3, Outcome.REJECTED, Reason.AB03, -1),
        (5, "EXPIRE", 1, 1, Reason.AB03, -1, -1),
        (5, "LEAVE", 1, 1, station, -1, 0),
        (5, "OUTCOME", 1, 3, Outcome.REJECTED, Reason.AB03, -1),
        (8, "SUBMIT", 2, 0, 0, 1_000, 2),
        (8, "DEADLINE", 2, 0, -1, 4 * SECOND, -1),
        (8, "JOIN", 2, 1, station, -1, -1),
        (10, "FINISH", 0, 1, station, -1, -1),
        (10, "START", 2, 1, station, 10 * SECOND, -1),
        (12, "EXPIRE", 2, 1, Reason.AB03, -1, -1),
        (12, "OUTCOME", 2, 3, Outcome.REJECTED, Reason.AB03, -1),
        (20, "FINISH", 2, 1, station, -1, -1),
    ]
    assert ran.times_s(0)[Cause.SERVICE] == 4
    assert ran.times_s(1)[Cause.WAITING] == 4
    assert ran.times_s(2) == [2, 2, 0, 0, 0, 0, 0, 0]
    # 3 submitted, 3 expired, 2 completions, both orphaned
    assert ran.totals.events == 8


def test_deadline_in_transit_leaves_a_silent_orphan() -> None:
    sketch = Sketch()
    arm(sketch, 4, 3)
    sketch.wait(10)
    sketch.completed()
    sketch.rejected()
    ran = run_plan(sketch.build(), at(0))
    assert [row[:2] for row in ran.rows()] == [
        (0, "SUBMIT"),
        (0, "DEADLINE"),
        (0, "DELAY"),
        (4, "EXPIRE"),
        (4, "OUTCOME"),
    ]
    assert ran.times_s(0)[Cause.TRANSIT] == 4
    assert ran.totals.events == 3


def test_orphaned_completion_does_not_end_a_later_wait() -> None:
    """Expired at 4 in a transit of 6, it then waits 5 elsewhere: until 9, not until 6."""
    sketch = Sketch()
    arm(sketch, 4, 3)
    sketch.wait(6)
    sketch.completed()
    sketch.wait(5)
    sketch.rejected()
    ran = run_plan(sketch.build(), at(0))
    assert ran.when(LogKind.OUTCOME) == [(9, 0)]


def test_deadline_takes_a_payment_out_of_a_ledger_but_not_out_of_a_block() -> None:
    """Rounds at 5, 10; one per block, votes 3 s, deadline 6, both submitted at 1.

    0 is in the block of 5, disarmed: nothing happens to it at 7, and it is committed at 8. 1
    leaves the ledger's queue at 7.
    """
    sketch = Sketch(horizon=20)
    ledger = sketch.builder.add_ledger(
        "ledger", round_interval_us=5 * SECOND, block_limit=1, vote_table=sketch.constant(3)
    )
    arm(sketch, 6, 3)
    sketch.builder.add_stage(Op.BATCH, "", subject=ledger, cause=Cause.LEDGER)
    sketch.completed()
    sketch.rejected()
    ran = run_plan(sketch.build(), at(1, 1))
    assert [row for row in ran.rows() if row[0] > 5] == [
        (7, "EXPIRE", 1, 1, Reason.AB03, -1, -1),
        (7, "LEAVE", 1, 1, ledger, -1, 1),
        (7, "OUTCOME", 1, 3, Outcome.REJECTED, Reason.AB03, -1),
        (8, "COMMIT", -1, -1, ledger, 1, 1),
        (8, "OUTCOME", 0, 2, Outcome.COMPLETED, 0, -1),
    ]
    assert ran.times_s(1)[Cause.LEDGER] == 6
    # 2 submitted, rounds at 5, 10, 15, one commit, two expiries of which one is stale
    assert ran.totals.events == 8


def test_deadline_in_liquidity_lets_those_behind_go_on_after_the_expired_payment() -> None:
    """30 are there; 50 waits at 0, 20 behind it at 1. At 6 the 50 leaves, and 20 is reserved."""
    sketch = Sketch(horizon=20)
    builder = sketch.builder
    nostro = builder.add_account("nostro", "USD", overdraft=0)
    merchant = builder.add_account("merchant", "USD")
    builder.deposit(0, nostro, 30)
    transfer = builder.add_transfer(nostro, merchant, Register.INSTRUCTED)
    arm(sketch, 6, 4)
    builder.add_stage(Op.RESERVE, "", first=transfer, flags=Flag.QUEUE)
    builder.add_stage(Op.POST, "", first=transfer, count=1)
    sketch.completed()
    sketch.rejected()
    ran = run_plan(sketch.build(), workload({"at": 0, "amount": 50}, {"at": 1, "amount": 20}))
    assert [row[1:] for row in ran.rows() if row[0] == 6] == [
        ("EXPIRE", 0, 1, Reason.AB03, -1, -1),
        ("LEAVE", 0, 1, nostro, -1, 2),
        ("RESERVE", 1, 1, nostro, 20, merchant),
        ("OUTCOME", 0, 4, Outcome.REJECTED, Reason.AB03, -1),
        ("POST", 1, 2, nostro, 20, merchant),
        ("OUTCOME", 1, 3, Outcome.COMPLETED, 0, -1),
    ]
    assert ran.times_s(0)[Cause.LIQUIDITY] == 6


@pytest.mark.parametrize(
    ("second", "expected"), [(0, [(9.0, 0)]), (2, [(5.0, 0)]), (7, [(9.0, 0)])]
)
def test_a_second_deadline_replaces_or_disarms_the_first(
    second: float, expected: list[tuple[float, int]]
) -> None:
    """First of 4 at 0; at 3 another of 0 (none), 2 (fires at 5) or 7 (10); the way ends at 9."""
    sketch = Sketch()
    arm(sketch, 4, 5)
    sketch.wait(3)
    arm(sketch, second, 5)
    sketch.wait(6)
    sketch.completed()
    sketch.rejected()
    ran = run_plan(sketch.build(), at(0))
    assert ran.when(LogKind.OUTCOME) == expected
    assert len(ran.rows(LogKind.DEADLINE)) == (1 if second == 0 else 2)


@pytest.mark.parametrize(("threshold", "hit"), [(0, False), (ALWAYS, True)])
def test_decide_jumps_or_fails(threshold: int, hit: bool) -> None:
    sketch = Sketch()
    decide = {"value": threshold, "purpose": sketch.builder.purpose("luck")}
    sketch.builder.add_stage(Op.DECIDE, "", **decide, target=2)
    sketch.completed()
    sketch.builder.add_stage(Op.DECIDE, "", **decide, target=4, reason=Reason.RR04)
    sketch.completed()
    sketch.rejected()
    ran = run_plan(sketch.build(), at(0))
    if hit:
        assert ran.rows(LogKind.DECIDE, LogKind.FAIL) == [
            (0, "DECIDE", 0, 0, 2, -1, -1),
            (0, "FAIL", 0, 2, Reason.RR04, -1, -1),
        ]
        assert outcomes(ran) == [(0, "REJECTED", Reason.RR04)]
    else:
        assert ran.rows(LogKind.DECIDE, LogKind.FAIL) == []
        assert outcomes(ran) == [(0, "COMPLETED", 0)]


def test_decide_uses_the_payments_own_draw() -> None:
    sketch = Sketch()
    purpose = sketch.builder.purpose("luck")
    sketch.builder.add_stage(
        Op.DECIDE, "", value=ALWAYS // 3, purpose=purpose, target=2, reason=Reason.AG01
    )
    sketch.completed()
    sketch.rejected()
    plan = sketch.build()
    ran = run_plan(plan, at(*range(40)))
    hits = [draw62(plan.stream_key[0], n, purpose, 0) < ALWAYS // 3 for n in range(40)]
    assert [name == "REJECTED" for _, name, _ in outcomes(ran)] == hits
    assert 0 < sum(hits) < 40


def test_code_damaged_expired_and_valid() -> None:
    """The code is read at 2: expired at 1.9 fails, at exactly 2 it still holds."""
    sketch = Sketch()
    sketch.wait(2)
    sketch.builder.add_stage(Op.CODE, "", target=3)
    sketch.completed()
    sketch.rejected()
    rows = [
        {"at": 0, "code_state": 1, "code_expiry_us": 0},
        {"at": 0, "code_expiry_us": 1_900_000},
        {"at": 0, "code_expiry_us": 2_000_000},
    ]
    ran = run_plan(sketch.build(), workload(*rows))
    assert [reason for _, _, reason in outcomes(ran)] == [Reason.FF01, Reason.AEXR, 0]


def add_route(sketch: Sketch, name: str, **values: int) -> int:
    return sketch.builder.add_route(name, rail="rail", corridor="c", **values)


def test_fail_over_moves_time_to_retry_and_gives_fresh_luck() -> None:
    """Route 0 takes 3 s and fails with AB05; route 1 takes 2 s and completes.

    2 is the fail-over stage, which passes on to 3 when nothing is left. A third payment whose set
    has only the failing route ends there; one with an empty set never starts.
    """
    sketch = Sketch()
    builder = sketch.builder
    for number in range(8):
        builder.agents.add(f"agent-{number}")
    luck = builder.purpose("luck")
    builder.add_stage(Op.ROUTE, "", target=1, reason=Reason.AG03)
    sketch.rejected()
    builder.add_stage(Op.ROUTE, "", flags=Flag.NEXT)
    sketch.rejected()
    first = sketch.wait(3)
    builder.add_stage(Op.DECIDE, "", value=ALWAYS, purpose=luck, target=2, reason=Reason.AB05)
    second = sketch.wait(2)
    sketch.completed()
    bad = add_route(sketch, "bad", entry=first, creditor_agent=7)
    good = add_route(sketch, "good", entry=second, debtor_agent=5)
    builder.add_route_set("both", [bad, good], max_attempts=2)
    builder.add_route_set("bad only", [bad], max_attempts=2)
    builder.add_route_set("once", [bad, good], max_attempts=1)
    builder.add_route_set("none", [])
    rows = [{"at": 0, "route_set": route_set} for route_set in (0, 1, 2, 3, -1)]
    ran = run_plan(sketch.build(), workload(*rows))
    assert ran.rows(LogKind.ROUTE) == [
        (0, "ROUTE", 0, 0, bad, 0, 1),
        (0, "ROUTE", 1, 0, bad, 0, 1),
        (0, "ROUTE", 2, 0, bad, 0, 1),
        # A single untried candidate has score 0, though it stands second.
        (3, "ROUTE", 0, 2, good, 0, 2),
    ]
    assert ran.times_s(0) == [0, 0, 2, 0, 0, 0, 0, 3]
    assert outcomes(ran) == [
        (0, "COMPLETED", 0),
        (1, "REJECTED", Reason.AB05),
        (2, "REJECTED", Reason.AB05),
        (3, "REJECTED", Reason.AG03),
        (4, "REJECTED", Reason.AG03),
    ]
    columns = (
        RecordColumn.ROUTE,
        RecordColumn.ATTEMPTS,
        RecordColumn.DEBTOR_AGENT,
        RecordColumn.CREDITOR_AGENT,
    )
    assert ran.record(0, *columns) == (good, 2, 5, 7)
    assert ran.record(3, *columns) == (-1, 0, -1, -1)


def test_a_reason_of_the_payment_itself_does_not_fail_over() -> None:
    sketch = Sketch()
    builder = sketch.builder
    builder.add_stage(Op.ROUTE)
    entry = builder.add_stage(Op.CODE, "", target=2)
    builder.add_stage(Op.ROUTE, "", flags=Flag.NEXT)
    sketch.rejected()
    routes = [add_route(sketch, name, entry=entry) for name in "ab"]
    builder.add_route_set("both", routes, max_attempts=2)
    ran = run_plan(sketch.build(), workload({"at": 0, "route_set": 0, "code_state": 1}))
    assert outcomes(ran) == [(0, "REJECTED", Reason.FF01)]


def test_attempts_key_the_draws() -> None:
    """Second attempt: visit 64. The threshold lies between the two draws, so only one hits."""
    sketch = Sketch()
    builder = sketch.builder
    purpose = builder.purpose("luck")
    builder.add_stage(Op.ROUTE)
    entry = builder.add_stage(Op.DECIDE, "", value=0, purpose=purpose, target=2, reason=Reason.AB10)
    builder.add_stage(Op.ROUTE, "", flags=Flag.NEXT)
    sketch.rejected()
    routes = [add_route(sketch, name, entry=entry) for name in "ab"]
    builder.add_route_set("both", routes, max_attempts=2)
    sketch.stream(entry=0)
    # Stage 1 passes on to the fail-over stage, which passes on: no reason to try again.
    key = sketch.build().stream_key[0]
    pairs = [(n, draw62(key, n, purpose, 0), draw62(key, n, purpose, 64)) for n in range(50)]
    ordinal, first, second = next(row for row in pairs if row[1] < row[2])
    builder.set_stage(entry, value=(first + second) // 2)
    ran = run_plan(sketch.build(), workload({"at": 0, "route_set": 0, "ordinal": ordinal}))
    assert [row[4] for row in ran.rows(LogKind.ROUTE)] == routes
    assert ran.record(0, RecordColumn.ATTEMPTS, RecordColumn.REASON) == (2, Reason.NONE)


def test_cheapest_takes_margin_and_payer_fee_and_never_an_impossible_price() -> None:
    """Route scores for 1000: 30 + 0 fee, 0 margin + 25 fee, impossible (fee 1000 by creditor)."""
    sketch = Sketch()
    builder = sketch.builder
    usd = ("USD", "USD", "USD")
    pair = builder.add_pair("USD/KHR", [4_000], 1_000)
    conversion = builder.add_conversion(pair, inverted=False, spread_ppm=7_500)
    for fixed, bearer in ((25, 0), (1_000, 1)):
        builder.add_fee(
            component="fee",
            recipient="bank",
            currency="USD",
            kind=FeeKind.FIXED,
            base=Register.DEBITED,
            fixed=fixed,
            bearer=bearer,
        )
    # 1000 cost 4000 at mid, spread 0.75 %: 30.
    spread = builder.add_pricing(currencies=("KHR", "USD", "USD"), conversions=(conversion, -1))
    fee = builder.add_pricing(currencies=usd, fee_first=0, fee_count=1)
    impossible = builder.add_pricing(currencies=usd, fee_first=1, fee_count=1)
    builder.add_stage(Op.ROUTE)
    entry = sketch.completed()
    routes = [
        add_route(sketch, name, entry=entry, pricing=pricing)
        for name, pricing in (("spread", spread), ("fee", fee), ("impossible", impossible))
    ]
    builder.add_route_set("all", routes, policy=Policy.CHEAPEST)
    builder.add_route_set("two", [routes[2], routes[0]], policy=Policy.CHEAPEST)
    builder.add_route_set("tie", [routes[2], routes[2]], policy=Policy.CHEAPEST)
    rows = [{"at": 0, "route_set": route_set} for route_set in range(3)]
    ran = run_plan(sketch.build(), workload(*rows))
    assert [row[4:] for row in ran.rows(LogKind.ROUTE)] == [
        (routes[1], 25, 1),
        (routes[0], 30, 1),
        (routes[2], 1 << 61, 1),
    ]


def test_fastest_sees_queues_as_they_were_at_the_last_sample() -> None:
    """Expected: a 10 s, b 13 s. Station queue of a counts 2 s each; samples at 0, 10.

    0..2 arrive at 0 by route set "a only": one is served, two wait; the sample at 0 comes after
    them: a = 10 + 2 * 2 = 14. So at 5 route b (13) is chosen. At 10 nobody waits any more
    (service 4: starts at 4 and 8), so at 11 a (10) is.
    """
    sketch = Sketch(sample=10)
    builder = sketch.builder
    station = builder.add_station("desk", servers=1)
    builder.add_stage(Op.ROUTE)
    by_a = sketch.serve(station, 4)
    by_b = sketch.completed()
    a = add_route(sketch, "a", entry=by_a, expected_us=10 * SECOND)
    b = add_route(sketch, "b", entry=by_b, expected_us=13 * SECOND)
    builder.set_route_view(a, [(0, station, 2 * SECOND)])
    builder.add_route_set("a only", [a], policy=Policy.FASTEST)
    builder.add_route_set("both", [a, b], policy=Policy.FASTEST)
    rows = [{"at": 0, "route_set": 0}] * 3 + [
        {"at": 5, "route_set": 1},
        {"at": 11, "route_set": 1},
    ]
    ran = run_plan(sketch.build(), workload(*rows))
    assert [row[4:6] for row in ran.rows(LogKind.ROUTE)][3:] == [
        (b, 13 * SECOND),
        (a, 10 * SECOND),
    ]


def test_fastest_counts_whole_blocks_of_a_ledger() -> None:
    """Five wait, two per block: 2 intervals of 30 s more than the expected 1 s."""
    sketch = Sketch(horizon=25, sample=10)
    builder = sketch.builder
    ledger = builder.add_ledger(
        "ledger", round_interval_us=30 * SECOND, block_limit=2, vote_table=sketch.constant(1)
    )
    builder.add_stage(Op.ROUTE)
    entry = builder.add_stage(Op.BATCH, "", subject=ledger, cause=Cause.LEDGER)
    sketch.completed()
    slow = add_route(sketch, "slow", entry=entry, expected_us=SECOND)
    other = add_route(sketch, "other", entry=entry, expected_us=60 * SECOND)
    builder.set_route_view(slow, [(1, ledger, -1)])
    builder.add_route_set("both", [slow, other], policy=Policy.FASTEST)
    payments = workload(*[{"at": 1, "route_set": 0}] * 5, {"at": 11, "route_set": 0})
    ran = run_plan(sketch.build(), payments)
    chosen = [row[4:6] for row in ran.rows(LogKind.ROUTE)]
    assert chosen == [(slow, SECOND)] * 5 + [(other, 60 * SECOND)]
    assert ran.rows(LogKind.SAMPLE_LEDGER)[1] == (10, "SAMPLE_LEDGER", -1, -1, ledger, 5, 0)


def test_horizon_reports_open_payments_in_order_and_ignores_events_at_it() -> None:
    """Horizon 10: 0 would arrive exactly at 10; 1 is served; 2 waits; 3 is submitted at 10: not.

    The server of the only station is taken at 2 by payment 1.
    """
    sketch = Sketch(horizon=10)
    station = sketch.builder.add_station("desk", servers=1)
    sketch.wait(10)
    sketch.completed()
    served = sketch.serve(station, 30)
    sketch.completed()
    sketch.stream(entry=0)
    sketch.stream(entry=served)
    rows = [{"at": 0}, {"at": 2, "stream": 1}, {"at": 3, "stream": 1}, {"at": 10}]
    ran = run_plan(sketch.build(), workload(*rows))
    assert ran.rows(LogKind.OUTCOME) == [
        (10, "OUTCOME", 0, 0, Outcome.IN_PROGRESS, 0, -1),
        (10, "OUTCOME", 1, served, Outcome.IN_PROGRESS, 0, -1),
        (10, "OUTCOME", 2, served, Outcome.IN_PROGRESS, 0, -1),
    ]
    assert ran.log[-1, LogColumn.KEY] == order_key(EventClass.HORIZON, 2, 0)
    assert ran.record(1, RecordColumn.END_US, RecordColumn.DEBITED) == (NULL, NULL)
    assert [sum(ran.times_s(number)) for number in range(3)] == [10, 8, 7]
    assert (ran.totals.payments, ran.totals.events) == (3, 3)


def test_chunks_of_the_workload_do_not_matter() -> None:
    sketch = Sketch()
    sketch.serve(sketch.builder.add_station("desk", servers=1), 2)
    sketch.completed()
    plan = sketch.build()
    payments = at(*range(7))
    logs = [run_plan(plan, payments, chunk_rows).log.tolist() for chunk_rows in (1, 3, 7)]
    assert logs[0] == logs[1] == logs[2]


@pytest.mark.parametrize("seconds", [(2.0, 1.0), (-1.0, 0.0)])
def test_a_workload_that_goes_back_in_time_is_a_bug(seconds: tuple[float, ...]) -> None:
    sketch = Sketch()
    sketch.completed()
    with pytest.raises(InvariantViolation, match="goes back"):
        run_plan(sketch.build(), at(*seconds))


def test_a_program_without_an_end_is_a_bug() -> None:
    sketch = Sketch()
    sketch.wait(1)
    with pytest.raises(InvariantViolation, match=r"stage 0 leads to 1.*event 2, payment 0"):
        run_plan(sketch.build(), at(0))


def test_a_failure_without_a_target_is_a_bug() -> None:
    sketch = Sketch()
    sketch.builder.add_stage(Op.CODE)
    with pytest.raises(InvariantViolation, match="leads to -1"):
        run_plan(sketch.build(), workload({"at": 0, "code_state": 1}))


def test_an_agent_without_the_station_asked_for_is_a_bug() -> None:
    sketch = Sketch()
    sketch.builder.assign_station("one", "front", sketch.builder.add_station("front.one"))
    sketch.serve(sketch.builder.station_ref(1, "front"), 1)
    sketch.completed()
    with pytest.raises(InvariantViolation, match="nothing of kind 0"):
        run_plan(sketch.build(), workload({"at": 0, "debtor_agent": 0}))

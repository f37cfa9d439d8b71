"""The agenda, the sink and the gauges of the reference engine, apart from any operation."""

from __future__ import annotations

import pytest

from sim.contract.layout import STEP_MASK
from sim.contract.meaning import EventClass, Op
from sim.engine.reference.gauges import Gauge
from sim.engine.reference.loop import OPERATIONS, run_reference
from sim.engine.reference.run import Run
from sim.engine.reference.state import Payment, WaitingLine
from sim.errors import InvariantViolation
from tests.unit.engine.worked import SECOND, Recorder, Sketch, at


def new_run() -> Run:
    sketch = Sketch(horizon=10)
    sketch.completed()
    return Run(sketch.build(), Recorder(), OPERATIONS)


def new_payment(number: int) -> Payment:
    return Payment(
        number=number,
        stream=0,
        ordinal=number,
        route_set=-1,
        instrument=-1,
        route_set_2=-1,
        instrument_2=-1,
        instructed=1,
        payer=0,
        debtor_agent=-1,
        creditor_agent=-1,
        code_state=0,
        code_expiry_us=0,
        priority=0,
        submitted_us=0,
        at=0,
        accounted_us=0,
    )


def test_every_operation_is_there() -> None:
    assert set(OPERATIONS) == set(Op)


def test_the_key_decides_among_simultaneous_events_not_the_order_of_scheduling() -> None:
    run = new_run()
    seen: list[int] = []
    for key in (5 << 60, 1 << 60, 3 << 60, 2 << 60):
        run.schedule(7, key, lambda _, number: seen.append(number), key >> 60)
    run.environment.run(until=10)
    assert seen == [1, 2, 3, 5]
    assert run.events == 4


def test_the_same_key_twice_at_one_instant_is_a_bug() -> None:
    run = new_run()
    for _ in range(2):
        run.schedule(7, 5 << 60, lambda _: None)
    with pytest.raises(InvariantViolation, match="two events have the key"):
        run.environment.run(until=10)


def test_the_same_key_at_another_instant_is_none() -> None:
    run = new_run()
    for instant in (7, 8):
        run.schedule(instant, 5 << 60, lambda _: None)
    run.environment.run(until=10)
    assert run.events == 2


@pytest.mark.parametrize(
    ("step", "delay_us", "message"),
    [(STEP_MASK, 1, "event counter overflows"), (0, -1, "1 us in the past")],
)
def test_impossible_events_are_bugs(step: int, delay_us: int, message: str) -> None:
    run = new_run()
    payment = new_payment(3)
    payment.step = step
    with pytest.raises(InvariantViolation, match=message) as caught:
        run.schedule_step(payment, EventClass.COMPLETE, delay_us, lambda _: None)
    assert caught.value.payment == 3


def test_gauge_counts_from_the_warm_up_only() -> None:
    """3 stand over 0-6, 1 over 6-8, 2 over 8-10; warm-up 4: area 3*2 + 1*2 + 2*2, most 3."""
    gauge = Gauge(warm_up_us=4)
    gauge.move(0, +3)
    gauge.move(6, -2)
    gauge.move(8, +1)
    gauge.settle(10)
    assert (gauge.area, gauge.most) == (12, 3)


def test_gauge_forgets_what_was_over_before_the_warm_up() -> None:
    gauge = Gauge(warm_up_us=4)
    gauge.move(0, +9)
    gauge.move(4, -8)
    gauge.settle(10)
    assert (gauge.area, gauge.most) == (6, 1)


@pytest.mark.parametrize(
    ("newest_first", "ranks", "order"),
    [
        (False, [0, 0, 0], [0, 1, 2]),
        (True, [0, 0, 0], [2, 1, 0]),
        (False, [2, 1, 1], [1, 2, 0]),
    ],
)
def test_waiting_line_order(newest_first: bool, ranks: list[int], order: list[int]) -> None:
    line = WaitingLine(0, newest_first)
    for number, rank in enumerate(ranks):
        line.join(new_payment(number), 0, rank)
    taken: list[int] = []
    while len(line):
        payment = line.head()
        line.leave(payment, 1, ranks[payment.number])
        taken.append(payment.number)
    assert taken == order


def test_log_and_records_are_given_only_when_wanted() -> None:
    sketch = Sketch()
    sketch.serve(sketch.builder.add_station("desk", servers=1), 1)
    sketch.completed()
    plan = sketch.build()
    full, quiet = Recorder(), Recorder(wants_log=False)
    quiet.wants_records = False
    totals = [run_reference(plan, [at(0, 1)], sink) for sink in (full, quiet)]
    assert (len(full.logs), len(full.records)) == (1, 1)
    assert (quiet.logs, quiet.records) == ([], [])
    assert totals[0].events == totals[1].events == 4
    assert full.progress[-1] == (plan.horizon_us, 2, 4)
    assert totals[0].station.tolist() == totals[1].station.tolist()


def test_an_empty_workload_runs_to_the_horizon() -> None:
    sketch = Sketch(horizon=7, sample=2)
    sketch.completed()
    totals = run_reference(sketch.build(), [], Recorder())
    # samples at 0, 2, 4, 6
    assert (totals.payments, totals.events) == (0, 4)


def test_long_runs_hand_over_their_rows_on_the_way() -> None:
    """7000 payments make 21000 rows, more than one chunk, in order and complete."""
    sketch = Sketch(horizon=8_000)
    sketch.wait(0.5)
    sketch.completed()
    sink = Recorder()
    run_reference(sketch.build(), [at(*range(7_000))], sink)
    assert len(sink.logs) == 2
    assert sum(len(rows) for rows in sink.logs) == 21_000
    times = [int(row[0]) for rows in sink.logs for row in rows]
    assert times == sorted(times)
    assert times[-1] == 6_999 * SECOND + SECOND // 2

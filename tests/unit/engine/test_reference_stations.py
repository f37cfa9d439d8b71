"""Stations, worked out by hand: times in seconds, payments numbered from 0."""

from __future__ import annotations

import pytest

from sim.contract.layout import STATION_PSEUDO, order_key
from sim.contract.meaning import Discipline, EventClass, LogKind, Outcome, Reason, WhenClosed
from sim.contract.records import LogColumn, RecordColumn, StationTotal
from tests.unit.engine.worked import SECOND, Sketch, at, outcomes, run_plan, workload

START, FINISH, JOIN = LogKind.START, LogKind.FINISH, LogKind.JOIN


def test_one_server_whole_log() -> None:
    """Arrivals 0, 1, 3; service 3: busy 0-3, 3-6, 6-9. At 3: COMPLETE comes before SUBMIT."""
    sketch = Sketch()
    station = sketch.builder.add_station("desk", servers=1)
    sketch.serve(station, 3)
    sketch.completed()
    ran = run_plan(sketch.build(), at(0, 1, 3))
    assert ran.rows() == [
        (0, "SUBMIT", 0, 0, 0, 1_000, 0),
        (0, "START", 0, 0, 0, 3 * SECOND, -1),
        (1, "SUBMIT", 1, 0, 0, 1_000, 1),
        (1, "JOIN", 1, 0, 0, -1, -1),
        (3, "FINISH", 0, 0, 0, -1, -1),
        (3, "START", 1, 0, 0, 3 * SECOND, -1),
        (3, "OUTCOME", 0, 1, Outcome.COMPLETED, 0, -1),
        (3, "SUBMIT", 2, 0, 0, 1_000, 2),
        (3, "JOIN", 2, 0, 0, -1, -1),
        (6, "FINISH", 1, 0, 0, -1, -1),
        (6, "START", 2, 0, 0, 3 * SECOND, -1),
        (6, "OUTCOME", 1, 1, Outcome.COMPLETED, 0, -1),
        (9, "FINISH", 2, 0, 0, -1, -1),
        (9, "OUTCOME", 2, 1, Outcome.COMPLETED, 0, -1),
    ]
    # The queued payment starts inside the event of the one that finished: its key.
    assert ran.log[5, LogColumn.KEY] == order_key(EventClass.COMPLETE, 0, 1)
    assert ran.times_s(2) == [3, 3, 0, 0, 0, 0, 0, 0]
    assert ran.totals.events == 6
    assert ran.totals.payments == 3
    # Queue: one waits 1-3, another 3-6.
    expected = [9 * SECOND, 5 * SECOND, 1, 3, 5 * SECOND, 0]
    assert ran.totals.station[0].tolist() == expected
    assert ran.totals.station_wait.sum() == 3
    assert ran.totals.station_wait[0, 0] == 1


@pytest.mark.parametrize(
    ("discipline", "order"),
    [
        (Discipline.FIFO, [0, 1, 2, 3]),
        # at 10, when 0 finishes, the newest is 3
        (Discipline.LIFO, [0, 3, 2, 1]),
        # streams of priority 5, 5, 1, 5: payment 2 first, then first in first out
        (Discipline.PRIORITY, [0, 2, 1, 3]),
    ],
)
def test_queue_order(discipline: Discipline, order: list[int]) -> None:
    sketch = Sketch()
    station = sketch.builder.add_station("desk", servers=1, discipline=discipline)
    sketch.serve(station, 10)
    sketch.completed()
    sketch.stream(priority=5)
    sketch.stream(priority=1)
    payments = workload(*({"at": i, "stream": int(i == 2)} for i in range(4)))
    ran = run_plan(sketch.build(), payments)
    assert ran.when(START) == [(10.0 * i, payment) for i, payment in enumerate(order)]


def test_ties_on_one_second_follow_the_key() -> None:
    """Two servers, all submitted at 0, service 2: at 2 the completions go by payment, 0 then 1.

    Each starts the next waiting one before the later completion is looked at.
    """
    sketch = Sketch()
    sketch.serve(sketch.builder.add_station("desk", servers=2), 2)
    sketch.completed()
    ran = run_plan(sketch.build(), at(0, 0, 0, 0))
    assert [row[1:3] for row in ran.rows(START, FINISH) if row[0] == 2] == [
        ("FINISH", 0),
        ("START", 2),
        ("FINISH", 1),
        ("START", 3),
    ]


def test_full_queue_refuses() -> None:
    """One served, one waits, the third is refused and ends rejected with the stage's reason."""
    sketch = Sketch()
    station = sketch.builder.add_station("desk", servers=1, queue_limit=1)
    sketch.serve(station, 5, target=2, reason=Reason.MS03)
    sketch.completed()
    sketch.rejected()
    ran = run_plan(sketch.build(), at(0, 1, 2))
    assert ran.rows(LogKind.FAIL) == [(2, "FAIL", 2, 0, Reason.MS03, -1, -1)]
    assert outcomes(ran)[2] == (2, "REJECTED", Reason.MS03)
    assert ran.totals.station[0, StationTotal.REFUSED] == 1


def test_rate_limit_spaces_starts_and_wakes_up() -> None:
    """Two per 3 s, service 0.25 s, five at once.

    tat is in seconds times 2. Start at 0: tat 3; next when 2 now >= 3: 1.5. Then tat 6: 3.0;
    tat 9: 4.5; tat 12: 6.0. The last arrives at 7, when tat = 15 is 7.5.
    """
    sketch = Sketch()
    station = sketch.builder.add_station("desk", servers=4, rate_count=2, rate_period_us=3 * SECOND)
    sketch.serve(station, 0.25)
    sketch.completed()
    ran = run_plan(sketch.build(), at(0, 0, 0, 0, 0, 7))
    starts = [(0.0, 0), (1.5, 1), (3.0, 2), (4.5, 3), (6.0, 4), (7.5, 5)]
    assert ran.when(START) == starts
    keys = [row[LogColumn.KEY] for row in ran.log if row[LogColumn.KIND] == START]
    assert keys[1:] == [
        order_key(EventClass.COMPLETE, STATION_PSEUDO - station, wake_up) for wake_up in range(5)
    ]
    # 6 submitted, 6 completed, 5 wake-ups
    assert ran.totals.events == 17


def test_wake_up_is_rounded_up_to_the_microsecond() -> None:
    """3 per 1 s: tat = 10^6 after the start at 0, so the next at ceil(10^6 / 3) us = 333334."""
    sketch = Sketch()
    station = sketch.builder.add_station("desk", rate_count=3, rate_period_us=SECOND)
    sketch.serve(station, 0)
    sketch.completed()
    ran = run_plan(sketch.build(), at(0, 0, 0))
    times = [int(row[LogColumn.TIME_US]) for row in ran.log if row[LogColumn.KIND] == START]
    # The second was due at 10^6 / 3, the third is at 2 * 10^6 / 3: each rounded up by itself.
    assert times == [0, 333_334, 666_667]


def test_nobody_overtakes_at_the_instant_of_a_wake_up() -> None:
    """One start per 2 s. 0 starts at 0, 1 waits; 2 comes by a wait of 2 s, exactly at the wake-up.

    Its completion has the lower key and is handled first, when the rate already allows: it must
    join behind 1, which the wake-up starts; 2 starts at 4.
    """
    sketch = Sketch()
    station = sketch.builder.add_station("desk", rate_count=1, rate_period_us=2 * SECOND)
    sketch.wait(2)
    served = sketch.serve(station, 0.5)
    sketch.completed()
    sketch.stream(entry=served)
    sketch.stream(entry=0)
    rows = [{"at": 0}, {"at": 0}, {"at": 0, "stream": 1}]
    ran = run_plan(sketch.build(), workload(*rows))
    assert ran.when(JOIN) == [(0, 1), (2, 2)]
    assert ran.when(START) == [(0, 0), (2, 1), (4, 2)]


def test_wake_up_that_finds_no_server_leaves_it_to_the_next_finish() -> None:
    """One server, service 2, one per second.

    Payment 1 joins at 0 with the server busy: no wake-up. At 2 the server is free and the rate
    allows. Payment 2 likewise at 4. No wake-up event in all: 3 + 3 events.
    """
    sketch = Sketch()
    station = sketch.builder.add_station("desk", servers=1, rate_count=1, rate_period_us=SECOND)
    sketch.serve(station, 2)
    sketch.completed()
    ran = run_plan(sketch.build(), at(0, 0, 0))
    assert ran.when(START) == [(0, 0), (2, 1), (4, 2)]
    assert ran.totals.events == 6


def test_closed_station_makes_wait_or_rejects() -> None:
    """Closed 2-10. The service of 0-5 goes on; those of 1 and 3 wait (or 3 is rejected)."""
    for when_closed in WhenClosed:
        sketch = Sketch()
        station = sketch.builder.add_station(
            "desk", servers=1, when_closed=when_closed, reason_closed=Reason.AB08
        )
        sketch.builder.close_station(station, 2 * SECOND, 10 * SECOND)
        sketch.serve(station, 5, target=2, reason=Reason.MS03)
        sketch.completed()
        sketch.rejected()
        ran = run_plan(sketch.build(), at(0, 1, 3))
        assert ran.rows(LogKind.CLOSE) == [(2, "CLOSE", -1, -1, station, -1, -1)]
        assert ran.rows(LogKind.OPEN) == [(10, "OPEN", -1, -1, station, -1, -1)]
        assert ran.when(FINISH)[0] == (5, 0)
        if when_closed == WhenClosed.WAIT:
            assert ran.when(START) == [(0, 0), (10, 1), (15, 2)]
            assert ran.totals.station[0, StationTotal.REFUSED] == 0
        else:
            assert ran.when(START) == [(0, 0), (10, 1)]
            assert outcomes(ran)[2] == (2, "REJECTED", Reason.AB08)
            assert ran.totals.station[0, StationTotal.REFUSED] == 1


def test_opening_is_handled_before_completions_and_arrivals_of_its_second() -> None:
    """Closed 0-4; 0 waits since 0. At 4 the station opens and starts 0; then 1 is submitted."""
    sketch = Sketch()
    station = sketch.builder.add_station("desk", servers=1)
    sketch.builder.close_station(station, 0, 4 * SECOND)
    sketch.serve(station, 1)
    sketch.completed()
    ran = run_plan(sketch.build(), at(0, 4))
    assert [row[:3] for row in ran.rows() if row[0] == 4] == [
        (4, "OPEN", -1),
        (4, "START", 0),
        (4, "SUBMIT", 1),
        (4, "JOIN", 1),
    ]


def test_station_by_role_is_that_of_the_payments_agent() -> None:
    sketch = Sketch()
    builder = sketch.builder
    for name in ("one", "two"):
        builder.assign_station(name, "front", builder.add_station(f"front.{name}"))
    sketch.serve(builder.station_ref(0, "front"), 1)
    sketch.serve(builder.station_ref(1, "front"), 1)
    sketch.completed()
    ran = run_plan(sketch.build(), workload({"at": 0, "debtor_agent": 1, "creditor_agent": 0}))
    assert [row[4] for row in ran.rows(START)] == [1, 0]


def test_totals_count_from_the_warm_up() -> None:
    """Arrivals 0, 0, 0; one server, service 4; warm-up 6, horizon 10.

    Busy all the time: 4 s of [6, 10). Queue: 2 until 4, 1 until 8: 2 s. Most: 1, which stands at
    the warm-up. One start counts (at 8), with a wait of 8. The last is in progress.
    """
    sketch = Sketch(horizon=10, warm_up=6)
    sketch.serve(sketch.builder.add_station("desk", servers=1), 4)
    sketch.completed()
    ran = run_plan(sketch.build(), at(0, 0, 0))
    assert ran.totals.station[0].tolist() == [4 * SECOND, 2 * SECOND, 1, 1, 8 * SECOND, 0]
    assert ran.record(2, RecordColumn.OUTCOME) == (Outcome.IN_PROGRESS,)
    assert ran.times_s(2) == [8, 2, 0, 0, 0, 0, 0, 0]


def test_samples_show_queue_and_busy_servers() -> None:
    """One server, service 5, arrivals 0, 1, 2; samples at 0, 2, 4 below the horizon 6."""
    sketch = Sketch(horizon=6, sample=2)
    sketch.serve(sketch.builder.add_station("desk", servers=1), 5)
    sketch.completed()
    ran = run_plan(sketch.build(), at(0, 1, 2))
    # At 2 the arrival of the third comes first: two wait.
    assert ran.rows(LogKind.SAMPLE_STATION) == [
        (0, "SAMPLE_STATION", -1, -1, 0, 0, 1),
        (2, "SAMPLE_STATION", -1, -1, 0, 2, 1),
        (4, "SAMPLE_STATION", -1, -1, 0, 2, 1),
    ]

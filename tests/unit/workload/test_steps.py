"""Steps multiply a rate from instants on, exactly, with or without a profile below them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.plan import Array
from sim.contract.records import WorkloadColumn
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.study.compile_case import compile_replication, depends_on_replication, expected_submitted
from sim.units import HOUR_US, MINUTE_US, SECOND_US
from sim.workload.arrivals import HAZARD_UNIT, hazard_path
from tests.equivalence.compared import run_both
from tests.theory.oracle import BOUND

ONE = 10**9
PHNOM_PENH = timezone(timedelta(hours=7))
SEED = 7
YAML = """
scenario: surge
clock: {start: 2025-09-17T18:00:00+07:00, horizon: 10 min}
rails:
  shop:
    kind: generic
    stations: {till: {servers: 4}}
    stages: [{name: service, serve: till, time: {exponential: {mean: 1 s}}}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  customers: {corridor: inside, rate: 3 /s, steps: {7 min: 0, 4 min: 2.5, 8 min: 1}}
"""


def _path(**changes: Any) -> tuple[Array, Array]:
    parts: dict[str, Any] = {
        "rate_numerator": 2,
        "rate_denominator": SECOND_US,
        "horizon_us": MINUTE_US,
        "start": datetime(2025, 9, 1, tzinfo=PHNOM_PENH),
        "hourly": None,
        "weekday": None,
        "burst_sigma_ppb": 0,
        "profile_name": "flat",
        "seed": 0,
        "replication": 0,
    }
    return hazard_path(**(parts | changes))


def _surge(folder: Path) -> Path:
    path = folder / "surge.yaml"
    path.write_text(YAML, encoding="utf-8")
    return path


def test_breakpoints_are_the_steps_and_both_ends() -> None:
    # Two a second: 10 s alone give 20, 20 s threefold 120 more, a lull of 15 s none, and 15 s at
    # a quarter 2 x 15 / 4 = 7.5.
    steps = ((10 * SECOND_US, 3 * ONE), (30 * SECOND_US, 0), (45 * SECOND_US, ONE // 4))
    time_us, hazard = _path(steps=steps)
    assert (time_us // SECOND_US).tolist() == [0, 10, 30, 45, 60]
    assert hazard.tolist() == [
        0,
        20 * HAZARD_UNIT,
        140 * HAZARD_UNIT,
        140 * HAZARD_UNIT,
        147 * HAZARD_UNIT + HAZARD_UNIT // 2,
    ]


@pytest.mark.parametrize(
    ("steps", "times", "last"),
    [
        # From the very start: no point of its own. At or after the end: never reached.
        (((0, 2 * ONE),), [0, 60], 240),
        (((0, 2 * ONE), (60 * SECOND_US, 9 * ONE)), [0, 60], 240),
        (((90 * SECOND_US, 9 * ONE),), [0, 60], 120),
    ],
)
def test_steps_at_the_ends_add_no_points(
    steps: tuple[tuple[int, int], ...], times: list[int], last: int
) -> None:
    time_us, hazard = _path(steps=steps)
    assert (time_us // SECOND_US).tolist() == times
    assert int(hazard[-1]) == last * HAZARD_UNIT


def test_steps_multiply_the_course_of_the_day_and_keep_its_minutes() -> None:
    # 00:59:30 to 01:01:30: hours 0 and 1 weigh 1 and 3 of 24 x 2 = 48 in all, so a rate of 2 /s on
    # average is 1 /s and then 3 /s. From 00:59:45 on it is doubled, from 01:00:30 on tenfold.
    start = datetime(2025, 9, 1, 0, 59, 30, tzinfo=PHNOM_PENH)
    hourly = [1, 3, *[2] * 22]
    steps = ((15 * SECOND_US, 2 * ONE), (60 * SECOND_US, 10 * ONE))
    time_us, hazard = _path(start=start, hourly=hourly, horizon_us=2 * MINUTE_US, steps=steps)
    assert (time_us // SECOND_US).tolist() == [0, 15, 30, 60, 90, 120]
    expected = np.cumsum([0, 15 * 1, 15 * 2, 30 * 6, 30 * 30, 30 * 30])
    assert hazard.tolist() == (expected * HAZARD_UNIT).tolist()


def test_steps_leave_the_bursts_of_the_minutes_as_they_are() -> None:
    plain = _path(burst_sigma_ppb=2 * 10**8, horizon_us=HOUR_US)[1]
    steps = ((30 * MINUTE_US, 2 * ONE),)
    stepped = _path(burst_sigma_ppb=2 * 10**8, horizon_us=HOUR_US, steps=steps)[1]
    assert (stepped[:31] == plain[:31]).all()
    # Each point is rounded down on its own, so a difference may be off by one, doubled by two.
    assert np.abs(np.diff(stepped)[30:] - 2 * np.diff(plain)[30:]).max() <= 3


def test_a_multiple_of_one_changes_nothing() -> None:
    weights = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4]
    plain = _path(hourly=weights, burst_sigma_ppb=10**8, rate_denominator=7_000_003)
    same = _path(
        hourly=weights, burst_sigma_ppb=10**8, rate_denominator=7_000_003, steps=((0, ONE),)
    )
    assert (plain[0] == same[0]).all()
    assert (plain[1] == same[1]).all()


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (((5, ONE), (5, 2 * ONE)), "each after the one before"),
        (((9, ONE), (5, 2 * ONE)), "each after the one before"),
        (((-1, ONE),), "must be 0 or more"),
        (((1, -ONE),), "must be 0 or more"),
        (((1, 10**20),), "can be counted"),
    ],
)
def test_impossible_steps_are_refused_in_words(
    steps: tuple[tuple[int, int], ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        _path(steps=steps)


def test_steps_are_read_in_any_order_and_survive_being_resolved(tmp_path: Path) -> None:
    loaded = load_scenario(_surge(tmp_path))
    text = dump_resolved(loaded.document)
    again = tmp_path / "again.yaml"
    again.write_text(text, encoding="utf-8")
    assert load_scenario(again).scenario.demand == loaded.scenario.demand
    demand = compile_scenario(loaded, with_tables=False).demands[0]
    assert (demand.hazard_time_us // MINUTE_US).tolist() == [0, 4, 7, 8, 10]
    # 3 /s: 4 minutes of 180, 3 of 450, a lull, 2 of 180 again.
    assert (demand.hazard // HAZARD_UNIT).tolist() == [0, 720, 2070, 2070, 2430]


def test_steps_are_no_luck_and_count_among_what_is_expected(tmp_path: Path) -> None:
    text = dump_resolved(load_scenario(_surge(tmp_path)).document)
    quick = compile_replication(text, SEED, 3)
    assert not depends_on_replication(quick)
    assert expected_submitted(quick) == 2430
    slow = compile_scenario(load_scenario(_surge(tmp_path)), seed=SEED, replication=3)
    for one, other in zip(quick.workload(), slow.workload(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.slow
def test_engines_agree_where_demand_has_steps(tmp_path: Path) -> None:
    compiled = compile_scenario(load_scenario(_surge(tmp_path)), seed=SEED)
    workload = np.concatenate(list(compiled.workload()))
    kept = run_both(compiled.plan, workload, chunk=331)
    assert len(kept.record) == len(workload)


@pytest.mark.parametrize(("rate", "agrees"), [(1.0, True), (0.95, False)])
def test_arrivals_follow_the_steps(tmp_path: Path, rate: float, agrees: bool) -> None:
    # A hundredfold rate, so that 5 % less (the negative control) is seen in every part.
    loaded = load_scenario(_surge(tmp_path), (f"demand.customers.rate={300 * rate} /s", "seed=11"))
    rows = np.concatenate(list(compile_scenario(loaded).workload()))
    minute = rows[:, WorkloadColumn.TIME_US] // MINUTE_US
    found = np.bincount(minute, minlength=10).astype(float)
    expected = 300 * 60 * np.array([1, 1, 1, 1, 2.5, 2.5, 2.5, 0, 1, 1])
    assert found[7] == 0
    score = np.abs(found - expected) / np.sqrt(np.maximum(expected, 1))
    assert bool((score <= BOUND).all()) is agrees
    assert agrees or bool((score[expected > 0] > BOUND).all())

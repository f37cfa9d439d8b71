"""A ramp finds where the service level breaks and where completed load stops following."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.contract.layout import NULL
from sim.contract.meaning import Outcome
from sim.contract.plan import Array
from sim.contract.records import RECORD_WIDTH, RecordColumn
from sim.report.documents.stress import sentences
from sim.study.compile_case import compile_replication
from sim.study.slo import parse_slo
from sim.study.stress.demand import product_of_steps
from sim.study.stress.output import as_json_object
from sim.study.stress.points import StressPlan
from sim.study.stress.ramp import (
    Crossing,
    Ramp,
    first_flat,
    first_missed,
    interval_misses,
    run_ramp,
)
from sim.study.stress.series import IntervalSink
from sim.study.stress.study import run_stress
from sim.study.stress.tables import main_table
from sim.units import SECOND_US
from tests.support.loads import GATE, load_test, load_text, made_up_interval, made_up_run
from tests.support.tiny import SEED, tiny_text

ONE = 10**9
STREAM, COMPLETED, REFUSED, OPEN = 0, Outcome.COMPLETED, Outcome.REJECTED, Outcome.IN_PROGRESS
CHINA = Path(__file__).parents[4] / "scenarios" / "china-two-way.yaml"


def _records(*payments: tuple[float, float | None, int]) -> Array:
    rows = np.zeros((len(payments), RECORD_WIDTH), dtype=np.int64)
    for row, (came, ended, outcome) in zip(rows, payments, strict=True):
        end = NULL if ended is None else int(ended * SECOND_US)
        row[RecordColumn.SUBMITTED_US] = int(came * SECOND_US)
        row[RecordColumn.END_US], row[RecordColumn.OUTCOME] = end, outcome
        row[RecordColumn.CREDITED_US] = end if outcome == COMPLETED else NULL
    return rows


def test_payments_count_where_they_were_submitted_and_where_they_ended(tmp_path: Path) -> None:
    plan = compile_replication(tiny_text(tmp_path), SEED, 0).plan
    edges = [0, 10 * SECOND_US, 20 * SECOND_US]
    sink = IntervalSink(plan, edges, ("customers",), (0.5, 0.99))
    # Five in the first ten seconds: two end in them (4 s, 2 s), one in the next (8 s), one is
    # refused, one never ends. One in the next ten ends in its own. One comes after them.
    sink.take_records(_records((1, 5, COMPLETED), (2, 4, COMPLETED), (3, 11, COMPLETED)))
    sink.take_records(
        _records((4, 4, REFUSED), (5, None, OPEN), (10, 12, COMPLETED), (20, 21, COMPLETED))
    )
    first, second = sink.figures([3, 1])
    assert (first.offered, first.completed, first.ended) == (5, 2, 3)
    assert (second.offered, second.completed, second.ended) == (1, 2, 2)
    assert (first.submitted, first.succeeded, first.still_open) == (5, 3, 1)
    assert first.success_rate == 0.75
    assert (first.backlog, second.backlog) == (3, 1)
    # Of 2, 4, 8 s and one unfinished the second is the median; the 99th percentile is unknown.
    assert first.quantile(0.5) == pytest.approx(4, rel=1 / 256)
    assert first.quantile(0.99) is None
    assert second.quantile(0.99) == pytest.approx(2, rel=1 / 256)
    assert first.offered_rate == 0.5


def test_other_demand_is_not_the_load(tmp_path: Path) -> None:
    plan = compile_replication(tiny_text(tmp_path), SEED, 0).plan
    sink = IntervalSink(plan, [0, 10 * SECOND_US], ())
    sink.take_records(_records((1, 5, COMPLETED)))
    [part] = sink.figures()
    assert (part.offered, part.completed, part.submitted) == (0, 0, 1)


def test_steps_multiply_steps() -> None:
    own = ((10, 2 * ONE), (30, ONE // 2))
    stairs = ((0, ONE // 4), (20, ONE))
    # Up to 10 a quarter, then doubled, from 20 on 2 x 1, from 30 on 0.5 x 1.
    assert product_of_steps(own, stairs) == (
        (0, ONE // 4),
        (10, ONE // 2),
        (20, 2 * ONE),
        (30, ONE // 2),
    )
    assert product_of_steps((), stairs) == stairs


@pytest.mark.parametrize(
    ("part", "misses"),
    [
        (made_up_interval(2000, 2000, p99=4.0), ()),
        (made_up_interval(2000, 2000, p99=6.0), ("end_to_end_p99 <= 5 missed: 6",)),
        (made_up_interval(2000, 2000, p99=None), ("end_to_end_p99 <= 5 missed: unfinished",)),
        (made_up_interval(900, 900, p99=6.0), None),
        # Those still under way at the very end count: their time is at least known to be long.
        (
            made_up_interval(2000, 900, p99=None, still_open=800),
            ("end_to_end_p99 <= 5 missed: unfinished",),
        ),
    ],
)
def test_an_interval_is_judged_where_it_has_the_payments(
    part: object, misses: tuple[str, ...] | None
) -> None:
    assert interval_misses(parse_slo("p99<=5s"), part) == misses  # type: ignore[arg-type]


def test_what_is_not_known_by_interval_is_not_judged() -> None:
    part = made_up_interval(100, 90)
    assert interval_misses(parse_slo("station/x.gate/utilisation<=80%"), part) is None
    assert interval_misses(parse_slo("success>=80%"), part) == ()
    assert interval_misses(parse_slo("success>=95%"), part) == ("success_rate >= 0.95 missed: 0.9",)


def test_the_first_interval_missed_is_the_first() -> None:
    series = [made_up_interval(2000, 2000, p99=time) for time in (1.0, 6.0, 4.0, 9.0)]
    assert first_missed(parse_slo("p99<=5s"), series) == 1
    assert first_missed(parse_slo("p99<=10s"), series) is None


@pytest.mark.parametrize(
    ("completed", "at"),
    [
        # Offered 1000, 2000, ..., 6000.
        ((1000, 2000, 3000, 4000, 4400, 4400), 4),
        ((1000, 2000, 3000, 4000, 5000, 6000), None),
        # A dip that recovers is no ceiling.
        ((1000, 2000, 2500, 4000, 5000, 6000), None),
        # One in ten is refused always; that is no ceiling, 4000 of 6000 is.
        ((900, 1800, 2700, 3600, 4500, 4000), 5),
        # Three deviations of 6000 are 232: 300 fewer are more than luck, 130 are not.
        ((1000, 2000, 3000, 4000, 5000, 5700), 5),
        ((1000, 2000, 3000, 4000, 5000, 5870), None),
    ],
)
def test_completed_load_is_flat_from_where_it_follows_no_more(
    completed: tuple[int, ...], at: int | None
) -> None:
    series = [
        made_up_interval(1000 * number, done) for number, done in enumerate(completed, start=1)
    ]
    assert first_flat(series) == (None if at is None else at)


def test_payments_under_way_after_a_jump_are_not_lacking() -> None:
    # 60 a minute and 10 under way: they stay 10 s. At 1200 a minute 19 a second more come, so 190
    # more are under way at the end: 1010 completed are all there can be; of 880 another 130 lack,
    # more than three deviations of 1200, which are 104.
    calm = [replace(made_up_interval(60, 60), backlog=10)] * 5
    assert first_flat([*calm, made_up_interval(1200, 1010)]) is None
    assert first_flat([*calm, made_up_interval(1200, 880)]) == 5


def test_a_crossing_lies_between_two_stairs() -> None:
    # Missed on the third stair and on the fourth: stairs before 20 and 30, reached 30 and 40. Half
    # a t interval of two values 10 apart: 12.7062 * 7.0711 / sqrt(2) = 63.531.
    late = [made_up_interval(2000, 2000, p99=time) for time in (1.0, 1.0, 1.0, 6.0)]
    early = [made_up_interval(2000, 2000, p99=time) for time in (1.0, 1.0, 6.0, 6.0)]
    plan = StressPlan(parse_slo("p99<=5s"), ("customers",), 1)
    runs = tuple(replace(made_up_run(1.0), series=tuple(series)) for series in (early, late))
    ramp = Ramp(plan, 40.0, (10.0, 20.0, 30.0, 40.0), runs)
    found = ramp.missed
    assert found is not None
    assert (found.value, found.low, found.count) == (35.0, 0.0, 2)
    assert found.high == pytest.approx(35 + 63.531, abs=0.001)
    assert Ramp(plan, 40.0, ramp.loads, runs[:1]).missed == Crossing(30.0, 20.0, 30.0, 1)
    assert ramp.reasons[0] == "at 30 payments/s end_to_end_p99 <= 5 missed: 6"


def test_a_small_count_that_lacks_by_luck_is_not_flat() -> None:
    series = [made_up_interval(40, 40) for _ in range(5)] + [made_up_interval(40, 38)]
    assert first_flat(series) is None


@pytest.mark.slow
def test_a_ramp_over_a_gate_flattens_at_its_rate(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, GATE)
    test = load_test(loaded, "p90<=5s", profile="ramp", ramp_window_s=4200)
    found = run_stress(test, 40.0)
    ramp = found.ramp
    assert ramp is not None
    assert ramp.loads[0] == pytest.approx(10)
    assert ramp.loads[-1] == pytest.approx(50)
    for run in ramp.runs:
        assert not run.faults
        for load, part in zip(ramp.loads, run.series, strict=True):
            assert abs(part.offered - load * 200) <= 4 * np.sqrt(load * 200)
            assert part.completed <= 40.5 * 200
    flat, missed = ramp.flattened, ramp.missed
    assert flat is not None
    assert missed is not None
    assert flat.count == missed.count == 3
    # The stair above 40 is 42; a queue takes time to be felt.
    assert 40 <= flat.value <= 44
    assert flat.value <= missed.value <= 50
    assert found.verdict == "PASS"
    text = " ".join(sentences(found))
    assert "first missed at" in text
    assert "stopped following at" in text
    assert "Bottleneck: shop.gate" in text
    content = as_json_object(found)
    unit = {"unit": "payments/s"}
    assert content["capacity"] == {"value": None, "low": None, "high": None} | unit
    assert content["points"] == []
    assert content["ramp"]["flattened"]["value"] == flat.value  # type: ignore[index, call-overload]
    assert len(main_table(found).rows) == len(ramp.loads)


@pytest.mark.slow
def test_a_ramp_misses_its_reference_where_it_is_above_capacity(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, GATE)
    test = load_test(loaded, "p90<=5s", profile="ramp", replications=1)
    found = run_stress(test, 80.0)
    assert found.verdict == "FAIL"
    assert found.is_valid
    assert "payments/s end_to_end_p90 <= 5 missed" in found.reasons[0]


@pytest.mark.slow
def test_a_ramp_too_thin_to_judge_fails_as_no_measurement(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, GATE)
    found = run_stress(load_test(loaded, profile="ramp", replications=1), 2.0)
    assert found.verdict == "FAIL"
    assert not found.is_valid
    assert "completions" in found.reasons[0]


@pytest.mark.slow
def test_a_ramp_multiplies_the_course_of_the_day_with_its_bursts() -> None:
    from sim.scenario.scenario import load_scenario

    loaded = load_scenario(CHINA, ("demand.domestic_usd=null", "corridors.kh_usd=null"))
    test = load_test(loaded, "p50<=60s", replications=1, profile="ramp", streams=("domestic_khr",))
    ramp = run_ramp(test, 40.0)
    [run] = ramp.runs
    # Arrivals differ from the stairs by the bursts (20 %), not from what was expected with them.
    assert not run.faults
    ratio = np.array([part.offered_rate for part in run.series]) / np.array(ramp.loads)
    assert abs(np.log(ratio)).max() < 4 * 0.2
    assert np.log(ratio).std() > 0.05
    # The travellers are not among what scales.
    crossing = sum(part.submitted for part in run.series)
    assert 0 < crossing < sum(part.offered for part in run.series) / 10

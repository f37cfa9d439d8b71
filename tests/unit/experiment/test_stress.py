"""Stress tests find capacities that are known beforehand, and name what sets them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.errors import UserError
from sim.experiment.backlog import Backlog, BacklogSink
from sim.experiment.pool import LocalPool
from sim.experiment.slo import parse_slo
from sim.experiment.stress import LoadTest, StressPlan, choose_streams, find_capacity
from sim.experiment.stress_output import as_json_object, sentences
from sim.experiment.work import compile_replication
from sim.scenario.scenario import LoadedScenario, load_scenario
from tests.unit.experiment.tiny import SEED, tiny_text, write_tiny

SCENARIO = Path(__file__).parents[3] / "scenarios" / "bakong-saturation.yaml"


def _plan(
    loaded: LoadedScenario, slo: str, *, replications: int = 2, window_s: int = 600
) -> StressPlan:
    return StressPlan(
        parse_slo(slo),
        choose_streams(loaded, ()),
        loaded.scenario.seed,
        replications=replications,
        window_s=window_s,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "capacity", "station"),
    [
        # A tenth of the real figures, so that it is quick: 150 payments per 0.8 s.
        (("rails.bakong.block_limit=150",), 187.5, "bakong.ledger"),
        (
            ("rails.bakong.block_limit=1500", "rails.bakong.gateway.rate_limit=250 /s"),
            250.0,
            "bakong.gateway",
        ),
    ],
)
def test_capacity_is_found_within_2_percent_and_its_cause_named(
    changes: tuple[str, ...], capacity: float, station: str
) -> None:
    loaded = load_scenario(SCENARIO, (*changes, "demand.domestic.rate=100 /s"))
    plan = _plan(loaded, "p99<=5s")
    found = find_capacity(LoadTest(loaded, plan, LocalPool(1)), plan)
    assert found.passed is not None
    assert found.failed is not None
    assert found.passed.load == pytest.approx(capacity, rel=0.02)
    assert found.failed.load == pytest.approx(capacity, rel=0.02)
    assert found.bottleneck is not None
    assert found.bottleneck.station == station
    content = as_json_object(found)
    assert {"verdict", "capacity", "bottleneck", "points"} <= content.keys()
    assert station in sentences(found)[1]
    # Capacity per participant adds up to twice the whole: every payment has two.
    assert sum(found.participants().values()) == pytest.approx(2 * found.passed.load, rel=0.05)


@pytest.mark.slow
def test_a_single_load_above_capacity_fails_with_its_reasons() -> None:
    loaded = load_scenario(SCENARIO, ("rails.bakong.block_limit=150",))
    plan = _plan(loaded, "p99<=5s,success>=99%", replications=1)
    point = LoadTest(loaded, plan, LocalPool(1)).at(220)
    assert point.verdict == "FAIL"
    text = " ".join(point.reasons)
    assert "end_to_end_p99 <= 5 missed" in text
    assert "backlog grew" in text
    assert "completed load lags" in text


def test_a_window_that_is_too_short_is_no_measurement(tmp_path: Path) -> None:
    loaded = load_scenario(write_tiny(tmp_path))
    plan = _plan(loaded, "p99<=60s", replications=1, window_s=120)
    test = LoadTest(loaded, plan, LocalPool(1))
    point = test.at(test.base)
    assert point.verdict == "INVALID"
    assert "measured for 120 s; needed: 600 s" in point.reasons
    assert "p99 needs 1000" in " ".join(point.reasons)
    with pytest.raises(UserError, match="is no measurement"):
        find_capacity(test, plan)


@pytest.mark.parametrize(
    ("rates", "is_growing"), [((2.0, 2.0), False), ((2.0, 1.9), True), ((2.0, 2.3), False)]
)
def test_backlog_grows_when_more_come_than_leave(
    tmp_path: Path, rates: tuple[float, float], is_growing: bool
) -> None:
    from sim.contract.spec import NULL, RECORD_WIDTH, RecordColumn

    plan = compile_replication(tiny_text(tmp_path), SEED, 0).plan
    rng = np.random.default_rng(1)
    came = np.sort(rng.integers(0, plan.horizon_us, 6000))
    free = np.maximum.accumulate(came + rng.exponential(1e5, 6000).astype(np.int64))
    # Leaving at the slower pace pushes every end further behind its arrival.
    ends = free + (came * max(0.0, rates[0] / rates[1] - 1)).astype(np.int64)
    rows = np.zeros((6000, RECORD_WIDTH), dtype=np.int64)
    rows[:, RecordColumn.SUBMITTED_US] = came
    rows[:, RecordColumn.END_US] = np.where(ends < plan.horizon_us, ends, NULL)
    sink = BacklogSink(plan)
    sink.take_records(rows)
    assert sink.backlog().is_growing is is_growing


def test_backlog_rule_needs_three_deviations() -> None:
    assert not Backlog(100, 129, 10).is_growing
    assert Backlog(100, 131, 10).is_growing


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p99<=5s,success>=99.5%", ["end_to_end_p99 <= 5", "success_rate >= 0.995"]),
        ("p99<=500ms", ["end_to_end_p99 <= 0.5"]),
        ("station/bakong.ledger/utilisation<=80%", ["station/bakong.ledger/utilisation <= 0.8"]),
    ],
)
def test_objectives_are_read_as_people_write_them(text: str, shown: list[str]) -> None:
    assert [str(objective) for objective in parse_slo(text)] == shown


@pytest.mark.parametrize("text", ["", "p99", "p99<=", "p99<=5 parsecs", "p99=5s"])
def test_objectives_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="--slo: found"):
        parse_slo(text)


@pytest.mark.parametrize(
    ("slo", "message"),
    [("p99<=5%", "found end_to_end_p99 in share; allowed: s"), ("p98<=5s", "Did you mean")],
)
def test_objectives_about_nothing_are_refused(tmp_path: Path, slo: str, message: str) -> None:
    loaded = load_scenario(write_tiny(tmp_path))
    plan = _plan(loaded, slo, replications=1)
    test = LoadTest(loaded, plan, LocalPool(1))
    with pytest.raises(UserError, match=message):
        test.at(test.base)


def test_an_unknown_stream_is_refused_with_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'customers'"):
        choose_streams(load_scenario(write_tiny(tmp_path)), ["customer"])

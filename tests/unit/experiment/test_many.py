"""Replications give intervals, can be added to, and go on until an answer is precise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim.errors import UserError
from sim.experiment.many import HowMany, combined_digest, run_replications
from sim.experiment.precision import PrecisionTarget, parse_precision
from sim.experiment.replications import REPLICATIONS_FILE, read_replications
from sim.experiment.run import RunOptions
from tests.unit.experiment.tiny import write_tiny

QUIET = RunOptions(record="none")


def test_replications_added_later_equal_replications_run_at_once(tmp_path: Path) -> None:
    path = write_tiny(tmp_path)
    run_replications(path, HowMany(2), out=tmp_path / "a")
    added, _ = run_replications(path, HowMany(5), out=tmp_path / "a", add=True)
    whole, _ = run_replications(path, HowMany(5), out=tmp_path / "b")
    assert added.facts["digest"] == whole.facts["digest"]
    assert added.summary == whole.summary
    assert added.payments.equals(whole.payments)
    assert added.facts["replications"] == 5
    # What was there is kept, not run again.
    assert float(str(added.facts["engine_seconds"])) > 0
    assert sorted(set(added.payments["replication"].to_pylist())) == [0, 1, 2, 3, 4]
    assert not list((tmp_path / "a").glob("*.kept.parquet"))


def test_intervals_are_those_of_the_values_kept(tmp_path: Path) -> None:
    result, _ = run_replications(
        write_tiny(tmp_path), HowMany(6), options=QUIET, out=tmp_path / "a"
    )
    held = read_replications(tmp_path / "a" / REPLICATIONS_FILE)
    values = held.values("end_to_end_mean")
    measure = result.summary["end_to_end_mean"]
    assert measure.value == pytest.approx(sum(values) / 6, rel=1e-12)
    assert measure.low is not None
    assert measure.high is not None
    assert min(values) < measure.low < measure.high < max(values)
    assert held.summary() == result.summary


def test_success_in_every_replication_still_has_an_interval(tmp_path: Path) -> None:
    changes = ("rails.shop.stations.till.servers=100",)
    result, _ = run_replications(
        write_tiny(tmp_path), HowMany(3), options=QUIET, out=tmp_path / "a", overrides=changes
    )
    measure = result.summary["success_rate"]
    assert (measure.value, measure.high) == (1.0, 1.0)
    assert measure.low is not None
    assert 0.98 < measure.low < 1


def test_adding_to_another_run_is_refused(tmp_path: Path) -> None:
    path = write_tiny(tmp_path)
    run_replications(path, HowMany(2), options=QUIET, out=tmp_path / "a")
    with pytest.raises(UserError, match="replications can be added only to the same run"):
        run_replications(path, HowMany(3), options=QUIET, out=tmp_path / "a", add=True, seed=1)
    with pytest.raises(UserError, match="no such folder"):
        run_replications(path, HowMany(3), options=QUIET, out=tmp_path / "b", add=True)


def test_replications_of_another_version_are_not_mixed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tiny(tmp_path)
    run_replications(path, HowMany(2), options=QUIET, out=tmp_path / "a")
    monkeypatch.setattr("sim.tables.provenance.source_digest", lambda: "another")
    with pytest.raises(UserError, match="made by another version of payroute"):
        run_replications(path, HowMany(3), options=QUIET, out=tmp_path / "a", add=True)


@pytest.mark.slow
def test_precision_is_reached_and_said(tmp_path: Path) -> None:
    plan = HowMany(2, parse_precision("success±1%"), replications_max=400)
    result, verdict = run_replications(
        write_tiny(tmp_path), plan, options=QUIET, out=tmp_path / "a"
    )
    measure = result.summary["success_rate"]
    assert verdict.is_reached
    assert measure.high is not None
    assert measure.low is not None
    assert (measure.high - measure.low) / 2 <= 0.01
    assert 10 < result.summary.replications < 400


def test_precision_out_of_reach_says_why(tmp_path: Path) -> None:
    plan = replace(HowMany(2, parse_precision("p99+-0.1%rel")), replications_max=12)
    result, verdict = run_replications(
        write_tiny(tmp_path), plan, options=QUIET, out=tmp_path / "a"
    )
    assert result.summary.replications == 12
    assert not verdict.is_reached
    assert "stopped at the limit of 12 replications, about" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("success_rate±0.1%", PrecisionTarget("success_rate", 0.001, False)),
        ("success+-0.1%", PrecisionTarget("success_rate", 0.001, False)),
        ("p99±50 ms", PrecisionTarget("end_to_end_p99", 0.05, False)),
        ("p99±5%rel", PrecisionTarget("end_to_end_p99", 0.05, True)),
        ("p99 +- 0.05 rel", PrecisionTarget("end_to_end_p99", 0.05, True)),
        ("payer_cost_bps±2 bps", PrecisionTarget("payer_cost_bps", 2, False)),
    ],
)
def test_precision_is_read_as_people_write_it(text: str, target: PrecisionTarget) -> None:
    (found,) = parse_precision(text)
    assert found.measure == target.measure
    assert found.half_width == pytest.approx(target.half_width)
    assert found.is_relative == target.is_relative


@pytest.mark.parametrize("text", ["", "p99", "p99±", "p99±0", "p99±5 s rel", "P99±1", "p99±-1"])
def test_precision_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--precision: found"):
        parse_precision(text)


def test_unknown_measure_of_a_precision_is_refused_with_what_is_near(tmp_path: Path) -> None:
    plan = HowMany(2, parse_precision("succes_rate±1%"))
    with pytest.raises(UserError, match="Did you mean 'success_rate'"):
        run_replications(write_tiny(tmp_path), plan, options=QUIET, out=tmp_path / "a")


def test_digest_of_many_depends_on_each_and_on_their_order() -> None:
    assert combined_digest(["records:aa"]) == "records:aa"
    assert combined_digest(["records:aa", "records:bb"]).startswith("recordsx2:")
    assert combined_digest(["records:aa", "records:bb"]) != combined_digest(
        ["records:bb", "records:aa"]
    )

"""Replications give intervals, can be added to, and go on until an answer is precise."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sim.errors import UserError
from sim.study.case import RunOptions
from sim.study.replicate.precision import PrecisionTarget, check_targets, parse_precision
from sim.study.replicate.replicate import HowMany, combined_digest, run_replications
from sim.study.replicate.replications import REPLICATIONS_FILE, read_replications
from tests.support.tiny import write_tiny

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
    with pytest.raises(UserError, match=r"made with other versions \(payroute"):
        run_replications(path, HowMany(3), options=QUIET, out=tmp_path / "a", add=True)


def test_nothing_is_added_to_a_run_made_with_other_libraries_or_altered_since(
    tmp_path: Path,
) -> None:
    path, out = write_tiny(tmp_path), tmp_path / "a"
    run_replications(path, HowMany(2), options=QUIET, out=out)
    facts = json.loads((out / "run.json").read_text())
    older = {**facts, "libraries": {**facts["libraries"], "numpy": "1.0.0"}}
    (out / "run.json").write_text(json.dumps(older))
    with pytest.raises(UserError, match=r"made with other versions \(numpy 1.0.0\)"):
        run_replications(path, HowMany(3), options=QUIET, out=out, add=True)
    (out / "run.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match=r"found 2; .* holds 2 already"):
        run_replications(path, HowMany(2), options=QUIET, out=out, add=True)
    table = pq.read_table(out / REPLICATIONS_FILE)
    at = table.column_names.index("value")
    doubled = table.set_column(at, "value", pc.multiply(table["value"], 2.0))
    pq.write_table(doubled.replace_schema_metadata(table.schema.metadata), out / REPLICATIONS_FILE)
    with pytest.raises(UserError, match=r"altered since it was finished \(replications.parquet\)"):
        run_replications(path, HowMany(3), options=QUIET, out=out, add=True)


def test_seconds_of_the_engine_add_up(tmp_path: Path) -> None:
    path, out = write_tiny(tmp_path), tmp_path / "a"
    first, _ = run_replications(path, HowMany(2), options=QUIET, out=out)
    both, _ = run_replications(path, HowMany(3), options=QUIET, out=out, add=True)
    before = float(str(first.facts["engine_seconds"]))
    assert float(str(both.facts["engine_seconds"])) > before > 0


def test_what_never_happened_counts_as_none(tmp_path: Path) -> None:
    # So few payments that in some replications none is refused: their count is 0, not unknown.
    changes = ("clock.horizon=6 s",)
    result, _ = run_replications(
        write_tiny(tmp_path), HowMany(40), options=QUIET, out=tmp_path / "a", overrides=changes
    )
    summaries = read_replications(tmp_path / "a" / REPLICATIONS_FILE).summaries
    lacking = [one for one in summaries if "MS03" not in one.by["reason"]]
    assert 0 < len(lacking) < 40
    refused = result.summary.by["reason"]["MS03"]
    assert float(refused["rejected"]) == pytest.approx(float(result.summary["rejected"]))
    assert refused["rejected"].low is not None
    shares = [float(one.by["reason"]["MS03"]["share"]) for one in summaries if one not in lacking]
    assert float(refused["share"]) == pytest.approx(sum(shares) / 40)


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
    with pytest.raises(UserError, match=r"^precision: found"):
        parse_precision(text)


def test_unknown_measure_of_a_precision_is_refused_with_what_is_near(tmp_path: Path) -> None:
    path, out = write_tiny(tmp_path), tmp_path / "a"
    run_replications(path, HowMany(2), options=QUIET, out=out)
    kept = (out / "run.json").read_text()
    plan = HowMany(2, parse_precision("succes_rate±1%"))
    with pytest.raises(UserError, match="Did you mean 'success_rate'"):
        run_replications(path, plan, options=QUIET, out=out, force=True)
    # The finished run is still there: what is wrong shows before anything is begun.
    assert (out / "run.json").read_text() == kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("payer_cost_bps±2%", "found payer_cost_bps in share; allowed: bps; for a share of the"),
        ("p99±5%", "found end_to_end_p99 in share; allowed: s; for a share of the value write rel"),
        ("p99±5 bps", "found end_to_end_p99 in bps; allowed: s"),
        ("success_rate±3 s", "found success_rate in s; allowed: share"),
    ],
)
def test_precision_in_another_unit_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_targets(parse_precision(text))
    check_targets(parse_precision("success_rate±0.1%,p99±5%rel,payer_cost_bps±2,mean±50 ms"))


def test_digest_of_many_depends_on_each_and_on_their_order() -> None:
    assert combined_digest(["records:aa"]) == "records:aa"
    assert combined_digest(["records:aa", "records:bb"]).startswith("recordsx2:")
    assert combined_digest(["records:aa", "records:bb"]) != combined_digest(
        ["records:bb", "records:aa"]
    )

"""What Python offers is what the commands do."""

from __future__ import annotations

from pathlib import Path

import pytest

import sim
from sim.errors import UserError
from tests.support.tiny import YAML, write_tiny

QUICK = {"clock.horizon": "30 s"}


def test_many_runs_give_intervals(tmp_path: Path) -> None:
    result = sim.run(write_tiny(tmp_path), replications=4, overrides=QUICK, out=tmp_path / "run")
    success = result.summary["success_rate"]
    assert success.low is not None
    assert success.high is not None
    assert success.low <= float(success) <= success.high
    assert result.facts["replications"] == 4


def test_a_precision_is_reached(tmp_path: Path) -> None:
    path = write_tiny(tmp_path)
    result = sim.run(path, precision="success±20%", overrides=QUICK, out=tmp_path / "run")
    assert result.summary.replications == 10


def test_scenarios_and_experiments_are_compared(tmp_path: Path) -> None:
    path, other = write_tiny(tmp_path), tmp_path / "four.yaml"
    other.write_text(YAML.replace("servers: 3", "servers: 4"), encoding="utf-8")
    found = sim.compare(path, other, replications=5, measures=["success", "p99"], overrides=QUICK)
    assert [pair.measure for pair in found.pairs] == ["success_rate", "end_to_end_p99"]
    experiment = tmp_path / "experiment.yaml"
    experiment.write_text(
        "experiment: tills\nscenario: tiny.yaml\nset: {clock.horizon: 30 s}\nreplications: 5\n"
        "measures: [success, p99]\n"
        "arms: {tiny: {}, four: {set: {rails.shop.stations.till.servers: 4}}}\n",
        encoding="utf-8",
    )
    same = sim.compare(experiment)
    # The same arms, however they are told: the same customers, hence the same differences.
    assert same.to_arrow().equals(found.to_arrow())
    with pytest.raises(UserError, match="unknown arm 'fore'"):
        sim.compare(experiment, baseline="fore")
    with pytest.raises(UserError, match="found a scenario twice"):
        sim.compare(path, path)


def test_a_finished_run_is_opened_as_what_it_gave_back(tmp_path: Path) -> None:
    result = sim.run(write_tiny(tmp_path), overrides=QUICK, out=tmp_path / "run", seed=5)
    again = sim.open(tmp_path / "run")
    assert sim.open(str(tmp_path / "run")).folder == tmp_path / "run"
    assert again.summary.measures == result.summary.measures
    assert again.summary.g20 == result.summary.g20
    assert set(again.summary.by) == set(result.summary.by)
    assert again.summary.by["station"] == result.summary.by["station"]
    assert again.payments.equals(result.payments)
    with pytest.raises(UserError, match="no such folder"):
        sim.open(tmp_path / "nowhere")


def test_results_are_shown_in_a_line_or_two(tmp_path: Path) -> None:
    path, other = write_tiny(tmp_path), tmp_path / "four.yaml"
    other.write_text(YAML.replace("servers: 3", "servers: 4"), encoding="utf-8")
    result = sim.run(path, overrides=QUICK, out=tmp_path / "run")
    compared = sim.compare(path, other, replications=2, overrides=QUICK)
    for found, words in ((result, "success_rate"), (compared, "arms (tiny, four)")):
        shown = repr(found)
        assert len(shown) < 1000
        assert words in shown or str(tmp_path) in shown
    assert len(repr(result.summary)) < 1000


@pytest.mark.slow
def test_a_load_is_tested(tmp_path: Path) -> None:
    path = tmp_path / "queue.yaml"
    path.write_text(YAML.replace(", queue_limit: 4", ""), encoding="utf-8")
    # Three tills take three customers a second.
    # The slower of two runs has 99 % within 10.02 s.
    held = sim.stress(path, "p99<=11s", load=2.4, replications=2)
    assert held.verdict == "PASS"
    assert repr(held) == "<Stress test of end_to_end_p99 <= 11: PASS, 1 loads>"
    above = sim.stress(path, "p99<=10s", load=3.3, replications=2)
    assert above.verdict == "FAIL"
    assert above.bottleneck is not None
    assert above.bottleneck.station == "shop.till"
    with pytest.raises(UserError, match="window: found 100; allowed: at least 600"):
        sim.stress(path, window_s=100)


def test_a_sweep_gives_its_table(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    path = tmp_path / "experiment.yaml"
    path.write_text(
        "experiment: tills\nscenario: tiny.yaml\nmeasures: [success_rate]\n"
        "sweep: {factors: {rails.shop.stations.till.servers: {values: [2, 3]}}}\n",
        encoding="utf-8",
    )
    found = sim.sweep(path, out=tmp_path / "points", replications=2, overrides=QUICK)
    table = found.to_arrow()
    assert table.num_rows == 2
    assert table["status"].to_pylist() == ["done", "done"]
    again = sim.sweep(path, out=tmp_path / "points", replications=2, overrides=QUICK)
    assert (again.run, again.kept) == (0, 2)

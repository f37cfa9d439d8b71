"""Sweeps lay out the points asked for, survive being killed, and never repeat a finished point."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim.errors import UserError
from sim.experiment.experiment_file import Factor, LoadedExperiment, load_experiment
from sim.experiment.pool import LocalPool
from sim.experiment.sweep import run_sweep
from sim.experiment.sweep_points import lay_out, place
from tests.unit.experiment.tiny import write_tiny

SERVERS = "rails.shop.stations.till.servers"


def _experiment(folder: Path, sweep: str, replications: int = 2) -> LoadedExperiment:
    write_tiny(folder)
    path = folder / "experiment.yaml"
    path.write_text(
        f"experiment: tills\nscenario: tiny.yaml\nreplications: {replications}\n"
        f"measures: [success_rate, p99]\nsweep: {sweep}\n",
        encoding="utf-8",
    )
    return load_experiment(path)


@pytest.mark.parametrize(
    ("sweep", "count", "first"),
    [
        ("{factors: {a: {values: [1, 2]}, b: {values: [x, y, z]}}}", 6, ("1", "x")),
        ("{design: list, factors: {a: {values: [1, 2]}, b: {values: [x, y]}}}", 2, ("1", "x")),
        (
            "{design: sobol, points: 8, factors: {a: {low: 0.1, high: 1}, b: {low: 1, high: 9}}}",
            8,
            (),
        ),
        (
            "{design: latin_hypercube, points: 5, factors: {a: {low: 1, high: 2, unit: s}}}",
            5,
            (),
        ),
    ],
)
def test_designs_have_their_points(
    tmp_path: Path, sweep: str, count: int, first: tuple[str, ...]
) -> None:
    loaded = _experiment(tmp_path, sweep)
    assert loaded.experiment.sweep is not None
    points = lay_out(loaded.experiment.sweep, 7)
    assert len(points) == count
    assert len({tuple(point.values.values()) for point in points}) == count
    assert points == lay_out(loaded.experiment.sweep, 7)
    if first:
        assert tuple(points[0].values.values()) == first
    else:
        assert points != lay_out(loaded.experiment.sweep, 8)


@pytest.mark.parametrize(
    ("fields", "share", "text"),
    [
        ({"low": "10", "high": "1000", "scale": "log", "whole": "true"}, 0.5, "100"),
        ({"low": "0.5", "high": "1.5", "unit": "s"}, 0.25, "0.75 s"),
        ({"values": ("a", "b")}, 0.49, "a"),
        ({"values": ("a", "b")}, 1.0, "b"),
    ],
)
def test_shares_of_a_range_become_text(fields: dict[str, str], share: float, text: str) -> None:
    assert place(Factor.model_validate(fields), share) == text


def test_an_error_of_one_point_loses_no_other(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 0, 4]}}}}}}")
    folder = str(tmp_path / "out")
    found = run_sweep(loaded, folder, LocalPool(1))
    records = found.table.records()
    assert [record["status"] for record in records] == ["done", "failed", "done"]
    assert "servers" in str(records[1]["error"])
    assert (found.run, found.kept, found.failed) == (3, 0, 1)
    again = run_sweep(loaded, folder, LocalPool(1))
    # The failed point is tried anew, the others are kept.
    assert (again.run, again.kept, again.failed) == (1, 2, 1)
    assert again.table == found.table
    assert pq.read_table(tmp_path / "out" / "sweep.parquet").to_pylist() == records


def test_success_in_every_replication_of_a_point_still_has_an_interval(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [100]}}}}}}")
    (row,) = run_sweep(loaded, str(tmp_path / "out"), LocalPool(1)).table.records()
    assert (row["success_rate"], row["success_rate_high"]) == (1.0, 1.0)
    assert 0.98 < float(str(row["success_rate_low"])) < 1


def test_points_of_changed_settings_are_run_again(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 4]}}}}}}")
    folder = str(tmp_path / "out")
    run_sweep(loaded, folder, LocalPool(1))
    assert run_sweep(loaded, folder, LocalPool(1), replications=3).run == 2
    assert run_sweep(loaded, folder, LocalPool(1), overrides=("clock.horizon=50 s",)).run == 2


def test_points_of_another_version_are_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 4]}}}}}}")
    folder = str(tmp_path / "out")
    first = run_sweep(loaded, folder, LocalPool(1))
    assert run_sweep(loaded, folder, LocalPool(1)).run == 0
    monkeypatch.setattr("sim.experiment.sweep.fingerprint", lambda: (("payroute", "another"),))
    again = run_sweep(loaded, folder, LocalPool(1))
    assert (again.run, again.table) == (2, first.table)


def test_a_folder_of_another_experiment_is_refused(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3]}}}}}}")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "experiment.json").write_text(json.dumps({"experiment": "other"}))
    with pytest.raises(UserError, match="found the points of 'other'"):
        run_sweep(loaded, str(folder), LocalPool(1))


def test_points_go_to_any_address_fsspec_knows(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 4]}}}}}}")
    found = run_sweep(loaded, "memory://sweeps/tills", LocalPool(1))
    local = run_sweep(loaded, str(tmp_path / "out"), LocalPool(1))
    assert found.table == local.table
    assert run_sweep(loaded, "memory://sweeps/tills", LocalPool(1)).run == 0


@pytest.mark.slow
def test_a_sweep_of_200_points_survives_kill_9(tmp_path: Path) -> None:
    values = ", ".join(f"{60 + n} s" for n in range(200))
    sweep = f"{{factors: {{clock.horizon: {{values: [{values}]}}}}}}"
    loaded = _experiment(tmp_path, sweep, replications=2)
    command = [sys.executable, "-m", "sim", "sweep", str(loaded.path), "--jobs", "1"]
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    points = out / "points"
    while process.poll() is None and (not points.is_dir() or len(list(points.iterdir())) < 20):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (out / "sweep.parquet").exists()
    resumed = run_sweep(loaded, str(out), LocalPool(1))
    assert 20 <= resumed.kept < 200
    assert resumed.run == 200 - resumed.kept
    whole = run_sweep(loaded, str(tmp_path / "whole"), LocalPool(1))
    assert whole.run == 200
    assert resumed.table == whole.table
    assert pq.read_table(out / "sweep.parquet").equals(
        pq.read_table(tmp_path / "whole" / "sweep.parquet")
    )

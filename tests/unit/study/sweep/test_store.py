"""What sweeps of one experiment leave in a folder lies beside each other, and beside the user's."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sim.errors import UserError
from sim.study.experiment_file import LoadedExperiment, load_experiment
from sim.study.pool import LocalPool
from sim.study.sweep.store import TABLE
from sim.study.sweep.study import run_sweep
from tests.support.tiny import write_tiny

SERVERS = "rails.shop.stations.till.servers"


def _experiment(folder: Path, values: str = "[3]") -> LoadedExperiment:
    write_tiny(folder)
    path = folder / "experiment.yaml"
    path.write_text(
        "experiment: tills\nscenario: tiny.yaml\nreplications: 2\n"
        f"measures: [success_rate, p99]\nsweep: {{factors: {{{SERVERS}: {{values: {values}}}}}}}\n",
        encoding="utf-8",
    )
    return load_experiment(path)


def test_points_of_changed_settings_lie_beside_those_of_before(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, "[3, 4]")
    folder = str(tmp_path / "out")
    asked: tuple[dict[str, Any], ...] = (
        {},
        {"replications": 3},
        {"overrides": ("clock.horizon=50 s",)},
        {"seed": 5},
    )
    first = [run_sweep(loaded, folder, LocalPool(1), **one) for one in asked]
    assert [(one.run, one.kept) for one in first] == [(2, 0)] * 4
    again = [run_sweep(loaded, folder, LocalPool(1), **one) for one in asked]
    assert [(one.run, one.kept) for one in again] == [(0, 2)] * 4
    assert [one.table for one in again] == [one.table for one in first]
    # Each table is kept, and the one finished last has the plain name, too.
    tables = [
        pq.read_table(path).to_pylist() for path in (tmp_path / "out").glob("sweep-*.parquet")
    ]
    assert sorted(map(str, tables)) == sorted(str(one.table.records()) for one in first)
    last = pq.read_table(tmp_path / "out" / "sweep.parquet").to_pylist()
    assert last == first[-1].table.records()


@pytest.mark.parametrize(
    ("name", "content"),
    [("sweep.parquet", "mine"), ("experiment.json", "mine"), ("experiment.json", "[1]")],
)
def test_a_file_of_the_users_is_never_replaced(tmp_path: Path, name: str, content: str) -> None:
    loaded = _experiment(tmp_path)
    (tmp_path / name).write_text(content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match=f"out: found {name} there, which this program did not"):
        run_sweep(loaded, str(tmp_path), LocalPool(1))
    assert (tmp_path / name).read_text() == content
    assert sorted(tmp_path.iterdir()) == before


def test_a_table_that_was_changed_since_is_the_users(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path)
    run_sweep(loaded, str(tmp_path), LocalPool(1))
    assert run_sweep(loaded, str(tmp_path), LocalPool(1)).kept == 1
    table = pq.read_table(tmp_path / "sweep.parquet")
    pq.write_table(table.rename_columns(["mine", *table.column_names[1:]]), tmp_path / TABLE)
    with pytest.raises(UserError, match="somebody changed since"):
        run_sweep(loaded, str(tmp_path), LocalPool(1))


def test_what_killed_processes_left_half_written_goes_when_it_is_old(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path)
    points = tmp_path / "points"
    points.mkdir()
    old, new, users = (points / n for n in (".a.json.0f.draft", ".b.json.0f.draft", "c.draft"))
    for path in (old, new, users):
        path.write_text("half")
        # Two hours ago, and now.
        os.utime(path, times=None if path == new else (time.time() - 7200,) * 2)
    run_sweep(loaded, str(tmp_path), LocalPool(1))
    assert (old.exists(), new.exists(), users.exists()) == (False, True, True)

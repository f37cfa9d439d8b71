"""Sweeps lay out the points asked for, survive being killed, and never repeat a finished point."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim.analysis.catalogue import HEADLINE_UNITS
from sim.errors import MachineError, ScenarioError, UserError
from sim.study.experiment_file import Factor, LoadedExperiment, load_experiment
from sim.study.pool import LocalPool
from sim.study.runner import Batch, Done, run_batch
from sim.study.sweep.points import lay_out, place
from sim.study.sweep.store import Store
from sim.study.sweep.study import PointItem, make_items, run_sweep
from tests.support.tiny import write_tiny

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
        ({"low": "0.0000001", "high": "0.000002", "scale": "log"}, 0.5, "0.0000004472135955"),
        ({"low": "1", "high": "20000000000000", "unit": "KHR"}, 1.0, "20000000000000 KHR"),
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


def test_points_of_another_version_are_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 4]}}}}}}")
    folder = str(tmp_path / "out")
    first = run_sweep(loaded, folder, LocalPool(1))
    assert run_sweep(loaded, folder, LocalPool(1)).run == 0
    for name in ("runner", "sweep.study"):
        other = (("payroute", "another"),)
        monkeypatch.setattr(f"sim.study.{name}.fingerprint", lambda found=other: found)
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
    pytest.importorskip("fsspec", reason="needs fsspec (extra `cluster`)")
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


RATE = "demand.customers.rate: {low: 1, high: 3, unit: /s}"
SPREAD = f"{{design: latin_hypercube, points: 4, factors: {{{RATE}}}}}"


def _told_and_run(items: Sequence[PointItem]) -> list[bool]:
    """Say of each point whether the scenario holds the value its table will tell."""
    return [
        f"rate: {item.factors['demand.customers.rate']}" in item.cases[0].text for item in items
    ]


@pytest.mark.parametrize("changes", [{"overrides": ("seed=77",)}, {"seed": 77}])
def test_the_table_tells_the_factors_that_were_run(tmp_path: Path, changes: dict[str, int]) -> None:
    loaded = _experiment(tmp_path, SPREAD)
    items = make_items(loaded, **changes)  # type: ignore[arg-type]
    assert [item.cases[0].seed for item in items] == [77] * 4
    assert _told_and_run(items) == [True] * 4
    plain = make_items(loaded)
    assert [item.factors for item in items] != [item.factors for item in plain]
    found = run_sweep(loaded, str(tmp_path / "out"), LocalPool(1), **changes)  # type: ignore[arg-type]
    # A factor is a number in the table, with its unit beside it.
    told = [
        f"{record['demand.customers.rate']} {record['demand.customers.rate_unit']}"
        for record in found.table.records()
    ]
    assert told == [item.factors["demand.customers.rate"] for item in items]


def test_a_seed_may_be_a_factor(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, "{factors: {seed: {values: [1, 2, 1]}}}")
    assert [item.cases[0].seed for item in make_items(loaded)] == [1, 2, 1]
    found = run_sweep(loaded, str(tmp_path / "out"), LocalPool(1)).table.records()
    assert found[0]["success_rate"] != found[1]["success_rate"]
    assert found[0]["success_rate"] == found[2]["success_rate"]


def test_a_seed_that_is_fixed_cannot_be_a_factor_too(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, "{factors: {seed: {values: [1, 2]}}}")
    with pytest.raises(ScenarioError, match=r"yaml:5 sweep\.factors\.seed: .*fixed at 7"):
        make_items(loaded, seed=7)
    loaded.path.write_text(f"seed: 8\n{loaded.path.read_text()}")
    with pytest.raises(ScenarioError, match=r"yaml:6 sweep\.factors\.seed: .*fixed at 8"):
        make_items(load_experiment(loaded.path))


def test_a_fixed_seed_is_not_set_besides(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, SPREAD)
    with pytest.raises(UserError, match="the seed is fixed at 7 for every point"):
        make_items(loaded, overrides=("seed=8",), seed=7)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("rails.shop.stations.til.servers", "unknown name 'til'; .*Did you mean 'till'"),
        (
            "rails.shop.stations.till.servrs",
            "unknown field 'servrs'; .*Did you mean 'servers'",
        ),
        ("demand.custmers.rate", "unknown name 'custmers'"),
    ],
)
def test_a_factor_that_is_no_field_stops_the_sweep(tmp_path: Path, field: str, told: str) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{field}: {{values: [3, 4]}}}}}}")
    with pytest.raises(ScenarioError, match=rf"yaml:5 sweep\.factors\.{field}: {told}"):
        run_sweep(loaded, str(tmp_path / "out"), LocalPool(1))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("sucess_rate", "yaml:4 measures.*Did you mean 'success_rate'"),
        ("station/shop.til/utilisation", "known: shop.till. Did you mean 'shop.till'"),
        ("sttion/shop.till/utilisation", "yaml:4 measures.*Did you mean 'station'"),
    ],
)
def test_a_measure_no_run_has_stops_the_sweep_at_its_first_point(
    tmp_path: Path, key: str, told: str
) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [0, 3, 4, 5]}}}}}}")
    loaded.path.write_text(loaded.path.read_text().replace("p99", key))
    loaded = load_experiment(loaded.path)
    with pytest.raises(UserError, match=told):
        run_sweep(loaded, str(tmp_path / "out"), LocalPool(1))
    assert len(list((tmp_path / "out").glob("points/*"))) <= 1


def test_measures_are_known_without_a_run(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3]}}}}}}")
    (item,) = make_items(loaded)
    outcome = run_batch(item.cases).outcomes[0]
    assert sorted(HEADLINE_UNITS) == sorted(outcome.summary.measures)


def test_a_measure_that_depends_on_what_happens_loses_single_points(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [100, 3]}}}}}}")
    loaded.path.write_text(loaded.path.read_text().replace("p99", "reason/MS03/share"))
    found = run_sweep(load_experiment(loaded.path), str(tmp_path / "out"), LocalPool(1))
    assert [row["status"] for row in found.table.records()] == ["failed", "done"]
    assert found.exit_code == 2


class _Unlucky:
    """A pool of one process that loses it with every piece it is given but the first."""

    def run(
        self, function: Callable[[Batch], Done], items: Sequence[Batch], *, is_fatal: bool = True
    ) -> Iterator[tuple[int, Done | MachineError]]:
        """Do what goes ahead of the rest."""
        for at, item in enumerate(items):
            yield at, function(item) if "servers: 3" in item[0].text else MachineError("killed")


def test_a_point_that_kills_its_worker_is_a_failed_one(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 4, 0]}}}}}}")
    found = run_sweep(loaded, str(tmp_path / "out"), _Unlucky())
    assert [row["status"] for row in found.table.records()] == ["done", "failed", "failed"]
    # The machine's refusal is worse than the user's mistake.
    assert (found.failed, found.exit_code) == (2, 4)
    again = run_sweep(loaded, str(tmp_path / "out"), LocalPool(1))
    assert (again.run, again.kept, again.failed, again.exit_code) == (2, 1, 1, 2)


def test_a_bug_in_one_point_loses_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 4]}}}}}}")
    with monkeypatch.context() as patch:
        patch.setattr("sim.study.runner.run_case", lambda _: 1 // 0)
        found = run_sweep(loaded, str(tmp_path / "out"), LocalPool(1))
    assert (found.failed, found.exit_code) == (2, 1)
    assert "Traceback" in found.errors[0]
    assert found.table.records()[0]["error"] == (
        "ZeroDivisionError: integer division or modulo by zero"
    )


def test_a_worker_with_other_software_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 4]}}}}}}")
    software = make_items(loaded)[0].cases[0].software
    assert {"payroute", "python", "numpy", "numba"} <= set(dict(software))
    other = tuple((name, "9.9" if name == "numpy" else found) for name, found in software)
    monkeypatch.setattr("sim.study.runner.fingerprint", lambda: other)
    found = run_sweep(loaded, str(tmp_path / "out"), LocalPool(1))
    assert (found.failed, found.exit_code) == (2, 4)
    assert (
        "the worker runs another version of payroute or of its libraries (numpy 9.9 for "
        in (found.errors[0])
    )
    # Who lays out the sweep with that library gets other keys.
    monkeypatch.setattr("sim.study.sweep.study.fingerprint", lambda: other)
    assert run_sweep(loaded, str(tmp_path / "out"), LocalPool(1)).run == 2
    assert run_sweep(loaded, str(tmp_path / "out"), LocalPool(1)).run == 0


def test_points_that_are_removed_meanwhile_are_missed(tmp_path: Path) -> None:
    loaded, out = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 4]}}}}}}"), tmp_path

    def remove(done: int, planned: int) -> None:
        for path in (out / "points").glob("000000-*.json"):
            path.unlink()

    with pytest.raises(MachineError, match="point 0: its file is gone"):
        run_sweep(loaded, str(out), LocalPool(1), notice=remove)


def test_a_folder_in_a_file_is_the_machines_refusal(tmp_path: Path) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3]}}}}}}")
    with pytest.raises(MachineError, match="cannot write"):
        run_sweep(loaded, str(loaded.path / "out"), LocalPool(1))


def test_a_relative_folder_is_the_same_from_every_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = _experiment(tmp_path, f"{{factors: {{{SERVERS}: {{values: [3, 4]}}}}}}")
    monkeypatch.chdir(tmp_path)
    found = run_sweep(loaded, "out", LocalPool(1), notice=lambda *_: monkeypatch.chdir("/"))
    assert found.failed == 0
    assert len(list((tmp_path / "out" / "points").iterdir())) == 2


def test_addresses_nobody_can_open_are_told(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="needs fsspec (extra `cluster`)")
    with pytest.raises(UserError, match=r"out: found 'bogus://foo/x' .*allowed: a folder"):
        Store("bogus://foo/x")


def test_a_missing_library_of_an_address_is_told_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("fsspec", reason="needs fsspec (extra `cluster`)")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MachineError, match=r"s3://foo/x: .*s3fs.*; install what it names"):
        Store("s3://foo/x")


@pytest.mark.parametrize(
    ("field", "low", "high", "unit"),
    [
        ("rails.shop.fees.till.proportional", "0.011", "0.09", "%"),
        ("demand.customers.payer_skew", "1", "9000", ""),
        ("clock.horizon", "60", "61", "s"),
        ("clock.horizon", "1000000", "1000009", "ms"),
        ("demand.customers.rate", "0.1", "0.2", "/s"),
    ],
)
def test_points_of_a_range_are_written_as_their_field_reads_them(
    tmp_path: Path, field: str, low: str, high: str, unit: str
) -> None:
    factor = f"{{low: {low}, high: {high}, unit: '{unit}', scale: log}}"
    loaded = _experiment(
        tmp_path, f"{{design: latin_hypercube, points: 20, factors: {{{field}: {factor}}}}}"
    )
    text = loaded.path.with_name("tiny.yaml").read_text()
    fees = "    fees: {till: {component: acquirer, bearer: creditor, proportional: 1 %}}\n"
    loaded.path.with_name("tiny.yaml").write_text(text.replace("corridors:", f"{fees}corridors:"))
    items = make_items(loaded)
    assert [item.error for item in items] == [""] * 20
    assert len({item.factors[field] for item in items}) == 20


def _is_running(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state.strip()) and not state.startswith("Z")


def _children(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [child for child, parent in pairs if parent == pid]


def _begin(folder: Path, loaded: LoadedExperiment, points: int) -> subprocess.Popen[str]:
    """Start a sweep with two workers and wait until it has written some points."""
    command = [sys.executable, "-m", "sim", "sweep", str(loaded.path), "--jobs", "2"]
    process = subprocess.Popen(
        [*command, "--out", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if len(_children(process.pid)) >= 3 and len(list(folder.glob("points/0*"))) >= points:
            break
        time.sleep(0.05)
    return process


def _long(folder: Path) -> LoadedExperiment:
    values = ", ".join(f"{60 + n} min" for n in range(60))
    return _experiment(folder, f"{{factors: {{clock.horizon: {{values: [{values}]}}}}}}")


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    loaded, out = _long(tmp_path), tmp_path / "killed"
    process = _begin(out, loaded, points=4)
    workers = _children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert process.stderr is not None
    process.stderr.close()
    assert len(workers) >= 3
    deadline = time.monotonic() + 30
    while any(map(_is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_is_running, workers))
    resumed = run_sweep(loaded, str(out), LocalPool(1))
    assert 4 <= resumed.kept < 60
    assert resumed.table == run_sweep(loaded, str(tmp_path / "whole"), LocalPool(1)).table


@pytest.mark.slow
@pytest.mark.parametrize("points", [0, 4], ids=["while workers start", "while they work"])
def test_ctrl_c_says_interrupted_and_nothing_else(tmp_path: Path, points: int) -> None:
    process = _begin(tmp_path / "out", _long(tmp_path), points)
    # A terminal sends the signal to every process of the command.
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told == "error: interrupted; what was begun is not a result\n"

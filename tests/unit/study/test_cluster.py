"""The same sweep on a real Dask cluster of two workers, one of which is killed on the way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.errors import MachineError
from sim.study.cluster import ClusterPool
from sim.study.experiment_file import load_experiment
from sim.study.pool import LocalPool
from sim.study.sweep.study import run_sweep
from tests.support.tiny import write_tiny

pytest.importorskip("distributed", reason="needs dask and distributed (extra `cluster`)")

pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.enable_socket,
    # The client's own event loop leaves these behind when its cluster goes away.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
WORKER_OPTIONS = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and two workers on loopback, and end exactly these."""
    port = _free_port()
    address = f"tcp://127.0.0.1:{port}"
    place = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show")
    started = [_start("scheduler", *place)]
    for number in (1, 2):
        own = ("--local-directory", str(tmp_path / f"worker{number}"), "--host", "127.0.0.1")
        started.append(_start("worker", address, *WORKER_OPTIONS, *own))
    try:
        yield address, started
    finally:
        for process in reversed(started):
            if process.poll() is None:
                os.kill(process.pid, signal.SIGTERM)
        for process in started:
            # A worker that has lost its scheduler looks for it long after it was asked to end.
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _connect(address: str) -> ClusterPool:
    """Connect to a scheduler that may still be starting."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return ClusterPool(address)
        except MachineError:
            assert time.monotonic() < deadline


def test_a_killed_worker_loses_nothing(
    tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, started = cluster
    write_tiny(tmp_path)
    path = tmp_path / "experiment.yaml"
    values = ", ".join(f"{60 + n} s" for n in range(40))
    path.write_text(
        "experiment: tills\nscenario: tiny.yaml\nreplications: 3\nmeasures: [success_rate, p99]\n"
        f"sweep: {{factors: {{clock.horizon: {{values: [{values}]}}}}}}\n",
        encoding="utf-8",
    )
    loaded = load_experiment(path)
    killed: list[int] = []

    def kill_one(done: int, planned: int) -> None:
        if done >= 5 and not killed:
            killed.append(started[-1].pid)
            os.kill(started[-1].pid, signal.SIGKILL)

    with _connect(address) as pool:
        found = run_sweep(loaded, str(tmp_path / "there"), pool, notice=kill_one)
    assert killed
    assert started[-1].wait(20) == -signal.SIGKILL
    assert (found.run, found.failed) == (40, 0)
    here = run_sweep(loaded, str(tmp_path / "here"), LocalPool(1))
    assert found.table == here.table


def test_workers_of_another_version_are_refused_and_those_of_another_folder_are_not(
    tmp_path: Path,
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_tiny(tmp_path)
    path = tmp_path / "experiment.yaml"
    path.write_text(
        "experiment: tills\nscenario: tiny.yaml\nreplications: 1\n"
        "sweep: {factors: {clock.horizon: {values: [60 s, 61 s]}}}\n",
        encoding="utf-8",
    )
    loaded = load_experiment(path)
    # The workers were started in another directory than this one.
    monkeypatch.chdir(tmp_path)
    with _connect(cluster[0]) as pool:
        assert run_sweep(loaded, "here", pool).failed == 0
        monkeypatch.setattr("sim.study.sweep.study.fingerprint", lambda: (("payroute", "0"),))
        refused = run_sweep(loaded, "here", pool)
    assert (refused.run, refused.failed, refused.exit_code) == (2, 2, 4)
    assert "the worker runs another version of payroute" in refused.errors[0]


def test_an_address_without_a_scheduler_is_told_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sim.study.cluster._CONNECT_SECONDS", 1)
    with pytest.raises(MachineError, match="start one with `dask scheduler`"):
        ClusterPool(f"tcp://127.0.0.1:{_free_port()}")

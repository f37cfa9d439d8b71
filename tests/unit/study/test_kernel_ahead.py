"""The kernel is compiled by another process while a first run does everything else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.engine import compiled
from sim.jit import cache, telling
from sim.study import kernel_ahead as ahead
from sim.study.run import run_scenario
from tests.support.processes import ROOT, begin, members, until
from tests.unit.cli.queue import write_queue

SENTENCE = f"{telling.SENTENCE}\n"
SLEEPS = "import os, threading, time; os.read(0, 1)"
"""What a process does that waits until its parent is gone."""


class _Started:
    """Processes started in place of those that compile."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.all: list[subprocess.Popen[bytes]] = []

    def __call__(self, directory: str) -> subprocess.Popen[bytes]:
        assert directory == str(cache.find_directory())
        self.all.append(subprocess.Popen([sys.executable, *self.words], stdin=subprocess.PIPE))
        return self.all[-1]


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this a machine of two processors without machine code."""
    monkeypatch.setattr(ahead, "default_jobs", lambda: 2)
    monkeypatch.setattr(compiled, "is_compiled_cached", lambda: False)


@pytest.mark.usefixtures("cold")
def test_it_is_waited_for_and_its_end_is_the_end_of_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = _Started(["-c", "import time; time.sleep(0.5)"])
    monkeypatch.setattr(ahead, "_begin", started)
    with ahead.kernel_ahead("compiled"):
        (process,) = started.all
        assert process.poll() is None
        ahead.await_kernel()
        assert process.poll() == 0
    assert ahead._begun == []


@pytest.mark.usefixtures("cold")
def test_nobody_outlives_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    started = _Started(["-c", SLEEPS])
    monkeypatch.setattr(ahead, "_begin", started)
    with pytest.raises(KeyError), ahead.kernel_ahead("compiled"):
        raise KeyError
    assert started.all[0].returncode is not None
    assert ahead._begun == []


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize(
    "reason", ["engine", "processors", "cached", "directory", "begun", "alone"]
)
def test_nothing_is_begun_where_it_gains_nothing(
    monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    started = _Started(["-c", "pass"])
    monkeypatch.setattr(ahead, "_begin", started)
    if reason == "processors":
        monkeypatch.setattr(ahead, "default_jobs", lambda: 1)
    if reason == "cached":
        monkeypatch.setattr(compiled, "is_compiled_cached", lambda: True)
    if reason == "directory":
        monkeypatch.setattr(cache, "find_directory", lambda: None)
    if reason == "begun":
        with ahead.kernel_ahead("compiled"), ahead.kernel_ahead("compiled"):
            assert len(started.all) == 1
        return
    name = "reference" if reason == "engine" else "compiled"
    with ahead.kernel_ahead(name, is_alone=reason == "alone"):
        assert started.all == []


@pytest.mark.usefixtures("cold")
def test_a_process_that_fails_costs_nothing_but_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started = _Started(["-c", "raise SystemExit(3)"])
    monkeypatch.setattr(ahead, "_begin", started)
    path = write_queue(tmp_path)
    found = run_scenario(path, out=tmp_path / "run")
    assert len(started.all) == 1
    assert found.summary.measures["completed"].value > 0


@pytest.mark.usefixtures("cold")
def test_a_machine_that_starts_no_process_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object, **settings: object) -> None:
        raise BlockingIOError(*words)

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with ahead.kernel_ahead("compiled"):
        assert ahead._begun == []
        ahead.await_kernel()


def test_what_folds_is_compiled_for_what_it_is_given(tmp_path: Path) -> None:
    # In a process of its own, as any other run would have it compiled for what it gives.
    script = (
        "import sys; from sim.study.run import run_scenario; from sim.tables import fold_loop; "
        "run_scenario(sys.argv[1], out=sys.argv[2]); "
        "print([len(f.signatures) for f in (fold_loop._fold_words, fold_loop.lay_columns)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(write_queue(tmp_path)), str(tmp_path / "run")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    # Another set of types would be compiled in the middle of a run.
    assert done.stdout == "[1, 1]\n"


def test_it_compiles_nothing_for_a_process_that_looks_elsewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sim.study.kernel_ahead", str(tmp_path / "elsewhere")],
        cwd=ROOT, env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}, stdin=subprocess.PIPE,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert not list(tmp_path.rglob("*.nbc"))


def _begin_cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> subprocess.Popen[str]:
    """Start a first run and wait until another process compiles for it."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    process = begin(tmp_path, "run", write_queue(tmp_path), "--out", "run")
    until(process, lambda: len(members(process.pid)) >= 2)
    return process


def _await_nobody(session: int) -> None:
    deadline = time.monotonic() + 30
    while members(session) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert members(session) == []


_POSIX = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="nothing is compiled by another process on one processor",
)


@pytest.mark.slow
@_POSIX
@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_ctrl_c_leaves_nobody_who_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    process = _begin_cold(tmp_path, monkeypatch)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.removeprefix(SENTENCE).startswith("error: interrupted")
    _await_nobody(process.pid)


@pytest.mark.slow
@_POSIX
def test_a_killed_run_leaves_nobody_and_the_next_one_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = _begin_cold(tmp_path, monkeypatch)
    time.sleep(1.0)
    process.kill()
    process.communicate()
    _await_nobody(process.pid)
    assert SENTENCE in _told_by_run(tmp_path, "again")
    made = {one: one.stat().st_mtime_ns for one in (tmp_path / "cache").rglob("*.nbc")}
    # Everything is found where the other process left it, and each function was compiled once.
    assert SENTENCE not in _told_by_run(tmp_path, "third")
    assert made == {one: one.stat().st_mtime_ns for one in (tmp_path / "cache").rglob("*.nbc")}
    assert sum("run_tables" in one.name for one in made) == 1
    assert [one for one in made if not one.name.endswith(".1.nbc")] == []


def _told_by_run(folder: Path, name: str) -> str:
    """Run to the end and return what was said beside the result."""
    process = begin(folder, "run", folder / "queue.yaml", "--out", name)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    return told

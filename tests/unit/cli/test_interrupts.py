"""Ctrl-C at any moment, once or twice, ends with 130 and a sentence, and nothing is lost by it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.interrupts import INTERRUPTED
from sim.jit.telling import SENTENCE
from sim.tables.open_run import open_run
from sim.tables.run_place import UNFINISHED
from tests.support.processes import ROOT, begin, members, until
from tests.unit.cli.queue import payroute, write_queue

TOLD = f"error: {INTERRUPTED}\n"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals of the POSIX kind are sent"),
]
LONG = ("--quiet", "--set", "clock.horizon=10 d", "--set", "demand.customers.rate=100 /s")
"""A simulated time of minutes, which no test waits for."""


def _interrupt(process: subprocess.Popen[str], times: int = 1) -> tuple[int, str]:
    """Send Ctrl-C to all processes of a command as a terminal does; return code and words."""
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    # Said whenever it compiles; which of several tests is the first to is chance.
    return process.returncode, told.removeprefix(f"{SENTENCE}\n")


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3, 0.8, 1.5])
def test_ctrl_c_while_modules_are_loaded(tmp_path: Path, seconds: float) -> None:
    process = begin(tmp_path, "run", write_queue(tmp_path), *LONG)
    # Python itself answers as it likes until our first lines, which start the thread that listens.
    until(process, lambda: len(list(Path(f"/proc/{process.pid}/task").iterdir())) > 1)
    time.sleep(seconds)
    assert _interrupt(process) == (130, TOLD)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("record", ["none", "events"])
def test_ctrl_c_while_a_run_goes_on_leaves_the_run_of_before(
    tmp_path: Path, times: int, record: str
) -> None:
    path, out = write_queue(tmp_path), tmp_path / "run"
    payroute("run", path, "--engine", "reference", "--out", out)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    words = ("--engine", "reference", "--out", out, "--force", "--record", record)
    process = begin(tmp_path, "run", path, *words, *LONG)
    until(process, (out / UNFINISHED / "run" / "plan.txt").exists)
    assert _interrupt(process, times) == (130, TOLD)
    found = {file.name: file.read_bytes() for file in out.iterdir() if file.is_file()}
    assert found == before
    # Twice leaves no time to put in order; the next run does it.
    assert times == 2 or not (out / UNFINISHED).exists()
    again = payroute("run", path, "--engine", "reference", "--out", out, "--force")
    assert "Same digest" in again.stdout
    assert not (out / UNFINISHED).exists()


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_all_workers(tmp_path: Path, times: int) -> None:
    path = write_queue(tmp_path)
    words = ("--replications", "8", "--jobs", "2", "--out", "run", *LONG)
    process = begin(tmp_path, "run", path, *words)
    # This process, the tracker of its resources and two workers.
    until(process, lambda: len(members(process.pid)) >= 4)
    assert _interrupt(process, times) == (130, TOLD)
    deadline = time.monotonic() + 30
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert members(process.pid) == []
    with pytest.raises(Exception, match=r"did not finish \(status 'running'"):
        open_run(tmp_path / "run")


def test_a_job_in_the_background_ignores_it(tmp_path: Path) -> None:
    """A shell that starts a job in the background lets it ignore Ctrl-C, which stays so."""
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); import os, sys; "
        "os.execv(sys.executable, [sys.executable, '-m', 'sim', *sys.argv[1:]])"
    )
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            script,
            "run",
            str(write_queue(tmp_path)),
            "--out",
            "run",
            "--quiet",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(1)
    assert _interrupt(process) == (0, "")
    assert open_run(tmp_path / "run").facts["status"] == "complete"

"""Real processes of the command line: begin, end and count them, and look at what they left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from sim.errors import UserError
from sim.tables.digest import file_digest
from sim.tables.open_run import open_run
from sim.tables.run_place import FINISHED, strange_files

ROOT = Path(__file__).parents[2]


def begin(folder: Path, *words: object) -> subprocess.Popen[str]:
    """Start a command in a session of its own, as a terminal would."""
    return subprocess.Popen(
        [sys.executable, "-m", "sim", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    """Wait until something happened while a process goes on."""
    deadline = time.monotonic() + 120
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def members(session: int) -> list[int]:
    """Return the processes of a session that are still there."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(place.name))
    return found


def end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Send a signal to a command and wait until none of its processes is left.

    Ctrl-C goes to all of them, as from a terminal; any other to the one that was started.
    """
    try:
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except ProcessLookupError:
        pass
    _, told = process.communicate(timeout=120)
    deadline = time.monotonic() + 60
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert members(process.pid) == []
    return process.returncode, told


def finished_runs(folder: Path) -> dict[Path, str]:
    """Return every folder below that looks finished, with its digest; each file in it is whole."""
    found = {}
    for path in sorted({place.parent for place in folder.rglob("run.json")}):
        if any(part.startswith(".payroute-") for part in path.relative_to(folder).parts):
            continue
        raw = json.loads((path / "run.json").read_text())
        looks_finished = raw["status"] == "complete"
        if looks_finished and not (path / FINISHED).exists():
            _assert_whole(path, raw)
        try:
            facts = open_run(path).facts
        except UserError:
            assert not looks_finished
            continue
        _assert_whole(path, json.loads((path / "run.json").read_text()))
        found[path] = f"{facts['digest']} {facts['payments_digest']}"
    return found


def _assert_whole(path: Path, facts: dict[str, object]) -> None:
    """Fail where a folder says that it is complete and is not."""
    files = facts["files"]
    assert isinstance(files, dict)
    assert {"summary.json", "scenario.yaml", "plan.txt"} <= files.keys()
    assert strange_files(path, ("run.json", *files)) == []
    for name, digest in files.items():
        assert file_digest(path / name) == digest
    json.loads((path / "summary.json").read_text())


def kept_files(folder: Path) -> dict[Path, bytes]:
    """Return finished points, tables of sweeps and kept results below; each is whole."""
    found = {}
    for path in folder.rglob("*"):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if is_hidden or not path.is_file():
            continue
        if path.parent.name == "points":
            if json.loads(path.read_bytes())["status"] == "done":
                found[path] = path.read_bytes()
        elif path.name.startswith("sweep"):
            assert pq.read_table(path).num_rows > 0
            if path.name != "sweep.parquet":
                found[path] = path.read_bytes()
        elif path.name.partition("-")[0] in {"compare", "stress", "sensitivity"}:
            json.loads(path.read_bytes())
            found[path] = path.read_bytes()
    return found

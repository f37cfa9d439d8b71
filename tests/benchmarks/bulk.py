"""Measure ten thousand small replications in one command against a process for each.

Takes nothing; gives the seconds of one replication either way, by turns. Both are whole commands,
from the start of a process to its end; a process for each is measured for a few of them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUEUE = """\
scenario: hundred
question: How long is the line?
clock: {start: 2025-09-17T18:00:00+07:00, horizon: 125 s}
rails:
  shop:
    kind: generic
    stations: {counter: {servers: 1}}
    stages: [{name: service, serve: counter, time: {exponential: {mean: 1 s}}}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  customers: {corridor: inside, rate: 0.8 /s}
"""
"""A hundred payments through one counter, on average."""


def bulk_against_alone(
    replications: int, alone: int, *, jobs: int = 1, turns: int = 5
) -> list[tuple[float, float]]:
    """Return seconds per replication of a command for all and of one for each, turn by turn.

    Parameters
    ----------
    replications : int
        In one command.
    alone : int
        Commands of one replication, over all turns.
    jobs : int
        Processes of the one command.
    turns : int
        By turns, so that a slow moment of the machine meets both.
    """
    with tempfile.TemporaryDirectory(prefix="payroute-bulk-") as name:
        folder = Path(name)
        (folder / "queue.yaml").write_text(QUEUE, encoding="utf-8")
        found, number = [], 0
        for _ in range(turns):
            many = ("--replications", str(replications), "--jobs", str(jobs))
            together = _seconds(folder, *many) / replications
            each = []
            for _ in range(alone // turns):
                each.append(_seconds(folder, "--replication", str(number)))
                number += 1
            found.append((together, sum(each) / len(each)))
    return found


def _seconds(folder: Path, *arguments: str) -> float:
    command = [sys.executable, "-m", "sim", "run", str(folder / "queue.yaml")]
    command += ["--record", "none", "--out", str(folder / "out"), "--force", *arguments]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began

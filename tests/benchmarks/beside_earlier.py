"""Run a command of this version and of an earlier one by turns, each with its own machine code.

Takes a commit; gives ratios of wall time, of processor time and of peak memory. The earlier version
is unpacked into a temporary folder, and both run in the same environment.

    python -m tests.benchmarks.beside_earlier d74c4b9 day --turns 3
    python -m tests.benchmarks.beside_earlier d74c4b9 cold --turns 3
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "day": "scenarios/library/cambodia-2025.yaml",
    "cold": "scenarios/china-two-way.yaml",
}
"""The nationwide day with machine code in the cache; the first command of the README without."""


@dataclass(frozen=True, slots=True)
class Took:
    """What one command took, by the operating system and by ``run.json``."""

    wall_seconds: float
    cpu_seconds: float
    engine_seconds: float
    peak_mb: float


def run(version: Path, scenario: str, folder: Path, cache: Path) -> Took:
    """Run ``payroute run`` of a version in a process of its own.

    Parameters
    ----------
    version : Path
        Root of its sources.
    scenario : str
        Below that root.
    folder : Path
        Where its run folder goes.
    cache : Path
        Where machine code is kept.
    """
    words = ["-m", "sim", "run", scenario, "--out", str(folder), "--force", "--json"]
    settings = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(version)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words], cwd=version, env=settings,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if status != 0:
        raise RuntimeError(f"{version}: {' '.join(words)} ended with status {status}")
    facts = json.loads((folder / "run.json").read_text())
    unit = 1 if sys.platform == "darwin" else 1024
    return Took(
        wall, usage.ru_utime + usage.ru_stime, float(facts["engine_seconds"]),
        usage.ru_maxrss * unit / 1e6,
    )  # fmt: skip


def measure(commit: str, name: str, turns: int) -> dict[str, object]:
    """Return what both versions took, median by median, and how they compare."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        earlier = folder / "earlier"
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", "--format=tar", commit],
            check=True, capture_output=True,
        ).stdout  # fmt: skip
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(earlier, filter="data")
        took = _by_turns({"now": ROOT, "earlier": earlier}, name, turns, folder)
    middle = {
        which: {
            field: statistics.median(getattr(one, field) for one in found)
            for field in Took.__slots__
        }
        for which, found in took.items()
    }
    now, before = middle["now"], middle["earlier"]
    return {
        **{f"{which}_{field}": round(value, 2)
           for which, fields in middle.items() for field, value in fields.items()},
        "wall_of_earlier": round(now["wall_seconds"] / before["wall_seconds"], 2),
        "cpu_of_earlier": round(now["cpu_seconds"] / before["cpu_seconds"], 2),
        "wall_of_engine": round(now["wall_seconds"] / now["engine_seconds"], 2),
        "earlier_wall_of_engine": round(before["wall_seconds"] / before["engine_seconds"], 2),
        "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def _by_turns(
    versions: dict[str, Path], name: str, turns: int, folder: Path
) -> dict[str, list[Took]]:
    """Run the versions one after the other, so that a slow moment of the machine meets both."""
    took: dict[str, list[Took]] = {which: [] for which in versions}
    for turn in range(turns + 1):
        for which, version in versions.items():
            cache = folder / f"cache-{which}-{turn if name == 'cold' else 0}"
            found = run(version, COMMANDS[name], folder / f"run-{which}", cache)
            # A long measurement that is cut short has not been for nothing.
            sys.stderr.write(f"{which}, turn {turn}: {found}\n")
            # The first turn fills the cache, and is what a cold one measures.
            if turn > 0 or name == "cold":
                took[which].append(found)
    return took


def main(words: list[str]) -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("commit")
    parser.add_argument("name", choices=list(COMMANDS))
    parser.add_argument("--turns", type=int, default=5)
    given = parser.parse_args(words)
    found = measure(given.commit, given.name, given.turns)
    sys.stdout.write(f"{given.name}: {json.dumps(found, indent=2)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Measure pages: how large they are, what writing them takes, and how soon a phone has drawn them.

Takes finished runs it makes itself; gives figures for :mod:`tests.benchmarks.measure`. A quarter of
the processor's speed is what the browser itself slows to; drawn is when the second frame after the
page's load has been put on the screen, counted from the moment it was asked for.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.whole_process import TWO_WAY
from tests.support.browser import CHROMIUM, Browser

TURNS = 3
SLOWER = 4
_DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
Figures = dict[str, object]


def measure_pages() -> Figures:
    """Measure the page of an hour, of a million payments, and of a comparison."""
    with tempfile.TemporaryDirectory() as folder:
        hour = page_of_run(Path(folder) / "hour", "clock.horizon=1 h")
        million = page_of_run(Path(folder) / "million", "clock.horizon=6 h")
        arms = Path(folder) / "arms.html"
        command("compare", str(TWO_WAY), "--oracle", "--replications", "2",
                "--set", "clock.horizon=30 min", "--output", str(arms))  # fmt: skip
        return {
            "hour": {**hour, **drawn(Path(folder) / "hour" / "report.html")},
            "million": {**million, **drawn(Path(folder) / "million" / "report.html")},
            "comparison": {"kilobytes": kilobytes(arms), **drawn(arms)},
        }


def page_of_run(folder: Path, change: str) -> Figures:
    """Run the two-way scenario with what a player needs, and write its page."""
    command("run", str(TWO_WAY), "--record", "stages", "--out", str(folder), "--set", change)
    seconds = command("report", str(folder))
    return {"report_cpu_seconds": round(seconds, 2), "kilobytes": kilobytes(folder / "report.html")}


def kilobytes(path: Path) -> float:
    """Return the size of a file in 1000 bytes."""
    return round(path.stat().st_size / 1000, 1)


def command(*words: str) -> float:
    """Run a command of ours in a process of its own; return its processor time in s."""
    with Path(os.devnull).open("wb") as nowhere:
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "sim", *words],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2),
            ],
        )
        _, status, used = os.wait4(process, 0)
    assert status == 0, words
    return used.ru_utime + used.ru_stime


def drawn(path: Path) -> Figures:
    """Return how long a phone four times slower than this machine takes to draw a page."""
    if not CHROMIUM:
        return {}
    taken = []
    for _ in range(TURNS):
        with Browser() as browser:
            browser.ask("Emulation.setCPUThrottlingRate", rate=SLOWER)
            # Time is that of the page's own clock, which starts when it is asked for.
            browser.open(path, width=390)
            begun = time.perf_counter()
            browser.run(_DRAWN)
            late = time.perf_counter() - begun
            taken.append(float(browser.run("performance.now()")) / 1000 - late)
    return {"drawn_seconds": round(statistics.median(taken), 2), "slower": SLOWER}

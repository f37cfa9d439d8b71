"""Show one run while it goes on: a live line at a terminal, a line now and then elsewhere.

Takes progress and the figures of a :class:`~sim.study.live.LiveRun`; writes to standard error.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sim.cli.progress import write_clock
from sim.cli.showing import is_quiet
from sim.report.figure import plain
from sim.units import SECOND_US

if TYPE_CHECKING:
    from sim.study.live import LiveRun

PLAIN_SECONDS = 2.0
"""Time between lines where nobody sees one change."""


class LiveWatcher:
    """Somebody who shows simulated time, load, the longest queue and failures.

    Parameters
    ----------
    live : LiveRun
        What listens to the run.
    console : Console, optional
        Where to; by default standard error.

    Notes
    -----
    Load is what was submitted since the line before, by simulated time. At a terminal the last line
    stays; elsewhere a line is written every few seconds, and one at the end.
    """

    def __init__(self, live: LiveRun, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr)
        self._live = live
        self._line: Live | None = None
        self._horizon_us = 1
        self._before = (0, 0)
        self._latest = (0, 0)
        self._load = 0.0
        self._told = time.monotonic()

    def say(self, message: str) -> None:
        """Say nothing of the steps of a run: they are short."""

    def begin(self, horizon_us: int) -> None:
        """Begin the line."""
        self._horizon_us, self._told = horizon_us, time.monotonic()
        if self._console.is_terminal and not is_quiet():
            self._line = Live(console=self._console, auto_refresh=False)
            self._line.start()

    def advance(self, time_us: int, payments: int, events: int) -> None:
        """Change the line, or write one where the last is old."""
        del events
        self._latest = (time_us, payments)
        if self._line is not None:
            self._line.update(Text(self._words()), refresh=True)
        elif time.monotonic() - self._told >= PLAIN_SECONDS:
            self._write()

    def finish(self) -> None:
        """Write how it ended."""
        if self._line is not None:
            self._line.update(Text(self._words()), refresh=True)
            self._line.stop()
            self._line = None
        else:
            self._write()

    def _write(self) -> None:
        self._told = time.monotonic()
        if not is_quiet():
            self._console.print(self._words(), highlight=False, markup=False, soft_wrap=True)

    def _words(self) -> str:
        """Return the line."""
        time_us, payments = self._latest
        passed = time_us - self._before[0]
        if passed > 0:
            # Else nothing has happened since, and the load is what it was.
            self._load = (payments - self._before[1]) * SECOND_US / passed
            self._before = self._latest
        figures = self._live.figures
        share = f" ({figures.failed / figures.ended:.1%})" if figures.ended else ""
        queue = f"{plain(figures.queue)} at {figures.longest}" if figures.queue else "none"
        clock = f"{write_clock(time_us)} of {write_clock(self._horizon_us)}"
        return (
            f"simulated {clock} | load {plain(self._load)} /s | longest queue {queue} | failed "
            f"{plain(figures.failed)}{share}"
        )

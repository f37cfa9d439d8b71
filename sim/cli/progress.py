"""Show on standard error how a run goes on.

Takes what the run tells its watcher; gives a progress bar where a person is looking, a line now and
then where output goes to a file, and nothing at all for what takes less than two seconds.
"""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.status import Status

from sim.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US

QUIET_SECONDS = 2.0
"""What is done sooner needs no progress."""
LINE_SECONDS = 30.0
"""Time between lines where nobody watches a bar."""


class TerminalWatcher:
    """Tell a person how a run goes on.

    Parameters
    ----------
    console : Console, optional
        Where to; by default standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._horizon_us = 1
        self._begun = self._told = time.monotonic()

    def say(self, message: str) -> None:
        """Say what takes long enough to wonder about."""
        if message.startswith("compiling the event loop"):
            self._console.print(message, style="dim", highlight=False)

    def begin(self, horizon_us: int) -> None:
        """Note where simulated time ends; the bar comes only if the run takes a while."""
        self._horizon_us = horizon_us
        self._begun = self._told = time.monotonic()

    def advance(self, time_us: int, payments: int, events: int) -> None:
        """Show simulated time, payments per second and time left."""
        del events
        now = time.monotonic()
        if now - self._begun < QUIET_SECONDS:
            return
        pace = f"{payments / (now - self._begun):,.0f} payments/s"
        if not self._console.is_terminal:
            if now - self._told >= LINE_SECONDS:
                self._told = now
                share = time_us / self._horizon_us
                self._console.print(f"{share:.0%} of simulated time, {pace}", highlight=False)
            return
        if self._bar is None:
            self._bar = self._make_bar()
        clock = f"{write_clock(time_us)} of {write_clock(self._horizon_us)}"
        self._bar.update(self._task, completed=time_us, clock=clock, pace=pace)

    def finish(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _make_bar(self) -> Progress:
        bar = Progress(
            TextColumn("simulated {task.fields[clock]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[pace]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = bar.add_task("run", total=self._horizon_us, clock="", pace="")
        bar.start()
        return bar


class ReplicationCount:
    """Tell a person how many replications are done.

    Parameters
    ----------
    console : Console, optional
        Where to; by default standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr)
        self._status: Status | None = None
        self._begun = self._told = time.monotonic()

    def tell(self, done: int, planned: int) -> None:
        """Hear of replications done and planned."""
        now = time.monotonic()
        if now - self._begun < QUIET_SECONDS:
            return
        message = f"{done} of {planned} replications"
        if self._console.is_terminal:
            if self._status is None:
                self._status = self._console.status(message)
                self._status.start()
            self._status.update(message)
        elif now - self._told >= LINE_SECONDS:
            self._told = now
            self._console.print(message, highlight=False)

    def finish(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None


def write_clock(time_us: int) -> str:
    """Write simulated time since the start, as in ``1 d 02:30:00``."""
    days, rest = divmod(time_us, DAY_US)
    hours, rest = divmod(rest, HOUR_US)
    minutes, rest = divmod(rest, MINUTE_US)
    clock = f"{hours:02d}:{minutes:02d}:{rest // SECOND_US:02d}"
    return f"{days} d {clock}" if days else clock

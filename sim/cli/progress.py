"""Show on standard error how a run, or how many of many runs, goes on.

Takes what the work tells its watcher; gives a progress bar where a person is looking, a line now
and then where output goes to a file, and nothing at all for what takes less than two seconds.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from sim.cli.showing import is_quiet
from sim.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US

QUIET_SECONDS = 2.0
"""What is done sooner needs no progress."""
_BAR_FROM = 72
"""Columns of a terminal from which on a bar and what stands beside it have room."""
LINE_SECONDS = 30.0
"""Time between lines where nobody watches a bar."""


def _words(text: str) -> TextColumn:
    """Return words beside a bar; on a narrow terminal they go on below and are never cut."""
    return TextColumn(text, table_column=Column(overflow="fold"))


class Bar:
    """A bar that comes only if the work takes a while, or lines where nobody watches.

    Parameters
    ----------
    columns : tuple
        What stands beside the bar.
    console : Console, optional
        Where to; by default standard error.
    """

    def __init__(self, *columns: str | ProgressColumn, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stderr)
        # Where there is no room for all of it, the first words say enough.
        self._columns = columns if self.console.width >= _BAR_FROM else columns[:1]
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self.begin()

    def begin(self) -> None:
        """Start the clock."""
        self._begun = self._told = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the time since the beginning."""
        return time.monotonic() - self._begun

    def show(self, done: int, planned: int, line: str, **fields: str) -> None:
        """Show how much is done; a line is written at most every half minute."""
        if self.seconds < QUIET_SECONDS or is_quiet():
            return
        if not self.console.is_terminal:
            if time.monotonic() - self._told >= LINE_SECONDS:
                self._told = time.monotonic()
                self.console.print(line, highlight=False)
            return
        told: dict[str, Any] = dict(fields)
        if self._progress is None:
            self._progress = Progress(*self._columns, console=self.console, transient=True)
            self._task = self._progress.add_task("", total=planned, **told)
            self._progress.start()
        self._progress.update(self._task, completed=done, total=planned, **told)

    def finish(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class TerminalWatcher:
    """Somebody who tells a person how a run goes on.

    Parameters
    ----------
    console : Console, optional
        Where to; by default standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._bar = Bar(
            _words("simulated {task.fields[clock]}"),
            BarColumn(bar_width=24),
            _words("{task.fields[pace]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._horizon_us = 1

    def say(self, message: str) -> None:
        """Say nothing of the steps of a run: they are short."""

    def begin(self, horizon_us: int) -> None:
        """Note where simulated time ends."""
        self._horizon_us = horizon_us
        self._bar.begin()

    def advance(self, time_us: int, payments: int, events: int) -> None:
        """Show simulated time, payments per second and time left."""
        del events
        pace = f"{payments / max(self._bar.seconds, 1e-9):,.0f} payments/s"
        share = f"{time_us / self._horizon_us:.0%} of simulated time, {pace}"
        clock = f"{write_clock(time_us)} of {write_clock(self._horizon_us)}"
        self._bar.show(time_us, self._horizon_us, share, clock=clock, pace=pace)

    def finish(self) -> None:
        """Take the bar away."""
        self._bar.finish()


class RunCounter:
    """A count of runs for whoever watches.

    Parameters
    ----------
    what : str
        What is counted, as in ``runs``.
    console : Console, optional
        Where to; by default standard error.
    """

    def __init__(self, what: str = "runs", console: Console | None = None) -> None:
        self._what = what
        columns = (_words(what), BarColumn(bar_width=24), MofNCompleteColumn())
        self._bar = Bar(*columns, TimeRemainingColumn(), console=console)

    def __enter__(self) -> RunCounter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.finish()

    def tell(self, done: int, planned: int) -> None:
        """Hear how many runs are done, of how many."""
        self._bar.show(done, planned, f"{done} of {planned} {self._what}")

    def say(self, message: str) -> None:
        """Say a sentence, above the bar where there is one."""
        if not is_quiet():
            self._bar.console.print(message, highlight=False, markup=False, soft_wrap=True)


def write_clock(time_us: int) -> str:
    """Write simulated time since the start, as in ``1 d 02:30:00``."""
    days, rest = divmod(time_us, DAY_US)
    hours, rest = divmod(rest, HOUR_US)
    minutes, rest = divmod(rest, MINUTE_US)
    clock = f"{hours:02d}:{minutes:02d}:{rest // SECOND_US:02d}"
    return f"{days} d {clock}" if days else clock

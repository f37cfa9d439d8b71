"""Show on standard error how many of many runs are done.

Takes counts; gives a bar where a person is looking and a line now and then where output goes to a
file, and nothing at all for what takes less than two seconds.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeRemainingColumn as TimeLeft

from sim.cli.progress import LINE_SECONDS, QUIET_SECONDS


class RunCounter:
    """Count runs for whoever watches.

    Parameters
    ----------
    what : str
        What is counted, as in ``runs``.
    """

    def __init__(self, what: str = "runs") -> None:
        self._what = what
        self._console = Console(file=sys.stderr)
        self._begun = self._told = time.monotonic()
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> RunCounter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def tell(self, done: int, planned: int) -> None:
        """Hear how many runs are done, of how many."""
        now = time.monotonic()
        if now - self._begun < QUIET_SECONDS:
            return
        if not self._console.is_terminal:
            if now - self._told >= LINE_SECONDS:
                self._told = now
                self._console.print(f"{done} of {planned} {self._what}", highlight=False)
            return
        if self._bar is None:
            self._bar = Progress(
                TextColumn(self._what),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeLeft(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(self._what, total=planned)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=planned)

    def say(self, message: str) -> None:
        """Say a sentence, above the bar where there is one."""
        console = self._console if self._bar is None else self._bar.console
        console.print(message, highlight=False, markup=False)

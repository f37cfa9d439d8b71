"""What can be known of a run while it goes on: how many failed, and which queue is longest.

Takes records and samples as an engine hands them on; gives a :class:`LiveFigures` at any time. It
only listens: a run that is watched gives the same figures as one that is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.contract.meaning import LogKind, Outcome
from sim.contract.records import LogColumn, RecordColumn

if TYPE_CHECKING:
    from sim.analysis.summary import Summary
    from sim.compiler.compile import Compiled
    from sim.contract.plan import Array
    from sim.contract.run import Sink

_FAILED = (Outcome.REJECTED, Outcome.RETURNED, Outcome.NOT_PAYABLE)


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """What is known of a run so far.

    Attributes
    ----------
    ended, failed : int
        Payments that have ended, and those of them that did not reach their payee.
    longest : str
        Station or ledger with the longest queue at the last sample; empty where none waits.
    queue : int
        Payments in it.
    """

    ended: int = 0
    failed: int = 0
    longest: str = ""
    queue: int = 0


class LiveRun:
    """A listener to one run that keeps its latest figures; a :class:`~sim.study.case.Watch`."""

    wants_log = False
    wants_samples = True
    wants_records = True

    def __init__(self) -> None:
        self.figures = LiveFigures()
        self._names: dict[int, Sequence[str]] = {}
        self._queues: dict[tuple[int, int], int] = {}

    def begin(self, compiled: Compiled) -> LiveRun:
        """Note what is called how, and listen from here on."""
        names = compiled.plan.names
        self._names = {LogKind.SAMPLE_STATION: names.stations, LogKind.SAMPLE_LEDGER: names.ledgers}
        return self

    @property
    def sinks(self) -> Sequence[Sink]:
        """Return what listens: this."""
        return (self,)

    def keep(self, summary: Summary) -> object:
        """Keep nothing: what is live is over."""
        del summary
        return None

    def take_log(self, rows: Array) -> None:
        """Take samples: of each place the last one counts."""
        sampled = rows[np.isin(rows[:, LogColumn.KIND], list(self._names))]
        columns = (LogColumn.KIND, LogColumn.SUBJECT, LogColumn.AMOUNT)
        for kind, subject, queue in sampled[:, columns].tolist():
            self._queues[kind, subject] = queue
        # Of queues of one length the first by kind and number, so that the line does not jump.
        longest = max(self._queues, key=lambda at: (self._queues[at], -at[0], -at[1]), default=None)
        if longest is None or self._queues[longest] == 0:
            self._tell(longest="", queue=0)
        else:
            name = self._names[longest[0]][longest[1]]
            self._tell(longest=name, queue=self._queues[longest])

    def take_records(self, rows: Array) -> None:
        """Take payments that have ended."""
        outcome = rows[:, RecordColumn.OUTCOME]
        ended = int((outcome != Outcome.IN_PROGRESS).sum())
        failed = int(np.isin(outcome, _FAILED).sum())
        now = self.figures
        self.figures = LiveFigures(now.ended + ended, now.failed + failed, now.longest, now.queue)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Ignore it: whoever shows the figures hears of progress, too."""

    def _tell(self, *, longest: str, queue: int) -> None:
        now = self.figures
        self.figures = LiveFigures(now.ended, now.failed, longest, queue)

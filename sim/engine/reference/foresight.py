"""What an oracle foresees, in the reference engine: every course is run from the start again.

Takes a run with the payments submitted so far; gives scores of candidates. The meaning is in
:mod:`sim.contract.policies`. Choices made so far are told to the run that is begun anew, so it
comes to the choice at hand as this one did; from there on it goes on without further submissions.
That is slow, and plain: nothing has to be copied, and what is found is what this engine does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sim.contract.layout import NULL
from sim.contract.meaning import Outcome, Policy
from sim.contract.plan import Array
from sim.contract.policies import FORESEEN_FAILS
from sim.contract.records import RecordColumn

ORACLES = (Policy.ORACLE_COST, Policy.ORACLE_TIME)
IMAGINED = {Policy.ORACLE_COST: Policy.CHEAPEST, Policy.ORACLE_TIME: Policy.FASTEST}
"""By what later choices of a foreseen course are made."""
Course = Callable[["Told", int, int], "list[int] | None"]
"""Runs a course; takes what is told, how many payments are submitted and whose record is wanted."""


@dataclass(slots=True)
class Told:
    """Positions taken at the first choices of a run; beyond, an oracle foresees nothing."""

    positions: tuple[int, ...]
    used: int = 0

    def next(self) -> int | None:
        """Return the position to take at the choice at hand, None where nothing is told."""
        if self.used == len(self.positions):
            return None
        self.used += 1
        return self.positions[self.used - 1]


@dataclass(slots=True)
class Foresight:
    """What an oracle knows of a run."""

    course: Course
    taken: list[int] = field(default_factory=list)
    """Positions taken so far where an oracle chose."""

    def scores(
        self, policy: int, positions: Sequence[int], *, now_us: int, payments: int, payment: int
    ) -> dict[int, int]:
        """Return what is foreseen by position."""
        return {
            at: _score(policy, self.course(Told((*self.taken, at)), payments, payment), now_us)
            for at in positions
        }


class Watcher:
    """Sink of a foreseen course: it waits for the record of one payment."""

    wants_log = False
    wants_records = True

    def take_log(self, rows: Array) -> None:
        """Take no notice."""

    def take_records(self, rows: Array) -> None:
        """Take no notice."""

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Take no notice."""


def _score(policy: int, record: list[int] | None, now_us: int) -> int:
    if record is None or record[RecordColumn.OUTCOME] != Outcome.COMPLETED:
        return FORESEEN_FAILS
    if policy == Policy.ORACLE_TIME:
        return min(record[RecordColumn.END_US] - now_us, FORESEEN_FAILS - 1)
    costs = (record[RecordColumn.FX_MARGIN], record[RecordColumn.PAYER_FEE])
    return min(sum(cost for cost in costs if cost != NULL), FORESEEN_FAILS - 1)

"""What a course an oracle foresees comes to: the record it waits for, and the score that is.

Takes records of the kernel; gives a score. The meaning is in :mod:`sim.contract.policies`; the
reference engine has a reading of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.contract.layout import NULL
from sim.contract.meaning import Outcome, Policy
from sim.contract.plan import Array
from sim.contract.policies import FORESEEN_FAILS
from sim.contract.records import RecordColumn

ORACLES = (Policy.ORACLE_COST, Policy.ORACLE_TIME)


class Watcher:
    """Sink of a course: it keeps the records of who has ended since it was last looked at."""

    wants_log, wants_records = False, True

    def __init__(self) -> None:
        self.found: list[list[int]] = []

    def take_log(self, rows: Array) -> None:
        """Take no notice."""

    def take_records(self, rows: Array) -> None:
        """Keep them."""
        self.found += rows.tolist()

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Take no notice."""


def worth_of(record: Sequence[int] | None, policy: int, began_us: int) -> int:
    """Return the score of a candidate over which a payment would end with this record, if any."""
    if record is None or record[RecordColumn.OUTCOME] != Outcome.COMPLETED:
        return FORESEEN_FAILS
    worth = record[RecordColumn.END_US] - began_us
    if policy == Policy.ORACLE_COST:
        costs = (record[RecordColumn.FX_MARGIN], record[RecordColumn.PAYER_FEE])
        worth = sum(cost for cost in costs if cost != NULL)
    return min(worth, FORESEEN_FAILS - 1)

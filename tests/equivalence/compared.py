"""Run both engines on one plan and ask for equality to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.contract.plan import Array, Plan
from sim.contract.records import LOG_WIDTH, RECORD_WIDTH, RecordColumn
from sim.contract.run import Totals
from sim.engine.compare import first_difference
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference

TOTALS = (
    "station",
    "ledger",
    "account",
    "station_wait",
    "ledger_wait",
    "member",
    "end_posted",
    "end_pending",
    "file",
    "refund",
    "station_reading",
    "ledger_reading",
    "account_reading",
)


@dataclass
class Kept:
    """Keep everything an engine gives."""

    wants_log: bool = True
    wants_records: bool = True
    wants_samples: bool = False
    logs: list[Array] = field(default_factory=list)
    records: list[Array] = field(default_factory=list)
    progress: list[tuple[int, int, int]] = field(default_factory=list)
    totals: Totals | None = None
    """Of the compiled engine, where both were run."""

    def take_log(self, rows: Array) -> None:
        self.logs.append(rows)

    def take_records(self, rows: Array) -> None:
        self.records.append(rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        self.progress.append((time_us, payments, events))

    @property
    def log(self) -> Array:
        return np.concatenate([np.empty((0, LOG_WIDTH), dtype=np.int64), *self.logs])

    @property
    def record(self) -> Array:
        return np.concatenate([np.empty((0, RECORD_WIDTH), dtype=np.int64), *self.records])


def split(workload: Array, rows: int) -> list[Array]:
    """Cut a workload into chunks, so that chunk ends fall anywhere."""
    return [workload[at : at + rows] for at in range(0, len(workload), rows)]


def run_both(plan: Plan, workload: Array, *, chunk: int = 7) -> Kept:
    """Run both engines, compare everything and return what the compiled one gave."""
    mine, theirs = Kept(), Kept()
    reference = run_reference(plan, [workload], theirs)
    compiled = run_compiled(plan, split(workload, chunk), mine)
    difference = first_difference(theirs.log, mine.log, plan)
    assert difference is None, f"reference (first) and compiled (second): {difference}"
    assert_records_equal(theirs.record, mine.record)
    assert_totals_equal(reference, compiled)
    mine.totals = compiled
    return mine


def assert_records_equal(first: Array, second: Array) -> None:
    """Ask for equal payment records, naming the first column that is not."""
    assert first.shape == second.shape
    rows = np.flatnonzero((first != second).any(axis=1))
    if len(rows):
        at = int(rows[0])
        columns = np.flatnonzero(first[at] != second[at])
        names = [_record_name(int(column)) for column in columns]
        pairs = list(
            zip(names, first[at, columns].tolist(), second[at, columns].tolist(), strict=True)
        )
        raise AssertionError(f"record {at} of payment {first[at, 0]} differs: {pairs}")


def assert_totals_equal(first: Totals, second: Totals) -> None:
    """Ask for equal totals but for wall time."""
    assert (first.payments, first.events) == (second.payments, second.events)
    for name in TOTALS:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


def covered(columns: Sequence[int], array: Array) -> set[int]:
    """Return the values that occur in some columns of an array."""
    return {int(value) for column in columns for value in np.unique(array[:, column])}


def _record_name(column: int) -> str:
    """Return the name of a record column, by its nearest named column."""
    named = max(member for member in RecordColumn if member <= column)
    return named.name if named == column else f"{named.name}+{column - named}"

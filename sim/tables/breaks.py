"""Fold payments into reconciliation breaks, by reconciliation, rail, agent, currency and age.

Takes the plan and chunks of payment records; gives counts and amounts. What a break is, is said in
:mod:`sim.contract.breaks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sim.contract.breaks import AGE_FROM_DAYS, BREAK_AGES, ReconciliationColumn
from sim.contract.layout import NEVER_US, NULL, RouteColumn, StreamColumn
from sim.contract.plan import Array, Plan
from sim.contract.records import RecordColumn
from sim.tables.spans import Spans
from sim.units import DAY_US

C = RecordColumn


class Cell(NamedTuple):
    """What breaks are counted by."""

    reconciliation: int
    rail: int
    agent: int
    currency: int
    age: int


class BreakFolder:
    """The breaks of one run.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    spans : Spans, optional
        When payments are submitted that count; by default at any time.

    Attributes
    ----------
    cells : dict of Cell to list of int
        Breaks, their instructed amounts, how many are new, and how many stand in doubt.
    found : ndarray of int64, shape (streams, ages)
        Breaks at all reconciliations, by age.
    opened, standing, oldest_us : ndarray of int64, shape (streams,)
        Payments that were a break at all, those that are one at the last reconciliation, and the
        longest time any stood at one.
    """

    def __init__(self, plan: Plan, spans: Spans | None = None) -> None:
        self._plan, self._spans = plan, spans
        self.at_us: Array = plan.reconciliation[:, ReconciliationColumn.AT_US].copy()
        self.cells: dict[Cell, list[int]] = {}
        streams = len(plan.stream)
        self.found = np.zeros((streams, len(BREAK_AGES)), dtype=np.int64)
        self.opened, self.standing, self.oldest_us = np.zeros((3, streams), dtype=np.int64)

    def take(self, rows: Array) -> None:
        """Fold a chunk of records."""
        if not len(self.at_us):
            return
        # Machine code, which those who only read a finished run do without.
        from sim.tables.break_loop import find_breaks

        found = np.empty(len(rows), dtype=np.int64)
        # Very few payments of a day that goes well.
        rows = rows[found[: find_breaks(rows, self.at_us, found)]]
        if self._spans is not None:
            rows = rows[self._spans.hold(rows[:, C.SUBMITTED_US])]
        debited = self._stands(rows[:, C.SETTLED_US], _until_placed(rows))
        doubted = self._stands(rows[:, C.DOUBTED_US], _until_known(rows))
        for at in range(len(rows)):
            spans = [(int(one[0][at]), int(one[1][at])) for one in (debited, doubted)]
            self._count(rows[at], spans)

    def _stands(self, start: Array, stop: Array) -> tuple[Array, Array]:
        """Return the first reconciliation at which something stands, and the first it does not."""
        first = np.searchsorted(self.at_us, np.maximum(start, 0), "right")
        last = np.searchsorted(self.at_us, stop, "right")
        return first, np.where(start == NULL, first, last)

    def _count(self, row: Array, spans: list[tuple[int, int]]) -> None:
        stream, route = int(row[C.STREAM]), int(row[C.ROUTE])
        rail, agent = (
            (int(self._plan.route[route, column]) if route >= 0 else -1)
            for column in (RouteColumn.RAIL, RouteColumn.SETTLEMENT_AGENT)
        )
        currency = int(self._plan.stream[stream, StreamColumn.CURRENCY])
        starts = int(row[C.SETTLED_US]), int(row[C.DOUBTED_US])
        before = -2
        self.opened[stream] += 1
        for number in _numbers(spans):
            held = [first <= number < last for first, last in spans]
            since = min(start for start, holds in zip(starts, held, strict=True) if holds)
            age = self._age(int(self.at_us[number]), since)
            cell = self.cells.setdefault(Cell(number, rail, agent, currency, age), [0, 0, 0, 0])
            for column, value in enumerate(
                (1, int(row[C.INSTRUCTED]), before < number - 1, held[1])
            ):
                cell[column] += int(value)
            before = number
            self.found[stream, age] += 1
            stood_us = int(self.at_us[number]) - since
            self.oldest_us[stream] = max(int(self.oldest_us[stream]), stood_us)
        self.standing[stream] += before == len(self.at_us) - 1

    def _age(self, at_us: int, since_us: int) -> int:
        day = (at_us - 1 + self._plan.day_offset_us) // DAY_US
        days = day - (since_us + self._plan.day_offset_us) // DAY_US
        return int(np.searchsorted(AGE_FROM_DAYS, days, "right")) - 1


def _numbers(spans: list[tuple[int, int]]) -> Iterator[int]:
    yield from sorted({number for first, last in spans for number in range(first, last)})


def _until_placed(rows: Array) -> Array:
    """Return the instant at which a debit was credited or undone."""
    never = [
        np.where(rows[:, at] == NULL, NEVER_US, rows[:, at]) for at in (C.CREDITED_US, C.END_US)
    ]
    return np.minimum(*never)


def _until_known(rows: Array) -> Array:
    """Return the instant at which a doubt ended."""
    is_open = (rows[:, C.IN_DOUBT_SINCE_US] != NULL) | (rows[:, C.KNOWN_US] == NULL)
    found: Array = np.where(is_open, NEVER_US, rows[:, C.KNOWN_US])
    return found

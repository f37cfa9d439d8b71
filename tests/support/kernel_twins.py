"""Drive the kernel's containers beside their naive twins; run as a program, uncompiled.

    NUMBA_DISABLE_JIT=1 python -m tests.support.kernel_twins [FAULT]

Takes the name of a fault to plant, for the control that must fail; ends with an AssertionError at
the first difference. Compiled, these functions have no entrance for Python.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sim.contract.records import HISTOGRAM_SUB_BITS, histogram_bucket
from sim.engine import later
from sim.engine.kernel import heap, histogram, laying, queues, state, timers
from tests.support.twins import NaiveHeap, NaiveQueues, naive_bucket

SEED = 20_250_917
STEPS = 6_000


def compare_heaps(fault: str) -> None:
    """Push and drop at random, with many ties in time, and compare every event that comes out."""
    dice, twin = random.Random(SEED), NaiveHeap()
    cursor = np.zeros(state.CURSOR_LENGTH, dtype=np.int64)
    cursor[state.C_EDGE] = state.NO_EDGE
    rows = np.zeros((STEPS + 8, state.HEAP_WIDTH), dtype=np.int64)
    for key in range(STEPS):
        if twin.events and dice.random() < 0.48:
            first = tuple(int(cell) for cell in rows[0])
            heap.drop_first(cursor, rows)
            assert first == twin.drop_first(), f"step {key}"
        else:
            event = (
                dice.randrange(40),
                dice.randrange(10**6) * STEPS + key,
                key,
                dice.randrange(9),
            )
            heap.push(cursor, rows, *event)
            # The fault: a twin that thinks later keys come first.
            twin.push((event[0], -event[1], *event[2:]) if fault == "heap" else event)
        assert cursor[state.C_HEAP] == len(twin.events)


def compare_later(fault: str) -> None:
    """Push and drop as above where few events are near, the others dealt out when they are due."""
    dice, twin, aside = random.Random(SEED), NaiveHeap(), later.Later()
    later._NEAR, later._MANY, later._SPARE = 8, 16, 8
    run = _Scheduled(np.zeros(state.CURSOR_LENGTH, dtype=np.int64), laying.lay_heap(8))
    run.cursor[state.C_EDGE] = state.NO_EDGE
    now_us, dealt = 0, 0
    for key in range(STEPS):
        cursor = run.cursor
        if cursor[state.C_HEAP] + cursor[state.C_LATER] == len(run.heap):
            run, dealt = aside.deal(run), dealt + (cursor[state.C_EDGE] != state.NO_EDGE)
        if twin.events and dice.random() < (0.48 if key < STEPS // 2 else 0.6):
            while not _has_next(run):
                run, dealt = aside.deal(run), dealt + 1
            first = tuple(int(cell) for cell in run.heap[0])
            heap.drop_first(run.cursor, run.heap)
            assert first == twin.drop_first(), f"step {key}"
            now_us = first[0]
        else:
            far = dice.choice((1, 40, 4000))
            event = (now_us + dice.randrange(far), dice.randrange(10**6) * STEPS + key, key, 0)
            heap.push(run.cursor, run.heap, *event)
            twin.push((event[0], -event[1], *event[2:]) if fault == "later" else event)
        rows = aside.gathered(run)
        assert len(rows) == len(twin.events)
    assert dealt > 30


def _has_next(run: _Scheduled) -> bool:
    """Say whether the first event of the heap comes before all that were set aside."""
    first_us = run.heap[0, state.H_TIME] if run.cursor[state.C_HEAP] else state.NO_EDGE
    return bool(first_us < run.cursor[state.C_EDGE])


class _Scheduled(NamedTuple):
    """The part of the kernel's state that holds events."""

    cursor: np.ndarray
    heap: np.ndarray


def compare_queues(fault: str) -> None:
    """Join at either end and leave from anywhere; compare every line from both of its ends."""
    dice, twin, payments = random.Random(SEED), NaiveQueues(), 60
    pool = np.full((payments, state.POOL_WIDTH), -1, dtype=np.int64)
    ends = np.full((3, 2), -1, dtype=np.int64)
    standing: set[int] = set()
    for step in range(STEPS):
        slot, line = dice.randrange(payments), dice.randrange(3)
        if slot in standing:
            queues.unlink(pool, ends, slot)
            twin.unlink(slot)
            standing.discard(slot)
        elif dice.random() < 0.7:
            queues.append(pool, ends, line, slot)
            (twin.prepend if fault == "queues" else twin.append)(line, slot)
            standing.add(slot)
        else:
            queues.prepend(pool, ends, line, slot)
            twin.prepend(line, slot)
            standing.add(slot)
        for number in range(3):
            expected = twin.lines.get(number, [])
            forwards = _walk(pool, int(ends[number, state.Q_HEAD]), state.P_NEXT)
            backwards = _walk(pool, int(ends[number, state.Q_TAIL]), state.P_PREVIOUS)
            assert forwards == expected, f"step {step}"
            assert backwards == expected[::-1], f"step {step}"


def _walk(pool: np.ndarray, slot: int, column: int) -> list[int]:
    found = []
    while slot >= 0:
        found.append(slot)
        slot = int(pool[slot, column])
    return found


def compare_timers(fault: str) -> None:
    """Arm time-outs of several lengths as time goes on; they must fall due in order of time, key.

    Within one instant they are armed in any order of keys, which the lines leave to the heap.
    """
    dice, twin = random.Random(SEED), NaiveHeap()
    run = _Timers(lines=4, room=STEPS)
    now_us = 0
    for number in range(STEPS // 3):
        now_us += dice.choice((0, 0, 1, 3))
        while twin.events and twin.first()[0] <= now_us:
            assert run.take() == twin.drop_first()[:3]
        line = dice.randrange(-1, 4)
        key = dice.randrange(10**6) * STEPS + number
        event = (now_us + 5 + 7 * max(line, 0), key, number, 0)
        timers.arm(run, line, *event[:3])
        twin.push((event[0], -key, number, 0) if fault == "timers" else event)
    while twin.events:
        assert run.take() == twin.drop_first()[:3]


class _Timers:
    """The part of the kernel's state that time-outs need, and the loop's way of taking one."""

    def __init__(self, *, lines: int, room: int) -> None:
        self.cursor = np.zeros(state.CURSOR_LENGTH, dtype=np.int64)
        self.cursor[state.C_EDGE] = state.NO_EDGE
        self.heap = np.zeros((room + 8, state.HEAP_WIDTH), dtype=np.int64)
        self.timer = np.full((room, state.TIMER_WIDTH), -1, dtype=np.int64)
        self.timer[:-1, state.T_NEXT] = np.arange(1, room)
        self.due = np.full((lines, 2), -1, dtype=np.int64)
        self._look_again()

    def _look_again(self) -> None:
        self.cursor[state.C_HEAD_TIME] = self.cursor[state.C_HEAD_KEY] = np.iinfo(np.int64).max
        for line in range(len(self.due)):
            first = int(self.due[line, state.Q_HEAD])
            if first >= 0:
                timers.note_first(self.cursor, self.timer, line, first)

    def take(self) -> tuple[int, int, int]:
        """Return (time, key, slot) of the next time-out, from a line or from the heap."""
        head = int(self.cursor[state.C_HEAD_TIME]), int(self.cursor[state.C_HEAD_KEY])
        has_heap = self.cursor[state.C_HEAP] > 0
        top = (int(self.heap[0, state.H_TIME]), int(self.heap[0, state.H_KEY]))
        if has_heap and top < head:
            slot = int(self.heap[0, state.H_SLOT])
            heap.drop_first(self.cursor, self.heap)
            return (*top, slot)
        line = int(self.cursor[state.C_HEAD_LINE])
        slot = timers.drop_due(self.cursor, self.timer, self.due, line)
        self._look_again()
        return (*head, slot)


def compare_histograms(fault: str) -> None:
    """Compare the cell of every small duration and of many large ones, three readings of it."""
    dice, off = random.Random(SEED), int(fault == "histogram")
    values = [*range(5_000), *(dice.randrange(1 << dice.randrange(13, 52)) for _ in range(5_000))]
    values += [(1 << bits) + step for bits in range(7, 50) for step in (-1, 0, 1)]
    for value in values:
        expected = naive_bucket(value + off, sub_bits=HISTOGRAM_SUB_BITS)
        assert histogram.bucket(value) == histogram_bucket(value) == expected, value


COMPARISONS: dict[str, Callable[[str], None]] = {
    "heap": compare_heaps,
    "later": compare_later,
    "queues": compare_queues,
    "timers": compare_timers,
    "histogram": compare_histograms,
}

if __name__ == "__main__":
    planted = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, compare in COMPARISONS.items():
        if planted in ("", name):
            compare(planted)

"""Naive twins of the kernel's containers: the same promises kept in the most obvious way.

Takes nothing of the kernel; gives containers out of plain lists, to be compared with it step by
step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Event = tuple[int, int, int, int]
"""Time, key, slot, place."""


@dataclass
class NaiveHeap:
    """Scheduled events in a list that is sorted whenever somebody asks."""

    events: list[Event] = field(default_factory=list)

    def push(self, event: Event) -> None:
        self.events.append(event)

    def first(self) -> Event:
        return min(self.events, key=lambda event: event[:2])

    def drop_first(self) -> Event:
        found = self.first()
        self.events.remove(found)
        return found


@dataclass
class NaiveQueues:
    """Waiting lines as lists of payments."""

    lines: dict[int, list[int]] = field(default_factory=dict)

    def append(self, line: int, slot: int) -> None:
        self.lines.setdefault(line, []).append(slot)

    def prepend(self, line: int, slot: int) -> None:
        self.lines.setdefault(line, []).insert(0, slot)

    def unlink(self, slot: int) -> None:
        for line in self.lines.values():
            if slot in line:
                line.remove(slot)


def naive_bucket(value: int, *, sub_bits: int) -> int:
    """Return the cell of a histogram by counting cells octave by octave.

    The first ``2^sub_bits`` values have a cell each; every octave above is cut into as many equal
    cells.
    """
    cells = 1 << sub_bits
    if value < cells:
        return value
    low, first = cells, cells
    while value >= 2 * low:
        low, first = 2 * low, first + cells
    return first + (value - low) * cells // low

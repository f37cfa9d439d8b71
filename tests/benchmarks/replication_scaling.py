"""Measure how many replications two processes do in the time one does.

Takes nothing; gives the ratios of turns by one and by two processes. The shorter turn, that
of two, takes some 20 s; starting processes and compiling the scenario in each is not measured.
"""

from __future__ import annotations

import time
from pathlib import Path

from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.study.case import WorkItem, do_work
from sim.study.pool import LocalPool

SCENARIO = Path(__file__).parents[2] / "scenarios" / "bakong-saturation.yaml"
RUNS = 36
TURNS = 3


def speed_ups() -> tuple[list[float], float]:
    """Return the time of one process over that of two, per turn, and the shortest turn's seconds.

    One process and two take turns, so that a slow moment of the machine meets both.
    """
    loaded = load_scenario(SCENARIO)
    text = dump_resolved(loaded.document)
    items = [WorkItem(text, loaded.scenario.seed, number) for number in range(RUNS)]
    pairs = [(_seconds(1, items), _seconds(2, items)) for _ in range(TURNS)]
    return sorted(one / two for one, two in pairs), min(min(pair) for pair in pairs)


def _seconds(jobs: int, items: list[WorkItem]) -> float:
    with LocalPool(jobs) as pool:
        list(pool.run(do_work, items[: 2 * jobs]))
        begun = time.perf_counter()
        assert len(list(pool.run(do_work, items))) == len(items)
        return time.perf_counter() - begun

"""Measure how many replications two processes do in the time one does.

Takes nothing; gives the ratios of turns by one and by two processes. The shorter turn, that
of two, takes some 20 s; starting processes and compiling the scenario in each is not measured.
"""

from __future__ import annotations

import time
from pathlib import Path

from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.study.case import Case
from sim.study.pool import LocalPool
from sim.study.runner import run_cases

SCENARIO = Path(__file__).parents[2] / "scenarios" / "bakong-saturation.yaml"
RUNS = 36
TURNS = 3


def speed_ups() -> tuple[list[float], float]:
    """Return the time of one process over that of two, per turn, and the shortest turn's seconds.

    One process and two take turns, so that a slow moment of the machine meets both.
    """
    loaded = load_scenario(SCENARIO)
    text = dump_resolved(loaded.document)
    cases = [Case(text, loaded.scenario.seed, number) for number in range(RUNS)]
    pairs = [(_seconds(1, cases), _seconds(2, cases)) for _ in range(TURNS)]
    return sorted(one / two for one, two in pairs), min(min(pair) for pair in pairs)


def _seconds(jobs: int, cases: list[Case]) -> float:
    with LocalPool(jobs) as pool:
        run_cases(cases[: 2 * jobs], pool)
        begun = time.perf_counter()
        assert len(run_cases(cases, pool)) == len(cases)
        return time.perf_counter() - begun

"""Two processes give at least 1.6 times the replications per minute of one.

Needs two idle processors; run it alone: ``pytest tests/benchmarks/test_replication_scaling.py
--large``.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest

from sim.experiment.pool import LocalPool, default_jobs
from sim.experiment.work import WorkItem, do_work
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario

SCENARIO = Path(__file__).parents[2] / "scenarios" / "bakong-saturation.yaml"
RUNS = 16
SPEED_UP_MIN = 1.6


def _seconds(jobs: int, items: list[WorkItem]) -> float:
    with LocalPool(jobs) as pool:
        # Starting processes and compiling the scenario in each is not what is measured.
        list(pool.run(do_work, items[: 2 * jobs]))
        begun = time.perf_counter()
        assert len(list(pool.run(do_work, items))) == len(items)
        return time.perf_counter() - begun


@pytest.mark.large
def test_two_processes_replicate_1_6_times_as_fast() -> None:
    if default_jobs() < 2:
        pytest.skip("needs two processors")
    loaded = load_scenario(SCENARIO)
    text = dump_resolved(loaded.document)
    items = [WorkItem(text, loaded.scenario.seed, number) for number in range(RUNS)]
    ratios = [_seconds(1, items) / _seconds(2, items) for _ in range(3)]
    print(f"two processes against one: {sorted(ratios)}")  # noqa: T201
    assert median(ratios) >= SPEED_UP_MIN

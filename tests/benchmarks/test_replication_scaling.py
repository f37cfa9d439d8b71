"""Two processes give at least 1.6 times the replications per minute of one.

Needs two idle processors; run it alone: ``pytest tests/benchmarks/test_replication_scaling.py
--large -n 0 -s``.
"""

from __future__ import annotations

from statistics import median

import pytest

from sim.study.pool import default_jobs
from tests.benchmarks.replication_scaling import speed_ups

SPEED_UP_MIN = 1.6


@pytest.mark.large
def test_two_processes_replicate_1_6_times_as_fast() -> None:
    if default_jobs() < 2:
        pytest.skip("needs two processors")
    ratios, shortest = speed_ups()
    print(f"two processes against one: {ratios}, turns of at least {shortest:.0f} s")  # noqa: T201
    assert median(ratios) >= SPEED_UP_MIN

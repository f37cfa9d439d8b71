"""Ten thousand replications of a hundred payments in one command, against a process for each.

Run it alone: ``pytest tests/benchmarks/test_bulk.py --large -n 0 -s``.
"""

from __future__ import annotations

from statistics import median

import pytest

from tests.benchmarks.bulk import bulk_against_alone

SPEED_UP_MIN = 20


@pytest.mark.large
def test_ten_thousand_replications_are_twenty_times_as_fast_as_a_process_each() -> None:
    found = bulk_against_alone(10_000, 50)
    ratios = sorted(alone / together for together, alone in found)
    print(f"a process each against one for all: {ratios}; seconds {found}")  # noqa: T201
    assert median(ratios) >= SPEED_UP_MIN


@pytest.mark.slow
def test_few_hundred_replications_are_many_times_as_fast_as_a_process_each() -> None:
    """The same with a bound far from what is found, so that it holds on any machine."""
    ((together, alone),) = bulk_against_alone(200, 2, turns=1)
    assert alone > 5 * together

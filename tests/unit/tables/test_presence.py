"""The number in the system over time, worked out by hand and by brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim.contract.layout import NULL
from sim.contract.meaning import Outcome
from sim.contract.plan import Array, Plan
from sim.contract.records import RECORD_WIDTH, RecordColumn
from sim.study.compile_case import compile_replication
from sim.tables.folding import SummaryFolder
from sim.tables.presence import INTERVALS
from tests.support.tiny import SEED, tiny_text


def _plan(folder: Path) -> Plan:
    """Return a plan of 60 s, hence of intervals of 0.1 s."""
    return compile_replication(tiny_text(folder), SEED, 0).plan


def _rows(pairs: list[tuple[int, int]]) -> Array:
    rows = np.zeros((len(pairs), RECORD_WIDTH), dtype=np.int64)
    rows[:, [RecordColumn.SUBMITTED_US, RecordColumn.END_US]] = pairs
    rows[:, RecordColumn.OUTCOME] = Outcome.REJECTED
    return rows


def test_three_payments_by_hand(tmp_path: Path) -> None:
    folder = SummaryFolder(_plan(tmp_path))
    assert folder.presence.step_us == 100_000
    # One within the first interval for 30 ms, one from 0.05 s to 0.25 s, one open from 59.98 s on.
    folder.take(_rows([(10_000, 40_000), (50_000, 250_000)]))
    folder.take(_rows([(59_980_000, NULL)]))
    inside = folder.presence.inside_us()
    assert len(inside) == INTERVALS
    # 30 ms + 50 ms, then a whole interval, then 50 ms; at the end 20 ms.
    assert inside[:4].tolist() == [80_000, 100_000, 50_000, 0]
    assert int(inside[-1]) == 20_000
    assert int(inside.sum()) == 250_000


def test_it_is_the_time_each_payment_spends_in_each_interval(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    rng = np.random.default_rng(7)
    came = rng.integers(0, plan.horizon_us, 2000)
    left = came + rng.exponential(3e6, 2000).astype(np.int64)
    left[left >= plan.horizon_us] = NULL
    folder = SummaryFolder(plan)
    for part in range(0, 2000, 300):
        folder.take(_rows(list(zip(came[part : part + 300], left[part : part + 300], strict=True))))
    ends = np.where(left == NULL, plan.horizon_us, left)
    edges = np.arange(INTERVALS + 1) * folder.presence.step_us
    low = np.maximum(came[:, None], edges[None, :-1])
    high = np.minimum(ends[:, None], edges[None, 1:])
    expected = np.maximum(high - low, 0).sum(axis=0)
    assert folder.presence.inside_us().tolist() == expected.tolist()
    # One payment that leaves a microsecond later is noticed.
    still = int(np.flatnonzero(left != NULL)[0])
    folder.take(_rows([(int(left[still]), int(left[still]) + 1)]))
    assert int(folder.presence.inside_us().sum()) == int(expected.sum()) + 1

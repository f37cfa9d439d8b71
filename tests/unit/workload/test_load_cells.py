"""Load by cells of time: when it joins, how much of it, and up to when, against itself shifted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.contract.loads import LOAD_MAX
from sim.draws.keys import stream_key
from sim.workload.arrivals import HAZARD_UNIT
from sim.workload.loads import LoadDemand, joined_by_cell

S = 1_000_000
CERTAIN = 1 << 62
# 50 a second for 20 s, then nothing, then 100 a second from 30 s on.
STEADY = LoadDemand(
    key=stream_key(7, 0, "payment", "load"),
    hazard_time_us=np.array([0, 20 * S, 30 * S, 40 * S], dtype=np.int64),
    hazard=np.array([0, 1_000, 1_000, 2_000], dtype=np.int64) * HAZARD_UNIT,
    count_max=-1,
    after_us=0,
    reaching=((0, CERTAIN),),
)


def _joined(*demands: LoadDemand, horizon_s: int = 40, cell_us: int = S) -> list[int]:
    found: list[int] = joined_by_cell(demands, horizon_us=horizon_s * S, cell_us=cell_us).tolist()
    return found


def test_counts_begin_at_nothing_and_reach_beyond_the_horizon() -> None:
    found = _joined(STEADY)
    assert len(found) == 42
    assert found[0] == 0
    assert sorted(found) == found
    # Nobody comes from 20 to 30 s; some 1 000 come before and after, four deviations are 130.
    assert found[20] == found[30]
    assert found[20] == pytest.approx(1_000, abs=130)
    assert found[-1] - found[30] == pytest.approx(1_000, abs=130)


@pytest.mark.parametrize("after_s", [1, 5, 25])
def test_who_joins_later_joins_as_much_later(after_s: int) -> None:
    # By the same draws: what has joined by k s without a way has joined by k + after with it.
    later = _joined(replace(STEADY, after_us=after_s * S))
    assert later[after_s:41] == _joined(STEADY)[: 41 - after_s]
    assert later[: after_s + 1] == [0] * (after_s + 1)


def test_finer_cells_add_up_to_coarser_ones() -> None:
    fine, coarse = _joined(STEADY, cell_us=S // 4), _joined(STEADY, cell_us=2 * S)
    assert fine[:160:8] == coarse[:20]


def test_no_more_than_so_many_join_and_of_two_streams_both() -> None:
    bounded = _joined(replace(STEADY, count_max=300))
    assert bounded[-1] == 300
    assert bounded[:5] == _joined(STEADY)[:5]
    other = replace(STEADY, key=stream_key(7, 0, "payment", "other"))
    both = [one + two for one, two in zip(_joined(STEADY), _joined(other), strict=True)]
    assert _joined(STEADY, other) == both


def test_who_reaches_the_ledger_is_as_said_when_it_would_join() -> None:
    # Up to 10 s all, then nobody, from 15 s on half.
    spans = ((0, CERTAIN), (10 * S, 0), (15 * S, CERTAIN // 2))
    found, all_of_it = _joined(replace(STEADY, reaching=spans)), _joined(STEADY)
    assert found[:11] == all_of_it[:11]
    assert found[15] == found[10]
    joined, came = found[-1] - found[15], all_of_it[-1] - all_of_it[15]
    assert joined == pytest.approx(came / 2, abs=4 * (came / 4) ** 0.5)


def test_the_horizon_and_the_last_of_the_demand_both_end_it() -> None:
    assert _joined(STEADY, horizon_s=25)[:26] == _joined(STEADY)[:26]
    # What is expected ends at 40 s, whatever the run does.
    longer = _joined(STEADY, horizon_s=60)
    assert longer[:41] == _joined(STEADY)[:41]
    assert longer[41] == longer[-1]


def test_more_than_can_be_counted_is_refused() -> None:
    # No clock of one stream counts so far; together they may.
    most = 1 << 62
    far = replace(STEADY, hazard=np.array([0, most, most, most], dtype=np.int64))
    many = LOAD_MAX // 2 * HAZARD_UNIT // most + 2
    with pytest.raises(ValueError, match=r"more than .* payments of load are expected"):
        joined_by_cell([far] * many, horizon_us=40 * S, cell_us=S)

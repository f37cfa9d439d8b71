"""Both engines give the same log, the same records and the same totals, to the last bit."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.contract.meaning import Discipline, LogKind
from sim.contract.records import LogColumn
from tests.equivalence import crafted
from tests.equivalence.compared import Kept, run_both
from tests.equivalence.random_plans import Case, random_case

SEEDS = st.integers(0, 1_000_000)
PATIENT = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@settings(PATIENT, max_examples=60)
@given(seed=SEEDS, payments=st.integers(1, 120), ties=st.booleans(), chunk=st.integers(1, 50))
def test_engines_agree_on_random_plans(seed: int, payments: int, ties: bool, chunk: int) -> None:
    case = random_case(seed, payments, ties=ties)
    run_both(case.plan, case.workload, chunk=chunk)


@pytest.mark.slow
@pytest.mark.large
@settings(PATIENT, max_examples=600)
@given(seed=SEEDS, payments=st.integers(1, 400), ties=st.booleans(), chunk=st.integers(1, 500))
def test_engines_agree_on_many_random_plans(
    seed: int, payments: int, ties: bool, chunk: int
) -> None:
    case = random_case(seed, payments, ties=ties)
    run_both(case.plan, case.workload, chunk=chunk)


CRAFTED = {
    "a crowd released by one deposit": crafted.crowd_released_at_once(3_000),
    "blocks that feed the next block": crafted.block_of_everybody(90),
    "time-outs armed in one instant, last come first": crafted.timeouts_out_of_order(1_200),
    **{
        f"ranks at one desk, {discipline.name.lower()}": crafted.ranks_at_one_desk(120, discipline)
        for discipline in Discipline
    },
    "a station that keeps up": crafted.busy_station(3_000, gap_us=1_000, horizon_us=2_500_000),
}


@pytest.mark.parametrize("case", CRAFTED.values(), ids=CRAFTED.keys())
def test_engines_agree_on_crafted_plans(case: Case) -> None:
    run_both(case.plan, case.workload, chunk=97)


@pytest.mark.slow
@pytest.mark.large
def test_engines_agree_where_the_step_of_a_round_wraps() -> None:
    case = crafted.rounds_beyond_the_step((1 << 19) + 40)
    kept = run_both(case.plan, case.workload)
    assert isinstance(kept, Kept)
    assert len(kept.record) == 12


def test_empty_workload_gives_equal_totals() -> None:
    case = random_case(3, 1, ties=True)
    run_both(case.plan, case.workload[:0])


@pytest.mark.parametrize("seed", [61_036, 64_002, 66_646])
def test_a_set_at_the_warm_up_counts_the_level_it_leaves_and_not_the_one_before(seed: int) -> None:
    """What a member held before a set settles at the very warm-up was in no engine's window."""
    case = random_case(seed, 60, ties=True)
    run_both(case.plan, case.workload)


def test_disciplines_serve_a_crowd_in_three_orders() -> None:
    orders = set()
    for discipline in Discipline:
        case = crafted.ranks_at_one_desk(120, discipline)
        log = run_both(case.plan, case.workload).log
        started = log[log[:, LogColumn.KIND] == LogKind.START, LogColumn.PAYMENT]
        orders.add(tuple(started.tolist()))
        # The desk serves a payment a second, of two that come, and 40 may wait.
        assert len(started) > 80
    assert len(orders) == len(Discipline)

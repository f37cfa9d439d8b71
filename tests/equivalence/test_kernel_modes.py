"""The kernel under bounds checks, uncompiled, stopped and resumed; and how much it holds."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.contract.layout import StageColumn
from sim.engine.compare import first_difference
from sim.engine.compiled import CompiledRun, is_compiled_cached, run_compiled, warm_up
from sim.engine.kernel.cache import load_kernel
from sim.engine.kernel.state import BROKEN, C_LIVE_MAX, FINISHED
from sim.errors import InvariantViolation
from tests.equivalence import crafted
from tests.equivalence.compared import Kept, assert_totals_equal, split
from tests.equivalence.random_plans import random_case

_PROGRAM = """
from tests.equivalence.compared import run_both
from tests.equivalence.random_plans import random_case
for seed in ({seeds}):
    case = random_case(seed, {payments}, ties=seed % 2 == 0)
    run_both(case.plan, case.workload)
print("equal")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("switch", "seeds", "payments"),
    [("NUMBA_DISABLE_JIT", "11, 12, 13", 25), ("NUMBA_BOUNDSCHECK", "14, 15, 16, 17", 120)],
)
def test_engines_agree_under_a_numba_switch(switch: str, seeds: str, payments: int) -> None:
    program = _PROGRAM.format(seeds=seeds, payments=payments)
    environment = {**os.environ, switch: "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", program],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "equal", done.stderr[-3000:]


def test_run_is_the_same_however_often_the_kernel_returns() -> None:
    case = random_case(77, 150, ties=True)
    whole, stepped = Kept(), Kept()
    totals = run_compiled(case.plan, [case.workload], whole)
    run = CompiledRun(case.plan, split(case.workload, 1), stepped)
    kernel, calls = load_kernel(), 0
    while (status := kernel(run.plan, run.state, 1)) != FINISHED:
        assert status != BROKEN
        run._answer(status)
        calls += 1
    run._flush()
    assert calls > totals.events
    assert first_difference(whole.log, stepped.log, case.plan) is None
    np.testing.assert_array_equal(whole.record, stepped.record)
    assert_totals_equal(totals, run._totals())


def test_pool_grows_with_payments_in_flight_and_not_with_payments() -> None:
    sizes = []
    for payments in (2_000, 40_000):
        case = crafted.busy_station(payments, gap_us=1_000, horizon_us=1_000 * payments)
        kept = Kept(wants_log=False)
        run = CompiledRun(case.plan, split(case.workload, 500), kept)
        run.finish(load_kernel())
        sizes.append((len(run.state.pool), len(run.state.heap), int(run.state.cursor[C_LIVE_MAX])))
        assert len(kept.record) == payments
    assert sizes[0][:2] == sizes[1][:2]
    assert all(live < 100 for _, _, live in sizes)


def test_pool_holds_everybody_when_everybody_waits() -> None:
    case = crafted.crowd_released_at_once(2_000)
    run = CompiledRun(case.plan, [case.workload], Kept())
    run.finish(load_kernel())
    assert run.state.cursor[C_LIVE_MAX] == 2_000
    assert len(run.state.pool) < 5_000


def test_progress_comes_at_least_once_and_ends_at_the_totals() -> None:
    case = random_case(5, 30, ties=False)
    kept = Kept()
    totals = run_compiled(case.plan, [case.workload], kept)
    assert kept.progress[-1] == (case.plan.horizon_us, totals.payments, totals.events)


def test_sink_that_wants_nothing_is_given_nothing() -> None:
    case = random_case(6, 60, ties=True)
    deaf, loud = Kept(wants_log=False, wants_records=False), Kept()
    quiet = run_compiled(case.plan, [case.workload], deaf)
    assert_totals_equal(run_compiled(case.plan, [case.workload], loud), quiet)
    assert not deaf.logs
    assert not deaf.records


def test_payment_that_runs_off_its_program_stops_the_run() -> None:
    case = crafted.busy_station(3, gap_us=1_000, horizon_us=100_000)
    stage = case.plan.stage.copy()
    stage[1, StageColumn.OP] = 5
    stage[1, StageColumn.FLAGS] = 0
    stage[1, StageColumn.COUNT] = 0
    with pytest.raises(InvariantViolation, match=r"ran off its program \(seed 1, .* payment 0\)"):
        run_compiled(replace(case.plan, stage=stage), [case.workload], Kept())


def test_workload_out_of_order_is_refused() -> None:
    case = crafted.busy_station(3, gap_us=1_000, horizon_us=100_000)
    with pytest.raises(ValueError, match="ascending order of time"):
        run_compiled(case.plan, [case.workload[::-1].copy()], Kept())


def test_asking_for_the_other_mode_says_what_to_do() -> None:
    case = crafted.busy_station(3, gap_us=1_000, horizon_us=100_000)
    with pytest.raises(ValueError, match="NUMBA_DISABLE_JIT"):
        run_compiled(case.plan, [case.workload], Kept(), jit=False)


def test_kernel_is_found_in_the_cache_after_a_warm_up() -> None:
    assert warm_up() >= 0.0
    assert is_compiled_cached()


@pytest.mark.slow
def test_cache_without_the_kernel_is_told_from_one_with_it(tmp_path: Path) -> None:
    program = (
        "from sim.draws.lookup import quantile\n"
        "from sim.draws.quantile import build_table\n"
        "from sim.engine.compiled import is_compiled_cached\n"
        "quantile(build_table('constant', {'value': 3}), 0, 5)\n"
        "print(is_compiled_cached())\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert any(tmp_path.rglob("*.nbc"))
    assert done.stdout.strip() == "False"


def test_difference_names_the_first_differing_event() -> None:
    case = crafted.busy_station(3, gap_us=1_000, horizon_us=100_000)
    kept = Kept()
    run_compiled(case.plan, [case.workload], kept)
    other = kept.log.copy()
    other[2, 6] += 1
    said = first_difference(kept.log, other, case.plan)
    assert said is not None
    assert "row 2 differs in AMOUNT" in said
    assert "(serve)" in said
    assert "one log ends after 2 rows" in str(first_difference(kept.log, kept.log[:2], case.plan))

"""How fast the kernel is: against a loop written by hand in C, plain SimPy and the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.engine.reference import run_reference
from tests.benchmarks.mm1_plan import (
    Deaf,
    compile_loop,
    mm1_plan,
    mm1_workload,
    run_kernel,
    run_loop,
)
from tests.benchmarks.mm1_simpy import run_simpy
from tests.benchmarks.realistic_plan import realistic_plan, realistic_workload

CUSTOMERS = 1_000_000
SLOWDOWN_MAX = 4.0
EVENTS_PER_SECOND_MIN = 5e6
RATIO_TO_REFERENCE_MIN = 100.0


@pytest.mark.slow
def test_kernel_agrees_with_a_c_loop_and_is_at_most_four_times_slower(tmp_path: Path) -> None:
    program = compile_loop(tmp_path)
    if program is None:
        pytest.skip("no C compiler named cc on this machine: nothing to compare with")
    plan, workload = mm1_plan(), mm1_workload(CUSTOMERS)
    kernel, sums, events = run_kernel(plan, workload)
    loop, loop_sums = run_loop(program, plan, workload)
    print(
        f"M/M/1, {CUSTOMERS} customers: kernel {kernel:.3f} s ({events / kernel / 1e6:.1f} million "
        f"events/s), C loop {loop:.3f} s, ratio {kernel / loop:.2f}"
    )
    assert events == 2 * CUSTOMERS
    assert sums == loop_sums
    assert kernel / loop <= SLOWDOWN_MAX
    assert events / kernel >= EVENTS_PER_SECOND_MIN


@pytest.mark.slow
def test_kernel_is_far_faster_than_plain_simpy_on_one_queue() -> None:
    plan, workload = mm1_plan(), mm1_workload(20_000)
    kernel, _, _ = run_kernel(plan, workload)
    simpy_seconds = run_simpy(plan, workload)
    print(f"M/M/1, 20000 customers: SimPy {simpy_seconds / kernel:.0f} times the kernel")
    assert simpy_seconds / kernel >= 20


@pytest.mark.slow
def test_kernel_is_a_hundred_times_faster_than_the_reference_on_realistic_programs() -> None:
    few, many = realistic_workload(4_000), realistic_workload(100_000)
    run_reference(realistic_plan(10), [few[:10]], Deaf())
    reference = run_reference(realistic_plan(len(few)), [few], Deaf()).engine_seconds / len(few)
    kernel = run_kernel(realistic_plan(len(many)), many)[0] / len(many)
    print(
        f"15 stages: reference {1 / reference:.0f} payments/s, kernel {1 / kernel:.0f} payments/s, "
        f"ratio {reference / kernel:.0f}"
    )
    assert reference / kernel >= RATIO_TO_REFERENCE_MIN


def test_cost_per_payment_does_not_grow_with_their_number() -> None:
    few, many = realistic_workload(10_000), realistic_workload(60_000)
    short = run_kernel(realistic_plan(len(few)), few)[0] / len(few)
    long = run_kernel(realistic_plan(len(many)), many)[0] / len(many)
    assert long <= 2.0 * short
    assert np.all(np.diff(many[:, 0]) >= 0)

"""Events that are set aside are taken in the same order as those of one heap."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contract.plan import Array, Plan
from sim.contract.run import Totals
from sim.engine import later
from sim.engine.compare import first_difference
from sim.engine.compiled import CompiledRun, run_compiled
from sim.engine.kernel.cache import load_kernel
from sim.engine.kernel.state import C_EDGE, C_HEAP, C_LATER, NO_EDGE, KernelState
from sim.engine.later import Later
from sim.engine.reference import run_reference
from sim.engine.stretches import StretchedRun
from tests.benchmarks.mm1_plan import crowd_plan, mm1_workload
from tests.equivalence.compared import Kept, assert_totals_equal, split
from tests.equivalence.random_plans import random_case
from tests.equivalence.random_rules import with_oracles


@pytest.fixture
def _few_near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep so few events near that small runs set some aside."""
    for name, value in {"_NEAR": 4, "_MANY": 8, "_SPARE": 4}.items():
        monkeypatch.setattr(later, name, value)


def _run(plan: Plan, workload: Array, sink: Kept) -> tuple[Totals, int]:
    """Return totals, and how often events were dealt while some were set aside."""
    run, dealt = CompiledRun(plan, split(workload, 7), sink), 0
    # The heap of a run begins with room for more than these runs schedule.
    run.state = run.later.deal(run.state)
    deal = run.later.deal

    def count(state: KernelState) -> KernelState:
        nonlocal dealt
        state = deal(state)
        dealt += int(state.cursor[C_EDGE]) != NO_EDGE
        return state

    run.later.deal = count  # type: ignore[method-assign]
    return run.finish(load_kernel()), dealt


@pytest.mark.usefixtures("_few_near")
@pytest.mark.parametrize("ties", [False, True])
def test_run_is_that_of_the_reference_whatever_is_set_aside(ties: bool) -> None:
    often = 0
    for seed in range(3):
        case = random_case(900 + seed, 150, ties=ties)
        whole, dealt = Kept(), Kept()
        totals = run_reference(case.plan, [case.workload], whole)
        found, times = _run(case.plan, case.workload, dealt)
        often += times
        assert first_difference(whole.log, dealt.log, case.plan) is None
        np.testing.assert_array_equal(whole.record, dealt.record)
        assert_totals_equal(totals, found)
    assert often > 10


@pytest.mark.usefixtures("_few_near")
def test_oracle_foresees_what_was_set_aside() -> None:
    case = random_case(71, 60, ties=False)
    plan, whole, dealt = with_oracles(case.plan), Kept(), Kept()
    totals = run_compiled(plan, [case.workload], whole)
    found, times = _run(plan, case.workload, dealt)
    assert times > 0
    assert first_difference(whole.log, dealt.log, plan) is None
    assert_totals_equal(totals, found)


class _ReachedError(Exception):
    """The instant was reached."""


def _stop(_: int) -> int:
    raise _ReachedError


def test_what_is_kept_at_an_instant_holds_what_was_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, workload = crowd_plan(500), mm1_workload(2_000)
    kept = []
    for near in (1 << 14, 16):
        monkeypatch.setattr(later, "_NEAR", near)
        monkeypatch.setattr(later, "_MANY", 2 * near)
        run = StretchedRun(plan, [workload], Kept(), stop_us=1_000_000_000, reached=_stop)
        with pytest.raises(_ReachedError):
            run.run()
        is_aside = int(run.state.cursor[C_EDGE]) != NO_EDGE
        assert is_aside == (near == 16)
        kept.append(run.kept())
    whole, dealt = kept
    assert len(whole["heap"]) > 300
    assert all(np.array_equal(whole[name], dealt[name]) for name in whole if name != "timer")
    assert dealt["cursor"][C_HEAP] == len(dealt["heap"])
    assert dealt["cursor"][C_LATER] == 0


def test_crowd_is_dealt_out_and_a_lull_takes_all_back() -> None:
    """Thousands in flight are cut into stretches; when few are left, one heap holds them."""
    aside, luck = Later(), np.random.default_rng(1)
    run = CompiledRun(crowd_plan(1), [mm1_workload(1)], Kept())
    state = run.state._replace(heap=np.zeros((100_000, 4), dtype=np.int64))
    rows = np.zeros((100_000, 4), dtype=np.int64)
    rows[:, 0], rows[:, 1] = np.sort(luck.integers(0, 50_000, 100_000)), np.arange(100_000)
    state.heap[:] = rows
    state.cursor[C_HEAP] = len(rows)
    taken, steps = [], 0
    state = aside.deal(state)
    while state.cursor[C_HEAP]:
        assert int(state.cursor[C_HEAP]) <= 2 * (1 << 14)
        taken.append(state.heap[: state.cursor[C_HEAP]].copy())
        state.cursor[C_HEAP], steps = 0, steps + 1
        state = aside.deal(state)
    np.testing.assert_array_equal(np.concatenate(taken), rows)
    assert steps >= 4
    assert int(state.cursor[C_EDGE]) == NO_EDGE

"""A run that stops at any instant goes on from its arrays to the same last bit."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn
from sim.contract.run import Totals
from sim.engine.compare import first_difference
from sim.engine.compiled import run_compiled
from sim.engine.kernel.state import C_NOW, S_BUSY
from sim.engine.stretches import StretchedRun
from sim.errors import InvariantViolation
from tests.equivalence.compared import Kept, assert_records_equal, assert_totals_equal
from tests.equivalence.random_plans import random_case
from tests.equivalence.random_rules import with_oracles


class _StoppedError(Exception):
    """The run was ended, as a process may be."""


def _stop(_: int) -> int:
    raise _StoppedError


class _Chunks(Iterator[Array]):
    """A workload in chunks that knows how many payments it gave."""

    def __init__(self, workload: Array, rows: int, given: int = 0) -> None:
        self._workload, self._rows, self.given = workload, rows, given

    def __next__(self) -> Array:
        found = self._workload[self.given : self.given + self._rows]
        if len(found) == 0:
            raise StopIteration
        self.given += len(found)
        return found


def _run_stopping(plan: Plan, workload: Array, instants: list[int]) -> tuple[Kept, Totals]:
    """Run in as many runs as there are instants and one, each from the arrays of the last."""
    sink, arrays, chunks = Kept(), None, _Chunks(workload, 7)
    for at in (*instants, plan.horizon_us):
        run = StretchedRun(plan, chunks, sink, stop_us=at, reached=_stop, kept=arrays)
        try:
            return sink, run.run()
        except _StoppedError:
            # As they are now, and nothing else of the old run but how far the workload was drawn.
            arrays = {name: array.copy() for name, array in run.kept().items()}
            assert int(arrays["cursor"][C_NOW]) < at
            chunks = _Chunks(workload, 5, chunks.given)
    raise AssertionError("the run did not come to its end")


def _ask_equal(plan: Plan, workload: Array, instants: list[int]) -> None:
    whole = Kept()
    totals = run_compiled(plan, [workload], whole)
    stopped, found = _run_stopping(plan, workload, instants)
    difference = first_difference(whole.log, stopped.log, plan)
    assert difference is None, f"stopped at {instants}: {difference}"
    assert_records_equal(whole.record, stopped.record)
    assert_totals_equal(totals, found)


def _instants(plan: Plan, log: Array, luck: random.Random, count: int) -> list[int]:
    """Draw instants anywhere, and instants at which something happens."""
    busy = log[:, LogColumn.TIME_US].tolist()
    chosen = {luck.randrange(1, plan.horizon_us) for _ in range(count)}
    chosen |= {max(1, luck.choice(busy)) for _ in range(count)}
    chosen |= {min(plan.horizon_us - 1, luck.choice(busy) + 1) for _ in range(count)}
    return sorted(at for at in chosen if 0 < at < plan.horizon_us)


# Functions of the user's own are compiled for every run again, which takes most of the time.
SEEDS = [
    *(40, 41, 42),
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in (43, 44)),
    *(pytest.param(seed, marks=[pytest.mark.slow, pytest.mark.large]) for seed in range(45, 70)),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_plan_stopped_at_random_instants_is_the_run_that_never_stopped(seed: int) -> None:
    case = random_case(seed, 60, ties=seed % 2 == 0)
    whole = Kept()
    run_compiled(case.plan, [case.workload], whole)
    instants = _instants(case.plan, whole.log, random.Random(seed), 4)
    assert len(instants) >= 6
    _ask_equal(case.plan, case.workload, instants)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [71, 72, 73, 74])
def test_what_an_oracle_foresees_goes_beyond_the_instant_the_run_stops_at(seed: int) -> None:
    case = random_case(seed, 40, ties=False)
    plan = with_oracles(case.plan)
    whole = Kept()
    run_compiled(plan, [case.workload], whole)
    _ask_equal(plan, case.workload, _instants(plan, whole.log, random.Random(seed), 3))


@pytest.mark.slow
def test_run_stopped_every_second_is_the_run_that_never_stopped() -> None:
    case = random_case(77, 150, ties=True)
    seconds = list(range(1_000_000, case.plan.horizon_us, 1_000_000))
    assert len(seconds) >= 19
    _ask_equal(case.plan, case.workload, seconds)


def test_arrays_of_another_instant_lead_elsewhere() -> None:
    """A control: the same comparison fails where a run goes on from what it was not at."""
    found = [_ends_elsewhere(seed) for seed in range(77, 83)]
    assert True in found
    assert False not in found


def _ends_elsewhere(seed: int) -> bool | None:
    """Go on with one busy server too few; say whether the log differs, None where none is busy."""
    case = random_case(seed, 150, ties=True)
    whole, stopped = Kept(), Kept()
    run_compiled(case.plan, [case.workload], whole)
    chunks = _Chunks(case.workload, 7)
    run = StretchedRun(case.plan, chunks, stopped, stop_us=case.plan.horizon_us // 2, reached=_stop)
    with pytest.raises(_StoppedError):
        run.run()
    kept = {name: array.copy() for name, array in run.kept().items()}
    busy = np.flatnonzero(kept["station"][:, S_BUSY])
    if not len(busy):
        return None
    kept["station"][busy[0], S_BUSY] -= 1
    again = StretchedRun(
        case.plan, chunks, stopped, stop_us=case.plan.horizon_us, reached=_stop, kept=kept
    )
    try:
        again.run()
    except InvariantViolation:
        # More ended than began: the kernel itself notices.
        return True
    return first_difference(whole.log, stopped.log, case.plan) is not None

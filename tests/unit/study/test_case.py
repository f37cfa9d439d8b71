"""One replication is the same whichever way, and in whichever process, it is made."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import MachineError, ScenarioError
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.study.case import Case
from sim.study.compile_case import (
    compile_replication,
    depends_on_replication,
    expected_submitted,
)
from sim.study.measure_key import pick
from sim.study.pool import LocalPool
from sim.study.runner import Asking, Batch, Done, as_done, ask, run_case, run_cases
from sim.tables.digest import plan_hash
from tests.support.tiny import SEED, tiny_text, write_tiny

ROOT = Path(__file__).parents[3]


def test_plan_with_changed_keys_equals_the_plan_compiled_anew(tmp_path: Path) -> None:
    quick = compile_replication(tiny_text(tmp_path), SEED, 7).plan
    slow = compile_scenario(load_scenario(write_tiny(tmp_path)), seed=SEED, replication=7).plan
    for entry in dataclasses.fields(slow):
        assert np.array_equal(getattr(quick, entry.name), getattr(slow, entry.name)), entry.name


def test_workload_with_changed_keys_equals_the_workload_compiled_anew(tmp_path: Path) -> None:
    quick = compile_replication(tiny_text(tmp_path), SEED, 7)
    slow = compile_scenario(load_scenario(write_tiny(tmp_path)), seed=SEED, replication=7)
    for one, other in zip(quick.workload(), slow.workload(), strict=True):
        assert np.array_equal(one, other)


def test_moving_rates_and_profiles_are_compiled_anew_for_every_replication() -> None:
    loaded = load_scenario(ROOT / "scenarios" / "china-two-way.yaml")
    assert depends_on_replication(compile_scenario(loaded, with_tables=False))


def test_codes_used_again_change_nothing() -> None:
    loaded = load_scenario(ROOT / "scenarios" / "china-two-way.yaml", ("clock.horizon=20 s",))
    quick = compile_replication(dump_resolved(loaded.document), SEED, 3)
    slow = compile_scenario(loaded, seed=SEED, replication=3)
    assert plan_hash(quick.plan) == plan_hash(slow.plan)
    assert quick.merchants == slow.merchants
    for one, other in zip(quick.workload(), slow.workload(), strict=True):
        assert np.array_equal(one, other)
    other = compile_scenario(loaded, seed=SEED, replication=4)
    assert not all(
        np.array_equal(a, b) for a, b in zip(quick.workload(), other.workload(), strict=False)
    )


def test_expected_payments_are_rate_times_window(tmp_path: Path) -> None:
    compiled = compile_replication(tiny_text(tmp_path), SEED, 0)
    assert expected_submitted(compiled) == pytest.approx(2.4 * 60)
    bounded = load_scenario(write_tiny(tmp_path), ("demand.customers.count=5",))
    assert expected_submitted(compile_scenario(bounded)) is None


@pytest.mark.slow
def test_other_processes_give_the_same_replications(tmp_path: Path) -> None:
    text = tiny_text(tmp_path)
    cases = [Case(text, SEED, number) for number in range(4)]
    here = [run_case(case).totals for case in cases]
    with LocalPool(2) as pool:
        assert [outcome.totals for outcome in run_cases(cases, pool)] == here
    assert len({totals.digest for totals in here}) == 4


def test_outcomes_come_in_the_order_of_the_cases(tmp_path: Path) -> None:
    text = tiny_text(tmp_path)
    cases = [Case(text, SEED, number) for number in (2, 0, 1)]

    class Backwards:
        """A pool that does the last piece first."""

        def run(
            self,
            function: Callable[[Batch], Done],
            items: Sequence[Batch],
            *,
            is_fatal: bool = True,
        ) -> Iterator[tuple[int, Done | MachineError]]:
            for at in reversed(range(len(items))):
                yield at, function(items[at])

    def study() -> Asking[list[int]]:
        done = yield [(case,) for case in cases]
        return [one.outcomes[0].replication for one in done]

    told: list[tuple[int, int]] = []
    found = ask(study(), Backwards(), notice=lambda *counts: told.append(counts), before=5)
    assert found == [2, 0, 1]
    assert told == [(6, 8), (7, 8), (8, 8)]
    assert [one.replication for one in run_cases(cases, Backwards())] == [2, 0, 1]


def test_a_study_asks_again_knowing_what_came_of_what_it_asked_before(tmp_path: Path) -> None:
    text = tiny_text(tmp_path)

    def study() -> Asking[list[int]]:
        (first,) = yield [(Case(text, SEED, 3),)]
        number = first.outcomes[0].replication + 1
        (second,) = yield [(Case(text, SEED, number), Case(text, SEED, number + 1))]
        return [outcome.replication for outcome in second.outcomes]

    assert ask(study(), LocalPool(1)) == [4, 5]


@pytest.mark.slow
def test_errors_of_another_process_arrive_whole(tmp_path: Path) -> None:
    text, bad = tiny_text(tmp_path), ("rails.shop.stations.till.servers=0",)
    cases = [Case(text, SEED, 0), Case(text, SEED, 1, changes=bad)]
    with LocalPool(2) as pool:
        found = dict(as_done([(case,) for case in cases], pool, is_tolerant=True))
        with pytest.raises(ScenarioError, match=r"rails\.shop\.stations\.till\.servers: found"):
            run_cases(cases, pool)
    assert found[0].error is None
    assert isinstance(found[1].error, ScenarioError)
    assert [problem.path for problem in found[1].error.problems] == [
        "rails.shop.stations.till.servers"
    ]


def test_a_case_gives_back_the_measures_it_was_asked_for(tmp_path: Path) -> None:
    keys = ("end_to_end_mean", "station/shop.till/utilisation", "reason/XX00/share")
    whole = run_case(Case(tiny_text(tmp_path), SEED, 0)).summary
    few = run_case(Case(tiny_text(tmp_path), SEED, 0, measures=keys)).summary
    assert [pick(few, key) for key in keys] == [pick(whole, key) for key in keys]
    assert pick(few, "station/shop.till/utilisation") is not None
    assert (len(few.measures), few.survival, few.presence) == (1, None, None)


def test_a_case_that_compiles_to_what_is_known_is_not_run(tmp_path: Path) -> None:
    text = tiny_text(tmp_path)
    first = run_case(Case(text, SEED, 0, fingerprint=""))
    again = run_case(Case(text, SEED, 0, fingerprint=first.fingerprint))
    other = run_case(Case(text, SEED, 0, changes=("seed=4",), fingerprint=first.fingerprint))
    assert (first.is_run, again.is_run, other.is_run) == (True, False, False)
    more = ("demand.customers.rate=2.5 /s",)
    assert run_case(Case(text, SEED, 0, changes=more, fingerprint=first.fingerprint)).is_run


def kill_own_process(item: int) -> int:
    """Die as a process that ran out of memory does."""
    os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.slow
def test_a_killed_worker_is_reported_with_a_remedy() -> None:
    with LocalPool(2) as pool:
        found = dict(pool.run(kill_own_process, [1, 2, 3]))
    assert sorted(found) == [0, 1, 2]
    assert all("lower --jobs" in str(error) for error in found.values())


def kill_own_process_if_odd(item: int) -> int:
    """Die of every second piece of work."""
    return kill_own_process(item) if item % 2 else item


@pytest.mark.slow
def test_pieces_that_kill_their_worker_lose_no_other() -> None:
    with LocalPool(2) as pool:
        found = dict(pool.run(kill_own_process_if_odd, [0, 1, 2, 3, 4, 6]))
        assert sorted(found) == [0, 1, 2, 3, 4, 5]
        assert [found[at] for at in (0, 2, 4, 5)] == [0, 2, 4, 6]
        assert all("was killed" in str(found[at]) for at in (1, 3))
        # A single piece is done in a process of its own too, or it would take us with it.
        ((_, alone),) = pool.run(kill_own_process, [1], is_fatal=False)
        assert isinstance(alone, MachineError)


@pytest.mark.slow
def test_a_pool_whose_workers_are_always_killed_gives_up() -> None:
    with LocalPool(2) as pool, pytest.raises(MachineError, match=r"lower --jobs.*\(9 times\)"):
        list(pool.run(kill_own_process, list(range(20))))


def interrupt_own_process(item: int) -> int:
    """Receive what a terminal sends to every process of a command at Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)
    return item


@pytest.mark.slow
def test_workers_leave_ctrl_c_to_their_parent() -> None:
    with LocalPool(2) as pool:
        assert dict(pool.run(interrupt_own_process, [1, 2, 3])) == {0: 1, 1: 2, 2: 3}


def sleep_then_write(path: Path) -> None:
    """Take longer than Ctrl-C does, and say that nobody came."""
    time.sleep(20)
    path.touch()


@pytest.mark.slow
def test_ctrl_c_ends_what_workers_have_at_work(tmp_path: Path) -> None:
    def run() -> None:
        with LocalPool(2) as pool:
            list(pool.run(sleep_then_write, [tmp_path / name for name in "abc"]))

    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 6)
    try:
        with pytest.raises(KeyboardInterrupt):
            run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert list(tmp_path.iterdir()) == []

"""One replication is the same whichever way, and in whichever process, it is made."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import MachineError
from sim.experiment.pool import LocalPool
from sim.experiment.run import RunOptions
from sim.experiment.work import (
    WorkItem,
    compile_replication,
    depends_on_luck,
    do_work,
    expected_submitted,
)
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.tables.digest import plan_hash
from tests.unit.experiment.tiny import SEED, tiny_text, write_tiny

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
    assert depends_on_luck(compile_scenario(loaded, with_tables=False))


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
    items = [WorkItem(text, SEED, number, RunOptions(record="none")) for number in range(4)]
    here = [do_work(item).digest for item in items]
    with LocalPool(2) as pool:
        there = {at: done.digest for at, done in pool.run(do_work, items)}
    assert [there[at] for at in range(4)] == here
    assert len(frozenset(here)) == 4


def kill_own_process(item: int) -> int:
    """Die as a process that ran out of memory does."""
    os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.slow
def test_a_killed_worker_is_reported_with_a_remedy() -> None:
    with LocalPool(2) as pool, pytest.raises(MachineError, match="lower --jobs"):
        list(pool.run(kill_own_process, [1, 2, 3]))

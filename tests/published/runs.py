"""Runs that figures are read off: of scenarios by name, with changes, kept for the next figure.

Takes the name of a scenario and changes as `--set` takes them; gives the measures of a replication,
or its payments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from sim.analysis.summary import Summary
from sim.compiler.compile import Compiled
from sim.contract.meaning import Outcome
from sim.contract.plan import Array
from sim.contract.records import RECORD_WIDTH
from sim.contract.records import RecordColumn as C
from sim.engine.compiled import run_compiled
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.scenario.shipped import shipped_scenarios
from sim.study.case import QUIET
from sim.study.compile_case import compile_replication
from sim.study.measure_key import pick
from sim.study.run import run_replication
from tests.published.figure import Found, mean_of

Changes = tuple[str, ...]


def compiled(name: str, changes: Changes = (), replication: int = 0) -> Compiled:
    """Compile a scenario that comes along."""
    loaded = load_scenario(shipped_scenarios()[name], changes)
    return compile_replication(dump_resolved(loaded.document), loaded.scenario.seed, replication)


@lru_cache(maxsize=64)
def summary(name: str, changes: Changes = (), replication: int = 0) -> Summary:
    """Return the measures of one replication."""
    return run_replication(compiled(name, changes, replication), QUIET).summary


def measured(
    name: str, key: str, changes: Changes = (), *, replications: int = 1, times: float = 1.0
) -> Found:
    """Return a measure by its key, a mean of replications, multiplied."""
    found = [pick(summary(name, changes, number), key) for number in range(replications)]
    return mean_of([times * (0.0 if one is None else float(one)) for one in found])


class _Records:
    """Hand the records on as they come, and keep no log."""

    wants_log = False
    wants_records = True

    def __init__(self, take: Callable[[Array], None]) -> None:
        self.take_records = take

    def take_log(self, rows: Array) -> None:
        raise AssertionError

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        pass


@lru_cache(maxsize=16)
def payments(name: str, changes: Changes = (), replication: int = 0) -> tuple[Compiled, Array]:
    """Return a replication's payments in order of submission, and what names their columns."""
    kept: list[Array] = [np.empty((0, RECORD_WIDTH), dtype=np.int64)]
    made = compiled(name, changes, replication)
    run_compiled(made.plan, made.workload(), _Records(kept.append))
    rows = np.concatenate(kept)
    return made, rows[np.argsort(rows[:, C.PAYMENT])]


@lru_cache(maxsize=16)
def paid(name: str, changes: Changes = (), replication: int = 0) -> dict[str, tuple[int, int]]:
    """Return by stream how many payments completed, and what was credited, in minor units."""
    made = compiled(name, changes, replication)
    streams = made.plan.names.streams
    counts, sums = [0] * len(streams), [0] * len(streams)

    def take(rows: Array) -> None:
        done = rows[rows[:, C.OUTCOME] == Outcome.COMPLETED]
        for number in range(len(streams)):
            credited = done[done[:, C.STREAM] == number, C.CREDITED]
            counts[number] += len(credited)
            sums[number] += int(credited.sum())

    run_compiled(made.plan, made.workload(), _Records(take))
    return {name: (counts[n], sums[n]) for n, name in enumerate(streams)}

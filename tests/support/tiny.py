"""A queue small enough to be run a hundred thousand times in a test.

Three tills, a queue of at most four, a minute of customers: some are turned away, some wait. Gives
mean wait, success rate and 99th percentile of the time in the system, replication by replication;
or, much quicker, of many shops side by side in one run, which have nothing in common but the clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sim.contract.meaning import Cause, Outcome
from sim.contract.plan import Array
from sim.contract.records import RecordColumn
from sim.engine.compiled import run_compiled
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.study.compile_case import compile_replication, rekeyed
from sim.units import SECOND_US

SEED = 20250917
MEASURES = ("wait_mean", "success_rate", "end_to_end_p99")
YAML = """
scenario: tiny
clock: {start: 2025-09-17T18:00:00+07:00, horizon: 60 s}
seed: 20250917
rails:
  shop:
    kind: generic
    stations: {till: {servers: 3, queue_limit: 4}}
    stages: [{name: service, serve: till, time: {exponential: {mean: 1 s}}}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  customers: {corridor: inside, rate: 2.4 /s}
"""


_SHOP = """
  shop_{0:03d}:
    kind: generic
    stations: {{till: {{servers: 3, queue_limit: 4}}}}
    stages: [{{name: service, serve: till, time: {{exponential: {{mean: 1 s}}}}}}]"""
_CORRIDOR = """
  inside_{0:03d}:
    from: {{country: KH, currency: KHR}}
    to: {{country: KH, currency: KHR}}
    rails: [shop_{0:03d}]"""
_STREAM = """
  customers_{0:03d}: {{corridor: inside_{0:03d}, rate: 2.4 /s}}"""


def write_street(folder: Path, shops: int) -> Path:
    """Write a scenario of many such shops and return its path."""
    head = YAML.partition("rails:")[0].replace("tiny", "street")
    parts = [head, "rails:"]
    for section, template in (("", _SHOP), ("corridors:", _CORRIDOR), ("demand:", _STREAM)):
        parts += [f"\n{section}" if section else "", *(template.format(n) for n in range(shops))]
    path = folder / "street.yaml"
    path.write_text("".join(parts) + "\n", encoding="utf-8")
    return path


def write_tiny(folder: Path) -> Path:
    """Write the scenario and return its path."""
    path = folder / "tiny.yaml"
    path.write_text(YAML, encoding="utf-8")
    return path


def tiny_text(folder: Path) -> str:
    """Return the resolved scenario."""
    return dump_resolved(load_scenario(write_tiny(folder)).document)


class _Records:
    """Keep the records of one run."""

    wants_log = False
    wants_records = True

    def __init__(self) -> None:
        self.rows: list[Array] = []

    def take_log(self, rows: Array) -> None:
        """Ignore the log."""

    def take_records(self, rows: Array) -> None:
        """Keep records."""
        self.rows.append(rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Ignore progress."""


def tiny_values(text: str, numbers: Iterable[int]) -> npt.NDArray[np.float64]:
    """Return a row of :data:`MEASURES` per replication."""
    first = compile_replication(text, SEED, 0)
    found = []
    for number in numbers:
        compiled = rekeyed(first, number)
        sink = _Records()
        run_compiled(compiled.plan, compiled.workload(), sink)
        found.append(_measured(np.concatenate(sink.rows)))
    return np.array(found)


def street_values(folder: Path, shops: int, numbers: Iterable[int]) -> npt.NDArray[np.float64]:
    """Return a row of :data:`MEASURES` per shop and replication."""
    text = dump_resolved(load_scenario(write_street(folder, shops)).document)
    first = compile_replication(text, SEED, 0)
    found = []
    for number in numbers:
        compiled = rekeyed(first, number)
        sink = _Records()
        run_compiled(compiled.plan, compiled.workload(), sink)
        rows = np.concatenate(sink.rows)
        rows = rows[np.argsort(rows[:, RecordColumn.STREAM], kind="stable")]
        bounds = np.searchsorted(rows[:, RecordColumn.STREAM], np.arange(shops + 1))
        found += [_measured(rows[bounds[at] : bounds[at + 1]]) for at in range(shops)]
    return np.array(found)


def _measured(rows: Array) -> tuple[float, float, float]:
    """Return the measures of one shop from its records."""
    outcome = rows[:, RecordColumn.OUTCOME]
    done = rows[outcome == Outcome.COMPLETED]
    total = np.sort(done[:, RecordColumn.CREDITED_US] - done[:, RecordColumn.SUBMITTED_US])
    wait = float(done[:, RecordColumn.TIME_0 + Cause.WAITING].mean())
    decided = int((outcome != Outcome.IN_PROGRESS).sum())
    rank = max(int(np.ceil(0.99 * len(total))), 1) - 1
    return wait / SECOND_US, len(done) / decided, float(total[rank]) / SECOND_US

"""Run one load once, and say whether the run may be believed.

Takes a :class:`LoadItem` (a resolved scenario whose demand is already scaled); gives a
:class:`LoadRun`: its measures, its backlog, its bottleneck, and every reason why it fails or why it
is no measurement at all. A run that is no measurement is marked, never averaged away.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from sim.analysis.summary import Summary
from sim.experiment.backlog import Backlog, BacklogSink
from sim.experiment.bottleneck import Bottleneck, find_bottleneck
from sim.experiment.run import Silence, find_engine
from sim.experiment.slo import Objective, check_objectives
from sim.experiment.work import compile_replication, expected_submitted
from sim.units import SECOND_US

if TYPE_CHECKING:
    from sim.contract.plan import Plan

WINDOW_MIN_S = 600
"""Seconds a load must be measured for; a shorter window mistakes a full buffer for capacity."""
_OPEN_MAX = 0.02
"""Share of the payments submitted that may still be open at the end."""
_DEVIATIONS = 4
"""Standard deviations by which arrivals may miss their expectation."""


@dataclass(frozen=True, slots=True)
class LoadItem:
    """Say which load is run.

    Attributes
    ----------
    text : str
        The resolved scenario, demand scaled.
    seed, replication : int
        Key of all luck.
    objectives : tuple of Objective
        What the run is held against.
    """

    text: str
    seed: int
    replication: int
    objectives: tuple[Objective, ...]


@dataclass(frozen=True, slots=True)
class LoadRun:
    """Hold one run of one load.

    Attributes
    ----------
    summary : Summary
    backlog : Backlog
    bottleneck : Bottleneck or None
    misses : tuple of str
        Why the load is not sustained; empty if it is.
    faults : tuple of str
        Why the run is no measurement; empty if it is one.
    """

    replication: int
    summary: Summary
    backlog: Backlog
    bottleneck: Bottleneck | None
    misses: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def is_sustained(self) -> bool:
        """Say whether the run is a measurement and meets everything."""
        return not self.misses and not self.faults


def run_load(item: LoadItem) -> LoadRun:
    """Run a load and judge the run.

    Parameters
    ----------
    item : LoadItem
        What to run.
    """
    from sim.analysis.measures import RunFigures, summarise
    from sim.tables.schemas import Record
    from sim.tables.writer import RunWriter, SinkGroup, WriterOptions

    compiled = compile_replication(item.text, item.seed, item.replication)
    plan = compiled.plan
    writer = RunWriter(plan, None, WriterOptions(record=Record.NONE, replication=item.replication))
    watcher = BacklogSink(plan)
    engine = find_engine("compiled", Silence())
    totals = engine(plan, compiled.workload(), SinkGroup((writer, watcher)))
    writer.close()
    summary = summarise(RunFigures(plan, writer.summary, totals))
    check_objectives(item.objectives, summary)
    backlog = watcher.backlog()
    return LoadRun(
        item.replication,
        summary,
        backlog,
        find_bottleneck(plan, summary),
        _misses(item.objectives, summary, backlog),
        _faults(plan, item.objectives, summary, expected_submitted(compiled)),
    )


def _misses(
    objectives: tuple[Objective, ...], summary: Summary, backlog: Backlog
) -> tuple[str, ...]:
    """Say what is not met."""
    from sim.experiment.picking import pick

    found = []
    for objective in objectives:
        if not objective.is_met(summary):
            measure = pick(summary, objective.key)
            value = (
                "nothing" if measure is None or measure.value is None else f"{float(measure):.4g}"
            )
            found.append(f"{objective} missed: {value}")
    if backlog.is_growing:
        found.append(
            f"backlog grew from {backlog.start:.0f} to {backlog.end:.0f} payments, more than three "
            f"standard deviations ({backlog.deviation:.0f})"
        )
    submitted, still_open = _count(summary, "submitted"), _count(summary, "in_progress")
    if submitted > 0 and still_open > _OPEN_MAX * submitted:
        found.append(
            f"completed load lags behind offered load: {still_open / submitted:.1%} of payments "
            f"were still open at the end"
        )
    return tuple(found)


def _faults(
    plan: Plan, objectives: tuple[Objective, ...], summary: Summary, expected: float | None
) -> tuple[str, ...]:
    """Say why a run is no measurement of its load."""
    found = []
    window_s = (plan.horizon_us - plan.warm_up_us) / SECOND_US
    if window_s < WINDOW_MIN_S:
        found.append(f"measured for {window_s:g} s; needed: {WINDOW_MIN_S} s")
    submitted = _count(summary, "submitted")
    if expected is not None and abs(submitted - expected) > _DEVIATIONS * sqrt(max(expected, 1)):
        found.append(f"offered {submitted:.0f} payments where {expected:.0f} were asked for")
    completed = _count(summary, "completed")
    for objective in objectives:
        if completed < objective.completions_needed():
            found.append(
                f"{completed:.0f} payments completed; {objective.key} needs "
                f"{objective.completions_needed()} to be believed"
            )
    return tuple(found)


def _count(summary: Summary, name: str) -> float:
    return float(summary.measures[name])

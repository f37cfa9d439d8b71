"""Watch the run of one load, and say whether it may be believed.

Takes a case whose demand is already scaled; gives a :class:`LoadRun`: its measures, its backlog,
its bottleneck, and every reason why it fails or why it is no measurement at all. A run that is no
measurement is marked, never averaged away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING, ClassVar

from sim.analysis.catalogue import STRESSED_RUN
from sim.analysis.summary import Summary
from sim.study.compile_case import expected_payments
from sim.study.measure_key import pick
from sim.study.slo import Objective, check_objectives
from sim.study.stress.backlog import Backlog, BacklogSink, PlaceSink
from sim.study.stress.bottleneck import Bottleneck, find_bottleneck, number
from sim.study.stress.participants import Participant, find_participants
from sim.study.stress.series import IntervalFigures, IntervalSink
from sim.study.stress.soak import Drain, drift_reasons, find_drains
from sim.units import SECOND_US

if TYPE_CHECKING:
    from sim.compiler.compile import Compiled
    from sim.contract.plan import Plan
    from sim.contract.run import Sink

WINDOW_MIN_S = 600
"""Seconds a load must be measured for; a shorter window mistakes a full buffer for capacity."""
_LAG_MAX = 0.02
"""Share of the payments offered in the window by which those that end in it may fall short, and
that may be refused for want of room or money."""
_DEVIATIONS = 4
"""Standard deviations by which arrivals may miss their expectation."""
_SHARES = (0.5, 0.99)
"""Quantiles shown interval by interval, whatever the objectives are."""


@dataclass(frozen=True, slots=True)
class LoadWatch:
    """What a stress test wants to see of a run.

    Attributes
    ----------
    objectives : tuple of Objective
        What the run is held against.
    streams : tuple of str
        Demand that is scaled: its payments are the load.
    edges_us : tuple of int
        Ends of the intervals that are measured one by one; empty for the window alone.
    is_soak : bool
        Whether the run also fails when its times drift from interval to interval.
    """

    objectives: tuple[Objective, ...]
    streams: tuple[str, ...]
    edges_us: tuple[int, ...] = ()
    is_soak: bool = False

    def begin(self, compiled: Compiled) -> LoadWatching:
        """Return what watches the run of a compiled scenario."""
        return LoadWatching(self, compiled)

    @property
    def shares(self) -> tuple[float, ...]:
        """Return the quantiles to keep by interval: those shown and those that are judged."""
        wanted = [objective.quantile for objective in self.objectives]
        return tuple(sorted({*_SHARES, *(share for share in wanted if share is not None)}))


@dataclass(frozen=True, slots=True)
class LoadRun:
    """One run of one load.

    Attributes
    ----------
    replication : int
    summary : Summary
    offered, completed : float
        Payments per second of the scaled demand submitted and completed in the window.
    backlog : Backlog
    bottleneck : Bottleneck or None
    participants : tuple of Participant
    misses : tuple of str
        Why the load is not sustained; empty if it is.
    faults : tuple of str
        Why the run is no measurement; empty if it is one.
    series : tuple of IntervalFigures
        Where intervals were asked for.
    drains : tuple of Drain
        Accounts that run dry if the load goes on.
    is_overloaded : bool
        Whether payments piled up: the backlog grew, or more came than ended.
    unbelieved : tuple of str
        Quantiles the objectives are about for which too few payments were completed.
    """

    JSON_KEYS: ClassVar = (
        "replication is_sustained is_valid reasons offered_rate_mean=offered "
        "completed_rate_mean=completed end_to_end_p99=value:end_to_end_p99 intervals=series "
        "drains"
    )

    replication: int
    summary: Summary
    offered: float
    completed: float
    backlog: Backlog
    bottleneck: Bottleneck | None
    participants: tuple[Participant, ...]
    misses: tuple[str, ...]
    faults: tuple[str, ...]
    series: tuple[IntervalFigures, ...] = ()
    drains: tuple[Drain, ...] = ()
    is_overloaded: bool = False
    unbelieved: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Say whether the run is a measurement."""
        return not self.faults

    @property
    def is_sustained(self) -> bool:
        """Say whether the run is a measurement and meets everything."""
        return not self.misses and not self.faults

    @property
    def figures(self) -> tuple[float | None, ...]:
        """Return the measures :data:`~sim.analysis.catalogue.STRESSED_RUN` names."""
        return (self.offered, self.completed, *map(self.value, STRESSED_RUN[2:]))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why it is not sustained, first why it is no measurement."""
        return (*self.faults, *self.misses)

    def value(self, key: str) -> float | None:
        """Return a measure; None where there is none or it is not to be believed."""
        found = None if key in self.unbelieved else pick(self.summary, key)
        return None if found is None or found.value is None else float(found)


class LoadWatching:
    """What is seen of one run of one load while it goes on.

    Parameters
    ----------
    watch : LoadWatch
    compiled : Compiled
    """

    def __init__(self, watch: LoadWatch, compiled: Compiled) -> None:
        plan = compiled.plan
        self._watch, self._compiled, self._edges_us = watch, compiled, watch.edges_us
        self._inside = BacklogSink(plan, watch.streams)
        self._places = PlaceSink(plan, self._edges_us[-1] if self._edges_us else plan.horizon_us)
        self._whole = IntervalSink(plan, (plan.warm_up_us, plan.horizon_us), watch.streams)
        self._parts = (
            IntervalSink(plan, self._edges_us, watch.streams, watch.shares)
            if self._edges_us
            else None
        )

    @property
    def sinks(self) -> Sequence[Sink]:
        """Return what is given the event log and the payments."""
        parts = () if self._parts is None else (self._parts,)
        return (self._inside, self._places, self._whole, *parts)

    def keep(self, summary: Summary) -> LoadRun:
        """Judge the run.

        Parameters
        ----------
        summary : Summary
            Its measures.

        Raises
        ------
        UserError
            If an objective is about a measure there is none of.
        """
        watch, compiled, plan = self._watch, self._compiled, self._compiled.plan
        check_objectives(watch.objectives, summary)
        backlog = self._inside.backlog(rise=_rise(compiled, watch.streams))
        window = self._whole.figures()[0]
        series: tuple[IntervalFigures, ...] = ()
        if self._parts is not None:
            series = self._parts.figures([self._inside.inside(edge) for edge in self._edges_us[1:]])
        piled_up = _piled_up(backlog, window)
        few = _unbelieved(watch.objectives, summary)
        believed = tuple(one for one in watch.objectives if one.key not in few)
        misses = _objective_misses(believed, summary) + piled_up
        if not any(objective.key == "success_rate" for objective in watch.objectives):
            misses += _turned_away(summary, backlog, window)
        if watch.is_soak:
            misses += drift_reasons(series, rise=backlog.rise)
        ends = (plan.warm_up_us, plan.horizon_us)
        (expected,) = expected_payments(compiled, ends, watch.streams)
        return LoadRun(
            plan.replication,
            summary,
            offered=window.offered_rate,
            completed=window.completed_rate,
            backlog=backlog,
            bottleneck=find_bottleneck(plan, summary, self._places),
            participants=find_participants(plan, summary, compiled.scenario.accounts),
            misses=misses,
            faults=(
                *_clock_faults(plan, (window.offered, expected)),
                *_count_faults(plan, watch.objectives, summary, is_overloaded=bool(piled_up)),
            ),
            series=series,
            drains=find_drains(plan, self._places),
            is_overloaded=bool(piled_up),
            unbelieved=few,
        )


def _unbelieved(objectives: tuple[Objective, ...], summary: Summary) -> tuple[str, ...]:
    """Return the quantiles for which too few payments were completed."""
    completed = number(summary.measures, "completed")
    return tuple(one.key for one in objectives if completed < one.completions_needed())


def _objective_misses(objectives: tuple[Objective, ...], summary: Summary) -> tuple[str, ...]:
    """Say which objectives are not met."""
    found = []
    for objective in objectives:
        if not objective.is_met(summary):
            measure = pick(summary, objective.key)
            value = (
                "nothing" if measure is None or measure.value is None else f"{float(measure):.4g}"
            )
            found.append(f"{objective} missed: {value}")
    return tuple(found)


def _piled_up(backlog: Backlog, window: IntervalFigures) -> tuple[str, ...]:
    """Say by what payments are seen to pile up, which no load that is sustained lets them do."""
    found = []
    if backlog.is_growing:
        found.append(
            f"backlog grew from {backlog.start:.0f} to {backlog.end:.0f} payments, more than three "
            f"standard deviations ({backlog.deviation:.0f})"
        )
    # Where few payments are under way, what chance leaves open at the end is no lag.
    short = window.offered - window.ended
    if short > _LAG_MAX * window.offered + 3 * backlog.deviation:
        found.append(
            f"completed load lags behind offered load: {window.offered:,} payments came, "
            f"{window.ended:,} ended, {short / window.offered:.1%} fewer"
        )
    return tuple(found)


def _turned_away(summary: Summary, backlog: Backlog, window: IntervalFigures) -> tuple[str, ...]:
    """Say how many payments were refused, where they are too many.

    Notes
    -----
    A place that turns payments away never has a long queue; unless the objectives say how many may
    fail, what is refused is not carried. Those that find another route are completed after all, so
    no more count than are missing.
    """
    full, penniless = _refused(summary)
    lacking = min(window.offered - window.completed, full + penniless)
    if lacking <= _LAG_MAX * window.offered + 3 * backlog.deviation:
        return ()
    return (
        f"completed load lags behind offered load: {lacking / window.offered:.1%} of payments "
        f"were refused, {full:,.0f} times for a full or closed place, {penniless:,.0f} "
        "times for want of money",
    )


def _refused(summary: Summary) -> tuple[float, float]:
    """Return how often a place refused payments in the window, and how often an account did."""
    stations, accounts = summary.by["station"].values(), summary.by["account"].values()
    return (
        sum(number(measures, "refused") for measures in stations),
        sum(number(measures, "lost_for_liquidity") for measures in accounts),
    )


def _clock_faults(plan: Plan, offered: tuple[int, float]) -> tuple[str, ...]:
    """Say whether the load was there, and long enough.

    Parameters
    ----------
    offered : (int, float)
        Payments of the scaled demand in the window, and how many were to be expected.
    """
    found = []
    window_s = (plan.horizon_us - plan.warm_up_us) / SECOND_US
    if window_s < WINDOW_MIN_S:
        found.append(f"measured for {window_s:g} s; needed: {WINDOW_MIN_S} s")
    came, expected = offered
    if abs(came - expected) > _DEVIATIONS * sqrt(max(expected, 1)):
        found.append(f"offered {came:,} payments where {expected:,.0f} were asked for")
    return tuple(found)


def _count_faults(
    plan: Plan, objectives: tuple[Objective, ...], summary: Summary, *, is_overloaded: bool
) -> tuple[str, ...]:
    """Say which quantiles too few payments were completed to believe.

    Notes
    -----
    Where payments pile up, few are completed because they wait: as long as enough of them were
    submitted, that is an answer, not want of one.
    """
    found = []
    window_s = (plan.horizon_us - plan.warm_up_us) / SECOND_US
    completed = number(summary.measures, "completed")
    submitted = number(summary.measures, "submitted")
    for objective in objectives:
        needed = objective.completions_needed()
        if completed >= needed or (is_overloaded and submitted >= needed):
            continue
        enough_s = ceil(1.2 * window_s * needed / max(completed, 1) / 60) * 60
        hint = f", as in some {enough_s} s at this load" if completed > 0 else ""
        found.append(
            f"{completed:.0f} payments completed; {objective.key} needs {needed} to be "
            f"believed{hint}"
        )
    return tuple(found)


def _rise(compiled: Compiled, streams: Sequence[str]) -> float:
    """Return how many times the demand of the first tenth of the window the last tenth expects."""
    plan = compiled.plan
    tenth = (plan.horizon_us - plan.warm_up_us) // 10
    ends = [plan.warm_up_us, plan.warm_up_us + tenth, plan.horizon_us - tenth, plan.horizon_us]
    first, _, last = expected_payments(compiled, ends, streams)
    return last / first if first > 0 else 1.0

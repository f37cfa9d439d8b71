"""Let the load rise in one continuous run, and see where the service level breaks.

Takes a :class:`~sim.study.stress.points.LoadTest` and a reference load; gives a :class:`Ramp`:
per interval what was offered, what was completed and how long it took, and the loads at which the
service level was first missed and completed load stopped following.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import ClassVar

from sim.analysis.intervals import mean_interval
from sim.model.steps import MULTIPLE_UNIT
from sim.study.slo import Objective
from sim.study.stress.points import UNIT, LoadTest, StressPlan
from sim.study.stress.series import IntervalFigures
from sim.study.stress.trial import LoadRun
from sim.units import SECOND_US

INTERVALS = 21
"""Stairs of a ramp: from 25 % to 125 % of the reference each is 5 % higher than the last."""
_FINEST = 1_000
"""Multiples of stairs are rounded to so many 10^-9: six decimals are enough and easily read."""
_FOLLOWS = 0.98
"""Completed load follows while it is at least this share of what it would be unhindered."""
_TIMES = "end_to_end_"


@dataclass(frozen=True, slots=True)
class Crossing:
    """The load at which something first happened on the way up.

    Attributes
    ----------
    value : float
        Mean over runs of the stair it happened on.
    low, high : float
        95 % interval of where it begins: it lies between the stair before and that one, so the
        lower end is that of the t interval of the stairs before, the upper that of those reached.
    count : int
        Runs in which it happened.
    """

    JSON_KEYS: ClassVar = "value low high unit runs=count"
    unit: ClassVar[str] = UNIT

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class RampInterval:
    """One load of a ramp.

    Attributes
    ----------
    load : float
    objectives : str
        Whether they were met, in words.
    runs : tuple of IntervalFigures
        One per replication.
    """

    load: float
    objectives: str
    runs: tuple[IntervalFigures, ...]


@dataclass(frozen=True, slots=True)
class Ramp:
    """A load that rose.

    Attributes
    ----------
    plan : StressPlan
    reference : float
        Load the shares of the plan refer to.
    loads : tuple of float
        Load of each interval.
    runs : tuple of LoadRun
        One per replication; their ``series`` has an entry per interval.
    """

    JSON_KEYS: ClassVar = (
        "reference from=loads.0 to=loads.-1 interval_s first_missed=missed flattened intervals"
    )

    plan: StressPlan
    reference: float
    loads: tuple[float, ...]
    runs: tuple[LoadRun, ...]

    @property
    def interval_s(self) -> float:
        """Return how long each load was held."""
        return self.plan.window_s / len(self.loads)

    @property
    def missed(self) -> Crossing | None:
        """Return the load at which the service level was first missed, over replications."""
        return self._over_runs(
            [first_missed(self.plan.objectives, run.series) for run in self.runs]
        )

    @property
    def flattened(self) -> Crossing | None:
        """Return the load from which on completed load stopped following, over replications."""
        return self._over_runs([first_flat(run.series) for run in self.runs])

    @property
    def is_judged(self) -> bool:
        """Say whether every run is a measurement and the reference or less was judged in it."""
        return all(
            run.is_valid
            and any(
                interval_misses(self.plan.objectives, part) is not None
                for part, load in zip(run.series, self.loads, strict=True)
                if load <= self.reference
            )
            for run in self.runs
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why the reference load is not met on the way up; empty if it is."""
        found = [reason for run in self.runs for reason in run.faults]
        for run in self.runs:
            at = first_missed(self.plan.objectives, run.series)
            if at is not None and self.loads[at] <= self.reference:
                misses = interval_misses(self.plan.objectives, run.series[at]) or ()
                found += [f"at {self.loads[at]:.6g} payments/s {miss}" for miss in misses]
        if not found and not self.is_judged:
            found.append(
                f"no interval of {self.interval_s:g} s had the completions the objectives need; "
                "lengthen --window"
            )
        return tuple(dict.fromkeys(found))

    @property
    def intervals(self) -> tuple[RampInterval, ...]:
        """Return every load with what its interval gave in every run."""
        parts = [tuple(run.series[at] for run in self.runs) for at in range(len(self.loads))]
        return tuple(
            RampInterval(load, judged_words(self, part), part)
            for load, part in zip(self.loads, parts, strict=True)
        )

    def _over_runs(self, found: Sequence[int | None]) -> Crossing | None:
        reached = [self.loads[at] for at in found if at is not None]
        before = [self.loads[at - 1] if at > 0 else 0.0 for at in found if at is not None]
        if not reached:
            return None
        low, high = mean_interval(before), mean_interval(reached)
        if len(reached) == 1:
            return Crossing(high.value, low.value, high.value, 1)
        return Crossing(high.value, max(0.0, low.low), high.high, len(reached))


def run_ramp(test: LoadTest, reference: float) -> Ramp:
    """Let the load rise over the window.

    Parameters
    ----------
    test : LoadTest
    reference : float
        Load in payments per second; the ramp goes from one share of it to another.

    Notes
    -----
    The load rises in stairs, each held for the same time, so that every interval has a load of its
    own. After the last one nobody pays for a while: the payments of the last interval may end, and
    its times are known.
    """
    test = test.with_window(test.plan.ramp_window_s)
    plan, clock = test.plan, test.demand.clock
    low, high = plan.ramp
    shares = [low + (high - low) * at / (INTERVALS - 1) for at in range(INTERVALS)]
    multiples = [round(share * MULTIPLE_UNIT / _FINEST) * _FINEST for share in shares]
    warm_up_us, window_us = clock.warm_up_s * SECOND_US, clock.window_s * SECOND_US
    stairs = [(0, multiples[0])]
    stairs += [
        (warm_up_us + at * window_us // INTERVALS, multiple)
        for at, multiple in enumerate((*multiples, 0))
    ]
    tail_s = max(60, clock.window_s // 10)
    runs = test.rise(reference, stairs, tail_s)
    loads = tuple(reference * multiple / MULTIPLE_UNIT for multiple in multiples)
    return Ramp(plan, reference, loads, tuple(runs))


def interval_misses(
    objectives: Sequence[Objective], part: IntervalFigures
) -> tuple[str, ...] | None:
    """Return the objectives an interval misses, in words; None where none can be judged in it.

    Parameters
    ----------
    objectives : sequence of Objective
        Quantiles of the end-to-end time and the success rate are judged; others are not, as nothing
        else is known by interval.
    part : IntervalFigures

    Notes
    -----
    A quantile is judged where as many payments as it needs had ended or were still under way at the
    very end. Of those so many may be unfinished that it is not known; then it is missed.
    """
    found: list[str] = []
    judged = False
    for objective in objectives:
        share = objective.quantile if objective.key.startswith(_TIMES) else None
        if share is not None:
            if part.succeeded + part.still_open < objective.completions_needed():
                continue
            value = part.quantile(share)
        elif objective.key == "success_rate":
            value = part.success_rate
        else:
            continue
        judged = True
        if not objective.is_met_by(value):
            found.append(f"{objective} missed: {'unfinished' if value is None else f'{value:.4g}'}")
    return tuple(found) if judged else None


def judged_words(ramp: Ramp, parts: Sequence[IntervalFigures]) -> str:
    """Say in how many runs an interval meets the objectives.

    Parameters
    ----------
    ramp : Ramp
    parts : sequence of IntervalFigures
        The same interval of every run.
    """
    judged = [interval_misses(ramp.plan.objectives, part) for part in parts]
    if any(misses is None for misses in judged):
        return "too few payments"
    met = sum(not misses for misses in judged)
    return "met" if met == len(judged) else f"missed in {len(judged) - met} of {len(judged)}"


def first_missed(objectives: Sequence[Objective], series: Sequence[IntervalFigures]) -> int | None:
    """Return the first interval in which an objective is missed."""
    return next((at for at, part in enumerate(series) if interval_misses(objectives, part)), None)


def first_flat(series: Sequence[IntervalFigures]) -> int | None:
    """Return the interval from which on completed load no longer follows offered load.

    Notes
    -----
    What share of the offered load is completed when nothing hinders it, and how long payments stay,
    is taken from the first third of the ramp. From the interval returned on, every one to the last
    completes less than 98 % of that share, and all of them together by more than three standard
    deviations of a Poisson count. Where the load jumps, as many more payments are under way at the
    end of an interval as come in the time they stay (Little's law); those are not lacking.
    """
    third = max(1, len(series) // 3)
    came = sum(part.offered for part in series[:third])
    if came == 0:
        return None
    usual = sum(part.completed for part in series[:third]) / came
    stay_s = sum(part.backlog for part in series[:third]) / sum(
        part.offered_rate for part in series[:third]
    )
    lacking = [0.0] * third
    for before, part in pairwise(series[third - 1 :]):
        under_way = max(0.0, part.offered_rate - before.offered_rate) * stay_s
        lacking.append(usual * part.offered - part.completed - under_way)
    at = len(series)
    while at > third and lacking[at - 1] > (1 - _FOLLOWS) * usual * series[at - 1].offered:
        at -= 1
    offered = sum(part.offered for part in series[at:])
    return at if sum(lacking[at:]) > 3 * sqrt(offered) else None

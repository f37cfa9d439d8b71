"""Find the highest load a scenario sustains, replication by replication.

Takes a :class:`~sim.study.stress.points.LoadTest`; gives a :class:`Capacity` with an interval,
and leaves behind the points of the curve, each run in every replication.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from sim.analysis.intervals import mean_interval
from sim.errors import UserError
from sim.study.stress.bottleneck import number
from sim.study.stress.points import LoadTest, bracket, rounded
from sim.study.stress.trial import LoadRun

_ROUNDS_MAX = 60
_CURVE_SHARES = (0.5, 0.8, 0.95, 1.1)
"""Loads of the curve, in shares of the capacity."""
_NEAR = 0.1
"""Relative distance within which the scenario's own load stands for a load of the curve."""
_USE_TRUSTED = 0.15
"""Utilisation from which on it predicts capacity; below, what little is used may not scale."""
_DEVIATIONS = 4
"""Standard deviations by which a load must promise more completions than its quantiles need."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """The loads between which the capacity of one replication lies.

    Attributes
    ----------
    replication : int
    low : float or None
        Highest load it sustained below any it did not; None where it sustained none.
    high : float or None
        Lowest load it did not sustain; None where there was none.
    """

    replication: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Capacity:
    """The highest load that is sustained, over replications.

    Attributes
    ----------
    value : float
        Mean over replications; where one of them has no limit, the load all of them sustained.
    low : float
        Lower end of the 95 % interval.
    high : float or None
        Upper end; None where no limit was found.
    brackets : tuple of Bracket
        One per replication.
    """

    value: float
    low: float
    high: float | None
    brackets: tuple[Bracket, ...]

    @property
    def combined(self) -> tuple[Bracket, ...]:
        """Return the brackets combined: all but those of replications without a measurement."""
        return known_brackets(self.brackets)

    @property
    def combined_count(self) -> int:
        """Return how many replications are combined."""
        return len(self.combined)

    @property
    def is_bracket(self) -> bool:
        """Say whether all brackets combined are one: its ends are the search's, not chance's."""
        return len({(one.low, one.high) for one in self.combined}) == 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a search ends.

    Attributes
    ----------
    tolerance : float
        Relative width at which a bracket is narrow enough.
    load_max : float
        Highest load tried.
    completions : int
        Completed payments a run needs before its quantiles are believed.
    is_near : bool
        Whether the loads started from are known to be close to the capacity.
    """

    tolerance: float
    load_max: float
    completions: int = 0
    is_near: bool = False


def find_capacity(test: LoadTest) -> Capacity | None:
    """Bracket the highest load each replication sustains.

    Parameters
    ----------
    test : LoadTest
        Runs the loads.

    Returns
    -------
    Capacity or None
        None where even the lowest load that can be measured is not sustained.

    Raises
    ------
    UserError
        If no run is a measurement, so that nothing can be concluded.

    Notes
    -----
    Replication 0 searches alone: from the scenario's own load to where the bottleneck's utilisation
    says capacity lies, halving the bracket until it is as narrow as the tolerance. The others start
    from its bracket, where most of them need the two runs at its ends only, and move away from it
    in growing steps where chance has it otherwise. Then every replication is run at the loads of
    the curve and at the ends of the brackets, so that each point has several runs.
    """
    plan = test.plan
    length_s = test.demand.clock.horizon_s
    load_max = max(plan.payments_max / length_s, 2 * test.base)
    needed = max(objective.completions_needed() for objective in plan.objectives)
    limits = Limits(plan.tolerance, rounded(load_max), needed)
    _search(test, (0,), (rounded(test.base),), limits)
    _refuse_no_measurement(test)
    first = _bracket_of(test, 0)
    if first.low is None:
        assert first.high is not None
        test.at(first.high)
        return None
    start = tuple(load for load in (first.low, first.high) if load is not None)
    near = Limits(plan.tolerance, limits.load_max, needed, is_near=True)
    _search(test, range(1, plan.replications), start, near)
    brackets = tuple(_bracket_of(test, number) for number in range(plan.replications))
    capacity = combine(brackets)
    if capacity is not None:
        _run_curve(test, capacity)
    return capacity


def combine(brackets: Sequence[Bracket]) -> Capacity | None:
    """Return the capacity and its interval from what replications found.

    Parameters
    ----------
    brackets : sequence of Bracket
        At least one.

    Returns
    -------
    Capacity or None
        None where no replication sustained a load.

    Notes
    -----
    Every replication has random numbers and hence a capacity of its own, ``c``, of which only ``low
    <= c < high`` is known. The mean of the lows cannot exceed that of the capacities, nor the mean
    of the highs fall short of it. So the lower end of the Student's t interval of the lows bounds
    the expected capacity from below, the upper end of that of the highs from above, and both ends
    together miss it with probability 5 % at most. With brackets of one width this is the t interval
    of their middles, widened by half a bracket on either side: what chance leaves open and what the
    search left open. With one replication it is the bare bracket, which knows nothing of chance. A
    replication that sustained nothing it could measure has the low 0; one without any measurement
    is left out.
    """
    known = known_brackets(brackets)
    lows = [one.low or 0.0 for one in known]
    if not any(lows):
        return None
    highs = [one.high for one in known if one.high is not None]
    if len(highs) < len(lows):
        return Capacity(min(lows), min(lows), None, tuple(brackets))
    middles = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
    value = mean_interval(middles).value
    if len(lows) == 1:
        return Capacity(value, lows[0], highs[0], tuple(brackets))
    low = max(0.0, mean_interval(lows).low)
    return Capacity(value, low, mean_interval(highs).high, tuple(brackets))


def known_brackets(brackets: Sequence[Bracket]) -> tuple[Bracket, ...]:
    """Return the brackets that say something."""
    return tuple(one for one in brackets if one.low is not None or one.high is not None)


def next_loads(
    runs: Mapping[float, LoadRun], start: Sequence[float], limits: Limits
) -> tuple[float, ...]:
    """Return the loads one replication tries next; none when its search is over.

    Parameters
    ----------
    runs : mapping of float to LoadRun
        Every run of the replication, by load, ascending.
    start : sequence of float
        Loads tried first.
    limits : Limits
    """
    untried = tuple(load for load in start if load not in runs)
    if untried:
        return untried
    low, high = _bracket(runs)
    if low is not None and high is not None:
        if high - low <= limits.tolerance * high:
            return ()
        load: float | None = _between(runs, low, high)
    elif low is not None:
        load = _above(runs, low, limits)
    elif high is not None:
        load = _below(runs, high, limits)
    else:
        load = _measurable(runs, limits)
    if load is None:
        return ()
    load = rounded(min(load, limits.load_max))
    return () if load in runs else (load,)


def _search(
    test: LoadTest, numbers: Sequence[int], start: tuple[float, ...], limits: Limits
) -> None:
    """Let replications search side by side, a round of runs at a time."""
    for _ in range(_ROUNDS_MAX):
        wanted = [
            (load, number)
            for number in numbers
            for load in next_loads(test.runs_of(number), start, limits)
        ]
        if not wanted:
            return
        test.run(wanted)


def _bracket(runs: Mapping[float, LoadRun]) -> tuple[float | None, float | None]:
    """Return the bracket of a replication; a run that is no measurement says nothing."""
    return bracket([(load, run.is_sustained) for load, run in runs.items() if run.is_valid])


def _bracket_of(test: LoadTest, number: int) -> Bracket:
    return Bracket(number, *_bracket(test.runs_of(number)))


def _between(runs: Mapping[float, LoadRun], low: float, high: float) -> float:
    """Return a load inside a bracket."""
    guess = _predicted(low, runs[low])
    # A prediction inside the bracket, a hair below capacity, narrows it most.
    if guess is not None and low * 1.001 < guess * 0.998 < high * 0.999:
        return guess * 0.998
    return (low + high) / 2


def _above(runs: Mapping[float, LoadRun], low: float, limits: Limits) -> float:
    """Return a load above the highest that is sustained."""
    guess = _predicted(low, runs[low])
    if not limits.is_near:
        if guess is None:
            return 4 * low
        if guess * 0.998 > 1.001 * low:
            return guess * 0.998
    return low * (1 + _creep(len([load for load in runs if (1 - _NEAR) * low < load]), limits))


def _below(runs: Mapping[float, LoadRun], high: float, limits: Limits) -> float | None:
    """Return a load below the lowest that is not sustained; None where none can be measured."""
    run = runs[high]
    # Of those that pile up a lower load completes what this one left open.
    completed = number(run.summary.measures, "completed")
    if run.is_overloaded:
        completed += number(run.summary.measures, "in_progress")
    promised = limits.completions + _DEVIATIONS * sqrt(limits.completions)
    floor = high * promised / max(completed, 1)
    if floor > high * (1 - limits.tolerance):
        return None
    if limits.is_near:
        tried = len([load for load in runs if load < (1 + _NEAR) * high])
        return max(floor, high * (1 - _creep(tried, limits)))
    if run.is_overloaded and 0 < run.completed < 0.98 * run.offered:
        # What leaves while more and more wait is what the bottleneck can do.
        return max(floor, high * run.completed / run.offered * 0.99)
    return max(floor, high / 2)


def _creep(tried: int, limits: Limits) -> float:
    """Return a step away from a load that was thought to be close: it doubles every time.

    The first is as wide as a bracket may be; a near search has tried two loads by then, the ends of
    another replication's bracket.
    """
    taken = tried - 2 if limits.is_near else tried - 1
    return min(0.5, limits.tolerance * 2.0 ** max(taken, 0))


def _measurable(runs: Mapping[float, LoadRun], limits: Limits) -> float | None:
    """Return a load high enough to be measured, None where a higher one would not help."""
    load = max(runs)
    run = runs[load]
    completed = float(run.summary.measures["completed"])
    submitted = float(run.summary.measures["submitted"])
    if completed >= limits.completions:
        # What else was wrong is chance, and another load draws other numbers.
        return load * (1 + limits.tolerance)
    if submitted >= 10 * limits.completions:
        return None
    return load * min(10.0, max(2.0, 1.5 * limits.completions / max(completed, 1)))


def _predicted(load: float, run: LoadRun) -> float | None:
    """Return where the bottleneck would be full, if its utilisation grows as the load does."""
    found = run.bottleneck
    if found is None or found.utilisation is None or found.utilisation <= _USE_TRUSTED:
        return None
    return load / found.utilisation


def _refuse_no_measurement(test: LoadTest) -> None:
    """Say what to do where not one run of the first replication is a measurement."""
    runs = test.runs_of(0)
    if any(run.is_valid for run in runs.values()):
        return
    load = max(runs)
    reasons = runs[load].summary.by["reason"]
    common = max(reasons, key=lambda name: float(reasons[name]["submitted"]), default=None)
    why = "" if common is None else f" Most payments that fail do so with {common}."
    raise UserError(
        f"stress: no load up to {load:.6g} payments/s can be measured: "
        f"{'; '.join(runs[load].faults)}.{why} Lengthen --window, bound a lower quantile in --slo, "
        "or see `payroute run` for what becomes of the payments"
    )


def _run_curve(test: LoadTest, capacity: Capacity) -> None:
    """Run every replication at the ends of the brackets and at the loads of the curve.

    Where there is no limit, the curve has only its ends: they are far apart and dear.
    """
    lows = [one.low for one in capacity.brackets if one.low is not None]
    highs = [one.high for one in capacity.brackets if one.high is not None]
    loads = {min(lows), *([max(highs)] if highs else [])}
    if capacity.high is None:
        loads.add(rounded(test.base))
    curve = [share * capacity.value for share in _CURVE_SHARES if capacity.high is not None]
    if curve and curve[0] * (1 - _NEAR) < test.base < curve[-1] * (1 + _NEAR):
        curve = [load for load in curve if abs(load - test.base) > _NEAR * load]
        loads.add(rounded(test.base))
    loads |= {rounded(load) for load in curve}
    numbers = range(test.plan.replications)
    test.run([(load, number) for load in sorted(loads) for number in numbers])

"""Run a scenario at loads, and keep what was run.

Takes a scenario and a plan; gives :class:`LoadPoint` objects, one per load, with every run of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from sim.analysis.catalogue import STRESSED
from sim.errors import OptionError, suggest
from sim.scenario.scenario import LoadedScenario
from sim.study.case import Case
from sim.study.pool import Pool
from sim.study.runner import as_done
from sim.study.slo import Objective
from sim.study.stress.bottleneck import Bottleneck
from sim.study.stress.demand import ScaledDemand
from sim.study.stress.soak import INTERVALS as SOAK_INTERVALS
from sim.study.stress.soak import SOAK_WINDOW_S
from sim.study.stress.trial import WINDOW_MIN_S, LoadRun, LoadWatch
from sim.units import SECOND_US

UNIT = "payments/s"
USUAL_TIME = "end_to_end_p99"
"""Time shown against load where no objective bounds one."""
NO_MEASUREMENT = "no measurement"
"""Beside PASS and FAIL: nothing is known, because the run was too short or something else drawn."""
PROFILES = ("step", "ramp", "soak")
REPLICATIONS = 5
"""Fewer leave Student's t so few degrees of freedom that the interval says little."""
TOLERANCE = 0.005
"""Width of the bracket around the capacity of each replication, relative."""
RAMP_WINDOW_S = 1260
"""A minute for each of the stairs of :mod:`sim.study.stress.ramp`."""
PAYMENTS_MAX = 10_000_000
"""Payments of one run at which the search for a limit ends: some half a minute of machine time."""

Notice = Callable[[str], None]


def choose_windows(profile: str, window_s: int | None) -> tuple[int, int]:
    """Return how long a load is measured and how long a ramp takes, in seconds.

    Parameters
    ----------
    profile : str
        One of :data:`PROFILES`.
    window_s : int or None
        Seconds asked for.

    Raises
    ------
    UserError
        If the profile is unknown or the window too short to measure anything in.
    """
    if profile not in PROFILES:
        raise OptionError(
            "profile",
            f"found {profile!r}; allowed: {', '.join(PROFILES)}.{suggest(profile, PROFILES)}",
        )
    if window_s is not None and window_s < WINDOW_MIN_S:
        raise OptionError(
            "window",
            f"found {window_s}; allowed: at least {WINDOW_MIN_S} (seconds): in a shorter "
            "one a queue that fills up passes for capacity",
        )
    usual = SOAK_WINDOW_S if profile == "soak" else WINDOW_MIN_S
    return window_s or usual, window_s or RAMP_WINDOW_S


@dataclass(frozen=True, slots=True)
class StressPlan:
    """How a scenario is stressed.

    Attributes
    ----------
    objectives : tuple of Objective
    streams : tuple of str
        Demand that scales.
    seed, replications, window_s : int
        Runs of each load; seconds measured.
    profile : str
        One of :data:`PROFILES`.
    tolerance : float
        Relative width of a bracket.
    payments_max : int
        Payments of one run at which the search for a limit ends.
    ramp : (float, float)
        Where a ramp begins and ends, in shares of its reference.
    ramp_window_s : int
        Seconds it takes.
    """

    objectives: tuple[Objective, ...]
    streams: tuple[str, ...]
    seed: int
    replications: int = REPLICATIONS
    window_s: int = WINDOW_MIN_S
    profile: str = "step"
    tolerance: float = TOLERANCE
    payments_max: int = PAYMENTS_MAX
    ramp: tuple[float, float] = (0.25, 1.25)
    ramp_window_s: int = RAMP_WINDOW_S

    @property
    def objectives_text(self) -> tuple[str, ...]:
        """Return the objectives in words, one by one."""
        return tuple(map(str, self.objectives))

    @property
    def time_key(self) -> str:
        """Return the time the test is about: that of the first objective that bounds one."""
        bounded = (one.key for one in self.objectives if one.quantile is not None)
        return next(bounded, USUAL_TIME)

    @property
    def shown_keys(self) -> tuple[str, ...]:
        """Return the measures shown of every load: the usual ones, and all that are judged."""
        return tuple(dict.fromkeys((*STRESSED[2:], *(one.key for one in self.objectives))))

    @property
    def wanted(self) -> str:
        """Return the objectives in words."""
        return ", ".join(self.objectives_text)


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """Every run of one load.

    Attributes
    ----------
    load : float
        Payments per second asked of the scaled demand, on average over the window.
    factor : float
        Times the scenario's own demand.
    runs : tuple of LoadRun
        In order of replication; of a load the search only passed by, not of all.
    """

    JSON_KEYS: ClassVar = (
        "load factor verdict is_valid replications=count reasons offered_rate_mean=offered "
        "completed_rate_mean=completed end_to_end_p50=mean:end_to_end_p50 "
        "end_to_end_p99=mean:end_to_end_p99 success_rate=mean:success_rate backlog_start "
        "backlog_end bottleneck runs"
    )

    load: float
    factor: float
    runs: tuple[LoadRun, ...]

    @property
    def count(self) -> int:
        """Return how many runs there are."""
        return len(self.runs)

    @property
    def is_valid(self) -> bool:
        """Say whether every run is a measurement."""
        return all(run.is_valid for run in self.runs)

    @property
    def verdict(self) -> str:
        """Return PASS if every run is a measurement and sustains the load, else FAIL."""
        return "PASS" if self.runs and all(run.is_sustained for run in self.runs) else "FAIL"

    @property
    def words(self) -> str:
        """Return the verdict for people: what could not be measured is neither met nor missed.

        A run that is a measurement and misses the load says enough, whatever the others are.
        """
        has_missed = any(run.is_valid and run.misses for run in self.runs)
        return self.verdict if self.is_valid or has_missed else NO_MEASUREMENT

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why it does not pass, each reason once."""
        return tuple(dict.fromkeys(r for run in self.runs for r in run.reasons))

    @property
    def example(self) -> tuple[str, ...]:
        """Return why one run does not pass: the first that is no measurement, else the first."""
        failing = [run for run in self.runs if not run.is_sustained]
        failing.sort(key=lambda run: run.is_valid)
        return next((run.reasons for run in failing), ())

    @property
    def sustained_count(self) -> int:
        """Return how many runs sustain the load."""
        return sum(run.is_sustained for run in self.runs)

    @property
    def bottleneck(self) -> Bottleneck | None:
        """Return what most runs that do not sustain the load name, in the words of the worst."""
        failing = [run for run in self.runs if not run.is_sustained] or list(self.runs)
        found = [run.bottleneck for run in failing if run.bottleneck is not None]
        if not found:
            return None
        [(station, _)] = Counter(one.station for one in found).most_common(1)
        own = [one for one in found if one.station == station]
        return max(own, key=lambda one: (one.queue_growth or 0.0, one.utilisation or 0.0))

    def mean(self, name: str) -> float | None:
        """Return a headline measure as mean over runs.

        None where one of them has none, and where one is no measurement: it is not averaged away.
        """
        values = [run.value(name) for run in self.runs]
        known = [value for value in values if value is not None]
        return self._mean(known if len(known) == len(values) else [])

    @property
    def offered(self) -> float | None:
        """Return payments per second offered, as mean over runs, like :meth:`mean`."""
        return self._mean([run.offered for run in self.runs])

    @property
    def completed(self) -> float | None:
        """Return payments per second completed, as mean over runs, like :meth:`mean`."""
        return self._mean([run.completed for run in self.runs])

    @property
    def backlog_start(self) -> float | None:
        """Return payments in the system at the window's start, as mean over runs."""
        return self._mean([run.backlog.start for run in self.runs])

    @property
    def backlog_end(self) -> float | None:
        """Return payments in the system at the window's end, as mean over runs."""
        return self._mean([run.backlog.end for run in self.runs])

    @property
    def backlog(self) -> tuple[float | None, float | None]:
        """Return both."""
        return self.backlog_start, self.backlog_end

    def _mean(self, values: Sequence[float]) -> float | None:
        return sum(values) / len(values) if values and self.is_valid else None


class LoadTest:
    """The loads of one scenario that were run.

    Parameters
    ----------
    loaded : LoadedScenario
        Unscaled.
    plan : StressPlan
    pool : Pool
        Where runs are done.
    notice : callable, optional
        Hears a sentence per run.

    Attributes
    ----------
    base : float
        The scenario's own load.
    """

    def __init__(
        self,
        loaded: LoadedScenario,
        plan: StressPlan,
        pool: Pool,
        *,
        notice: Notice | None = None,
    ) -> None:
        self.plan, self._pool, self._loaded = plan, pool, loaded
        self._notice = notice or (lambda sentence: None)
        self.demand = ScaledDemand(loaded, plan.streams, plan.window_s)
        self._runs: dict[float, dict[int, LoadRun]] = {}
        self.base = self.demand.base

    def run(self, wanted: Sequence[tuple[float, int]]) -> None:
        """Run loads that were not run before, in parallel.

        Parameters
        ----------
        wanted : sequence of (float, int)
            Load, as :func:`rounded` gives it, and replication.
        """
        missing = [
            (load, number)
            for load, number in dict.fromkeys(wanted)
            if number not in self._runs.get(load, {})
        ]
        texts = {load: self.demand.text(load / self.base) for load in dict(missing)}
        cases = [self._case(texts[load], number) for load, number in missing]
        for at, run in self._as_done(cases):
            load = missing[at][0]
            self._runs.setdefault(load, {})[run.replication] = run
            self._tell(f"{load:.6g} {UNIT}", run)

    def rise(
        self, reference: float, stairs: Sequence[tuple[int, int]], tail_s: int
    ) -> list[LoadRun]:
        """Run one load that rises, in every replication; see :mod:`sim.study.stress.ramp`.

        Parameters
        ----------
        reference : float
            Load at a multiple of 1.
        stairs : sequence of (int, int)
            Multiples from instants on, the last at the end of the window.
        tail_s : int
            Seconds after it.
        """
        text = self.demand.rising_text(reference / self.base, stairs, tail_s=tail_s)
        edges = tuple(at for at, _ in stairs if at > 0)
        cases = [self._case(text, number, edges) for number in range(self.plan.replications)]
        runs = []
        for _, run in self._as_done(cases):
            runs.append(run)
            self._tell("ramp", run)
        return sorted(runs, key=lambda run: run.replication)

    def with_window(self, window_s: int) -> LoadTest:
        """Return the same test measured for another time, with nothing run yet."""
        plan = replace(self.plan, window_s=window_s)
        return LoadTest(self._loaded, plan, self._pool, notice=self._notice)

    def runs_of(self, replication: int) -> Mapping[float, LoadRun]:
        """Return the runs of a replication by load, ascending."""
        return {
            load: self._runs[load][replication]
            for load in sorted(self._runs)
            if replication in self._runs[load]
        }

    def at(self, load: float) -> LoadPoint:
        """Run every replication of a load and return its point."""
        load = rounded(load)
        self.run([(load, number) for number in range(self.plan.replications)])
        return self._point(load)

    def points(self) -> tuple[LoadPoint, ...]:
        """Return every load run so far, ascending."""
        return tuple(self._point(load) for load in sorted(self._runs))

    def _point(self, load: float) -> LoadPoint:
        runs = self._runs[load]
        return LoadPoint(load, load / self.base, tuple(runs[number] for number in sorted(runs)))

    def _case(self, text: str, number: int, edges_us: tuple[int, ...] = ()) -> Case:
        plan, clock = self.plan, self.demand.clock
        is_soak = plan.profile == "soak"
        if is_soak:
            window_us = clock.window_s * SECOND_US
            edges_us = tuple(
                clock.warm_up_s * SECOND_US + at * window_us // SOAK_INTERVALS
                for at in range(SOAK_INTERVALS + 1)
            )
        watch = LoadWatch(plan.objectives, plan.streams, edges_us, is_soak=is_soak)
        return Case(text, plan.seed, number, watch=watch)

    def _as_done(self, cases: Sequence[Case]) -> Iterator[tuple[int, LoadRun]]:
        """Yield the position of each case and its run, as they are done."""
        for at, done in as_done([(case,) for case in cases], self._pool):
            run = done.outcomes[0].kept
            assert isinstance(run, LoadRun)
            yield at, run

    def _tell(self, what: str, run: LoadRun) -> None:
        verdict = "PASS" if run.is_sustained else "FAIL" if run.is_valid else NO_MEASUREMENT
        why = f": {run.reasons[0]}" if run.reasons and what != "ramp" else ""
        verdict = "done" if what == "ramp" else verdict
        self._notice(f"{what}, run {run.replication + 1}: {verdict}{why}")


def rounded(load: float) -> float:
    """Return a load with as many digits as it is kept and written with."""
    return float(f"{load:.6g}")


def bracket(points: Sequence[tuple[float, bool]]) -> tuple[float | None, float | None]:
    """Return the highest load sustained below the lowest that is not, and that one.

    Parameters
    ----------
    points : sequence of (float, bool)
        Loads, ascending, and whether they are sustained.

    Notes
    -----
    That a higher load is sustained where a lower one is not would be chance; the lowest load that
    is not sustained bounds the capacity.
    """
    failed = next((load for load, is_sustained in points if not is_sustained), None)
    below = [load for load, _ in points if failed is None or load < failed]
    return (below[-1] if below else None), failed

"""Find the highest load a scenario sustains, and what stops it.

Takes a scenario, service-level objectives and which demand scales; gives the capacity with its
bracket, a curve of throughput and time against load, and the bottleneck. Every load is run several
times; a load is sustained when every run of it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.errors import UserError, suggest
from sim.experiment.bottleneck import Bottleneck
from sim.experiment.load_run import WINDOW_MIN_S, LoadItem, LoadRun, run_load
from sim.experiment.pool import Pool
from sim.experiment.slo import Objective
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.units import SECOND_US

PROFILES = ("step", "ramp", "soak")
TOLERANCE = 0.005
"""Width of the bracket around the capacity, relative."""
SOAK_WINDOW_S = 3600
_WARM_UP_MIN_S = 60
_LOADS_MAX = 40
_RAMP_SHARES = (0.25, 0.5, 0.75, 0.9, 1.1)
_USE_TRUSTED = 0.15
"""Utilisation from which on it predicts capacity; below, what little is used may not scale."""

Notice = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StressPlan:
    """Say how a scenario is stressed.

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
        Relative width of the bracket.
    """

    objectives: tuple[Objective, ...]
    streams: tuple[str, ...]
    seed: int
    replications: int = 2
    window_s: int = WINDOW_MIN_S
    profile: str = "step"
    tolerance: float = TOLERANCE


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """Hold every run of one load.

    Attributes
    ----------
    load : float
        Payments per second offered by the scaled demand, as expected.
    factor : float
        Times the scenario's own demand.
    runs : tuple of LoadRun
    """

    load: float
    factor: float
    runs: tuple[LoadRun, ...]

    @property
    def verdict(self) -> str:
        """Return PASS, FAIL, or INVALID where a run was no measurement."""
        if any(run.faults for run in self.runs):
            return "INVALID"
        return "PASS" if all(run.is_sustained for run in self.runs) else "FAIL"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why it does not pass, each reason once."""
        return tuple(dict.fromkeys(r for run in self.runs for r in (*run.faults, *run.misses)))

    @property
    def bottleneck(self) -> Bottleneck | None:
        """Return the bottleneck of the run with the highest utilisation."""
        found = [run.bottleneck for run in self.runs if run.bottleneck is not None]
        return max(found, key=lambda one: one.utilisation or 0.0, default=None)

    def mean(self, name: str) -> float | None:
        """Return a headline measure as mean over runs, None if one of them has none."""
        values = [run.summary.measures[name].value for run in self.runs]
        known = [float(value) for value in values if value is not None]
        return sum(known) / len(known) if len(known) == len(values) else None


@dataclass(frozen=True, slots=True)
class Stress:
    """Hold what a stress test found.

    Attributes
    ----------
    points : tuple of LoadPoint
        Ascending in load.
    passed, failed : LoadPoint or None
        Highest load sustained below any that is not, and the lowest that is not.
    """

    plan: StressPlan
    points: tuple[LoadPoint, ...]
    passed: LoadPoint | None
    failed: LoadPoint | None

    @property
    def verdict(self) -> str:
        """Return PASS if some load is sustained."""
        return "PASS" if self.passed is not None else "FAIL"

    @property
    def bottleneck(self) -> Bottleneck | None:
        """Return what stops the lowest load that is not sustained."""
        point = self.failed or self.passed
        return None if point is None else point.bottleneck

    def participants(self) -> dict[str, float]:
        """Return payments per second completed through each institution at capacity."""
        if self.passed is None:
            return {}
        summary = self.passed.runs[0].summary
        return {
            name: float(measures["completed_rate_mean"])
            for name, measures in summary.by["agent"].items()
            if measures["completed_rate_mean"].value is not None
        }


class LoadTest:
    """Run loads of one scenario.

    Parameters
    ----------
    loaded : LoadedScenario
        Unscaled.
    plan : StressPlan
    pool : Pool
        Where runs are done.
    notice : callable, optional
        Hears a sentence per load.
    """

    def __init__(
        self,
        loaded: LoadedScenario,
        plan: StressPlan,
        pool: Pool,
        *,
        notice: Notice | None = None,
    ) -> None:
        self._document, self._plan, self._pool = loaded.document, plan, pool
        self._loaded, self._notice = loaded, notice or (lambda sentence: None)
        self._text = dump_resolved(loaded.document)
        self._points: dict[float, LoadPoint] = {}
        self.base = base_load(loaded, plan)

    def at(self, load: float) -> LoadPoint:
        """Run a load, or return it if it was run before."""
        load = float(f"{load:.6g}")
        if load not in self._points:
            factor = load / self.base
            text = scaled_text(self._text, self._loaded, self._plan, factor)
            items = [
                LoadItem(text, self._plan.seed, number, self._plan.objectives)
                for number in range(self._plan.replications)
            ]
            runs = sorted(
                (run for _, run in self._pool.run(run_load, items)),
                key=lambda run: run.replication,
            )
            point = LoadPoint(load, factor, tuple(runs))
            self._points[load] = point
            why = f": {point.reasons[0]}" if point.reasons else ""
            self._notice(f"{load:.6g} payments/s: {point.verdict}{why}")
        return self._points[load]

    def points(self) -> tuple[LoadPoint, ...]:
        """Return every load run so far, ascending."""
        return tuple(self._points[load] for load in sorted(self._points))


def find_capacity(test: LoadTest, plan: StressPlan) -> Stress:
    """Bracket the highest load that is sustained.

    Parameters
    ----------
    test : LoadTest
        Runs the loads.
    plan : StressPlan

    Raises
    ------
    UserError
        If a run is no measurement, so that nothing can be concluded.

    Notes
    -----
    The search starts at the scenario's own load, jumps to where the bottleneck's utilisation says
    capacity lies, and halves the bracket until it is as narrow as the tolerance. That a higher load
    is sustained where a lower one is not would be chance; the lowest load that is not sustained
    bounds the capacity.
    """
    load = test.base
    for _ in range(_LOADS_MAX):
        _refuse_invalid(test.at(load))
        passed, failed = bracket(test.points())
        if passed and failed and failed.load - passed.load <= plan.tolerance * failed.load:
            break
        load = next_load(passed, failed)
    passed, failed = bracket(test.points())
    if plan.profile == "ramp" and passed is not None:
        for share in _RAMP_SHARES:
            test.at(share * passed.load)
    return Stress(plan, test.points(), passed, failed)


def bracket(points: Sequence[LoadPoint]) -> tuple[LoadPoint | None, LoadPoint | None]:
    """Return the highest load sustained below the lowest that is not, and that one."""
    failed = next((point for point in points if point.verdict != "PASS"), None)
    below = [point for point in points if failed is None or point.load < failed.load]
    return (below[-1] if below else None), failed


def next_load(passed: LoadPoint | None, failed: LoadPoint | None) -> float:
    """Return the load to try next."""
    if passed is not None and failed is not None:
        guess = _predicted(passed)
        # A prediction inside the bracket, a hair below capacity, narrows it most.
        if guess is not None and passed.load * 1.001 < guess * 0.998 < failed.load * 0.999:
            return guess * 0.998
        return (passed.load + failed.load) / 2
    if passed is not None:
        guess = _predicted(passed)
        if guess is None:
            return 2 * passed.load
        return guess * 0.998 if guess * 0.998 > 1.001 * passed.load else 1.004 * passed.load
    assert failed is not None
    done = failed.mean("completed_rate_mean")
    offered = failed.mean("offered_rate_mean")
    if done and offered and done < 0.98 * offered:
        return failed.load * done / offered * 0.99
    return failed.load / 2


def _predicted(point: LoadPoint) -> float | None:
    """Return where the bottleneck would be full, if its utilisation grows as the load does."""
    bottleneck = point.bottleneck
    if bottleneck is None or bottleneck.utilisation is None:
        return None
    return point.load / bottleneck.utilisation if bottleneck.utilisation > _USE_TRUSTED else None


def _refuse_invalid(point: LoadPoint) -> None:
    if point.verdict == "INVALID":
        raise UserError(
            f"stress: the run at {point.load:.6g} payments/s is no measurement: "
            f"{'; '.join(point.reasons)}. Lengthen --window or raise the load"
        )


def choose_streams(loaded: LoadedScenario, named: Sequence[str]) -> tuple[str, ...]:
    """Return the demand that scales: the streams named, or all that have a rate.

    Raises
    ------
    UserError
        If a stream is unknown or has no rate.
    """
    demand = loaded.scenario.demand
    for name in named:
        if name not in demand:
            raise UserError(
                f"--stream: unknown stream {name!r}; known: {', '.join(demand)}."
                f"{suggest(name, demand)}"
            )
        if demand[name].rate is None:
            raise UserError(f"--stream: {name} is a written list; allowed: a stream with a rate")
    chosen = tuple(named) or tuple(name for name in demand if demand[name].rate is not None)
    if not chosen:
        raise UserError("stress: found no demand with a rate; nothing could be scaled")
    return chosen


def base_load(loaded: LoadedScenario, plan: StressPlan) -> float:
    """Return payments per second the scaled demand offers on average in the window, unscaled."""
    import numpy as np

    from sim.compiler.arrivals import HAZARD_UNIT
    from sim.experiment.work import compile_replication

    text = scaled_text(dump_resolved(loaded.document), loaded, plan, 1.0)
    compiled = compile_replication(text, plan.seed, 0)
    total = 0.0
    for demand in compiled.demands:
        if demand.name in plan.streams:
            ends = [compiled.plan.warm_up_us, compiled.plan.horizon_us]
            spread = np.interp(ends, demand.hazard_time_us, demand.hazard)
            total += float(spread[1] - spread[0]) / HAZARD_UNIT
    window_s = (compiled.plan.horizon_us - compiled.plan.warm_up_us) / SECOND_US
    return total / window_s


def scaled_text(text: str, loaded: LoadedScenario, plan: StressPlan, factor: float) -> str:
    """Return the scenario with its demand scaled and its clock as long as the window."""
    import tempfile

    demand = loaded.scenario.demand
    warm_up_s = max(_WARM_UP_MIN_S, loaded.scenario.clock.warm_up // SECOND_US)
    changes = [f"clock.warm_up={warm_up_s} s", f"clock.horizon={warm_up_s + plan.window_s} s"]
    for name in plan.streams:
        rate = demand[name].rate
        assert rate is not None
        changes.append(f"demand.{name}.rate={rate.per_second * factor:.6f} /s")
    with tempfile.TemporaryDirectory(prefix="payroute-") as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(text, encoding="utf-8")
        return dump_resolved(load_scenario(path, changes).document)

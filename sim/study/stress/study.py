"""Find the highest load a scenario sustains, and what stops it.

Takes a scenario, service-level objectives and which demand scales; gives the capacity with its
interval, a curve of throughput and time against load, the bottleneck and what each institution
carries. Every load is run several times; a load is sustained when every run of it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sim.study.shown import StressFigures, notebook_html, plots, write_report
from sim.study.stress.bottleneck import Bottleneck, largest_cause
from sim.study.stress.fullest import find_fullest
from sim.study.stress.participants import Participant, mean_participants
from sim.study.stress.points import UNIT, LoadPoint, LoadTest, StressPlan
from sim.study.stress.ramp import Ramp, run_ramp
from sim.study.stress.search import Bracket, Capacity, find_capacity


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known of the capacity, in payments per second; None what is not."""

    JSON_KEYS: ClassVar = "value low high unit"
    unit: ClassVar[str] = UNIT

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Stress:
    """What a stress test found.

    Attributes
    ----------
    plan : StressPlan
    base : float
        The scenario's own load.
    points : tuple of LoadPoint
        Ascending in load.
    is_search : bool
        Whether the limit was looked for; else one load was tested.
    capacity : Capacity or None
        Where it was looked for and found.
    ramp : Ramp or None
        Where the load rose.
    """

    JSON_KEYS: ClassVar = (
        "verdict is_valid reasons capacity=bounds bottleneck points sustained=sustained.load "
        "own_load=base brackets participants nearest_to_full=fullest.name ramp "
        "profile=plan.profile objectives=plan.objectives_text streams=plan.streams "
        "window_s=plan.window_s replications=plan.replications "
        "replications_combined=capacity.combined_count tolerance=plan.tolerance"
    )

    plan: StressPlan
    base: float
    points: tuple[LoadPoint, ...]
    is_search: bool
    capacity: Capacity | None = None
    ramp: Ramp | None = None

    def __repr__(self) -> str:
        """Return a line for people: the verdict, and the capacity where it was found."""
        found = self.bounds
        known = "" if found.value is None else f", capacity {found.value:.6g} {found.unit}"
        return (
            f"<Stress test of {self.plan.wanted}: {self.verdict}{known}, {len(self.points)} loads>"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return notebook_html(self)

    @property
    def plot(self) -> StressFigures:
        """Return what draws its figures."""
        drawn: StressFigures = plots(self)
        return drawn

    def report(self, path: Path | str) -> Path:
        """Write a page that works offline; see :func:`~sim.study.shown.write_report`."""
        return write_report(self, path)

    @property
    def verdict(self) -> str:
        """Return PASS if the load asked for, or with a search any load, is sustained."""
        if self.is_search:
            return "PASS" if self.capacity is not None else "FAIL"
        if self.ramp is not None:
            return "FAIL" if self.ramp.reasons else "PASS"
        return self.points[0].verdict

    @property
    def is_valid(self) -> bool:
        """Say whether what the verdict rests on was a measurement."""
        if self.is_search:
            return True
        if self.ramp is not None:
            return self.ramp.is_judged
        return self.points[0].is_valid

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why the verdict is FAIL, of points in the words of one run."""
        if self.verdict == "PASS":
            return ()
        if self.ramp is not None and not self.is_search:
            return self.ramp.reasons
        limiting = self.limiting
        return () if limiting is None else limiting.example

    @property
    def bounds(self) -> Bounds:
        """Return the capacity; without a search what the load tested bounds it by, and no value."""
        own, sustained, limiting = self.capacity, self.sustained, self.limiting
        if own is not None:
            return Bounds(own.value, own.low, own.high)
        low = None if sustained is None else sustained.load
        return Bounds(None, low, limiting.load if limiting and limiting.is_valid else None)

    @property
    def brackets(self) -> tuple[Bracket, ...]:
        """Return the bracket of every replication; none where the limit was not found."""
        return () if self.capacity is None else self.capacity.brackets

    @property
    def complete(self) -> tuple[LoadPoint, ...]:
        """Return the points run in every replication; the search passes others by in some."""
        return tuple(one for one in self.points if len(one.runs) == self.plan.replications)

    @property
    def sustained(self) -> LoadPoint | None:
        """Return the highest load every replication was run at and sustained, below any failure."""
        found = None
        for point in self.complete:
            if point.verdict == "PASS":
                found = point
            elif point.is_valid:
                break
        return found

    @property
    def limiting(self) -> LoadPoint | None:
        """Return the lowest load, run in every replication, that not all of them sustain."""
        failed = [point for point in self.complete if point.verdict == "FAIL"]
        valid = [point for point in failed if point.is_valid]
        # What half of the runs miss says more of the limit than what one of them does.
        most = [point for point in valid if 2 * point.sustained_count <= len(point.runs)]
        return next(iter((*most, *valid, *failed)), None)

    @property
    def bottleneck(self) -> Bottleneck | None:
        """Return what stops the lowest load that is not sustained, or is busiest where none is."""
        if self.points:
            point = self.limiting or self.points[-1]
            return point.bottleneck
        if self.ramp is not None:
            return LoadPoint(self.ramp.reference, 1.0, self.ramp.runs).bottleneck
        return None

    @property
    def time_spent(self) -> str:
        """Return where the payments of the limiting load spend their time, in words."""
        point = self.limiting
        return "" if point is None else largest_cause(point.runs[0].summary)

    def participants(self) -> tuple[Participant, ...]:
        """Return what each institution carries at the highest load sustained, fullest first.

        Where one load was tested it is that load, whatever its verdict, as long as it was measured.
        """
        return mean_participants(self._carried())

    def fullest(self) -> tuple[Participant, ...]:
        """Return the institutions that cannot be told from the one nearest to being full."""
        return find_fullest(self._carried(), self.plan.window_s)

    def _carried(self) -> list[tuple[Participant, ...]]:
        point = self.sustained
        if point is None and not self.is_search and self.points:
            point = self.points[0] if self.points[0].is_valid else None
        return [run.participants for run in point.runs] if point else []


def run_stress(test: LoadTest, load: float | None = None) -> Stress:
    """Stress a scenario as its plan says.

    Parameters
    ----------
    test : LoadTest
    load : float, optional
        Test this load only; by default the limit is looked for, except in a soak, which holds the
        scenario's own load.

    Raises
    ------
    UserError
        If no run is a measurement.

    Notes
    -----
    ``step``: stairs; separate runs, each load held for the window. ``ramp``: one continuous run in
    which the load rises, up to and beyond the load given or the capacity found. ``soak``: a load
    held long; it also fails where times drift.
    """
    plan = test.plan
    if load is None and plan.profile == "soak":
        load = test.base
    if load is None:
        capacity = find_capacity(test)
        ramp = None
        # Where there is no limit, a ramp beyond it would be long and show nothing.
        if plan.profile == "ramp" and (capacity is None or capacity.high is not None):
            ramp = run_ramp(test, test.base if capacity is None else capacity.value)
        return Stress(plan, test.base, test.points(), True, capacity, ramp)
    if plan.profile == "ramp":
        return Stress(plan, test.base, (), False, ramp=run_ramp(test, load))
    return Stress(plan, test.base, (test.at(load),), False)

"""Hold the measures of a run and write them in the shape of ``summary.json``.

Takes named figures; gives a :class:`Summary`, the same for the command line, the tables and Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sim.units import Currency, minor_unit, read_minor_unit

if TYPE_CHECKING:
    from sim.analysis.censoring import Survival
    from sim.analysis.warm_up import Presence

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_MEASURES_TOLD = 8
"""Measures of a summary that are told where it is shown in a line."""

OF_PAYMENTS = ("scope", "corridor", "route", "rail", "agent", "reason")
GROUPS = (*OF_PAYMENTS, "age", "station", "account", "system", "provider", "window")
"""Ages are those of breaks; providers are there only where one has a bounded position. A name of
the last is a window, or a window, a group of payments and a name of it."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure.

    Attributes
    ----------
    value : float or int or None
        None where there is nothing to measure (a share of no payments).
    unit : str
        Its unit.
    low, high : float or None
        95 % confidence interval over replications, None with one.
    width : float
        Of the cell the value lies in the middle of, where it was counted in cells; 0 of what is
        known exactly. The interval has it in it.
    """

    value: float | int | None
    unit: str
    low: float | None = None
    high: float | None = None
    width: float = 0.0

    def __float__(self) -> float:
        """Return the value; not a number where there is none."""
        return float("nan") if self.value is None else float(self.value)

    def as_json(self) -> dict[str, Json]:
        """Return the shape of ``summary.json``; the width where there is one."""
        told = {"value": self.value, "unit": self.unit, "low": self.low, "high": self.high}
        return {**told, "width": self.width} if self.width else {**told}


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and the published target it is held against.

    Attributes
    ----------
    value : float or None
        What was measured.
    target : float
        What is asked for.
    unit : str
        Unit of both.
    is_met : bool or None
        None where there is nothing to measure.
    """

    value: float | None
    target: float
    unit: str
    is_met: bool | None

    def as_json(self) -> dict[str, Json]:
        """Return the shape of ``summary.json``."""
        return {
            "value": self.value,
            "target": self.target,
            "unit": self.unit,
            "met": self.is_met,
        }


Measures = Mapping[str, Measure]


def mean_width(known: Sequence[Measure]) -> float:
    """Return how wide the cell is that the mean of some values lies in the middle of."""
    return sum(measure.width for measure in known) / len(known)


@dataclass(frozen=True, slots=True)
class Summary:
    """All measures of a run.

    Attributes
    ----------
    scenario : str
        Its name.
    seed, replications : int
        As run.
    engine : str
        ``compiled`` or ``reference``.
    covers : str
        Which payments ``measures`` cover: ``cross_border``, or ``all`` in a plan without any.
    measures : mapping of str to Measure
        The headline.
    by : mapping
        Group, then name, then measures; the groups are :data:`GROUPS`.
    crossing : tuple of str
        Corridors of which payments cross a border.
    g20 : mapping of str to Target
        The G20 roadmap's indicators against its targets.
    presence : Presence or None
        How many payments were in the system over time; says whether the warm-up was long enough.
    survival : Survival or None
        How long the covered payments took, those still open included; of one replication.
    """

    scenario: str
    seed: int
    engine: str
    replications: int
    covers: str
    measures: Measures
    by: Mapping[str, Mapping[str, Measures]]
    crossing: tuple[str, ...] = ()
    g20: Mapping[str, Target] = field(default_factory=dict)
    presence: Presence | None = None
    survival: Survival | None = None

    def __repr__(self) -> str:
        """Return a line for people: a notebook shows it, and all measures would be a book."""
        runs = f"{self.replications} replication{'s' if self.replications > 1 else ''}"
        shown = (
            f"{name} {one.value:.4g} {one.unit}"
            for name, one in list(self.measures.items())[:_MEASURES_TOLD]
            if one.value is not None
        )
        head = f"Summary of {self.scenario}, seed {self.seed}, {runs}"
        return f"<{head}: {', '.join(shown)}, ...>"

    def __getitem__(self, name: str) -> Measure:
        """Return a headline measure."""
        return self.measures[name]

    def _currencies(self) -> dict[str, Json]:
        """Return the decimal places of every currency whose minor units are a unit here."""
        groups = [self.measures, *(held for names in self.by.values() for held in names.values())]
        units = {measure.unit for held in groups for measure in held.values()}
        known = sorted(found for unit in units if (found := read_minor_unit(unit)) is not None)
        return {code: {"exponent": exponent} for code, exponent in known}

    def as_json(self) -> dict[str, Json]:
        """Return the shape of ``summary.json``."""
        warm_up = None if self.presence is None else self.presence.judge()
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "engine": self.engine,
            "replications": self.replications,
            "covers": self.covers,
            "measures": _flat(self.measures),
            "by": {
                group: {name: _flat(measures) for name, measures in names.items()}
                for group, names in self.by.items()
            },
            "currencies": self._currencies(),
            "g20": {name: target.as_json() for name, target in self.g20.items()},
            "warm_up": None if warm_up is None else dict(warm_up.as_json()),
        }


def with_places(summary: Summary, declared: Sequence[Currency]) -> Summary:
    """Return a summary whose amounts in declared currencies say their decimal places.

    Parameters
    ----------
    summary : Summary
    declared : sequence of Currency
        Those of the plan; see :func:`~sim.units.minor_unit`.
    """
    units = {minor_unit(one.code, ()): minor_unit(one.code, declared) for one in declared}

    def told(measures: Measures) -> Measures:
        return {
            name: replace(one, unit=units.get(one.unit, one.unit)) for name, one in measures.items()
        }

    return replace(
        summary,
        measures=told(summary.measures),
        by={
            group: {name: told(held) for name, held in names.items()}
            for group, names in summary.by.items()
        },
    )


def _flat(measures: Measures) -> dict[str, Json]:
    return {name: measure.as_json() for name, measure in measures.items()}


def summary_of(content: Mapping[str, Json]) -> Summary:
    """Return the summary that was written as ``summary.json``.

    Parameters
    ----------
    content : mapping
        What :meth:`Summary.as_json` gave; the course of a run over time is not in it.
    """
    by = _mapping(content["by"])
    targets = {name: _mapping(one) for name, one in _mapping(content.get("g20")).items()}
    return Summary(
        scenario=str(content["scenario"]),
        seed=int(str(content["seed"])),
        engine=str(content["engine"]),
        replications=int(str(content["replications"])),
        covers=str(content["covers"]),
        measures=_measures(content["measures"]),
        by={
            group: {name: _measures(held) for name, held in _mapping(names).items()}
            for group, names in by.items()
        },
        g20={
            name: Target(
                _number(one["value"]),
                float(str(one["target"])),
                str(one["unit"]),
                None if one["met"] is None else bool(one["met"]),
            )
            for name, one in targets.items()
        },
    )


def _measures(content: Json) -> dict[str, Measure]:
    return {name: _measure(_mapping(one)) for name, one in _mapping(content).items()}


def _measure(one: Mapping[str, Json]) -> Measure:
    value, low, high = (_number(one[name]) for name in ("value", "low", "high"))
    return Measure(value, str(one["unit"]), low, high, float(_number(one.get("width")) or 0.0))


def _mapping(content: Json) -> dict[str, Json]:
    return content if isinstance(content, dict) else {}


def _number(content: Json) -> float | int | None:
    return content if isinstance(content, int | float) else None

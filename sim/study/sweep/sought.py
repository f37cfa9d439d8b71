"""Look for a value at every point of a sweep, such as the least prefunding with which it holds.

Takes what an experiment looks for and the scenario of a point; gives the value with its interval,
the runs at the value that holds in all of them, and the columns these stand in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sim.errors import OptionError
from sim.model.base import FieldPath
from sim.study.case import Outcome
from sim.study.experiment_file import Find, LoadedExperiment
from sim.study.pool import Pool
from sim.study.stress.varied import Varied, VaryPlan, plan_search
from sim.study.stress.vary import ValueTest, find_value
from sim.tables.tabular import Cell

if TYPE_CHECKING:
    from sim.scenario.scenario import LoadedScenario

_PARTS = ("", "_low", "_high", "_in_all", "_unit", "_why")
"""What stands behind the field's name in the columns of what was found."""
_AT: FieldPath = ("sweep", "find")
_FIELDS = {"vary": "field"}
"""What a door of its own calls an option, as the experiment calls it."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The search of one point.

    Attributes
    ----------
    loaded : LoadedScenario
        The point's scenario.
    plan : VaryPlan
        What is looked for, from the point's own value on.
    """

    loaded: LoadedScenario
    plan: VaryPlan


def plan_sought(loaded: LoadedScenario, find: Find, *, seed: int, replications: int) -> Sought:
    """Return the search of one point.

    Parameters
    ----------
    loaded : LoadedScenario
    find : Find
    seed, replications : int

    Raises
    ------
    OptionError
        If the scenario writes no number in the field, or the objectives cannot be read.
    """
    wanted, settings = (find.field, find.end, find.step), (seed, replications)
    return Sought(loaded, plan_search(loaded, wanted, find.slo, (*settings, float(find.tolerance))))


def sought_problems(loaded: LoadedExperiment, base: LoadedScenario) -> list[tuple[FieldPath, str]]:
    """Say what is wrong with a search at every point, each at its line of the experiment.

    Parameters
    ----------
    loaded : LoadedExperiment
        With a sweep.
    base : LoadedScenario
        Its scenario, before any point changes it.
    """
    sweep = loaded.experiment.sweep
    assert sweep is not None
    find = sweep.find
    if find is None:
        return []
    varied = {field for name, factor in sweep.factors.items() for field in (name, *factor.also)}
    if find.field in varied:
        return [((*_AT, "field"), f"found {find.field!r}, which is a factor; allowed: another")]
    try:
        plan_sought(base, find, seed=0, replications=1)
    except OptionError as error:
        return [((*_AT, _FIELDS.get(error.field, error.field)), error.message)]
    return []


def search(
    sought: Sought, pool: Pool, software: tuple[tuple[str, str | None], ...]
) -> tuple[dict[str, object], tuple[Outcome, ...]]:
    """Search at one point.

    Parameters
    ----------
    sought : Sought
    pool : Pool
    software : tuple of (str, str or None)
        What the processes that run it must have.

    Returns
    -------
    dict
        What the point's file says of it.
    tuple of Outcome
        Every replication at the value that holds in all; none where there is no such value.
    """
    test = ValueTest(sought.loaded, sought.plan, pool, software=software)
    found = find_value(test)
    outcomes: tuple[Outcome, ...] = ()
    if found.holds_in_all is not None:
        outcomes = test.outcomes(sought.plan.field.rounded(Decimal(repr(found.holds_in_all))))
    return _told(found), outcomes


def sought_columns(find: Find | None) -> tuple[str, ...]:
    """Return the columns of what is looked for; none where nothing is."""
    return () if find is None else tuple(f"{find.field}{part}" for part in _PARTS)


def sought_cells(find: Find | None, content: Mapping[str, object]) -> tuple[Cell, ...]:
    """Return what stands in the columns of a point.

    Parameters
    ----------
    find : Find or None
    content : mapping
        The point's file.
    """
    if find is None:
        return ()
    told = content.get("found")
    found = told if isinstance(told, dict) else {}
    return tuple(found.get(name) for name in ("value", "low", "high", "in_all", "unit", "why"))


def sought_field(columns: Sequence[str]) -> str | None:
    """Return the field a table says was looked for; None where none was."""
    return next(
        (name for name in columns if all(f"{name}{part}" in columns for part in _PARTS)),
        None,
    )


def _told(found: Varied) -> dict[str, object]:
    why = "; ".join(found.reasons)
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "in_all": found.holds_in_all,
        "unit": found.plan.field.unit or None,
        "why": why or None,
    }

"""Refuse a sweep that cannot be what its author meant, before anything runs.

Takes an experiment with a sweep and its scenario; gives every problem at the experiment's line:
factors that name no field, a seed that is both fixed and varied, measures no run has. Also finds
out how many digits the field of a range takes, so that points are written as the loader reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from sim.errors import Problem, ScenarioError, UserError, suggest
from sim.model.base import FieldPath, Model
from sim.scenario.scenario import refuse_problems
from sim.study.experiment_file import Factor, LoadedExperiment, Sweep
from sim.study.measure_key import complaint
from sim.study.sweep.points import place, write_number
from sim.study.sweep.sought import sought_problems

if TYPE_CHECKING:
    from sim.scenario.scenario import LoadedScenario

SEED = "seed"
_FINEST = 18
"""Most digits after the point that are tried; no field of a scenario takes as many."""


def check_sweep(
    loaded: LoadedExperiment,
    base: LoadedScenario,
    overrides: tuple[str, ...] = (),
    *,
    seed: int | None = None,
) -> None:
    """Refuse what is wrong with every point.

    Parameters
    ----------
    loaded : LoadedExperiment
        With a sweep.
    base : LoadedScenario
        Its scenario, changed by the overrides.
    overrides : tuple of str
        Changes of the command line.
    seed : int, optional
        Of the command line.

    Raises
    ------
    ScenarioError
        With every problem, each at the experiment's line.
    UserError
        If the command line says two things about the seed.
    """
    sweep = loaded.experiment.sweep
    assert sweep is not None
    fixed = loaded.experiment.seed if seed is None else seed
    if fixed is not None and any(text.partition("=")[0].strip() == SEED for text in overrides):
        raise UserError(
            f"--set seed: the seed is fixed at {fixed} for every point; allowed: --seed N alone"
        )
    problems: list[tuple[FieldPath, str]] = []
    if fixed is not None and SEED in loaded.experiment.changes:
        problems.append((("set", SEED), f"found a seed, but it is fixed at {fixed}; allowed: one"))
    for name, factor in sweep.factors.items():
        for field in (name, *factor.also):
            at: FieldPath = ("sweep", "factors", name)
            if field == SEED and fixed is not None:
                problems.append(
                    (at, f"found the seed as a factor, but it is fixed at {fixed}; allowed: one")
                )
            changes = (*overrides, f"{field}={place(factor, 0.0)}")
            message = _unknown(loaded, field, changes, base)
            if message:
                problems.append((at, message if field == name else f"{field}: {message}"))
    problems += sought_problems(loaded, base)
    for number, key in enumerate(loaded.experiment.measures):
        wrong = complaint(key)
        if wrong:
            problems.append((("measures", number), wrong))
    refuse_problems(loaded.document, problems)


def _unknown(
    loaded: LoadedExperiment, field: str, changes: tuple[str, ...], base: LoadedScenario
) -> str:
    """Say that a field is none of the scenario's; nothing where it is, or where that is unknown."""
    try:
        loaded.scenario(loaded.experiment.scenario, {}, changes)
    except ScenarioError as error:
        for problem in error.problems:
            if _is_of(problem, field) and problem.message.startswith("unknown field"):
                return problem.message
    except UserError as error:
        return str(error)
    node: object = base.scenario
    for step in field.split("."):
        if isinstance(node, Model):
            node = getattr(node, _attribute(node, step), None)
        elif isinstance(node, Mapping):
            if step not in node:
                names = [str(name) for name in node]
                known = ", ".join(names) or "none"
                return f"unknown name {step!r}; known: {known}.{suggest(step, names)}"
            node = node[step]
        else:
            # Quantities and lists say themselves what they refuse.
            return ""
    return ""


def _attribute(model: Model, step: str) -> str:
    """Return the name in the program of a field of the file."""
    for name, described in type(model).model_fields.items():
        if step == (described.alias or name):
            return name
    return step


def _is_of(problem: Problem, field: str) -> bool:
    return not problem.file and (field == problem.path or field.startswith(f"{problem.path}."))


def find_decimals(
    loaded: LoadedExperiment, sweep: Sweep, overrides: tuple[str, ...] = ()
) -> dict[str, int]:
    """Return how many digits after the point the field of each range takes.

    Parameters
    ----------
    loaded : LoadedExperiment
    sweep : Sweep
    overrides : tuple of str
        Changes of the command line.

    Notes
    -----
    A duration takes whole microseconds, a fee whole millionths; what a field takes the loader alone
    knows, so it is asked. Factors for which it takes any number, or none, are left out.
    """
    found = {}
    for name, factor in sweep.factors.items():
        if factor.values is not None or factor.whole:
            continue
        low, high = _coarsest(factor), _FINEST
        if not _takes(loaded, name, factor, overrides, low) or _takes(
            loaded, name, factor, overrides, high
        ):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if _takes(loaded, name, factor, overrides, middle):
                low = middle
            else:
                high = middle
        found[name] = low
    return found


def _takes(
    loaded: LoadedExperiment, name: str, factor: Factor, overrides: tuple[str, ...], digits: int
) -> bool:
    """Say whether a scenario loads with a number of so many digits after the point."""
    assert factor.low is not None
    assert factor.high is not None
    finest = Decimal(1).scaleb(-digits)
    number = ((factor.low + factor.high) / 2).quantize(finest)
    if number % (10 * finest) == 0:
        number += finest
    text = write_number(number, factor)
    changes = tuple(f"{field}={text}" for field in (name, *factor.also))
    try:
        loaded.scenario(loaded.experiment.scenario, {}, (*overrides, *changes))
    except UserError:
        return False
    return True


def _coarsest(factor: Factor) -> int:
    """Return the fewest digits after the point with which the middle of a range stays inside."""
    assert factor.low is not None
    assert factor.high is not None
    return max(0, -((factor.high - factor.low) / 4).adjusted())

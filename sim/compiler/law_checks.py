"""Whether every distribution of a scenario can be laid out as a table, before anything runs.

Takes a scenario; gives (path, message) pairs. A family may allow a tail that no table of whole
microseconds or minor units can hold; without this check the run would find out, not the reader.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from sim.model.base import FieldPath
from sim.model.distributions import AmountDistribution, DurationDistribution

Distribution = DurationDistribution | AmountDistribution

# What is written nearly always lies well within what a table holds, and building one imports the
# mathematics. So a family with moderate parameters is let pass; its corners are built in a test.
MODERATE: dict[str, dict[str, tuple[float, float]]] = {
    "exponential": {},
    "erlang": {"shape": (1, 100)},
    "gamma": {"shape": (0.5, 100)},
    "lognormal": {"sigma": (0, 2)},
    "triangular": {},
    "uniform": {},
    "weibull": {"shape": (0.5, 10)},
}
"""Bounds of plain parameters within which a family can surely be laid out."""
SCALE = (1_000, 1_000_000_000)
"""Bounds of durations and amounts there; 0 is let pass, too."""


def law_problems(model: BaseModel, path: FieldPath = ()) -> Iterator[tuple[FieldPath, str]]:
    """Yield every distribution below a model that no table can hold."""
    for name, field in type(model).model_fields.items():
        yield from _below(getattr(model, name), (*path, field.alias or name))


def _below(value: object, path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    if isinstance(value, Distribution):
        try:
            _build(value)
        except ValueError as problem:
            yield path, f"found '{value}'; {problem}"
    elif isinstance(value, BaseModel):
        yield from law_problems(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _below(item, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for position, item in enumerate(value):
            yield from _below(item, (*path, position))


def _build(value: Distribution) -> None:
    """Build the table; equal ones are built once and kept, so the linker finds them made."""
    if value.family == "constant" or is_moderate(value):
        return
    from sim.draws.quantile import build_empirical, build_table

    if value.points:
        build_empirical([(number, share / 10**9) for number, share in value.points])
    else:
        build_table(value.family, value.parameters())


def is_moderate(value: Distribution) -> bool:
    """Tell whether a distribution can surely be laid out, without building it."""
    bounds = MODERATE.get(value.family)
    if value.points or bounds is None:
        return False
    return all(
        low <= given <= high or (given == 0 and name not in bounds)
        for name, given in value.parameters().items()
        for low, high in [bounds.get(name, SCALE)]
    )

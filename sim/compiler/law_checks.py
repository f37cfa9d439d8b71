"""Whether every distribution of a scenario can be laid out as a table, before anything runs.

Takes a scenario; gives (path, message) pairs. A family may allow a tail that no table of whole
microseconds or minor units can hold; without this check the run would find out, not the reader.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from sim.draws.quantile import build_empirical, build_table
from sim.model.base import FieldPath
from sim.model.distributions import AmountDistribution, DurationDistribution

Distribution = DurationDistribution | AmountDistribution


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
    if value.points:
        build_empirical([(number, share / 10**9) for number, share in value.points])
    elif value.family != "constant":
        build_table(value.family, value.parameters())

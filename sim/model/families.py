"""How a scenario gives the parameters of a distribution: text into exact numbers.

Takes the families of :mod:`sim.draws.laws`; gives readers of their parameters, what is wrong with
them, their usage and their JSON schema. Which families there are, and what they mean, is said
there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sim.draws import laws
from sim.draws.laws import Parameter
from sim.model.number_text import refuse
from sim.model.quantities import PPB, parse_decimal, parse_positive_count, parse_share_ppb

Exact = Mapping[str, int | Decimal]

_SIGMA_MAX = 5
_SHAPE_MIN, _SHAPE_MAX = Decimal("0.1"), 1000

EMPIRICAL = "empirical"
"""A distribution of points, which are a list and read apart."""

FAMILIES: dict[str, type[laws.Family]] = {
    name: family for name, family in laws.FAMILIES.items() if family.is_written
}
"""Every family with parameters a scenario may name."""

NAMES = (*FAMILIES, EMPIRICAL)
"""Every family a scenario may name."""


def read_parameter(
    parameter: Parameter, found: object, parse_value: Callable[[object], int]
) -> int | Decimal:
    """Read the parameter, or raise ``ValueError`` with the whole message."""
    if parameter.kind in ("value", "positive"):
        value = parse_value(found)
        if parameter.kind == "positive" and value == 0:
            refuse(found, "above 0")
        return value
    if parameter.kind == "stages":
        count = parse_positive_count(found)
        return count if count <= _SHAPE_MAX else refuse(found, f"1 to {_SHAPE_MAX}")
    if parameter.kind == "share":
        share = parse_share_ppb(found)
        allowed = "a share above 0 and below 100 % such as '30 %'"
        return Decimal(share) / PPB if 0 < share < PPB else refuse(found, allowed)
    number = parse_decimal(found)
    if parameter.kind == "tail" and number <= 2:
        refuse(found, "above 2 (at 2 and below the variance is infinite)")
    if parameter.kind == "sigma" and number > _SIGMA_MAX:
        refuse(found, f"a number above 0, at most {_SIGMA_MAX}")
    if parameter.kind == "shape" and not _SHAPE_MIN <= number <= _SHAPE_MAX:
        refuse(found, f"a number from {_SHAPE_MIN} to {_SHAPE_MAX}")
    return number


def find_parameter(family: type[laws.Family], name: str) -> Parameter | None:
    """Return a parameter by name."""
    return next((item for item in family.parameters if item.name == name), None)


def usage(family: type[laws.Family]) -> str:
    """Say what the family needs, as in ``lognormal: {median|mean, sigma}``."""
    names = [item.name for item in family.parameters if item.name not in family.either]
    first = ["|".join(family.either)] if family.either else []
    return f"{family.name}: {{{', '.join(first + names)}}}"


def check_parameters(family: type[laws.Family], exact: Exact) -> list[str]:
    """Return what is wrong with parameters that are each right alone."""
    problems = []
    # Median and mean say the same thing twice, or two different things.
    if family.either and sum(name in exact for name in family.either) != 1:
        found = " and ".join(name for name in family.either if name in exact) or "neither"
        one, other = family.either
        problems.append(
            f"found {found}; allowed: exactly one of {one} and {other} (an inherited one is "
            f"deleted with '{other}: null')"
        )
    for item in family.parameters:
        if item.name not in exact and item.name not in family.either:
            problems.append(f"missing; needed: {item.name}, {item.meaning} ({usage(family)})")
    # Only where all are there; what is missing was said above.
    values = [exact[name] for name in family.rising if name in exact]
    if len(values) == len(family.rising) > 0 and (
        sorted(values) != values or values[0] == values[-1]
    ):
        order = " <= ".join(family.rising) if len(values) > 2 else " < ".join(family.rising)
        problems.append(f"found parameters out of order; allowed: {order}, a range above 0")
    return problems


def family_schema(family: type[laws.Family], value: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of the parameters."""
    number = {"type": ["string", "number"]}
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            item.name: {**(value if item.is_value else number), "description": item.meaning}
            for item in family.parameters
        },
        "required": [item.name for item in family.parameters if item.name not in family.either],
    }
    if family.either:
        schema["oneOf"] = [{"required": [name]} for name in family.either]
    return schema

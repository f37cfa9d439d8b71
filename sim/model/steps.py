"""Multiples of a rate from instants on: how a surge, a lull or a ramp is written.

Takes a mapping of elapsed times to numbers as people write them, ``{10 min: 3, 20 min: 1}``; gives
:data:`Steps`, microseconds to parts per billion. Order does not matter, so a child may add one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator

from sim.model.base import FieldProblemsError, describe_found
from sim.model.number_text import (
    INT64_MAX,
    NUMBER,
    check_base_int,
    match_text,
    refuse,
    scale_exactly,
    write_scaled,
)
from sim.model.quantities import DurationUs, parse_duration_us
from sim.model.quantity import Quantity

MULTIPLE_UNIT = 10**9
"""A multiple of one."""

_MULTIPLE = re.compile(NUMBER)
_MULTIPLE_ALLOWED = "a number of at least 0 such as '3' or '0.25', no finer than 1e-9"


def parse_multiple(found: object) -> int:
    """Read a multiple of at least 0 into parts per billion."""
    given = check_base_int(found, _MULTIPLE_ALLOWED, low=0, high=INT64_MAX)
    if given is not None:
        return given
    matched = match_text(_MULTIPLE, found, _MULTIPLE_ALLOWED)
    value = scale_exactly(matched.group(), MULTIPLE_UNIT)
    return refuse(found, _MULTIPLE_ALLOWED) if value is None or value > INT64_MAX else value


def write_multiple(multiple: int) -> str:
    """Write parts per billion as the number they are."""
    return write_scaled(multiple, 9)


def _refuse_same_time(found: object) -> object:
    """Refuse two names of one instant, of which reading would silently keep the last."""
    first: dict[int, str] = {}
    problems = []
    for text in found if isinstance(found, dict) else ():
        try:
            at = parse_duration_us(text)
        except ValueError:
            continue
        if at in first:
            message = f"found the time of {describe_found(first[at])} again; allowed: each once"
            problems.append(((text,), message))
        first.setdefault(at, text)
    if problems:
        raise FieldProblemsError(problems)
    return found


Multiple = Annotated[
    int,
    Quantity(
        parse_multiple,
        _MULTIPLE_ALLOWED,
        NUMBER,
        ("3", "0.25"),
        write_multiple,
        json_types=("string", "number"),
    ),
]
"""Number of at least 0, in parts per billion."""

Steps = Annotated[dict[DurationUs, Multiple], BeforeValidator(_refuse_same_time)]
"""Multiples by the time since the start from which on they hold."""

Course = Sequence[tuple[int, int]]
"""The same in order of time: microseconds, and parts per billion."""


def product_of_steps(first: Course, second: Course) -> tuple[tuple[int, int], ...]:
    """Return the steps that multiply as two courses of steps do together.

    Parameters
    ----------
    first, second : sequence of (int, int)
        Ascending; 1 before the first step of each.

    Notes
    -----
    Products are rounded to the nearest 10^-9, the finest multiple that can be written.
    """
    times = sorted({at for at, _ in (*first, *second)})
    found = []
    for at in times:
        one, other = _multiple_at(first, at), _multiple_at(second, at)
        found.append((at, (one * other + MULTIPLE_UNIT // 2) // MULTIPLE_UNIT))
    return tuple(found)


def _multiple_at(steps: Course, time_us: int) -> int:
    """Return the multiple in force at an instant."""
    return next((times for at, times in reversed(steps) if at <= time_us), MULTIPLE_UNIT)

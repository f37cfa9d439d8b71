"""Turn the result of any study into JSON, as its data classes say.

Takes a value; gives what the ``json`` module writes. A data class is an object of its fields, or,
where it has ``JSON_KEYS``, of what those name: words apart by spaces, each a key, or ``key=path``
where the value stands elsewhere, as in ``seed=plan.seed``. So a key of the JSON is written beside
the field it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

from sim.analysis.comparison import Controlled
from sim.analysis.selection import Selection
from sim.analysis.summary import Json

_KEYS_ELSEWHERE = {
    Controlled: "value=interval.value low=interval.low high=interval.high variance_ratio",
    Selection: "best is_proven probability indifference replications left",
}
"""Keys of classes that know nothing of studies."""


def as_json(value: object) -> Json:
    """Return a value as JSON; numbers are finite or null.

    Parameters
    ----------
    value : object
        A data class, mapping, sequence, enumeration, text, number or None, or what has a method
        ``as_json``.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        # JSON knows neither infinity nor not-a-number; both say that nothing is known.
        return value if math.isfinite(value) else None
    if isinstance(value, Enum):
        return as_json(value.value)
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    return object_as_json(value)


def object_as_json(value: object) -> dict[str, Json]:
    """Return a data class as an object of JSON.

    Parameters
    ----------
    value : object
        See :func:`as_json`.

    Raises
    ------
    TypeError
        If it is none.
    """
    own = getattr(value, "as_json", None)
    if own is not None:
        return {key: as_json(item) for key, item in own().items()}
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"{type(value).__name__}: no data class; it has no JSON")
    words = getattr(value, "JSON_KEYS", None) or _KEYS_ELSEWHERE.get(type(value))
    names = [field.name for field in fields(value)] if words is None else words.split()
    pairs = [name.partition("=") for name in names]
    return {key: as_json(_follow(value, (path or key).split("."))) for key, _, path in pairs}


def _follow(value: object, steps: list[str]) -> object:
    """Follow a path from attribute to attribute.

    From None it leads to None, from a sequence to what each item has there, or with a number to one
    item; a method is called, with what stands behind a colon.
    """
    if not steps or value is None:
        return value
    name, _, argument = steps[0].partition(":")
    if isinstance(value, tuple | list):
        if name.lstrip("-").isdecimal():
            return _follow(value[int(name)], steps[1:])
        return [_follow(item, steps) for item in value]
    there = getattr(value, name)
    if callable(there):
        there = there(argument) if argument else there()
    return _follow(there, steps[1:])

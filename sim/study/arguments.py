"""Arguments of public functions, checked before anything is done with them.

Takes a function; gives the same one, which refuses what its annotations do not allow in the words
of this project. A wrong kind of value would otherwise surface deep inside as an error of Python.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from math import isfinite
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from sim.errors import OptionError
from sim.model.number_text import describe_found

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

_WORDS = {
    str: "text",
    Path: "a path",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    Mapping: "a mapping of dotted paths to values",
    Sequence: "a list of texts",
}
_COUNTS = frozenset({"jobs", "replications", "window_s"})
"""Numbers of things there is at least one of."""
_ABOVE_NOTHING = frozenset({"load", "tolerance"})


def checked_arguments(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Return a function that refuses arguments of a kind its annotations do not name.

    Raises
    ------
    OptionError
        When called with such an argument, with its name.
    """
    signature = inspect.signature(function)
    # What it returns is known to checkers of types alone.
    given = {name: kind for name, kind in function.__annotations__.items() if name != "return"}
    holder = types.SimpleNamespace(__annotations__=given)
    kinds = get_type_hints(holder, globalns=function.__globals__)

    @wraps(function)
    def checked(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        bound: dict[str, Any] = signature.bind(*args, **kwargs).arguments
        for name, value in bound.items():
            is_many = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
            for item in tuple(value) if is_many else (value,):
                _check(name, item, kinds[name])
        return function(*args, **kwargs)

    return checked


def _check(name: str, value: object, kind: Any) -> None:
    arms = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    if not any(_fits(value, arm) for arm in arms):
        words = dict.fromkeys(_WORDS[get_origin(arm) or arm] for arm in arms if arm is not _NONE)
        raise OptionError(name, f"found {describe_found(value)}; allowed: {' or '.join(words)}")
    if name in _COUNTS and isinstance(value, int) and value < 1:
        raise OptionError(name, f"found {value}; allowed: at least 1")
    if name in _ABOVE_NOTHING and isinstance(value, (int, float)) and value <= 0:
        raise OptionError(name, f"found {value:g}; allowed: above 0")


_NONE = type(None)


def _fits(value: object, kind: Any) -> bool:
    origin = get_origin(kind) or kind
    # True is an int to Python, and no number to anybody else.
    if isinstance(value, bool):
        return origin is bool
    if origin is float:
        return isinstance(value, int) or (isinstance(value, float) and isfinite(value))
    if origin is Sequence:
        # A text is a sequence of letters, and a list of names to nobody.
        if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
            return False
        return all(isinstance(item, str) for item in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    return isinstance(value, origin)

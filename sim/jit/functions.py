"""How a function that only compiled code calls becomes machine code.

Takes plain Python functions over int64 values, arrays and tables of arrays; gives them back
compiled on first use, or as they were with ``NUMBA_DISABLE_JIT=1``. Numba's reference counting is
left out: neither the kernel nor the audit's replay allocates anything or keeps an array, and their
callers hold them all. With it, every function would count some forty arrays up and down on every
call, which takes ten times as long as what the kernel does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
from numba.core import types
from numba.core.types.misc import unliteral

from sim.jit.parts import PART

_LEAN = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""No reference counts; and no entrances for Python, as only compiled code calls these functions."""

_Function = TypeVar("_Function", bound=Callable[..., object])


def inlined(function: _Function) -> _Function:
    """Compile a small function and merge it into each of its callers.

    Parameters
    ----------
    function : callable
        Function in the subset of Python that Numba compiles without objects.
    """
    return _compile(function, forceinline=True)


def called(function: _Function) -> _Function:
    """Compile a function and leave it to the compiler whether to merge it into its callers.

    Parameters
    ----------
    function : callable
        As for :func:`inlined`.
    """
    return _compile(function, forceinline=False)


def _compile(function: _Function, *, forceinline: bool) -> _Function:
    """Compile a function once, whatever constants it is called with."""
    dispatcher = numba.njit(
        error_model="python", forceinline=forceinline, pipeline_class=PART, **_LEAN
    )(function)
    # Numba hands the plain function back then; there is no dispatcher to change.
    if numba.config.DISABLE_JIT:
        return cast(_Function, dispatcher)
    by_type = dispatcher.get_call_template

    # Numba types a written number as that number and a member of an enumeration by its class, and
    # compiles a function anew for each: the one that writes a log row forty times over.
    def by_plain_type(arguments: tuple[object, ...], keywords: dict[str, object]) -> object:
        plain = {name: _plain(value) for name, value in keywords.items()}
        return by_type(tuple(_plain(value) for value in arguments), plain)

    dispatcher.get_call_template = by_plain_type
    return cast(_Function, dispatcher)


def _plain(argument: object) -> object:
    """Return the type of an argument without what only its value says."""
    # Members of an enumeration keep their class through ``unliteral``; their values are whole
    # numbers.
    found = unliteral(argument)
    return found.dtype if isinstance(found, types.IntEnumMember) else found

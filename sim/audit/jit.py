"""How a function of the audit becomes machine code.

Takes plain Python functions over int64 values, arrays and a named tuple of arrays; gives them back
compiled on their first call, or as they were with ``NUMBA_DISABLE_JIT=1``. What Python calls is
``compiled`` and kept in the cache of :mod:`sim.machine_code`, everything it calls with it. Imported
only by what is imported when something is audited: Numba takes a while to load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
from numba.core import types
from numba.core.types.misc import unliteral

from sim.machine_code import compiled

__all__ = ["called", "compiled"]

_Function = TypeVar("_Function", bound=Callable[..., object])


def called(function: _Function) -> _Function:
    """Compile a function that only compiled functions call.

    Parameters
    ----------
    function : callable
        As for ``compiled``; it allocates nothing and keeps no array.

    Notes
    -----
    Its callers hold all arrays, so it counts no references to them; and nobody else calls it, so it
    has no entrance for Python. Both save more time than the replay itself takes. Numbers and
    members of enumerations written in a call count as int64: Numba would compile the function anew
    for each.
    """
    dispatcher = numba.njit(
        error_model="python", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True
    )(function)
    if numba.config.DISABLE_JIT:
        return cast(_Function, dispatcher)
    resolve = dispatcher.get_call_template

    def resolve_plain(arguments: tuple[object, ...], keywords: dict[str, object]) -> object:
        plain = {name: _plain(given) for name, given in keywords.items()}
        return resolve(tuple(_plain(given) for given in arguments), plain)

    dispatcher.get_call_template = resolve_plain
    return cast(_Function, dispatcher)


def _plain(given: object) -> object:
    """Return the type of a number for a number or a member of an enumeration of numbers."""
    if isinstance(given, types.IntEnumMember):
        return types.int64
    return unliteral(given)

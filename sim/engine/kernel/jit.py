"""How a function of the kernel becomes machine code.

Takes plain Python functions over int64 values, arrays and named tuples of arrays; gives them back
compiled on first use, or as they were with ``NUMBA_DISABLE_JIT=1``. Numba's reference counting is
left out: the kernel allocates nothing and keeps no array, and its callers hold them all. With it,
every function would count some forty arrays up and down on every call, which takes ten times as
long as what the kernel does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., object])


def inlined(function: _Function) -> _Function:
    """Compile a function and merge it into each of its callers.

    Parameters
    ----------
    function : callable
        Function in the subset of Python that Numba compiles without objects.

    Notes
    -----
    A named tuple of arrays is passed as some hundred machine words, so a call that is not merged
    costs more than most operations; merged, the words stay where they are.
    """
    decorate = numba.njit(error_model="python", forceinline=True, _nrt=False)
    return cast(_Function, decorate(function))


def called(function: _Function) -> _Function:
    """Compile a function that takes few arrays and is called from many places.

    Parameters
    ----------
    function : callable
        As for :func:`inlined`. Not merged by force, which keeps the time to compile down.
    """
    decorate = numba.njit(error_model="python", _nrt=False)
    return cast(_Function, decorate(function))

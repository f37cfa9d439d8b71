"""The one way a function of this folder becomes machine code.

Takes a plain Python function over int64 values and arrays, gives it back compiled on its first
call. With ``NUMBA_DISABLE_JIT=1`` the function comes back as it was, so a debugger can step
through it. The plain function stays reachable as ``function.py_func``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., object])


def compiled(function: _Function) -> _Function:
    """Compile a function with Numba on its first call, keeping its static type.

    Parameters
    ----------
    function : callable
        Function in the subset of Python that Numba compiles without objects.

    Returns
    -------
    callable
        The same function to a reader and to mypy, a Numba dispatcher to other compiled code.

    Notes
    -----
    No signature is given, so importing costs no compilation; no cache is kept here, because
    Numba's own does not notice a change in an imported file. The kernel that calls these functions
    caches itself as a whole, and their machine code with it. ``error_model="python"`` and the
    absence of ``fastmath`` keep the results those of plain Python.
    """
    return cast(_Function, numba.njit(error_model="python")(function))

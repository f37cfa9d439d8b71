"""How machine code calls a function the user wrote: by its address.

Takes plain functions over named tuples of whole numbers; gives addresses, and the call of one for
compiled code. The kernel is compiled once and calls whatever address it is given, so it need not be
compiled anew for a function of the user's; and that function is in no cache, so another version of
it can never be taken for it. Making it machine code takes some tenths of a second per process.

A function is called with three addresses of whole numbers (what is told, the memory, the settings)
and gives a whole number, :data:`BROKEN` where it raised or gave none.
"""

from __future__ import annotations

import ctypes
import textwrap
from collections.abc import Callable
from typing import Any, cast

import numba
from llvmlite import ir
from numba.core import types
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from sim.jit.tables import Array

BROKEN = -(1 << 62)
_WORDS = ctypes.POINTER(ctypes.c_int64)
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, _WORDS, _WORDS, _WORDS)
_SIGNATURE = types.int64(*[cast(Any, types).CPointer(types.int64)] * 3)
_SCORE = """
def call(told, memory, settings):
    try:
        return asked({told}, {memory}, {settings})
    except Exception:
        return BROKEN
"""
_HEAR = """
def call(told, memory, settings):
    try:
        asked({told}, carray(memory, {length}), {settings})
    except Exception:
        return BROKEN
    return 0
"""
_MADE: dict[tuple[object, ...], tuple[int, object]] = {}
"""What was compiled in this process."""


def compiled_address(
    function: Callable[..., object],
    told: type[Any],
    memory: int,
    settings: type[Any],
    *,
    writes: bool,
) -> tuple[int, object]:
    """Compile a function of the user's and return its address, and what must live as long.

    Parameters
    ----------
    function : callable
        Of a named tuple of whole numbers, the memory and a named tuple of settings.
    told, settings : type
        Classes of these named tuples.
    memory : int
        How many numbers the memory has.
    writes : bool
        Whether it changes the memory, which it is then given as an array, and gives nothing; else
        it is given a tuple, and gives a whole number.

    Raises
    ------
    TypeError
        If Numba cannot compile it, or it gives no whole number.

    Notes
    -----
    Once in a process for the functions and the settings of one policy: ten thousand replications
    ask for the same. A policy that is registered again has a class of settings of its own.
    """
    key = (function, told, memory, settings, writes)
    if key not in _MADE:
        _MADE[key] = _make(function, told, memory, settings, writes=writes)
    return _MADE[key]


def _make(
    function: Callable[..., object],
    told: type[Any],
    memory: int,
    settings: type[Any],
    *,
    writes: bool,
) -> tuple[int, object]:
    asked = numba.njit(error_model="python", boundscheck=True)(function)
    names = {
        "asked": asked, "BROKEN": BROKEN, "Told": told, "Settings": settings,
        "carray": numba.carray,
    }  # fmt: skip
    source = (_HEAR if writes else _SCORE).format(
        told=_built("Told", "told", told),
        memory=_listed("memory", memory),
        settings=_built("Settings", "settings", settings),
        # Numba has no array of no numbers at an address that may be none.
        length=max(memory, 1),
    )
    exec(textwrap.dedent(source), names)
    try:
        made = numba.cfunc(_SIGNATURE)(names["call"])
    except NumbaError as error:
        raise TypeError(str(error)) from error
    if not writes:
        given = [signature.return_type for signature in asked.nopython_signatures]
        wrong = [kind for kind in given if not isinstance(kind, types.Integer)]
        if wrong:
            raise TypeError(f"it gives {wrong[0]}; needed: a whole number")
    return int(made.address), made


def plain_address(ask: Callable[[Any, Any, Any], int]) -> tuple[int, object]:
    """Return an address at which machine code finds a function that stays plain Python.

    Parameters
    ----------
    ask : callable
        Of three pointers to whole numbers; gives a whole number of 64 bits and never raises.
    """
    made = _CALLBACK(ask)
    address = ctypes.cast(made, ctypes.c_void_p).value
    assert address is not None
    return address, made


def _built(kind: str, name: str, of: type[Any]) -> str:
    """Return the text that builds a named tuple out of what a pointer points at."""
    return f"{kind}({', '.join(f'{name}[{at}]' for at in range(len(of._fields)))})"


def _listed(name: str, count: int) -> str:
    """Return the text of a tuple of what a pointer points at."""
    return f"({''.join(f'{name}[{at}], ' for at in range(count))})"


def _call_plain(
    address: int, told: Array, memory: Array, row: int, settings: Array, at: int
) -> int:
    """Call the function at an address, where nothing is compiled."""
    places = (
        told.ctypes.data,
        memory.ctypes.data + row * memory.strides[0],
        settings.ctypes.data + at * settings.strides[0],
    )
    return int(_CALLBACK(int(address))(*(ctypes.cast(int(at), _WORDS) for at in places)))


def _make_call() -> Callable[[int, Array, Array, int, Array, int], int]:
    """Return the call as a function of compiled code."""

    @intrinsic  # type: ignore[untyped-decorator]
    def _call(
        typing_context: Any, address: Any, told: Any, memory: Any, row: Any, settings: Any, at: Any
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = ir.IntType(64)
            pointer = word.as_pointer()

            def row_of(place: int, number: Any) -> Any:
                array = make_array(signature.args[place])(context, builder, arguments[place])
                first = builder.ptrtoint(array.data, word)
                if number is not None:
                    stride = builder.extract_value(array.strides, 0)
                    first = builder.add(first, builder.mul(number, stride))
                return builder.inttoptr(first, pointer)

            kind = ir.FunctionType(word, [pointer] * 3)
            function = builder.inttoptr(arguments[0], kind.as_pointer())
            places = [row_of(1, None), row_of(2, arguments[3]), row_of(4, arguments[5])]
            return builder.call(function, places)

        whole = types.int64
        return whole(whole, told, memory, whole, settings, whole), generate

    return cast(Callable[[int, Array, Array, int, Array, int], int], _call)


call_address = _call_plain if numba.config.DISABLE_JIT else _make_call()
"""Call the function at an address.

Takes the address, what is told (one dimension), memories and the row of one, settings and the
row of them; gives what the function gives.
"""

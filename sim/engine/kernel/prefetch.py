"""Ask the processor to fetch rows before they are needed.

Takes an array and a row of it; changes nothing. While one event is handled the next one is known
already, but for what this event may put before it, and its payment is one of thousands: without
asking ahead, every event would begin by waiting for that row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba
from llvmlite import ir
from numba.core import types
from numba.core.cgutils import unpack_tuple
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from sim.contract.plan import Array

_LINE_BYTES = 64
_LINES = 3
"""Lines of a payment's row that every event touches."""


def _prefetch_nothing(rows: Array, row: int) -> None:
    """Stand in where nothing is compiled."""


def _make_prefetch(lines: int) -> Callable[[Array, int], None]:
    """Return the instruction for the first lines of a row as a function of compiled code."""

    @intrinsic  # type: ignore[untyped-decorator]
    def prefetch(typing_context: Any, rows: Any, row: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            byte, word, flag = ir.IntType(8), ir.IntType(64), ir.IntType(32)
            array = make_array(signature.args[0])(context, builder, arguments[0])
            stride = unpack_tuple(builder, array.strides)[0]
            # A row of -1 makes a bad address, which this instruction may be given.
            first = builder.ptrtoint(array.data, word)
            start = builder.add(first, builder.mul(arguments[1], stride))
            kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), flag, flag, flag])
            fetch = builder.module.declare_intrinsic("llvm.prefetch", [byte.as_pointer()], kind)
            for line in range(lines):
                at = builder.add(start, ir.Constant(word, line * _LINE_BYTES))
                # To be written to, to be kept in all caches, and no instruction.
                options = [ir.Constant(flag, value) for value in (1, 3, 1)]
                builder.call(fetch, [builder.inttoptr(at, byte.as_pointer()), *options])
            return context.get_dummy_value()

        return types.none(rows, types.int64), generate

    return cast(Callable[[Array, int], None], prefetch)


# Chosen once, when the module is imported: whether anything is compiled does not change later.
prefetch_payment = _prefetch_nothing if numba.config.DISABLE_JIT else _make_prefetch(_LINES)
prefetch_arrival = _prefetch_nothing if numba.config.DISABLE_JIT else _make_prefetch(2)
prefetch_row = _prefetch_nothing if numba.config.DISABLE_JIT else _make_prefetch(1)

"""Ask the processor to fetch a payment's row before it is needed.

Takes the pool and a slot; changes nothing. While one event is handled the next one is known
already, but for what this event may put before it, and its payment is one of thousands: without
asking ahead, every event would begin by waiting for that row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from sim.contract.plan import Array
from sim.engine.kernel.state import POOL_WIDTH

_LINE_BYTES = 64
_LINES = 3
"""Lines of a row that every event touches."""


def _prefetch_nothing(pool: Array, slot: int) -> None:
    """Stand in where nothing is compiled."""


def _make_prefetch() -> Callable[[Array, int], None]:
    """Return the instruction as a function of compiled code."""

    @intrinsic  # type: ignore[untyped-decorator]
    def prefetch(typing_context: Any, pool: Any, slot: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            byte, word, flag = ir.IntType(8), ir.IntType(64), ir.IntType(32)
            rows = make_array(signature.args[0])(context, builder, arguments[0]).data
            # A slot of -1 makes a bad address, which this instruction may be given.
            first = builder.ptrtoint(rows, word)
            row = builder.add(first, builder.mul(arguments[1], ir.Constant(word, 8 * POOL_WIDTH)))
            kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), flag, flag, flag])
            fetch = builder.module.declare_intrinsic("llvm.prefetch", [byte.as_pointer()], kind)
            for line in range(_LINES):
                at = builder.add(row, ir.Constant(word, line * _LINE_BYTES))
                # To be written to, to be kept in all caches, and no instruction.
                options = [ir.Constant(flag, value) for value in (1, 3, 1)]
                builder.call(fetch, [builder.inttoptr(at, byte.as_pointer()), *options])
            return context.get_dummy_value()

        return types.none(pool, types.int64), generate

    return cast(Callable[[Array, int], None], prefetch)


# Chosen once, when the module is imported: whether anything is compiled does not change later.
prefetch_payment = _prefetch_nothing if numba.config.DISABLE_JIT else _make_prefetch()

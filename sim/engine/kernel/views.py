"""How compiled code sees a plan and a state: one pointer instead of forty arrays.

Takes named tuples of arrays; gives small tables of addresses and shapes, and teaches Numba that
``state.pool`` of such a table is the array at that address. A named tuple of arrays would be
passed as some three hundred machine words from function to function, each of which the compiler
has to take apart and put together: minutes to compile what takes seconds this way. The sources of
the kernel do not know: they read ``state.pool`` here and in plain Python alike.

A table borrows its arrays. Whoever made it keeps them alive and in place while it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import make_array, populate_array

from sim.contract.plan import Array
from sim.engine.kernel.loop import run
from sim.engine.kernel.state import (
    DIMENSIONS_ONE,
    WIDTHS,
    KernelPlan,
    KernelState,
)

_WORDS = 3
"""Per array: address, rows, columns."""


class _TableType(types.Type):
    """Be the type of a table of arrays with given names."""

    def __init__(self, name: str, fields: tuple[str, ...]) -> None:
        self.fields = fields
        super().__init__(name=name)


_PLAN = _TableType("KernelPlanTable", KernelPlan._fields)
_STATE = _TableType("KernelStateTable", KernelState._fields)


@register_model(_TableType)
class _TableModel(models.PrimitiveModel):  # type: ignore[misc]
    """Keep a table as a pointer to its words."""

    def __init__(self, dmm: Any, fe_type: _TableType) -> None:
        super().__init__(dmm, fe_type, ir.IntType(64).as_pointer())


@infer_getattr
class _TableAttributes(AttributeTemplate):  # type: ignore[misc]
    """Type ``table.name`` as the array of that name."""

    key = _TableType

    def generic_resolve(self, table: _TableType, name: str) -> types.Array | None:
        """Return the array type of a field, None for names that are no field."""
        if name not in table.fields:
            return None
        return types.Array(types.int64, 1 if name in DIMENSIONS_ONE else 2, "C")


@lower_getattr_generic(_TableType)  # type: ignore[untyped-decorator]
def _read_array(context: Any, builder: Any, table: _TableType, value: Any, name: str) -> Any:
    """Build the array structure of a field from its words."""
    array_type = types.Array(types.int64, 1 if name in DIMENSIONS_ONE else 2, "C")
    word = ir.IntType(64)

    def load(offset: int) -> Any:
        at = ir.Constant(word, table.fields.index(name) * _WORDS + offset)
        return builder.load(builder.gep(value, [at]))

    array = make_array(array_type)(context, builder)
    width = WIDTHS.get(name)
    # A width known now lets the processor compute addresses without loading it.
    columns = load(2) if width is None else ir.Constant(word, width)
    one = ir.Constant(word, 8)
    if array_type.ndim == 1:
        shape, strides = [load(1)], [one]
    else:
        shape, strides = [load(1), columns], [builder.mul(columns, one), one]
    populate_array(
        array,
        data=builder.inttoptr(load(0), array.data.type),
        shape=shape,
        strides=strides,
        itemsize=context.get_constant(types.intp, 8),
        meminfo=None,
    )
    return array._getvalue()


def _pointer_to(table_type: _TableType) -> Callable[[Array], Any]:
    """Return an intrinsic that reads a one-dimensional array of words as a table."""

    @intrinsic  # type: ignore[untyped-decorator]
    def convert(typing_context: Any, words: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return make_array(signature.args[0])(context, builder, arguments[0]).data

        return table_type(words), generate

    return cast(Callable[[Array], Any], convert)


_as_plan = _pointer_to(_PLAN)
_as_state = _pointer_to(_STATE)


def run_tables(plan_words: Array, state_words: Array, budget: int) -> int:
    """Be ``loop.run`` over tables: what is compiled, cached and called."""
    return run(_as_plan(plan_words), _as_state(state_words), budget)


def describe(arrays: KernelPlan | KernelState) -> Array:
    """Return the table of a named tuple of arrays.

    Parameters
    ----------
    arrays : KernelPlan or KernelState
        Its arrays must outlive the table and not be replaced.
    """
    words = np.zeros(len(arrays) * _WORDS, dtype=np.int64)
    for at, (name, array) in enumerate(zip(arrays._fields, arrays, strict=True)):
        width = WIDTHS.get(name)
        if width is not None and array.shape[1] != width:
            raise ValueError(f"{name} has {array.shape[1]} columns; the kernel knows {width}")
        words[at * _WORDS] = array.ctypes.data
        words[at * _WORDS + 1] = array.shape[0]
        words[at * _WORDS + 2] = array.shape[1] if array.ndim == 2 else 1
    return words

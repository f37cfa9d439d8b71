"""How compiled code sees a plan and a state: one pointer instead of forty arrays.

Takes a plan and a state; gives small tables of addresses and shapes, and teaches Numba that
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

from sim.contract.plan import TABLES, Array, Plan
from sim.contract.table import Table
from sim.engine.kernel.loop import run
from sim.engine.kernel.state import STATE_TABLES, KernelState

# Strides are not among them: every array is C-contiguous, so they follow from the shape.
_WORDS = 3
"""Per array: address, rows, columns."""


class _TableType(types.Type):
    """Type of a table of arrays as declared."""

    def __init__(self, name: str, declared: dict[str, Table]) -> None:
        self.declared = declared
        self.places = {field: at * _WORDS for at, field in enumerate(declared)}
        super().__init__(name=name)

    def array_type(self, field: str) -> types.Array:
        """Return the type of the array of a name."""
        return types.Array(types.int64, self.declared[field].dimensions, "C")


_PLAN = _TableType("PlanTable", TABLES)
_STATE = _TableType("KernelStateTable", STATE_TABLES)


@register_model(_TableType)
class _TableModel(models.PrimitiveModel):  # type: ignore[misc]
    """Table as a pointer to its words."""

    def __init__(self, dmm: Any, fe_type: _TableType) -> None:
        super().__init__(dmm, fe_type, ir.IntType(64).as_pointer())


@infer_getattr
class _TableAttributes(AttributeTemplate):  # type: ignore[misc]
    """Attributes of a table: ``table.name`` is the array of that name."""

    key = _TableType

    def generic_resolve(self, table: _TableType, name: str) -> types.Array | None:
        """Return the array type of a field, None for names that are no field."""
        return table.array_type(name) if name in table.declared else None


@lower_getattr_generic(_TableType)  # type: ignore[untyped-decorator]
def _read_array(context: Any, builder: Any, table: _TableType, value: Any, name: str) -> Any:
    """Build the array structure of a field from its words."""
    array_type = table.array_type(name)
    # From here on LLVM is written, not Python: a field is read as three loads from known
    # places.
    word = ir.IntType(64)

    def load(offset: int) -> Any:
        at = ir.Constant(word, table.places[name] + offset)
        return builder.load(builder.gep(value, [at]))

    array = make_array(array_type)(context, builder)
    width = table.declared[name].width
    # A width known now lets the processor compute addresses without loading it.
    columns = load(2) if width is None else ir.Constant(word, width)
    # Bytes per number; all arrays are int64.
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
        # Nobody counts references: the table borrows.
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
    """Run ``loop.run`` over tables: what is compiled, cached and called."""
    return run(_as_plan(plan_words), _as_state(state_words), budget)


def describe_plan(plan: Plan) -> Array:
    """Return the table of a plan's arrays, which must outlive it."""
    return _described({name: getattr(plan, name) for name in TABLES}, TABLES)


def describe_state(state: KernelState) -> Array:
    """Return the table of a state's arrays, which must outlive it and not be replaced."""
    return _described(state._asdict(), STATE_TABLES)


def _described(arrays: dict[str, Array], declared: dict[str, Table]) -> Array:
    """Return address, rows and columns of every array, one after the other."""
    words = np.zeros(len(arrays) * _WORDS, dtype=np.int64)
    for at, (name, array) in enumerate(arrays.items()):
        width = declared[name].width
        # Compiled code has the width as a constant: another one would read beside the rows.
        if width is not None and array.shape[1] != width:
            raise ValueError(f"{name} has {array.shape[1]} columns; declared are {width}")
        # The address only. Growing an array makes a new one, hence a new table for each call.
        words[at * _WORDS] = array.ctypes.data
        words[at * _WORDS + 1] = array.shape[0]
        words[at * _WORDS + 2] = array.shape[1] if array.ndim == 2 else 1
    return words

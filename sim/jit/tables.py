"""How compiled code sees many arrays: one pointer instead of a named tuple of them.

Takes the names and shapes of arrays of int64; gives small tables of addresses and shapes, and
teaches Numba that ``state.pool`` of such a table is the array at that address. A named tuple of
arrays would be passed as some three hundred machine words from function to function, each of which
the compiler has to take apart and put together: minutes to compile what takes seconds this way. The
sources that are compiled do not know: they read ``state.pool`` here and in plain Python alike.

A table borrows its arrays. Whoever made it keeps them alive and in place while it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import make_array

Array = npt.NDArray[np.int64]

# Strides are not among them: every array is C-contiguous, so they follow from the shape.
_WORDS = 3
"""Per array: address, rows, columns."""
_MEMBERS = ("meminfo", "parent", "nitems", "itemsize", "data", "shape", "strides")
"""What Numba's structure of an array consists of."""


class TableType(types.Type):
    """Type of a table of arrays.

    Parameters
    ----------
    name : str
        What Numba calls it; no two tables share one.
    shapes : mapping of str to tuple
        By field: dimensions (1 or 2) and, where it is always the same, the number of columns.
    """

    def __init__(self, name: str, shapes: Mapping[str, tuple[int, int | None]]) -> None:
        self.shapes = dict(shapes)
        self.places = {field: at * _WORDS for at, field in enumerate(self.shapes)}
        super().__init__(name=name)

    def array_type(self, field: str) -> types.Array:
        """Return the type of the array of a name."""
        return types.Array(types.int64, self.shapes[field][0], "C")

    def describe(self, arrays: Mapping[str, Array]) -> Array:
        """Return the table of some arrays, which must outlive it and not be replaced.

        Parameters
        ----------
        arrays : mapping of str to ndarray of int64
            By field; others are left out.

        Returns
        -------
        ndarray of int64
            Address, rows and columns of every array, one after the other.

        Raises
        ------
        ValueError
            If a number of dimensions or columns is not the declared one.
        """
        words = np.zeros(len(self.shapes) * _WORDS, dtype=np.int64)
        for at, (name, (dimensions, width)) in enumerate(self.shapes.items()):
            array = arrays[name]
            if array.ndim != dimensions:
                raise ValueError(f"{name} has {array.ndim} dimensions; declared are {dimensions}")
            # Compiled code has the width as a constant: another one would read beside the rows.
            if width is not None and array.shape[1] != width:
                raise ValueError(f"{name} has {array.shape[1]} columns; declared are {width}")
            # The address only. Growing an array makes a new one, hence a new table for each call.
            words[at * _WORDS] = array.ctypes.data
            words[at * _WORDS + 1] = array.shape[0]
            words[at * _WORDS + 2] = array.shape[1] if array.ndim == 2 else 1
        return words


@register_model(TableType)
class _TableModel(models.PrimitiveModel):  # type: ignore[misc]
    """Table as a pointer to its words."""

    def __init__(self, dmm: Any, fe_type: TableType) -> None:
        super().__init__(dmm, fe_type, ir.IntType(64).as_pointer())


@infer_getattr
class _TableAttributes(AttributeTemplate):  # type: ignore[misc]
    """Attributes of a table: ``table.name`` is the array of that name."""

    key = TableType

    def generic_resolve(self, table: TableType, name: str) -> types.Array | None:
        """Return the array type of a field, None for names that are no field."""
        return table.array_type(name) if name in table.shapes else None


@lower_getattr_generic(TableType)  # type: ignore[untyped-decorator]
def _read_array(context: Any, builder: Any, table: TableType, value: Any, name: str) -> Any:
    """Build the array structure of a field from its words."""
    array_type = table.array_type(name)
    # From here on LLVM is written, not Python: a field is read as three loads from known
    # places.
    word = ir.IntType(64)

    def load(offset: int) -> Any:
        at = ir.Constant(word, table.places[name] + offset)
        return builder.load(builder.gep(value, [at]))

    structure = context.get_value_type(array_type)
    rows = load(1)
    width = table.shapes[name][1]
    # Bytes per number; all arrays are int64.
    itemsize = ir.Constant(word, 8)
    shape, strides, items = [rows], [itemsize], rows
    if array_type.ndim == 2:
        # A width known now lets the processor compute addresses without loading it.
        columns = load(2) if width is None else ir.Constant(word, width)
        row_bytes = builder.mul(columns, itemsize) if width is None else word(width * 8)
        shape, strides = [rows, columns], [row_bytes, itemsize]
        items = builder.mul(rows, columns, flags=["nsw"])
    address = builder.inttoptr(load(0), structure.elements[_MEMBERS.index("data")])
    found = [
        (items, "nitems"), (itemsize, "itemsize"), (address, "data"),
        *((each, "shape", axis) for axis, each in enumerate(shape)),
        *((each, "strides", axis) for axis, each in enumerate(strides)),
    ]  # fmt: skip
    # Nothing where others have who counts references: the table borrows.
    array = ir.Constant(structure, None)
    for each, member, *axis in found:
        array = builder.insert_value(array, each, [_MEMBERS.index(member), *axis])
    return array


def pointer_to(table_type: TableType) -> Callable[[Array], Any]:
    """Return an intrinsic that reads a one-dimensional array of words as a table.

    Parameters
    ----------
    table_type : TableType
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def convert(typing_context: Any, words: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return make_array(signature.args[0])(context, builder, arguments[0]).data

        return table_type(words), generate

    return cast(Callable[[Array], Any], convert)

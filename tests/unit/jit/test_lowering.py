"""What parts are lowered to means what Python means, for everything that has a short way."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from numba.core.errors import TypingError

from sim.jit.cache import compiled
from sim.jit.functions import called
from sim.jit.tables import TableType, pointer_to

Array = npt.NDArray[np.int64]


class _Column(enum.IntEnum):
    """Columns of an array."""

    FIRST = 0
    SECOND = 1


class _Rows(NamedTuple):
    """Arrays as a table has them."""

    line: Array
    wide: Array
    free: Array


_TABLE = TableType("RowsOfATest", {"line": (1, None), "wide": (2, 2), "free": (2, None)})
_as_rows = pointer_to(_TABLE)
_OPERANDS = (-(1 << 40), -7, -1, 0, 1, 2, 5, (1 << 40) + 3)


@called
def _add_up(rows: Any, at: int) -> int:
    line, wide = rows.line, rows.wide
    place = (at, _Column.SECOND)
    found = wide[place] + wide[at, 0] * 3 + wide[at, -1]
    if at > 0:
        # In another block than it was made in.
        found += wide[place]
    for each in range(len(line)):
        place = (each % len(wide), at % 2)
        at += 1
        found += wide[place] - line[each] + rows.free[each % len(rows.free), -2]
    return found + line[-1] + line[0]


@called
def _write(rows: Any, at: int) -> None:
    rows.line[at] = at
    rows.line[-1] += 4
    rows.wide[at, _Column.FIRST] = rows.line[at] << 3
    rows.wide[-at - 1, 1] -= _Column.SECOND
    rows.free[0, at] = rows.free.size + rows.free.shape[1] * 100


@called
def _compare(a: int, b: int) -> int:
    found = 0
    if a < b:
        found += 1
    if a <= b:
        found += 2
    if a == b:
        found += 4
    if a != b and (a > b or b == _Column.SECOND):
        found += 8
    if a >= b:
        found += 16
    return found + (a > 0) + min(a, b) + max(a, -b)


@called
def _compute(a: int, b: int) -> int:
    far = abs(b) % 20
    bits = (a & b) ^ (a | 9) ^ ((a >> far) - (b << 3))
    return bits + a * 5 - b + (a // 7) * (b % 11) + ((a % -5) // (far + 1))


@compiled
def _add_up_words(words: Array, at: int) -> int:
    return _add_up(_as_rows(words), at)


@compiled
def _write_words(words: Array, at: int) -> int:
    _write(_as_rows(words), at)
    return 0


@compiled
def _compare_words(a: int, b: int) -> int:
    return _compare(a, b)


@compiled
def _compute_words(a: int, b: int) -> int:
    return _compute(a, b)


def _plain(function: Any) -> Any:
    """Return the Python function behind a compiled one."""
    return getattr(function, "py_func", function)


@pytest.fixture
def rows() -> _Rows:
    numbers = np.arange(1, 40, dtype=np.int64) ** 2
    return _Rows(numbers[:5].copy(), numbers[5:11].reshape(3, 2).copy(),
                 numbers[11:23].reshape(3, 4).copy())  # fmt: skip


def _words(rows: _Rows) -> Array:
    return _TABLE.describe(rows._asdict())


@pytest.mark.parametrize("at", [-3, -1, 0, 1, 2])
def test_an_index_finds_what_it_finds_in_python(rows: _Rows, at: int) -> None:
    assert _add_up_words(_words(rows), at) == _plain(_add_up)(rows, at)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_is_written_lies_where_it_lies_in_python(rows: _Rows, at: int) -> None:
    expected = _Rows(*(array.copy() for array in rows))
    _plain(_write)(expected, at)
    _write_words(_words(rows), at)
    for found, wanted in zip(rows, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("a", _OPERANDS)
@pytest.mark.parametrize("b", _OPERANDS)
def test_operations_on_whole_numbers_give_what_they_give_in_python(a: int, b: int) -> None:
    assert _compare_words(a, b) == _plain(_compare)(a, b)
    assert _compute_words(a, b) == _plain(_compute)(a, b)


def test_an_error_says_what_and_where() -> None:
    @called
    def wrong(array: Array) -> int:
        return array[0].nothing  # type: ignore[attr-defined, no-any-return]

    @compiled
    def call(array: Array) -> int:
        return wrong(array)

    with pytest.raises(TypingError, match="nothing") as caught:
        call(np.zeros(1, dtype=np.int64))
    assert "test_lowering.py" in str(caught.value)

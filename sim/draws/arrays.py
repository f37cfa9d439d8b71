"""Draws and their values for whole arrays, without machine code.

Takes keys, numbers and a quantile table; gives arrays of int64, entry by entry what ``lookup``
gives. For a few hundred thousand draws that is sooner done than machine code is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt

from sim.draws.layout import (
    CELLS_PER_OCTAVE,
    FRACTION_BITS,
    OCTAVE_COUNT,
    SIDE_LENGTH,
    TAIL_END,
)

Array = npt.NDArray[np.int64]

_ALL62 = (1 << 62) - 1
_OUTERMOST = (OCTAVE_COUNT - 1) * CELLS_PER_OCTAVE
_TOP = 60
"""Place of the leading one of a draw in octave 0."""


def draw_array_pair(key: Array, n: Array, purpose: str) -> tuple[Array, Array]:
    """Return ``lookup.draw62_pair`` at visit 0 for each of an array of n, compiling nothing.

    Parameters
    ----------
    key : ndarray of int64, shape (4,)
        Words of a stream's key.
    n : ndarray of int64
        Ordinals, 0 or more.
    purpose : str
        Name of the purpose.

    Returns
    -------
    pair of ndarray of int64
        First and second draws, each as long as ``n``.

    Notes
    -----
    The plain generator adds, shifts and masks arrays as it does numbers. For a few hundred thousand
    draws that is sooner done than machine code is made.
    """
    from sim.draws.keys import purpose_id
    from sim.draws.threefry import MASK32, threefry4x32

    words = Callable[..., tuple[Array, Array, Array, Array]]
    # The function Numba was given: it works on arrays as well, as it only adds, shifts and
    # masks.
    generate = cast(words, getattr(threefry4x32, "py_func", threefry4x32))
    k0, k1, k2, k3 = key.tolist()
    w0, w1, w2, w3 = generate(k0, k1, k2, k3, n & MASK32, n >> 32, purpose_id(purpose), 0)
    return (w0 << 30) | (w1 >> 2), (w2 << 30) | (w3 >> 2)


def draw_array(key: Array, n: Array, purpose: str) -> Array:
    """Return the first draws of :func:`draw_array_pair`."""
    return draw_array_pair(key, n, purpose)[0]


def quantile_array(table: Array, u62s: Array) -> Array:
    """Return ``lookup.quantile`` of one table for each of an array of draws.

    Parameters
    ----------
    table : ndarray of int64
        Of ``layout.TABLE_LENGTH`` entries.
    u62s : ndarray of int64
        Draws from 0 to 2**62 - 1.
    """
    side = u62s >> 61
    v = u62s ^ (-side & _ALL62)
    base = side * SIDE_LENGTH
    is_tail = v < TAIL_END
    # What lies in the tail is looked up like the last draw beside it, and replaced at the end.
    v = np.maximum(v, TAIL_END)
    octave = np.zeros_like(v)
    for shift in (32, 16, 8, 4, 2, 1):
        is_low = v < 1 << (_TOP + 1 - shift)
        v = np.where(is_low, v << shift, v)
        octave += is_low * shift
    at = base + 1 + _OUTERMOST - octave * CELLS_PER_OCTAVE + ((v >> 54) & (CELLS_PER_OCTAVE - 1))
    fraction = ((v >> 29) & ((1 << FRACTION_BITS) - 1)) | ((1 << octave) >> 30) | (octave < 31)
    left = table[at]
    difference = table[at + 1] - left
    # In two halves, as the product may need 78 bits.
    low = ((difference & 0xFFFF) * fraction + (1 << (FRACTION_BITS - 1))) >> 16
    found = left + (((difference >> 16) * fraction + low) >> (FRACTION_BITS - 16))
    return cast(Array, np.where(is_tail, table[base], found))

"""Draws: from a key and a counter to a number, a value, a yes or no, a choice.

Takes keys made by ``keys``, tables made by ``quantile`` and thresholds made by ``thresholds``;
gives int64 values. Every function holds no state, does no floating point, and gives the same
result compiled, uncompiled and in plain Python. All whole numbers are int64; arrays are
one-dimensional int64 arrays unless said otherwise. Nothing is checked here: callers are engines,
and what they pass was checked when the plan was compiled.

A 62-bit draw must be used for one decision only: two decisions from the same draw would be
dependent. Ask for another purpose or visit, or for a pair, instead.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.draws.layout import (
    CELLS_PER_OCTAVE,
    FRACTION_BITS,
    OCTAVE_COUNT,
    SIDE_LENGTH,
    TAIL_END,
)
from sim.draws.threefry import MASK32, threefry4x32
from sim.jit.cache import compiled

_ALL62 = (1 << 62) - 1
_OUTERMOST = (OCTAVE_COUNT - 1) * CELLS_PER_OCTAVE
_FRACTION_MASK = (1 << FRACTION_BITS) - 1
_HALF = 1 << (FRACTION_BITS - 1)


@compiled
def draw62(key: npt.NDArray[np.int64], n: int, purpose: int, visit: int) -> int:
    """Draw one number from 0 to 2**62 - 1.

    Parameters
    ----------
    key : numpy.ndarray of int64, shape (4,)
        Words of the stream's key (``keys.stream_key``).
    n : int
        Which payment of the stream, round of the ledger or step of the price; below 2**63.
    purpose : int
        What the draw is for (``keys.purpose_id``), from 0 to 2**31 - 1.
    visit : int
        How often this purpose came up before for the same n, from 0 to 2**32 - 1.

    Returns
    -------
    int
        Uniform from 0 to 2**62 - 1.
    """
    w0, w1, _, _ = threefry4x32(
        int(key[0]), int(key[1]), int(key[2]), int(key[3]), n & MASK32, n >> 32, purpose, visit
    )
    return (w0 << 30) | (w1 >> 2)


@compiled
def draw62_pair(key: npt.NDArray[np.int64], n: int, purpose: int, visit: int) -> tuple[int, int]:
    """Draw two independent numbers from 0 to 2**62 - 1 at the cost of one.

    Parameters
    ----------
    key, n, purpose, visit
        As for :func:`draw62`.

    Returns
    -------
    tuple of int
        The number :func:`draw62` gives, and another one.
    """
    w0, w1, w2, w3 = threefry4x32(
        int(key[0]), int(key[1]), int(key[2]), int(key[3]), n & MASK32, n >> 32, purpose, visit
    )
    return (w0 << 30) | (w1 >> 2), (w2 << 30) | (w3 >> 2)


@compiled
def quantile(tables: npt.NDArray[np.int64], offset: int, u62: int) -> int:
    """Return the value of a distribution at one draw.

    Parameters
    ----------
    tables : numpy.ndarray of int64
        One or more tables of ``layout.TABLE_LENGTH`` entries, one after the other.
    offset : int
        Index of the first entry of the table.
    u62 : int
        Draw from 0 to 2**62 - 1.

    Returns
    -------
    int
        Value in the unit of the table, rounded to the nearest whole unit, halves up. It never
        falls as ``u62`` rises.

    Notes
    -----
    The layout is described in ``sim.draws.layout``.
    """
    side = u62 >> 61
    # Complementing all 62 bits mirrors the upper half onto the lower one without a branch.
    v = u62 ^ (-side & _ALL62)
    base = offset + side * SIDE_LENGTH
    if v < TAIL_END:
        return int(tables[base])
    octave = 0
    # Six steps find the leading one; a loop over octaves is slower, as its end cannot be predicted.
    if v < 1 << 29:
        v <<= 32
        octave += 32
    if v < 1 << 45:
        v <<= 16
        octave += 16
    if v < 1 << 53:
        v <<= 8
        octave += 8
    if v < 1 << 57:
        v <<= 4
        octave += 4
    if v < 1 << 59:
        v <<= 2
        octave += 2
    if v < 1 << 60:
        v <<= 1
        octave += 1
    at = base + 1 + _OUTERMOST - octave * CELLS_PER_OCTAVE + ((v >> 54) & 63)
    # The final bit puts a draw in the middle of its part of the cell, so that rounding favours
    # neither side. From octave 31 on the draw has fewer than 24 bits left, and it stands earlier.
    fraction = ((v >> 29) & _FRACTION_MASK) | ((1 << octave) >> 30) | (octave < 31)
    left = int(tables[at])
    difference = int(tables[at + 1]) - left
    # The product may need 78 bits, so its two halves are taken one after the other; the floor of
    # a floor is the floor of the whole.
    low = ((difference & 0xFFFF) * fraction + _HALF) >> 16
    return left + (((difference >> 16) * fraction + low) >> (FRACTION_BITS - 16))


@compiled
def is_hit(u62: int, threshold62: int) -> bool:
    """Tell whether an event of given probability happens.

    Parameters
    ----------
    u62 : int
        Draw from 0 to 2**62 - 1.
    threshold62 : int
        Probability out of 2**62 (``thresholds.threshold62``).

    Returns
    -------
    bool
        True in exactly ``threshold62`` of 2**62 cases.
    """
    return u62 < threshold62


@compiled
def index_below(u62: int, count: int) -> int:
    """Choose one of ``count`` equally likely indices.

    Parameters
    ----------
    u62 : int
        Draw from 0 to 2**62 - 1; its upper 31 bits decide.
    count : int
        Number of indices, from 1 to 2**31 - 1.

    Returns
    -------
    int
        From 0 to ``count - 1``. No index is more likely than another by more than 2**-31.
    """
    return ((u62 >> 31) * count) >> 31


@compiled
def weighted_index(u62: int, cumulative62: npt.NDArray[np.int64], first: int, last: int) -> int:
    """Choose an index by weight.

    Parameters
    ----------
    u62 : int
        Draw from 0 to 2**62 - 1.
    cumulative62 : numpy.ndarray of int64
        Ascending thresholds (``thresholds.cumulative62``) at ``first`` to ``last - 1``, of which
        the greatest is 2**62; other choices may lie before and behind.
    first, last : int
        Range of indices to choose from; ``last`` is not part of it. At least one index.

    Returns
    -------
    int
        The least index from ``first`` to ``last - 1`` whose threshold is above ``u62``.
    """
    low = first
    high = last - 1
    while low < high:
        middle = (low + high) >> 1
        if u62 < int(cumulative62[middle]):
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def draw62_many(
    key: npt.NDArray[np.int64],
    n_first: int,
    count: int,
    purpose: int,
    visit: int,
    out: npt.NDArray[np.int64],
) -> None:
    """Draw for ``count`` consecutive n, as :func:`draw62` would one by one.

    Parameters
    ----------
    key, purpose, visit
        As for :func:`draw62`.
    n_first : int
        First n.
    count : int
        How many; at most the length of ``out``.
    out : numpy.ndarray of int64
        Receives draw i at index i.
    """
    for i in range(count):
        out[i] = draw62(key, n_first + i, purpose, visit)


@compiled
def quantile_many(
    tables: npt.NDArray[np.int64],
    offset: int,
    u62s: npt.NDArray[np.int64],
    out: npt.NDArray[np.int64],
) -> None:
    """Look up one value per draw, as :func:`quantile` would one by one.

    Parameters
    ----------
    tables, offset
        As for :func:`quantile`.
    u62s : numpy.ndarray of int64
        Draws.
    out : numpy.ndarray of int64
        Receives the value of draw i at index i; at least as long as ``u62s``. May be ``u62s``.
    """
    for i in range(len(u62s)):
        out[i] = quantile(tables, offset, int(u62s[i]))

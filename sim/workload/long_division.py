"""Products and fractions of whole numbers, though what lies between may not fit an int64.

Takes whole numbers; gives one. Compiled, uncompiled and in plain Python it is the same.
"""

from __future__ import annotations

from sim.jit.cache import compiled

_WIDTH_BITS = 61
"""Spans of time between breakpoints are below 2^62."""
_HALF_BITS = 31
_HALF_MASK = (1 << _HALF_BITS) - 1


@compiled
def scaled(part: int, whole: int, width: int, shift: int) -> int:
    """Return ``floor(part * width / whole)`` though the product may not fit.

    Parameters
    ----------
    part : int
        From 0 to ``whole - 1``.
    whole : int
        From 1 to 2^61 - 1.
    width : int
        From 0 to 2^62 - 1.
    shift : int
        62 less the bit length of ``whole``, from 1 on.

    Notes
    -----
    Long division with digits of ``shift`` bits: remainder and new digit together stay below
    ``2 * whole * 2^shift``, hence below 2^63.
    """
    mask = (1 << shift) - 1
    at = _WIDTH_BITS // shift * shift
    # Leading digits of 0 add nothing.
    while at > 0 and (width >> at) == 0:
        at -= shift
    ratio = 0
    rest = 0
    while at >= 0:
        rest = (rest << shift) + part * ((width >> at) & mask)
        ratio = (ratio << shift) + rest // whole
        rest %= whole
        at -= shift
    return ratio


@compiled
def high62(a: int, b: int) -> int:
    """Return ``floor(a * b / 2^62)`` for a and b from 0 to 2^62 - 1.

    Notes
    -----
    Schoolbook multiplication in halves of 31 bits; no partial sum reaches 2^63.
    """
    a_high = a >> _HALF_BITS
    a_low = a & _HALF_MASK
    b_high = b >> _HALF_BITS
    b_low = b & _HALF_MASK
    middle = a_high * b_low + a_low * b_high + ((a_low * b_low) >> _HALF_BITS)
    return a_high * b_high + (middle >> _HALF_BITS)

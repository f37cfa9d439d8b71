"""Threefry4x32-20: the random function behind every draw.

Takes a key of four 32-bit words and a counter of four 32-bit words, gives four random 32-bit words.
There is no state: the same key and counter always give the same words. Words are held in int64,
from 0 to 2**32 - 1, so that compiled code, the same code uncompiled, and plain Python integers
all agree (unsigned types mixed with signed ones silently become floats in NumPy and Numba).
"""

from __future__ import annotations

from sim.jit.cache import compiled

MASK32 = 0xFFFFFFFF

KEY_PARITY = 0x1BD11BDA
"""Constant of the Skein key schedule; keeps an all-zero key from being a fixed point."""


@compiled
def threefry4x32(
    k0: int, k1: int, k2: int, k3: int, c0: int, c1: int, c2: int, c3: int
) -> tuple[int, int, int, int]:
    """Return the four random words of one counter under one key.

    Parameters
    ----------
    k0, k1, k2, k3 : int
        Key words, each from 0 to 2**32 - 1.
    c0, c1, c2, c3 : int
        Counter words, each from 0 to 2**32 - 1.

    Returns
    -------
    tuple of int
        Four words, each from 0 to 2**32 - 1.

    Notes
    -----
    J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
    SC'11 (2011), section 4.1; rotation distances and parity as published with Random123. The
    twenty rounds are written out: a loop over a table of distances is several times slower. A key
    word is added after every fourth round. The largest rotation is 27, so a shifted word stays
    below 2**59 and never reaches the sign bit.
    """
    k4 = KEY_PARITY ^ k0 ^ k1 ^ k2 ^ k3
    x0 = (c0 + k0) & MASK32
    x1 = (c1 + k1) & MASK32
    x2 = (c2 + k2) & MASK32
    x3 = (c3 + k3) & MASK32

    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 10) | (x1 >> 22)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 26) | (x3 >> 6)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 11) | (x3 >> 21)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 21) | (x1 >> 11)) & MASK32) ^ x2
    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 13) | (x1 >> 19)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 27) | (x3 >> 5)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 23) | (x3 >> 9)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 5) | (x1 >> 27)) & MASK32) ^ x2

    x0 = (x0 + k1) & MASK32
    x1 = (x1 + k2) & MASK32
    x2 = (x2 + k3) & MASK32
    x3 = (x3 + k4 + 1) & MASK32

    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 6) | (x1 >> 26)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 20) | (x3 >> 12)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 17) | (x3 >> 15)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 11) | (x1 >> 21)) & MASK32) ^ x2
    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 25) | (x1 >> 7)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 10) | (x3 >> 22)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 18) | (x3 >> 14)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 20) | (x1 >> 12)) & MASK32) ^ x2

    x0 = (x0 + k2) & MASK32
    x1 = (x1 + k3) & MASK32
    x2 = (x2 + k4) & MASK32
    x3 = (x3 + k0 + 2) & MASK32

    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 10) | (x1 >> 22)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 26) | (x3 >> 6)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 11) | (x3 >> 21)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 21) | (x1 >> 11)) & MASK32) ^ x2
    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 13) | (x1 >> 19)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 27) | (x3 >> 5)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 23) | (x3 >> 9)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 5) | (x1 >> 27)) & MASK32) ^ x2

    x0 = (x0 + k3) & MASK32
    x1 = (x1 + k4) & MASK32
    x2 = (x2 + k0) & MASK32
    x3 = (x3 + k1 + 3) & MASK32

    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 6) | (x1 >> 26)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 20) | (x3 >> 12)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 17) | (x3 >> 15)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 11) | (x1 >> 21)) & MASK32) ^ x2
    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 25) | (x1 >> 7)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 10) | (x3 >> 22)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 18) | (x3 >> 14)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 20) | (x1 >> 12)) & MASK32) ^ x2

    x0 = (x0 + k4) & MASK32
    x1 = (x1 + k0) & MASK32
    x2 = (x2 + k1) & MASK32
    x3 = (x3 + k2 + 4) & MASK32

    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 10) | (x1 >> 22)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 26) | (x3 >> 6)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 11) | (x3 >> 21)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 21) | (x1 >> 11)) & MASK32) ^ x2
    x0 = (x0 + x1) & MASK32
    x1 = (((x1 << 13) | (x1 >> 19)) & MASK32) ^ x0
    x2 = (x2 + x3) & MASK32
    x3 = (((x3 << 27) | (x3 >> 5)) & MASK32) ^ x2
    x0 = (x0 + x3) & MASK32
    x3 = (((x3 << 23) | (x3 >> 9)) & MASK32) ^ x0
    x2 = (x2 + x1) & MASK32
    x1 = (((x1 << 5) | (x1 >> 27)) & MASK32) ^ x2

    x0 = (x0 + k0) & MASK32
    x1 = (x1 + k1) & MASK32
    x2 = (x2 + k2) & MASK32
    x3 = (x3 + k3 + 5) & MASK32

    return x0, x1, x2, x3

"""The rolling digest of a run as numbers that can be written down and gone on from.

Takes and gives what :class:`~sim.tables.digest.RollingDigest` does, byte for byte; the library's
own keeps its state to itself. BLAKE2b after RFC 7693, sections 2 and 3; compiled, as a run hands
over millions of rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.contract.plan import Array
from sim.jit.cache import compiled
from sim.tables.digest import ROWS_DOMAIN, Words

_BLOCK = 128
"""Bytes that are mixed at once."""
_LENGTH = 16
"""Bytes of the digest."""
# RFC 7693, section 2.6: fractions of the square roots of the first eight primes.
_IV = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)  # fmt: skip
# Section 2.7: the order in which each round takes the words of a block; round 10 is round 0 again.
_SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    dtype=np.int64,
)
# Section 3.1: the four words each of the eight mixtures of a round takes.
_MIXED = np.array(
    [
        [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
        [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
    ],
    dtype=np.int64,
)  # fmt: skip
# Section 2.1: turned right by so many bits, and left by what is left of 64.
_RIGHT = np.array([32, 24, 16, 63], dtype=np.uint64)
_LEFT = np.array([32, 40, 48, 1], dtype=np.uint64)

Bytes = npt.NDArray[np.uint8]


class KeptDigest:
    """Digest of rows in the order they come, whose state is two arrays."""

    def __init__(self) -> None:
        # Section 2.5: length of the digest, fan-out and depth 1; the person fills the last words.
        settings = np.zeros(64, dtype=np.uint8)
        settings[[0, 2, 3]] = _LENGTH, 1, 1
        settings[48 : 48 + len(ROWS_DOMAIN)] = np.frombuffer(ROWS_DOMAIN, dtype=np.uint8)
        self._state = _IV ^ settings.view("<u8").astype(np.uint64)
        self._counted = 0
        # The last block is mixed in another way, so whole ones wait until more comes.
        self._waiting: Bytes = np.zeros(0, dtype=np.uint8)

    def take(self, rows: Array | Words) -> None:
        """Add a chunk of rows, or of their words."""
        fresh = np.ascontiguousarray(rows).view("<i8").reshape(-1).view(np.uint8)
        held = np.concatenate([self._waiting, fresh])
        blocks = max(len(held) - 1, 0) // _BLOCK
        if blocks:
            self._mix(self._state, held[: blocks * _BLOCK], self._counted, 0)
            self._counted += blocks * _BLOCK
        self._waiting = held[blocks * _BLOCK :].copy()

    def text(self) -> str:
        """Return the digest of all rows so far."""
        last = np.zeros(_BLOCK, dtype=np.uint8)
        last[: len(self._waiting)] = self._waiting
        state = self._state.copy()
        # Counted are bytes that were given, not those that fill the block.
        self._mix(state, last, self._counted + len(self._waiting) - _BLOCK, 1)
        return state.astype("<u8").tobytes()[:_LENGTH].hex()

    @staticmethod
    def _mix(state: Words, held: Bytes, counted: int, is_last: int) -> None:
        words = held.view("<u8").astype(np.uint64).reshape(-1, _BLOCK // 8)
        constants = (_IV, _SIGMA, _MIXED, _RIGHT, _LEFT)
        # Sums are meant to wrap around; in plain Python NumPy would warn of it.
        with np.errstate(over="ignore"):
            mix_blocks(state, words, np.array([counted, is_last]), np.zeros(16, "<u8"), constants)


@compiled
def mix_blocks(
    state: Words,
    blocks: Words,
    told: Array,
    room: Words,
    constants: tuple[Words, Array, Array, Words, Words],
) -> None:
    """Mix blocks into a state, one after the other.

    Parameters
    ----------
    state : ndarray of uint64, shape (8,)
        Changed in place.
    blocks : ndarray of uint64, shape (blocks, 16)
    told : ndarray of int64, shape (2,)
        Bytes mixed before; whether the last block is the last of all.
    room : ndarray of uint64, shape (16,)
        Written over.
    constants : tuple of ndarray
        Initial words, order of words by round, words of each mixture, turns right and left.

    Notes
    -----
    RFC 7693, section 3.2, function F.
    """
    initial, order, mixed, right, left = constants
    for block in range(len(blocks)):
        told[0] += 128
        for at in range(8):
            room[at] = state[at]
            room[8 + at] = initial[at]
        room[12] ^= np.uint64(told[0])
        if told[1] != 0 and block == len(blocks) - 1:
            room[14] = ~room[14]
        for number in range(12):
            row = number % 10
            for mixture in range(8):
                a, b = mixed[mixture, 0], mixed[mixture, 1]
                c, d = mixed[mixture, 2], mixed[mixture, 3]
                # Twice: with one word of the block and two turns each.
                for half in range(2):
                    word = blocks[block, order[row, 2 * mixture + half]]
                    room[a] = room[a] + room[b] + word
                    turned = room[d] ^ room[a]
                    turn = 2 * half
                    room[d] = (turned >> right[turn]) | (turned << left[turn])
                    room[c] = room[c] + room[d]
                    turned = room[b] ^ room[c]
                    turn += 1
                    room[b] = (turned >> right[turn]) | (turned << left[turn])
        for at in range(8):
            state[at] ^= room[at] ^ room[8 + at]

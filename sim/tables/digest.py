"""Fingerprint what a run did, and the plan it ran.

Takes chunks of rows, or a plan; gives short hexadecimal texts. The rolling digest depends on the
order of rows and not on how they were cut into chunks; the content digest depends on neither.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sim.contract.plan import Array, Plan

Words = npt.NDArray[np.uint64]

_PLAN_DOMAIN = b"payroute.plan"
ROWS_DOMAIN = b"payroute.rows"
_SEEDED_FIELDS = frozenset({"seed", "replication", "stream_key", "ledger_key"})
"""Fields of a plan that depend on the seed and the replication by design; the names behind the
keys are hashed instead."""


def file_digest(path: Path) -> str:
    """Return a fingerprint of a file's bytes, to tell whether it was altered since."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def seal(content: Mapping[str, object]) -> str:
    """Return a fingerprint of what a JSON object says, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"payroute.seal").hexdigest()


class RollingDigest:
    """Digest of rows in the order they come (BLAKE2b, RFC 7693)."""

    def __init__(self) -> None:
        self._state = hashlib.blake2b(digest_size=16, person=ROWS_DOMAIN)

    def take(self, rows: Array | Words) -> None:
        """Add a chunk of rows, or of their words."""
        # Little-endian on every machine.
        self._state.update(np.ascontiguousarray(rows).view("<i8").tobytes())

    def text(self) -> str:
        """Return the digest of all rows so far."""
        return self._state.hexdigest()


class ContentDigest:
    """Digest of a set of rows whatever their order: the sum of one mixed word per row, twice.

    Notes
    -----
    The two sums are taken modulo 2**64. It tells different results apart; it is not meant to
    withstand somebody looking for a collision.
    """

    def __init__(self) -> None:
        self._first = 0
        self._second = 0

    def take(self, words: Words) -> None:
        """Add the words of a chunk of rows, as :func:`row_words` gives them."""
        # A sum does not depend on the order; two of them over differently mixed words make a
        # chance agreement one in 2^128.
        self._first += int(words.sum(dtype=np.uint64))
        self._second += int(_finalise(words ^ np.uint64(0xD6E8FEB86659FD93)).sum(dtype=np.uint64))

    def text(self) -> str:
        """Return the digest of all rows so far."""
        return "".join(f"{word % (1 << 64):016x}" for word in (self._first, self._second))


def row_words(rows: Array) -> Words:
    """Return one well-mixed word per row.

    Notes
    -----
    Each row is folded column by column through a step of SplitMix64 (Steele, Lea and Flood 2014)
    and finished with its finaliser.
    """
    columns = np.ascontiguousarray(rows.T).view(np.uint64)
    state = np.full(columns.shape[1], 0x9E3779B97F4A7C15, dtype=np.uint64)
    for column in columns:
        state ^= column
        state *= np.uint64(0xBF58476D1CE4E5B9)
        state ^= state >> np.uint64(29)
    return _finalise(state)


def plan_hash(plan: Plan) -> str:
    """Return 12 hexadecimal digits that stand for a compiled scenario.

    Parameters
    ----------
    plan : Plan
        The seed, the replication and the draw keys made from them do not count.

    Notes
    -----
    BLAKE2b over name, shape and content of every array and over every name, in order of field.
    Rate paths count as they are, so a random walk drawn from another seed is another plan.
    """
    state = hashlib.blake2b(digest_size=6, person=_PLAN_DOMAIN)
    for entry in fields(plan):
        # Two seeds of one scenario are the same plan.
        if entry.name in _SEEDED_FIELDS:
            continue
        value = getattr(plan, entry.name)
        if isinstance(value, np.ndarray):
            # With the shape: two arrays of the same bytes may be of different rows.
            head = f"{entry.name}:{value.shape}:"
            state.update(head.encode())
            state.update(np.ascontiguousarray(value, dtype="<i8").tobytes())
        else:
            # The representation of ints, tuples and the dataclass of names is unambiguous.
            state.update(f"{entry.name}={value!r};".encode())
    # Where a scenario declares no currency nothing is said of them, as ever.
    if plan.names.declared:
        # What one is called is for people.
        declared = [(one.code, one.exponent, one.granule, one.least) for one in plan.names.declared]
        state.update(f"declared={declared!r};".encode())
    return state.hexdigest()


def _finalise(words: Words) -> Words:
    """Mix every word so that each input bit reaches each output bit."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))

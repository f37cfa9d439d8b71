"""Keys of random streams, made from names.

Takes the seed, the replication and the names people gave to things; gives the four key words of a
stream and the number of a purpose. A key depends on nothing but its own name, so adding a stream,
a station or a corridor to a scenario leaves the draws of every other one as they were. This file
does without Numba, so that reading and checking a scenario stays quick.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sim.errors import suggest

STREAM_KINDS = ("payment", "ledger", "fx", "profile", "disruption")
"""What a stream can belong to; the same name under two kinds gives two unrelated streams."""

_STREAM_DOMAIN = b"payroute.stream"
_PURPOSE_DOMAIN = b"payroute.purpose"
_PURPOSE_MASK = 0x7FFFFFFF


def stream_key(seed: int, replication: int, kind: str, name: str) -> tuple[int, int, int, int]:
    """Return the key of one random stream.

    Parameters
    ----------
    seed : int
        Seed of the experiment, zero or more, of any size.
    replication : int
        Number of the replication, zero or more.
    kind : str
        One of :data:`STREAM_KINDS`.
    name : str
        Name of the demand stream, rail, currency pair, profile or disruption.

    Returns
    -------
    tuple of int
        Four words, each from 0 to 2**32 - 1.

    Raises
    ------
    ValueError
        If the seed or the replication is negative, or the kind unknown.

    Notes
    -----
    BLAKE2b (RFC 7693) with a digest of 128 bits over the four fields, each preceded by its length,
    so that no two different sets of fields can be written alike; words are read big-endian.
    """
    if seed < 0:
        raise ValueError(f"seed {seed} is negative; a seed is a whole number, 0 or more")
    if replication < 0:
        raise ValueError(f"replication {replication} is negative; replications count from 0")
    if kind not in STREAM_KINDS:
        known = ", ".join(STREAM_KINDS)
        raise ValueError(
            f"unknown kind of stream {kind!r}; known: {known}.{suggest(kind, STREAM_KINDS)}"
        )
    # As text, so that seeds may be of any size, and a flag of NumPy's type gives the same key.
    fields = (str(int(seed)), str(int(replication)), kind, name)
    digest = hashlib.blake2b(_encode(fields), digest_size=16, person=_STREAM_DOMAIN).digest()
    # Big-endian words on every machine: the same scenario gives the same numbers everywhere.
    w0, w1, w2, w3 = (int.from_bytes(digest[at : at + 4], "big") for at in (0, 4, 8, 12))
    return w0, w1, w2, w3


def purpose_id(name: str) -> int:
    """Return the number under which the draws of a purpose are counted.

    Parameters
    ----------
    name : str
        What the draw is for, such as ``amount`` or ``rail/bakong/authorisation_time``.

    Returns
    -------
    int
        From 0 to 2**31 - 1. Two names may collide; see :func:`check_purposes`.
    """
    digest = hashlib.blake2b(_encode((name,)), digest_size=4, person=_PURPOSE_DOMAIN).digest()
    # 31 bits: a purpose is a column of the plan and -1 stands for none there.
    return int.from_bytes(digest, "big") & _PURPOSE_MASK


def check_purposes(names: Iterable[str]) -> None:
    """Refuse a set of purpose names of which two would share their random numbers.

    Parameters
    ----------
    names : iterable of str
        Every purpose of a plan; the same name may come more than once.

    Raises
    ------
    ValueError
        If two different names have the same number; lists all such pairs and what to rename.
    """
    first_name: dict[int, str] = {}
    clashes: list[str] = []
    for name in names:
        # With a few hundred names out of 2^31 a clash is a matter of one in ten thousand
        # scenarios, and easily renamed; a draw shared by two decisions would never be noticed.
        other = first_name.setdefault(purpose_id(name), name)
        if other != name:
            clashes.append(
                f"purposes {other!r} and {name!r} would draw the same random numbers "
                f"(both are number {purpose_id(name)}); rename what {name!r} is named after, "
                "any other name will do"
            )
    if clashes:
        raise ValueError("; ".join(dict.fromkeys(clashes)))


def _encode(fields: Iterable[str]) -> bytes:
    """Join texts so that they can only be taken apart in one way."""
    parts = [field.encode("utf-8") for field in fields]
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)

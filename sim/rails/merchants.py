"""Payees of a sample: one code each, decoded once, and the dice that make them.

Takes words and weights; gives :class:`Merchant` values and choices that depend on nothing but the
words. Every scheme of codes makes its sample with these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

MERCHANTS_MAX = 10_000
"""Most codes of one sample."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """One code of the sample, decoded.

    Attributes
    ----------
    payload : str
        The code as scanned.
    agent : str
        Creditor agent: the institution the code's account lies with.
    currency : str
    schemes : tuple of str
        Schemes the code shows, ``unionpay`` among them if it carries tag 15.
    is_damaged : bool
        Whether the codec refuses its structure.
    expires_ms : int or None
        Unix milliseconds; None for a code that lasts.
    """

    payload: str
    agent: str
    currency: str
    schemes: tuple[str, ...]
    is_damaged: bool = False
    expires_ms: int | None = None

    @property
    def is_at_home(self) -> bool:
        """Return whether the code shows the national scheme."""
        return "khqr" in self.schemes


def uniform_of(*words: object) -> float:
    """Return a number in [0, 1) that depends on nothing but these words.

    The sample of merchants is part of the plan, not drawn by a run: no seed enters.
    """
    text = "\x1f".join(str(word) for word in words)
    digest = hashlib.blake2b(text.encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def pick_weighted(position: float, weights: Sequence[tuple[str, int]]) -> str:
    """Return the name at a position in [0, 1) along a line divided by integer weights."""
    mark = position * sum(weight for _, weight in weights)
    for name, weight in weights:
        mark -= weight
        if mark < 0:
            return name
    return weights[-1][0]

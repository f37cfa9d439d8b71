"""What a check of ``payroute verify`` is, and how it ended.

Takes what was expected and what was found, as text; gives a row of its table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one check ended.

    Attributes
    ----------
    group : str
        What kind of check it is, as in ``theory``.
    check : str
    expected : str
    found : str
    holds : bool
    """

    group: str
    check: str
    expected: str
    found: str
    holds: bool


Checks = Callable[[], Iterator[Verdict]]
"""A group of checks: gives verdicts as it comes to them."""

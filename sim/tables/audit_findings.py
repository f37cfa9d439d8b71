"""Collect what the audit checks and what it finds.

Takes names of rules and messages; gives counts per rule and the violations, each with the number
of the log row at which it showed.
"""

from __future__ import annotations

from dataclasses import dataclass

VIOLATIONS_KEPT = 200
"""A broken run repeats itself; this many are kept, the others are only counted."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Say what does not hold.

    Attributes
    ----------
    rule : str
        Name of the rule, see ``docs/audit.md``.
    event : int
        Number of the log row, from 0; -1 for what is no row of the log.
    message : str
        What was found and what should have been.
    """

    rule: str
    event: int
    message: str


class Findings:
    """Count checks and keep violations; also the clock every part of the audit reads.

    Attributes
    ----------
    now, key, row : int
        Time, order key and number of the log row at hand.
    checks : dict of str to int
        Checks made by rule.
    """

    __slots__ = ("checks", "count", "key", "now", "row", "violations")

    def __init__(self) -> None:
        self.now = -1
        self.key = -1
        self.row = -1
        self.checks: dict[str, int] = {}
        self.violations: list[Violation] = []
        self.count = 0

    def check(self, rule: str, holds: bool, message: str, *figures: int) -> bool:
        """Count one check; where it does not hold, keep the message.

        Parameters
        ----------
        rule : str
            Name of the rule.
        holds : bool
            Whether it holds.
        message : str
            What is wrong, with ``{}`` for each figure; only put together when needed.
        """
        self.checks[rule] = self.checks.get(rule, 0) + 1
        if not holds:
            self.add(rule, message.format(*figures))
        return holds

    def add(self, rule: str, message: str) -> None:
        """Keep a violation at the row at hand."""
        self.checks.setdefault(rule, 0)
        self.count += 1
        if len(self.violations) < VIOLATIONS_KEPT:
            at = f"{message} (t = {self.now} us)" if self.row >= 0 else message
            self.violations.append(Violation(rule, self.row, at))

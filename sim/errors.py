"""Every error a user can cause, and the one the program reports about itself.

Takes nothing of ours; imported by all layers. A user's mistake is a :class:`Problem` (where, what
was found, what is allowed, what to do); problems are collected and raised once as a
:class:`ScenarioError`. A broken invariant is a bug of ours and an :class:`InvariantViolation`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class PayrouteError(Exception):
    """Be the base of every error this package raises on purpose."""

    exit_code = 1


class UserError(PayrouteError):
    """Report a mistake in what the user gave; printed without a traceback, exit code 2."""

    exit_code = 2


class OptionError(UserError):
    """A mistake in one thing a caller chose; the door adds what its options begin with.

    Parameters
    ----------
    field : str
        What was chosen, as Python names it.
    message : str
        What was found, what is allowed, what to do.
    """

    def __init__(self, field: str, message: str) -> None:
        self.field, self.message = field, message
        super().__init__(f"{field}: {message}")

    def __reduce__(self) -> tuple[type[OptionError], tuple[str, str]]:
        """Say how to make it again, as in the process that asked for the work."""
        return type(self), (self.field, self.message)


class TooLargeError(UserError):
    """Report a run whose sums outgrow 64 bits: nothing of it is a result, and it is no bug."""


class CheckFailed(PayrouteError):
    """Report that a check the user asked for did not hold; exit code 3."""

    exit_code = 3


class MachineError(PayrouteError):
    """Report that the machine said no (disk, permission, missing tool); exit code 4."""

    exit_code = 4


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Say one thing that is wrong with a scenario, and where.

    Attributes
    ----------
    file : str
        File as the user named it, empty when the value came from the command line.
    line : int
        Line in that file, counted from 1; 0 when unknown.
    path : str
        Dotted path of the field, as ``--set`` would name it.
    message : str
        What was found, what is allowed, what to do.
    """

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = self.file or "--set"
        if self.line:
            place = f"{place}:{self.line}"
        told = f"{place} {self.path}: {self.message}" if self.path else f"{place}: {self.message}"
        return printable(told)


class ScenarioError(UserError):
    """Carry every problem of a scenario at once.

    Parameters
    ----------
    problems : iterable of Problem
        At least one; sorted by file, line and path for printing.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        # Problems of one place stay in the order they were found in: that of a file's lines.
        told = dict.fromkeys(problems)
        ordered = sorted(told, key=lambda problem: (problem.file, problem.line, problem.path))
        self.problems: tuple[Problem, ...] = tuple(ordered)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...]]]:
        """Travel between processes as the problems, of which the text is made anew."""
        return type(self), (self.problems,)


class InvariantViolation(PayrouteError):
    """Report a broken invariant of ours with what is needed to reproduce it.

    Parameters
    ----------
    message : str
        What did not hold.
    seed, event, payment : int, optional
        Seed of the run, index of the event being handled, payment concerned; -1 when not known.
    plan_hash : str, optional
        Hash of the plan being run.
    """

    def __init__(
        self,
        message: str,
        *,
        seed: int = -1,
        plan_hash: str = "",
        event: int = -1,
        payment: int = -1,
    ) -> None:
        self.seed, self.plan_hash, self.event, self.payment = seed, plan_hash, event, payment
        super().__init__(
            f"{message} (seed {seed}, plan {plan_hash or 'unknown'}, event {event}, "
            f"payment {payment})"
        )


def printable(text: str) -> str:
    """Return a text as one line in which nothing steers a terminal: such characters as escapes.

    Notes
    -----
    Spaces and joiners of no width, which Khmer is written with, stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in _OF_NO_WIDTH else f"\\u{ord(one):04x}" for one in text
    )


_OF_NO_WIDTH = "\u200b\u200c\u200d"


def suggest(found: str, allowed: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest allowed word, or an empty text."""
    close = difflib.get_close_matches(found, sorted(allowed), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""

"""Check a condition on every payment of a table at once.

Takes masks over payments; counts a check per payment and names the first few for which a condition
fails.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.audit.findings import Findings
from sim.contract.plan import Array

Mask = npt.NDArray[np.bool_]
_SHOWN = 5
"""Payments named per broken condition; the others are counted."""


class Checker:
    """Conditions on payments, told apart by their numbers.

    Parameters
    ----------
    findings : Findings
        Where violations go.
    numbers : ndarray of int64
        Number of each payment, or of whatever else the masks are over.
    what : str
        What the numbers are of.
    """

    def __init__(self, findings: Findings, numbers: Array, what: str = "payment") -> None:
        self._findings = findings
        self._numbers = numbers
        self._what = what

    def among(self, numbers: Array, what: str = "payment") -> Checker:
        """Return a checker of other things, or of payments in another order."""
        return Checker(self._findings, numbers, what)

    def every(self, rule: str, holds: Mask, message: str) -> None:
        """Keep a violation for the first few for which a condition fails.

        Parameters
        ----------
        rule : str
            Rule under which it is kept.
        holds : ndarray of bool
            Whether the condition holds, in the order of the numbers.
        message : str
            What is wrong where it does not.
        """
        f = self._findings
        f.checks[rule] = f.checks.get(rule, 0) + len(holds)
        broken = np.flatnonzero(~holds)
        for at in broken[:_SHOWN].tolist():
            f.add(rule, f"{self._what} {int(self._numbers[at])}: {message}")
        f.count += max(len(broken) - _SHOWN, 0)


def is_pair(first: Array, second: Array, allowed: tuple[Array, Array]) -> Mask:
    """Return whether each pair of numbers is one of those allowed.

    Parameters
    ----------
    first, second : ndarray of int64
        Numbers, or -1 for none; as many of each.
    allowed : tuple of ndarray of int64
        First and second numbers of the pairs allowed.
    """
    width = 2 + max(int(part.max(initial=0)) for part in (second, allowed[1]))
    codes = (allowed[0] + 1) * width + allowed[1] + 1
    found: Mask = np.isin((first + 1) * width + second + 1, codes)
    return found

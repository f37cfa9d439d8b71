"""What a sensitivity study asks, and who hears how it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sim.errors import OptionError, UserError
from sim.model.evidence import Evidence


@dataclass(frozen=True, slots=True)
class SensitivityPlan:
    """What is asked.

    Attributes
    ----------
    measures : tuple of str
        Keys of the measures that are the answers.
    seed, replications : int
        Common random numbers of every variant of the tornado.
    low, high : float
        Factors an estimate is multiplied by where ``ranges`` does not say.
    ranges : tuple of (str, str)
        Assumption and range, see :func:`~sim.study.sensitivity.range.parse_span`.
    top : int
        Assumptions of each measure whose Sobol indices are computed.
    sobol : int
        Base sample, a power of two; 0 leaves the indices out.
    sobol_replications : int
        Luck a point of the Sobol sample is the mean over; the same at every point.
    grades : tuple of Evidence
        What is varied.
    """

    measures: tuple[str, ...]
    seed: int
    replications: int = 5
    low: float = 0.5
    high: float = 2.0
    ranges: tuple[tuple[str, str], ...] = ()
    top: int = 5
    sobol: int = 32
    sobol_replications: int = 1
    grades: tuple[Evidence, ...] = (Evidence.ESTIMATED,)

    def __post_init__(self) -> None:
        if not 0 < self.low < 1 < self.high:
            raise UserError(
                f"--low, --high: found {self.low:g} and {self.high:g}; allowed: a factor below 1 "
                f"and one above 1"
            )
        if self.sobol < 0 or self.sobol & (self.sobol - 1):
            raise OptionError("sobol", f"found {self.sobol}; allowed: 0 or a power of two")
        if not self.measures:
            raise OptionError("measure", "found none; needed: one or more")


class Listener(Protocol):
    """Whoever hears how a study goes on."""

    def say(self, message: str) -> None:
        """Hear what is planned."""

    def tell(self, done: int, planned: int) -> None:
        """Hear how many runs are done."""

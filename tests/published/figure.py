"""What a published figure is held against: the figure, its tolerance, ours, and a control.

Takes the functions that make our figure; gives :class:`Figure` and the list of all of them, in the
order in which the files of this folder register them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev

from scipy.stats import t as student


@dataclass(frozen=True)
class Found:
    """Our figure, with the ends of its 95 % interval where it is a mean of replications."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Figure:
    """A figure from outside, and how ours is made.

    Attributes
    ----------
    key : str
        ``<scenario>/<what in a few words>``.
    what : str
        What is measured, in a sentence.
    published, tolerance : float
        The figure, and how far ours may lie from it, both in ``unit``.
    unit : str
    source : str
        Who published it: a key of the calibration, or words.
    why : str
        The arithmetic of the tolerance.
    ours, control : callable
        Our figure, and the same of a world in which it must not hold.
    against : str
        What is different in the control.
    how : str
        ``given``: it, or what it is made of, goes into the scenario, and must come out of the whole
        model again; ``fitted``: settings were chosen so that it comes out, which shows nothing;
        ``worked out``: by hand or formula from rules, without a run; ``predicted``: nothing of it
        goes in.
    because : str
        Where ours is known not to agree: why. Nothing is tuned to agree.
    is_large : bool
        Whether it takes more than some seconds, and CI leaves it out.
    """

    key: str
    what: str
    published: float
    unit: str
    tolerance: float
    source: str
    why: str
    ours: Callable[[], Found]
    control: Callable[[], Found] = field(repr=False)
    against: str
    how: str = "given"
    because: str = ""
    is_large: bool = False

    @property
    def scenario(self) -> str:
        return self.key.partition("/")[0]

    def agrees(self, found: Found) -> bool:
        """Say whether a figure is within the tolerance of the published one."""
        return abs(found.value - self.published) <= self.tolerance


FIGURES: list[Figure] = []
"""All figures, in the order in which they are registered."""


def published(**told: object) -> None:
    """Register a figure."""
    FIGURES.append(Figure(**told))  # type: ignore[arg-type]


def mean_of(values: Sequence[float]) -> Found:
    """Return a mean with its 95 % interval by Student's t; one value stands alone."""
    if len(values) < 2:
        return Found(values[0])
    half = float(student.ppf(0.975, len(values) - 1)) * stdev(values) / len(values) ** 0.5
    return Found(fmean(values), fmean(values) - half, fmean(values) + half)

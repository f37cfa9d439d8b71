"""Read how precise an answer is wanted, and say whether it is.

Takes texts such as ``success_rate±0.1%`` or ``p99+-5%rel``; gives :class:`PrecisionTarget` objects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sim.analysis.catalogue import HEADLINE_UNITS
from sim.analysis.kinds import BOUND, SHARE, read_bound
from sim.analysis.summary import Measure
from sim.errors import OptionError
from sim.study.measure_key import complaint, full_key

_TARGET = re.compile(rf"\s*(?P<name>[a-z][a-z0-9_]*)\s*(?:±|\+-|\+/-)\s*{BOUND}(?P<rel>rel)?\s*")
_ALLOWED = "such as success_rate±0.1%, p99±0.05 s or payer_cost_bps±2%rel (+- for ±)"


@dataclass(frozen=True, slots=True)
class PrecisionTarget:
    """One half-width that the interval of a measure must reach.

    Attributes
    ----------
    measure : str
        Full name.
    half_width : float
        In the measure's unit, or as a share of its value.
    is_relative : bool
        Whether it is a share of the value.
    unit : str or None
        As written, in words of the measures; None where none was written.
    """

    measure: str
    half_width: float
    is_relative: bool
    unit: str | None = None

    def wanted(self, measure: Measure) -> float:
        """Return the half-width wanted, in the measure's unit."""
        return self.half_width * abs(float(measure)) if self.is_relative else self.half_width

    def width(self, measure: Measure) -> Width:
        """Return how precisely a measure is known."""
        is_known = measure.value is not None and None not in (measure.low, measure.high)
        if not is_known or measure.low is None or measure.high is None:
            return Width(str(self), None, self.half_width, measure.unit)
        half = (measure.high - measure.low) / 2
        return Width(str(self), half, self.wanted(measure), measure.unit)

    def __str__(self) -> str:
        return f"{self.measure}±{self.half_width:g}{' rel' if self.is_relative else ''}"


@dataclass(frozen=True, slots=True)
class Width:
    """How wide an interval is, and how wide it may be.

    Attributes
    ----------
    what : str
        What it is of, in words.
    half : float or None
        Its half-width; None where there is no interval.
    wanted : float
        The half-width asked for.
    unit : str
        Of both.
    """

    what: str
    half: float | None
    wanted: float
    unit: str

    @property
    def is_reached(self) -> bool:
        """Say whether it is as narrow as asked for."""
        return self.half is not None and self.half <= self.wanted

    def needed(self, known: int) -> int:
        """Return about how many replications would make it so, judged by ``known`` of them.

        Notes
        -----
        It shrinks with the square root of the number. Of nothing, or of a share of nothing, no
        number is enough: then twice as many are tried. A billion stands for a number nobody will
        run.
        """
        if self.is_reached:
            return known
        if self.half is None or self.wanted == 0:
            return 2 * known
        return max(known + 1, min(10**9, int(known * (self.half / self.wanted) ** 2) + 1))

    def sentence(self, known: int) -> str:
        """Say whether it is reached with ``known`` replications, and if not, what would do."""
        if self.half is None:
            return f"{self.what}: not reached, {known} replications give no interval for it"
        told = f"with {known} replications ({self.half:.4g} {self.unit}, wanted {self.wanted:.4g})"
        if self.is_reached:
            return f"{self.what}: reached {told}"
        return (
            f"{self.what}: not reached {told}; stopped at the limit of {known} "
            f"replications, about {self.needed(known)} would do"
        )


def parse_precision(text: str) -> tuple[PrecisionTarget, ...]:
    """Read one or more targets, separated by commas.

    Raises
    ------
    OptionError
        If a target cannot be read.
    """
    targets = []
    for part in text.split(","):
        found = _TARGET.fullmatch(part)
        if found is None:
            raise OptionError("precision", f"found {part.strip()!r}; allowed: {_ALLOWED}")
        half_width, unit = read_bound(found["number"], found["unit"])
        name, is_relative = full_key(found["name"]), found["rel"] is not None
        if half_width == 0:
            raise OptionError("precision", f"found a width of 0 for {name}; allowed: above 0")
        if is_relative and unit not in (None, SHARE.unit):
            raise OptionError(
                "precision", f"found {part.strip()!r}; allowed before rel: a share or %"
            )
        of = None if is_relative else unit
        targets.append(PrecisionTarget(name, half_width, is_relative, of))
    return tuple(targets)


def check_targets(targets: Sequence[PrecisionTarget]) -> None:
    """Refuse targets for measures there are none of, or in another unit; before anything is run.

    Raises
    ------
    OptionError
        For the first such target.
    """
    for target in targets:
        wrong = complaint(target.measure)
        if wrong:
            raise OptionError("precision", wrong)
        of = HEADLINE_UNITS[target.measure]
        if target.unit not in (None, of):
            relative = "; for a share of the value write rel, as in 5%rel"
            raise OptionError(
                "precision",
                f"found {target.measure} in {target.unit}; allowed: {of}"
                f"{relative if target.unit == SHARE.unit else ''}",
            )

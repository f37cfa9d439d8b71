"""Read how precise an answer is wanted, and say whether it is.

Takes texts such as ``success_rate±0.1%`` or ``p99+-5%rel``; gives :class:`PrecisionTarget` objects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sim.analysis.summary import Measure
from sim.errors import OptionError, suggest

ALIASES = {
    "p50": "end_to_end_p50",
    "p90": "end_to_end_p90",
    "p95": "end_to_end_p95",
    "p99": "end_to_end_p99",
    "p999": "end_to_end_p999",
    "mean": "end_to_end_mean",
    "success": "success_rate",
}
"""Short names that --slo and --precision understand."""

_NUMBER = r"\d+(?:\.\d+)?"
_TARGET = re.compile(
    rf"\s*(?P<name>[a-z][a-z0-9_]*)\s*(?:±|\+-|\+/-)\s*(?P<number>{_NUMBER})\s*"
    r"(?P<unit>%|ms|s|min|h|bps)?\s*(?P<rel>rel)?\s*"
)
_ALLOWED = "such as success_rate±0.1%, p99±0.05 s or payer_cost_bps±2%rel (+- for ±)"
_UNITS = {"%": "share", "ms": "s", "s": "s", "min": "s", "h": "s", "bps": "bps"}
_TIME = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class PrecisionTarget:
    """Say how narrow the interval of a measure must be.

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

    def is_reached(self, measure: Measure) -> bool:
        """Say whether a measure is known so precisely."""
        if measure.value is None or measure.low is None or measure.high is None:
            return False
        return (measure.high - measure.low) / 2 <= self.wanted(measure)

    def __str__(self) -> str:
        return f"{self.measure}±{self.half_width:g}{' rel' if self.is_relative else ''}"


def parse_precision(text: str) -> tuple[PrecisionTarget, ...]:
    """Read one or more targets, separated by commas.

    Raises
    ------
    UserError
        If a target cannot be read.
    """
    targets = []
    for part in text.split(","):
        found = _TARGET.fullmatch(part)
        if found is None:
            raise OptionError("precision", f"found {part.strip()!r}; allowed: {_ALLOWED}")
        unit, is_relative = found["unit"], found["rel"] is not None
        of = None if unit is None or is_relative else _UNITS[unit]
        name = ALIASES.get(found["name"], found["name"])
        number = float(found["number"])
        if number == 0:
            raise OptionError("precision", f"found a width of 0 for {name}; allowed: above 0")
        if unit == "%":
            number /= 100
        elif is_relative and unit is not None:
            raise OptionError(
                "precision", f"found {part.strip()!r}; allowed before rel: a share or %"
            )
        elif unit in _TIME:
            number *= _TIME[unit]
        targets.append(PrecisionTarget(name, number, is_relative, of))
    return tuple(targets)


def check_targets(targets: Sequence[PrecisionTarget]) -> None:
    """Refuse targets for measures there are none of, or in another unit; before anything is run.

    Raises
    ------
    UserError
        For the first such target.
    """
    from sim.analysis.measures import headline_units

    units = headline_units()
    for target in targets:
        if target.measure not in units:
            raise OptionError(
                "precision",
                f"unknown measure {target.measure!r}; known: "
                f"{', '.join(sorted(units))}.{suggest(target.measure, (*units, *ALIASES))}",
            )
        if target.unit not in (None, units[target.measure]):
            relative = "; for a share of the value write rel, as in 5%rel"
            raise OptionError(
                "precision",
                f"found {target.measure} in {target.unit}; allowed: "
                f"{units[target.measure]}{relative if target.unit == 'share' else ''}",
            )

"""Read service-level objectives, and say whether a run meets them.

Takes texts such as ``p99<=5s,success>=99.5%``; gives :class:`Objective` objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sim.analysis.summary import Summary
from sim.errors import OptionError
from sim.study.measure_key import full_key, pick, require

_NUMBER = r"\d+(?:\.\d+)?"
_OBJECTIVE = re.compile(
    rf"\s*(?P<key>[a-z][A-Za-z0-9_./]*)\s*(?P<sign><=|>=|<|>)\s*(?P<number>{_NUMBER})\s*"
    r"(?P<unit>%|ms|s|min|h|bps)?\s*"
)
_FACTORS = {"%": 0.01, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "bps": 1.0, None: 1.0}
_UNITS = {"%": "share", "ms": "s", "s": "s", "min": "s", "h": "s", "bps": "bps"}
QUANTILE_EXCEEDANCES_MIN = 10
"""Payments that must lie above a quantile before it is believed."""
_TAILS = {"_p50": 0.5, "_p90": 0.1, "_p95": 0.05, "_p99": 0.01, "_p999": 0.001}


@dataclass(frozen=True, slots=True)
class Objective:
    """Bound one measure.

    Attributes
    ----------
    key : str
        The measure, see :func:`~sim.study.measure_key.pick`.
    is_upper : bool
        Whether the bound is from above.
    bound : float
        In the measure's unit; met when reached exactly.
    unit : str or None
        Unit as written, in words of the measures; None where none was written.
    """

    key: str
    is_upper: bool
    bound: float
    unit: str | None

    def is_met(self, summary: Summary) -> bool:
        """Say whether a run meets the objective; one without a value does not."""
        measure = pick(summary, self.key)
        return self.is_met_by(None if measure is None or measure.value is None else float(measure))

    @property
    def quantile(self) -> float | None:
        """Return the share of payments below the bounded quantile; None of another measure."""
        tail = next((tail for end, tail in _TAILS.items() if self.key.endswith(end)), None)
        return None if tail is None else 1 - tail

    def completions_needed(self) -> int:
        """Return how many completed payments a quantile needs before it is believed."""
        tail = next((tail for end, tail in _TAILS.items() if self.key.endswith(end)), None)
        return 0 if tail is None else round(QUANTILE_EXCEEDANCES_MIN / tail)

    def is_met_by(self, value: float | None) -> bool:
        """Say whether a value meets the objective; none does not."""
        if value is None:
            return False
        return value <= self.bound if self.is_upper else value >= self.bound

    def __str__(self) -> str:
        return f"{self.key} {'<=' if self.is_upper else '>='} {self.bound:g}"


def parse_slo(text: str) -> tuple[Objective, ...]:
    """Read objectives, separated by commas.

    Raises
    ------
    UserError
        If one cannot be read.
    """
    objectives = []
    for part in text.split(","):
        found = _OBJECTIVE.fullmatch(part)
        if found is None:
            raise OptionError(
                "slo", f"found {part.strip()!r}; allowed: such as 'p99<=5s,success>=99.5%'"
            )
        bound = float(found["number"]) * _FACTORS[found["unit"]]
        key, is_upper = full_key(found["key"]), found["sign"].startswith("<")
        unit = None if found["unit"] is None else _UNITS[found["unit"]]
        objectives.append(Objective(key, is_upper, bound, unit))
    return tuple(objectives)


def check_objectives(objectives: tuple[Objective, ...], summary: Summary) -> None:
    """Refuse objectives about measures there are none of, or in another unit.

    Raises
    ------
    UserError
        For the first such objective.
    """
    require(summary, tuple(objective.key for objective in objectives), where="--slo")
    for objective in objectives:
        measure = pick(summary, objective.key)
        if measure is not None and objective.unit not in (None, measure.unit):
            raise OptionError(
                "slo", f"found {objective.key} in {objective.unit}; allowed: {measure.unit}"
            )

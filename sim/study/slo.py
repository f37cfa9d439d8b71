"""Read service-level objectives, and say whether a run meets them.

Takes texts such as ``p99<=5s,success>=99.5%``; gives :class:`Objective` objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.kinds import BOUND, Pooling, read_bound
from sim.analysis.summary import Summary
from sim.errors import OptionError
from sim.study.measure_key import full_key, name_of, pick, require

_OBJECTIVE = re.compile(rf"\s*(?P<key>[a-z][A-Za-z0-9_./]*)\s*(?P<sign><=|>=|<|>)\s*{BOUND}")
QUANTILE_EXCEEDANCES_MIN = 10
"""Payments that must lie above a quantile before it is believed."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One bound of a measure.

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
        """Say whether a run meets the objective; one without a value does not.

        Notes
        -----
        A value known only to lie in a cell meets it where the whole cell does.
        """
        measure = pick(summary, self.key)
        if measure is None or measure.value is None:
            return False
        worse = measure.width / 2 if self.is_upper else -measure.width / 2
        return self.is_met_by(float(measure) + worse)

    @property
    def quantile(self) -> float | None:
        """Return the share of payments below the bounded quantile; None of another measure."""
        measure = CATALOGUE.get(name_of(self.key))
        # What counts open payments needs no completions to be believed: it says none instead.
        if measure is None or measure.pooling is Pooling.KAPLAN_MEIER:
            return None
        return measure.quantile

    def completions_needed(self) -> int:
        """Return how many completed payments a quantile needs before it is believed."""
        share = self.quantile
        return 0 if share is None else round(QUANTILE_EXCEEDANCES_MIN / (1 - share))

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
    OptionError
        If one cannot be read.
    """
    objectives = []
    for part in text.split(","):
        found = _OBJECTIVE.fullmatch(part)
        if found is None:
            raise OptionError(
                "slo", f"found {part.strip()!r}; allowed: such as 'p99<=5s,success>=99.5%'"
            )
        bound, unit = read_bound(found["number"], found["unit"])
        key, is_upper = full_key(found["key"]), found["sign"].startswith("<")
        objectives.append(Objective(key, is_upper, bound, unit))
    return tuple(objectives)


def check_objectives(objectives: tuple[Objective, ...], summary: Summary) -> None:
    """Refuse objectives about measures there are none of, or in another unit.

    Raises
    ------
    OptionError
        For the first such objective.
    """
    require(summary, tuple(objective.key for objective in objectives), where="slo")
    for objective in objectives:
        measure = pick(summary, objective.key)
        if measure is not None and objective.unit not in (None, measure.unit):
            raise OptionError(
                "slo", f"found {objective.key} in {objective.unit}; allowed: {measure.unit}"
            )

"""Read service-level objectives, and say whether a run meets them.

Takes texts such as ``p99<=5s,success>=99.5%``; gives :class:`Objective` objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.kinds import BOUND, SHARE, Better, Pooling, read_bound
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
        objectives.append(_objective(part.strip(), found))
    return tuple(objectives)


def _objective(part: str, found: re.Match[str]) -> Objective:
    """Return what one text says, unless no run could fail it or none could meet it."""
    bound, unit = read_bound(found["number"], found["unit"])
    key, sign = full_key(found["key"]), found["sign"]
    is_upper = sign.startswith("<")
    measure = CATALOGUE.get(name_of(key))
    # Names of groups are known by the run alone; what is wrong with them is said there.
    if measure is None:
        return Objective(key, is_upper, bound, unit)
    is_share = measure.kind.unit == SHARE.unit
    if is_share and unit is None:
        meant = f"{found['number']}%"
        raise OptionError(
            "slo", f"found {part!r}; allowed: a share with its sign, as in '{key}{sign}{meant}'"
        )
    if unit not in (None, measure.kind.unit):
        raise OptionError("slo", f"found {part!r}; allowed: {key} in {measure.kind.unit}")
    # A time that is at least so long, or a success that is at most so high, is nobody's aim.
    if measure.better in (Better.LOWER, Better.HIGHER):
        wanted = "<=" if measure.better is Better.LOWER else ">="
        if wanted[0] != sign[0]:
            better = "less" if measure.better is Better.LOWER else "more"
            raise OptionError(
                "slo",
                f"found {part!r}; of {name_of(key)} {better} is better; allowed: '{wanted}'",
            )
    # Met when reached exactly, so the ends of what can be are bounds like others.
    never = (is_share and not is_upper and bound > 1) or (is_upper and bound < 0)
    always = is_share and is_upper and bound >= 1
    if never or always or (not is_upper and bound <= 0 and measure.better is Better.HIGHER):
        told = "can never hold" if never else "always holds"
        raise OptionError("slo", f"found {part!r}, which {told}; allowed: a bound in between")
    return Objective(key, is_upper, bound, unit)


def check_objectives(objectives: tuple[Objective, ...], summary: Summary) -> None:
    """Refuse objectives about measures there are none of.

    Raises
    ------
    OptionError
        For the first such objective.
    """
    require(summary, tuple(objective.key for objective in objectives), where="slo")

"""What a search for a value looks for, and what it found.

Takes what a user asks for; gives a :class:`VaryPlan`, and holds the answer in a :class:`Varied`.
The search is in :mod:`sim.study.stress.vary`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from sim.errors import OptionError
from sim.scenario.scenario import LoadedScenario
from sim.study.slo import Objective, parse_slo
from sim.study.stress.field import VariedField, find_field
from sim.study.stress.points import REPLICATIONS, TOLERANCE
from sim.study.stress.search import Bracket

ENDS = ("smallest", "largest")
GROWTH_MAX = 2**20
"""Times its own value, or steps where that is 0, up to which a value is looked for."""


@dataclass(frozen=True, slots=True)
class VaryPlan:
    """What is looked for.

    Attributes
    ----------
    objectives : tuple of Objective
    field : VariedField
    seed, replications : int
        Runs of each value.
    tolerance : float
        Relative width at which a bracket is narrow enough.
    is_smallest : bool
        Whether more is better, and the least that holds is looked for; else the most.
    """

    objectives: tuple[Objective, ...]
    field: VariedField
    seed: int
    replications: int = REPLICATIONS
    tolerance: float = TOLERANCE
    is_smallest: bool = True

    @property
    def wanted(self) -> str:
        """Return the objectives in words."""
        return ", ".join(map(str, self.objectives))

    @property
    def objectives_text(self) -> tuple[str, ...]:
        """Return the objectives in words, one by one."""
        return tuple(map(str, self.objectives))

    @property
    def value_max(self) -> Decimal:
        """Return the largest value tried."""
        return (self.field.own or self.field.step) * GROWTH_MAX


@dataclass(frozen=True, slots=True)
class VaryPoint:
    """Every run of one value.

    Attributes
    ----------
    value : float
    holds : tuple of bool
        Whether each run meets the objectives, in order of replication; of a value the search only
        passed by, not of all.
    means : tuple of (float or None)
        Mean of each bounded measure over the runs; None where one has no value.
    """

    JSON_KEYS: ClassVar = "value runs=count held=held_count means"

    value: float
    holds: tuple[bool, ...]
    means: tuple[float | None, ...]

    @property
    def count(self) -> int:
        """Return how many runs there are."""
        return len(self.holds)

    @property
    def held_count(self) -> int:
        """Return how many of them meet the objectives."""
        return sum(self.holds)


@dataclass(frozen=True, slots=True)
class Varied:
    """What a search for a value found.

    Attributes
    ----------
    plan : VaryPlan
    points : tuple of VaryPoint
        Ascending.
    brackets : tuple of Bracket
        One per replication; the end that holds is ``high`` of a smallest value, else ``low``.
    value, low, high : float or None
        Mean over replications and its 95 % interval; None where a replication found no end.
    holds_in_all : float or None
        The value next to it with which every replication was run and held.
    why : str
        Where nothing holds: the reason most payments fail for; else empty.
    """

    JSON_KEYS: ClassVar = (
        "verdict find field=plan.field.path unit=plan.field.unit own=own value low high "
        "holds_in_all brackets points objectives=plan.objectives_text "
        "replications=plan.replications tolerance=plan.tolerance step"
    )

    plan: VaryPlan
    points: tuple[VaryPoint, ...]
    brackets: tuple[Bracket, ...]
    value: float | None
    low: float | None
    high: float | None
    holds_in_all: float | None
    why: str = ""

    @property
    def verdict(self) -> str:
        """Return PASS if a value holds in every replication."""
        return "FAIL" if self.holds_in_all is None else "PASS"

    @property
    def is_valid(self) -> bool:
        """Return True: what is too short to be judged is refused."""
        return True

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why nothing was found, if so."""
        if self.verdict == "PASS":
            return ()
        why = f", most payments fail with {self.why}" if self.why else ""
        return (f"no {self.plan.field.path} was found that holds it in every run{why}",)

    @property
    def find(self) -> str:
        """Return which end was looked for."""
        return ENDS[0] if self.plan.is_smallest else ENDS[1]

    @property
    def own(self) -> float:
        """Return the scenario's own value."""
        return float(self.plan.field.own)

    @property
    def step(self) -> float:
        """Return what values are multiples of."""
        return float(self.plan.field.step)


def plan_search(
    loaded: LoadedScenario,
    wanted: tuple[str, str, str | None],
    slo: str,
    settings: tuple[int, int, float],
) -> VaryPlan:
    """Return what is looked for, as a user asks for it.

    Parameters
    ----------
    loaded : LoadedScenario
    wanted : (str, str, str or None)
        Path of the field, which end (one of :data:`ENDS`), and step.
    slo : str
        Objectives.
    settings : (int, int, float)
        Seed, replications and tolerance.

    Raises
    ------
    OptionError
        If any of it is not to be understood.
    """
    path, find, step = wanted
    if find not in ENDS:
        raise OptionError("find", f"found {find!r}; allowed: {', '.join(ENDS)}")
    seed, replications, tolerance = settings
    return VaryPlan(
        objectives=parse_slo(slo),
        field=find_field(loaded, path, step),
        seed=seed,
        replications=replications,
        tolerance=tolerance,
        is_smallest=find == ENDS[0],
    )

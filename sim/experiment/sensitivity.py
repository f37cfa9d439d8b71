"""Ask which assumption moves the answer, hence which should be measured first.

Takes a scenario and a measure; gives a tornado (every estimate moved down and up alone, on common
luck) and, for the estimates that matter most, Sobol indices (all moved together).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sim.errors import UserError
from sim.experiment.assumptions import Assumption, find_assumptions
from sim.experiment.picking import pick, require
from sim.experiment.pool import Pool
from sim.experiment.work import WorkItem, do_work
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import LoadedScenario, load_scenario

if TYPE_CHECKING:
    from sim.analysis.summary import Json

Floats = npt.NDArray[np.float64]
Notice = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SensitivityPlan:
    """Say what is asked.

    Attributes
    ----------
    measure : str
        Key of the measure that is the answer.
    low, high : float
        Factors an estimate is multiplied by where ``ranges`` does not say.
    ranges : dict of str to (float, float)
        Factors by name of the assumption.
    seed, replications : int
        The same luck for every variant.
    top : int
        Assumptions whose Sobol indices are computed.
    sobol : int
        Base sample, a power of two; 0 leaves the indices out.
    """

    measure: str
    seed: int
    low: float = 0.5
    high: float = 2.0
    ranges: tuple[tuple[str, tuple[float, float]], ...] = ()
    replications: int = 3
    top: int = 5
    sobol: int = 32

    def __post_init__(self) -> None:
        if not 0 < self.low < 1 < self.high:
            raise UserError(
                f"--low, --high: found {self.low:g} and {self.high:g}; allowed: a factor below 1 "
                f"and one above 1"
            )
        if self.sobol & (self.sobol - 1):
            raise UserError(f"--sobol: found {self.sobol}; allowed: 0 or a power of two")

    def range(self, name: str) -> tuple[float, float]:
        """Return the factors of an assumption."""
        return dict(self.ranges).get(name, (self.low, self.high))


@dataclass(frozen=True, slots=True)
class Swing:
    """Say what one assumption moves on its own.

    Attributes
    ----------
    low, high : float or None
        The measure with the assumption at its low and high factor.
    note : str
        Why there is no figure; empty if there is.
    first_order, total : float or None
        Sobol indices, for the assumptions that matter most.
    """

    assumption: Assumption
    factors: tuple[float, float]
    low: float | None
    high: float | None
    note: str = ""
    first_order: float | None = None
    total: float | None = None

    def size(self, base: float) -> float:
        """Return how far the answer moves at most."""
        moved = [abs(value - base) for value in (self.low, self.high) if value is not None]
        return max(moved, default=0.0)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Hold the answer.

    Attributes
    ----------
    base : float
        The measure as the scenario stands.
    swings : tuple of Swing
        Largest first; those that could not be varied last.
    """

    plan: SensitivityPlan
    unit: str
    base: float
    swings: tuple[Swing, ...]

    @property
    def first(self) -> Swing | None:
        """Return the assumption to measure first, None where none moves the answer."""
        varied = [swing for swing in self.swings if swing.size(self.base) > 0]
        return varied[0] if varied else None

    def sentence(self) -> str:
        """Say which assumption should be measured first."""
        first = self.first
        if first is None:
            return f"No estimate moves {self.plan.measure}."
        low, high = first.factors
        ends = [f"{value:.4g}" for value in (first.low, first.high) if value is not None]
        share = (
            "" if first.total is None else f", and {first.total:.0%} of the spread of the answer"
        )
        return (
            f"Measure {first.assumption.name} first ({first.assumption.source}): between {low:g} "
            f"and {high:g} times its estimate {self.plan.measure} moves from {self.base:.4g} to "
            f"{' and '.join(ends)} {self.unit}{share}."
        )

    def as_json(self) -> dict[str, Json]:
        """Return the object of ``sensitivity --json``."""
        first = self.first
        return {
            "measure": self.plan.measure,
            "unit": self.unit,
            "base": self.base,
            "measure_first": None if first is None else first.assumption.name,
            "sentence": self.sentence(),
            "assumptions": [
                {
                    "name": swing.assumption.name,
                    "source": swing.assumption.source,
                    "factors": list(swing.factors),
                    "low": swing.low,
                    "high": swing.high,
                    "swing": swing.size(self.base),
                    "first_order": swing.first_order,
                    "total": swing.total,
                    "note": swing.note,
                }
                for swing in self.swings
            ],
        }


def find_sensitivity(
    loaded: LoadedScenario, plan: SensitivityPlan, pool: Pool, *, notice: Notice | None = None
) -> Sensitivity:
    """Vary every estimate alone, then those that matter most together.

    Parameters
    ----------
    loaded : LoadedScenario
    plan : SensitivityPlan
    pool : Pool
        Where runs are done.
    notice : callable, optional
        Hears runs done and planned.

    Raises
    ------
    UserError
        If the measure is unknown or the scenario has no estimate.
    """
    study = _Study(loaded, plan, pool, notice)
    assumptions = find_assumptions(loaded)
    if not assumptions:
        raise UserError("sensitivity: found no value with evidence estimated; nothing to vary")
    unknown = [name for name, _ in plan.ranges if name not in {a.name for a in assumptions}]
    if unknown:
        known = ", ".join(assumption.name for assumption in assumptions)
        raise UserError(f"--range: unknown assumption {unknown[0]!r}; known: {known}")
    base_text = dump_resolved(loaded.document)
    base, unit = study.base(base_text)
    swings = study.tornado(assumptions)
    swings.sort(key=lambda swing: (-swing.size(base), swing.assumption.name))
    strongest = [swing for swing in swings if swing.size(base) > 0][: plan.top]
    if plan.sobol and strongest:
        first_order, total = study.indices(strongest)
        for at, swing in enumerate(strongest):
            place = swings.index(swing)
            swings[place] = Swing(
                swing.assumption,
                swing.factors,
                swing.low,
                swing.high,
                first_order=first_order[at],
                total=total[at],
            )
    return Sensitivity(plan, unit, base, tuple(swings))


class _Study:
    """Run variants of one scenario."""

    def __init__(
        self, loaded: LoadedScenario, plan: SensitivityPlan, pool: Pool, notice: Notice | None
    ) -> None:
        self._path, self._plan, self._pool, self._notice = (
            loaded.document.files[0],
            plan,
            pool,
            notice,
        )
        self._text = dump_resolved(loaded.document)

    def base(self, text: str) -> tuple[float, str]:
        """Return the measure as the scenario stands, and its unit."""
        done = do_work(WorkItem(text, self._plan.seed, 0))
        require(done.summary, (self._plan.measure,), where="--measure")
        found = pick(done.summary, self._plan.measure)
        value = self.values([text])[0]
        if value is None or found is None:
            raise UserError(f"--measure: {self._plan.measure} has no value in this scenario")
        return value, found.unit

    def tornado(self, assumptions: Sequence[Assumption]) -> list[Swing]:
        """Move each assumption down and up."""
        texts: list[str] = []
        where: list[tuple[Assumption, tuple[float, float], list[int | None], str]] = []
        for assumption in assumptions:
            factors = self._plan.range(assumption.name)
            if not assumption.is_scalable:
                where.append((assumption, factors, [], "no quantity: choose arms in `compare`"))
                continue
            places: list[int | None] = []
            note = ""
            for factor in factors:
                try:
                    texts.append(self.variant([(assumption, factor)]))
                    places.append(len(texts) - 1)
                except UserError as error:
                    places.append(None)
                    note = f"not allowed at {factor:g} times: {str(error).splitlines()[0]}"
            where.append((assumption, factors, places, note))
        values = self.values(texts)
        swings = []
        for assumption, factors, places, note in where:
            ends = [None if at is None else values[at] for at in places] or [None, None]
            swings.append(Swing(assumption, factors, ends[0], ends[1], note))
        return swings

    def indices(self, swings: Sequence[Swing]) -> tuple[list[float], list[float]]:
        """Return first-order and total Sobol indices of the assumptions.

        Notes
        -----
        Saltelli's estimators as :func:`scipy.stats.sobol_indices` computes them; each factor is
        log-uniform over its range, because halving and doubling are as far.
        """
        from scipy import stats

        if len(swings) == 1:
            # All that varies is this one; the estimators of SciPy need at least two.
            return [1.0], [1.0]
        lows = np.log([swing.factors[0] for swing in swings])
        highs = np.log([swing.factors[1] for swing in swings])

        def answers(points: Floats) -> Floats:
            texts = []
            for column in points.T:
                factors = np.exp(lows + column * (highs - lows))
                pairs = [(s.assumption, float(f)) for s, f in zip(swings, factors, strict=True)]
                texts.append(self.variant(pairs))
            values = self.values(texts)
            return np.array([np.nan if value is None else value for value in values])

        found = stats.sobol_indices(
            func=answers,
            n=self._plan.sobol,
            dists=[stats.uniform()] * len(swings),
            rng=self._plan.seed,
        )
        return [float(x) for x in found.first_order], [float(x) for x in found.total_order]

    def variant(self, changes: Sequence[tuple[Assumption, float]]) -> str:
        """Return the scenario with assumptions multiplied."""
        import tempfile

        overrides = [
            text for assumption, factor in changes for text in assumption.overrides(factor)
        ]
        with tempfile.TemporaryDirectory(prefix="payroute-") as folder:
            path = Path(folder) / self._path.name
            path.write_text(self._text, encoding="utf-8")
            return dump_resolved(load_scenario(path, overrides).document)

    def values(self, texts: Sequence[str]) -> list[float | None]:
        """Return the measure of every variant, as mean over replications."""
        count = self._plan.replications
        items = [
            WorkItem(text, self._plan.seed, number) for text in texts for number in range(count)
        ]
        found: list[float | None] = [None] * len(items)
        for done, (at, finished) in enumerate(self._pool.run(do_work, items), 1):
            measure = pick(finished.summary, self._plan.measure)
            if measure is not None and measure.value is not None:
                found[at] = float(measure)
            if self._notice is not None:
                self._notice(done, len(items))
        means: list[float | None] = []
        for at in range(len(texts)):
            known = [value for value in found[at * count : (at + 1) * count] if value is not None]
            means.append(sum(known) / len(known) if len(known) == count else None)
        return means

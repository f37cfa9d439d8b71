"""Run variants of one scenario, unless they compile to what is known already.

Takes a scenario and the changes that make variants; gives the measures of every replication of
them. A variant is loaded once for all its replications, and where its compiled form is that of the
base it is not run: it cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.analysis.summary import Measure
from sim.errors import ScenarioError, UserError
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import LoadedScenario
from sim.study.case import Case, Outcome
from sim.study.measure_key import full_key, pick, refuse_pooled, require
from sim.study.pool import LocalPool, Pool
from sim.study.runner import Asking, Batch, Done, run_cases
from sim.study.sensitivity.plan import Listener, SensitivityPlan
from sim.study.sensitivity.swing import enough_to_see


@dataclass(frozen=True, slots=True)
class VariantRun:
    """One replication of a variant.

    Attributes
    ----------
    fingerprint : str
        Of what was compiled.
    values : tuple of Measure or None, or None
        One per measure; None as a whole where the compiled form is the base's and nothing was run.
    digest : str
        Of all payments.
    seconds : float
        Compiling and running.
    """

    fingerprint: str
    values: tuple[Measure | None, ...] | None
    digest: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Variant:
    """What came of a variant.

    Attributes
    ----------
    runs : tuple of VariantRun
        In order of the replications; empty if it was refused.
    refusal : str
        What the scenario does not allow.
    """

    runs: tuple[VariantRun, ...]
    refusal: str = ""


_Variants = Asking[list[Variant]]


class Variants:
    """The variants of one scenario, and how many runs of them were done.

    Parameters
    ----------
    loaded : LoadedScenario
    plan : SensitivityPlan
    listener : Listener, optional
        Hears what is planned and how many runs are done.

    Attributes
    ----------
    keys : tuple of str
        Full names of the measures.
    runs, spared : int
        Runs done, and those that were not needed.
    """

    def __init__(
        self, loaded: LoadedScenario, plan: SensitivityPlan, listener: Listener | None
    ) -> None:
        self._plan, self._listener = plan, listener
        self._text = dump_resolved(loaded.document)
        self._planned = 0
        self.keys = tuple(dict.fromkeys(map(full_key, plan.measures)))
        self.runs = self.spared = 0

    def units(self, pool: Pool) -> list[str]:
        """Return the unit of every measure; refuse measures there are none of."""
        refuse_pooled(self.keys, where="--measure")
        (outcome,) = run_cases([replace(self._case((), 0), measures=None)], pool)
        require(outcome.summary, self.keys, where="--measure")
        found = [pick(outcome.summary, key) for key in self.keys]
        return ["" if measure is None else measure.unit for measure in found]

    def base(self) -> Asking[Variant]:
        """Ask for the scenario as it stands, every replication in a process of its own."""
        count = self._planned = self._plan.replications
        variants = yield from self._run([(self._case((), number),) for number in range(count)])
        for variant in variants:
            if variant.refusal:
                raise UserError(f"sensitivity: the scenario is refused: {variant.refusal}")
        return Variant(tuple(run for variant in variants for run in variant.runs))

    def announce(self, base: Variant, variants: int, pool: Pool) -> None:
        """Say how many runs are planned, and about how long they take."""
        plan = self._plan
        together = plan.sobol * (plan.top * len(self.keys) + 2) * plan.sobol_replications
        self._planned = plan.replications * (1 + variants) + together
        if self._listener is None:
            return
        jobs = pool.jobs if isinstance(pool, LocalPool) else 1
        seconds = (self._planned - plan.replications) * min(run.seconds for run in base.runs)
        sobol = f", and at most {together} for Sobol indices" if together else ""
        self._listener.say(
            f"at most {self._planned} runs: {plan.replications} of the scenario as it stands, "
            f"{plan.replications} of each of {variants} variants{sobol}; "
            f"about {_duration(seconds / jobs)} with {jobs} process{'es' if jobs > 1 else ''}"
        )

    def alone(self, points: Sequence[tuple[str, ...]], base: Variant) -> _Variants:
        """Ask for variants, for those that show no difference on the first replications only."""
        numbers = range(self._plan.replications)
        few = enough_to_see(len(numbers))
        prints = [run.fingerprint for run in base.runs]

        found = yield from self._run(
            [self._batch(changes, numbers[:few], prints) for changes in points]
        )
        if few == len(numbers):
            return found
        moving = [at for at, variant in enumerate(found) if _differs(variant, base)]
        left = len(found) - len(moving)
        self.spared += left * (len(numbers) - few)
        self._planned -= left * (len(numbers) - few)
        rest = yield from self._run(
            [self._batch(points[at], numbers[few:], prints) for at in moving]
        )
        for at, variant in zip(moving, rest, strict=True):
            runs = () if variant.refusal else found[at].runs + variant.runs
            found[at] = Variant(runs, variant.refusal)
        return found

    def together(self, points: Sequence[tuple[str, ...]]) -> _Variants:
        """Ask for points of the Sobol sample, each on the same few replications."""
        numbers = range(self._plan.sobol_replications)
        # What was planned at most is known exactly by now.
        self._planned = 0
        return (yield from self._run([self._batch(point, numbers) for point in points]))

    def notice(self, done: int, planned: int) -> None:
        """Hear how many runs are done, of how many in the rounds so far."""
        if self._listener is not None:
            self._listener.tell(done, max(self._planned, planned))

    def _run(self, batches: Sequence[Batch]) -> _Variants:
        variants = [self._variant(done) for done in (yield batches)]
        runs = sum(run.values is not None for variant in variants for run in variant.runs)
        self.runs += runs
        self.spared += sum(map(len, batches)) - runs
        return variants

    def _variant(self, done: Done) -> Variant:
        """Return what came of a variant; that the scenario refuses it is an answer, too."""
        if isinstance(done.error, ScenarioError):
            return Variant((), done.error.problems[0].message)
        if isinstance(done.error, UserError):
            return Variant((), str(done.error).splitlines()[0])
        done.raise_error()
        return Variant(tuple(map(self._picked, done.outcomes)))

    def _picked(self, outcome: Outcome) -> VariantRun:
        values = None
        if outcome.is_run:
            picked = [pick(outcome.summary, key) for key in self.keys]
            values = tuple(
                None if measure is None or measure.value is None else measure for measure in picked
            )
        digest = outcome.totals.payments_digest
        return VariantRun(outcome.fingerprint, values, digest, outcome.seconds)

    def _batch(self, changes: tuple[str, ...], numbers: range, known: Sequence[str] = ()) -> Batch:
        return tuple(
            self._case(changes, number, known[number] if known else "") for number in numbers
        )

    def _case(self, changes: tuple[str, ...], number: int, known: str = "") -> Case:
        plan = self._plan
        return Case(
            self._text,
            plan.seed,
            number,
            changes=changes,
            measures=self.keys,
            fingerprint=known,
        )


def _differs(variant: Variant, base: Variant) -> bool:
    """Say whether any answer differs from the base in any replication."""
    return any(
        run.values is not None and run.values != known.values
        for run, known in zip(variant.runs, base.runs, strict=False)
    )


def mean_of(variant: Variant, at: int) -> float:
    """Return the mean of a measure over replications, not a number where a run has none."""
    values = [run.values[at] for run in variant.runs if run.values is not None]
    if not values or any(value is None for value in values):
        return float("nan")
    return float(np.mean([float(value) for value in values if value is not None]))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"

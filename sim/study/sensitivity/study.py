"""Ask which assumption moves the answer, hence which should be measured first.

Takes a scenario and measures; gives for each measure a tornado (every estimate moved down and up
alone, on common luck, with intervals) and, for the estimates that matter most, Sobol indices (all
moved together). All measures come from the same runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sim.analysis.intervals import Interval, mean_interval
from sim.errors import OptionError, UserError, suggest
from sim.model.evidence import Evidence
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import LoadedScenario
from sim.study.measure_key import full_key, pick, require
from sim.study.pool import LocalPool, Pool
from sim.study.sensitivity.assumptions import Assumption, find_assumptions
from sim.study.sensitivity.indices import Design, Index, Indices, alone
from sim.study.sensitivity.range import Move, Span, default_span, overrides, parse_span
from sim.study.sensitivity.swing import (
    Effect,
    End,
    Swing,
    enough_to_see,
    is_shown_larger,
    judge,
)
from sim.study.sensitivity.work import Variant, VariantItem, run_base, run_variants


class Listener(Protocol):
    """Hear how a study goes on."""

    def say(self, message: str) -> None:
        """Hear what is planned."""

    def tell(self, done: int, planned: int) -> None:
        """Hear how many runs are done."""


@dataclass(frozen=True, slots=True)
class SensitivityPlan:
    """Say what is asked.

    Attributes
    ----------
    measures : tuple of str
        Keys of the measures that are the answers.
    seed, replications : int
        The same luck for every variant of the tornado.
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


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Hold the answer for one measure.

    Attributes
    ----------
    measure, unit : str
    base : Interval
        The measure as the scenario stands.
    swings : tuple of Swing
        Those that move the answer first, the largest first; what could not be varied last.
    indices : Indices or None
        Of the estimates in ``indexed``, where asked for and possible.
    indexed : tuple of str
        Names of the assumptions that vary together in the indices.
    """

    plan: SensitivityPlan
    measure: str
    unit: str
    base: Interval
    swings: tuple[Swing, ...]
    indices: Indices | None = None
    indexed: tuple[str, ...] = ()

    @property
    def first(self) -> Swing | None:
        """Return the assumption to measure first, None where none is shown to move the answer."""
        first = self.swings[0] if self.swings else None
        return first if first is not None and first.is_candidate else None

    @property
    def tied(self) -> tuple[Swing, ...]:
        """Return the swings that the first is not shown to be larger than."""
        first = self.first
        if first is None or first.effect is not Effect.MOVES:
            return ()
        return tuple(
            swing for swing in self.having(Effect.MOVES)[1:] if not is_shown_larger(first, swing)
        )

    @property
    def stronger(self) -> str | None:
        """Return the assumption whose total index is above that of the first, None without one."""
        if self.indices is None or self.first is None:
            return None
        own = self.indices.total[self.indexed.index(self.first.assumption.name)]
        best = max(self.indices.total, key=lambda index: index.value)
        return self.indexed[self.indices.total.index(best)] if best.low > own.value else None

    def having(self, effect: Effect) -> tuple[Swing, ...]:
        """Return the swings with an effect."""
        return tuple(swing for swing in self.swings if swing.effect is effect)

    def index(self, swing: Swing) -> tuple[Index, Index] | None:
        """Return first-order and total index of an assumption, None where it has none."""
        if self.indices is None or swing.assumption.name not in self.indexed:
            return None
        at = self.indexed.index(swing.assumption.name)
        return self.indices.first_order[at], self.indices.total[at]


@dataclass(frozen=True, slots=True)
class SensitivityStudy:
    """Hold the answers for all measures.

    Attributes
    ----------
    answers : tuple of Sensitivity
        In the order of the plan's measures.
    runs : int
        Runs that were done.
    spared : int
        Runs that were not needed, because they compile to what was run before.
    """

    plan: SensitivityPlan
    answers: tuple[Sensitivity, ...]
    runs: int
    spared: int


def find_sensitivity(
    loaded: LoadedScenario, plan: SensitivityPlan, pool: Pool, *, listener: Listener | None = None
) -> SensitivityStudy:
    """Vary every estimate alone, then those that matter most together.

    Parameters
    ----------
    loaded : LoadedScenario
    plan : SensitivityPlan
    pool : Pool
        Where runs are done.
    listener : Listener, optional
        Hears what is planned and how many runs are done.

    Raises
    ------
    UserError
        If a measure or the name of a range is unknown, or the scenario has no estimate.

    Notes
    -----
    Every variant has the customers and the luck of the base, so a swing is judged by its paired
    differences over replications. P values of all ends that differ at all are corrected together
    (Holm 1979): what is not shown at 5 % for the family is called noise and is never first. A
    variant whose answers are those of the base in so many replications that the rest could not show
    a difference is not run on the rest (:func:`~sim.study.sensitivity.swing.enough_to_see`).

    A Sobol index is the share of the variance of the answer that a factor explains when each of
    the factors is log-uniform and independent over its range (a choice takes each of its words
    equally often), at fixed luck: every point is run on the same replications, so the variance is
    that of the assumptions alone, not of chance.
    """
    assumptions = find_assumptions(loaded, plan.grades)
    if not assumptions:
        grades = " or ".join(grade.value for grade in plan.grades)
        raise UserError(f"sensitivity: found no value with evidence {grades}; nothing to vary")
    spans = _spans(assumptions, plan)
    return _Study(loaded, plan, pool, listener).answer(assumptions, spans)


def _spans(assumptions: Sequence[Assumption], plan: SensitivityPlan) -> list[Span | str]:
    """Return the range of every assumption, or why it has none."""
    given = dict(plan.ranges)
    known = [assumption.name for assumption in assumptions]
    for name in given:
        if name in known:
            continue
        part_of = [a.name for a in assumptions if name in a.paths]
        hint = f" It is part of {part_of[0]!r}" if part_of else suggest(name, known)
        raise OptionError(
            "range",
            f"unknown assumption {name!r}; known: {', '.join(known[:12])} and "
            f"{max(0, len(known) - 12)} more (`payroute explain` lists all).{hint}",
        )
    return [
        parse_span(assumption, given[assumption.name])
        if assumption.name in given
        else default_span(assumption, (plan.low, plan.high))
        for assumption in assumptions
    ]


class _Study:
    """Run variants of one scenario."""

    def __init__(
        self, loaded: LoadedScenario, plan: SensitivityPlan, pool: Pool, listener: Listener | None
    ) -> None:
        self._plan, self._pool, self._listener = plan, pool, listener
        self._keys = tuple(dict.fromkeys(map(full_key, plan.measures)))
        self._text = dump_resolved(loaded.document)
        self._done = self._planned = self._runs = self._spared = 0

    def answer(
        self, assumptions: Sequence[Assumption], spans: Sequence[Span | str]
    ) -> SensitivityStudy:
        """Run everything and judge it."""
        units = self._units()
        base = self._base()
        moved = [
            () if isinstance(span, str) else span.ends(assumption)
            for assumption, span in zip(assumptions, spans, strict=True)
        ]
        moves = [move for pair in moved for move in pair if not move.is_idle]
        self._announce(base, len(moves))
        variants = iter(self._variants([overrides([move]) for move in moves], base))
        found = [[(move, None if move.is_idle else next(variants)) for move in p] for p in moved]
        answers = []
        for at, key in enumerate(self._keys):
            values = [run.values[at] for run in base.runs if run.values is not None]
            known = [value for value in values if value is not None]
            if len(known) < len(values):
                raise OptionError("measure", f"{key} has no value in this scenario")
            swings = judge(
                [
                    Swing(
                        assumption,
                        span,
                        tuple(_end(move, variant, base, at) for move, variant in pair),
                    )
                    for assumption, span, pair in zip(assumptions, spans, found, strict=True)
                ]
            )
            answers.append(Sensitivity(self._plan, key, units[at], mean_interval(known), swings))
        answers = self._with_indices(answers, base)
        return SensitivityStudy(self._plan, tuple(answers), self._runs, self._spared)

    def _units(self) -> list[str]:
        """Return the unit of every measure; refuse measures there are none of."""
        summary = run_base(self._item((), (0,)))
        require(summary, self._keys, where="--measure")
        found = [pick(summary, key) for key in self._keys]
        return ["" if measure is None else measure.unit for measure in found]

    def _base(self) -> Variant:
        """Run the scenario as it stands, a piece of work per replication."""
        count = self._plan.replications
        items = [self._item((), (number,)) for number in range(count)]
        self._planned = count
        variants = run_variants(items, self._pool, self._heard)
        self._done += count
        self._runs += count
        for variant in variants:
            if variant.refusal:
                raise UserError(f"sensitivity: the scenario is refused: {variant.refusal}")
        return Variant(tuple(run for variant in variants for run in variant.runs))

    def _announce(self, base: Variant, variants: int) -> None:
        """Say how many runs are planned, and about how long they take."""
        plan = self._plan
        together = plan.sobol * (plan.top * len(self._keys) + 2) * plan.sobol_replications
        self._planned = plan.replications * (1 + variants) + together
        if self._listener is None:
            return
        jobs = self._pool.jobs if isinstance(self._pool, LocalPool) else 1
        seconds = (self._planned - plan.replications) * min(run.seconds for run in base.runs)
        sobol = f", and at most {together} for Sobol indices" if together else ""
        self._listener.say(
            f"at most {self._planned} runs: {plan.replications} of the scenario as it stands, "
            f"{plan.replications} of each of {variants} variants{sobol}; "
            f"about {_duration(seconds / jobs)} with {jobs} process{'es' if jobs > 1 else ''}"
        )

    def _variants(self, points: Sequence[tuple[str, ...]], base: Variant) -> list[Variant]:
        """Run variants on the luck of the base, those that show no difference on the first only."""
        numbers = tuple(range(self._plan.replications))
        prints = tuple(run.fingerprint for run in base.runs)
        few = enough_to_see(len(numbers))
        items = [self._item(changes, numbers[:few], prints[:few]) for changes in points]
        found = self._run(items)
        moving = [at for at, variant in enumerate(found) if _differs(variant, base)]
        if few == len(numbers):
            return found
        left = len(found) - len(moving)
        self._spared += left * (len(numbers) - few)
        self._planned -= left * (len(numbers) - few)
        rest = self._run([self._item(points[at], numbers[few:], prints[few:]) for at in moving])
        for at, variant in zip(moving, rest, strict=True):
            runs = () if variant.refusal else found[at].runs + variant.runs
            found[at] = Variant(runs, variant.refusal)
        return found

    def _with_indices(self, answers: list[Sensitivity], base: Variant) -> list[Sensitivity]:
        """Move the strongest estimates of all measures together."""
        plan = self._plan
        chosen: dict[str, Swing] = {}
        for answer in answers:
            strongest = [swing for swing in answer.swings if swing.is_candidate][: plan.top]
            chosen |= {swing.assumption.name: swing for swing in strongest}
        if not plan.sobol or not chosen:
            return answers
        if len(chosen) == 1:
            return [replace(one, indices=alone(), indexed=tuple(chosen)) for one in answers]
        numbers = tuple(range(plan.sobol_replications))
        design = Design.of(len(chosen), plan.sobol, plan.seed)
        spans = [(swing, span) for swing in chosen.values() if (span := swing.allowed) is not None]
        items = []
        for point in design.points:
            moves = [
                span.at(swing.assumption, float(place))
                for (swing, span), place in zip(spans, point, strict=True)
            ]
            items.append(self._item(overrides(moves), numbers))
        self._planned = self._done + len(items) * len(numbers)
        variants = self._run(items)
        found = []
        for at, answer in enumerate(answers):
            values = np.array([_mean(variant, at) for variant in variants])
            indices = design.indices(values)
            found.append(replace(answer, indices=indices, indexed=tuple(chosen)))
        return found

    def _run(self, items: Sequence[VariantItem]) -> list[Variant]:
        variants = run_variants(items, self._pool, self._heard)
        wanted = sum(len(item.replications) for item in items)
        runs = sum(run.values is not None for variant in variants for run in variant.runs)
        self._done += wanted
        self._runs += runs
        self._spared += wanted - runs
        return variants

    def _item(
        self, changes: tuple[str, ...], numbers: tuple[int, ...], prints: tuple[str, ...] = ()
    ) -> VariantItem:
        return VariantItem(self._text, changes, self._plan.seed, numbers, self._keys, prints)

    def _heard(self, done: int) -> None:
        if self._listener is not None:
            self._listener.tell(self._done + done, max(self._planned, self._done + done))


def _differs(variant: Variant, base: Variant) -> bool:
    """Say whether any answer differs from the base in any replication."""
    return any(
        run.values is not None and run.values != known.values
        for run, known in zip(variant.runs, base.runs, strict=False)
    )


def _end(move: Move, variant: Variant | None, base: Variant, at: int) -> End:
    """Return one end of a swing of one measure."""
    if variant is None:
        note = "rounds to the estimate" if move.text is None else "is the estimate"
        return End(move.words(), value=_mean(base, at), note=f"{move.words()} {note}")
    if variant.refusal:
        return End(move.words(), note=f"{move.words()} is not allowed: {variant.refusal}")
    differences = []
    for run, known in zip(variant.runs, base.runs, strict=False):
        assert known.values is not None
        there, here = (known if run.values is None else run).values, known.values
        assert there is not None
        value, reference = there[at], here[at]
        if value is None or reference is None:
            return End(move.words(), note=f"no value at {move.words()}")
        differences.append(value - reference)
    return End(
        move.words(),
        # The base of all replications, whatever number of them showed that nothing differs.
        value=_mean(base, at) + mean_interval(differences).value,
        differences=tuple(differences),
        is_same=all(run.values is None for run in variant.runs),
        is_untouched=all(
            run.values is None or run.digest == known.digest
            for run, known in zip(variant.runs, base.runs, strict=False)
        ),
    )


def _mean(variant: Variant, at: int) -> float:
    """Return the mean of a measure over luck, not a number where a run has none."""
    values = [run.values[at] for run in variant.runs if run.values is not None]
    if not values or any(value is None for value in values):
        return float("nan")
    return float(np.mean([value for value in values if value is not None]))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"

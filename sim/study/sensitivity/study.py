"""Ask which assumption moves the answer, hence which should be measured first.

Takes a scenario and measures; gives for each measure a tornado (every estimate moved down and up
alone, on common random numbers, with intervals) and, for the estimates that matter most, Sobol
indices (all moved together). All measures come from the same runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from sim.analysis.intervals import Interval, mean_interval
from sim.analysis.summary import mean_width
from sim.errors import OptionError, UserError, suggest
from sim.scenario.scenario import LoadedScenario
from sim.study.pool import Pool
from sim.study.runner import Asking, ask
from sim.study.sensitivity.assumptions import Assumption, find_assumptions, find_unstated
from sim.study.sensitivity.indices import Design, Index, Indices, alone
from sim.study.sensitivity.plan import Listener, SensitivityPlan
from sim.study.sensitivity.range import Move, Span, default_span, overrides, parse_span
from sim.study.sensitivity.swing import (
    Effect,
    End,
    Swing,
    is_shown_larger,
    judge,
)
from sim.study.sensitivity.variants import Variant, Variants, mean_of
from sim.study.shown import SensitivityFigures, notebook_html, plots, write_report
from sim.units import using_currencies


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is known of one assumption and one measure.

    Attributes
    ----------
    swing : Swing
    first_order, total : Index or None
        Where they were computed.
    """

    JSON_KEYS: ClassVar = (
        "name=swing.assumption.name source=swing.assumption.source "
        "evidence=swing.assumption.grade places=swing.assumption.places estimate=swing.estimate "
        "factors=swing.factors low_at=swing.low_end.words high_at=swing.high_end.words "
        "low=swing.low_end.value high=swing.high_end.value swing=swing.size "
        "swing_low=swing.interval.low swing_high=swing.interval.high p_holm=swing.p_holm "
        "effect=swing.effect first_order=first_order.value first_order_low=first_order.low "
        "first_order_high=first_order.high total=total.value total_low=total.low "
        "total_high=total.high note=swing.note"
    )

    swing: Swing
    first_order: Index | None
    total: Index | None


@dataclass(frozen=True, slots=True)
class SobolFigures:
    """What is known of the estimates that moved together."""

    JSON_KEYS: ClassVar = (
        "assumptions base_sample=indices.planned used=indices.used replications "
        "variance=indices.variance interactions=indices.interactions.value "
        "interactions_low=indices.interactions.low interactions_high=indices.interactions.high"
    )

    assumptions: tuple[str, ...]
    indices: Indices
    replications: int


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The answer for one measure.

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

    JSON_KEYS: ClassVar = (
        "measure unit base=base.value base_low=base.low base_high=base.high "
        "measure_first=first.assumption.name tied_with=tied.assumption.name seed=plan.seed "
        "replications=plan.replications assumptions=figures"
    )

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
        # Moved together are the strongest of all measures: of them only what moves this one.
        moving = {swing.assumption.name for swing in self.swings if swing.is_candidate}
        named = zip(self.indices.total, self.indexed, strict=True)
        best, name = max((one for one in named if one[1] in moving), key=lambda one: one[0].value)
        return name if best.low > own.value else None

    @property
    def figures(self) -> tuple[Figures, ...]:
        """Return everything known, assumption by assumption."""
        return tuple(Figures(swing, *(self.index(swing) or (None, None))) for swing in self.swings)

    @property
    def sobol(self) -> SobolFigures | None:
        """Return what is known of the estimates that moved together, None where none did."""
        if self.indices is None:
            return None
        return SobolFigures(self.indexed, self.indices, self.plan.sobol_replications)

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
    """The answers for all measures.

    Attributes
    ----------
    answers : tuple of Sensitivity
        In the order of the plan's measures.
    runs : int
        Runs that were done.
    spared : int
        Runs that were not needed, because they compile to what was run before.
    unstated : tuple of str
        Quantities of the file without any evidence, which are not varied.
    """

    plan: SensitivityPlan
    answers: tuple[Sensitivity, ...]
    runs: int
    spared: int
    unstated: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return a line for people: which answers, and out of how many runs."""
        names = ", ".join(answer.measure for answer in self.answers[:8])
        return f"<Sensitivity of {names}: {self.runs} runs>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return notebook_html(self)

    @property
    def plot(self) -> SensitivityFigures:
        """Return what draws its figures."""
        drawn: SensitivityFigures = plots(self)
        return drawn

    def report(self, path: Path | str) -> Path:
        """Write a page that works offline; see :func:`~sim.study.shown.write_report`."""
        return write_report(self, path)


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
    Every variant has the customers and the random numbers of the base, so a swing is judged by its
    paired differences over replications. P values of all ends that differ at all are corrected
    together (Holm 1979): what is not shown at 5 % for the family is called noise and is never
    first. A variant whose answers are those of the base in so many replications that the rest could
    not show a difference is not run on the rest
    (:func:`~sim.study.sensitivity.swing.enough_to_see`).

    A Sobol index is the share of the variance of the answer that a factor explains when each of the
    factors is log-uniform and independent over its range (a choice takes each of its words equally
    often), at fixed random numbers: every point is run on the same replications, so the variance is
    that of the assumptions alone, not of chance.
    """
    # Amounts are made larger and smaller in steps of their currency.
    with using_currencies(loaded.declared):
        return _find(loaded, plan, pool, listener)


def _find(
    loaded: LoadedScenario, plan: SensitivityPlan, pool: Pool, listener: Listener | None
) -> SensitivityStudy:
    assumptions = find_assumptions(loaded, plan.grades)
    if not assumptions:
        grades = " or ".join(grade.value for grade in plan.grades)
        count = len(find_unstated(loaded))
        raise UserError(
            f"sensitivity: found no value with evidence {grades}; nothing to vary"
            + (f" ({count} values have no evidence at all)" if count else "")
        )
    spans = _spans(assumptions, plan)
    variants = Variants(loaded, plan, listener)
    asking = _asking(
        variants, plan, assumptions, spans=spans, units=variants.units(pool), pool=pool
    )
    answers = ask(asking, pool, notice=variants.notice, is_tolerant=True)
    unstated = find_unstated(loaded)
    return SensitivityStudy(plan, tuple(answers), variants.runs, variants.spared, unstated)


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


def _asking(
    variants: Variants,
    plan: SensitivityPlan,
    assumptions: Sequence[Assumption],
    *,
    spans: Sequence[Span | str],
    units: Sequence[str],
    pool: Pool,
) -> Asking[list[Sensitivity]]:
    """Ask for the base, then for variants, then for what moves together."""
    base = yield from variants.base()
    moved = [
        () if isinstance(span, str) else span.ends(assumption)
        for assumption, span in zip(assumptions, spans, strict=True)
    ]
    moves = [move for pair in moved for move in pair if not move.is_idle]
    variants.announce(base, len(moves), pool)
    run = iter((yield from variants.alone([overrides([move]) for move in moves], base)))
    found = [[(move, None if move.is_idle else next(run)) for move in p] for p in moved]
    answers = []
    for at, key in enumerate(variants.keys):
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
        base_interval = mean_interval(list(map(float, known)), width=mean_width(known))
        answers.append(Sensitivity(plan, key, units[at], base_interval, swings))
    return (yield from _with_indices(variants, plan, answers))


def _with_indices(
    variants: Variants, plan: SensitivityPlan, answers: list[Sensitivity]
) -> Asking[list[Sensitivity]]:
    """Move the strongest estimates of all measures together."""
    chosen: dict[str, Swing] = {}
    for answer in answers:
        strongest = [swing for swing in answer.swings if swing.is_candidate][: plan.top]
        chosen |= {swing.assumption.name: swing for swing in strongest}
    if not plan.sobol or not chosen:
        return answers
    if len(chosen) == 1:
        return [replace(one, indices=alone(), indexed=tuple(chosen)) for one in answers]
    design = Design.of(len(chosen), plan.sobol, plan.seed)
    spans = [(swing, span) for swing in chosen.values() if (span := swing.allowed) is not None]
    points = [
        overrides(
            [
                span.at(swing.assumption, float(place))
                for (swing, span), place in zip(spans, point, strict=True)
            ]
        )
        for point in design.points
    ]
    run = yield from variants.together(points)
    found = []
    for at, answer in enumerate(answers):
        values = np.array([mean_of(variant, at) for variant in run])
        indices = design.indices(values)
        found.append(replace(answer, indices=indices, indexed=tuple(chosen)))
    return found


def _end(move: Move, variant: Variant | None, base: Variant, at: int) -> End:
    """Return one end of a swing of one measure."""
    if variant is None:
        note = "rounds to the estimate" if move.text is None else "is the estimate"
        return End(move.words(), value=mean_of(base, at), note=f"{move.words()} {note}")
    if variant.refusal:
        return End(move.words(), note=f"{move.words()} is not allowed: {variant.refusal}")
    differences, widths = [], []
    for run, known in zip(variant.runs, base.runs, strict=False):
        assert known.values is not None
        there, here = (known if run.values is None else run).values, known.values
        assert there is not None
        value, reference = there[at], here[at]
        if value is None or reference is None:
            return End(move.words(), note=f"no value at {move.words()}")
        differences.append(float(value) - float(reference))
        # What is the same in every payment is the same within its cell, too.
        is_same = run.values is None or run.digest == known.digest
        widths.append(0.0 if is_same else value.width + reference.width)
    return End(
        move.words(),
        # The base of all replications, whatever number of them showed that nothing differs.
        value=mean_of(base, at) + mean_interval(differences).value,
        differences=tuple(differences),
        width=float(np.mean(widths)),
        is_same=all(run.values is None for run in variant.runs),
        is_spared=len(variant.runs) < len(base.runs),
        is_untouched=all(
            run.values is None or run.digest == known.digest
            for run, known in zip(variant.runs, base.runs, strict=False)
        ),
    )

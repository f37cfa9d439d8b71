"""Compare arms on the same customers and common random numbers.

Takes arms (a resolved scenario each) and how many replications; gives paired differences with 95 %
intervals, p values corrected for every measure and pair looked at, what the common random
numbers were worth,
and on request the best arm with a stated probability of being right. Replication ``r`` of every arm
has the same seed and number, hence the same customers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sim.analysis.catalogue import COMPARED
from sim.analysis.comparison import (
    Controlled,
    adjust_holm,
)
from sim.analysis.selection import Selection
from sim.analysis.summary import Measure, Summary
from sim.errors import OptionError, UserError, suggest
from sim.study.align_summaries import blanks_of
from sim.study.case import QUIET, Case, RunOptions
from sim.study.compare.asked import pairs_of, refuse_targets
from sim.study.compare.controls import controlled_estimates
from sim.study.compare.customers import ARMS_MAX, CUSTOMERS_MAX, CustomerWatch, RunSample
from sim.study.compare.mix import at_mix, mix_of, same_mix_keys
from sim.study.compare.pairs import Pair, compare_pair, unit_of
from sim.study.compare.regret import Regret, regrets_of
from sim.study.measure_key import full_key, pick, require
from sim.study.pool import Pool
from sim.study.replicate.precision import PrecisionTarget, Width
from sim.study.replicate.replications import Replicated
from sim.study.runner import Asking, Notice, ask
from sim.study.shown import ComparisonFigures, notebook_html, plots, write_report

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ArmWork:
    """One arm and what runs it.

    Attributes
    ----------
    name : str
    text : str
        Its resolved scenario.
    streams : tuple of str
        Its streams of demand, by which customers are known; empty where nobody looked.
    demand : mapping of str to str
        Every field that says which payments there are, by its dotted path.
    corridors : tuple of str
        Those of the payments that the headline covers.
    foresees : str
        ``cost`` or ``time`` where its routes are chosen by an oracle, else empty.
    """

    name: str
    text: str
    streams: tuple[str, ...] = ()
    demand: Mapping[str, str] = field(default_factory=dict)
    corridors: tuple[str, ...] = ()
    foresees: str = ""


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """What is compared and how thoroughly.

    Attributes
    ----------
    seed : int
        The same in every arm.
    replications : int
        Of every arm.
    measures : tuple of str
        Keys, see :func:`~sim.study.measure_key.pick`.
    baseline : str or None
        Arm the others are compared with; None: all pairs.
    precision : tuple of PrecisionTarget
        Half-widths wanted for differences.
    replications_max : int
        When to give up on a precision.
    same_mix : bool
        Whether shares, means and costs are also compared at one mix of corridors, that of the
        baseline or else of the first arm.
    """

    seed: int
    replications: int = 20
    measures: tuple[str, ...] = COMPARED
    baseline: str | None = None
    precision: tuple[PrecisionTarget, ...] = ()
    replications_max: int = 1000
    options: RunOptions = QUIET
    same_mix: bool = False

    def __post_init__(self) -> None:
        if self.replications < 2:
            raise OptionError(
                "replications", f"found {self.replications}; a comparison needs 2 or more"
            )


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """What is compared of one arm.

    Attributes
    ----------
    name : str
    measures : dict of str to Measure
        With intervals, by key.
    controlled : dict of str to Controlled
        Estimates improved by what is known of arrivals.
    """

    name: str
    measures: dict[str, Measure]
    controlled: dict[str, Controlled]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A whole comparison.

    Attributes
    ----------
    arms : dict of str to Replicated
        Every replication of every arm.
    summaries : dict of str to Summary
        Each arm with intervals.
    pairs : tuple of Pair
        Every pair and measure.
    controlled : dict of str to dict
        Arm, then measure: estimates improved by what is known of arrivals.
    selection : Selection or None
        The best arm, where asked for.
    reasons : tuple of str
        What is to be said of a precision.
    has_common_customers : bool
        Whether the arms have the same streams of demand, whose names are the keys of
        their random numbers.
    demand_differs_in : tuple of str
        Fields by which the arms have other payments, though of the same streams; sorted.
    mix : dict of str to float
        Share of payments by corridor at which arms are compared; empty where that is not asked.
    regret : tuple of Regret
        What arms are worse than those in which an oracle chooses routes, by measure.
    samples : dict of str to RunSample
        What the first replication of the first arms left to be played, the baseline before others.
    """

    JSON_KEYS: ClassVar = (
        "seed=plan.seed replications demand_differs_in arms=arm_figures pairs variance_ratio "
        "standard_error_ratio mix regret"
    )

    plan: ComparisonPlan
    arms: dict[str, Replicated]
    summaries: dict[str, Summary]
    pairs: tuple[Pair, ...]
    controlled: dict[str, dict[str, Controlled]]
    selection: Selection | None = None
    reasons: tuple[str, ...] = ()
    has_common_customers: bool = True
    demand_differs_in: tuple[str, ...] = ()
    mix: dict[str, float] = field(default_factory=dict)
    regret: tuple[Regret, ...] = ()
    samples: dict[str, RunSample] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return a line for people: who is compared, and how many differences are shown."""
        shown = sum(pair.is_shown for pair in self.pairs)
        names = ", ".join(list(self.arms)[:8])
        return (
            f"<Comparison of {len(self.arms)} arms ({names}), {self.replications} replications: "
            f"{shown} of {len(self.pairs)} differences shown>"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return notebook_html(self)

    @property
    def plot(self) -> ComparisonFigures:
        """Return what draws its figures."""
        drawn: ComparisonFigures = plots(self)
        return drawn

    def report(self, path: Path | str) -> Path:
        """Write a page that works offline; see :func:`~sim.study.shown.write_report`."""
        return write_report(self, path)

    @property
    def replications(self) -> int:
        """Return how many replications every arm has."""
        return min(len(held.facts) for held in self.arms.values())

    @property
    def arm_figures(self) -> tuple[ArmFigures, ...]:
        """Return what is compared of every arm."""
        figures = []
        for name, summary in self.summaries.items():
            picked = {key: pick(summary, key) for key in self.plan.measures}
            known = {key: measure for key, measure in picked.items() if measure is not None}
            figures.append(ArmFigures(name, known, self.controlled[name]))
        return tuple(figures)

    def to_arrow(self) -> pa.Table:
        """Return the table of differences, a row per pair and measure."""
        from sim.study.compare.output import pairs_table
        from sim.tables.tabular import to_arrow

        return to_arrow(pairs_table(self))

    def variance_ratio(self) -> dict[str, float]:
        """Return per measure the mean ratio of paired to unpaired variance of differences.

        Notes
        -----
        Over the pairs that differ at all; of one that never does the ratio would be 0 and flatter
        the others.
        """
        found: dict[str, list[float]] = {}
        for pair in self.pairs:
            if pair.standard_error_ratio is not None:
                found.setdefault(pair.measure, []).append(pair.standard_error_ratio**2)
        return {measure: sum(ratios) / len(ratios) for measure, ratios in found.items()}

    def standard_error_ratio(self) -> dict[str, float]:
        """Return per measure the standard error over that of independent random numbers."""
        return {measure: sqrt(ratio) for measure, ratio in self.variance_ratio().items()}


def compare_arms(
    arms: Sequence[ArmWork], plan: ComparisonPlan, pool: Pool, *, notice: Notice | None = None
) -> Comparison:
    """Run every arm on common random numbers and compare.

    Parameters
    ----------
    arms : sequence of ArmWork
        At least two, with names of their own.
    plan : ComparisonPlan
        Measures, baseline, replications.
    pool : Pool
        Where the work is done.
    notice : callable, optional
        Hears pieces of work done and planned.

    Raises
    ------
    UserError
        If an arm or a measure is unknown, or there are fewer than two arms.
    """
    names = [arm.name for arm in arms]
    if len(arms) < 2:
        raise UserError(f"compare: found {len(arms)} arm; needed: two or more")
    if plan.baseline is not None and plan.baseline not in names:
        raise UserError(
            f"baseline: unknown arm {plan.baseline!r}; known: {', '.join(names)}."
            f"{suggest(plan.baseline, names)}"
        )
    refuse_targets(plan.precision, plan.measures)
    return ask(_comparing(arms, plan), pool, notice=notice)


def _comparing(arms: Sequence[ArmWork], plan: ComparisonPlan) -> Asking[Comparison]:
    """Ask for replications of every arm until the differences are as precise as wanted."""
    held = {arm.name: Replicated.of(()) for arm in arms}
    samples: dict[str, RunSample | None] = dict.fromkeys(_played(arms, plan.baseline))
    # One replication of the first arm shows whether every measure has a name that is known.
    held = yield from _extended(arms[:1], plan, held, 1, samples=samples)
    require(held[arms[0].name].summaries[0], plan.measures, where="measures", may_be_absent=True)
    wanted, streams = plan.replications, {arm.streams for arm in arms}
    while True:
        held = yield from _extended(arms, plan, held, wanted, samples=samples)
        found = replace(
            _compared(plan, held, _covered(arms)),
            has_common_customers=len(streams) == 1,
            demand_differs_in=_differing(arms),
            regret=regrets_of(held, {arm.name: arm.foresees for arm in arms}),
            samples={name: one for name, one in samples.items() if one is not None},
        )
        widths = _widths(found)
        more = max((width.needed(found.replications) for width in widths), default=0)
        if more <= wanted or wanted >= plan.replications_max:
            reasons = tuple(width.sentence(found.replications) for width in widths)
            return replace(found, reasons=reasons)
        wanted = min(more, 2 * wanted, plan.replications_max)


def _played(arms: Sequence[ArmWork], baseline: str | None) -> list[str]:
    """Return the arms that are kept to be played: the baseline first, then in their order."""
    return sorted((arm.name for arm in arms), key=lambda name: name != baseline)[:ARMS_MAX]


def _differing(arms: Sequence[ArmWork]) -> tuple[str, ...]:
    """Return the fields of demand that are not the same in all arms."""
    paths = {path for arm in arms for path in arm.demand}
    return tuple(sorted(path for path in paths if len({arm.demand.get(path) for arm in arms}) > 1))


def _extended(
    arms: Sequence[ArmWork],
    plan: ComparisonPlan,
    held: Mapping[str, Replicated],
    wanted: int,
    *,
    samples: dict[str, RunSample | None],
) -> Asking[dict[str, Replicated]]:
    """Ask for the replications that are still missing, and answer with those there are then.

    Arms take turns, so that each worker's few compiled scenarios serve all of them. The first
    replication of the arms that are named in ``samples`` leaves one there.
    """
    watch = CustomerWatch(CUSTOMERS_MAX // len(samples))
    missing = [
        (arm, number)
        for number in range(wanted)
        for arm in arms
        if number >= len(held[arm.name].facts)
    ]
    done = yield [
        (
            Case(
                arm.text,
                plan.seed,
                number,
                plan.options,
                watch=watch if number == 0 and arm.name in samples else None,
            ),
        )
        for arm, number in missing
    ]
    together = dict(held)
    for (arm, _), one in zip(missing, done, strict=True):
        kept = one.outcomes[0].kept
        if isinstance(kept, RunSample):
            samples[arm.name] = kept
        together[arm.name] = together[arm.name].joined(Replicated.of(one.outcomes))
    return together


def _covered(arms: Sequence[ArmWork]) -> tuple[str, ...]:
    """Return the corridors that the headline of some arm covers."""
    return tuple(sorted({name for arm in arms for name in arm.corridors}))


def _compared(
    plan: ComparisonPlan, held: dict[str, Replicated], corridors: tuple[str, ...]
) -> Comparison:
    mix: dict[str, float] = {}
    if plan.same_mix:
        mix = mix_of(held[plan.baseline or next(iter(held))], corridors)
        held = {name: at_mix(one, mix) for name, one in held.items()}
        plan = replace(plan, measures=(*plan.measures, *same_mix_keys(plan.measures)))
    blanks = blanks_of(summary for one in held.values() for summary in one.summaries)
    held = {name: one.with_names(blanks) for name, one in held.items()}
    summaries = {name: replicated.summary() for name, replicated in held.items()}
    require(next(iter(summaries.values())), plan.measures, where="measures")
    pairs = tuple(
        compare_pair((a, b), held, measure, unit=unit_of(summaries[a], measure))
        for a, b in pairs_of(tuple(held), plan.baseline)
        for measure in plan.measures
    )
    corrected = iter(adjust_holm([pair.p_holm for pair in pairs if pair.difference is not None]))
    pairs = tuple(
        pair if pair.difference is None else replace(pair, p_holm=next(corrected)) for pair in pairs
    )
    controlled = {
        name: controlled_estimates(replicated, plan.measures) for name, replicated in held.items()
    }
    return Comparison(plan, held, summaries, pairs, controlled, mix=mix)


def _widths(found: Comparison) -> list[Width]:
    """Return how precisely every difference is known of which a precision was asked for."""
    widths = []
    for target in found.plan.precision:
        for pair in found.pairs:
            if full_key(pair.measure) != target.measure:
                continue
            # Relative ones are of the first arm's value.
            base = pick(found.summaries[pair.a], pair.measure)
            wanted = target.half_width if base is None else target.wanted(base)
            half = None if pair.difference is None else pair.difference.interval.half_width
            what = f"{pair.b} against {pair.a}, {target}"
            widths.append(Width(what, half, wanted, pair.unit))
    return widths

"""What a comparison found, as a document.

Takes a :class:`~sim.study.compare.comparison.Comparison`; gives the sentences a reader remembers
and a table per pair of arms, the difference beside both values.
"""

from __future__ import annotations

from collections.abc import Mapping

from sim.analysis.error_bars import POINTS, with_error
from sim.analysis.summary import Measure
from sim.explain.words import count, joined
from sim.report.blocks import Block, Cell, Column, Document, Heading, Player, Table, Text, Tone
from sim.report.figure import NOTHING
from sim.report.figures.of_studies import compare_figures, pareto_figures
from sim.report.figures.tape import recording_of_arms
from sim.study.compare.comparison import Comparison
from sim.study.compare.mix import SAME_MIX
from sim.study.compare.output import as_json_object, pairs_table
from sim.study.compare.pairs import Pair
from sim.study.compare.regret import LEGEND
from sim.study.measure_key import pick
from sim.study.verdicts import SIGNIFICANCE, difference_words

_P_SHOWN_MIN = 0.001
_SHOWN = "*"
_NAMED = 4
"""Fields a sentence names at most."""


def compare_document(found: Comparison, origin: Mapping[str, object]) -> Document:
    """Return what is shown of a comparison.

    Parameters
    ----------
    found : Comparison
    origin : mapping
        What made it.
    """
    told = sentences(found)
    blocks: list[Block] = [Text(line, Tone.STRONG) for line in told]
    for (a, b), pairs in _by_arms(found).items():
        title = f"{b} against {a}: {found.replications} replications of {_whose(found)}"
        blocks += [Heading(title), _pair_table(found, (a, b), pairs)]
    if found.regret:
        blocks += [Heading("Regret"), _regret_table(found), Text(LEGEND)]
    blocks += [*compare_figures(found), *pareto_figures(found)]
    recording = recording_of_arms(found)
    if recording is not None:
        blocks.append(Player(recording, "Play them side by side", _played(found)))
    blocks += [Text(line) for line in (_legend(), *footnotes(found))]
    record = {**as_json_object(found), "sentences": told}
    return Document(tuple(blocks), pairs_table(found), record, origin)


def _whose(found: Comparison) -> str:
    if not found.has_common_customers:
        return "different customers"
    return "demand that differs" if found.demand_differs_in else "the same customers"


def _played(found: Comparison) -> str:
    """Return what is played: one replication, and whose payments."""
    more = len(found.arms) - len(found.samples)
    left = f"{count(more, 'more arm')} {'is' if more == 1 else 'are'} not played"
    rest = f"; {left}" if more > 0 else ""
    return (
        f"Replication 0 of each arm, on one clock: {_whose(found)}, of whom some are chosen by "
        f"their number alone, in every arm in the same way{rest}."
    )


def _by_arms(found: Comparison) -> dict[tuple[str, str], list[Pair]]:
    grouped: dict[tuple[str, str], list[Pair]] = {}
    for pair in found.pairs:
        grouped.setdefault((pair.a, pair.b), []).append(pair)
    return grouped


def _pair_table(found: Comparison, arms: tuple[str, str], pairs: list[Pair]) -> Table:
    heads = [(arms[0], 2), (arms[1], 1), ("difference", 0), ("p", 3), ("luck", 4)]
    figures = (Column(name, is_number=True, spare=spare) for name, spare in heads)
    return Table(
        (Column("measure"), *figures),
        tuple(
            (
                pair.measure,
                *(_value(found, arm, pair.measure) for arm in arms),
                _difference(pair),
                _p_value(pair),
                "" if pair.standard_error_ratio is None else f"{pair.standard_error_ratio:.2f}",
            )
            for pair in pairs
        ),
    )


def _regret_table(found: Comparison) -> Table:
    """Return what arms are worse than oracles, a row per arm, oracle and measure."""
    rows = []
    for one in found.regret:
        shown = NOTHING
        if one.interval is not None:
            size, unit = with_error(one.interval, one.unit)
            sign = "-" if one.interval.value < 0 else ""
            shown = f"{sign}{size} {unit.replace(POINTS, 'pp')}"
        rows.append((one.arm, one.oracle, one.measure, shown))
    heads = (Column("arm"), Column("oracle"), Column("measure"))
    return Table((*heads, Column("regret", is_number=True)), tuple(rows))


def _value(found: Comparison, arm: str, key: str) -> Cell:
    measure = pick(found.summaries[arm], key)
    return NOTHING if measure is None else Measure(measure.value, measure.unit)


def _difference(pair: Pair) -> Text:
    """Write the difference with its sign and half-width; points of a per cent for shares."""
    if pair.difference is None:
        return Text(NOTHING)
    interval = pair.difference.interval
    size, unit = with_error(interval, pair.unit)
    sign = "-" if interval.value < 0 else "+" if interval.value > 0 else ""
    mark = _SHOWN if pair.is_shown else " "
    return Text(
        f"{sign}{size} {unit.replace(POINTS, 'pp')} {mark}",
        Tone.STRONG if pair.is_shown else Tone.PLAIN,
    )


def _p_value(pair: Pair) -> str:
    """Write p after Holm's correction."""
    if pair.difference is None:
        return NOTHING
    return f"{pair.p_holm:.3f}" if pair.p_holm >= _P_SHOWN_MIN else f"<{_P_SHOWN_MIN}"


def _legend() -> str:
    """Return what the columns mean."""
    return (
        f"± half of the 95 % interval of the paired difference; p after Holm's correction for "
        f"every pair and measure; {_SHOWN} where it is below {SIGNIFICANCE:g}. Luck: standard "
        f"error of the difference, in parts of what independent luck in each arm would leave."
    )


def sentences(found: Comparison) -> list[str]:
    """Return a sentence per pair of arms, then what is to be said of precision and selection."""
    lines: list[str] = []
    for (a, b), pairs in _by_arms(found).items():
        shown = [
            difference_words(pair.measure, pair.unit, pair.difference.interval)
            for pair in pairs
            if pair.is_shown and pair.difference is not None
        ]
        rest = [pair.measure for pair in pairs if not pair.is_shown]
        parts = [f"Against {a}, {b} {joined(shown)}."] if shown else []
        if rest:
            parts.append(f"No difference shown between {a} and {b} in {joined(rest)}.")
        lines.append(" ".join(parts))
    lines += found.reasons
    if found.selection is not None:
        chosen = found.selection
        if chosen.is_proven:
            lines.append(
                f"Best: {chosen.best}, with probability {chosen.probability:g} if it is better "
                f"than every other by {chosen.indifference:g} at least (procedure KN of Kim and "
                f"Nelson 2001, {chosen.replications} replications)."
            )
        else:
            lines.append(
                f"Best so far: {chosen.best}; after {chosen.replications} replications "
                f"{joined(chosen.left)} are still in question, so no probability can be stated."
            )
    return lines


def footnotes(found: Comparison) -> list[str]:
    """Return what is to be known of the differences: whose luck, and what is known of arrivals."""
    lines = []
    if not found.has_common_customers:
        lines.append(
            "The arms have different streams of demand, hence different customers: their luck is "
            "not common, and differences are only as sharp as with independent luck."
        )
    elif found.demand_differs_in:
        named = found.demand_differs_in[:_NAMED]
        more = len(found.demand_differs_in) - len(named)
        rest = f" and {more} more" if more else ""
        lines.append(
            f"The arms differ in {', '.join(named)}{rest}, so their payments are not the same: "
            f"counts differ by it, and shares and means over all payments differ by the mix of "
            f"payments alone. "
            + (
                "At the same mix of corridors they stand below."
                if found.mix
                else "--same-mix compares them at one mix of corridors; measures of one group, "
                "such as corridor/NAME/success_rate, keep corridors apart."
            )
        )
    if found.mix:
        base = found.plan.baseline or next(iter(found.arms))
        shares = joined([f"{share:.1%} {name}" for name, share in found.mix.items()])
        lines.append(
            f"{SAME_MIX}: every arm's corridors weighed as {base} submits payments to them: "
            f"{shares}."
        )
    fewer = [pair for pair in found.pairs if pair.replications < found.replications]
    for pair in fewer:
        lines.append(
            f"{pair.measure}, {pair.b} against {pair.a}: {pair.replications} of "
            f"{found.replications} replications have a value in both arms."
        )
    widths = [
        (better.interval.half_width, measure)
        for name, arm in found.controlled.items()
        for key, better in arm.items()
        if (measure := pick(found.summaries[name], key)) is not None
    ]
    ratios = sorted(
        2 * half / (measure.high - measure.low)
        for half, measure in widths
        if measure.low is not None and measure.high is not None and measure.high > measure.low
    )
    if ratios:
        lines.append(
            f"Counts, rates and times corrected by the known number of arrivals (control "
            f"variates, in --arms and --json) have intervals {ratios[0]:.2f} to {ratios[-1]:.2f} "
            f"times as wide."
        )
    return lines

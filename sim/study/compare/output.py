"""Show a comparison: words, tables and JSON.

Takes a :class:`~sim.study.compare.comparison.Comparison`; gives the sentences a reader remembers,
one table of arms, one of differences, and the JSON object of ``compare --json``.
"""

from __future__ import annotations

from sim.analysis.comparison import Controlled
from sim.analysis.summary import Json
from sim.report.tabular import TabularData, joined
from sim.study.compare.comparison import Comparison, Pair
from sim.study.measure_key import pick
from sim.study.result_json import object_as_json
from sim.study.verdicts import difference_words


def sentences(found: Comparison) -> list[str]:
    """Return a sentence per pair of arms, then what is to be said of precision and selection."""
    lines: list[str] = []
    grouped: dict[tuple[str, str], list[Pair]] = {}
    for pair in found.pairs:
        grouped.setdefault((pair.a, pair.b), []).append(pair)
    for (a, b), pairs in grouped.items():
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


def arms_table(found: Comparison) -> TabularData:
    """Return each arm's measures with intervals, a row per arm and measure."""
    rows = []
    has_control = any(found.controlled.values())
    for name, summary in found.summaries.items():
        for key in found.plan.measures:
            measure = pick(summary, key)
            if measure is None:
                continue
            value = None if measure.value is None else float(measure)
            ends = _controlled_ends(found.controlled[name].get(key)) if has_control else ()
            rows.append((name, key, measure.unit, value, measure.low, measure.high, *ends))
    columns: tuple[str, ...] = ("arm", "measure", "unit", "value", "low", "high")
    if has_control:
        columns = (*columns, "controlled", "controlled_low", "controlled_high")
    return TabularData(columns, tuple(rows))


def footnotes(found: Comparison) -> list[str]:
    """Return what is to be known of the differences: whose luck, and what is known of arrivals."""
    lines = []
    if not found.has_common_customers:
        lines.append(
            "The arms have different streams of demand, hence different customers: their luck is "
            "not common, and differences are only as sharp as with independent luck."
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


def pairs_table(found: Comparison) -> TabularData:
    """Return every difference, a row per pair and measure."""
    figures = ("difference", "low", "high", "p_holm", "replications", "standard_error_ratio")
    columns = ("a", "b", "measure", "unit", *figures, "verdict")
    return TabularData(
        columns,
        tuple(
            (
                pair.a,
                pair.b,
                pair.measure,
                pair.unit,
                *_ends(pair),
                pair.p_holm,
                pair.replications,
                pair.standard_error_ratio,
                pair.verdict,
            )
            for pair in found.pairs
        ),
    )


def as_json_object(found: Comparison) -> dict[str, Json]:
    """Return the object of ``compare --json``."""
    answer: dict[str, Json] = {**object_as_json(found), "sentences": list(sentences(found))}
    if found.selection is not None:
        procedure = "Kim and Nelson 2001 (KN)"
        answer["selection"] = {**object_as_json(found.selection), "procedure": procedure}
    return answer


def _controlled_ends(better: Controlled | None) -> tuple[float | None, float | None, float | None]:
    if better is None:
        return None, None, None
    return better.interval.value, better.interval.low, better.interval.high


def _ends(pair: Pair) -> tuple[float | None, float | None, float | None]:
    if pair.difference is None:
        return None, None, None
    interval = pair.difference.interval
    return interval.value, interval.low, interval.high

"""Show a comparison: words, tables and JSON.

Takes a :class:`~sim.experiment.compare.Comparison`; gives the sentences a reader remembers, one
table of arms, one of differences, and the JSON object of ``compare --json``.
"""

from __future__ import annotations

from sim.analysis.comparison import Controlled
from sim.analysis.summary import Json
from sim.experiment.compare import Comparison, Pair
from sim.experiment.picking import pick
from sim.experiment.tabular import TabularData, joined
from sim.experiment.verdicts import difference_words


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
                f"Best: {chosen.best}, with probability {chosen.probability:g} the best or within "
                f"{chosen.indifference:g} of it (procedure KN of Kim and Nelson 2001, "
                f"{chosen.replications} replications)."
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
    """Return what the common luck and what is known of arrivals were worth."""
    lines = []
    ratios = found.variance_ratio()
    if ratios:
        listed = ", ".join(
            f"{name} {ratio:.3f} (variance {ratios[name]:.2g})"
            for name, ratio in found.standard_error_ratio().items()
        )
        lines.append(f"Standard error of differences, in parts of independent luck's: {listed}.")
    better = [one.variance_ratio for arm in found.controlled.values() for one in arm.values()]
    better += [pair.controlled.variance_ratio for pair in found.pairs if pair.controlled]
    if better:
        lines.append(
            f"Known numbers of arrivals sharpen estimates: {len(better)} (control variates), to "
            f"{min(better):.2g} of their variance at best."
        )
    return lines


def pairs_table(found: Comparison) -> TabularData:
    """Return every difference, a row per pair and measure."""
    columns = ("a", "b", "measure", "unit", "difference", "low", "high", "p_holm", "verdict")
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
                pair.verdict,
            )
            for pair in found.pairs
        ),
    )


def as_json_object(found: Comparison) -> dict[str, Json]:
    """Return the object of ``compare --json``."""
    ratios = found.variance_ratio()
    answer: dict[str, Json] = {
        "seed": found.plan.seed,
        "replications": found.replications,
        "arms": [_arm(found, name) for name in found.arms],
        "pairs": [_pair(pair) for pair in found.pairs],
        "variance_ratio": dict(ratios),
        "standard_error_ratio": dict(found.standard_error_ratio()),
        "sentences": list(sentences(found)),
    }
    chosen = found.selection
    if chosen is not None:
        answer["selection"] = {
            "best": chosen.best,
            "is_proven": chosen.is_proven,
            "probability": chosen.probability,
            "indifference": chosen.indifference,
            "replications": chosen.replications,
            "left": list(chosen.left),
            "procedure": "Kim and Nelson 2001 (KN)",
        }
    return answer


def _arm(found: Comparison, name: str) -> dict[str, Json]:
    summary = found.summaries[name]
    measures: dict[str, Json] = {}
    for key in found.plan.measures:
        measure = pick(summary, key)
        if measure is not None:
            measures[key] = measure.as_json()
    controlled = {key: _controlled(better) for key, better in found.controlled[name].items()}
    return {"name": name, "measures": measures, "controlled": controlled}


def _pair(pair: Pair) -> dict[str, Json]:
    difference, low, high = _ends(pair)
    return {
        "a": pair.a,
        "b": pair.b,
        "measure": pair.measure,
        "unit": pair.unit,
        "difference": difference,
        "low": low,
        "high": high,
        "p_holm": pair.p_holm,
        "verdict": pair.verdict,
        "controlled": None if pair.controlled is None else _controlled(pair.controlled),
    }


def _controlled(better: Controlled) -> Json:
    value, low, high = _controlled_ends(better)
    return {"value": value, "low": low, "high": high, "variance_ratio": better.variance_ratio}


def _controlled_ends(better: Controlled | None) -> tuple[float | None, float | None, float | None]:
    if better is None:
        return None, None, None
    return better.interval.value, better.interval.low, better.interval.high


def _ends(pair: Pair) -> tuple[float | None, float | None, float | None]:
    if pair.difference is None:
        return None, None, None
    interval = pair.difference.interval
    return interval.value, interval.low, interval.high

"""A comparison as tables and JSON, every digit kept.

Takes a :class:`~sim.study.compare.comparison.Comparison`; gives one table of arms, one of
differences, and what ``compare --json`` holds but for sentences.
"""

from __future__ import annotations

from sim.analysis.comparison import Controlled
from sim.analysis.summary import Json
from sim.study.compare.comparison import Comparison, Pair
from sim.study.measure_key import pick
from sim.tables.tabular import TabularData


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
    """Return the object of ``compare --json`` but for its sentences."""
    ratios = found.variance_ratio()
    answer: dict[str, Json] = {
        "seed": found.plan.seed,
        "replications": found.replications,
        "arms": [_arm(found, name) for name in found.arms],
        "pairs": [_pair(pair) for pair in found.pairs],
        "variance_ratio": dict(ratios),
        "standard_error_ratio": dict(found.standard_error_ratio()),
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
        "replications": pair.replications,
        "standard_error_ratio": pair.standard_error_ratio,
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

"""A comparison as tables and JSON, every digit kept.

Takes a :class:`~sim.study.compare.comparison.Comparison`; gives one table of arms, one of
differences, and what ``compare --json`` holds but for sentences.
"""

from __future__ import annotations

from sim.analysis.comparison import Controlled
from sim.analysis.summary import Json
from sim.study.compare.comparison import Comparison
from sim.study.compare.pairs import Pair
from sim.study.measure_key import pick
from sim.study.result_json import object_as_json
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


def regret_table(found: Comparison) -> TabularData:
    """Return what every arm is worse than every oracle, a row per arm, oracle and measure."""
    columns = ("arm", "oracle", "foresees", "measure", "unit", "regret", "low", "high")
    rows = []
    for one in found.regret:
        known = one.interval
        ends = (None, None, None) if known is None else (known.value, known.low, known.high)
        rows.append((one.arm, one.oracle, one.foresees, one.measure, one.unit, *ends))
    return TabularData(columns, tuple(rows))


def as_json_object(found: Comparison) -> dict[str, Json]:
    """Return the object of ``compare --json`` but for its sentences."""
    answer: dict[str, Json] = object_as_json(found)
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

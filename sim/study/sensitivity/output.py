"""What a study of sensitivity found as a table and JSON, every digit kept.

Takes a :class:`~sim.study.sensitivity.study.SensitivityStudy`; gives one table of everything, and
what ``sensitivity --json`` holds but for sentences.
"""

from __future__ import annotations

from math import isfinite

from sim.analysis.summary import Json
from sim.study.sensitivity.range import Span
from sim.study.sensitivity.scale import spoken
from sim.study.sensitivity.study import Sensitivity, SensitivityStudy
from sim.study.sensitivity.swing import Swing
from sim.tables.tabular import Cell, TabularData


def full_table(study: SensitivityStudy) -> TabularData:
    """Return everything known, a row per measure and assumption."""
    records: list[dict[str, Cell]] = [
        {
            "measure": answer.measure,
            "unit": answer.unit,
            "base": answer.base.value,
            **_record(answer, swing),
        }
        for answer in study.answers
        for swing in answer.swings
    ]
    return TabularData.of(records)


def answer_object(study: SensitivityStudy, answer: Sensitivity) -> dict[str, Json]:
    """Return the object of one measure but for its sentences."""
    first = answer.first
    found: dict[str, Json] = {
        "measure": answer.measure,
        "unit": answer.unit,
        "base": answer.base.value,
        "base_low": _finite(answer.base.low),
        "base_high": _finite(answer.base.high),
        "measure_first": None if first is None else first.assumption.name,
        "tied_with": [swing.assumption.name for swing in answer.tied],
        "seed": study.plan.seed,
        "replications": study.plan.replications,
        "runs": study.runs,
        "runs_spared": study.spared,
        "assumptions": [_entry(answer, swing) for swing in answer.swings],
    }
    if answer.indices is not None:
        indices = answer.indices
        found["sobol"] = {
            "assumptions": list(answer.indexed),
            "base_sample": indices.planned,
            "used": indices.used,
            "replications": study.plan.sobol_replications,
            "variance": indices.variance,
            "interactions": indices.interactions.value,
            "interactions_low": indices.interactions.low,
            "interactions_high": indices.interactions.high,
        }
    return found


def _entry(answer: Sensitivity, swing: Swing) -> Json:
    """Return a record with factors as numbers, where a table has them as text."""
    factors = swing.span.factors if isinstance(swing.span, Span) else None
    return {**_record(answer, swing), "factors": None if factors is None else list(factors)}


def _record(answer: Sensitivity, swing: Swing) -> dict[str, Cell]:
    """Return everything known of one assumption."""
    outer = swing.outer
    words = [end.words for end in outer] + [None] * (2 - len(outer))
    values = [end.value for end in outer] + [None] * (2 - len(outer))
    interval, widest = swing.interval, swing.widest
    first, total = answer.index(swing) or (None, None)
    factors = swing.span.factors if isinstance(swing.span, Span) else None
    return {
        "name": swing.assumption.name,
        "source": swing.assumption.source,
        "evidence": swing.assumption.grade.value,
        "places": len(swing.assumption.paths),
        "estimate": spoken(swing.assumption.tree, swing.assumption.form),
        "factors": None if factors is None else f"{factors[0]:.6g}..{factors[1]:.6g}",
        "low_at": words[0],
        "high_at": words[1],
        "low": values[0],
        "high": values[1],
        "swing": swing.size,
        "swing_low": None if interval is None else _finite(interval.low),
        "swing_high": None if interval is None else _finite(interval.high),
        "p_holm": None if interval is None or widest is None else widest.p_holm,
        "effect": swing.effect.value,
        "first_order": None if first is None else first.value,
        "first_order_low": None if first is None else first.low,
        "first_order_high": None if first is None else first.high,
        "total": None if total is None else total.value,
        "total_low": None if total is None else total.low,
        "total_high": None if total is None else total.high,
        "note": swing.note,
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None

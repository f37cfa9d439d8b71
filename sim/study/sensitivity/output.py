"""What a study of sensitivity found as a table and JSON, every digit kept.

Takes a :class:`~sim.study.sensitivity.study.SensitivityStudy`; gives one table of everything, and
what ``sensitivity --json`` holds but for sentences.
"""

from __future__ import annotations

from sim.analysis.summary import Json
from sim.study.result_json import object_as_json
from sim.study.sensitivity.study import Sensitivity, SensitivityStudy
from sim.tables.tabular import Cell, TabularData


def full_table(study: SensitivityStudy) -> TabularData:
    """Return everything known, a row per measure and assumption."""
    records = [
        {"measure": answer.measure, "unit": answer.unit, "base": answer.base.value}
        | object_as_json(figures)
        for answer in study.answers
        for figures in answer.figures
    ]
    rows = tuple(tuple(map(_cell, record.values())) for record in records)
    return TabularData(tuple(records[0]), rows)


def _cell(value: object) -> Cell:
    """Return a value as a cell of a table, which two factors fit into as text only."""
    if isinstance(value, list):
        return "..".join(f"{factor:.6g}" for factor in value)
    assert value is None or isinstance(value, str | int | float)
    return value


def answer_object(study: SensitivityStudy, answer: Sensitivity) -> dict[str, Json]:
    """Return what ``sensitivity --json`` holds of one answer, but for sentences."""
    found: dict[str, Json] = {**object_as_json(answer), "runs": study.runs}
    found["runs_spared"] = study.spared
    found["without_evidence"] = list(study.unstated)
    if answer.sobol is not None:
        found["sobol"] = object_as_json(answer.sobol)
    return found

"""Show which assumptions move an answer: words, bars, tables and JSON.

Takes a :class:`~sim.study.sensitivity.study.SensitivityStudy`; gives what people and programs read.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.analysis.intervals import Interval
from sim.analysis.summary import Json
from sim.model.magnitude import Form
from sim.report.tabular import Cell, TabularData, joined
from sim.study.result_json import object_as_json
from sim.study.sensitivity.indices import Index
from sim.study.sensitivity.scale import spoken
from sim.study.sensitivity.study import Sensitivity, SensitivityStudy
from sim.study.sensitivity.swing import Effect, Swing
from sim.study.verdicts import with_error

BARS = 20
"""Assumptions a tornado shows at most."""
_BAR_WIDTH = 40
_NAME_WIDTH = 44
_NAMED = 5
"""Assumptions a sentence names at most."""
_COUNTED = {
    Effect.MOVES: "shown to move it",
    Effect.UNKNOWN: "with a difference in the one replication",
    Effect.NOISE: "with differences that may be chance",
    Effect.NONE: "without any effect seen",
    Effect.ABSENT: "that do not enter the scenario",
    Effect.UNVARIED: "not varied",
}


def sentences(answer: Sensitivity) -> list[str]:
    """Return what a reader remembers, the assumption to measure first before all."""
    first = answer.first
    if first is None:
        return [_nothing(answer), _counts(answer)]
    lines = [_measure_first(answer, first)]
    if answer.tied:
        names = joined([swing.assumption.name for swing in answer.tied])
        lines[0] += f" Its swing is not shown to be larger than that of {names}."
    others = [swing for swing in answer.swings if swing.is_candidate][1:]
    if others:
        named = [f"{swing.assumption.name} ({_size(answer, swing)})" for swing in others[:_NAMED]]
        rest = f", and {len(others) - len(named)} that move it less"
        lines.append(f"Then {joined(named)}{rest if len(others) > len(named) else ''}.")
    open_ones = [
        swing.assumption.name
        for swing in answer.having(Effect.NOISE)
        if swing.interval is not None and swing.interval.high > first.size
    ]
    if open_ones:
        listed = joined(open_ones[:_NAMED])
        more = f" and {len(open_ones) - _NAMED} more" if len(open_ones) > _NAMED else ""
        lines.append(
            f"Not settled: chance leaves room for as large a swing of {listed}{more}; "
            f"more --replications or a longer clock.horizon would tell."
        )
    if first.effect is Effect.UNKNOWN:
        lines.append("One replication cannot tell a small swing from chance: --replications 5 can.")
    lines += _together(answer)
    lines.append(_counts(answer))
    return lines


def tornado(answer: Sensitivity) -> list[str]:
    """Return bars for the assumptions that move the answer, the largest on top.

    Notes
    -----
    The line in the middle is the answer as the scenario stands; a light bar leads to the answer at
    the low end of the range, a dark one to that at the high end.
    """
    shown = [swing for swing in answer.swings if swing.is_candidate][:BARS]
    values = [end.value for swing in shown for end in swing.outer if end.value is not None]
    if not values:
        return []
    base, left, right = answer.base.value, min(values), max(values)
    left, right = min(left, base), max(right, base)
    step = (right - left) / _BAR_WIDTH
    middle = round((base - left) / step)
    width = max(min(_NAME_WIDTH, len(swing.assumption.name)) for swing in shown)
    head = _scale_line(answer, (left, base, right), middle)
    lines = [f"{answer.measure}  (░ at the low end, █ at the high end)", f"{'':{width}}  {head}"]
    for swing in shown:
        cells = [" "] * (_BAR_WIDTH + 1)
        for end, mark in zip(swing.outer, "░█", strict=False):
            if end.value is None:
                continue
            there = round((end.value - left) / step)
            for at in range(min(there, middle), max(there, middle) + 1):
                cells[at] = mark if cells[at] == " " or there != middle else cells[at]
        cells[middle] = "│"
        name = swing.assumption.name
        name = name if len(name) <= width else f"…{name[1 - width :]}"
        lines.append(f"{name:{width}}  {''.join(cells)}  {_range(swing)}")
    return lines


def short_table(answer: Sensitivity, most: int) -> TabularData:
    """Return the table for a terminal, a row per assumption, the first few of them."""
    columns = ("assumption", "estimate", "range", "low", "high", "swing", "effect")
    rows: list[tuple[Cell, ...]] = []
    with_indices = answer.indices is not None
    for swing in answer.swings[:most]:
        row: list[Cell] = [
            swing.assumption.name,
            spoken(swing.assumption.tree, swing.assumption.form),
            _range(swing),
            *[end.value for end in swing.outer],
        ]
        row += [None] * (5 - len(row))
        row += [_size(answer, swing) if swing.size else None, swing.effect.value]
        if with_indices:
            found = answer.index(swing)
            row += [None, None] if found is None else [_spoken_index(index) for index in found]
        rows.append(tuple(row))
    return TabularData((*columns, "S1", "ST") if with_indices else columns, tuple(rows))


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


def not_varied(answer: Sensitivity) -> list[str]:
    """Return a line per reason why assumptions could not be varied."""
    reasons: dict[str, list[str]] = {}
    for swing in answer.having(Effect.UNVARIED):
        reasons.setdefault(swing.note, []).append(swing.assumption.name)
    return [f"Not varied, {reason}: {', '.join(names)}" for reason, names in reasons.items()]


def as_json_object(study: SensitivityStudy) -> dict[str, Json]:
    """Return the object of ``sensitivity --json``; of several measures, one in ``answers`` each."""
    answers: list[dict[str, Json]] = []
    for answer in study.answers:
        said = sentences(answer)
        counts: dict[str, Json] = {"sentence": said[0], "sentences": list(said), "runs": study.runs}
        answers.append({**object_as_json(answer), **counts, "runs_spared": study.spared})
        if answer.sobol is not None:
            answers[-1]["sobol"] = object_as_json(answer.sobol)
    if len(answers) == 1:
        return answers[0]
    return {"measures": [answer.measure for answer in study.answers], "answers": list(answers)}


def figure(value: float, unit: str) -> str:
    """Write an answer with its unit; shares in percent."""
    return f"{100 * value:.4g} %" if unit == "share" else f"{value:.4g} {unit}".strip()


def _measure_first(answer: Sensitivity, first: Swing) -> str:
    moved = joined(
        [
            figure(end.value, answer.unit)
            for end in first.outer
            if end.value is not None and end.differences
        ]
    )
    estimate = spoken(first.assumption.tree, first.assumption.form)
    there = f"between {_range(first).replace(' .. ', ' and ')} (estimate {estimate})"
    if first.assumption.form is Form.CHOICE:
        there = f"with {_range(first)} in place of {estimate}"
    found = answer.index(first)
    share = ""
    if found is not None:
        total = found[1]
        share = (
            f"; it accounts for {total.value:.0%} of the variance over all ranges "
            f"(95 % interval {total.low:.0%} to {total.high:.0%})"
        )
    return (
        f"Measure {first.assumption.name} first ({first.assumption.source}): {there} "
        f"{answer.measure} moves from "
        f"{figure(answer.base.value, answer.unit)} to {moved}, by {_size(answer, first)}{share}."
    )


def _nothing(answer: Sensitivity) -> str:
    noise = answer.having(Effect.NOISE)
    if not noise:
        return f"No estimate moves {answer.measure}."
    return (
        f"No estimate is shown to move {answer.measure}: the largest difference, "
        f"{_size(answer, noise[0])} of {noise[0].assumption.name}, may be chance; "
        f"more --replications or a longer clock.horizon would tell."
    )


def _together(answer: Sensitivity) -> list[str]:
    found = answer.indices
    if found is None or len(answer.indexed) == 1:
        return []
    lines = [
        f"Of the variance when {len(answer.indexed)} estimates move together, each explains "
        f"alone what S1 says, and {_spoken_index(found.interactions)} comes of "
        f"interactions (95 % intervals in brackets)."
    ]
    if answer.stronger is not None:
        lines.append(
            f"By total index {answer.stronger} comes first: moved together with the others it "
            f"matters more."
        )
    if found.used < found.planned:
        lines.append(
            f"Of {found.planned} points of the Sobol sample {found.used} were used: in others a "
            f"run has no answer."
        )
    return lines


def _counts(answer: Sensitivity) -> str:
    parts = [
        f"{len(answer.having(effect))} {words}"
        for effect, words in _COUNTED.items()
        if answer.having(effect)
    ]
    values = sum(len(swing.assumption.paths) for swing in answer.swings)
    return f"{len(answer.swings)} assumptions of {values} values: {joined(parts)}."


def _size(answer: Sensitivity, swing: Swing) -> str:
    """Write the size of a swing with its half-width."""
    interval = swing.interval
    if interval is None:
        interval = Interval(swing.size, -float("inf"), float("inf"), float("inf"), 1)
    size, unit = with_error(interval, answer.unit)
    return f"{size} {unit}".strip()


def _range(swing: Swing) -> str:
    words = [end.words for end in swing.ends]
    if swing.assumption.form is Form.CHOICE:
        return " or ".join(words)
    if len(words) == 2:
        # What both ends begin with, as in "median 3 s .. 12 s", is said once.
        low, high = (text.partition(" ") for text in words)
        if low[0] == high[0] and low[0].isalpha() and high[2]:
            words[1] = high[2]
    return " .. ".join(words)


def _scale_line(answer: Sensitivity, marks: Sequence[float], middle: int) -> str:
    """Return the ends of the scale and the base, above the bars."""
    left, base, right = (figure(value, answer.unit) for value in marks)
    line = [" "] * (_BAR_WIDTH + 1 + max(len(base), len(right)))
    line[: len(left)] = left
    at = max(len(left) + 1, middle - len(base) // 2)
    if marks[0] < marks[1] < marks[2] and at + len(base) < _BAR_WIDTH - len(right):
        line[at : at + len(base)] = base
    at = _BAR_WIDTH + 1 - len(right)
    line[at : at + len(right)] = right
    return "".join(line).rstrip()


def _spoken_index(index: Index) -> str:
    return f"{index.value:.2f} [{index.low:.2f}, {index.high:.2f}]"

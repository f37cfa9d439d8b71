"""Which assumptions move an answer, as a document.

Takes a :class:`~sim.study.sensitivity.study.SensitivityStudy`; gives what people read: sentences,
bars and a table for every answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.analysis.error_bars import POINTS, with_error
from sim.analysis.intervals import Interval
from sim.analysis.summary import Measure
from sim.explain.words import joined
from sim.model.magnitude import Form
from sim.report.blocks import Bar, Block, Cell, Column, Document, Heading, Table, Text, Tone
from sim.report.figure import figure
from sim.report.figures.of_studies import sensitivity_figures
from sim.study.sensitivity.indices import Index
from sim.study.sensitivity.output import answer_object, full_table
from sim.study.sensitivity.scale import spoken
from sim.study.sensitivity.study import Sensitivity, SensitivityStudy
from sim.study.sensitivity.swing import Effect, End, Swing

BARS = 20
"""Assumptions a tornado shows at most."""
SHOWN = 25
"""Assumptions in the table; files hold all of them."""
_NAMED = 5
"""Assumptions a sentence names at most."""
_DIGITS = 4
_OF_BASE = "="
"""Marks an answer that is the scenario's own."""
_COUNTED = {
    Effect.MOVES: "shown to move it",
    Effect.UNKNOWN: "with a difference in the one replication",
    Effect.NOISE: "with differences that may be chance",
    Effect.NONE: "without any effect seen",
    Effect.ABSENT: "that do not enter the scenario",
    Effect.UNVARIED: "not varied",
}


def sensitivity_document(study: SensitivityStudy, origin: Mapping[str, object]) -> Document:
    """Return what is shown of a study.

    Parameters
    ----------
    study : SensitivityStudy
    origin : mapping
        What made it.
    """
    blocks = tuple(block for answer in study.answers for block in _blocks(answer))
    blocks = (*blocks, *map(Text, without_evidence(study)))
    return Document(blocks, full_table(study), study_object(study), origin)


def study_object(study: SensitivityStudy) -> dict[str, object]:
    """Return the object of ``sensitivity --json``; of several measures, one in ``answers`` each."""
    answers: list[dict[str, object]] = []
    for answer in study.answers:
        told = sentences(answer)
        found = answer_object(study, answer)
        answers.append({**found, "sentence": told[0], "sentences": told})
    if len(answers) == 1:
        return answers[0]
    return {"measures": [answer.measure for answer in study.answers], "answers": answers}


def _blocks(answer: Sensitivity) -> Iterator[Block]:
    first, *others = sentences(answer)
    yield Text(first, Tone.STRONG)
    yield from map(Text, others)
    yield from tornado(answer)
    yield from sensitivity_figures(answer)
    yield answer_table(answer, SHOWN)
    yield from map(Text, _legend(answer))
    more = len(answer.swings) - SHOWN
    if more > 0:
        yield Text(
            f"and {more} more that move {answer.measure} less; --table FILE.csv has them all"
        )
    yield from map(Text, not_varied(answer))


def tornado(answer: Sensitivity) -> tuple[Block, ...]:
    """Return bars for the assumptions that move the answer, the largest on top.

    Notes
    -----
    Bars begin at the answer as the scenario stands; a light one leads to the answer at the low end
    of the range, a dark one to that at the high end.
    """
    shown = [swing for swing in answer.swings if swing.is_candidate][:BARS]
    values = [end.value for swing in shown for end in swing.outer if end.value is not None]
    if not values:
        return ()
    base = answer.base.value
    scale = min(*values, base), max(*values, base)
    left, middle, right = (_figure(answer, value) for value in (scale[0], base, scale[1]))
    rows = tuple(
        (
            swing.assumption.name,
            Bar(tuple(end.value for end in swing.outer), scale, base),
            _range(swing),
        )
        for swing in shown
    )
    columns = (Column("assumption"), Column("", spare=1), Column("range"))
    return (
        Heading(
            f"{answer.measure} from {left} to {right}; bars begin at {middle} (░ at the low end, █ "
            f"at the high end)"
        ),
        Table(columns, rows, is_headed=False),
    )


def answer_table(answer: Sensitivity, most: int) -> Table:
    """Return the table for people, a row per assumption, the first few of them."""
    heads: tuple[str, ...] = ("assumption", "estimate", "range", "low", "high", "swing", "effect")
    spare = {"estimate": 3, "effect": 2, "S1": 4, "ST": 1}
    with_indices = answer.indices is not None
    heads = (*heads, "S1", "ST") if with_indices else heads
    rows: list[tuple[Cell, ...]] = []
    for swing in answer.swings[:most]:
        ends = [_answer_at(answer, end) for end in swing.outer]
        found = answer.index(swing) if with_indices else None
        indices = [None, None] if found is None else [_spoken_index(index) for index in found]
        rows.append(
            (
                swing.assumption.name,
                spoken(swing.assumption.tree, swing.assumption.form),
                _range(swing),
                *[*ends, None, None][:2],
                _size(answer, swing).replace(POINTS, "pp") if swing.size else None,
                swing.effect.value,
                *(indices if with_indices else ()),
            )
        )
    numbers = ("low", "high", "swing")
    columns = (Column(name, name in numbers, spare=spare.get(name, 0)) for name in heads)
    return Table(tuple(columns), tuple(rows))


def _answer_at(answer: Sensitivity, end: End) -> Cell:
    measure = Measure(end.value, answer.unit)
    return f"{_OF_BASE} {figure(measure)}" if end.is_of_base else measure


def _legend(answer: Sensitivity) -> list[str]:
    """Return what the mark of answers that were not run in full means, where there is one."""
    ends = [end for swing in answer.swings[:SHOWN] for end in swing.outer if end.is_of_base]
    if not ends:
        return []
    return [
        f"{_OF_BASE} the answer of the scenario as it stands: there the scenario compiles to the "
        f"same, or the first replications show no difference and the rest were not run."
    ]


def _figure(answer: Sensitivity, value: float) -> str:
    return figure(Measure(value, answer.unit), _DIGITS)


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


def not_varied(answer: Sensitivity) -> list[str]:
    """Return a line per reason why assumptions could not be varied."""
    reasons: dict[str, list[str]] = {}
    for swing in answer.having(Effect.UNVARIED):
        reasons.setdefault(swing.note, []).append(swing.assumption.name)
    return [f"Not varied, {reason}: {', '.join(names)}" for reason, names in reasons.items()]


def without_evidence(study: SensitivityStudy) -> list[str]:
    """Return what is to be said of values that say nothing of what they rest on."""
    unstated = study.unstated
    if not unstated:
        return []
    more = len(unstated) - _NAMED
    named = joined([*unstated[:_NAMED], *([f"{more} more"] if more > 0 else [])])
    return [
        f"Not varied, for the file gives them no evidence: {named}. What they move is not known "
        f"here; `evidence: estimated` beside such a value has it varied."
    ]


def _measure_first(answer: Sensitivity, first: Swing) -> str:
    moved = joined(
        [
            _figure(answer, end.value)
            for end in first.outer
            # What may be chance is no answer to move to.
            if end.value is not None and (end.is_shown or first.effect is Effect.UNKNOWN)
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
        f"{_figure(answer, answer.base.value)} to {moved}, by {_size(answer, first)}{share}."
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


def _spoken_index(index: Index) -> str:
    return f"{index.value:.2f} [{index.low:.2f}, {index.high:.2f}]"

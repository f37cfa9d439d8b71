"""What a result looks like: its view in a notebook, its figures, its page.

Takes the result of a run or of a study; gives HTML of a few kilobytes, an object that draws, or a
file. Asked for by name from :mod:`sim.study.shown`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from sim.analysis.catalogue import TILES
from sim.errors import UserError
from sim.report.blocks import Document
from sim.report.documents.compare import compare_document
from sim.report.documents.compare import sentences as comparison_sentences
from sim.report.documents.report import report_document
from sim.report.documents.sensitivity import sensitivity_document
from sim.report.documents.sensitivity import sentences as sensitivity_sentences
from sim.report.documents.stress import sentences as stress_sentences
from sim.report.documents.stress import stress_document
from sim.report.documents.sweep import sweep_document
from sim.report.figure import figure, written
from sim.report.plots import (
    ComparisonPlots,
    RunPlots,
    SensitivityPlots,
    StressPlots,
    SweepPlots,
)
from sim.study.compare.comparison import Comparison
from sim.study.result import Result
from sim.study.sensitivity.study import SensitivityStudy
from sim.study.stress.study import Stress
from sim.study.sweep.study import SweepResult

BYTES_MAX = 5000
"""Of a view: a notebook keeps every one of them."""
PAGE_FILE = "report.html"
_ROWS, _COLUMNS = 8, 6
_WORDS_MAX = 400
_MADE_BY = ("sim", "in Python")

_View = tuple[str, Sequence[str], Sequence[Sequence[str]], Sequence[str]]
"""Title, sentences, rows of a table with its head first, and small print."""


def notebook_html(result: object) -> str:
    """Return the view of a result in a notebook: no script, no request, under :data:`BYTES_MAX`.

    Parameters
    ----------
    result : object

    Raises
    ------
    TypeError
        If it is no result of ours.
    """
    title, told, rows, small = _view(result)
    for most in range(max(len(rows), 1), 0, -1):
        html = _html(title, told, rows[:most], small)
        if len(html.encode()) < BYTES_MAX:
            return html
    return _html(title, [], [], small[:1])


def plots(result: object) -> object:
    """Return what draws the figures of a result.

    Raises
    ------
    TypeError
        If it is no result of ours.
    """
    match result:
        case Result():
            return RunPlots(result)
        case Comparison():
            return ComparisonPlots(result)
        case Stress():
            return StressPlots(result)
        case SweepResult():
            return SweepPlots(result)
        case SensitivityStudy():
            return SensitivityPlots(result)
    raise TypeError(f"{type(result).__name__}: no result of a run or a study")


def write_report(result: object, path: Path | str | None = None) -> Path:
    """Write a result as a page; see :func:`sim.study.shown.write_report`."""
    from sim.report.figures.drawing import need_drawing
    from sim.report.rendering import write_document
    from sim.tables.run_place import own_beside, strange_files

    need_drawing()
    if path is not None:
        written = Path(path)
        write_document(_document(result), "html", written)
        return written
    if not isinstance(result, Result):
        raise UserError("report: found no path; allowed: a file such as 'report.html'")
    written = result.folder / PAGE_FILE
    if strange_files(result.folder, (PAGE_FILE,)):
        raise UserError(
            f"{written}: found a file somebody else wrote or changed; allowed: another path"
        )
    write_document(_document(result), "html", written)
    own_beside(result.folder, PAGE_FILE)
    return written


def _document(result: object) -> Document:
    from sim.tables.provenance import origin

    made = origin(_MADE_BY)
    match result:
        case Result():
            return report_document(result)
        case Comparison():
            return compare_document(result, made)
        case Stress():
            return stress_document(result, made)
        case SweepResult():
            return sweep_document(result, "", made)
        case SensitivityStudy():
            return sensitivity_document(result, made)
    raise TypeError(f"{type(result).__name__}: no result of a run or a study")


def _view(result: object) -> _View:
    match result:
        case Result():
            return _of_run(result)
        case Comparison():
            return _of_comparison(result)
        case Stress():
            return _of_stress(result)
        case SweepResult():
            return _of_sweep(result)
        case SensitivityStudy():
            return _of_sensitivity(result)
    raise TypeError(f"{type(result).__name__}: no result of a run or a study")


def _of_run(result: Result) -> _View:
    summary, facts = result.summary, result.facts
    rows = [("", "value")]
    for key, (name, note) in TILES.items():
        one = summary.measures.get(key)
        if one is not None and one.value is not None:
            rows.append((f"{name} ({note})", figure(one)))
    runs = f"{summary.replications} replications" if summary.replications > 1 else "one run"
    covered = "cross-border payments" if summary.covers == "cross_border" else "payments"
    audit = "" if result.audit is None else f", audit {'passed' if result.audit.ok else 'FAILED'}"
    software = facts.get("software")
    version = software.get("version") if isinstance(software, dict) else None
    return (
        f"{summary.scenario}: {figure(summary.measures['submitted'])} {covered}",
        (),
        rows,
        (
            f"{runs}, seed {summary.seed}, {summary.engine} engine{audit}; folder {result.folder}",
            f"payroute {version}, plan {facts.get('plan_hash')}, digest {facts.get('digest')}",
        ),
    )


def _of_comparison(found: Comparison) -> _View:
    from sim.analysis.error_bars import with_error

    rows = [("measure", "arms", "difference", "p")]
    for pair in found.pairs[:_ROWS]:
        known = pair.difference
        told = "not known"
        if known is not None:
            size, unit = with_error(known.interval, pair.unit)
            told = f"{'-' if known.interval.value < 0 else '+'}{size} {unit}"
        p = "" if pair.p_holm is None else f"{pair.p_holm:.3f}"
        rows.append((pair.measure, f"{pair.b} against {pair.a}", told, p))
    small = [f"{found.replications} replications; p after Holm's correction"]
    if len(found.pairs) > _ROWS:
        small.append(f"and {len(found.pairs) - _ROWS} more differences in .pairs")
    title = f"Comparison of {len(found.arms)} arms"
    return title, comparison_sentences(found), rows, small


def _of_stress(found: Stress) -> _View:
    return f"Stress test: {found.verdict}", stress_sentences(found), [], [repr(found).strip("<>")]


def _of_sweep(found: SweepResult) -> _View:
    table = found.table
    rows = [tuple(table.columns[:_COLUMNS])]
    rows += [tuple(written(cell) for cell in row[:_COLUMNS]) for row in table.rows[:_ROWS]]
    told = f"{found.run} points run, {found.kept} kept from before, {found.failed} failed"
    small = [f"{len(table.rows)} points, {len(table.columns)} columns in .table"]
    return "Sweep", [told], rows, small


def _of_sensitivity(found: SensitivityStudy) -> _View:
    told = [sensitivity_sentences(answer)[0] for answer in found.answers[:_COLUMNS]]
    rows = [("answer", "assumption", "moves it by")]
    for answer in found.answers[:_COLUMNS]:
        moving = [swing for swing in answer.swings if swing.is_candidate][:_ROWS]
        rows += [(answer.measure, swing.assumption.name, written(swing.size)) for swing in moving]
    return "Sensitivity", told, rows, [f"{found.runs} runs, {found.spared} spared"]


def _html(
    title: str, told: Sequence[str], rows: Sequence[Sequence[str]], small: Sequence[str]
) -> str:
    parts = [f"<p><strong>{_text(title)}</strong></p>"]
    parts += [f"<p>{_text(line)}</p>" for line in told]
    if len(rows) > 1:
        head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in rows[0])
        body = "".join(
            f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows[1:]
        )
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    parts += [f"<p><small>{_text(line)}</small></p>" for line in small]
    return f'<div class="payroute">{"".join(parts)}</div>'


def _text(words: str) -> str:
    """Return words as text of HTML; what is very long is cut."""
    return escape(words if len(words) <= _WORDS_MAX else f"{words[:_WORDS_MAX]}…")

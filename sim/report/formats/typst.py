"""A document as Typst, a markup for papers that compiles in an instant."""

from __future__ import annotations

import re

from sim.report.blocks import Bar, Document
from sim.report.markup import Markup, compose
from sim.report.rendering import Format

_BAR_MM = 30
_MARKS_OF_TYPST = re.compile(r"([\\#*_$`<>@~\[\]/=+-])")


def _table(heads: list[str], rows: list[list[str]], sides: list[str]) -> str:
    sides = ["right" if side == "right" else "left" for side in sides]
    lines = [f"#table(columns: {len(heads)}, stroke: none, align: ({', '.join(sides)},),"]
    rule = "  table.hline(),"
    if any(heads):
        lines += [rule, f"  table.header({_row(heads)}),"]
    lines += [rule, *(f"  {_row(row)}," for row in rows), rule, ")"]
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return ", ".join(f"[{cell}]" for cell in cells)


def _bar(bar: Bar) -> str:
    """Draw a bar as rectangles, the second of two ends darker."""
    marks, at = [], 0
    shades = ("silver", "black")[-len(bar.ends) :]
    for (low, high), shade in sorted(zip(bar.spans(_BAR_MM), shades, strict=True)):
        box = f"#box(width: {high - low}mm, height: 0.7em, fill: {shade})"
        marks.append(f"#h({low - at}mm){box}")
        at = high
    return "".join(marks)


def _verbatim(text: str) -> str:
    return '#raw(block: true, "' + text.replace("\\", "\\\\").replace('"', r"\"") + '")'


_MARKS = Markup(
    escape=lambda text: _MARKS_OF_TYPST.sub(r"\\\1", text),
    heading=lambda words, level: f"{'=' * level} {words}",
    strong=lambda words: f"#strong[{words}]",
    verbatim=_verbatim,
    table=_table,
    bar=_bar,
)


def render(document: Document) -> str:
    """Return the document's text; it needs no package."""
    return compose(document, _MARKS)


FORMAT = Format(render, (".typ",))

"""A document as LaTeX for a paper: tables with the rules of ``booktabs``, bars as rules."""

from __future__ import annotations

import re

from tabulate import tabulate

from sim.report.blocks import Bar, Document
from sim.report.markup import Markup, compose
from sim.report.rendering import Format

_BAR_MM = 30
_ESCAPES = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"}
_ESCAPES |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
_ESCAPES |= {"<": r"\textless{}", ">": r"\textgreater{}", "±": r"\ensuremath{\pm}"}
_ESCAPES |= {"░": "thin", "█": "thick"}
_HEADINGS = ("section", "subsection", "subsubsection")


_MINUS = re.compile(r"(?<!\w)-(?=\d)")
"""A hyphen that is a sign; in a paper it is as wide as a plus."""


def _escape(text: str) -> str:
    escaped = "".join(_ESCAPES.get(character, character) for character in text)
    return _MINUS.sub(r"\\ensuremath{-}", escaped)


def _table(heads: list[str], rows: list[list[str]], sides: list[str]) -> str:
    # Cells are escaped already: the library's own escapes would show the marks of bars as text.
    body = tabulate(rows, tablefmt="latex_raw", colalign=sides, disable_numparse=True)
    begin, _, *inside, _, end = body.splitlines()
    head = [" & ".join(heads) + r" \\", r"\midrule"] if any(heads) else []
    return "\n".join([begin, r"\toprule", *head, *inside, r"\bottomrule", end])


def _bar(bar: Bar) -> str:
    """Draw a bar as rules, thin to the first of two ends and thick to the second."""
    marks, at = [], 0
    heights = ("0.6ex", "1.4ex")[-len(bar.ends) :]
    for (low, high), height in sorted(zip(bar.spans(_BAR_MM), heights, strict=True)):
        marks.append(rf"\hspace*{{{low - at}mm}}\rule{{{high - low}mm}}{{{height}}}")
        at = high
    return rf"\mbox{{{''.join(marks)}}}"


_MARKS = Markup(
    escape=_escape,
    heading=lambda words, level: rf"\{_HEADINGS[level - 1]}*{{{words}}}",
    strong=lambda words: rf"\textbf{{{words}}}",
    verbatim=lambda text: f"\\begin{{verbatim}}\n{text}\n\\end{{verbatim}}",
    table=_table,
    bar=_bar,
)


def render(document: Document) -> str:
    """Return the document's text, to be read by a paper that uses ``booktabs``."""
    return compose(document, _MARKS)


FORMAT = Format(render, (".tex",))

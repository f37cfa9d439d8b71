"""A document as Markdown, tables with pipes."""

from __future__ import annotations

from tabulate import tabulate

from sim.report.blocks import Document
from sim.report.markup import Markup, compose, drawn
from sim.report.rendering import Format

_BAR = 24


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", r"\|").replace("<", r"\<").replace("*", r"\*")


def _table(heads: list[str], rows: list[list[str]], sides: list[str]) -> str:
    sides = ["right" if side == "right" else "left" for side in sides]
    return tabulate(rows, heads, tablefmt="pipe", colalign=sides, disable_numparse=True)


_MARKS = Markup(
    escape=_escape,
    heading=lambda words, level: f"{'#' * level} {words}",
    strong=lambda words: f"**{words}**",
    verbatim=lambda text: f"```text\n{text}\n```",
    table=_table,
    bar=lambda bar: drawn(bar, _BAR),
)


def render(document: Document) -> str:
    """Return the document's text."""
    return compose(document, _MARKS)


FORMAT = Format(render, (".md",))

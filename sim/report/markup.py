"""Compose a document out of a format's own marks.

Takes a document and how a format writes each part; gives its text. What the formats have in common
stands here, so that one of them is a few lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sim.report.blocks import (
    Bar,
    Block,
    Cell,
    Document,
    Facts,
    Figure,
    Folded,
    Heading,
    Player,
    Series,
    Table,
    Text,
    Tiles,
    Tone,
    Verbatim,
)
from sim.report.figure import written


@dataclass(frozen=True, slots=True)
class Markup:
    """The marks of a format.

    Attributes
    ----------
    escape : callable
        Text to text in which nothing is a mark.
    heading : callable
        Escaped title and level to a line.
    strong : callable
        Escaped words to words that stand out.
    verbatim : callable
        Text to lines shown as they are.
    table : callable
        Escaped headings, escaped rows and the side of each column (see :func:`sides`) to a table;
        a table without headings has empty ones.
    bar : callable
        A bar to marks that draw it, or to nothing.
    """

    escape: Callable[[str], str]
    heading: Callable[[str, int], str]
    strong: Callable[[str], str]
    verbatim: Callable[[str], str]
    table: Callable[[list[str], list[list[str]], list[str]], str]
    bar: Callable[[Bar], str]


def compose(document: Document, marks: Markup) -> str:
    """Return the text of a document."""
    parts = (_block(block, marks) for block in document.blocks)
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


def _block(block: Block, marks: Markup) -> str:
    match block:
        case Heading():
            return marks.heading(marks.escape(block.words), block.level)
        case Text():
            return _toned(block, marks)
        case Verbatim():
            return marks.verbatim(block.kept())
        case Series():
            return marks.escape(f"{block.before} {block.after}")
        case Facts() | Tiles():
            return _table(block.table(), marks)
        case Folded():
            title = marks.strong(marks.escape(block.title))
            return f"{title}\n\n{_table(block.table, marks)}"
        case Figure() | Player():
            # Shown where a drawing can be; its data are in tables and in files of its own.
            return ""
        case Table():
            return _table(block, marks)


def _table(table: Table, marks: Markup) -> str:
    if not table.columns:
        return ""
    heads = [marks.escape(column.name) if table.is_headed else "" for column in table.columns]
    rows = [[_cell(cell, marks) for cell in row] for row in table.rows]
    return marks.table(heads, rows, sides(table))


def sides(table: Table) -> list[str]:
    """Return for each column ``right``, ``left``, or ``prose`` where its words may go on below."""
    return [
        "right" if column.is_number else "prose" if column.is_prose else "left"
        for column in table.columns
    ]


def _cell(cell: Cell, marks: Markup) -> str:
    if isinstance(cell, Bar):
        return marks.bar(cell)
    return _toned(cell, marks) if isinstance(cell, Text) else marks.escape(_line(written(cell)))


def _toned(text: Text, marks: Markup) -> str:
    words = marks.escape(_line(text.words))
    return marks.strong(words) if text.tone in (Tone.STRONG, Tone.BAD) and words else words


def _line(words: str) -> str:
    return " ".join(words.splitlines()) if "\n" in words else words


def drawn(bar: Bar, width: int, marks: Sequence[str] = "░█") -> str:
    """Draw a bar in characters.

    Parameters
    ----------
    bar : Bar
    width : int
        Characters it has room for.
    marks : sequence of str
        Of the first end and of the second; a single end has the last one.
    """
    has_axis = len(bar.ends) > 1
    steps = width - 1 if has_axis else width
    cells = [" "] * width
    for mark, (low, high) in zip(marks[-len(bar.ends) :], bar.spans(steps), strict=True):
        for at in range(low, min(high + has_axis, width)):
            cells[at] = mark
    if has_axis:
        cells[bar.place(bar.origin, steps)] = "│"
    return "".join(cells).rstrip()

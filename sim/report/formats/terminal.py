"""A document for people at a terminal, whatever its width: nothing is ever cut.

Takes a document and the columns there are; gives lines. What does not fit goes on in the next line
between words, spare columns are left out with a word that says so, and a table that is still too
wide is written row by row. Without a width, as in a pipe, everything stands in one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

from rich.text import Text as Line

from sim.explain.wrapping import HANG, LINE_WIDTH, lay_out, wrap
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
from sim.report.fitting import GAP, fit
from sim.report.markup import drawn
from sim.report.rendering import Format

PROSE_WIDTH = 88
"""Longer lines are hard to read, however wide the terminal."""
_SERIES = 36
_BLOCKS = "▁▂▃▄▅▆▇█"


def render(document: Document) -> str:
    """Return the document as plain text of any width."""
    return "".join(f"{line.plain}\n" for line in lines(document, None))


def lines(document: Document, width: int | None) -> Iterator[Line]:
    """Yield the lines of a document.

    Parameters
    ----------
    document : Document
    width : int or None
        Columns of the terminal; None where there is no limit.
    """
    before: Block | None = None
    for block in document.blocks:
        # Shown where a drawing can be.
        if isinstance(block, Figure | Player):
            continue
        goes_on = isinstance(block, Text | Series) and isinstance(before, Text | Series)
        follows_title = isinstance(before, Heading) and not isinstance(block, Heading)
        if before is not None and not goes_on and not follows_title:
            yield Line()
        for line in _block(block, width):
            line.rstrip()
            yield line
        before = block


def _block(block: Block, width: int | None) -> Iterator[Line]:
    match block:
        case Heading():
            yield from _prose(Text(block.words, Tone.STRONG), width)
        case Text():
            yield from _prose(block, width)
        case Verbatim():
            yield from map(Line, _kept(block, width))
        case Series():
            drawing = chart(block.values, _SERIES)
            yield from _prose(Text(f"{block.before} {drawing} {block.after}"), width)
        case Facts():
            yield from _facts(block, width)
        case Table():
            yield from _table(block, width)
        case Tiles():
            yield from _table(block.table(), width)
        case Folded():
            yield from _prose(Text(block.title, Tone.STRONG), width)
            yield from _table(block.table, width)
        case Figure() | Player():
            return


def _kept(block: Verbatim, width: int | None) -> list[str]:
    """Return lines that are laid out already; only what is wider than the terminal goes on."""
    if width is None:
        return block.kept().splitlines()
    return [
        part
        for line in lay_out(block.words, min(width, LINE_WIDTH), keeps_tables=True)
        for part in wrap(line, width, hang=HANG)
    ]


def chart(values: Sequence[float], width: int) -> str:
    """Draw a series of numbers of at least 0 as blocks, each the mean of its part of the series."""
    parts = min(width, len(values))
    edges = [len(values) * at // parts for at in range(parts + 1)]
    means = [sum(values[low:high]) / (high - low) for low, high in pairwise(edges)]
    most = max(means, default=0)
    if most <= 0:
        return _BLOCKS[0] * parts
    return "".join(_BLOCKS[min(7, int(8 * mean / most))] for mean in means)


def _prose(text: Text, width: int | None) -> Iterator[Line]:
    for paragraph in text.words.splitlines() or [""]:
        for line in wrap(paragraph, None if width is None else min(width, PROSE_WIDTH)):
            yield Line(line, text.tone)


def _facts(facts: Facts, width: int | None) -> Iterator[Line]:
    """Lay groups side by side, as many as there is room for."""
    groups = [list(_table(table, None)) for table in facts.tables() if table.rows]
    for group in groups:
        for line in group:
            line.rstrip()
    sizes = [max(line.cell_len for line in group) for group in groups]
    while groups:
        most, used = 0, 0
        while most < len(groups) and (not most or width is None or used + sizes[most] <= width):
            used += sizes[most] + GAP
            most += 1
        for row in zip_longest(*groups[:most], fillvalue=Line()):
            whole = Line()
            for part, size in zip(row, sizes, strict=False):
                whole.append_text(part).append(" " * (size - part.cell_len + GAP))
            yield whole
        del groups[:most], sizes[:most]


def _table(table: Table, width: int | None) -> Iterator[Line]:
    found = fit(table, width)
    if found is None:
        yield from _records(table, width or 0)
        return
    columns, sizes = found
    heads: tuple[Cell, ...] = tuple(Text(column.name, Tone.QUIET) for column in table.columns)
    if table.is_headed:
        yield from _row(table, heads, columns, sizes=sizes)
        yield Line("─" * (sum(sizes) + GAP * (len(sizes) - 1)))
    for row in table.rows:
        yield from _row(table, row, columns, sizes=sizes)
    left_out = [
        column.name or "bars" for at, column in enumerate(table.columns) if at not in columns
    ]
    if left_out:
        # The word stands under the table, where a reader looks for what is missing.
        yield from _prose(Text(f"(too narrow for: {', '.join(left_out)})", Tone.QUIET), width)


def _row(
    table: Table, row: Sequence[Cell], columns: Sequence[int], *, sizes: Sequence[int]
) -> Iterator[Line]:
    """Yield the lines of one row."""
    parts = [_cell_lines(row[at], size) for at, size in zip(columns, sizes, strict=True)]
    for line in zip_longest(*parts, fillvalue=Line()):
        whole = Line()
        for at, part, size in zip(columns, line, sizes, strict=True):
            room = " " * (size - part.cell_len)
            is_right = table.columns[at].is_number
            whole.append(room if is_right else "").append_text(part)
            whole.append(" " * GAP if is_right else room + " " * GAP)
        yield whole


def _cell_lines(cell: Cell, size: int) -> list[Line]:
    if isinstance(cell, Bar):
        return [Line(drawn(cell, size), "cyan")]
    tone = cell.tone if isinstance(cell, Text) else Tone.PLAIN
    texts = [part for text in written(cell).splitlines() for part in wrap(text, size)]
    return [Line(text, tone) for text in texts]


def _records(table: Table, width: int) -> Iterator[Line]:
    """Yield a table row by row: its name, then a line per column."""
    first, *rest = table.columns
    for row in table.rows:
        name = written(row[0]) or NO_NAME
        yield from _prose(Text(f"{first.name} {name}" if first.is_number else name), width)
        for column, cell in zip(rest, row[1:], strict=True):
            text = written(cell)
            if not text:
                continue
            words = f"{column.name} {text}" if column.name and table.is_headed else text
            tone = cell.tone if isinstance(cell, Text) else Tone.PLAIN
            for line in wrap(words, width - GAP):
                yield Line(" " * GAP).append(line, tone)
    yield from _prose(Text("(too narrow for columns: a line each)", Tone.QUIET), width)


NO_NAME = "(without a name)"

FORMAT = Format(render, (".txt",))

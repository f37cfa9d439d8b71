"""Turn blocks into parts of a page.

Takes blocks; gives HTML in which every text is escaped. Every number stands in a ``data`` element
with all its digits, so that a program finds on the page what people read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from itertools import count

from sim.analysis.summary import Measure
from sim.explain.wrapping import bound
from sim.report.blocks import (
    Bar,
    Block,
    Cell,
    Column,
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
from sim.report.figures.tape import Recording
from sim.report.page.player import player_html

_CLASSES = {
    Tone.STRONG: "strong",
    Tone.QUIET: "quiet",
    Tone.GOOD: "good",
    Tone.BAD: "bad",
    Tone.CAUTION: "caution",
}
_BAR_STEPS = 100
_COURSE_WIDTH, _COURSE_HEIGHT = 300, 48
_SIDES_MAX = 10
"""Columns whose numbers the style of a table can set right, see ``page.css``."""
_PROSE = ("", ' class="p"')
_ROWS_OPEN = 40
"""Rows up to which a table stands open; a longer one is unfolded by whoever wants it."""


class Parts:
    """The parts of one page, with an anchor for each of its sections."""

    def __init__(self) -> None:
        self.sections: list[tuple[str, str]] = []
        self._title = ""
        self.has_player = False
        self._number = count(1)
        self._names: Counter[str] = Counter()

    def of(self, blocks: Sequence[Block]) -> str:
        """Return blocks as HTML, figures that follow each other side by side."""
        made: list[str] = []
        figures: list[str] = []
        for block in blocks:
            if isinstance(block, Figure):
                figures.append(self._figure(block))
                continue
            if figures:
                made.append(f'<div class="figures">{"".join(figures)}</div>')
                figures = []
            made.append(self._block(block))
        if figures:
            made.append(f'<div class="figures">{"".join(figures)}</div>')
        return "\n".join(made)

    def _block(self, block: Block) -> str:
        match block:
            case Heading():
                return self._heading(block)
            case Text():
                return f"<p{_class_of(block.tone)}>{_lines(block.words)}</p>"
            case Verbatim():
                return f'<pre tabindex="0">{escape(block.kept())}</pre>'
            case Series():
                return _series(block)
            case Facts():
                return self._table(block.table(), self._title)
            case Tiles():
                return _tiles(block)
            case Table():
                return self._table(block, self._title)
            case Folded():
                return self._folded(block.title, block.table)
            case Figure():
                return self._figure(block)
            case Player():
                self.has_player = True
                assert isinstance(block.recording, Recording)
                above = self._heading(Heading(block.title))
                words = f"<p>{_lines(block.words)}</p>" if block.words else ""
                return f"{above}{words}{player_html(block.recording)}"

    def _heading(self, heading: Heading) -> str:
        level = min(max(heading.level, 1), 3)
        self._title = heading.words
        if level != 2:
            return f"<h{level}>{escape(heading.words)}</h{level}>"
        anchor = f"part-{next(self._number)}"
        self.sections.append((anchor, heading.words))
        return f'<h2 id="{anchor}">{escape(heading.words)}</h2>'

    def _table(self, table: Table, title: str) -> str:
        if not table.columns or not table.rows:
            return ""
        if len(table.rows) > _ROWS_OPEN:
            return self._folded(f"{title}: {len(table.rows)} rows", table)
        return self._whole(table, title)

    def _whole(self, table: Table, title: str) -> str:
        """Return a table in its box; every box of a page has a name of its own."""
        self._names[title] += 1
        known = self._names[title]
        return _table(table, title if known == 1 else f"{title} ({known})")

    def _folded(self, title: str, table: Table) -> str:
        return (
            f"<details><summary>{escape(title)}</summary>{self._whole(table, title)}</details>"
            if table.rows
            else ""
        )

    def _figure(self, figure: Figure) -> str:
        from sim.report.figures.drawing import svg_for_page

        name = f"figure-{next(self._number)}"
        note = f"<p>{escape(figure.note)}</p>" if figure.note else ""
        return (
            f'<figure id="{name}"><figcaption>{escape(figure.title)}{note}</figcaption>'
            f"{svg_for_page(figure, name)}"
            f"{self._folded(f'Table behind: {figure.title}', figure.table())}</figure>"
        )


def _table(table: Table, title: str) -> str:
    head = ""
    if table.is_headed:
        cells = "".join(_head(at, column) for at, column in enumerate(table.columns))
        head = f"<thead><tr>{cells}</tr></thead>"
    # A name that stands in several rows heads none of them.
    firsts = [written(row[0]) for row in table.rows]
    is_headed = len(set(firsts)) == len(firsts)
    rows = "".join(
        f"<tr>{_row(table.columns, row, is_headed=is_headed)}</tr>" for row in table.rows
    )
    sides = " ".join(
        f"n{at}"
        for at, column in enumerate(table.columns[:_SIDES_MAX], start=1)
        if column.is_number
    )
    kind = f' class="{sides}"' if sides else ""
    # A region that can be scrolled must be reached and named without a mouse.
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(title or "Table")}">'
        f"<table{kind}>{head}<tbody>{rows}</tbody></table></div>"
    )


def _head(at: int, column: Column) -> str:
    if not column.name:
        return "<td></td>"
    side = _side(at, column)
    return f'<th scope="col"{side}>{escape(column.name)}</th>'


def _row(columns: Sequence[Column], row: Sequence[Cell], *, is_headed: bool) -> str:
    made = []
    for at, (column, cell) in enumerate(zip(columns, row, strict=True)):
        side = _side(at, column)
        if at == 0 and is_headed and written(cell):
            made.append(f'<th scope="row"{side}>{number_or_words(cell)}</th>')
        else:
            made.append(f"<td{side}>{number_or_words(cell)}</td>")
    return "".join(made)


def _side(at: int, column: Column) -> str:
    """Return how a cell lies; the numbers of most columns are said of the whole table."""
    is_said = column.is_number and at < _SIDES_MAX
    return "" if is_said else ' class="n"' if column.is_number else _PROSE[column.is_prose]


def number_or_words(cell: Cell) -> str:
    """Return a cell as HTML; a number keeps all its digits beside what people read."""
    if isinstance(cell, Bar):
        return _bar(cell)
    if isinstance(cell, Text):
        return f"<span{_class_of(cell.tone)}>{_lines(cell.words)}</span>"
    value = cell.value if isinstance(cell, Measure) else cell
    words = escape(bound(written(cell)))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<data value="{value!r}">{words}</data>'
    return words


def _bar(bar: Bar) -> str:
    marks = ("first", "last")[-len(bar.ends) :]
    rects = "".join(
        f'<rect class="{mark}" x="{low}" y="0" width="{high - low}" height="8"/>'
        for mark, (low, high) in zip(marks, bar.spans(_BAR_STEPS), strict=True)
        if high > low
    )
    return (
        f'<svg class="bar" viewBox="0 0 {_BAR_STEPS} 8" preserveAspectRatio="none" '
        f'aria-hidden="true">{rects}</svg>'
    )


def _series(series: Series) -> str:
    words = f"{series.before} {series.after}"
    most = max(series.values, default=0.0) or 1.0
    wide = _COURSE_WIDTH / max(len(series.values), 1)
    points = " ".join(
        f"L{at * wide:.1f},{_COURSE_HEIGHT * (1 - value / most):.1f} h{wide:.1f}"
        for at, value in enumerate(series.values)
    )
    return (
        f"<p>{escape(words)}</p>"
        f'<svg class="course" viewBox="0 0 {_COURSE_WIDTH} {_COURSE_HEIGHT}" role="img" '
        f'preserveAspectRatio="none" aria-label="{escape(words)}">'
        f'<path d="M0,{_COURSE_HEIGHT} {points} V{_COURSE_HEIGHT} Z"/></svg>'
    )


def _tiles(tiles: Tiles) -> str:
    made = "".join(
        f'<div><dt>{escape(tile.name)}</dt><dd class="value">{number_or_words(tile.value)}</dd>'
        f'<dd class="note">{escape(tile.note)}</dd></div>'
        for tile in tiles.items
    )
    return f'<dl class="tiles">{made}</dl>'


def _class_of(tone: Tone) -> str:
    name = _CLASSES.get(tone)
    return f' class="{name}"' if name else ""


def _lines(words: str) -> str:
    return "<br>".join(escape(bound(line)) for line in words.splitlines())

"""A document as LaTeX for a paper: tables with the rules of ``booktabs``, bars as rules."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

from sim.report.blocks import Bar, Block, Document, Table, Text, Tone
from sim.report.fitting import fit
from sim.report.markup import Markup, compose
from sim.report.rendering import Format

_BAR_MM = 30
_ESCAPES = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"}
_ESCAPES |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
_ESCAPES |= {"<": r"\textless{}", ">": r"\textgreater{}", "±": r"\ensuremath{\pm}"}
_ESCAPES |= {"≥": r"\ensuremath{\geq}", "≤": r"\ensuremath{\leq}", "×": r"\ensuremath{\times}"}
_ESCAPES |= {"→": r"\ensuremath{\to}", "…": r"\dots{}", "\u00a0": "~", "\u200b": ""}
_ESCAPES |= {"░": "thin", "█": "thick"}
_NEEDS = "% \\usepackage{array,booktabs,graphicx,longtable}\n"
_LINE, _GAP = 78, 3
"""Small letters in a line of a paper's usual text, and between two columns."""
_BAR_LETTERS = 20
_PROSE_LEAST = 0.25
_ROWS_OF_A_PAGE = 45
_COMMANDS = re.compile(r"\\[A-Za-z]+|[\\{}]")
_HEADINGS = ("section", "subsection", "subsubsection")


_MINUS = re.compile(r"(?<!\w)-(?=\d)")
"""A hyphen that is a sign; in a paper it is as wide as a plus."""


def _escape(text: str) -> str:
    escaped = "".join(_ESCAPES.get(character, character) for character in text)
    return _MINUS.sub(r"\\ensuremath{-}", escaped)


def _table(heads: list[str], rows: list[list[str]], sides: list[str]) -> str:
    """Write a table with rules; long ones break over pages, too wide ones shrink as a whole."""
    widths = [max(map(_room, column)) for column in zip(heads, *rows, strict=True)]
    marks = ["r" if side == "right" else "l" for side in sides]
    rest = sum(size for size, side in zip(widths, sides, strict=True) if side != "prose")
    rest += _GAP * (len(widths) - 1)
    if "prose" in sides and sum(widths) + _GAP * (len(widths) - 1) > _LINE:
        share = max(_PROSE_LEAST, 0.96 - rest / _LINE) / sides.count("prose")
        prose = rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}"
        marks = [prose if side == "prose" else marks[at] for at, side in enumerate(sides)]
    elif "prose" not in sides:
        rest = sum(widths) + _GAP * (len(widths) - 1)
    lines = [r"\toprule"]
    lines += [" & ".join(heads) + r" \\", r"\midrule"] if any(heads) else []
    body = [" & ".join(row) + r" \\" for row in rows]
    if len(rows) > _ROWS_OF_A_PAGE:
        begin = rf"\begin{{longtable}}{{{''.join(marks)}}}"
        inside = [begin, *lines, r"\endhead", *body, r"\bottomrule", r"\end{longtable}"]
        return "\n".join(["{\\small", *inside, "}"])
    inside = [rf"\begin{{tabular}}{{{''.join(marks)}}}", *lines, *body]
    inside += [r"\bottomrule", r"\end{tabular}"]
    if rest > _LINE:
        inside = [r"\resizebox{\linewidth}{!}{%", *inside, "}"]
    return "\n".join([r"\begin{center}\small", *inside, r"\end{center}"])


def _room(cell: str) -> int:
    """Return about how many letters wide a cell is, its marks aside."""
    if r"\rule" in cell:
        return _BAR_LETTERS
    return cell_len(_COMMANDS.sub("", cell))


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
    """Return the document's text, to be read by a paper with the packages its first line names."""
    blocks = tuple(part for block in document.blocks for part in _narrowed(block))
    narrow = Document(blocks, document.table, document.record, document.origin)
    return _NEEDS + compose(narrow, _MARKS)


def _narrowed(block: Block) -> Iterator[Block]:
    """Leave spare columns out where the text is too narrow for them, with a word that says so."""
    found = fit(block, _LINE, gap=_GAP) if isinstance(block, Table) else None
    if not isinstance(block, Table) or found is None or len(found[0]) == len(block.columns):
        yield block
        return
    kept, _ = found
    columns = tuple(block.columns[at] for at in kept)
    rows = tuple(tuple(row[at] for at in kept) for row in block.rows)
    yield Table(columns, rows, block.is_headed)
    names = [one.name or "bars" for at, one in enumerate(block.columns) if at not in kept]
    yield Text(f"(too narrow for: {', '.join(names)})", Tone.QUIET)


FORMAT = Format(render, (".tex",))

"""Break lines by the room letters take at a terminal, never inside a word, a name or a figure.

Takes text and a number of columns; gives lines. Chinese letters take two columns and may be parted
from each other; Khmer signs above or below a letter take none, and a line of Khmer ends where its
writer left an invisible space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

LINE_WIDTH = 100
"""Columns of text that is kept or sent where nobody knows the reader's terminal."""
HANG = 6
"""Columns by which the further lines of a long one are set in."""
_JOINTS = re.compile(r"(?<=[./_])(?=[^./_])|(?<=\u200b)")
"""Where a name longer than the line goes on in the next one, if it must."""
_BOUND = re.compile(r"(?<=\d) (?=±|/s|%|(?:s|ms|min|h|d|bps|pp)\b|[A-Z]{3}\b|\d{3}\b)|(?<=±) ")
"""Spaces inside a figure, at which no line ends."""
_KEPT = "\u00a0"


def wrap(words: str, width: int | None, *, hang: int = 0) -> list[str]:
    """Break words between them; only a name that is alone too long breaks at its own joints.

    Parameters
    ----------
    words : str
        Without line ends; spaces before it are kept and set further lines in as well.
    width : int or None
        Columns; None where there is no limit.
    hang : int
        Columns by which further lines are set in besides.
    """
    if width is None or cell_len(words) <= width:
        return [words]
    margin = len(words) - len(words.lstrip(" "))
    first, further = " " * margin, " " * (margin + hang)
    # On a line too narrow for its margin the margin goes, not the words.
    if cell_len(further) > width // 2:
        first = further = ""
    lines: list[str] = []
    line, begun = first, first
    for word in bound(words[margin:]).split(" "):
        gap = "" if line == begun else " "
        if cell_len(line) + cell_len(gap + word) <= width:
            line += gap + word
            continue
        if line.strip():
            lines.append(line)
            line = begun = further
        for piece in _pieces(word, width - cell_len(further)):
            if line.strip() and cell_len(line) + cell_len(piece) > width:
                lines.append(line)
                line = begun = further
            line += piece
    if line.strip():
        lines.append(line)
    return [one.rstrip(" ").replace(_KEPT, " ") for one in lines] or [""]


def bound(words: str) -> str:
    """Return words with spaces inside figures at which no line ends."""
    return _BOUND.sub(_KEPT, words)


def lay_out(text: str, width: int | None, *, keeps_tables: bool = False) -> list[str]:
    """Break the lines of a longer text, further lines set in.

    Parameters
    ----------
    text : str
    width : int or None
        Columns; None where there is no limit.
    keeps_tables : bool
        Whether lines with gaps inside, as rows of a table have, are left as they are.
    """
    lines: list[str] = []
    for line in text.splitlines():
        is_row = keeps_tables and "  " in line.strip()
        lines += [line] if is_row else wrap(line, width, hang=HANG)
    return lines


def _pieces(word: str, room: int) -> Iterator[str]:
    """Yield the parts of a word that a line may end behind; one that has room is a whole."""
    if cell_len(word) <= room:
        yield word
        return
    for part in _JOINTS.split(word):
        if cell_len(part) <= room:
            yield part
        else:
            yield from _between_wide(part)


def _between_wide(part: str) -> Iterator[str]:
    """Part letters of double width from each other; letters of an alphabet stay together."""
    held = ""
    for letter in part:
        if held and (cell_len(letter) == 2 or cell_len(held[-1]) == 2):
            yield held
            held = ""
        held += letter
    if held:
        yield held

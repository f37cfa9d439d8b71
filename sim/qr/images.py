"""Draw a code: PNG or SVG file, or blocks in a terminal.

Takes any text and hands it to segno, which is loaded only here and only when something is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from sim.errors import UserError
from sim.qr.problems import INVALID, QrError, QrProblem

if TYPE_CHECKING:
    import segno

SUFFIXES: Final = (".png", ".svg")
"""File suffixes that can be written."""

ERROR_LEVEL: Final = "m"
"""Least error correction: 15 % of the symbol may be damaged, usual for printed payment codes."""

SCALE: Final = 8
"""Pixels per module."""


def write_image(text: str, path: Path) -> None:
    """Write a code as an image whose kind follows the file's suffix.

    Parameters
    ----------
    text : str
        The string to draw.
    path : Path
        File to write, ``.png`` or ``.svg``; replaced when it exists.

    Raises
    ------
    UserError
        If the suffix is another one.
    QrError
        If the text is empty, is not Unicode, or does not fit a symbol.
    OSError
        If the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"{path}: unknown image suffix {suffix!r}; known: {', '.join(SUFFIXES)}. "
            "Name the file with one of them."
        )
    symbol = _symbol(text)
    with path.open("wb") as out:
        symbol.save(out, kind=suffix[1:], scale=SCALE)


def draw(text: str, out: TextIO) -> None:
    """Draw a code with half blocks on a terminal.

    Parameters
    ----------
    text : str
        The string to draw.
    out : text stream
        Where to draw.

    Raises
    ------
    QrError
        If the text is empty, is not Unicode, or does not fit a symbol.
    """
    _symbol(text).terminal(out=out, compact=True)


def _symbol(text: str) -> segno.QRCode:
    import segno
    from segno.encoder import DataOverflowError

    if not text:
        raise QrError([QrProblem(INVALID, "", "an empty text", "a code")])
    try:
        # UTF-8 always: the checksum is taken over it, and readers assume it.
        return segno.make_qr(text, error=ERROR_LEVEL, encoding="utf-8")
    except DataOverflowError:
        found = f"{len(text)} characters"
        raise QrError([QrProblem(INVALID, "", found, "what fits one QR symbol")]) from None
    except UnicodeEncodeError as error:
        found = f"a lone surrogate at character {error.start}"
        raise QrError([QrProblem(INVALID, "", found, "Unicode text")]) from None

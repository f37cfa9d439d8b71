"""Colours, letters and sizes of figures, on a page and in files."""

from __future__ import annotations

from dataclasses import dataclass

from sim.errors import OptionError, suggest

COLOURS = ("#0072b2", "#00806a", "#b34f00", "#a0467f", "#7a6a00", "#4b5d73")
INK, QUIET, GRID, BAND = "#16202b", "#52606d", "#e3e7ec", "#f3d9b1"
FONT = "Noto Sans, Noto Sans Khmer, Khmer OS, Noto Sans CJK SC, WenQuanYi Zen Hei, sans-serif"


@dataclass(frozen=True, slots=True)
class Style:
    """How large a figure and its letters are.

    Attributes
    ----------
    width : int
        Of a figure with the names beside it, in points.
    letters : int
        Height of letters, in points.
    """

    width: int
    letters: int


PAGE = Style(430, 12)
STYLES = {"paper": Style(345, 9), "slides": Style(640, 17)}
"""Styles of files, by name."""


def find_style(name: str) -> Style:
    """Return a style by its name.

    Raises
    ------
    OptionError
        If there is none of that name.
    """
    if name not in STYLES:
        raise OptionError(
            "style", f"found {name!r}; allowed: {', '.join(STYLES)}.{suggest(name, STYLES)}"
        )
    return STYLES[name]

"""Say the same drawing in fewer letters: what is invisible goes, what repeats is said once.

Takes SVG as the drawing library writes it; gives SVG that looks the same, in about two thirds of
its size. Marks keep their words, and files for papers are left as they are.
"""

from __future__ import annotations

import re

_HIDDEN = re.compile(r'<path aria-hidden="true" d="[^"]*"/>')
"""Boxes without fill or line, of groups that have no background."""
_LINE = re.compile(
    r'<line transform="translate\(([-\d.]+),([-\d.]+)\)" x2="([-\d.]+)" y2="([-\d.]+)" '
    r'stroke="([^"]+)"/>'
)
_LINES = re.compile(rf"(?:{_LINE.pattern}){{2,}}")
_CIRCLE = re.compile(
    r'<path ([^<>]*?)d="M([\d.]+),0A\2,\2,0,1,1,-\2,0A\2,\2,0,1,1,\2,0"([^<>]*?)/>'
)
_DIGITS = re.compile(r"(-?\d+\.\d{2})\d+")
_EMPTY = re.compile(r"<g(?: aria-hidden=\"true\")?></g>")
_LETTERS = ' font-size="12px"'


def compact(svg: str) -> str:
    """Return a drawing for a page in fewer letters.

    Parameters
    ----------
    svg : str
    """
    svg = _HIDDEN.sub("", svg)
    svg = _LINES.sub(lambda found: _as_paths(found[0]), svg)
    svg = _CIRCLE.sub(r'<circle \1r="\2"\3/>', svg)
    # Hundredths of a pixel: of coordinates, and not of what marks say.
    svg = re.sub(
        r'\b(?:d|transform|width|height|x|y|r|x2|y2)="[^"]*"',
        lambda found: _DIGITS.sub(r"\1", found[0]),
        svg,
    )
    while (fewer := _EMPTY.sub("", svg)) != svg:
        svg = fewer
    if _LETTERS in svg:
        # Nearly all letters are of one size, which they inherit.
        svg = svg.replace(_LETTERS, "").replace("<svg", f"<svg{_LETTERS}", 1)
    return svg


def _as_paths(lines: str) -> str:
    """Return lines that follow each other as one path for each of their colours."""
    by_colour: dict[str, list[str]] = {}
    for found in _LINE.finditer(lines):
        x, y, to_x, to_y, colour = found.groups()
        by_colour.setdefault(colour, []).append(f"M{x},{y}l{to_x},{to_y}")
    return "".join(
        f'<path d="{"".join(parts)}" stroke="{colour}"/>' for colour, parts in by_colour.items()
    )

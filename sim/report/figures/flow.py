"""Draw what flows from where to where: bands as wide as what they carry, from left to right.

Takes a figure of kind ``flow``: columns ``layer``, ``from``, ``to`` and ``value``; gives SVG. Every
layer has its own names; a name stands at most once in each.
"""

from __future__ import annotations

from collections import defaultdict
from html import escape

from sim.report.blocks import Figure
from sim.report.figures.style import COLOURS, INK, Style

_NODE, _GAP, _HEIGHT = 9, 9, 250
_TOP, _LEAST = 8, 1.0
_LETTER = 0.56

Node = tuple[int, str]


def flow_svg(figure: Figure, style: Style) -> str:
    """Return a flow as SVG.

    Parameters
    ----------
    figure : Figure
    style : Style
    """
    links = [
        ((int(str(row["layer"])), str(row["from"])), (int(str(row["layer"])) + 1, str(row["to"])),
         float(str(row["value"])), words)
        for row, words in zip(figure.data.records(), figure.mark_words, strict=True)
    ]  # fmt: skip
    sizes: dict[Node, float] = defaultdict(float)
    for start, end, value, _ in links:
        sizes[start] += value if start[0] == 0 else 0
        sizes[end] += value
    layers = max(layer for layer, _ in sizes) + 1
    spots, height, scale = _places(sizes, layers)
    step = (style.width - _room(sizes, layers, style)) / (layers - 1)
    marks: list[str] = []
    used: dict[tuple[Node, int], float] = defaultdict(float)
    for start, end, value, words in links:
        x1, x2 = step * start[0] + _NODE, step * end[0]
        y1, y2 = spots[start] + used[start, 1], spots[end] + used[end, 0]
        used[start, 1] += value * scale
        used[end, 0] += value * scale
        wide, middle = max(value * scale, _LEAST), (x1 + x2) / 2
        path = (
            f"M{x1:.1f},{y1:.1f} C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {x2:.1f},{y2:.1f} "
            f"v{wide:.1f} C{middle:.1f},{y2 + wide:.1f} {middle:.1f},{y1 + wide:.1f} "
            f"{x1:.1f},{y1 + wide:.1f} Z"
        )
        shade = COLOURS[2] if end[1].startswith("failed") else COLOURS[0]
        marks.append(
            f'<path d="{path}" fill="{shade}" fill-opacity="0.35" role="graphics-symbol" '
            f'aria-roledescription="flow" aria-label="{escape(words)}"/>'
        )
    for (layer, name), top in spots.items():
        tall = max(sizes[layer, name] * scale, _LEAST)
        x, y = step * layer, top + tall / 2 + style.letters * 0.35
        marks.append(
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{_NODE}" height="{tall:.1f}" fill="{INK}"/>'
            f'<text x="{x + _NODE + 4:.1f}" y="{y:.1f}" font-size="{style.letters}px" '
            f'fill="{INK}">{escape(name)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{style.width}" '
        f'height="{height:.0f}" viewBox="0 0 {style.width} {height:.0f}" '
        f'font-family="sans-serif">{"".join(marks)}</svg>'
    )


def _places(sizes: dict[Node, float], layers: int) -> tuple[dict[Node, float], float, float]:
    """Return where each name begins, the height of all, and the height of one."""
    columns: list[list[str]] = [[] for _ in range(layers)]
    for layer, name in sorted(sizes, key=lambda node: (-sizes[node], node)):
        columns[layer].append(name)
    most = max(sum(sizes[layer, name] for name in names) for layer, names in enumerate(columns))
    # Each name has room for its letters, however little flows through it.
    rows = max(map(len, columns))
    whole = max(_HEIGHT, rows * 22)
    scale = (whole - _GAP * (rows - 1)) / most if most else 0.0
    spots: dict[Node, float] = {}
    height = 0.0
    for layer, names in enumerate(columns):
        top = float(_TOP)
        for name in names:
            spots[layer, name] = top
            top += max(sizes[layer, name] * scale, 14.0) + _GAP
        height = max(height, top)
    return spots, height, scale


def _room(sizes: dict[Node, float], layers: int, style: Style) -> float:
    """Return the width the names behind the last layer need."""
    from rich.cells import cell_len

    longest = max(cell_len(name) for layer, name in sizes if layer == layers - 1)
    return _NODE + 8 + longest * style.letters * _LETTER

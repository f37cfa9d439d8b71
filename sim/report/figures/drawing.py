"""Draw a figure: as part of a page, or as a file for a paper or slides.

Takes a :class:`~sim.report.blocks.Figure`; gives SVG, PDF or PNG. The drawing itself is done by
Vega-Lite, made into an SVG without a browser, so a page needs no library and the same figure is the
same to the byte. On a page colours are names that the page's style fills in, for light, dark and
paper.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sim.errors import MachineError
from sim.report.figures.charts import chart_of
from sim.report.figures.compact import compact
from sim.report.figures.flow import flow_svg
from sim.report.figures.style import BAND, COLOURS, FONT, GRID, INK, PAGE, QUIET, Style

if TYPE_CHECKING:
    from sim.report.blocks import Figure

VEGA_LITE = "6.1"
"""Version of the language of drawings; another one may lay out otherwise."""
_NAMES = {
    **{colour: f"var(--c{at})" for at, colour in enumerate(COLOURS, start=1)},
    INK: "var(--ink)",
    QUIET: "var(--quiet)",
    GRID: "var(--grid)",
    BAND: "var(--band)",
}
"""What a page calls the colours of a drawing."""
_NEEDLESS = re.compile(
    r' (?:pointer-events="none"|stroke-width="1"|opacity="1"|font-weight="normal"'
    r'|font-family="[^"]*"|class="[^"]*"|stroke-miterlimit="10"|xmlns(?::xlink)?="[^"]*"'
    r'|version="1.1")|<path[^>]*display="none"/>'
)
"""What says no more than a browser or the page's style does: half of what Vega writes."""
_PNG_SCALE = 3


def need_drawing() -> tuple[ModuleType, ModuleType]:
    """Return the libraries that draw, or say how to get them.

    Raises
    ------
    MachineError
        If one is not installed.
    """
    try:
        return importlib.import_module("altair"), importlib.import_module("vl_convert")
    except ImportError as error:
        raise MachineError(
            f"figures: {error.name} is not installed; install it with "
            "`pip install payroute[report]`"
        ) from None


def draw_svg(figure: Figure, style: Style) -> str:
    """Return a figure as SVG with colours of its own.

    Parameters
    ----------
    figure : Figure
    style : Style
    """
    if figure.kind == "flow":
        return flow_svg(figure, style)
    altair, convert = need_drawing()
    chart = chart_of(altair, figure, style).configure(**_configuration(style))
    # Bars of a figure without rows would have no scale.
    spec: dict[str, Any] = chart.to_dict()
    made: str = convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    return made


def svg_for_page(figure: Figure, name: str) -> str:
    """Return a figure as a part of a page.

    Parameters
    ----------
    figure : Figure
    name : str
        Of the figure on its page; parts of drawings that are referred to carry it.
    """
    svg = draw_svg(figure, PAGE)
    for colour, called in _NAMES.items():
        svg = svg.replace(f'"{colour}"', f'"{called}"')
    # Two drawings of one page must not call two things by one name.
    svg = re.sub(r'(\bid="|url\(#)', rf"\g<1>{name}-", svg)
    svg = compact(_NEEDLESS.sub("", svg))
    return svg.replace("<svg", f'<svg class="chart" role="group" aria-labelledby="{name}"', 1)


def write_figures(figures: dict[str, Figure], folder: Path, style: Style) -> list[Path]:
    """Write every figure as SVG, PDF and PNG, and its data as CSV.

    Parameters
    ----------
    figures : dict of str to Figure
        By the name of their files.
    folder : Path
    style : Style

    Returns
    -------
    list of Path

    Raises
    ------
    MachineError
        If a file cannot be written, or the libraries are missing.
    """
    from sim.report.rendering import write_table
    from sim.tables.whole_file import machine_errors

    need_drawing()
    written: list[Path] = []
    for name, figure in figures.items():
        for suffix in ("svg", "pdf", "png"):
            path = folder / f"{name}.{suffix}"
            content = figure_content(figure, style, suffix)
            with machine_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            written.append(path)
        path = folder / f"{name}.csv"
        write_table(figure.data, "csv", path)
        written.append(path)
    return written


def figure_content(figure: Figure, style: Style, kind: str) -> bytes:
    """Return what a file of a figure holds.

    Parameters
    ----------
    figure : Figure
    style : Style
    kind : str
        ``svg``, ``pdf``, ``png``, or ``csv`` for what is drawn.
    """
    if kind == "csv":
        from sim.report.blocks import Document
        from sim.report.rendering import render

        return render(Document.of_table(figure.data), "csv").encode()
    _, convert = need_drawing()
    svg = draw_svg(figure, style)
    made: bytes = svg.encode()
    if kind == "pdf":
        made = convert.svg_to_pdf(svg)
    elif kind == "png":
        made = convert.svg_to_png(svg, scale=_PNG_SCALE)
    return made


def _configuration(style: Style) -> dict[str, Any]:
    """Return the settings all figures share."""
    letters = {"labelFontSize": style.letters, "titleFontSize": style.letters}
    axis = {
        **letters,
        "labelColor": INK,
        "titleColor": QUIET,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domainColor": QUIET,
        "tickColor": QUIET,
        "labelLimit": 0,
    }
    return {
        "background": "transparent",
        "font": FONT,
        "axis": axis,
        "view": {"stroke": None},
        "legend": {**letters, "labelColor": INK, "titleColor": QUIET, "symbolLimit": 12},
        "header": {**letters, "labelColor": INK, "titleColor": QUIET},
        "range": {"category": list(COLOURS)},
    }

"""The kinds of figure, each a drawing of a table whose columns it names.

Takes a figure; gives a chart. A kind is a function here, found by its name; what it draws has one
column of ``words``, the text of a mark for whoever does not see it and for the pointer over it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from rich.cells import cell_len

from sim.report.blocks import Figure
from sim.report.figures.style import BAND, COLOURS, INK, QUIET, Style

_PANEL_HEIGHT = 62
_BAR_HEIGHT = 22
_COLUMNS_OF_LEGEND = 3
_SHADES = [0.08, 0.55]
"""Opacity of the least and of the most in a heat map."""
_LETTER = 0.56
"""Width of a letter by its height, on average."""
_MARGIN, _AXIS = 25, 55
"""Room beside bars, and for the numbers of an axis."""


def chart_of(altair: ModuleType, figure: Figure, style: Style) -> Any:
    """Return the chart of a figure.

    Parameters
    ----------
    altair : module
    figure : Figure
    style : Style
    """
    return KINDS[figure.kind](altair, figure, style)


def _marked(altair: ModuleType, figure: Figure) -> Any:
    records = figure.data.records()
    for record, words in zip(records, figure.mark_words, strict=True):
        record["words"] = words
    return altair.Data(values=records)


def _colour(alt: ModuleType, field: str, figure: Figure) -> Any:
    names = list(dict.fromkeys(str(row[field]) for row in figure.data.records()))
    shades = [COLOURS[at % len(COLOURS)] for at in range(len(names))]
    legend = alt.Legend(orient="top", title=None, columns=_COLUMNS_OF_LEGEND, labelLimit=150)
    return alt.Color(
        f"{field}:N", scale=alt.Scale(domain=names, range=shades), legend=legend, sort=names
    )


def _rows(alt: ModuleType, figure: Figure) -> Any:
    """Return the axis of names, in the order of the table."""
    names = list(dict.fromkeys(str(row["row"]) for row in figure.data.records()))
    return alt.Y("row:N", sort=names, title=None)


def _width(figure: Figure, style: Style) -> float:
    """Return the width of what is drawn beside its names, none of which is cut."""
    names = (str(row.get("row", "")) for row in figure.data.records())
    beside = _LETTER * style.letters * max(map(cell_len, names), default=0)
    return max(style.width - beside - _MARGIN, style.width / 3)


def _height() -> dict[str, Any]:
    return {"step": _BAR_HEIGHT}


def _stacked(alt: ModuleType, figure: Figure, style: Style) -> Any:
    """Draw bars of parts: columns ``row``, ``part`` and ``value``."""
    return (
        alt.Chart(_marked(alt, figure), width=_width(figure, style), height=_height())
        .mark_bar()
        .encode(
            x=alt.X("sum(value):Q", title=figure.unit),
            y=_rows(alt, figure),
            color=_colour(alt, "part", figure),
            order=alt.Order("at:O"),
            description="words:N",
        )
        .transform_window(at="row_number()")
    )


def _bars(alt: ModuleType, figure: Figure, style: Style) -> Any:
    """Draw bars: columns ``row`` and ``value``."""
    return (
        alt.Chart(_marked(alt, figure), width=_width(figure, style), height=_height())
        .mark_bar(color=COLOURS[0])
        .encode(x=alt.X("value:Q", title=figure.unit), y=_rows(alt, figure), description="words:N")
    )


def _points(alt: ModuleType, figure: Figure, style: Style) -> Any:
    """Draw values with intervals: columns ``row``, ``value``, ``low`` and ``high``."""
    base = alt.Chart(_marked(alt, figure), width=_width(figure, style), height=_height())
    rows = _rows(alt, figure)
    ends = base.mark_rule(color=COLOURS[0], strokeWidth=2, aria=False).encode(
        x="low:Q", x2="high:Q", y=rows
    )
    dots = base.mark_circle(color=COLOURS[0], size=60, opacity=1).encode(
        x=alt.X("value:Q", title=figure.unit), y=rows, description="words:N"
    )
    zero = (
        alt.Chart(alt.Data(values=[{"x": figure.origin}]))
        .mark_rule(color=QUIET, strokeDash=[4, 3], aria=False)
        .encode(x="x:Q")
    )
    return ends + dots + zero if figure.origin is not None else ends + dots


def _steps(alt: ModuleType, figure: Figure, style: Style) -> Any:
    """Draw the share reached by a time: columns ``series``, ``x`` and ``share``."""
    base = alt.Chart(_marked(alt, figure), width=style.width - _AXIS, height=200)
    x = alt.X("x:Q", title=figure.unit, scale=alt.Scale(type="log", nice=False))
    y = alt.Y("share:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    colour = _colour(alt, "series", figure)
    lines = base.mark_line(interpolate="step-after", aria=False).encode(x=x, y=y, color=colour)
    # What a line is by heart is said at the shares people ask for.
    marks = (
        base.mark_circle(size=36, opacity=1)
        .encode(x=x, y=y, color=colour, description="words:N")
        .transform_filter("datum.words != ''")
    )
    return lines + marks


def _lines(alt: ModuleType, figure: Figure, style: Style) -> Any:
    """Draw curves with bands: columns ``series``, ``x``, ``y``, ``low`` and ``high``."""
    base = alt.Chart(_marked(alt, figure), width=style.width - _AXIS, height=200)
    x = alt.X("x:Q", title=figure.x_unit or None, scale=alt.Scale(zero=False))
    colour = _colour(alt, "series", figure)
    band = base.mark_area(opacity=0.2, aria=False).encode(x=x, y="low:Q", y2="high:Q", color=colour)
    line = base.mark_line(aria=False).encode(x=x, y=alt.Y("y:Q", title=figure.unit), color=colour)
    dots = base.mark_circle(size=50, opacity=1).encode(
        x=x, y="y:Q", color=colour, description="words:N"
    )
    return band + line + dots


def _scatter(alt: ModuleType, figure: Figure, style: Style) -> Any:
    """Draw points with intervals both ways: ``series``, ``x``, ``y`` and the ends of each."""
    base = alt.Chart(_marked(alt, figure), width=style.width - _AXIS, height=200)
    near = alt.Scale(zero=False)
    colour = _colour(alt, "series", figure)
    x = alt.X("x:Q", title=figure.x_unit or None, scale=near)
    y = alt.Y("y:Q", title=figure.unit, scale=near)
    dots = base.mark_circle(size=70, opacity=1).encode(
        x=x, y=y, color=colour, description="words:N"
    )
    across = base.mark_rule(aria=False).encode(x="x_low:Q", x2="x_high:Q", y=y, color=colour)
    upward = base.mark_rule(aria=False).encode(x=x, y="low:Q", y2="high:Q", color=colour)
    return across + upward + dots


def _heat(alt: ModuleType, figure: Figure, style: Style) -> Any:
    """Draw a value in each cell over two others: columns ``x``, ``y`` and ``value``."""
    values = [float(str(row["value"])) for row in figure.data.records()]
    base = alt.Chart(_marked(alt, figure), width=style.width - _AXIS, height=200).encode(
        x=alt.X("x:O", title=figure.x_unit or None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("y:O", title=None, sort="descending"),
    )
    # One colour, more or less of it: the page's style says which, and words can be read on it.
    shade = alt.Opacity(
        "value:Q", legend=None, scale=alt.Scale(domain=[min(values), max(values)], range=_SHADES)
    )
    cells = base.mark_rect(color=COLOURS[0]).encode(opacity=shade, description="words:N")
    told = base.mark_text(color=INK, fontSize=style.letters, aria=False).encode(
        text=alt.Text("value:Q", format=".3~r")
    )
    return cells + told


def _course(alt: ModuleType, figure: Figure, style: Style) -> Any:
    """Draw panels over time: columns ``panel``, ``x`` and ``y``; bands for what was put in."""
    panels = list(dict.fromkeys(str(row["panel"]) for row in figure.data.records()))
    layers = []
    if figure.bands:
        shades = alt.Data(values=[{"from": low, "to": high} for low, high in figure.bands])
        band = alt.Chart(shades).mark_rect(color=BAND, aria=False)
        layers.append(band.encode(x="from:Q", x2="to:Q"))
    x = alt.X("x:Q", title=figure.x_unit or None, scale=alt.Scale(nice=False))
    made = []
    records = _marked(alt, figure).values
    for at, panel in enumerate(panels):
        is_last = at == len(panels) - 1
        own = x if is_last else alt.X("x:Q", title=None, axis=alt.Axis(labels=False))
        mine = alt.Data(values=[row for row in records if row["panel"] == panel])
        base = alt.Chart(mine).properties(width=style.width - _AXIS, height=_PANEL_HEIGHT)
        line = base.mark_line(color=COLOURS[at % len(COLOURS)], aria=False).encode(
            x=own,
            y=alt.Y(
                "y:Q",
                title=None,
                axis=alt.Axis(tickCount=3, minExtent=_AXIS - 15),
                scale=alt.Scale(zero=not figure.is_zoomed),
            ),
        )
        dots = (
            base.mark_circle(color=COLOURS[at % len(COLOURS)], size=30, opacity=1)
            .encode(x="x:Q", y="y:Q", description="words:N")
            .transform_filter("datum.words != ''")
        )
        title = alt.TitleParams(
            panel, anchor="start", fontSize=style.letters, fontWeight="normal", color=QUIET
        )
        made.append(alt.layer(*layers, line, dots).properties(title=title))
    return alt.vconcat(*made, spacing=6)


def _spans(alt: ModuleType, figure: Figure, style: Style) -> Any:
    """Draw stretches of time: columns ``row``, ``from``, ``to`` and ``part``."""
    return (
        alt.Chart(_marked(alt, figure), width=_width(figure, style), height=_height())
        .mark_bar(minBandSize=2)
        .encode(
            x=alt.X("from:Q", title=figure.unit),
            x2="to:Q",
            y=_rows(alt, figure),
            color=_colour(alt, "part", figure),
            description="words:N",
        )
    )


KINDS: dict[str, Callable[[ModuleType, Figure, Style], Any]] = {
    "stacked": _stacked,
    "bars": _bars,
    "points": _points,
    "steps": _steps,
    "lines": _lines,
    "scatter": _scatter,
    "heat": _heat,
    "course": _course,
    "spans": _spans,
}
"""Every kind of figure by its name."""

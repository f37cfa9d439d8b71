"""The player: maps of the places payments go through, and their tapes over them.

Takes a recording; gives for each of its arms the map as a drawing that stands for itself, on a desk
from left to right and on a phone from top to bottom, and the tapes as data for the page's one
script, which plays all of them on one clock. Names are texts of the drawings and of the data, never
markup.
"""

from __future__ import annotations

import json
from html import escape
from math import sqrt

from sim.report.figure import plain
from sim.report.figures.tape import Place, Recording, Tape
from sim.tables.schemas import FAILURES

_WIDE, _ROW = 960, 58
_TALL_ROW, _TALL_STEP = 30, 26
_WAY_MAX = 11
_LETTER = 8
"""Width of a letter on the map, about."""
_FAILS = 0.2
"""Share of failed payments from which on a way is drawn as one that fails."""


def player_html(recording: Recording) -> str:
    """Return the maps, the controls, the lanes and the data of the player.

    Parameters
    ----------
    recording : Recording
    """
    arms = recording.arms
    maps = "".join(
        f'<div class="arm">{_name(name)}{_map(tape, name, is_tall=False)}'
        f"{_map(tape, name, is_tall=True)}{_lane(tape, recording.horizon_ms)}</div>"
        for name, tape in arms
    )
    return (
        '<div class="player" id="player">'
        f"{_controls(recording)}{maps}{_told(recording)}"
        '<div id="journey" aria-live="polite"></div>'
        f'<script type="application/json" id="tape">{_tape_json(recording)}</script></div>'
    )


def _name(name: str) -> str:
    """Return what stands above the map of an arm; a single run needs nothing."""
    return f'<p class="strong">{escape(name)}</p>' if name else ""


def _spot(place: Place, tape: Tape, *, is_tall: bool) -> tuple[float, float]:
    """Return where a place is drawn."""
    if is_tall:
        at = tape.places.index(place)
        return 14 + _TALL_STEP * place.column, 18 + _TALL_ROW * at
    columns = max(one.column for one in tape.places)
    mine = [one for one in tape.places if one.column == place.column]
    rows = max(_rows(tape, column) for column in range(columns + 1))
    x = 90 + (_WIDE - 180) * place.column / max(columns, 1)
    return x, 36 + _ROW * (place.row + (rows - len(mine)) / 2)


def _rows(tape: Tape, column: int) -> int:
    return sum(one.column == column for one in tape.places)


def _map(tape: Tape, name: str, *, is_tall: bool) -> str:
    spots = [_spot(place, tape, is_tall=is_tall) for place in tape.places]
    height = max(y for _, y in spots) + 24
    width = 360 if is_tall else _WIDE
    most = max((way.payments for way in tape.ways), default=1)
    ways = []
    for way in tape.ways:
        (x1, y1), (x2, y2) = spots[way.start], spots[way.end]
        thick = 1 + _WAY_MAX * sqrt(way.payments / most)
        words = (
            f"{tape.places[way.start].name} to {tape.places[way.end].name}: "
            f"{plain(way.payments)} payments, {plain(way.failed)} failed"
        )
        kind = "way fails" if way.failed >= _FAILS * way.payments and way.failed else "way"
        bend = (x1 + x2) / 2
        path = (
            f"M{x1:.0f},{y1:.0f} L{x2:.0f},{y2:.0f}"
            if is_tall or x1 == x2
            else f"M{x1:.0f},{y1:.0f} C{bend:.0f},{y1:.0f} {bend:.0f},{y2:.0f} {x2:.0f},{y2:.0f}"
        )
        ways.append(
            f'<path class="{kind}" d="{path}" stroke-width="{thick:.1f}" role="graphics-symbol" '
            f'aria-label="{escape(words)}"/>'
        )
    marks = []
    for place, (x, y) in zip(tape.places, spots, strict=True):
        # A long name at the edge would be cut: it ends where the map does, below its neighbour's.
        is_cut = x + _LETTER * len(place.name) / 2 > width
        side = (
            f'x="{x + 14:.0f}" y="{y + 4:.0f}"'
            if is_tall
            else f'x="{width - 4}" y="{y + 24:.0f}" text-anchor="end"'
            if is_cut
            else f'x="{x:.0f}" y="{y - 13:.0f}" text-anchor="middle"'
        )
        marks.append(
            f'<circle class="place" cx="{x:.0f}" cy="{y:.0f}" r="8"/>'
            f"<text {side}>{escape(place.name)}</text>"
        )
    kind = "tall" if is_tall else "broad"
    of = f"{name}: " if name else ""
    return (
        f'<svg class="map {kind}" viewBox="0 0 {width} {height:.0f}" role="group" '
        f'aria-label="{escape(of)}Map: places payments go through">{"".join(ways)}{"".join(marks)}'
        '<g class="dots" aria-hidden="true"></g></svg>'
    )


def _controls(recording: Recording) -> str:
    options = "".join(
        f'<option value="{speed}"{" selected" if speed == 30 else ""}>{speed}×</option>'
        for speed in (1, 5, 30, 120)
    )
    return (
        '<div class="controls"><button type="button" id="play">Play</button>'
        f'<label>Speed <select id="speed">{options}</select></label>'
        '<label><input type="checkbox" id="together"> all start together</label>'
        '<output id="clock" for="seek">00:00:00.0</output></div>'
        '<label class="seek">Time <input type="range" id="seek" min="0" '
        f'max="{recording.horizon_ms}" value="0" step="100"></label>'
    )


def _lane(tape: Tape, horizon_ms: int) -> str:
    """Return the queue over time, failures as ticks, and when something went wrong.

    Lanes of several arms are as long as the longest, whose end is that of the clock.
    """
    most = max(tape.lane, default=0) or 1
    wide = max(len(tape.lane), 240)
    scale = wide / max(horizon_ms, 1)
    each = tape.horizon_ms * scale / max(len(tape.lane), 1)
    # One path for each kind of mark: hundreds of elements would be most of the page.
    bars = "".join(
        f"M{at * each:g},40v-{36 * value / most:.1f}h{each:g}V40z"
        for at, value in enumerate(tape.lane)
        if value
    )
    bands = "".join(
        f'<rect class="band" x="{low * scale:.1f}" y="0" height="48" '
        f'width="{max((high - low) * scale, 0.5):.1f}"/>'
        for low, high in tape.bands_ms
    )
    ends = [steps[-1][0] for _, _, outcome, steps in tape.payments if outcome.startswith(FAILURES)]
    ticks = "".join(f"M{end * scale:.1f},42v6h.6v-6z" for end in ends)
    marks = f'<path class="queue" d="{bars}"/><path class="fail" d="{ticks}"/>'
    words = f"{len(ends)} failures over time" + (
        f"; queue at {tape.lane_place}, up to {most}" if tape.lane else ""
    )
    return (
        f'<svg class="lane" viewBox="0 0 {wide} 48" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(words)}">{bands}{marks}</svg><p class="quiet">{escape(words)}.'
        f"{' Shaded: disrupted.' if tape.bands_ms else ''}</p>"
    )


def _told(recording: Recording) -> str:
    """Return what is on the tapes, and where one payment is asked for."""
    tapes = [tape for _, tape in recording.arms]
    if recording.customers:
        each = ", ".join(f"{plain(len(tape.payments))} in {name}" for name, tape in recording.arms)
        left = max(tape.left_out for tape in tapes)
        shown, kind = f"Customers on the tape: {escape(each)}", "Customer"
        does = "click one, or give the number of a customer, and see what became of it in each arm"
    else:
        shown, kind = f"{plain(len(tapes[0].payments))} payments are on the tape", "Payment"
        left, does = tapes[0].left_out, "click one, or name it"
    more = f"; {plain(left)} more are not on the tape" if left else ""
    first = tapes[0].payments[0][0]
    return (
        f'<p class="quiet">{shown}{more}. A dot is a payment where it is being served or waits; '
        f"{does}:</p>"
        f'<label>{kind} <input type="number" id="which" min="0" value="{first}"></label> '
        '<button type="button" id="tell">Show its journey</button>'
    )


def _tape_json(recording: Recording) -> str:
    """Return the tapes as data; nothing in it can end the element it stands in."""
    content = {
        "horizon": recording.horizon_ms,
        "customers": recording.customers,
        "arms": [{"name": name, **_tape_data(tape)} for name, tape in recording.arms],
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _tape_data(tape: Tape) -> dict[str, object]:
    """Return one tape as data: steps of a payment as differences in ms, each with its place."""
    routes = list(dict.fromkeys(one[1] for one in tape.payments))
    outcomes = list(dict.fromkeys(one[2] for one in tape.payments))
    payments = [
        [number, routes.index(route), outcomes.index(outcome), steps[0][0],
         *(part for (before, _), (at, place) in zip(((steps[0][0], 0), *steps), steps, strict=False)
           for part in (at - before, place))]
        for number, route, outcome, steps in tape.payments
    ]  # fmt: skip
    return {
        "names": [place.name for place in tape.places],
        "broad": [list(map(round, _spot(one, tape, is_tall=False))) for one in tape.places],
        "tall": [list(map(round, _spot(one, tape, is_tall=True))) for one in tape.places],
        "routes": routes,
        "outcomes": outcomes,
        "payments": payments,
    }

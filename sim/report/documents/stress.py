"""What a stress test found, as a document.

Takes a :class:`~sim.study.stress.study.Stress`; gives the sentences a reader remembers, throughput
and times against load, and the tables behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.analysis.summary import Measure
from sim.explain.words import joined
from sim.report.blocks import Bar, Block, Column, Document, Table, Text, Tone
from sim.report.figure import figure
from sim.report.figures.of_studies import stress_figures
from sim.study.stress.output import as_json_object
from sim.study.stress.points import UNIT, USUAL_TIME
from sim.study.stress.ramp import Crossing, Ramp
from sim.study.stress.search import Capacity
from sim.study.stress.study import Stress
from sim.study.stress.tables import (
    column_name,
    main_table,
    participants_table,
    points_table,
    ramp_table,
    soak_table,
)
from sim.tables.tabular import TabularData

PARTICIPANTS_SHOWN = 10
"""Institutions listed for people; programs get all of them."""
_DRAINS_SHOWN = 5
_SPARE = (
    "factor",
    "valid",
    "backlog_start",
    "backlog_end",
    "passed",
    "p50_s",
    "busiest",
    "offered",
)
"""Columns of loads a narrow terminal does without, the first of them first."""


def stress_document(found: Stress, origin: Mapping[str, object]) -> Document:
    """Return what is shown of a test.

    Parameters
    ----------
    found : Stress
    origin : mapping
        What made it.
    """
    told = sentences(found)
    blocks: list[Block] = [Text(told[0], Tone.STRONG), *map(Text, told[1:])]
    rows = chart_rows(found)
    if len(rows) > 1:
        blocks.append(chart(rows, column_name(chart_time(found)).removesuffix("_s") + ", s"))
        note = chart_note(found)
        blocks += [Text(note)] if note else []
    blocks += stress_figures(found)
    if found.points:
        blocks.append(Table.of(points_table(found), prose=("why",), spare=_SPARE))
    if found.ramp is not None:
        blocks.append(Table.of(ramp_table(found.ramp), spare=("backlog", "p50_s", "offered")))
    if found.plan.profile == "soak" and found.points:
        blocks.append(Table.of(soak_table(found.plan, found.points[0]), spare=("p50_s", "offered")))
    ones = participants_table(found)
    if ones.rows:
        shown = TabularData(ones.columns, ones.rows[:PARTICIPANTS_SHOWN])
        blocks.append(Table.of(shown, spare=("busiest_station", "completed")))
    record = {**as_json_object(found), "sentences": told}
    return Document(tuple(blocks), main_table(found), record, origin)


def sentences(found: Stress) -> list[str]:
    """Return what a reader remembers."""
    lines = _of_search(found) if found.is_search else _of_load(found)
    if found.ramp is not None:
        lines += _of_ramp(found.ramp)
    lines += _of_bottleneck(found)
    lines += _of_cover(found)
    lines += _of_participants(found)
    lines += _of_drains(found)
    return lines


def chart_time(found: Stress) -> str:
    """Return the time the chart shows: the judged one, where it is known."""
    key = found.plan.time_key
    return key if found.points or key.startswith("end_to_end_p") else USUAL_TIME


def chart(rows: Sequence[tuple[float, float | None, float | None]], time: str) -> Table:
    """Return completed load and a time against load as bars.

    Parameters
    ----------
    rows : sequence of (float, float or None, float or None)
        Load, completed load in the same unit, and a time in s.
    time : str
        What it is called.
    """
    most = [max((row[at] or 0.0 for row in rows), default=0.0) for at in (1, 2)]
    return Table(
        (
            Column("load", is_number=True),
            Column(f"completed, {UNIT}", is_number=True),
            Column("", spare=1),
            Column(time, is_number=True),
            Column("", spare=2),
        ),
        tuple(
            (
                load,
                "-" if done is None else done,
                Bar((done,), (0, most[0])),
                "-" if took is None else took,
                Bar((took,), (0, most[1])),
            )
            for load, done, took in rows
        ),
    )


def chart_rows(found: Stress) -> list[tuple[float, float | None, float | None]]:
    """Return what the chart of a test shows: its points, or the intervals of its ramp alone.

    Points the search passed by in some replications only are left out: their luck is other luck.
    """
    if found.points or found.ramp is None:
        return [
            (point.load, point.completed, point.mean(chart_time(found)))
            for point in found.complete
            if point.is_valid
        ]
    rows, time = ramp_table(found.ramp).records(), column_name(chart_time(found))
    return [(_number(row["load"]), _known(row["completed"]), _known(row[time])) for row in rows]


def chart_note(found: Stress) -> str:
    """Say which loads the chart leaves out; empty where it shows all."""
    count = len(found.points) - len(found.complete)
    if count == 0:
        return ""
    loads = "1 load" if count == 1 else f"{count} loads"
    return f"({loads} not run in all {found.plan.replications} replications: in the table only)"


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _known(value: object) -> float | None:
    return None if value is None else _number(value)


def _of_search(found: Stress) -> list[str]:
    plan, capacity, sustained = found.plan, found.capacity, found.sustained
    if capacity is None:
        limiting = found.limiting
        where = "" if limiting is None else f"; the lowest, {limiting.load:.6g} {UNIT}, does not: "
        why = "" if limiting is None else "; ".join(limiting.example)
        lines = [f"No load that can be measured meets {plan.wanted}{where}{why}."]
        if limiting is not None and any(run.is_overloaded for run in limiting.runs):
            lines.append("Lower loads take a longer --window to be measured.")
        return lines
    if capacity.high is None:
        known = len(capacity.combined)
        return [
            f"No limit found up to {capacity.value:.6g} {UNIT}: {_runs(known, plan.window_s)} of "
            f"it meet {plan.wanted}{_left_out(plan.replications - known)}."
        ]
    lines = [
        f"Capacity: {capacity.value:.6g} {UNIT} ({_interval_words(capacity)}) within {plan.wanted}."
    ]
    if sustained is not None:
        runs = _runs(len(sustained.runs), plan.window_s)
        lines.append(f"Sustained in every one of {runs}: {sustained.load:.6g} {UNIT}.")
    if found.base > capacity.high:
        lines.append(f"The scenario's own load, {found.base:.6g} {UNIT}, is above that.")
    return lines


def _interval_words(capacity: Capacity) -> str:
    """Return the interval of a capacity, and what it is the interval of."""
    number, left_out = len(capacity.combined), len(capacity.brackets) - len(capacity.combined)
    between = f"{capacity.low:.6g} to {capacity.high:.6g}"
    if number == 1:
        text = f"{between}, bracket of a single run, which knows nothing of luck"
    elif capacity.is_bracket:
        # Luck may be smaller than the bracket; nothing narrower is known of it.
        text = (
            f"all {number} replications break between {capacity.low:.6g} and {capacity.high:.6g}: "
            "the interval is the bracket, --tolerance narrows it"
        )
    else:
        text = f"{between}, 95 % interval over {number} replications"
    return text + _left_out(left_out)


def _left_out(count: int) -> str:
    return "" if count == 0 else f"; {count} more gave no measurement"


def _runs(count: int, window_s: int) -> str:
    return f"{count} runs of {window_s} s" if count > 1 else "one run"


def _of_load(found: Stress) -> list[str]:
    if found.ramp is not None:
        return []
    point, plan = found.points[0], found.plan
    lines = []
    if not point.is_valid:
        lines.append(f"{point.load:.6g} {UNIT}: no measurement: {'; '.join(point.example)}.")
    elif point.verdict == "PASS":
        lines.append(
            f"{point.load:.6g} {UNIT} meet {plan.wanted} in every one of {len(point.runs)} runs of "
            f"{plan.window_s} s."
        )
    else:
        lines.append(
            f"{point.load:.6g} {UNIT} miss {plan.wanted} in "
            f"{len(point.runs) - point.sustained_count} of {len(point.runs)} runs of "
            f"{plan.window_s} s: {'; '.join(point.example)}."
        )
    if plan.profile == "soak" and point.verdict == "PASS":
        lines.append("Held that long, neither its times nor its backlog drift.")
    return lines


def _of_ramp(ramp: Ramp) -> list[str]:
    runs = len(ramp.runs)
    lines = [
        f"Ramp from {ramp.loads[0]:.6g} to {ramp.loads[-1]:.6g} {UNIT} in {len(ramp.loads)} stairs "
        f"of {ramp.interval_s:g} s:"
    ]
    missed, flat = ramp.missed, ramp.flattened
    wanted = ramp.plan.wanted
    if missed is None and not ramp.is_judged:
        lines[0] += f" {wanted} could not be judged, too few payments in each; lengthen --window."
    elif missed is None:
        lines[0] += f" {wanted} was met all the way."
    else:
        lines[0] += f" {wanted} was first missed at {_with_interval(missed, runs)}."
        lines.append("A queue takes time to fill: a load that is held is missed lower than that.")
    if flat is not None:
        lines.append(f"Completed load stopped following at {_with_interval(flat, runs)}.")
    else:
        lines.append("Completed load followed all the way.")
    judged = [one for one in ramp.plan.objectives if one.key.startswith("end_to_end_p")]
    judged += [one for one in ramp.plan.objectives if one.key == "success_rate"]
    rest = [str(one) for one in ramp.plan.objectives if one not in judged]
    if rest:
        lines.append(f"Not judged by interval: {joined(rest)}.")
    return lines


def _with_interval(found: Crossing, runs: int) -> str:
    text = f"{found.value:.6g} {UNIT} (begins between {found.low:.6g} and {found.high:.6g})"
    return text if found.count == runs else f"{text}, in {found.count} of {runs} runs"


def _of_bottleneck(found: Stress) -> list[str]:
    bottleneck = found.bottleneck
    if bottleneck is None:
        return []
    ramp = found.ramp
    broke = ramp is not None and (ramp.missed is not None or ramp.flattened is not None)
    is_limit = found.limiting is not None if found.points else broke
    if is_limit and (bottleneck.is_full or not found.points):
        over = "" if found.points else "over the whole ramp "
        return [f"Bottleneck: {bottleneck.station}, {over}{bottleneck.reason}."]
    lines = [f"No place is full; the busiest is {bottleneck.station}, {bottleneck.reason}."]
    if is_limit and found.time_spent:
        lines.append(f"Where the time goes: {found.time_spent}.")
    return lines


def _of_cover(found: Stress) -> list[str]:
    """Say of which payments the times are, where it is not all of them."""
    runs = found.points[0].runs if found.points else found.ramp.runs if found.ramp else ()
    if not runs or runs[0].summary.covers == "all":
        return []
    return [
        "Times and success are those of cross-border payments; load, offered, completed and "
        f"backlog count all payments of {joined(found.plan.streams)}."
    ]


def _of_participants(found: Stress) -> list[str]:
    ones = found.participants()
    if not ones:
        return []
    lines = _of_fullest(found)
    lacking = [one for one in ones if one.short > 0]
    for one in lacking[:PARTICIPANTS_SHOWN]:
        lines.append(f"{one.name} lacks money on {one.account}: {one.short:.0f} payments.")
    if len(ones) > PARTICIPANTS_SHOWN:
        lines.append(
            f"{len(ones) - PARTICIPANTS_SHOWN} more institutions are in the JSON (--json)."
        )
    return lines


def _of_fullest(found: Stress) -> list[str]:
    """Name the institution nearest to being full, if luck lets it be told from the next."""
    alike = found.fullest()
    if not alike:
        return []
    uses = [one.utilisation or 0.0 for one in alike]
    rates = [one.full_at or 0.0 for one in alike]
    used = _between(_percent(min(uses)), _percent(max(uses)))
    full = _between(roughly(min(rates)), roughly(max(rates)))
    first = alike[0]
    if len(alike) == 1:
        return [
            f"Of the institutions {first.name} is nearest to being full: {first.station} has "
            f"{used} % in use at {first.completed_rate:.3g} {UNIT} through it and would be full at "
            f"about {full} (extrapolated from {used} % of use)."
        ]
    return [
        f"{len(alike)} of {len(found.participants())} institutions are about equally near to being "
        f"full, at {used} % each: luck alone may set them so far apart. Each would be full at "
        f"about {full} {UNIT} through it (extrapolated from {used} % of use)."
    ]


def roughly(value: float) -> str:
    """Return a number with the two digits an extrapolation is good for."""
    kept = float(f"{value:.2g}")
    return f"{kept:,.0f}" if kept >= 10 else f"{kept:g}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if share < 0.1 else f"{100 * share:.0f}"


def _between(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _of_drains(found: Stress) -> list[str]:
    if found.plan.profile != "soak" or not found.points:
        return []
    return [
        f"{drain.account} loses {figure(Measure(drain.per_hour_minor, drain.unit))} an hour "
        f"and is empty {drain.empty_after_h:.3g} h after the end (extrapolated)."
        for drain in found.points[0].runs[0].drains[:_DRAINS_SHOWN]
    ]

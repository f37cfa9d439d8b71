"""The figures of studies: differences, loads, responses, and what moves an answer.

Takes what a study found; gives figures of its own tables. They are drawn where drawings can be
shown; every other format has the tables they are made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sim.analysis.catalogue import CATALOGUE, words_of
from sim.analysis.error_bars import POINTS, with_error
from sim.analysis.summary import Measure
from sim.report.blocks import Figure
from sim.report.figure import figure
from sim.study.compare.comparison import Comparison
from sim.study.measure_key import name_of
from sim.study.sensitivity.study import Sensitivity
from sim.study.stress.points import UNIT
from sim.study.stress.study import Stress
from sim.study.sweep.study import SweepResult
from sim.tables.tabular import Cell, TabularData

_BARS = 20
_MEASURES_SHOWN = 6


def compare_figures(found: Comparison) -> Iterator[Figure]:
    """Yield a forest of differences per measure: a point and its interval for every pair."""
    measures = dict.fromkeys(pair.measure for pair in found.pairs)
    for key in list(measures)[:_MEASURES_SHOWN]:
        rows: list[tuple[str, float, float, float]] = []
        words: list[str] = []
        unit = ""
        for pair in found.pairs:
            if pair.measure != key or pair.difference is None:
                continue
            one = pair.difference.interval
            factor, unit = _scaled(pair.unit)
            unit = "pp" if unit == "%" else unit
            row = f"{pair.b} − {pair.a}"
            rows.append((row, one.value * factor, one.low * factor, one.high * factor))
            size, shown_in = with_error(one, pair.unit)
            sign = "-" if one.value < 0 else "+" if one.value > 0 else ""
            told = f"{sign}{size} {shown_in.replace(POINTS, 'pp')}"
            words.append(f"{row}: {told}, {'shown' if pair.is_shown else 'not shown'}")
        if rows:
            data = TabularData(("row", "value", "low", "high"), tuple(rows))
            title = f"Difference in {_called(key)}, 95 % intervals"
            yield Figure(
                figure_name("difference", key),
                "points",
                title,
                data,
                tuple(words),
                unit,
                origin=0.0,
            )


_COST, _TIME = "payer_cost_bps", "end_to_end_mean"


def pareto_figures(found: Comparison) -> Iterator[Figure]:
    """Yield what each arm costs the payer against how long it takes, where both are known."""
    rows: list[tuple[str, float, float, float, float, float, float]] = []
    words: list[str] = []
    for arm, summary in found.summaries.items():
        cost, time = (summary.measures.get(key) for key in (_COST, _TIME))
        if cost is None or time is None or cost.value is None or time.value is None:
            continue
        rows.append((arm, float(time), float(cost), *_ends(time), *_ends(cost)))
        words.append(f"{arm}: {figure(time)}, {figure(cost)}")
    if len(rows) > 1:
        names = ("series", "x", "y", "x_low", "x_high", "low", "high")
        title = f"{_called(_COST)} against {_called(_TIME)}: below and to the left is better"
        yield Figure(
            "cost-time", "scatter", title, TabularData(names, tuple(rows)), tuple(words), "bps",
            x_unit=f"{_called(_TIME)}, s",
        )  # fmt: skip


def _ends(one: Measure) -> tuple[float, float]:
    """Return the ends of an interval, both the value where there is none."""
    value = float(one)
    return (value if one.low is None else one.low), (value if one.high is None else one.high)


def stress_figures(found: Stress) -> Iterator[Figure]:
    """Yield what was completed, and the judged time, against load."""
    points = [point for point in found.complete if point.is_valid]
    if len(points) < 2:
        return
    done = [(point.load, point.offered, point.completed) for point in points]
    rows: list[tuple[str, float, float, float, float]] = []
    words: list[str] = []
    for series, at in (("offered", 1), ("completed", 2)):
        for one in done:
            rate = one[at]
            if rate is not None:
                rows.append((series, one[0], rate, rate, rate))
                words.append(f"{series} at a load of {one[0]:.6g} {UNIT}: {rate:.4g} {UNIT}")
    yield _curve("load-completed", "Completed load against offered load", rows, words, UNIT)
    key = found.plan.time_key
    rows, words = [], []
    for point in points:
        mean = point.mean(key)
        if mean is not None:
            known = [took for run in point.runs if (took := run.value(key)) is not None]
            rows.append((_called(key), point.load, mean, min(known), max(known)))
            told = figure(Measure(mean, "s"))
            words.append(f"{_called(key)} at a load of {point.load:.6g} {UNIT}: {told}")
    bounds = [one.bound for one in found.plan.objectives if one.key == key]
    title = f"{_called(key)} against load, mean and range of runs"
    if rows:
        yield _curve("load-time", title, rows, words, "s", level=bounds[0] if bounds else None)


def _curve(
    name: str,
    title: str,
    rows: Sequence[tuple[str, float, float, float, float]],
    words: Sequence[str],
    unit: str,
    *,
    level: float | None = None,
) -> Figure:
    data = TabularData(("series", "x", "y", "low", "high"), tuple(rows))
    note = "" if level is None else f"Line: what is asked for, {figure(Measure(level, unit))}."
    return Figure(
        name, "lines", title, data, tuple(words), unit, note, x_unit=f"load, {UNIT}", origin=level
    )


def sweep_figures(found: SweepResult, factors: Sequence[str]) -> Iterator[Figure]:
    """Yield the response of each measure to the first factor that is a number.

    Parameters
    ----------
    found : SweepResult
    factors : sequence of str
        Names of the factors, in order.
    """
    records = [row for row in found.table.records() if row["status"] == "done"]
    numeric = [
        name for name in factors if len({row[name] for row in records}) > 1
        and all(isinstance(row[name], int | float) for row in records)
    ]  # fmt: skip
    if not numeric:
        return
    first = numeric[0]
    unit = str(records[0].get(f"{first}_unit") or "")
    others = [name for name in factors if name != first]
    keys = [name.removesuffix("_low") for name in found.table.columns if name.endswith("_low")]
    for key in keys[:_MEASURES_SHOWN]:
        factor, measured = _of_column(key, records)
        rows: list[tuple[str, float, float, float, float]] = []
        words: list[str] = []
        for row in sorted(records, key=lambda row: float(str(row[first]))):
            value = row[key]
            if value is None:
                continue
            low, high = (
                value if row[end] is None else row[end] for end in (f"{key}_low", f"{key}_high")
            )
            series = ", ".join(f"{name} {row[name]}" for name in others) or _called(key)
            x = float(str(row[first]))
            y, below, above = (float(str(one)) * factor for one in (value, low, high))
            rows.append((series, x, y, below, above))
            words.append(f"{series} at {row[first]} {unit}: {y:.4g} {measured}")
        if rows:
            data = TabularData(("series", "x", "y", "low", "high"), tuple(rows))
            label = f"{first}, {unit}" if unit else first
            title = f"{_called(key)} against {first}"
            yield Figure(
                figure_name("response", key),
                "lines",
                title,
                data,
                tuple(words),
                measured,
                x_unit=label,
            )


def _of_column(key: str, records: Sequence[Mapping[str, Cell]]) -> tuple[float, str]:
    """Return what the values of a column are multiplied by, and their unit then.

    A column that is no measure is a field that was looked for; the rows say its unit.
    """
    if name_of(key) in CATALOGUE:
        return _scaled(CATALOGUE[name_of(key)].kind.unit)
    return 1.0, next((str(row[f"{key}_unit"]) for row in records if row[f"{key}_unit"]), "")


def heat_figures(found: SweepResult) -> Iterator[Figure]:
    """Yield each measure over the first two factors that are numbers, where two alone vary.

    Parameters
    ----------
    found : SweepResult
    """
    records = [row for row in found.table.records() if row["status"] == "done"]
    varied = [name for name in found.factors if len({row[name] for row in records}) > 1]
    if len(varied) != 2 or not all(
        isinstance(row[name], int | float) for row in records for name in varied
    ):
        # With a third factor a cell would hold several points.
        return
    across, up = varied
    units = [str(records[0].get(f"{name}_unit") or "") for name in varied]
    labels = [f"{name}, {unit}" if unit else name for name, unit in zip(varied, units, strict=True)]
    keys = [name.removesuffix("_low") for name in found.table.columns if name.endswith("_low")]
    for key in keys[:_MEASURES_SHOWN]:
        factor, unit = _of_column(key, records)
        known = [row for row in records if row[key] is not None]
        rows = [
            (float(str(row[across])), float(str(row[up])), float(str(row[key])) * factor)
            for row in known
        ]
        words = [
            f"{across} {x:g} {units[0]}, {up} {y:g} {units[1]}: {value:.4g} {unit}"
            for x, y, value in rows
        ]
        if rows:
            data = TabularData(("x", "y", "value"), tuple(rows))
            yield Figure(
                figure_name("heat", key), "heat", f"{_called(key)} by {across} and {up}", data,
                tuple(words), unit, note=f"Upward: {labels[1]}. Darker is more.", x_unit=labels[0],
            )  # fmt: skip


def sensitivity_figures(answer: Sensitivity) -> Iterator[Figure]:
    """Yield a tornado: where each assumption takes the answer at the ends of its range."""
    factor, unit = _scaled(answer.unit)
    base = answer.base.value * factor
    rows: list[tuple[str, float, float, str]] = []
    words: list[str] = []
    for swing in [one for one in answer.swings if one.is_candidate][:_BARS]:
        for part, end in zip(("at the low end", "at the high end"), swing.outer, strict=False):
            if end.value is None:
                continue
            name, there = swing.assumption.name, end.value * factor
            rows.append((name, base, there, part))
            words.append(f"{name} {part}: {there:.4g} {unit}")
    if rows:
        data = TabularData(("row", "from", "to", "part"), tuple(rows))
        title = f"What moves {_called(answer.measure)}: bars begin at the answer as it stands"
        yield Figure(
            f"tornado-{_file(answer.measure)}", "spans", title, data, tuple(words), unit,
            is_zoomed=True,
        )  # fmt: skip


def _scaled(unit: str) -> tuple[float, str]:
    """Return by what values are multiplied to be drawn, and in which unit they are."""
    return (100.0, "%") if unit == "share" else (1.0, unit)


def _called(key: str) -> str:
    """Return what a measure is called; of one of a group the whole key."""
    return words_of(key) if key in CATALOGUE else key


def figure_name(kind: str, key: str) -> str:
    """Return what the figure of a measure is called, as its files are.

    Parameters
    ----------
    kind, key : str
        What it shows, and of which measure.
    """
    return f"{kind}-{_file(key)}"


def _file(key: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in key)

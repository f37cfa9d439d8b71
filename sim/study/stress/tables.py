"""A stress test as tables, every digit kept.

Takes a :class:`~sim.study.stress.study.Stress`; gives the points, the intervals of a ramp or a
soak, and the institutions.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.study.stress.points import LoadPoint
from sim.study.stress.ramp import Ramp, judged_words
from sim.study.stress.series import IntervalFigures
from sim.study.stress.study import Stress
from sim.tables.tabular import Cell, TabularData


def main_table(found: Stress) -> TabularData:
    """Return the table a test is about: the intervals of a ramp alone, else the points."""
    return points_table(found) if found.points or found.ramp is None else ramp_table(found.ramp)


def points_table(found: Stress) -> TabularData:
    """Return throughput and time against load, a row per load."""
    columns = (
        *("load", "factor", "verdict", "valid", "runs", "passed", "offered", "completed"),
        *("p50_s", "p99_s", "success", "backlog_start", "backlog_end", "busiest", "why"),
    )
    rows = tuple(
        (
            point.load,
            point.factor,
            point.verdict,
            "yes" if point.is_valid else "no",
            len(point.runs),
            f"{point.sustained_count} of {len(point.runs)}",
            *point.figures,
            *point.backlog,
            "" if point.bottleneck is None else point.bottleneck.station,
            point.reasons[0] if point.reasons else "",
        )
        for point in found.points
    )
    return TabularData(columns, rows)


def ramp_table(ramp: Ramp) -> TabularData:
    """Return what a rising load gave, a row per interval, as means over runs."""
    columns = ("from_s", "load", "offered", "completed", "p50_s", "p99_s", "success", "backlog")
    rows = []
    for at, load in enumerate(ramp.loads):
        parts = [run.series[at] for run in ramp.runs]
        rows.append((parts[0].begin_s, load, *_means(parts), judged_words(ramp, parts)))
    return TabularData((*columns, "objectives"), tuple(rows))


def soak_table(point: LoadPoint) -> TabularData:
    """Return what a load that was held gave, a row per interval, as means over runs."""
    columns = ("from_s", "offered", "completed", "p50_s", "p99_s", "success", "backlog")
    rows = []
    for at, part in enumerate(point.runs[0].series):
        rows.append((part.begin_s, *_means([run.series[at] for run in point.runs])))
    return TabularData(columns, tuple(rows))


def participants_table(found: Stress) -> TabularData:
    """Return what each institution carries, the one nearest to being full first."""
    columns = ("institution", "completed", "busiest_station", "utilisation", "full_at_extrapolated")
    rows = tuple(
        (
            one.name,
            one.completed_rate,
            one.station or "",
            one.utilisation,
            # Two digits are what an extrapolation is good for.
            None if one.full_at is None else float(f"{one.full_at:.2g}"),
            "" if one.account is None else f"{one.account} ({one.short:.0f} payments)",
        )
        for one in found.participants()
    )
    return TabularData((*columns, "short_of_money"), rows)


def _means(parts: list[IntervalFigures]) -> tuple[Cell, ...]:
    """Return the columns all tables of intervals share."""

    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if len(known) == len(values) else None

    figures = map(mean, zip(*(part.figures for part in parts), strict=True))
    return (*figures, mean([float(part.backlog) for part in parts]))

"""A stress test as tables, every digit kept.

Takes a :class:`~sim.study.stress.study.Stress`; gives the points, the intervals of a ramp or a
soak, and the institutions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sim.analysis.catalogue import CATALOGUE
from sim.study.measure_key import name_of
from sim.study.stress.points import LoadPoint, StressPlan
from sim.study.stress.ramp import Ramp, judged_words
from sim.study.stress.series import IntervalFigures
from sim.study.stress.study import Stress
from sim.tables.tabular import Cell, TabularData


def main_table(found: Stress) -> TabularData:
    """Return the table a test is about: the intervals of a ramp alone, else the points."""
    return points_table(found) if found.points or found.ramp is None else ramp_table(found.ramp)


def points_table(found: Stress) -> TabularData:
    """Return throughput and time against load, a row per load; what is judged has its column."""
    keys = found.plan.shown_keys
    columns = (
        *("load", "factor", "verdict", "valid", "runs", "passed", "offered", "completed"),
        *map(column_name, keys),
        *("backlog_start", "backlog_end", "busiest", "why"),
    )
    rows = tuple(
        (
            point.load,
            point.factor,
            point.words,
            "yes" if point.is_valid else "no",
            len(point.runs),
            f"{point.sustained_count} of {len(point.runs)}",
            *(point.offered, point.completed),
            *map(point.mean, keys),
            *point.backlog,
            "" if point.bottleneck is None else point.bottleneck.station,
            point.reasons[0] if point.reasons else "",
        )
        for point in found.points
    )
    return TabularData(columns, rows)


def column_name(key: str) -> str:
    """Return the heading of a measure: times are short and say their unit.

    Parameters
    ----------
    key : str
        As an objective names it.
    """
    measure = CATALOGUE[name_of(key)]
    if key == "success_rate":
        return measure.alias
    short = key if "/" in key else measure.alias or key
    return f"{short}_s" if measure.kind.unit == "s" else short


def ramp_table(ramp: Ramp) -> TabularData:
    """Return what a rising load gave, a row per interval, as means over runs."""
    shares = _shares(ramp.plan)
    rows = []
    for at, load in enumerate(ramp.loads):
        parts = [run.series[at] for run in ramp.runs]
        rows.append((parts[0].begin_s, load, *_means(parts, shares), judged_words(ramp, parts)))
    return TabularData(("from_s", "load", *_mean_columns(shares), "objectives"), tuple(rows))


def soak_table(plan: StressPlan, point: LoadPoint) -> TabularData:
    """Return what a load that was held gave, a row per interval, as means over runs."""
    shares = _shares(plan)
    rows = []
    for at, part in enumerate(point.runs[0].series):
        rows.append((part.begin_s, *_means([run.series[at] for run in point.runs], shares)))
    return TabularData(("from_s", *_mean_columns(shares)), tuple(rows))


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


def _shares(plan: StressPlan) -> dict[float, str]:
    """Return the end-to-end quantiles known by interval, with their headings."""
    keys = [key for key in plan.shown_keys if key.startswith("end_to_end_p")]
    known = ((CATALOGUE[key].quantile, column_name(key)) for key in keys)
    return {share: name for share, name in known if share is not None}


def _mean_columns(shares: Mapping[float, str]) -> tuple[str, ...]:
    return ("offered", "completed", *shares.values(), "success", "backlog")


def _means(parts: Sequence[IntervalFigures], shares: Mapping[float, str]) -> tuple[Cell, ...]:
    """Return the columns all tables of intervals share."""

    def mean(values: Iterable[float | None]) -> float | None:
        known = list(values)
        there = [value for value in known if value is not None]
        return sum(there) / len(there) if len(there) == len(known) else None

    return (
        mean(part.offered_rate for part in parts),
        mean(part.completed_rate for part in parts),
        *(mean(part.quantile(share) for part in parts) for share in shares),
        mean(part.success_rate for part in parts),
        mean(float(part.backlog) for part in parts),
    )

"""Show a stress test: a table, sentences and JSON.

Takes a :class:`~sim.experiment.stress.Stress`; gives what people and programs read.
"""

from __future__ import annotations

from sim.analysis.summary import Json
from sim.experiment.bottleneck import Bottleneck
from sim.experiment.stress import LoadPoint, Stress
from sim.experiment.tabular import TabularData

UNIT = "payments/s"
_PARTICIPANTS_SHOWN = 8


def as_json_object(found: Stress) -> dict[str, Json]:
    """Return the object of ``stress --json``."""
    capacity: Json = None
    if found.passed is not None:
        high = None if found.failed is None else found.failed.load
        load = found.passed.load
        capacity = {"value": load, "low": load, "high": high, "unit": UNIT}
    return {
        "verdict": found.verdict,
        "capacity": capacity,
        "bottleneck": _bottleneck(found.bottleneck),
        "points": [_point(point) for point in found.points],
        "participants": dict(found.participants()),
        "objectives": [str(objective) for objective in found.plan.objectives],
        "window_s": found.plan.window_s,
        "replications": found.plan.replications,
    }


def points_table(found: Stress) -> TabularData:
    """Return throughput and time against load, a row per load."""
    columns = ("load", "verdict", "offered", "completed", "p50_s", "p99_s", "success")
    rows = tuple(
        (
            point.load,
            point.verdict,
            point.mean("offered_rate_mean"),
            point.mean("completed_rate_mean"),
            point.mean("end_to_end_p50"),
            point.mean("end_to_end_p99"),
            point.mean("success_rate"),
            point.runs[0].backlog.start,
            point.runs[0].backlog.end,
            "" if point.bottleneck is None else point.bottleneck.station,
        )
        for point in found.points
    )
    return TabularData((*columns, "backlog_start", "backlog_end", "busiest"), rows)


def sentences(found: Stress) -> list[str]:
    """Return what a reader remembers."""
    lines = []
    wanted = ", ".join(str(objective) for objective in found.plan.objectives)
    if found.passed is None:
        lines.append(f"No load tried meets {wanted}.")
    elif found.failed is None:
        lines.append(f"At least {found.passed.load:.6g} {UNIT} meet {wanted}; no limit was found.")
    else:
        lines.append(
            f"Capacity: {found.passed.load:.6g} {UNIT} meet {wanted} in every one of "
            f"{found.plan.replications} runs of {found.plan.window_s} s; {found.failed.load:.6g} "
            f"do not ({found.failed.reasons[0]})."
        )
    bottleneck = found.bottleneck
    if bottleneck is not None:
        lines.append(f"Bottleneck: {bottleneck.station}, {bottleneck.reason}.")
    shares = sorted(found.participants().items(), key=lambda item: (-item[1], item[0]))
    if shares:
        listed = ", ".join(f"{name} {rate:.4g}" for name, rate in shares[:_PARTICIPANTS_SHOWN])
        more = len(shares) - _PARTICIPANTS_SHOWN
        rest = f" and {more} others" if more > 0 else ""
        lines.append(f"Through each institution at capacity ({UNIT}): {listed}{rest}.")
    return lines


def _point(point: LoadPoint) -> dict[str, Json]:
    return {
        "load": point.load,
        "factor": point.factor,
        "verdict": point.verdict,
        "reasons": list(point.reasons),
        "offered_rate_mean": point.mean("offered_rate_mean"),
        "completed_rate_mean": point.mean("completed_rate_mean"),
        "end_to_end_p50": point.mean("end_to_end_p50"),
        "end_to_end_p99": point.mean("end_to_end_p99"),
        "success_rate": point.mean("success_rate"),
        "backlog_start": point.runs[0].backlog.start,
        "backlog_end": point.runs[0].backlog.end,
        "bottleneck": _bottleneck(point.bottleneck),
        "runs": [
            {
                "replication": run.replication,
                "is_sustained": run.is_sustained,
                "end_to_end_p99": run.summary.measures["end_to_end_p99"].value,
            }
            for run in point.runs
        ],
    }


def _bottleneck(found: Bottleneck | None) -> Json:
    if found is None:
        return None
    return {"station": found.station, "reason": found.reason, "utilisation": found.utilisation}

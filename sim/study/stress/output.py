"""A stress test as JSON, every digit kept.

Takes a :class:`~sim.study.stress.study.Stress`; gives what ``stress --json`` holds but for
sentences.
"""

from __future__ import annotations

from sim.analysis.summary import Json
from sim.study.stress.bottleneck import Bottleneck
from sim.study.stress.participants import Participant
from sim.study.stress.points import UNIT, LoadPoint
from sim.study.stress.ramp import Crossing, Ramp
from sim.study.stress.series import IntervalFigures
from sim.study.stress.study import Stress
from sim.study.stress.tables import judged_words


def as_json_object(found: Stress) -> dict[str, Json]:
    """Return the object of ``stress --json`` but for its sentences."""
    sustained = found.sustained
    return {
        "verdict": found.verdict,
        "is_valid": found.is_valid,
        "reasons": list(found.reasons),
        "capacity": _capacity(found),
        "bottleneck": _bottleneck(found.bottleneck),
        "points": [_point(point) for point in found.points],
        "sustained": None if sustained is None else sustained.load,
        "own_load": found.base,
        "brackets": [
            {"replication": one.replication, "low": one.low, "high": one.high}
            for one in (found.capacity.brackets if found.capacity is not None else ())
        ],
        "participants": [_participant(one) for one in found.participants()],
        "nearest_to_full": [one.name for one in found.fullest()],
        "ramp": None if found.ramp is None else _ramp(found.ramp),
        "profile": found.plan.profile,
        "objectives": [str(objective) for objective in found.plan.objectives],
        "streams": list(found.plan.streams),
        "window_s": found.plan.window_s,
        "replications": found.plan.replications,
        "replications_combined": (
            len(found.capacity.combined) if found.capacity is not None else None
        ),
        "tolerance": found.plan.tolerance,
    }


def _capacity(found: Stress) -> dict[str, Json]:
    """Return the capacity; without a search what the load tested bounds it by, and no value."""
    own, sustained, limiting = found.capacity, found.sustained, found.limiting
    if own is not None:
        return {"value": own.value, "low": own.low, "high": own.high, "unit": UNIT}
    return {
        "value": None,
        "low": None if sustained is None else sustained.load,
        "high": limiting.load if limiting is not None and limiting.is_valid else None,
        "unit": UNIT,
    }


def _point(point: LoadPoint) -> dict[str, Json]:
    start, end = point.backlog
    return {
        "load": point.load,
        "factor": point.factor,
        "verdict": point.verdict,
        "is_valid": point.is_valid,
        "replications": len(point.runs),
        "reasons": list(point.reasons),
        "offered_rate_mean": point.offered,
        "completed_rate_mean": point.completed,
        "end_to_end_p50": point.mean("end_to_end_p50"),
        "end_to_end_p99": point.mean("end_to_end_p99"),
        "success_rate": point.mean("success_rate"),
        "backlog_start": start,
        "backlog_end": end,
        "bottleneck": _bottleneck(point.bottleneck),
        "runs": [
            {
                "replication": run.replication,
                "is_sustained": run.is_sustained,
                "is_valid": run.is_valid,
                "reasons": [*run.faults, *run.misses],
                "offered_rate_mean": run.offered,
                "completed_rate_mean": run.completed,
                "end_to_end_p99": run.value("end_to_end_p99"),
                "intervals": [_interval(part) for part in run.series],
                "drains": [
                    {
                        "account": drain.account,
                        "per_hour_minor": drain.per_hour_minor,
                        "currency": drain.currency,
                        "empty_after_h": drain.empty_after_h,
                        "is_extrapolated": True,
                    }
                    for drain in run.drains
                ],
            }
            for run in point.runs
        ],
    }


def _ramp(ramp: Ramp) -> dict[str, Json]:
    return {
        "reference": ramp.reference,
        "from": ramp.loads[0],
        "to": ramp.loads[-1],
        "interval_s": ramp.interval_s,
        "first_missed": _crossing(ramp.missed),
        "flattened": _crossing(ramp.flattened),
        "intervals": [
            {
                "load": load,
                "objectives": judged_words(ramp, [run.series[at] for run in ramp.runs]),
                "runs": [_interval(run.series[at]) for run in ramp.runs],
            }
            for at, load in enumerate(ramp.loads)
        ],
    }


def _crossing(found: Crossing | None) -> Json:
    if found is None:
        return None
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "unit": UNIT,
        "runs": found.count,
    }


def _interval(part: IntervalFigures) -> dict[str, Json]:
    return {
        "from_s": part.begin_s,
        "to_s": part.end_s,
        "offered_rate_mean": part.offered_rate,
        "completed_rate_mean": part.completed_rate,
        "end_to_end_p50": part.quantile(0.5),
        "end_to_end_p99": part.quantile(0.99),
        "success_rate": part.success_rate,
        "backlog": part.backlog,
    }


def _participant(one: Participant) -> dict[str, Json]:
    return {
        "name": one.name,
        "completed_rate_mean": one.completed_rate,
        "station": one.station,
        "utilisation": one.utilisation,
        "full_at": one.full_at,
        "is_extrapolated": True,
        "account": one.account,
        "short_of_money": one.short,
    }


def _bottleneck(found: Bottleneck | None) -> Json:
    if found is None:
        return None
    return {
        "station": found.station,
        "reason": found.reason,
        "utilisation": found.utilisation,
        "queue_growth": found.queue_growth,
        "is_full": found.is_full,
    }

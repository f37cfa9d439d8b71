"""What a disruption must agree on with the rest of its scenario.

Takes a scenario whose fields are each valid; gives (path, message) pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.model.base import FieldPath
from sim.model.disruptions import KINDS, Disruption
from sim.model.steps import MULTIPLE_UNIT, write_multiple
from sim.rails.problems import Found, unknown
from sim.scenario.closures import closed_spans

if TYPE_CHECKING:
    from sim.scenario.model import Scenario

FAILURES_MAX = 10_000
"""Most failures a run may expect of one disruption."""

_ALLOWED: dict[str, tuple[str, ...]] = {
    "role": ("outage", "degradation", "closure"),
    "station": ("outage", "degradation", "closure"),
    "times": ("degradation", "surge", "fx_jump"),
    "capacity": ("degradation",),
    "together": ("outage", "degradation", "closure", "surge"),
    "for_": ("outage", "degradation", "surge"),
    "random": ("outage", "degradation", "surge"),
    "from_": ("outage", "degradation", "surge", "fx_jump"),
    "after": ("outage", "degradation", "surge", "fx_jump"),
    "chance": ("outage", "degradation", "surge", "fx_jump"),
    "calendars": ("closure",),
    "clock": ("closure",),
    "opens": ("closure",),
    "closes": ("closure",),
}
"""Kinds of disruption each field is for."""

_TIMES = {
    "degradation": (MULTIPLE_UNIT // 100, 100 * MULTIPLE_UNIT),
    "fx_jump": (MULTIPLE_UNIT // 2, 2 * MULTIPLE_UNIT),
}
"""Least and greatest multiple of a kind: pace and prices are proved within these bounds."""


def check_disruptions(scenario: Scenario) -> Found:
    """Yield what no disruption can be, or what it names and is not there."""
    for name, one in scenario.disruptions.items():
        place: FieldPath = ("disruptions", name)
        said = [kind for kind in KINDS if getattr(one, kind) is not None]
        if len(said) != 1:
            found = " and ".join(said) or "none of them"
            yield place, f"found {found}; allowed: exactly one of {', '.join(KINDS)}"
            continue
        kind, found_problem = said[0], False
        for field, kinds in _ALLOWED.items():
            if field in one.model_fields_set and kind not in kinds:
                found_problem = True
                where = (*place, field.rstrip("_"))
                yield where, f"found it of a {kind}; allowed: of {' and '.join(kinds)}"
        if not found_problem:
            for path, message in _problems(scenario, one):
                yield (*place, *path), message
    yield from _check_jumps(scenario)


def _problems(scenario: Scenario, one: Disruption) -> Found:
    kind, known = one.kind, _known(scenario, one.kind)
    what = {"surge": "demand", "fx_jump": "mid rate"}.get(kind, "rail or institution")
    for field, name in ((kind, one.target), *((("together", name)) for name in one.together)):
        path: FieldPath = (kind,) if field == kind else ("together", name)
        if name not in known:
            yield path, unknown(what, name, known)
        elif kind == "surge" and scenario.demand[name].rate is None:
            yield path, f"{name} is a written list; allowed: a stream with a rate"
        elif field == "together" and name == one.target:
            yield path, "found what is hit in any case; allowed: others"
    if one.role is not None and one.station is not None:
        yield ("station",), "found role and station; allowed: one of them"
    yield from _check_size(one)
    yield from (_check_closure(scenario, one) if kind == "closure" else _check_time(scenario, one))


def _check_size(one: Disruption) -> Found:
    kind = one.kind
    if kind in ("surge", "fx_jump") and one.times is None:
        yield ("times",), "found nothing; needed: by what it is multiplied, such as 3 or 0.95"
    if kind == "degradation" and one.times is None and one.capacity is None:
        yield (), "found neither times nor capacity; needed: at least one of them"
    low, high = _TIMES.get(kind, (0, one.times or 0))
    if one.times is not None and not low <= one.times <= high:
        yield (
            ("times",),
            f"found {write_multiple(one.times)}; allowed: {write_multiple(low)} to "
            f"{write_multiple(high)}",
        )
    if one.capacity == 0:
        yield ("capacity",), "found no capacity at all; allowed: a share above 0, or an outage"


def _check_time(scenario: Scenario, one: Disruption) -> Found:
    ways = ("from_", "after", "random")
    said = [way.rstrip("_") for way in ways if getattr(one, way) is not None]
    if len(said) != 1:
        found = "both" if len(said) == 2 else "all" if said else "neither"
        allowed = "from, after and random" if said == [] or "random" in said else "from and after"
        yield (), f"found {found} of {allowed}; allowed: exactly one of them"
        return
    if one.random is not None:
        if one.for_ is not None:
            yield ("for",), "found a length beside random; allowed: time_to_repair says it"
        mean = one.random.time_to_failure.mean() + one.random.time_to_repair.mean()
        if mean * FAILURES_MAX < scenario.clock.horizon:
            yield (
                ("random", "time_to_failure"),
                f"found more than {FAILURES_MAX:,} failures within the run; allowed: fewer",
            )
    elif one.for_ is None and one.kind != "fx_jump":
        yield (), f"found {said[0]} without a length; needed: for, such as 30 min"


def _check_closure(scenario: Scenario, one: Disruption) -> Found:
    if not one.calendars and one.opens is None and one.closes is None:
        yield (), "found neither calendars nor hours; needed: when it is closed"
    if one.opens is not None and one.closes is not None and one.opens >= one.closes:
        yield ("closes",), "found an hour that is not after it opens; allowed: a later one"
    try:
        closed_spans(scenario, one)
    except ValueError as problem:
        yield ("calendars",), f"{problem}; needed: a run within its years"


def _check_jumps(scenario: Scenario) -> Found:
    """Yield jumps of one pair that together leave the range prices are proved for."""
    low, high = _TIMES["fx_jump"]
    for pair in scenario.fx.mid:
        jumps = [
            (name, one.times)
            for name, one in scenario.disruptions.items()
            if one.fx_jump == pair and one.times is not None
        ]
        up = down = MULTIPLE_UNIT
        for name, times in jumps:
            up = max(up, up * times // MULTIPLE_UNIT)
            down = min(down, down * times // MULTIPLE_UNIT)
            alone = low <= times <= high
            if alone and not (low <= down and up <= high):
                yield (
                    ("disruptions", name, "times"),
                    f"jumps of {pair} may together leave a factor of two; allowed: smaller ones",
                )
                break


def _known(scenario: Scenario, kind: str) -> list[str]:
    if kind == "surge":
        return sorted(scenario.demand)
    if kind == "fx_jump":
        return sorted(map(str, scenario.fx.mid))
    return sorted({*scenario.rails, *scenario.institutions})

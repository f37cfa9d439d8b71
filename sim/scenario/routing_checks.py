"""Whether ways to choose routes can be: bounds of what a router keeps in mind.

Takes a scenario; gives (path, message) pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.contract.layout import CANDIDATES_MAX
from sim.contract.policies import WINDOW_MAX
from sim.model.base import FieldPath
from sim.model.sections import Routing
from sim.rails.problems import Found
from sim.scenario.model import Scenario

_NEEDED = {"weighted": ("second_is_worth",), "adaptive": ("explore", "failure_takes")}
"""What a policy cannot do without, and nobody could assume for a user."""


def routings(scenario: Scenario) -> Iterator[tuple[FieldPath, Routing]]:
    """Yield every way to choose routes a scenario has, and where it is written."""
    yield ("routing",), scenario.routing
    for name, corridor in scenario.corridors.items():
        if corridor.routing is not None:
            yield ("corridors", name, "routing"), corridor.routing


def routing_problems(scenario: Scenario) -> Found:
    """Yield what of them cannot be."""
    for place, routing in routings(scenario):
        if routing.candidates > CANDIDATES_MAX:
            yield (
                (*place, "candidates"),
                f"found {routing.candidates}; allowed: at most {CANDIDATES_MAX}",
            )
        for field in _NEEDED.get(routing.policy, ()):
            if getattr(routing, field) is None:
                yield (*place, field), f"missing; needed with policy {routing.policy}"
        breaker = routing.breaker
        if breaker is None:
            continue
        if breaker.of > WINDOW_MAX:
            yield (
                (*place, "breaker", "of"),
                f"found {breaker.of}; allowed: at most {WINDOW_MAX}",
            )
        if breaker.failures > breaker.of:
            yield (
                (*place, "breaker", "failures"),
                f"found {breaker.failures} of {breaker.of}; allowed: at most as many as it looks "
                "back on",
            )

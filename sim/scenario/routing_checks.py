"""Whether ways to choose routes can be: bounds of what a router keeps in mind.

Takes a scenario; gives (path, message) pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.contract.layout import CANDIDATES_MAX
from sim.contract.policies import WINDOW_MAX
from sim.errors import suggest
from sim.model.base import FieldPath
from sim.model.policy_names import OURS
from sim.model.sections import Routing
from sim.policies.registry import find_policy
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


def _setting_problems(place: FieldPath, routing: Routing) -> Found:
    """Yield settings the policy does not have."""
    is_own = routing.policy not in OURS
    known = tuple(find_policy(routing.policy).settings) if is_own else ()
    for name in routing.settings:
        if name not in known:
            allowed = ", ".join(known) or "none"
            yield (
                (*place, "settings", name),
                f"found {name!r}; policy {routing.policy} has {allowed}.{suggest(name, known)}",
            )


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
        yield from _setting_problems(place, routing)
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

"""What another package is that adds a routing policy: routes take turns, by their weights.

Its entry point (`entry_points.txt` beside it; in a `pyproject.toml` it would be
``[project.entry-points."payroute.policies"]``, ``turns = "payroute_turns:TURNS"``) is all that
payroute has to know. A scenario then writes ``routing: {policy: turns, settings: {first: 3}}``.
"""

from __future__ import annotations

from typing import Any

from sim.policies import Heard, Known, OwnPolicy


def score(route: Known, memory: Any, settings: Any) -> int:
    """Return how often a route was taken, the first one counted less by its weight."""
    weight = settings.first if route.position == 0 else 1
    return memory[0] * 60 // weight


def hear(heard: Heard, memory: Any, settings: Any) -> None:
    """Count the payments put on a route."""
    if heard.event == 0:
        memory[0] += 1


TURNS = OwnPolicy(
    score,
    hear=hear,
    memory=1,
    settings={"first": 1},
    words="the route taken least often so far, the first one counted less by its weight",
)

"""A routing policy of the user's own that depends on all it is told.

Known where scenarios are drawn from seeds: what may be written of a policy of one's own is drawn,
too, and nothing it is told can be wrong unnoticed.
"""

from __future__ import annotations

from typing import Any

from sim.contract.own_policies import SPARE_NONE
from sim.policies import register


def _score(route: Any, memory: Any, settings: Any) -> int:
    """Weigh everything a function is told, so that nothing of it can be wrong unnoticed."""
    told = route.payment + route.now_us + route.attempt + route.position + route.instructed
    told += route.debited + route.credited + route.cost + route.expected_us + route.time_us
    if route.spare < 0:
        told += 17
    if route.spare < SPARE_NONE:
        told += route.spare % 1_000
    for number in memory:
        told = told * 31 + number % 1_000_003
        told %= 1_000_000_007
    return int((told * settings.times + settings.plus) % 1_009)


def _hear(heard: Any, memory: Any, settings: Any) -> None:
    memory[heard.event] += 1
    memory[4] += (heard.took_us - memory[4]) >> 3
    memory[5] = memory[5] * 7 + heard.reason + heard.payment + heard.now_us
    memory[5] %= 1_000_003


SUMS_UP = register("sums_up", _score, hear=_hear, memory=6, settings={"times": 1, "plus": 0})
"""A function that depends on all it is told."""

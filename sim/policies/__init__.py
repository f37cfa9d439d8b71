"""Routing policies of the user's own: functions that say what a route is worth, by name.

``register(name, score, ...)`` makes one known to this process; another package names its own in an
entry point of the group ``payroute.policies``. A scenario then writes ``routing: {policy: NAME}``.
"""

from sim.contract.own_policies import (
    BEGUN,
    FAILED,
    SAYS_NOTHING,
    SPARE_NONE,
    SUCCEEDED,
    Heard,
    Known,
)
from sim.policies.registry import GROUP, OwnPolicy, forget, register

__all__ = [
    "BEGUN",
    "FAILED",
    "GROUP",
    "SAYS_NOTHING",
    "SPARE_NONE",
    "SUCCEEDED",
    "Heard",
    "Known",
    "OwnPolicy",
    "forget",
    "register",
]

"""How long the payments of a corridor may take by its own rules.

Takes a corridor and the rails of its routes; gives microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.model.sections import Corridor
from sim.scenario.model import Scenario
from sim.units import SECOND_US

PROMISE_US = 60 * SECOND_US
"""Where neither corridor nor rails say how long a payment may take: what Nexus aims at end to end
(calibration: timeouts.cross_border_payment_default, reported)."""


def promise_us(scenario: Scenario, corridor: Corridor, rails: Iterable[str]) -> int:
    """Return how long a payment may take by the rules of its corridor.

    Parameters
    ----------
    scenario : Scenario
    corridor : Corridor
    rails : iterable of str
        Rails of the routes it may take.
    """
    said = corridor.promise or corridor.time_out
    lives = [life for name in rails if (life := scenario.rails[name].order_life_us) is not None]
    # The longest life counts: a router may choose any of them, and none is late by its own rules.
    return said or max(lives, default=PROMISE_US)

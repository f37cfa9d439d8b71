"""Which rails a corridor may use.

Takes a scenario and one of its corridors; gives yes or no for each rail.
"""

from __future__ import annotations

from sim.model.sections import Corridor
from sim.rails.protocol import World


def serves(world: World, name: str, corridor: Corridor) -> bool:
    """Say whether a corridor may use a rail.

    Parameters
    ----------
    world : World
        The scenario.
    name : str
        Of one of its rails.
    corridor : Corridor

    Notes
    -----
    A corridor that names its rails uses those. One that names none uses all that know by themselves
    whom they connect; a rail that joins by name only would else carry every corridor of a scenario
    it was added to, at no cost. Where all rails of a scenario are of that kind, there is no doubt.
    """
    if corridor.rails is not None:
        return name in corridor.rails
    return not world.rails[name].joins_by_name or all(
        rail.joins_by_name for rail in world.rails.values()
    )

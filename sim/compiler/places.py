"""Accounts and stations named by a program as indices of the plan."""

from __future__ import annotations

from sim.compiler.builder import PlanBuilder
from sim.rails.stages import ByRole, Place


def account_index(builder: PlanBuilder, place: Place) -> int:
    """Return the account a place names; one that is not there yet has no limit.

    Unlimited accounts are named ``<what>:...:<currency>``.
    """
    if isinstance(place, ByRole):
        return builder.account_ref(place.role, place.kind)
    if place in builder.accounts:
        return builder.accounts[place]
    return builder.add_account(place, place.rpartition(":")[2])


def station_index(builder: PlanBuilder, place: Place) -> int:
    """Return the station a place names."""
    if isinstance(place, ByRole):
        return builder.station_ref(place.role, place.kind)
    return builder.stations[place]

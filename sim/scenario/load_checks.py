"""Check what only payments one by one can do of a stream that is carried as load.

Takes a stream of demand; yields what is wrong, with the path of the field and what is allowed.
"""

from __future__ import annotations

from sim.model.sections import Demand
from sim.rails.protocol import Found
from sim.scenario.model import Scenario

_ALONE = {
    "payments": "a written list",
    "trace": "payments of a file",
    "instruments": "what payers carry",
    "second_instrument": "what payers carry",
    "after_failure": "what payers do after a failure",
    "refunds": "refunds",
    "shop": "orders of a shop",
    "name_check": "checks of names",
}
"""Fields that speak of single payments."""


def load_problems(scenario: Scenario, name: str, demand: Demand) -> Found:
    """Yield what of a stream carried as load asks for payments one by one."""
    if demand.as_ != "load":
        return
    corridor = scenario.corridors.get(demand.corridor)
    if corridor is not None and corridor.from_.country != corridor.to.country:
        yield (
            ("demand", name, "as"),
            f"found load from {corridor.from_.country} to {corridor.to.country}; allowed: load "
            "within a country; payments across borders are measured one by one (as: payments)",
        )
    for field, what in _ALONE.items():
        if getattr(demand, field):
            yield (
                ("demand", name, field),
                f"found {what} of a stream carried as load (as: load); allowed: with payments one "
                "by one (as: payments)",
            )

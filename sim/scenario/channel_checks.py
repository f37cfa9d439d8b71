"""Check where payers pay: at a counter, at a shop's page, or to a person by name.

Takes a scenario; yields what is wrong, with the path of the field and what is allowed.
"""

from __future__ import annotations

from sim.model.sections import Demand
from sim.rails.problems import Found
from sim.scenario.model import Scenario

_MEANS = {
    "counter": "neither shop nor name_check",
    "online": "a shop",
    "remittance": "name_check",
}
"""What a channel is, in the fields of a stream."""


def channel_problems(scenario: Scenario) -> Found:
    """Yield channels that are not what a stream says beside, and checks of names nobody has."""
    for name, demand in scenario.demand.items():
        place = ("demand", name)
        if demand.channel is not None and demand.channel != demand.pays_at:
            yield (
                (*place, "channel"),
                f"found {demand.channel}, which is a stream with {_MEANS[demand.channel]}; allowed "
                f"here: {demand.pays_at}",
            )
        if demand.name_check is not None:
            for path, message in _name_check_problems(scenario, demand):
                yield (*place, *path), message


def _name_check_problems(scenario: Scenario, demand: Demand) -> Found:
    if demand.shop is not None:
        yield ("name_check",), "found the name of a shop; allowed: where persons are paid"
    if demand.fixed_side != "debtor":
        yield (
            ("fixed_side",),
            "found creditor; needed with a name_check: debtor, who fixes it",
        )
    corridor = scenario.corridors.get(demand.corridor)
    if corridor is None:
        return
    if corridor.codes is not None:
        yield ("name_check",), "found beside codes of the corridor; allowed: where none are scanned"
    country = corridor.to.country
    entries = scenario.institutions.values()
    drawn = any(one.merchant_share and one.country == country for one in entries)
    named = demand.payments and all(one.creditor_agent is not None for one in demand.payments)
    if not (drawn or named):
        yield (
            ("name_check",),
            f"found nobody in {country} to ask; needed: institutions with a merchant_share there, "
            "or the creditor_agent of every payment",
        )

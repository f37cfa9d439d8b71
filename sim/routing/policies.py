"""Routing policies by the names users write, and what each of them prefers, in words.

Takes nothing; everything is read off :class:`~sim.contract.meaning.Policy`, where a policy is
specified once: its name, and what it prefers in the first sentence of its description. Scores are
computed by the engines.
"""

from __future__ import annotations

from sim.contract.layout import CERTAIN
from sim.contract.meaning import Policy
from sim.contract.words import member_words
from sim.model.sections import Routing
from sim.scenario.model import Scenario

_PPB_OF_PPM = 1_000
_ALL_PPB = 10**9


def policy_of(name: str) -> Policy:
    """Return the policy of a name users write."""
    return Policy[name.upper()]


def policy_words(policy: Policy) -> str:
    """Return what a policy prefers, as in ``the first candidate``."""
    first, _, _ = member_words(Policy)[policy.name].partition(". ")
    return f"{first[0].lower()}{first[1:]}".removesuffix(".")


def routing_of(scenario: Scenario, corridor: str) -> Routing:
    """Return how routes of a corridor are chosen: its own way, else the scenario's."""
    return scenario.corridors[corridor].routing or scenario.routing


def rule_columns(routing: Routing) -> tuple[tuple[str, int], ...]:
    """Return the columns of the rule a way to choose routes comes to; none where nothing is ruled.

    Parameters
    ----------
    routing : Routing
    """
    found: list[tuple[str, int]] = []
    policy = policy_of(routing.policy)
    if routing.cost_at_most is not None:
        found.append(("cost_max_ppm", routing.cost_at_most // _PPB_OF_PPM))
    if routing.time_at_most is not None:
        found.append(("time_max_us", routing.time_at_most))
    if routing.spare_reserves:
        found.append(("spares", 1))
    if policy is Policy.WEIGHTED:
        found.append(("time_worth_ppm", (routing.second_is_worth or 0) // _PPB_OF_PPM))
    if routing.breaker is not None:
        found += [
            ("failures", routing.breaker.failures),
            ("window", routing.breaker.of),
            ("open_us", routing.breaker.open_for),
        ]
    if policy is Policy.ADAPTIVE:
        found += [
            ("learns", 1),
            ("explore", (routing.explore or 0) * CERTAIN // _ALL_PPB),
            ("penalty_us", routing.failure_takes or 0),
        ]
    hears = routing.breaker is not None or policy is Policy.ADAPTIVE
    if hears and routing.news == "sampled":
        found.append(("sampled", 1))
    return tuple(found)

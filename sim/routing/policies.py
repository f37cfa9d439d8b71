"""Routing policies by the names users write, and what each of them prefers, in words.

Takes names; of our own policies everything is read off :class:`~sim.contract.meaning.Policy`, where
each is specified once: its name, and what it prefers in the first sentence of its description;
those of users' own say it themselves. Scores are computed by the engines.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.contract.layout import CERTAIN
from sim.contract.meaning import Policy
from sim.contract.words import member_words
from sim.model.policy_names import OURS
from sim.model.sections import Routing
from sim.policies.registry import find_policy
from sim.scenario.model import Scenario

_PPB_OF_PPM = 1_000
_ALL_PPB = 10**9


def policy_of(name: str) -> Policy:
    """Return the policy of a name users write."""
    return Policy[name.upper()] if name in OURS else Policy.OWN


def policy_words(name: str) -> str:
    """Return what a policy prefers by its name, as in ``the first candidate``."""
    policy = policy_of(name)
    if policy is Policy.OWN:
        return find_policy(name).words
    first, _, _ = member_words(Policy)[policy.name].partition(". ")
    return f"{first[0].lower()}{first[1:]}".removesuffix(".")


def routing_of(scenario: Scenario, corridor: str) -> Routing:
    """Return how routes of a corridor are chosen: its own way, else the scenario's."""
    return scenario.corridors[corridor].routing or scenario.routing


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A policy of the user's own as a scenario sets it.

    Attributes
    ----------
    name : str
        With its settings, as in ``mine(bound=7)``.
    memory : int
        How many numbers it keeps by route.
    digest : int
        Of its functions.
    settings : tuple of int
        In the order in which it names them.
    """

    name: str
    memory: int
    digest: int
    settings: tuple[int, ...]


def own_row(routing: Routing) -> OwnRow | None:
    """Return the policy of the user's own routes are chosen by, None for one of ours."""
    if policy_of(routing.policy) is not Policy.OWN:
        return None
    policy = find_policy(routing.policy)
    values = {**policy.settings, **routing.settings}
    words = ",".join(f"{name}={values[name]}" for name in policy.settings)
    name = f"{routing.policy}({words})" if words else routing.policy
    settings = tuple(values[name] for name in policy.settings)
    return OwnRow(name, policy.memory, policy.digest, settings)


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
    hears = routing.breaker is not None or policy in (Policy.ADAPTIVE, Policy.OWN)
    if hears and routing.news == "sampled":
        found.append(("sampled", 1))
    return tuple(found)

"""Route sets: what a payment may choose from, by corridor, class of creditor and fixed side.

Takes a scenario; gives the set of candidates for each class of creditors, one set where two classes
may use the same routes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from sim.contract.meaning import FixedSide, Policy
from sim.model.name_check import NameCheck
from sim.rails.joining import serves
from sim.rails.payers import ANYBODY, CreditorClass, PayerClass
from sim.routing.candidates import Candidate, find_candidates
from sim.routing.policies import policy_of, routing_of
from sim.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class RouteSet:
    """What some payments of a corridor choose from.

    Attributes
    ----------
    name : str
        ``<corridor>#<number>``.
    corridor : str
    fixed_side : FixedSide
        Which side the amounts of its payments fix.
    candidates : tuple of Candidate
        In the order that decides ties.
    policy : Policy
    attempts_max : int
        Routes a payment may try in all.
    name_check : NameCheck or None
        How the payee's name is asked for on them; None: it is not.
    """

    name: str
    corridor: str
    fixed_side: FixedSide
    candidates: tuple[Candidate, ...]
    policy: Policy
    attempts_max: int
    name_check: NameCheck | None = None


class RouteSets:
    """The route sets of a scenario, found as demand asks for them."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._found: dict[Hashable, RouteSet] = {}
        self._asked: dict[str, dict[tuple[CreditorClass, PayerClass], None]] = {}

    def most_candidates(self, corridor: str) -> int:
        """Return how many routes payments of a corridor have to choose from, at most."""
        found = (len(one.candidates) for one in self._found.values() if one.corridor == corridor)
        return max(found, default=0)

    def rails_of(self, corridor: str) -> frozenset[str]:
        """Return the rails that routes of a corridor's payments use."""
        found = (one.candidates for one in self._found.values() if one.corridor == corridor)
        return frozenset(leg.rail for ways in found for way in ways for leg in way.legs)

    def is_led_by_names(self, corridor: str) -> bool:
        """Tell whether a corridor's payments would have other routes if it named no rails."""
        scenario = self._scenario
        named = scenario.corridors[corridor]
        free = named.model_copy(update={"rails": None})
        if all(
            serves(scenario, one, named) == serves(scenario, one, free) for one in scenario.rails
        ):
            return False
        corridors = {**scenario.corridors, corridor: free}
        other = scenario.model_copy(update={"corridors": corridors})
        return any(
            find_candidates(scenario, corridor, *asked) != find_candidates(other, corridor, *asked)
            for asked in self._asked.get(corridor, ())
        )

    def find(
        self,
        corridor: str,
        creditor: CreditorClass,
        fixed_side: FixedSide,
        payer: PayerClass = ANYBODY,
        *,
        name_check: NameCheck | None = None,
    ) -> RouteSet:
        """Return the route set of a corridor for a class of creditors and one of payers."""
        self._asked.setdefault(corridor, {})[creditor, payer] = None
        candidates = find_candidates(self._scenario, corridor, creditor, payer)
        # By the candidates themselves: classes of payees that may use the same routes share one
        # set. The fixed side counts as well, since it is part of a route's price.
        names = tuple(candidate.name for candidate in candidates)
        key = (corridor, fixed_side, name_check, names)
        if key not in self._found:
            routing = routing_of(self._scenario, corridor)
            self._found[key] = RouteSet(
                f"{corridor}#{len(self._found)}",
                corridor,
                fixed_side,
                candidates,
                policy_of(routing.policy),
                # The first choice is an attempt, too.
                1 + routing.failover,
                name_check,
            )
        return self._found[key]

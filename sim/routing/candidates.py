"""Candidate routes: paths of legs from the payer to the payee, with names of their own.

Takes a scenario, a corridor and a class of creditors; gives the routes that may carry its payments.
Routes are found once, when the plan is compiled, never during a run; what they cost is known once
they have a price (:mod:`sim.compiler.ranking`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any, cast

import networkx as nx

from sim.contract.layout import SHARES_MAX
from sim.model.quantities import PPB
from sim.model.sections import Corridor
from sim.rails.desks import desks_of, quote_of
from sim.rails.links import Link
from sim.rails.payers import ANYBODY, CreditorClass, PayerClass
from sim.rails.price import CONVERSIONS_MAX, Exchange
from sim.rails.protocol import DEBTOR, Leg, LegContext, Offer
from sim.routing.graph import build_graph, ends_of, held_in
from sim.routing.policies import routing_of
from sim.scenario.model import Scenario

LEGS_MAX = 5
"""Longest route in legs: a ledger and a hub or two on either side of a border; longer ones are no
retail payments."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One route a corridor may use.

    Attributes
    ----------
    name : str
        ``<corridor>/<rails>.<institutions between>``, without the ledgers below other rails, as in
        ``cn_kh/alipay_plus.acleda``; see :func:`name_routes`.
    corridor : str
    rail : str
        The rail reports count the route under: the first that names it.
    legs : tuple of Leg
        In the direction of the money.
    own_ppm : int
        What the route costs the institutions between, which decides between equal scores.
    share : int
        Share of what is still equal then, in millionths.
    """

    name: str
    corridor: str
    rail: str
    legs: tuple[Leg, ...]
    own_ppm: int = 0
    share: int = SHARES_MAX
    held: str = ""
    """Currency of the payer's account where it is not the corridor's."""
    desks: tuple[str, ...] = ()
    """Who makes each conversion in place of whom the rail names; empty text: nobody else does."""
    place: int = 0
    """How many combinations of providers come before its own."""

    @property
    def rank(self) -> int:
        """Return what decides between equal scores: what it costs between, then whose desk."""
        return self.own_ppm + self.place

    def corridor_in(self, scenario: Scenario) -> Corridor:
        """Return the corridor as the payers of this route see it."""
        return held_in(scenario.corridors[self.corridor], self.held)

    @property
    def agents(self) -> tuple[str, ...]:
        """Return the institutions between the legs, in the direction of the money."""
        return tuple(leg.end for leg in self.legs[:-1])

    @property
    def agent(self) -> str:
        """Return the settlement agent reports count the route under, empty without one."""
        return self.agents[0] if self.agents else ""


def find_candidates(
    scenario: Scenario,
    corridor_name: str,
    creditor: CreditorClass,
    payer: PayerClass = ANYBODY,
) -> tuple[Candidate, ...]:
    """Return the candidate routes by number of legs and name: never in the order of the file."""
    graph = build_graph(scenario, corridor_name, creditor, payer)
    corridor = held_in(scenario.corridors[corridor_name], payer.currency)
    start, end = ends_of(corridor)
    found = []
    # Networkx names no type for paths of edges with keys.
    # Simple in nodes; what a node leaves open (a party in two currencies) is checked below.
    paths = cast(Any, nx.all_simple_edge_paths)(graph, start, end, cutoff=LEGS_MAX)
    for edges in paths:
        offers = [graph.edges[edge]["offer"] for edge in edges]
        if _visits_once(offers) and (
            len(_conversions(scenario, corridor, tuple(one.leg for one in offers)))
            <= CONVERSIONS_MAX
        ):
            found.append(_candidate(scenario, corridor_name, offers))
    named = [(one, _conversions(scenario, corridor, one.legs)) for one in name_routes(found)]
    found = [way for one, made in named for way in _by_desks(scenario, one, made)]
    if payer.currency:
        # Another currency to begin with is another route, with a price of its own.
        found = [
            replace(one, name=f"{one.name} ({payer.currency})", held=payer.currency)
            for one in found
        ]
    found.sort(key=lambda candidate: (len(candidate.legs), candidate.name))
    return tuple(found)


def _visits_once(offers: Sequence[Offer]) -> bool:
    """Say whether a path uses no rail twice and meets no institution twice.

    A node is a party with a currency, so a simple path could come back to a party in another one. A
    rail used twice would draw the same random numbers for both legs.
    """
    rails = [offer.leg.rail for offer in offers]
    parties = [offer.leg.end for offer in offers]
    return len(set(rails)) == len(rails) and len(set(parties)) == len(parties)


def _conversions(
    scenario: Scenario, corridor: Corridor, legs: tuple[Leg, ...]
) -> tuple[Exchange, ...]:
    """Return what a path converts; more often than a payment has amounts for is no route."""
    return tuple(
        exchange
        for position, leg in enumerate(legs)
        for exchange in scenario.rails[leg.rail]
        .terms(LegContext(scenario, corridor, leg.rail, legs, position, leg.source))
        .exchanges
    )


def _by_desks(
    scenario: Scenario, candidate: Candidate, made: Sequence[Exchange]
) -> Iterator[Candidate]:
    """Yield a route once for every combination of providers, the preferred ones first."""
    ways = [desks_of(scenario.fx, exchange) for exchange in made]
    for place, desks in enumerate(product(*ways)):
        providers = zip(desks, made, strict=True)
        priced = [quote_of(scenario.fx, desk or one.provider, one) for desk, one in providers]
        yield replace(
            candidate,
            name=".".join((candidate.name, *filter(None, desks))),
            # At a margin of the market's nothing is converted at the agents' own cost.
            own_ppm=candidate.own_ppm if not any(priced) else 0,
            desks=desks if any(desks) else (),
            place=place,
        )


def _candidate(scenario: Scenario, corridor: str, offers: Sequence[Offer]) -> Candidate:
    legs = tuple(offer.leg for offer in offers)
    # A route is known by the rails its customer would name; a ledger below is left out, unless
    # there is nothing else.
    naming = [leg.rail for leg in legs if scenario.rails[leg.rail].names_routes] or [legs[0].rail]
    between = [leg.end for leg in legs[:-1]]
    name = ".".join("+".join(words) for words in (naming, between) if words)
    own = sum(offer.own_ppm for offer in offers)
    # Each leg's agent is chosen for itself, so shares multiply.
    share = prod((Fraction(offer.share, PPB) for offer in offers), start=Fraction(1))
    return Candidate(f"{corridor}/{name}", corridor, naming[0], legs, own, int(share * SHARES_MAX))


def name_routes(found: Sequence[Candidate]) -> list[Candidate]:
    """Return routes with names of their own: those that share one are told apart by all legs."""
    named = list(found)
    # First by currencies, which people read; by the rails' own words where that is not enough.
    for words in (_path, _uses):
        times = Counter(candidate.name for candidate in named)
        named = [
            candidate
            if times[candidate.name] == 1
            else replace(candidate, name=f"{candidate.name} ({words(candidate)})")
            for candidate in named
        ]
    return named


def _path(candidate: Candidate) -> str:
    return ", ".join(f"{leg.rail} {leg.source}-{leg.target}" for leg in candidate.legs)


def _uses(candidate: Candidate) -> str:
    return ", ".join(leg.use for leg in candidate.legs if leg.use)


def preferred(scenario: Scenario, found: Sequence[Candidate]) -> list[Candidate]:
    """Move the routes of a corridor named in its ``order`` to the front, in that order."""
    order = routing_of(scenario, found[0].corridor).order if found else ()

    def place(candidate: Candidate) -> int:
        short = candidate.name.partition("/")[2]
        for position, wanted in enumerate(order):
            if candidate.name == wanted or short.startswith(wanted):
                return position
        return len(order)

    # The sort is stable: behind the preferred ones the order by cost stays.
    return sorted(found, key=place)


def links_of(scenario: Scenario, candidate: Candidate) -> Iterator[Link]:
    """Yield the dated links a route uses."""
    for leg in candidate.legs:
        for link in scenario.rails[leg.rail].links():
            parties = ("", leg.start, leg.end, _carried(scenario, leg))
            if link.use == leg.use and link.institution in parties:
                yield link


def _carried(scenario: Scenario, leg: Leg) -> str:
    """Return the wallet without which nobody can begin with a leg; empty: none."""
    return scenario.rails[leg.rail].instrument_of(leg) if leg.start == DEBTOR else ""


def is_hypothetical(scenario: Scenario, candidate: Candidate) -> bool:
    """Tell a route over a link that was not live at the start."""
    return any(link.is_hypothetical for link in links_of(scenario, candidate))

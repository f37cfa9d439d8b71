"""The payment graph one corridor sees: legs that rails offer, between ends and institutions.

Takes a scenario; gives a graph whose nodes are a party with a currency in its hands, and whose
edges are legs over a rail. A rail says which legs it offers
(:meth:`~sim.rails.protocol.Rail.offers`); nothing here knows a kind of rail. The payer's and the
payee's banks are the two ends, however many there are, so that the graph stays small.
"""

from __future__ import annotations

import networkx as nx

from sim.model.sections import Corridor
from sim.rails.joining import serves
from sim.rails.links import not_yet
from sim.rails.payers import ANYBODY, CreditorClass, PayerClass
from sim.rails.protocol import CREDITOR, DEBTOR
from sim.scenario.model import Scenario

Node = tuple[str, str]
"""A party (``debtor``, ``creditor`` or an institution) and the currency it holds there."""


def held_in(corridor: Corridor, currency: str) -> Corridor:
    """Return a corridor as somebody sees it whose account is in a currency; empty: its own."""
    if currency in ("", corridor.from_.currency):
        return corridor
    end = corridor.from_.model_copy(update={"currency": currency})
    return corridor.model_copy(update={"from_": end})


def ends_of(corridor: Corridor) -> tuple[Node, Node]:
    """Return where routes of a corridor begin and end."""
    return (DEBTOR, corridor.from_.currency), (CREDITOR, corridor.to.currency)


def build_graph(
    scenario: Scenario,
    corridor_name: str,
    creditor: CreditorClass,
    payer: PayerClass = ANYBODY,
) -> nx.MultiDiGraph[Node]:
    """Build the payment graph one corridor sees for one class of creditors and of payers.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes are :data:`Node`; edges, keyed by rail and use, carry ``offer``.
    """
    corridor = held_in(scenario.corridors[corridor_name], payer.currency)
    graph: nx.MultiDiGraph[Node] = nx.MultiDiGraph()
    graph.add_nodes_from(ends_of(corridor))
    # In order of names, so that the order of paths is that of names, too.
    for name, rail in sorted(scenario.rails.items()):
        if not serves(scenario, name, corridor):
            continue
        ahead = not_yet(rail.links(), scenario.clock.start.date())
        for offer in rail.offers(scenario, name, corridor, creditor):
            leg = offer.leg
            needed = rail.instrument_of(leg) if leg.start == DEBTOR else ""
            if payer.instrument and needed not in ("", payer.instrument):
                continue
            # Whoever stands at an end of the route is told by its class, not by the leg.
            if (name, leg.use) in payer.absent + creditor.absent:
                continue
            if any((leg.use, party) in ahead for party in (leg.start, leg.end, needed)):
                continue
            start, end = (leg.start, leg.source), (leg.end, leg.target)
            # Keyed by rail and use: two rails may offer the same leg, and one rail two uses of
            # it.
            graph.add_edge(start, end, key=(name, leg.use), offer=offer)
    return graph

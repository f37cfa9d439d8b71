"""The payment graph of a scenario and the candidate routes found in it.

Takes a scenario; gives, for a corridor and a class of creditors, the routes that may carry its
payments. Nodes are the payers' and payees' ends and the settlement agents, edges are legs over a
rail; institutions with equal memberships form one class, so that the graph stays small however many
banks there are. Routes are found once, when the plan is compiled, never during a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

import networkx as nx

from sim.model.quantities import PPM
from sim.rails.bakong import BakongRail
from sim.rails.generic import GenericRail
from sim.rails.wallet_gateway import Direction, WalletGatewayRail
from sim.scenario.parts import Corridor
from sim.scenario.scenario import Scenario

LEGS_MAX = 3
"""Longest route in legs; longer ones are no retail payments."""

Shape = Literal["inbound", "outbound", "domestic", "generic"]


@dataclass(frozen=True, slots=True, order=True)
class Leg:
    """Be one step of a route over a rail, between two nodes of the graph."""

    rail: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Be one route a corridor may use.

    Attributes
    ----------
    name : str
        ``<corridor>/<gateway>.<settlement agent>``, ``<corridor>/<ledger>`` or
        ``<corridor>/<generic rail>``.
    shape : str
        Which flow of stages it is.
    legs : tuple of Leg
        In the direction of the money.
    cost_ppm : int
        Expected price to the payer in millionths of the amount, for ranking candidates.
    """

    name: str
    corridor: str
    shape: Shape
    legs: tuple[Leg, ...]
    cost_ppm: int

    @property
    def agent(self) -> str:
        """Return the settlement agent, empty on a route without one."""
        return self.legs[0].end if len(self.legs) > 1 else ""

    @property
    def gateway(self) -> str:
        """Return the rail that gives the route its name: the gateway, or the only rail."""
        return self.legs[1 if self.shape == "outbound" else 0].rail

    @property
    def ledger(self) -> str:
        """Return the ledger of a route that has one besides its gateway."""
        return self.legs[1 if self.shape == "inbound" else 0].rail


@dataclass(frozen=True, slots=True)
class CreditorClass:
    """Be what decides which schemes may pay a creditor.

    Attributes
    ----------
    currency : str
        Currency of the creditor's code; empty where there is no code.
    schemes : tuple of str
        Schemes the code shows.
    """

    currency: str = ""
    schemes: tuple[str, ...] = ()


def build_graph(
    scenario: Scenario, corridor_name: str, creditor: CreditorClass
) -> nx.MultiDiGraph[str]:
    """Build the payment graph one corridor sees for one class of creditors.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes ``debtor``, ``creditor`` and settlement agents; edges carry ``rail`` and ``cost_ppm``.
    """
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_nodes_from(("debtor", "creditor"))
    corridor = scenario.corridors[corridor_name]
    for name in sorted(scenario.rails):
        if corridor.rails is not None and name not in corridor.rails:
            continue
        for start, end, cost in _edges(scenario, corridor, name, creditor):
            graph.add_edge(start, end, key=name, rail=name, cost_ppm=cost)
    return graph


def find_candidates(
    scenario: Scenario, corridor_name: str, creditor: CreditorClass
) -> tuple[Candidate, ...]:
    """Return the candidate routes, cheapest first, at most ``routing.candidates``.

    Notes
    -----
    Sorted by (cost, number of legs, names), so that nothing depends on the order of the file.
    """
    graph = build_graph(scenario, corridor_name, creditor)
    found = []
    paths = cast(Any, nx.all_simple_edge_paths)(graph, "debtor", "creditor", cutoff=LEGS_MAX)
    for edges in paths:
        legs = tuple(Leg(rail, start, end) for start, end, rail in edges)
        cost = sum(graph.edges[start, end, rail]["cost_ppm"] for start, end, rail in edges)
        candidate = _candidate(scenario, corridor_name, legs, cost)
        if candidate is not None:
            found.append(candidate)
    found.sort(key=lambda candidate: (candidate.cost_ppm, len(candidate.legs), candidate.name))
    return tuple(_preferred(scenario, found)[: scenario.routing.candidates])


def _preferred(scenario: Scenario, found: list[Candidate]) -> list[Candidate]:
    """Move the routes named in ``routing.order`` to the front, in that order."""
    order = scenario.routing.order

    def place(candidate: Candidate) -> int:
        short = candidate.name.partition("/")[2]
        for position, wanted in enumerate(order):
            if candidate.name == wanted or short.startswith(wanted):
                return position
        return len(order)

    return sorted(found, key=place)


def _candidate(
    scenario: Scenario, corridor: str, legs: tuple[Leg, ...], cost: int
) -> Candidate | None:
    """Name a path, or drop it if no flow of stages exists for its shape."""
    shape = _SHAPES.get(tuple(scenario.rails[leg.rail].kind for leg in legs))
    if shape is None:
        return None
    gateway = legs[1 if shape == "outbound" else 0].rail
    name = f"{corridor}/{gateway}.{legs[0].end}" if len(legs) > 1 else f"{corridor}/{gateway}"
    return Candidate(name, corridor, shape, legs, cost)


_SHAPES: dict[tuple[str, ...], Shape] = {
    ("generic",): "generic",
    ("bakong",): "domestic",
    ("wallet_gateway", "bakong"): "inbound",
    ("bakong", "wallet_gateway"): "outbound",
}
"""Which flow of stages a sequence of rails is; a sequence not listed has no flow."""


def _edges(
    scenario: Scenario, corridor: Corridor, name: str, creditor: CreditorClass
) -> Iterator[tuple[str, str, int]]:
    """Yield the (start, end, cost) edges one rail gives a corridor."""
    rail = scenario.rails[name]
    if isinstance(rail, GenericRail):
        yield "debtor", "creditor", 0
    elif isinstance(rail, BakongRail):
        yield from _ledger_edges(scenario, corridor, rail, creditor)
    elif isinstance(rail, WalletGatewayRail):
        yield from _gateway_edges(scenario, corridor, rail, creditor)


def home_country(scenario: Scenario, rail: BakongRail) -> str:
    """Return the country a ledger serves: its operator's, Cambodia where none is given."""
    operator = scenario.institutions.get(rail.operator)
    return operator.country if operator is not None else "KH"


def _ledger_edges(
    scenario: Scenario, corridor: Corridor, rail: BakongRail, creditor: CreditorClass
) -> Iterator[tuple[str, str, int]]:
    home = home_country(scenario, rail)
    agents = sorted(
        name
        for name, institution in scenario.institutions.items()
        if "settlement_agent" in institution.roles and institution.country == home
    )
    pays_here = corridor.to.country == home and corridor.to.currency in rail.currencies
    if pays_here and creditor.currency not in ("", corridor.to.currency):
        pays_here = False
    paid_here = corridor.from_.country == home and corridor.from_.currency in rail.currencies
    if pays_here and paid_here and corridor.from_.currency == corridor.to.currency:
        yield "debtor", "creditor", 0
    for agent in agents:
        if pays_here and not paid_here:
            yield agent, "creditor", 0
        if paid_here and not pays_here:
            yield "debtor", agent, 0


def _gateway_edges(
    scenario: Scenario, corridor: Corridor, rail: WalletGatewayRail, creditor: CreditorClass
) -> Iterator[tuple[str, str, int]]:
    abroad = scenario.institutions[rail.wallet].country
    for agent, terms in sorted(rail.settlement_agents.items()):
        here = scenario.institutions[agent].country
        if rail.inbound is not None and corridor.from_.country == abroad:
            fits = corridor.to.country == here and corridor.from_.currency == rail.currency
            if fits and _may_pay_here(rail, creditor):
                yield "debtor", agent, _price_ppm(rail.inbound, terms.spread, corridor.to.currency)
        if rail.outbound is not None and corridor.to.country == abroad:
            fits = corridor.from_.country == here and corridor.to.currency == rail.currency
            shows = not rail.schemes or bool(set(rail.schemes) & set(creditor.schemes))
            if fits and (shows or not creditor.schemes):
                yield (
                    agent,
                    "creditor",
                    _price_ppm(rail.outbound, terms.spread, corridor.to.currency),
                )


def _may_pay_here(rail: WalletGatewayRail, creditor: CreditorClass) -> bool:
    """Say whether the code on the counter can be paid through the gateway."""
    if not creditor.currency:
        return True
    if rail.needs_unionpay_tag and "unionpay" not in creditor.schemes:
        return False
    return rail.needs_creditor_currency in (None, creditor.currency)


def _price_ppm(direction: Direction, agent_spread: int, credited: str) -> int:
    """Return what a direction costs the payer, in millionths: margins and proportional fees."""
    fees = sum(fee.proportional or 0 for fee in direction.fees.values() if fee.bearer == "debtor")
    second = agent_spread if direction.settlement_currency != credited else 0
    return min(direction.spread + second + fees, PPM)

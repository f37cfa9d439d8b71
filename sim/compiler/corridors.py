"""Corridors into route sets: candidates found, priced, assembled; one program per route.

Takes a scenario and the classes of creditors its demand meets; gives the index of the route set for
each, adding routes as they are first needed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.compiler.assemble import assemble
from sim.compiler.builder import PlanBuilder
from sim.compiler.expectation import expected_us, view_rows
from sim.compiler.flows import Flow, write_flow
from sim.compiler.prices import Market, PriceError, check_bounds, price_rows
from sim.contract.spec import FixedSide, Policy
from sim.model.base import FieldPath
from sim.network.graph import Candidate, CreditorClass, find_candidates
from sim.rails.wallet_gateway import WalletGatewayRail
from sim.scenario.scenario import Scenario

POLICIES = {
    "priority": Policy.PRIORITY,
    "cheapest": Policy.CHEAPEST,
    "fastest": Policy.FASTEST,
}


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """Keep what a route was compiled from, for those who speak of it in words.

    Attributes
    ----------
    name : str
    candidate : Candidate
    flow : Flow
    entry : int
        First stage of its program.
    expected_us : int
        Expected time from the choice of the route to its end, without waiting.
    limits : tuple of int
        Limit rows it meets.
    """

    name: str
    candidate: Candidate
    flow: Flow
    entry: int
    expected_us: int
    limits: tuple[int, ...]


class Corridors:
    """Add routes and route sets as demand asks for them.

    Parameters
    ----------
    builder, scenario, market
    problems : list
        Grows by what cannot be compiled.
    """

    def __init__(
        self,
        builder: PlanBuilder,
        scenario: Scenario,
        market: Market,
        problems: list[tuple[FieldPath, str]],
    ) -> None:
        self._builder, self._scenario, self._market = builder, scenario, market
        self._problems = problems
        self._routes: dict[tuple[str, int], int] = {}
        self._sets: dict[tuple[str, int, tuple[int, ...]], int] = {}
        self.routes: list[CompiledRoute] = []

    def route_set(
        self,
        corridor: str,
        creditor: CreditorClass,
        *,
        fixed_side: FixedSide,
        amount_max: int,
        amount_path: FieldPath,
    ) -> tuple[int, tuple[int, ...]]:
        """Return the route set of a corridor for a class of creditors, and its routes.

        Parameters
        ----------
        corridor, creditor
        fixed_side : FixedSide
        amount_max : int
            Largest instructed amount, in minor units.
        amount_path : tuple
            Where that amount is written, should it be too large for a route's arithmetic.
        """
        candidates = find_candidates(self._scenario, corridor, creditor)
        routes = []
        for candidate in candidates:
            index = self._route(candidate, fixed_side)
            if index >= 0:
                routes.append(index)
                self._check(self.routes[index], fixed_side, amount_max, path=amount_path)
        key = (corridor, int(fixed_side), tuple(routes))
        if key not in self._sets:
            routing = self._scenario.routing
            self._sets[key] = self._builder.add_route_set(
                f"{corridor}#{len(self._sets)}",
                routes,
                policy=POLICIES[routing.policy],
                max_attempts=1 + routing.failover,
            )
        return self._sets[key], tuple(routes)

    def _route(self, candidate: Candidate, fixed_side: FixedSide) -> int:
        """Return the index of a candidate's route, compiling it if new; -1 if it cannot be."""
        key = (candidate.name, int(fixed_side))
        if key in self._routes:
            return self._routes[key]
        corridor = self._scenario.corridors[candidate.corridor]
        side = corridor.to if fixed_side is FixedSide.CREDITOR else corridor.from_
        flow = write_flow(self._scenario, candidate, currency=side.currency)
        try:
            rows = (
                price_rows(self._builder, self._market, flow.price, fixed_side=int(fixed_side))
                if flow.price is not None
                else None
            )
        except PriceError as problem:
            self._problems.append((("corridors", candidate.corridor), str(problem)))
            return -1
        name = candidate.name
        if fixed_side is FixedSide.DEBTOR:
            name = f"{name} (debtor fixed)"
        program = assemble(self._builder, flow.program, rows, prefix=name)
        expected = expected_us(self._scenario, flow.program)
        index = self._builder.add_route(
            name,
            rail=candidate.gateway,
            corridor=candidate.corridor,
            entry=program.entry,
            pricing=rows.pricing if rows is not None else -1,
            expected_us=expected,
            settlement_agent=self._builder.agents.get(candidate.agent),
            **self._agents(candidate),
        )
        self._builder.set_route_view(index, view_rows(self._builder, flow.program))
        route = CompiledRoute(name, candidate, flow, program.entry, expected, tuple(program.limits))
        self.routes.append(route)
        self._routes[key] = index
        return index

    def _agents(self, candidate: Candidate) -> dict[str, int]:
        """Return the agents a route itself decides: the wallet, or the acquirer abroad."""
        rail = self._scenario.rails[candidate.gateway]
        if not isinstance(rail, WalletGatewayRail):
            return {}
        if candidate.shape == "inbound":
            return {"debtor_agent": self._builder.agents[rail.wallet]}
        return {"creditor_agent": self._builder.agents[rail.acquirer or rail.wallet]}

    def _check(
        self, route: CompiledRoute, fixed_side: FixedSide, amount_max: int, *, path: FieldPath
    ) -> None:
        if route.flow.price is None:
            return
        found = check_bounds(self._market, route.flow.price, amount_max, fixed_side=int(fixed_side))
        if found is not None:
            self._problems.append((path, found))

"""Candidates into routes: composed, priced, and with what a router expects of them.

Takes route sets; gives :class:`~sim.compiler.parts.Route` and :class:`~sim.compiler.parts.Choice`
parts, each route once.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from sim.compiler.composition import compose
from sim.compiler.expectation import Places, Typical, expected_us, views
from sim.compiler.limits import with_limit
from sim.compiler.parts import Choice, Part, Route
from sim.compiler.prices import Market, PriceError, check_bounds, price_conversions
from sim.compiler.ranking import rank_routes
from sim.compiler.refunds import refunded_corridors
from sim.contract.meaning import Bearer, FixedSide, Policy
from sim.model.base import FieldPath
from sim.model.members import Member
from sim.model.name_check import NameCheck
from sim.rails.resources import BlockLedger, ClearingLine, Station
from sim.routing.candidates import Candidate, preferred
from sim.routing.policies import own_row, routing_of, rule_columns
from sim.routing.route_sets import RouteSet
from sim.scenario.model import Scenario


class Routes:
    """The routes of a scenario, composed as route sets ask for them.

    Parameters
    ----------
    scenario : Scenario
    market : Market
    members : sequence of Member
    resources : sequence of Resource
        What institutions and rails bring.
    problems : list
        Grows by what cannot be compiled.
    lines : sequence of ClearingLine
        They say which account refunds are paid from.
    """

    def __init__(
        self,
        scenario: Scenario,
        market: Market,
        members: Sequence[Member],
        resources: Sequence[object],
        *,
        problems: list[tuple[FieldPath, str]],
        lines: Sequence[ClearingLine] = (),
    ) -> None:
        self._refunded = {line.payments: line.refunds for line in lines if line.refunds}
        self._scenario, self._market = scenario, market
        self._members, self._resources = members, resources
        self._places: Places = {
            part.name: part for part in resources if isinstance(part, (Station, BlockLedger))
        }
        self._problems = problems
        self._known: dict[Hashable, Route | None] = {}
        self._known_typical: dict[str, Typical] = {}
        self._everywhere: Typical | None = None
        self._paid_back = refunded_corridors(scenario)
        self._choices: dict[str, Choice] = {}
        self._classes: dict[Hashable, int] = {}
        self._added: dict[str, Route] = {}
        self.parts: list[Part] = []
        """Routes and choices in the order they were asked for."""

    def route(self, name: str) -> Route:
        """Return a route by its name."""
        return self._added[name]

    def choice(self, found: RouteSet, *, amount_max: int, amount_path: FieldPath) -> Choice:
        """Return the choice a route set gives a payment.

        Parameters
        ----------
        found : RouteSet
        amount_max : int
            Largest instructed amount, in minor units.
        amount_path : tuple
            Where that amount is written, should it be too large for a route's arithmetic.
        """
        routes = self._ranked(found)
        for route in routes:
            # Before the choice that names it: parts refer backwards only.
            if route.name not in self._added:
                self._added[route.name] = route
                self.parts.append(route)
            # Every time it is asked for: another stream may pay more over a route that is known.
            self._check(route, amount_max, path=amount_path)
        # Two classes of payees may have the same route set.
        if found.name not in self._choices:
            choice = Choice(
                found.name,
                tuple(route.name for route in routes),
                tuple((route.candidate.rank, route.candidate.share) for route in routes),
                found.policy,
                found.attempts_max,
                _groups(routes) if found.policy is not Policy.CHEAPEST else (),
            )
            self._choices[found.name] = choice
            self.parts.append(choice)
        return self._choices[found.name]

    def _ranked(self, found: RouteSet) -> list[Route]:
        """Return the routes of a set in the order that decides ties, as many as are wanted."""
        composed = [self._route(candidate, found) for candidate in found.candidates]
        routes = [route for route in composed if route is not None]
        ranked = rank_routes(self._scenario.fx, self._market, routes)
        order = preferred(self._scenario, [route.candidate for route in ranked])
        by_name = {route.candidate.name: route for route in ranked}
        # Cut after what the user prefers came to the front.
        most = routing_of(self._scenario, found.corridor).candidates
        return [by_name[at.name] for at in order[:most]]

    def _route(self, candidate: Candidate, found: RouteSet) -> Route | None:
        """Return a candidate's route, composing it if new; None if it has no price."""
        key = (candidate.name, found.fixed_side, found.name_check)
        if key not in self._known:
            try:
                self._known[key] = self._compose(candidate, found)
            # Noted as None, so that it is said once and not for every stream.
            except PriceError as problem:
                self._problems.append((("corridors", candidate.corridor), str(problem)))
                self._known[key] = None
        return self._known[key]

    def _compose(self, candidate: Candidate, found: RouteSet) -> Route:
        fixed_side = found.fixed_side
        corridor = candidate.corridor_in(self._scenario)
        side = corridor.to if fixed_side is FixedSide.CREDITOR else corridor.from_
        is_refunded = candidate.corridor in self._paid_back
        flow = compose(
            self._scenario,
            candidate,
            currency=side.currency,
            refunded=self._refunded if is_refunded else None,
            name_check=found.name_check,
        )
        program = tuple(with_limit(stage, self._market) for stage in flow.program)
        flow = replace(flow, program=program)
        typical = self._typical(candidate.corridor)
        name = candidate.name
        if fixed_side is FixedSide.DEBTOR:
            asked = _asked_as(self._scenario, candidate.corridor, found.name_check)
            name = f"{name} (debtor fixed{asked})"
        routing = routing_of(self._scenario, candidate.corridor)
        route = Route(
            name=name,
            candidate=candidate,
            flow=flow,
            fixed_side=fixed_side,
            conversions=(None, None)
            if flow.price is None
            else price_conversions(self._market, flow.price, fixed_side),
            expected_us=expected_us(self._places, flow.program, typical),
            views=tuple(views(self._places, flow.program, typical)),
            class_number=-1,
            rule=rule_columns(routing),
            own=own_row(routing),
        )
        kind = _class_of(route)
        return replace(route, class_number=self._classes.setdefault(kind, len(self._classes)))

    def _typical(self, corridor: str) -> Typical:
        """Return what is expected of the institutions at the ends of a corridor."""
        if corridor not in self._known_typical:
            ends = self._scenario.corridors[corridor]
            # What the institutions are is read once, whichever corridor asks first.
            self._everywhere = self._everywhere or Typical.everywhere(self._resources)
            self._known_typical[corridor] = self._everywhere.at(ends, self._members)
        return self._known_typical[corridor]

    def _check(self, route: Route, amount_max: int, *, path: FieldPath) -> None:
        if route.flow.price is None:
            return
        fixed_side = int(route.fixed_side)
        found = check_bounds(self._market, route.flow.price, amount_max, fixed_side=fixed_side)
        if found is not None:
            self._problems.append((path, found))


def _asked_as(scenario: Scenario, corridor: str, check: NameCheck | None) -> str:
    """Return the words that tell a route from those on which names are asked for otherwise."""
    checks: dict[NameCheck | None, str] = {}
    for name, demand in sorted(scenario.demand.items()):
        if demand.corridor == corridor and demand.fixed_side == "debtor":
            checks.setdefault(demand.name_check, name)
    if len(checks) == 1 or check is None:
        return ""
    return f", names as by {checks[check]}"


def _groups(routes: Sequence[Route]) -> tuple[int, ...]:
    """Return which routes differ in who quotes only, by number; -1: from no other.

    Under policy cheapest nobody asks: the best quote is what it takes.
    """
    keys = [_quoted_alike(route) for route in routes]
    known: dict[Hashable, int] = {}
    shared = [key for key in keys if key is not None and keys.count(key) > 1]
    return tuple(known.setdefault(key, len(known)) if key in shared else -1 for key in keys)


def _quoted_alike(route: Route) -> Hashable | None:
    """Return all of a route but who quotes; None where nobody quotes against another."""
    price = route.flow.price
    made = [one for one in price.exchanges if one is not None] if price is not None else []
    quoted = {(one.source, one.target) for one in made if one.quote is not None}
    if not quoted and not route.candidate.desks:
        return None
    legs = tuple(
        replace(leg, use="") if (leg.source, leg.target) in quoted else leg
        for leg in route.candidate.legs
    )
    return legs, route.candidate.held


def _class_of(route: Route) -> Hashable:
    """Return what the payer and the payee see of a route: all but the institutions between.

    Rails and uses in order, and a price that asks both for the same: pairs and spreads of the
    conversions, whoever makes them, and the fees of the two, whoever earns them.
    """
    legs = tuple((leg.rail, leg.use, leg.source, leg.target) for leg in route.candidate.legs)
    price = route.flow.price
    if price is None:
        return route.candidate.corridor, route.fixed_side, legs
    fees = tuple(
        (terms.fee, terms.bearer, terms.base, terms.currency)
        for terms in price.fees
        if terms.bearer is not Bearer.AGENT
    )
    return (
        route.candidate.corridor,
        route.fixed_side,
        legs,
        price.currencies,
        tuple(
            made and (made.path.name, made.is_inverted, made.spread_ppm, made.spreads)
            for made in route.conversions
        ),
        fees,
    )

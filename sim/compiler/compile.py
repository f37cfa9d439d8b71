"""Compile a scenario: routes found, programs assembled, demand described, everything checked.

Takes a loaded scenario; gives a :class:`Compiled` one: the plan of integer arrays, the demand its
workload is drawn from, and what ``explain`` and the reports need to speak of it in words. This file
shows the order of compilation; the parts are beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sim.compiler.builder import PlanBuilder
from sim.compiler.corridors import CompiledRoute, Corridors
from sim.compiler.demand import describe_demand
from sim.compiler.merchants import Pools, make_pools
from sim.compiler.prices import Market
from sim.compiler.workload import StreamDemand, draw_workload
from sim.compiler.world import (
    Member,
    day_offset_us,
    lay_disruptions,
    lay_world,
    unfold_members,
)
from sim.contract.plan import Array, Plan
from sim.model.base import FieldPath
from sim.rails.khqr import Merchant
from sim.scenario.loader import Document
from sim.scenario.scenario import LoadedScenario, Scenario, refuse_problems


@dataclass(frozen=True, slots=True)
class Compiled:
    """Hold a compiled scenario.

    Attributes
    ----------
    scenario, document
        What it was compiled from.
    plan : Plan
    demands : tuple of StreamDemand
        In the order of ``plan.stream``.
    pools : Pools
        Every code of every sample, and whose payees they are.
    routes : tuple of CompiledRoute
        In the order of ``plan.route``.
    """

    scenario: Scenario
    document: Document
    plan: Plan
    demands: tuple[StreamDemand, ...]
    pools: Pools
    routes: tuple[CompiledRoute, ...]

    @property
    def merchants(self) -> tuple[Merchant, ...]:
        """Return every code; the workload's MERCHANT column counts in it."""
        return self.pools.merchants

    def workload(self, chunk: int | None = None) -> Iterator[Array]:
        """Draw the payments, in chunks, in order of submission."""
        options = {} if chunk is None else {"chunk": chunk}
        return draw_workload(
            self.plan.table, self.demands, horizon_us=self.plan.horizon_us, **options
        )


def compile_scenario(
    loaded: LoadedScenario,
    *,
    seed: int | None = None,
    replication: int = 0,
    with_tables: bool = True,
    pools: Pools | None = None,
) -> Compiled:
    """Compile a scenario.

    Parameters
    ----------
    loaded : LoadedScenario
    seed : int, optional
        In place of the scenario's own.
    replication : int
        Number of the replication; enters the draw keys only.
    with_tables : bool
        False checks everything but leaves the quantile tables out; such a plan cannot run.
    pools : Pools, optional
        Of the same scenario compiled before, whatever its seed and replication; codes are the same
        then and need not be written and read again.

    Raises
    ------
    ScenarioError
        With every problem that shows only once routes and prices are known.
    """
    scenario = loaded.scenario
    seed = scenario.seed if seed is None else seed
    builder = PlanBuilder(
        scenario.scenario,
        horizon_us=scenario.clock.horizon,
        warm_up_us=scenario.clock.warm_up,
        sample_interval_us=scenario.routing.view_interval,
        fx_step_us=scenario.fx.step,
        day_offset_us=day_offset_us(scenario),
        seed=seed,
        replication=replication,
        with_tables=with_tables,
    )
    problems: list[tuple[FieldPath, str]] = []
    members = unfold_members(scenario)
    lay_world(builder, scenario, members, _currencies(scenario))
    market = Market(
        builder,
        scenario.fx,
        horizon_us=scenario.clock.horizon,
        seed=seed,
        replication=replication,
    )
    pools = pools or make_pools(scenario, members, problems)
    corridors = Corridors(builder, scenario, market, problems)
    demands = _describe_all(builder, scenario, members, pools, corridors, problems)
    lay_disruptions(builder, scenario, members, problems)
    problems.extend(_unused_order(scenario, corridors.routes))
    refuse_problems(loaded.document, problems)
    plan = builder.build()
    keyed = tuple(replace(demand, key=plan.stream_key[demand.stream]) for demand in demands)
    return Compiled(
        scenario=scenario,
        document=loaded.document,
        plan=plan,
        demands=keyed,
        pools=pools,
        routes=tuple(corridors.routes),
    )


def _describe_all(
    builder: PlanBuilder,
    scenario: Scenario,
    members: tuple[Member, ...],
    pools: Pools,
    corridors: Corridors,
    problems: list[tuple[FieldPath, str]],
) -> list[StreamDemand]:
    """Describe every stream of demand, in the order of names."""
    found = []
    for name in sorted(scenario.demand):
        demand = describe_demand(
            builder,
            scenario,
            name,
            members=members,
            pools=pools,
            corridors=corridors,
            problems=problems,
        )
        if demand is not None:
            found.append(demand)
    return found


def _unused_order(
    scenario: Scenario, routes: Sequence[CompiledRoute]
) -> Iterator[tuple[FieldPath, str]]:
    """Yield the words of ``routing.order`` that name no route."""
    names = sorted({route.candidate.name for route in routes})
    for position, wanted in enumerate(scenario.routing.order):
        if not any(name == wanted or name.partition("/")[2].startswith(wanted) for name in names):
            message = f"{wanted!r} is the start of no route; known: {', '.join(names[:20])}"
            yield ("routing", "order", position), message


def _currencies(scenario: Scenario) -> set[str]:
    """Return the currencies of all corridors: customers hold accounts in them."""
    return {
        end.currency
        for corridor in scenario.corridors.values()
        for end in (corridor.from_, corridor.to)
    }

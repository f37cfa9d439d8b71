"""Compile a scenario: routes found and composed, demand described, all parts linked into a plan.

Takes a loaded scenario; gives a :class:`Compiled` one: the plan of integer arrays, the demand its
workload is drawn from, and what ``explain`` and the reports need to speak of it in words. This file
shows the order of compilation; the parts are beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from sim.compiler.balances import balance_problems
from sim.compiler.by_hand import by_hand_closures
from sim.compiler.clearing import clearings, split_lines, top_ups
from sim.compiler.covers import covers
from sim.compiler.demand import Described, describe_stream, stream_demand
from sim.compiler.disrupted import disrupted_places, nothing_to_hit, rate_jumps
from sim.compiler.institutions import world_parts
from sim.compiler.law_checks import law_problems
from sim.compiler.linker import link
from sim.compiler.loads import LoadStream, find_loads, load_parts
from sim.compiler.merchants import Pools, make_pools
from sim.compiler.notes import Note, Used, find_notes, find_remarks
from sim.compiler.occurrences import Luck, Occurrence, day_offset_us, occurrences
from sim.compiler.parts import Instrument, Part, Route, Settings, Stream
from sim.compiler.payees import World
from sim.compiler.prices import Market
from sim.compiler.rate_files import rate_courses
from sim.compiler.reach import Reach, agents_of_stream, find_reach
from sim.compiler.reconciliations import reconciliations
from sim.compiler.routes import Routes
from sim.compiler.shops import shop_parts, unknown_stations
from sim.compiler.size import size_problems
from sim.compiler.spreads import margin_problems
from sim.compiler.taking_part import absences
from sim.compiler.windows import window_parts
from sim.contract.plan import Plan
from sim.model.base import FieldPath
from sim.model.members import Member, unfold_members
from sim.rails.merchants import Merchant
from sim.rails.resources import BlockLedger, OwnShare, OwnTime, Station
from sim.routing.route_sets import RouteSets
from sim.scenario.loader import Document
from sim.scenario.model import Scenario
from sim.scenario.routing_checks import routings
from sim.scenario.scenario import LoadedScenario, refuse_problems
from sim.units import using_currencies
from sim.workload.stream_demand import StreamDemand
from sim.workload.streams import CHUNK_ROWS, Position, Workload, draw_workload


@dataclass(frozen=True)
class Compiled:
    """A compiled scenario.

    Attributes
    ----------
    scenario, document
        What it was compiled from.
    plan : Plan
    demands : tuple of StreamDemand
        In the order of ``plan.stream``.
    pools : Pools
        Every code of every sample, and whose payees they are.
    parts : tuple of Part
        What the plan was linked from, in order.
    reach : Reach
        What of it payments can reach.
    happened : tuple of Occurrence
        When each disruption happens in this replication, and whom it hits.
    loads : tuple of LoadStream
        Streams carried as load.
    notes : tuple of (path, message)
        What the scenario says that changes nothing in it.
    remarks : tuple of (path, message)
        What there is to know of what it says, and acts.
    """

    scenario: Scenario
    document: Document
    plan: Plan
    demands: tuple[StreamDemand, ...]
    pools: Pools
    parts: tuple[Part, ...]
    reach: Reach
    happened: tuple[Occurrence, ...]
    loads: tuple[LoadStream, ...]
    notes: tuple[Note, ...]
    remarks: tuple[Note, ...]

    # Asked for once for every route and stream, and found among all parts: found once.
    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Return every route, in the order of ``plan.route``."""
        return tuple(part for part in self.parts if isinstance(part, Route))

    @cached_property
    def ledgers(self) -> tuple[BlockLedger, ...]:
        """Return every ledger, in the order of ``plan.ledger``."""
        return tuple(part for part in self.parts if isinstance(part, BlockLedger))

    @cached_property
    def streams(self) -> tuple[Stream, ...]:
        """Return every stream, in the order of ``plan.stream``."""
        return tuple(part for part in self.parts if isinstance(part, Stream))

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Return every institution, groups of alike ones unfolded."""
        return unfold_members(self.scenario.institutions)

    @cached_property
    def own(self) -> dict[str, dict[str, OwnTime | OwnShare]]:
        """Return what institutions have of their own: by kind, and by institution."""
        found: dict[str, dict[str, OwnTime | OwnShare]] = {}
        for part in self.parts:
            if isinstance(part, OwnTime | OwnShare):
                found.setdefault(part.kind, {})[part.owner] = part
        return found

    @property
    def merchants(self) -> tuple[Merchant, ...]:
        """Return every code; the workload's MERCHANT column counts in it."""
        return self.pools.merchants

    def workload(self, chunk: int = CHUNK_ROWS, after: Position | None = None) -> Workload:
        """Draw the payments, in chunks, in order of submission; from some position on."""
        return draw_workload(
            self.plan.table,
            self.demands,
            horizon_us=self.plan.horizon_us,
            chunk=chunk,
            after=after,
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
    # What is declared is known until everything is linked, and to nobody afterwards.
    with using_currencies(loaded.declared):
        return _compile(
            loaded, seed=seed, replication=replication, with_tables=with_tables, pools=pools
        )


def _compile(
    loaded: LoadedScenario,
    *,
    seed: int | None,
    replication: int,
    with_tables: bool,
    pools: Pools | None,
) -> Compiled:
    scenario = loaded.scenario
    settings = _settings(scenario, seed, replication)
    # Alone and first: whatever reads distributions and margins below relies on them.
    problems = [*law_problems(scenario), *margin_problems(scenario)]
    refuse_problems(loaded.document, problems)
    # Groups of alike banks become banks, so that everything below knows single institutions
    # only.
    members = unfold_members(scenario.institutions)
    happened = occurrences(scenario, Luck(settings.seed, replication))
    parts, lines = split_lines([*world_parts(scenario, members), *shop_parts(scenario)], scenario)
    market = _market(scenario, settings, happened, problems)
    # Codes do not depend on seed or replication, so replications share them.
    absent = absences(scenario, members)
    pools = pools or make_pools(scenario, members, problems, absent)
    routes = Routes(scenario, market, members, parts, problems=problems, lines=lines)
    sets = RouteSets(scenario)
    world = World(scenario, settings, members, pools, sets, routes, happened, absent)
    described = []
    # In order of names: the number of a stream is part of the order of events.
    for name in sorted(scenario.demand):
        stream = describe_stream(world, name, problems)
        if stream is not None:
            described.append(stream)
            # After its routes: a part may refer to parts before it only.
            routes.parts.append(stream.part)
    parts += [*_instruments(scenario), *routes.parts]
    places = [part for part in parts if isinstance(part, Station | BlockLedger)]
    problems += [*nothing_to_hit(scenario, members, places), *unknown_stations(scenario, places)]
    # Last, since stations must be known, and rows of the agenda are sorted by time in any case.
    parts += disrupted_places(scenario, members, happened, places)
    parts += by_hand_closures(scenario, members, problems)
    parts += [*clearings(lines, market, problems), *top_ups(scenario, problems)]
    parts += covers(scenario, market, problems)
    parts += [*window_parts(scenario, happened), *reconciliations(scenario, problems)]
    loads = find_loads(world, described, parts, problems)
    problems.extend(balance_problems(scenario, market, parts, described))
    problems += [*_unused_order(scenario, routes.parts), *_unused_tiers(scenario, routes.parts)]
    problems += size_problems(parts)
    # All at once: a user should not have to mend a file one mistake at a time.
    refuse_problems(loaded.document, problems)
    if with_tables:
        # Counted last and only for a run: three weeks of a nation's payments take seconds.
        parts += list(load_parts(world, described, loads, parts))
    linked = link(settings, parts, with_tables=with_tables)
    used = _use(world, described, parts, (market, loads), linked.plan)
    return Compiled(
        scenario=scenario,
        document=loaded.document,
        plan=linked.plan,
        demands=tuple(stream_demand(world, stream, linked) for stream in described),
        pools=pools,
        parts=tuple(parts),
        reach=used.reach,
        happened=happened,
        loads=loads,
        notes=find_notes(used),
        remarks=(*find_remarks(used), *_trace_remarks(described)),
    )


def _settings(scenario: Scenario, seed: int | None, replication: int) -> Settings:
    return Settings(
        scenario=scenario.scenario,
        horizon_us=scenario.clock.horizon,
        warm_up_us=scenario.clock.warm_up,
        sample_interval_us=scenario.routing.view_interval,
        fx_step_us=scenario.fx.step,
        day_offset_us=day_offset_us(scenario),
        seed=scenario.seed if seed is None else seed,
        replication=replication,
    )


def _market(
    scenario: Scenario,
    settings: Settings,
    happened: Sequence[Occurrence],
    problems: list[tuple[FieldPath, str]],
) -> Market:
    """Return the mid rates and providers of a run; problems grow by files that are no rates."""
    return Market(
        scenario.fx,
        horizon_us=settings.horizon_us,
        seed=settings.seed,
        replication=settings.replication,
        jumps=rate_jumps(scenario, happened),
        courses=rate_courses(scenario, problems),
        clock=scenario.clock,
    )


def _instruments(scenario: Scenario) -> list[Instrument]:
    """Return what payers carry, in order of names: no number depends on the order of the file."""
    carried = {name for demand in scenario.demand.values() for name in demand.instruments}
    return [Instrument(name) for name in sorted(carried)]


def _use(
    world: World,
    described: Sequence[Described],
    parts: Sequence[Part],
    known: tuple[Market, tuple[LoadStream, ...]],
    plan: Plan,
) -> Used:
    """Return what of a scenario payments can reach, and what of it prices and codes use."""
    routes = [part for part in parts if isinstance(part, Route)]
    brought = [
        agents_of_stream(
            world.scenario,
            world.members,
            stream.part,
            routes=routes,
            payees=stream.payees.entries,
            named=stream.named,
        )
        for stream in described
    ]
    payers, payees, by_share = (set().union(*found) for found in zip(*brought, strict=True))
    return Used(
        scenario=world.scenario,
        members=world.members,
        reach=find_reach(parts, payers, payees),
        places=tuple(part for part in parts if isinstance(part, Station | BlockLedger)),
        happened=world.happened,
        coded=frozenset(one.agent for one in world.pools.merchants if one.is_at_home),
        choices={name: world.route_sets.most_candidates(name) for name in world.scenario.corridors},
        led={
            name: (world.route_sets.rails_of(name), world.route_sets.is_led_by_names(name))
            for name, corridor in world.scenario.corridors.items()
            if corridor.rails is not None
        },
        pairs=known[0].used,
        loads=known[1],
        by_share=frozenset(by_share),
        made=frozenset(
            (one.provider, one.source, one.target)
            for route in routes
            if route.flow.price is not None
            for one in route.flow.price.exchanges
            if one is not None
        ),
        declared=frozenset(one.code for one in plan.names.declared),
        routes=tuple(route.candidate for route in routes),
    )


def _trace_remarks(described: Sequence[Described]) -> Iterator[Note]:
    """Yield what of the files of payments does not become part of the run."""
    for stream in described:
        if stream.traced is None:
            continue
        place: FieldPath = ("demand", stream.part.name, "trace", "file")
        if stream.traced.late:
            late = f"{stream.traced.late:,} of {len(stream.traced) + stream.traced.late:,} payments"
            yield place, f"{late} of {stream.traced.name} lie at or after the horizon: do not come"
        if stream.traced.unused:
            columns = ", ".join(stream.traced.unused[:20])
            yield place, f"nothing is read from {stream.traced.name}'s columns {columns}"


def _unused_tiers(scenario: Scenario, parts: Sequence[Part]) -> Iterator[tuple[FieldPath, str]]:
    """Yield the KYC tiers of corridors none of whose routes looks at one."""
    for name, corridor in sorted(scenario.corridors.items()):
        routes = [
            part for part in parts if isinstance(part, Route) and part.candidate.corridor == name
        ]
        checked = any(
            stage.limit is not None and f".{corridor.kyc_tier}." in stage.limit.name
            for route in routes
            for stage in route.flow.program
        )
        if corridor.kyc_tier is not None and routes and not checked:
            yield (
                ("corridors", name, "kyc_tier"),
                f"found {corridor.kyc_tier!r}, which no route of this corridor checks; allowed: a "
                "tier where payers here pay over a ledger with limits in their currency",
            )


def _unused_order(scenario: Scenario, parts: Sequence[Part]) -> Iterator[tuple[FieldPath, str]]:
    """Yield the words of an ``order`` of routes that name none."""
    routes = [part.candidate for part in parts if isinstance(part, Route)]
    for place, routing in routings(scenario):
        # A corridor's own way is about its own routes.
        own = place[1] if len(place) > 1 else None
        names = sorted({route.name for route in routes if own in (None, route.corridor)})
        for position, wanted in enumerate(routing.order):
            # As ``routing.candidates`` compares: a whole name, or the beginning of one behind the
            # corridor.
            if not any(
                name == wanted or name.partition("/")[2].startswith(wanted) for name in names
            ):
                message = f"{wanted!r} is the start of no route; known: {', '.join(names[:20])}"
                yield (*place, "order", position), message

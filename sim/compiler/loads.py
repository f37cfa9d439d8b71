"""Demand carried as load: streams whose payments join a ledger as numbers.

Takes the streams of a scenario that say ``as: load``, described, and the parts of the plan; gives a
:class:`~sim.compiler.parts.Load` for each ledger, and what there is to say of each stream. The
meaning of load is in :mod:`sim.contract.loads`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sim.compiler.demand import Described, Problems, aging_codes, codes_of
from sim.compiler.expectation import Typical, quantile_of
from sim.compiler.load_ways import Ends, Way
from sim.compiler.parts import Closure, Load, Part, Route
from sim.compiler.payees import World
from sim.contract.layout import CERTAIN
from sim.contract.loads import CELL_MAX_US
from sim.contract.meaning import Op
from sim.draws.keys import stream_key
from sim.rails.merchants import Merchant
from sim.rails.resources import BlockLedger, OwnShare, Station
from sim.rails.stages import takes_time, threshold
from sim.units import SECOND_US
from sim.workload.arrivals import HAZARD_UNIT
from sim.workload.loads import LoadDemand, joined_by_cell

CELLS_MAX = 1 << 23
"""Cells of a run for which they may be as short as half a round: 64 megabytes of counts."""
_HALVINGS = 60


@dataclass(frozen=True, slots=True, eq=False)
class LoadStream:
    """What there is to say of a stream that is carried as load.

    Attributes
    ----------
    name : str
        Of the stream.
    way : Way
    reaching : float
        Share of its payments that join the ledger while everything is open.
    busiest : float
        Most payments a second that are expected to join in any stretch of the run.
    """

    name: str
    way: Way
    reaching: float
    busiest: float

    @property
    def remark(self) -> str:
        """Say what of it is not simulated."""
        return (
            "load: its payments take places in blocks and do nothing else; they use no station, no "
            "balance and no limit, and are in no measure of payments"
        )


def find_loads(
    world: World, described: Sequence[Described], parts: Sequence[Part], problems: Problems
) -> tuple[LoadStream, ...]:
    """Return the streams that are carried as load; problems grow by those that cannot be."""
    found = []
    for stream in described:
        name = stream.part.name
        if world.scenario.demand[name].as_ != "load":
            continue
        path = ("demand", name, "as")
        if len(stream.part.routes) != 1:
            problems.append((path, f"found load over {len(stream.part.routes)} routes; {_NEEDED}"))
            continue
        way = _way(world, stream, parts)
        if not way.ledger:
            problems.append((path, f"found load over a route without such a ledger; {_NEEDED}"))
            continue
        reaching = way.reaching()
        one = LoadStream(name, way, reaching, reaching * _busiest(stream))
        problems.extend((path, message) for message in _too_much(one, parts))
        found.append(one)
    return tuple(found)


_NEEDED = (
    "needed: a single route, over a ledger that commits blocks; allowed where there is none: "
    "payments one by one (as: payments)"
)


def load_parts(
    world: World,
    described: Iterable[Described],
    loads: Sequence[LoadStream],
    parts: Sequence[Part],
) -> Iterator[Load]:
    """Yield the load of every ledger that has any."""
    by_name = {stream.part.name: stream for stream in described}
    ledgers = {part.name: part for part in parts if isinstance(part, BlockLedger)}
    horizon_us = world.settings.horizon_us
    for name, ledger in ledgers.items():
        mine = [load for load in loads if load.way.ledger == name]
        if not mine:
            continue
        cell_us = cell_of(ledger, horizon_us)
        demands = [_demand(world, by_name[load.name], load, parts) for load in mine]
        joined = joined_by_cell(demands, horizon_us=horizon_us, cell_us=cell_us)
        yield Load(name, cell_us, joined)


def cell_of(ledger: BlockLedger, horizon_us: int) -> int:
    """Return the length of a cell: half a round, longer where there would be too many of them."""
    shortest = max(ledger.round_interval_us // 2, -(-horizon_us // CELLS_MAX), 1)
    return min(shortest, CELL_MAX_US)


def _demand(world: World, stream: Described, load: LoadStream, parts: Sequence[Part]) -> LoadDemand:
    settings, count = world.settings, world.scenario.demand[load.name].count
    return LoadDemand(
        key=stream_key(settings.seed, settings.replication, "payment", load.name),
        hazard_time_us=stream.arrivals[0],
        hazard=stream.arrivals[1],
        count_max=-1 if count is None else count,
        after_us=load.way.after_us,
        reaching=tuple(_thresholds(load.way, parts)),
    )


def _thresholds(way: Way, parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
    """Yield from when on how many reach the ledger, as stations close and open."""
    closures = [part for part in parts if isinstance(part, Closure)]
    instants = sorted({0, *(at for one in closures for at in (one.from_us, one.to_us))})
    known: dict[frozenset[str], int] = {}
    last = -1
    for at_us in instants:
        closed = frozenset(one.station for one in closures if one.from_us <= at_us < one.to_us)
        if closed not in known:
            # In whole billionths, so that no machine's last bit moves a draw.
            known[closed] = threshold(round(way.reaching(closed) * 10**9))
        if known[closed] != last:
            yield at_us, known[closed]
        last = known[closed]


def _way(world: World, stream: Described, parts: Sequence[Part]) -> Way:
    scenario, part = world.scenario, stream.part
    corridor = scenario.corridors[part.corridor]
    route: Route = world.routes.route(part.routes[0])
    chosen = next(at for at, stage in enumerate(part.prologue) if stage.op is Op.ROUTE)
    typical = Typical.everywhere(parts).at(corridor, world.members)
    entries = stream.payees.entries
    ends = Ends(
        debtors=typical.weights[0],
        creditors=_weights_of(entries) if entries else typical.weights[1],
        branches={
            (one.owner, one.kind): one.threshold / CERTAIN
            for one in parts
            if isinstance(one, OwnShare)
        },
        stations={
            (one.owner, one.kind): one.name
            for one in parts
            if isinstance(one, Station) and one.owner
        },
    )
    program = (*part.prologue[:chosen], *route.flow.program)
    return Way.of(program, typical, ends, _readable(world, part.corridor, entries))


def _weights_of(entries: Iterable[Merchant]) -> Mapping[str, int]:
    """Return how many of the codes, which are equally likely, are of each institution."""
    found: dict[str, int] = {}
    for entry in entries:
        found[entry.agent] = found.get(entry.agent, 0) + 1
    return found


def _readable(world: World, corridor_name: str, entries: Sequence[Merchant]) -> float:
    """Return the share of a corridor's codes that can be read and have not expired."""
    corridor = world.scenario.corridors[corridor_name]
    codes, aging = codes_of(world.scenario, corridor), aging_codes(world.scenario, corridor)
    damaged = sum(entry.is_damaged for entry in entries) / len(entries) if entries else 0.0
    readable = 1.0 - damaged
    if codes is not None:
        readable *= 1.0 - codes.damaged_share / 10**9
    if aging is not None and takes_time(aging.code_age):
        dynamic = 1.0 - aging.static_share / 10**9
        # Where the quantile function of the age passes the life of a code, by halving.
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            holds = quantile_of(aging.code_age, middle) <= aging.dynamic_life
            low, high = (middle, high) if holds else (low, middle)
        readable *= 1.0 - dynamic * (1.0 - low)
    return readable


def _busiest(stream: Described) -> float:
    """Return the most payments a second that are expected in any stretch of the run."""
    times, hazard = stream.arrivals
    width = np.diff(times)
    rates = np.diff(hazard)[width > 0] / width[width > 0]
    return float(rates.max(initial=0.0)) * SECOND_US / HAZARD_UNIT


def _too_much(load: LoadStream, parts: Sequence[Part]) -> Iterator[str]:
    """Yield which station before the ledger the load alone would fill, which nobody would see."""
    stations = {part.name: part for part in parts if isinstance(part, Station)}
    for name in load.way.passed:
        rate = stations[name].rate_limit if isinstance(name, str) else None
        most = float("inf") if rate is None else rate.numerator / rate.denominator * SECOND_US
        if load.busiest >= most:
            yield (
                f"found up to {load.busiest:,.0f} payments a second, while {name} lets {most:,.0f} "
                "pass, at which load does not queue; allowed: less, or payments one by one "
                "(as: payments)"
            )

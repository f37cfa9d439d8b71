"""Lay out what the replay of a log knows: the plan's tables and the rebuilt state, as arrays.

Takes a plan; gives a :class:`World`. The plan's rows and the state of the thing each describes
share a row of ``things``; payments in flight, services under way and reservations have pools that
grow between blocks of the log, never within.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np

from sim.audit.choices import role_sets, route_choices
from sim.audit.findings import VIOLATIONS_KEPT
from sim.audit.messages import FIGURES, MESSAGES
from sim.audit.pools import Held, Service, ShopState, Visit
from sim.audit.state import (
    NOBODY,
    REFUND_LONGEST,
    REFUND_SHORTEST,
    STAGE_LONGEST,
    STAGE_SHORTEST,
    WORD,
    AccountState,
    Count,
    LedgerState,
    Pay,
    RouteState,
    Shown,
    StationState,
    Things,
)
from sim.contract.large_value import MemberColumn
from sim.contract.layout import (
    NEVER_US,
    PPM,
    STEP_BITS,
    TABLE_LENGTH,
    AccountColumn,
    ConversionColumn,
    LedgerColumn,
    StageColumn,
    StreamColumn,
    order_key,
)
from sim.contract.meaning import EventClass
from sim.contract.own_policies import HEARD_WIDTH, KNOWN_WIDTH, MEMORY_MAX
from sim.contract.plan import Array, Plan
from sim.contract.records import RECORD_WIDTH, REGISTER_COUNT
from sim.contract.refunds import RefundColumn
from sim.contract.shops import ShopColumn

BLOCK_ROWS = 1 << 13
"""Rows replayed at a time; every pool has room for what so many rows can add."""
SEVERAL = -2
"""Stands for an agent of which a set of possible ones is known."""
MOVES_MAX = 5
"""Most moves of one row of the agenda."""
_THINGS_WIDTH = 24
COMPLETE_KEY = order_key(EventClass.COMPLETE, 0, 0)
EXPIRE_KEY = order_key(EventClass.EXPIRE, 0, 0)
HORIZON_KEY = order_key(EventClass.HORIZON, 0, 0)
"""Order keys of a class; payment (shifted by STEP_BITS) and step are added."""
STREAM_RANK = len(StreamColumn)
"""Column of a stream that holds the rank of its priority."""
STREAM_SHORTEST, STREAM_LONGEST = STREAM_RANK + 1, STREAM_RANK + 2
"""Columns of a stream that hold the least and the greatest patience of its payers."""
CONVERSION_SCALE = len(ConversionColumn)
"""Column of a conversion that holds its pair's scale."""
_MIX = 0x9E3779B1


Addresses = Sequence[tuple[int, int]]
"""Of the functions of policies of the user's own: what scores, what hears."""
Flat = Annotated[Array, 1]
"""Array of one dimension."""
Rows = Annotated[Array, 2]
"""Array of rows and columns."""


class World(NamedTuple):
    """Everything a replay knows, as arrays of int64."""

    g: Flat
    """Scalars (:class:`Count`), then checks by message, then kept violations."""
    first: Flat
    size: Flat
    things: Rows
    """See :class:`Things`."""
    line: Rows
    """(lines, 3): head, tail and length of every waiting line."""
    touched: Flat
    """Rows of stations and accounts touched by the event at hand."""
    rate: Rows
    load: Rows
    """(ledgers, columns): where the counts of each ledger's load lie in ``load_count``."""
    load_count: Flat
    cell: Rows
    """(limits, streams): first cell of the use of a limit."""
    used: Rows
    """(cells, 2): day and amount used."""
    role: Rows
    """(agents, kinds): account by kind, then station by kind."""
    place: Rows
    """(kinds, subjects): row of ``sets`` with the agents that have it, -1 where nobody has."""
    sets: Rows
    """(sets, words): sets of agents."""
    time: Rows
    """(agents, 2 * kinds): shortest and longest of an agent's own times, -1 where it has none."""
    share: Rows
    """(agents, kinds): thresholds of an agent's own branches."""
    moves: Rows
    """(moves, 3): debit, credit and amount of what a row of the agenda still has to move."""
    scratch: Flat
    """Registers of the price being computed."""
    pay: Rows
    """(slots, columns): payments in flight."""
    slot: Rows
    """(places, 2): payment and slot; open addressing."""
    service: Rows
    """(places, 4): services under way; open addressing."""
    held: Rows
    """(nodes, 5): reservations."""
    born: Flat
    """Heap of keys."""
    ended: Rows
    """(rows, ENDED_WIDTH): records ended payments must have, then the price quoted last."""
    visits: Rows
    """(rows, columns): waits and services that ended."""
    own: Rows
    """(policies, 2): addresses of the functions of policies of the user's own."""
    settings: Rows
    """(policies, settings): of such policies."""
    memory: Rows
    """(2 * routes, numbers): what such policies keep in mind of routes; then as routers see it."""
    told: Flat
    """What such a policy is being told."""
    watch: Rows
    """(choices, 4): rows of the log whose choice is to be shown; policy, first candidate, count."""
    shown: Rows
    """(choices * CANDIDATES_MAX, columns): see :class:`Shown`."""


ENDED_WIDTH = RECORD_WIDTH + 1


def first_violation() -> int:
    """Return where kept violations begin in ``World.g``."""
    return int(Count.CHECKED) + len(MESSAGES)


VIOLATION_WIDTH = 3 + FIGURES
"""Message, row, time and figures of a kept violation."""


def open_world(plan: Plan, *, wants_records: bool, addresses: Addresses = ()) -> World:
    """Return the world before the first row of a log.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    wants_records : bool
        Whether to work out what the records must be.
    addresses : sequence of (int, int)
        Of the functions of policies of the user's own; must stay good.
    """
    first, size, things = _lay_things(plan)
    ranks, (place, sets) = _ranks(plan), role_sets(plan)
    role = np.ascontiguousarray(np.hstack([plan.agent_account, plan.agent_station]))
    g = np.zeros(first_violation() + VIOLATIONS_KEPT * VIOLATION_WIDTH, dtype=np.int64)
    for scalar, value in {
        Count.NOW: -1, Count.KEY: -1, Count.ROW: -1, Count.CURRENT: NOBODY, Count.HIGHEST: -1,
        Count.OPENED: NOBODY, Count.NEXT_ROUND_US: NEVER_US, Count.LEAVING: NOBODY,
        Count.REFILLED: NOBODY, Count.REFUNDING: NOBODY,
        Count.FREE_PAYMENT: NOBODY, Count.FREE_HELD: NOBODY,
        Count.WANTS_RECORDS: int(wants_records), Count.HORIZON_US: plan.horizon_us,
        Count.SAMPLE_INTERVAL_US: plan.sample_interval_us, Count.FX_STEP_US: plan.fx_step_us,
        Count.DAY_OFFSET_US: plan.day_offset_us, Count.PRIORITIES: len(ranks),
        Count.AGENT_WORDS: sets.shape[1], Count.ROUTE_WORDS: -(-len(plan.route) // WORD) or 1,
        Count.STATION_KINDS: plan.agent_account.shape[1], Count.SET_SYSTEM: NOBODY,
        Count.INSTRUMENTS: len(plan.names.instruments), Count.WARM_UP_US: plan.warm_up_us,
        Count.TELLING: NOBODY, Count.POLL_DUE: NOBODY, Count.CALL_NEXT: NOBODY,
        Count.PAYING_BACK: NOBODY,
        Count.LOOK_FIRST: NOBODY, Count.LOOK_SECOND: NOBODY,
    }.items():  # fmt: skip
        g[scalar] = value
    ledgers = things[first[Things.LEDGER] : first[Things.LEDGER] + len(plan.ledger)]
    if len(ledgers):
        g[Count.NEXT_ROUND_US] = ledgers[:, LedgerState.NEXT_US].min()
    streams = first[Things.STREAM] + np.arange(len(plan.stream))
    priorities = plan.stream[:, StreamColumn.PRIORITY].tolist()
    things[streams, STREAM_RANK] = [ranks[priority] for priority in priorities]
    # Queues of stations by priority, of ledgers, of accounts; open blocks; systems by priority;
    # ready list; block list.
    lines = len(plan.station) * len(ranks) + 2 * len(plan.ledger) + len(plan.account)
    g[Count.SYSTEM_LINES] = lines
    lines += len(plan.system) * len(ranks)
    # The last two lines: those set free, and the block being committed.
    g[Count.READY] = lines
    line = np.full((lines + 2, 3), NOBODY, dtype=np.int64)
    # Head and tail -1, length 0.
    line[:, 2] = 0
    tried = int(g[Count.ROUTE_WORDS])
    world = World(
        g=g,
        first=first,
        size=size,
        things=things,
        line=line,
        touched=np.zeros(len(plan.station) + len(plan.account), dtype=np.int64),
        **{name: np.ascontiguousarray(array) for name, array in _as_in_plan(plan).items()},
        used=np.zeros((plan.limit_cells, 2), dtype=np.int64),
        role=role,
        place=place,
        sets=sets,
        time=_own_times(plan),
        moves=np.zeros((MOVES_MAX, 3), dtype=np.int64),
        scratch=np.zeros(REGISTER_COUNT, dtype=np.int64),
        pay=np.zeros((0, int(Pay.SETS) + 2 * sets.shape[1] + tried), dtype=np.int64),
        slot=np.full((1024, 2), NOBODY, dtype=np.int64),
        service=np.full((1024, len(Service)), NOBODY, dtype=np.int64),
        held=np.zeros((0, len(Held)), dtype=np.int64),
        born=np.zeros(0, dtype=np.int64),
        ended=np.zeros((BLOCK_ROWS, ENDED_WIDTH), dtype=np.int64),
        visits=np.zeros((0, len(Visit)), dtype=np.int64),
        **_own_policies(plan, addresses),
    )
    return make_room(world)


def _as_in_plan(plan: Plan) -> dict[str, Array]:
    """Return the plan's arrays that are read as they are."""
    return {
        "rate": plan.rate,
        "load": plan.load,
        "load_count": plan.load_count,
        "cell": plan.limit_first,
        "share": plan.agent_share,
    }


def _own_policies(plan: Plan, addresses: Addresses) -> dict[str, Array]:
    """Return the arrays of policies of the user's own."""
    rows = 2 * len(plan.route) if len(plan.own) else 0
    return {
        "own": np.array(list(addresses), dtype=np.int64).reshape(-1, 2),
        "settings": np.ascontiguousarray(plan.own_setting),
        "memory": np.zeros((rows, MEMORY_MAX), dtype=np.int64),
        "told": np.zeros(max(KNOWN_WIDTH, HEARD_WIDTH), dtype=np.int64),
        "watch": np.zeros((0, 4), dtype=np.int64),
        "shown": np.zeros((0, len(Shown)), dtype=np.int64),
    }


def make_room(world: World) -> World:
    """Return the world with room for whatever a block of rows can add."""
    g = world.g
    return world._replace(
        pay=_grown(world.pay, g, (Count.PAYMENTS, Count.FREE_PAYMENT, int(Pay.NEXT))),
        held=_grown(world.held, g, (Count.HELD, Count.FREE_HELD, int(Held.NEXT))),
        slot=_rehashed(world.slot, int(g[Count.PAYMENTS])),
        service=_rehashed(world.service, int(g[Count.SERVICES])),
        born=_lengthened(world.born, int(g[Count.BORN])),
        visits=_emptied(world.visits, int(g[Count.PAYMENTS])),
    )


def place_of(key: int, places: int) -> int:
    """Return where a key is looked for first in a table of so many places (a power of two)."""
    # The step of a service is in the low bits, the payment above it; no product leaves an int64.
    return ((((key ^ (key >> STEP_BITS)) & 0x7FFFFFFF) * _MIX) >> 15) & (places - 1)


def _grown(pool: Array, g: Array, counts: tuple[int, int, int]) -> Array:
    """Return a pool with enough free rows; free rows are linked by one of their columns."""
    in_use, head, link = counts
    # A row opens one payment or reservation at most, so a block of rows needs as many free
    # ones.
    if len(pool) - g[in_use] >= BLOCK_ROWS:
        return pool
    size = max(2 * len(pool), int(g[in_use]) + 2 * BLOCK_ROWS)
    grown = np.zeros((size, pool.shape[1]), dtype=np.int64)
    grown[: len(pool)] = pool
    grown[len(pool) :, link] = np.arange(len(pool) + 1, size + 1)
    # New free rows in front of the old.
    grown[-1, link] = g[head]
    g[head] = len(pool)
    return grown


def _rehashed(table: Array, used: int) -> Array:
    """Return a table that stays at most half full."""
    # At most half full: chains stay short, and a search always finds an empty place.
    if 2 * (used + BLOCK_ROWS) <= len(table):
        return table
    # A power of two, so that a mask does for a remainder.
    places = 1 << (4 * (used + BLOCK_ROWS) - 1).bit_length()
    grown = np.full((places, table.shape[1]), NOBODY, dtype=np.int64)
    for row in table[table[:, 0] != NOBODY]:
        at = place_of(int(row[0]), places)
        while grown[at, 0] != NOBODY:
            at = (at + 1) & (places - 1)
        grown[at] = row
    return grown


def _lengthened(heap: Array, used: int) -> Array:
    if used + BLOCK_ROWS <= len(heap):
        return heap
    return np.concatenate([heap, np.zeros(used + 2 * BLOCK_ROWS, dtype=np.int64)])


def _emptied(visits: Array, open_payments: int) -> Array:
    """Return room for the visits of a block: nobody has more than one under way at its start."""
    size = open_payments + 2 * BLOCK_ROWS
    return visits if len(visits) >= size else np.zeros((2 * size, visits.shape[1]), dtype=np.int64)


def _ranks(plan: Plan) -> dict[int, int]:
    """Return ranks by priority; lower comes first."""
    found = sorted(set(plan.stream[:, StreamColumn.PRIORITY].tolist())) or [0]
    return {priority: rank for rank, priority in enumerate(found)}


def _tables(plan: Plan, choices: Array, routes: Array) -> tuple[Array, ...]:
    """Return the tables in the order of :class:`~sim.audit.state.Things`."""
    return (
        plan.stage, plan.station, plan.ledger, plan.account, plan.transfer, plan.conversion,
        plan.pricing, plan.fee, plan.tier, plan.limit, routes, plan.route_view, plan.stream,
        plan.agenda, choices, plan.candidate, plan.line, plan.file, plan.top_up, plan.order,
        plan.system, plan.guard, plan.refund, plan.written_refund, plan.rule, plan.spread,
        plan.shop,
    )  # fmt: skip


def _lay_things(plan: Plan) -> tuple[Array, Array, Array]:
    """Return first rows, sizes and rows of the plan's tables, with the state they begin in."""
    choices, routes = route_choices(plan)
    # One array for all of them: a table is its first row and its size, so compiled code is made
    # for one type instead of fifteen.
    tables = _tables(plan, choices, routes)
    size = np.array([len(table) for table in tables], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.int64)
    things = np.zeros((int(size.sum()), _THINGS_WIDTH), dtype=np.int64)
    for at, table in zip(first.tolist(), tables, strict=True):
        things[at : at + len(table), : table.shape[1]] = table
    system = np.full(len(plan.account), -1, dtype=np.int64)
    system[plan.member[:, MemberColumn.ACCOUNT]] = plan.member[:, MemberColumn.SYSTEM]
    for kind, start in (
        (Things.ACCOUNT, {AccountState.SYSTEM: system}),
        (
            Things.STATION,
            {StationState.START_BY_US: np.int64(-1), StationState.PACE_PPM: np.int64(PPM)},
        ),
        (
            Things.LEDGER,
            {
                LedgerState.GAP_US: plan.ledger[:, LedgerColumn.ROUND_INTERVAL_US],
                LedgerState.NEXT_US: plan.ledger[:, LedgerColumn.ROUND_INTERVAL_US],
                LedgerState.NUMBER: np.int64(1),
                LedgerState.BLOCK_LIMIT: plan.ledger[:, LedgerColumn.BLOCK_LIMIT],
            },
        ),
        (
            Things.ROUTE,
            {
                column: np.int64(-1)
                for column in range(RouteState.OPENED_US, RouteState.SEEN_LEARNT_US + 1)
            },
        ),
        (Things.SHOP, {ShopState.LEFT: plan.shop[:, ShopColumn.STOCK]}),
        (Things.ACCOUNT, {AccountState.WORLD: plan.world[plan.account[:, AccountColumn.CURRENCY]]}),
    ):
        rows = slice(first[kind], first[kind] + size[kind])
        for column, values in start.items():
            things[rows, column] = values
    # What a stage may take at least and at most, beside it.
    timed = plan.stage[:, StageColumn.TABLE] >= 0
    bounds = [_bounds(plan, at) for at in plan.stage[timed, StageColumn.TABLE].tolist()]
    rows_timed = first[Things.STAGE] + np.flatnonzero(timed)
    things[rows_timed, STAGE_SHORTEST : STAGE_LONGEST + 1] = np.array(bounds).reshape(-1, 2)
    rules = first[Things.REFUND] + np.arange(len(plan.refund))
    after = plan.refund[:, RefundColumn.AFTER_TABLE].tolist()
    spans = [_bounds(plan, at) if at >= 0 else (0, 0) for at in after]
    things[rules, REFUND_SHORTEST : REFUND_LONGEST + 1] = np.array(spans).reshape(-1, 2)
    streams = first[Things.STREAM] + np.arange(len(plan.stream))
    patience = plan.stream[:, StreamColumn.PATIENCE].tolist()
    waits = [_bounds(plan, at) if at >= 0 else (0, 0) for at in patience]
    # Nobody's patience is less than a microsecond.
    things[streams, STREAM_SHORTEST : STREAM_LONGEST + 1] = np.maximum(
        np.array(waits, dtype=np.int64).reshape(-1, 2), 1
    )
    # Prices name their conversions, fees their scale: the pair's scale beside each conversion.
    rows = slice(first[Things.CONVERSION], first[Things.CONVERSION] + size[Things.CONVERSION])
    things[rows, CONVERSION_SCALE] = plan.pair_scale[plan.conversion[:, ConversionColumn.PAIR]]
    return first, size, things


def _bounds(plan: Plan, offset: int) -> tuple[int, int]:
    """Return the least and the greatest value of a quantile table."""
    words = plan.table[offset : offset + TABLE_LENGTH]
    return int(words.min()), int(words.max())


def _own_times(plan: Plan) -> Array:
    """Return the shortest and the longest of every agent's own times."""
    agents, kinds = plan.agent_time.shape
    found = np.full((agents, 2 * kinds), -1, dtype=np.int64)
    # Alike agents share a table, and there may be thousands of them.
    bounds = {int(at): _bounds(plan, int(at)) for at in np.unique(plan.agent_time) if at >= 0}
    for agent, row in enumerate(plan.agent_time.tolist()):
        for kind, offset in enumerate(row):
            if offset >= 0:
                found[agent, 2 * kind : 2 * kind + 2] = bounds[offset]
    return found

"""The kernel's arrays before the first event: an empty state.

Takes a plan; gives the named tuple of :mod:`sim.engine.kernel.state`.
"""

from __future__ import annotations

import numpy as np

from sim.contract.agenda import FileColumn, FileTotal
from sim.contract.guards import GuardColumn
from sim.contract.large_value import MemberColumn, MemberTotal
from sim.contract.layout import (
    CANDIDATES_MAX,
    LEDGER_PSEUDO,
    NULL,
    PEERS_MAX,
    PPM,
    LedgerColumn,
    StageColumn,
    StationColumn,
    StreamColumn,
    order_key,
)
from sim.contract.meaning import EventClass, Op
from sim.contract.own_policies import HEARD_WIDTH, KNOWN_WIDTH, MEMORY_MAX
from sim.contract.plan import Array, Plan
from sim.contract.records import (
    HISTOGRAM_LENGTH,
    LOG_WIDTH,
    RECORD_WIDTH,
    REGISTER_COUNT,
    WORKLOAD_WIDTH,
    AccountTotal,
    LedgerTotal,
    StationTotal,
)
from sim.contract.refunds import RefundTotal
from sim.contract.shops import ShopColumn
from sim.contract.windows import reading_instants
from sim.engine.kernel.state import (
    A_SINCE,
    A_TOTAL,
    ACCOUNT_WIDTH,
    C_ACCOUNT_ENDS,
    C_ACTIVE,
    C_BLOCK,
    C_BLOCK_ENDS,
    C_CLOSING,
    C_DAY_OFFSET,
    C_EDGE,
    C_FREE,
    C_FX_STEP,
    C_GUARDED,
    C_HEAP,
    C_HORIZON,
    C_KEY,
    C_LEDGER_ENDS,
    C_MARGIN,
    C_NODE,
    C_RANKS,
    C_READY,
    C_SAMPLE_INTERVAL,
    C_SETTLING,
    C_SYSTEM_ENDS,
    C_TIMER,
    C_WANTS_LOG,
    C_WANTS_RECORDS,
    C_WARM_UP,
    CURSOR_LENGTH,
    ENTRY_WIDTH,
    G_MEMBER,
    G_SYSTEM,
    GAUGE_WIDTH,
    H_MARKS,
    HEALTH_WIDTH,
    HEAP_WIDTH,
    L_BLOCK_LIMIT,
    L_GAP,
    L_SINCE,
    LEDGER_WIDTH,
    LINES_MAX,
    LOG_ALL,
    LOG_NONE,
    LOG_SAMPLES,
    LOW_UNKNOWN,
    NO_EDGE,
    NODE_WIDTH,
    O_HEAD,
    O_LEFT,
    O_TAIL,
    POOL_WIDTH,
    S_OPEN,
    S_PACE,
    S_PERIOD,
    S_SERVERS,
    S_SINCE,
    SHOP_WIDTH,
    STATION_WIDTH,
    SYSTEM_WIDTH,
    TIMER_WIDTH,
    KernelState,
)

_INSTANTS = (
    AccountTotal.SHORT_FIRST_US,
    AccountTotal.SHORT_LAST_US,
    AccountTotal.ALARM_FIRST_US,
    AccountTotal.STOP_FIRST_US,
)
"""Totals of an account that are instants, NULL where it has not come to it."""


def lay_state(
    plan: Plan, *, wants_log: bool, wants_records: bool, wants_samples: bool = False
) -> KernelState:
    """Return the state before the first event, with room for a few payments."""
    # Queues of a station are laid out for the distinct priorities there are, since priorities
    # are any whole numbers a user wrote.
    priorities, line = plan.stream[:, StreamColumn.PRIORITY], _timeout_lines(plan)
    kinds = np.unique(priorities)
    stations, ledgers, accounts = len(plan.station), len(plan.ledger), len(plan.account)
    # At least one, for a plan without streams.
    ranks = max(1, len(kinds))
    cursor = np.zeros(CURSOR_LENGTH, dtype=np.int64)
    # -1 is "none" in every list of free rows, so the first step already asks for room. The
    # pools begin empty and grow to what the run needs.
    cursor[[C_FREE, C_NODE, C_TIMER, C_ACTIVE, C_BLOCK, C_KEY, C_CLOSING, C_SETTLING]] = -1
    cursor[C_WANTS_LOG] = LOG_ALL if wants_log else LOG_SAMPLES if wants_samples else LOG_NONE
    cursor[C_WANTS_RECORDS] = wants_records
    cursor[C_HORIZON], cursor[C_WARM_UP] = plan.horizon_us, plan.warm_up_us
    cursor[C_SAMPLE_INTERVAL], cursor[C_FX_STEP] = plan.sample_interval_us, plan.fx_step_us
    cursor[C_DAY_OFFSET], cursor[C_RANKS] = plan.day_offset_us, ranks
    # One array holds the ends of every waiting line, kind after kind, so that leaving a line
    # needs its number only and not its kind.
    cursor[C_LEDGER_ENDS] = stations * ranks
    # Two blocks per ledger, by parity of the round (see ``begin_commit``).
    cursor[C_BLOCK_ENDS] = cursor[C_LEDGER_ENDS] + ledgers
    cursor[C_ACCOUNT_ENDS] = cursor[C_BLOCK_ENDS] + 2 * ledgers
    cursor[C_SYSTEM_ENDS] = cursor[C_ACCOUNT_ENDS] + accounts
    cursor[C_READY] = cursor[C_SYSTEM_ENDS] + len(plan.system)
    cursor[C_GUARDED], cursor[C_EDGE] = _is_guarded(plan), NO_EDGE
    cursor[C_MARGIN] = _log_margin(plan)
    station, ledger = _lay_stations(plan), _lay_ledgers(plan)
    limit = np.zeros((plan.limit_cells, 2), dtype=np.int64)
    # No cell has been used on any day; day 0 is a day.
    limit[:, 0] = NULL
    heap = _first_rounds(plan)
    cursor[C_HEAP] = ledgers
    return KernelState(
        cursor=cursor,
        heap=heap,
        pool=lay_rows(0, POOL_WIDTH),
        node=np.empty((0, NODE_WIDTH), dtype=np.int64),
        timer=np.empty((0, TIMER_WIDTH), dtype=np.int64),
        # One line for each length of time-out in use; -1 as the greatest gives none.
        due=np.full((int(line.max(initial=-1)) + 1, 2), -1, dtype=np.int64),
        ends=np.full((int(cursor[C_READY]) + 1, 2), -1, dtype=np.int64),
        station=station,
        ledger=ledger,
        account=_empty_accounts(plan),
        limit=limit,
        wait=np.zeros((stations, HISTOGRAM_LENGTH), dtype=np.int64),
        commit_wait=np.zeros((ledgers, HISTOGRAM_LENGTH), dtype=np.int64),
        log=np.empty((0, LOG_WIDTH), dtype=np.int64),
        record=np.empty((0, RECORD_WIDTH), dtype=np.int64),
        chunk=np.empty((0, WORKLOAD_WIDTH), dtype=np.int64),
        # Shared by votes and prices, neither of which needs it beyond its own step.
        scratch=np.zeros(max(PEERS_MAX, REGISTER_COUNT), dtype=np.int64),
        order=np.empty(0, dtype=np.int64),
        # Exact, as every priority is one of the kinds.
        rank=np.searchsorted(kinds, priorities).astype(np.int64),
        carried=np.zeros((len(plan.line), 2), dtype=np.int64),
        # Of a file cut before the start the plan knows the net already.
        net=np.ascontiguousarray(plan.file[:, FileColumn.NET]),
        filed=np.full((len(plan.file), len(FileTotal)), NULL, dtype=np.int64),
        coming=np.zeros(len(plan.top_up), dtype=np.int64),
        ordered=np.zeros(len(plan.order), dtype=np.int64),
        refund=np.zeros((len(plan.stream), len(RefundTotal)), dtype=np.int64),
        shop=_lay_shops(plan),
        health=_healths(plan),
        **_lay_readings(plan),
        line=line,
        **_lay_systems(plan),
        **_lay_policies(plan),
        foreseen=np.zeros(CANDIDATES_MAX, dtype=np.int64),
    )


def _is_guarded(plan: Plan) -> bool:
    """Say whether an account has an alarm or a stop-loss."""
    guards = plan.guard[:, [GuardColumn.ALARM_BELOW, GuardColumn.STOP_BELOW]]
    return bool((guards != NULL).any())


def _log_margin(plan: Plan) -> int:
    """Return the rows a step may write besides those of live payments.

    Every transfer of a POST, every place of a sample, and a few; where accounts are guarded, an
    alarm and a channel on either side of each transfer.
    """
    sampled = (plan.station, plan.ledger, plan.load, plan.account, plan.system, plan.member)
    rows = len(plan.transfer) + sum(map(len, sampled)) + 16
    return 5 * rows if _is_guarded(plan) else rows


def lay_entries(plan: Plan, slots: int) -> Array:
    """Return what is kept of payments at large-value systems, by slot; nothing without any."""
    return np.zeros((slots if len(plan.system) else 0, ENTRY_WIDTH), dtype=np.int64)


def _lay_systems(plan: Plan) -> dict[str, Array]:
    """Return the arrays of large-value systems."""
    return {
        "system": np.zeros((len(plan.system), SYSTEM_WIDTH), dtype=np.int64),
        "entry": lay_entries(plan, 0),
        "gauge": _gauges(plan),
        "member": np.zeros((len(plan.member), len(MemberTotal)), dtype=np.int64),
    }


def _lay_readings(plan: Plan) -> dict[str, Array]:
    """Return room for what places are read of, one reading after the other."""
    readings = len(reading_instants(plan.window, plan.horizon_us))
    return {
        name: np.zeros((readings * len(places), width), dtype=np.int64)
        for name, places, width in (
            ("station_read", plan.station, len(StationTotal)),
            ("ledger_read", plan.ledger, len(LedgerTotal)),
            ("account_read", plan.account, len(AccountTotal)),
        )
    }


def _lay_shops(plan: Plan) -> Array:
    """Return shops with all their stock and no order."""
    shop = np.zeros((len(plan.shop), SHOP_WIDTH), dtype=np.int64)
    shop[:, O_LEFT] = plan.shop[:, ShopColumn.STOCK]
    shop[:, [O_HEAD, O_TAIL]] = -1
    return shop


def _healths(plan: Plan) -> Array:
    """Return what is known of routes before the first payment; nothing without rules."""
    health = np.full((len(plan.route) if len(plan.rule) else 0, HEALTH_WIDTH), -1, dtype=np.int64)
    health[:, H_MARKS] = 0
    return health


def _lay_policies(plan: Plan) -> dict[str, Array]:
    """Return the arrays of policies of the user's own, without the addresses of their functions."""
    rows = len(plan.route) if len(plan.own) else 0
    return {
        "own": np.zeros((len(plan.own), 2), dtype=np.int64),
        "memory": np.zeros((rows, MEMORY_MAX), dtype=np.int64),
        "seen_memory": np.zeros((rows, MEMORY_MAX), dtype=np.int64),
        "told": np.zeros(max(KNOWN_WIDTH, HEARD_WIDTH), dtype=np.int64),
    }


def _gauges(plan: Plan) -> Array:
    """Return which system and which member every account belongs to; nothing without systems."""
    gauge = np.zeros((len(plan.account) if len(plan.system) else 0, GAUGE_WIDTH), dtype=np.int64)
    gauge[:, [G_SYSTEM, G_MEMBER]] = -1
    accounts = plan.member[:, MemberColumn.ACCOUNT]
    gauge[accounts, G_SYSTEM] = plan.member[:, MemberColumn.SYSTEM]
    gauge[accounts, G_MEMBER] = np.arange(len(accounts))
    return gauge


def _empty_accounts(plan: Plan) -> Array:
    """Return accounts before the first deposit."""
    account = np.zeros((len(plan.account), ACCOUNT_WIDTH), dtype=np.int64)
    account[:, A_SINCE] = plan.warm_up_us
    account[:, A_TOTAL + AccountTotal.LOW] = LOW_UNKNOWN
    for column in _INSTANTS:
        account[:, A_TOTAL + column] = NULL
    return account


def lay_rows(rows: int, width: int, *, aligned: int = 0, spare: int = 0) -> Array:
    """Return rows of zeros of which the one numbered ``aligned`` begins a cache line.

    There are ``spare`` more behind them (:func:`more_rows`), which take no memory until they are
    written.
    """
    # Eight words more than needed, of which as many are skipped as bring the row to a multiple
    # of 64 bytes. The view keeps the whole array alive.
    room = np.zeros((rows + spare) * width + 8, dtype=np.int64)
    first = -(room.ctypes.data // 8 + aligned * width) % 8
    return room[first : first + rows * width].reshape(rows, width)


def more_rows(array: Array, rows: int) -> Array | None:
    """Return rows of :func:`lay_rows` with spare ones behind; None where there are too few."""
    room, width = array.base, array.shape[1]
    if room is None:
        return None
    first = (array.ctypes.data - room.ctypes.data) // 8
    if first + rows * width > room.size:
        return None
    found: Array = room[first : first + rows * width].reshape(rows, width)
    return found


def lay_heap(rows: int) -> Array:
    """Return room for scheduled events; the children of the first begin a cache line."""
    return lay_rows(rows, HEAP_WIDTH, aligned=1)


def _timeout_lines(plan: Plan) -> Array:
    """Return the line of time-outs every stage arms in: one for each time there is.

    Time-outs of one length fall due in the order in which they are armed, so most never need the
    heap. They are what it would mostly hold, as nearly all are forgotten long before they are due.
    """
    # 0 stands for every stage that arms nothing, DEADLINE 0 included, which disarms.
    arms = np.isin(plan.stage[:, StageColumn.OP], (Op.DEADLINE, Op.AWAIT))
    values = np.where(arms, plan.stage[:, StageColumn.VALUE], 0)
    # The longest stay longest.
    # What is left over goes to the heap: right as well, but slower.
    kept = np.unique(values[values > 0])[-LINES_MAX:]
    at = np.searchsorted(kept, values)
    return np.where(np.isin(values, kept), at, -1).astype(np.int64)


def _lay_stations(plan: Plan) -> Array:
    """Return the state of stations before anything has happened."""
    station = np.zeros((len(plan.station), STATION_WIDTH), dtype=np.int64)
    station[:, S_OPEN] = 1
    station[:, S_SERVERS] = plan.station[:, StationColumn.SERVERS]
    station[:, S_PERIOD] = plan.station[:, StationColumn.RATE_PERIOD_US]
    station[:, S_PACE] = PPM
    # Areas begin at the warm-up: until then the time passed since is negative and nothing is
    # added.
    station[:, S_SINCE] = plan.warm_up_us
    return station


def _lay_ledgers(plan: Plan) -> Array:
    """Return the state of ledgers before anything has happened."""
    ledger = np.zeros((len(plan.ledger), LEDGER_WIDTH), dtype=np.int64)
    # Round 1 starts one interval after the scenario's start.
    ledger[:, L_GAP] = plan.ledger[:, LedgerColumn.ROUND_INTERVAL_US]
    ledger[:, L_SINCE] = plan.warm_up_us
    ledger[:, L_BLOCK_LIMIT] = plan.ledger[:, LedgerColumn.BLOCK_LIMIT]
    return ledger


def _first_rounds(plan: Plan) -> Array:
    """Return a heap that holds the first round of every ledger."""
    rounds = sorted(
        # Round 1 has step 2; its commit, if any, step 3.
        (
            int(row[LedgerColumn.ROUND_INTERVAL_US]),
            order_key(EventClass.COMPLETE, LEDGER_PSEUDO - index, 2),
            -1,
            0,
        )
        for index, row in enumerate(plan.ledger)
    )
    # Sorted rows are a heap already: no child is earlier than its parent.
    heap = lay_heap(len(rounds) + 256)
    for at, row in enumerate(rounds):
        heap[at] = row
    return heap

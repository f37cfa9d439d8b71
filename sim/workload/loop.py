"""The inner loop of the workload: next payment, its draws, its row.

Takes the streams laid out as integer arrays by ``workload``; fills rows of a chunk. Holds no state
of its own: all of it is in the arrays, so a chunk may end anywhere. Only each stream's next payment
is known at any time, in a heap ordered by (time, stream), so memory does not grow with the horizon.
Whole numbers only; the same compiled, uncompiled and in plain Python.

One block of the generator gives two 62-bit draws. Per payment n, all with visit 0:

=================  ==========================================  ==================================
purpose            first draw                                  second draw
=================  ==========================================  ==================================
arrival            unit exponential to the next payment        not used
amount+payer       amount                                      payer
agents+merchant    debtor agent                                merchant, or creditor agent
code               static or dynamic code                      damaged or not
code_age           age of a dynamic code                       not used
=================  ==========================================  ==================================

A block is only computed where one of its draws decides something.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim.contract.layout import CERTAIN, NEVER_US
from sim.contract.plan import Array
from sim.contract.records import WorkloadColumn
from sim.draws.lookup import index_below, quantile, weighted_index
from sim.draws.threefry import MASK32, threefry4x32
from sim.jit.cache import compiled
from sim.workload.long_division import high62, scaled

# Columns of ``Streams.setting``; ``*_FIRST`` are offsets in ``Streams.pool``.
IS_WRITTEN = 0
WRITTEN_FIRST = 1
COUNT = 2
"""Payments the stream may have at most."""
HAZARD_TIME_FIRST = 3
HAZARD_FIRST = 4
HAZARD_SHIFT_FIRST = 5
HAZARD_COUNT = 6
AMOUNT_FIXED = 7
AMOUNT_TABLE = 8
AMOUNT_GRANULE = 9
PAYERS = 10
PAYER_SKEW = 11
DEBTOR_AGENT_FIRST = 12
DEBTOR_CUMULATIVE_FIRST = 13
DEBTOR_COUNT = 14
MERCHANT_FIRST = 15
MERCHANT_AGENT_FIRST = 16
MERCHANT_ROUTE_SET_FIRST = 17
MERCHANT_DAMAGED_FIRST = 18
MERCHANT_EXPIRY_FIRST = 19
MERCHANT_COUNT = 20
CREDITOR_AGENT_FIRST = 21
CREDITOR_CUMULATIVE_FIRST = 22
CREDITOR_COUNT = 23
ROUTE_SET = 24
STATIC_THRESHOLD = 25
DYNAMIC_LIFE_US = 26
CODE_AGE_TABLE = 27
DAMAGED_THRESHOLD = 28
STREAM = 29
AMOUNT_LEAST = 30
INSTRUMENT_COUNT = 31
INSTRUMENT_FIRST = 32
INSTRUMENT_CUMULATIVE_FIRST = 33
SECOND_CUMULATIVE_FIRST = 34
INSTRUMENT_ROUTE_SET_FIRST = 35
DEBTOR_CLASS_FIRST = 36
DEBTOR_CLASSES = 37
"""Classes of payers' institutions by their routes; 1: all have the same."""
CREDITOR_CLASS_FIRST = 38
CREDITOR_CLASSES = 39
SETTING_WIDTH = 40

# Columns of ``Streams.state``: the stream's next payment.
NEXT_TIME_US = 0
NEXT_N = 1
NEXT_HAZARD = 2
SEGMENT = 3
STATE_WIDTH = 4

# Places in ``Streams.purpose``, in the order of ``workload.PURPOSES``.
_ARRIVAL = 0
_AMOUNT_PAYER = 1
_AGENTS_MERCHANT = 2
_CODE = 3
_CODE_AGE = 4
_INSTRUMENTS = 5

_W_TIME_US = int(WorkloadColumn.TIME_US)
_W_STREAM = int(WorkloadColumn.STREAM)
_W_ORDINAL = int(WorkloadColumn.ORDINAL)
_W_ROUTE_SET = int(WorkloadColumn.ROUTE_SET)
_W_AMOUNT = int(WorkloadColumn.AMOUNT)
_W_PAYER = int(WorkloadColumn.PAYER)
_W_DEBTOR_AGENT = int(WorkloadColumn.DEBTOR_AGENT)
_W_CREDITOR_AGENT = int(WorkloadColumn.CREDITOR_AGENT)
_W_CODE_STATE = int(WorkloadColumn.CODE_STATE)
_W_CODE_EXPIRY_US = int(WorkloadColumn.CODE_EXPIRY_US)
_W_MERCHANT = int(WorkloadColumn.MERCHANT)
_W_INSTRUMENT = int(WorkloadColumn.INSTRUMENT)
_W_ROUTE_SET_2 = int(WorkloadColumn.ROUTE_SET_2)
_W_INSTRUMENT_2 = int(WorkloadColumn.INSTRUMENT_2)


class Streams(NamedTuple):
    """All streams as arrays, a row or a stretch for each."""

    key: Array
    """(streams, 4)."""
    purpose: Array
    """(5,): purpose ids; in an array, because a constant would be compiled into a copy of the
    generator for each."""
    setting: Array
    """(streams, SETTING_WIDTH)."""
    pool: Array
    """(n,): breakpoints, agents, thresholds and merchants of all streams."""
    written: Array
    """(n, WORKLOAD_WIDTH): written payments of all streams."""
    table: Array
    """(n,): quantile tables of the plan, and the unit exponential behind them."""
    state: Array
    """(streams, STATE_WIDTH)."""
    heap: Array
    """(streams + 1,): number of streams that go on, then their indices."""


@compiled
def begin(streams: Streams, horizon_us: int, exponential: int) -> None:
    """Find the first payment of every stream.

    Parameters
    ----------
    streams : Streams
        Streams in ascending order; their state and heap are set.
    horizon_us : int
        No payment is made from here on.
    exponential : int
        Offset of the unit exponential in ``streams.table``.
    """
    heap = streams.heap
    size = 0
    for s in range(len(streams.setting)):
        streams.state[s, NEXT_N] = -1
        streams.state[s, NEXT_HAZARD] = 0
        streams.state[s, SEGMENT] = 0
        if _advance(streams, s, horizon_us, exponential):
            size += 1
            heap[size] = s
    heap[0] = size
    # A heap counted from 1, whose place 0 is its size; rows with children are put in order from
    # below.
    for at in range(size // 2, 0, -1):
        _sift(streams, at)


@compiled
def fill(streams: Streams, horizon_us: int, exponential: int, out: Array) -> int:
    """Write the next payments of all streams in order of (time, stream, n).

    Parameters
    ----------
    streams, horizon_us, exponential
        As for :func:`begin`, which must have been called.
    out : ndarray of int64, shape (rows, WORKLOAD_WIDTH)
        Receives the rows.

    Returns
    -------
    int
        Rows written; fewer than ``out`` has only when no stream has another payment.
    """
    heap = streams.heap
    # The earliest of all streams' next payments, written down and replaced by that stream's
    # next.
    for row in range(len(out)):
        if heap[0] == 0:
            return row
        s = int(heap[1])
        if streams.setting[s, IS_WRITTEN]:
            _copy(streams, s, out, row)
        else:
            _draw(streams, s, out, row)
        if not _advance(streams, s, horizon_us, exponential):
            # A stream without another payment leaves, and the last one takes its place.
            heap[1] = heap[heap[0]]
            heap[0] -= 1
        _sift(streams, min(1, int(heap[0])))
    return len(out)


@compiled
def skewed_payer(u62: int, payers: int, skew: int) -> int:
    """Return ``floor(payers * u^skew)`` for ``u = u62 / 2^62``; payer 0 is the busiest."""
    power = u62
    for _ in range(skew - 1):
        power = high62(power, u62)
    return high62(power, payers)


@compiled
def _draw_pair(streams: Streams, s: int, n: int, purpose_at: int) -> tuple[int, int]:
    """Draw two numbers from 0 to 2^62 - 1, as ``lookup.draw62_pair`` does with visit 0.

    Notes
    -----
    Taking the words from the matrix of keys spares a view, which costs as much as the draw.
    """
    key = streams.key
    purpose = int(streams.purpose[purpose_at])
    k0, k1, k2, k3 = int(key[s, 0]), int(key[s, 1]), int(key[s, 2]), int(key[s, 3])
    # A visit written as 0 would have the draw compiled once more, for that number alone.
    visit = int(np.int64(0))
    w0, w1, w2, w3 = threefry4x32(k0, k1, k2, k3, n & MASK32, n >> 32, purpose, visit)
    return (w0 << 30) | (w1 >> 2), (w2 << 30) | (w3 >> 2)


@compiled
def _advance(streams: Streams, s: int, horizon_us: int, exponential: int) -> bool:
    """Find the stream's next payment; False if there is none."""
    setting = streams.setting
    state = streams.state
    pool = streams.pool
    # Ordinals count every payment there might have been, so they do not depend on the horizon.
    n = int(state[s, NEXT_N]) + 1
    if n >= setting[s, COUNT]:
        return False
    state[s, NEXT_N] = n
    if setting[s, IS_WRITTEN]:
        time_us = int(streams.written[setting[s, WRITTEN_FIRST] + n, _W_TIME_US])
        state[s, NEXT_TIME_US] = time_us
        return time_us < horizon_us
    # Unit exponentials added up along the stream: where the sum meets the expected number is
    # the payment's time. A higher rate moves payments closer and changes nothing else.
    u62, _ = _draw_pair(streams, s, n, _ARRIVAL)
    hazard = int(state[s, NEXT_HAZARD]) + quantile(streams.table, exponential, u62)
    state[s, NEXT_HAZARD] = hazard
    first = int(setting[s, HAZARD_FIRST])
    # Beyond what is expected up to the horizon.
    if hazard >= pool[first + setting[s, HAZARD_COUNT] - 1]:
        return False
    # Time never goes back, so the search goes on where it stopped. A stretch in which nothing
    # is expected has no width and is passed over.
    at = int(state[s, SEGMENT])
    while pool[first + at + 1] <= hazard:
        at += 1
    state[s, SEGMENT] = at
    below = int(pool[first + at])
    start = int(pool[setting[s, HAZARD_TIME_FIRST] + at])
    end = int(pool[setting[s, HAZARD_TIME_FIRST] + at + 1])
    shift = int(pool[setting[s, HAZARD_SHIFT_FIRST] + at])
    time_us = start + scaled(hazard - below, int(pool[first + at + 1]) - below, end - start, shift)
    state[s, NEXT_TIME_US] = time_us
    return time_us < horizon_us


@compiled
def _is_before(streams: Streams, a: int, b: int) -> bool:
    """Tell whether the next payment of stream a comes before that of stream b."""
    time_a = streams.state[a, NEXT_TIME_US]
    time_b = streams.state[b, NEXT_TIME_US]
    # The stream decides at one instant, as payments are numbered in this order.
    return time_a < time_b or (time_a == time_b and a < b)


@compiled
def _sift(streams: Streams, at: int) -> None:
    """Let the stream at a place of the heap sink to where it belongs."""
    heap = streams.heap
    size = int(heap[0])
    if size == 0:
        return
    moving = int(heap[at])
    while 2 * at <= size:
        child = 2 * at
        if child < size and _is_before(streams, int(heap[child + 1]), int(heap[child])):
            child += 1
        if _is_before(streams, moving, int(heap[child])):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = moving


@compiled
def _copy(streams: Streams, s: int, out: Array, row: int) -> None:
    """Write a written payment."""
    source = int(streams.setting[s, WRITTEN_FIRST] + streams.state[s, NEXT_N])
    for column in range(out.shape[1]):
        out[row, column] = streams.written[source, column]


@compiled
def _draw(streams: Streams, s: int, out: Array, row: int) -> None:
    """Draw everything about the stream's next payment but its time, and write it."""
    setting = streams.setting
    n = int(streams.state[s, NEXT_N])
    out[row, _W_TIME_US] = streams.state[s, NEXT_TIME_US]
    out[row, _W_STREAM] = setting[s, STREAM]
    out[row, _W_ORDINAL] = n

    # A block is drawn only where one of its two numbers decides something.
    amount = int(setting[s, AMOUNT_FIXED])
    payer = 0
    if amount < 0 or setting[s, PAYERS] > 1:
        amount62, payer62 = _draw_pair(streams, s, n, _AMOUNT_PAYER)
        if amount < 0:
            amount = quantile(streams.table, int(setting[s, AMOUNT_TABLE]), amount62)
            granule = int(setting[s, AMOUNT_GRANULE])
            # Nobody pays nothing: below one granule it is one granule, or what a scheme asks for.
            amount = max(amount - amount % granule, granule, int(setting[s, AMOUNT_LEAST]))
        payer = skewed_payer(payer62, int(setting[s, PAYERS]), int(setting[s, PAYER_SKEW]))
    out[row, _W_AMOUNT] = amount
    out[row, _W_PAYER] = payer

    debtor62 = 0
    creditor62 = 0
    if (
        setting[s, DEBTOR_COUNT] > 1
        or setting[s, MERCHANT_COUNT] > 1
        or setting[s, CREDITOR_COUNT] > 1
    ):
        debtor62, creditor62 = _draw_pair(streams, s, n, _AGENTS_MERCHANT)
    debtor = _debtor_agent(streams, s, debtor62)
    out[row, _W_DEBTOR_AGENT] = debtor
    first, second = _draw_instruments(streams, s, out, row)
    # A stretch of routes for each instrument, of those for each class of payers' institutions.
    payers = _class(streams, s, DEBTOR_CLASS_FIRST, debtor) * max(1, setting[s, INSTRUMENT_COUNT])
    first += payers
    second += payers
    if setting[s, MERCHANT_COUNT] > 0:
        pool = streams.pool
        # All payees of a pool are equally likely; banks have more of them by their share.
        at = index_below(creditor62, int(setting[s, MERCHANT_COUNT]))
        out[row, _W_MERCHANT] = pool[setting[s, MERCHANT_FIRST] + at]
        out[row, _W_CREDITOR_AGENT] = pool[setting[s, MERCHANT_AGENT_FIRST] + at]
        routes = setting[s, MERCHANT_ROUTE_SET_FIRST] + at
        out[row, _W_ROUTE_SET] = pool[routes + first * setting[s, MERCHANT_COUNT]]
        out[row, _W_ROUTE_SET_2] = pool[routes + second * setting[s, MERCHANT_COUNT]]
        out[row, _W_CODE_STATE], out[row, _W_CODE_EXPIRY_US] = _draw_code(streams, s, at)
        return
    out[row, _W_CODE_STATE] = 0
    out[row, _W_CODE_EXPIRY_US] = NEVER_US
    out[row, _W_MERCHANT] = -1
    agent = -1
    if setting[s, CREDITOR_COUNT] > 0:
        begin = int(setting[s, CREDITOR_CUMULATIVE_FIRST])
        last = begin + int(setting[s, CREDITOR_COUNT])
        at = weighted_index(creditor62, streams.pool, begin, last) - begin
        agent = int(streams.pool[setting[s, CREDITOR_AGENT_FIRST] + at])
    out[row, _W_CREDITOR_AGENT] = agent
    _take_routes(streams, s, out, row, first, second)


@compiled
def _take_routes(streams: Streams, s: int, out: Array, row: int, first: int, second: int) -> None:
    """Write the routes of a payment to a payee without code, by places of both instruments."""
    setting = streams.setting
    out[row, _W_ROUTE_SET] = setting[s, ROUTE_SET]
    out[row, _W_ROUTE_SET_2] = -1
    classes = int(setting[s, CREDITOR_CLASSES])
    if setting[s, INSTRUMENT_COUNT] == 0 and classes == 1 and setting[s, DEBTOR_CLASSES] == 1:
        return
    payee = _class(streams, s, CREDITOR_CLASS_FIRST, int(out[row, _W_CREDITOR_AGENT]))
    routes = setting[s, INSTRUMENT_ROUTE_SET_FIRST] + payee
    out[row, _W_ROUTE_SET] = streams.pool[routes + first * classes]
    out[row, _W_ROUTE_SET_2] = streams.pool[routes + second * classes]


@compiled
def _class(streams: Streams, s: int, column: int, agent: int) -> int:
    """Return the class of an institution; the column of its classes' number is the next one."""
    setting = streams.setting
    if agent < 0 or setting[s, column + 1] == 1:
        return 0
    return int(streams.pool[setting[s, column] + agent])


@compiled
def _draw_instruments(streams: Streams, s: int, out: Array, row: int) -> tuple[int, int]:
    """Draw what the payer carries; return the places of both among the stream's instruments."""
    setting = streams.setting
    out[row, _W_INSTRUMENT] = 0
    out[row, _W_INSTRUMENT_2] = 0
    count = int(setting[s, INSTRUMENT_COUNT])
    if count == 0:
        return 0, 0
    first62, second62 = _draw_pair(streams, s, int(streams.state[s, NEXT_N]), _INSTRUMENTS)
    begin = int(setting[s, INSTRUMENT_CUMULATIVE_FIRST])
    first = weighted_index(first62, streams.pool, begin, begin + count) - begin
    out[row, _W_INSTRUMENT] = streams.pool[setting[s, INSTRUMENT_FIRST] + first]
    # Past the last threshold there is no second one.
    thresholds = setting[s, SECOND_CUMULATIVE_FIRST] + first * count
    second = 0
    while second < count and second62 >= streams.pool[thresholds + second]:
        second += 1
    if second == count:
        return first, 0
    out[row, _W_INSTRUMENT_2] = streams.pool[setting[s, INSTRUMENT_FIRST] + second]
    return first, second


@compiled
def _debtor_agent(streams: Streams, s: int, u62: int) -> int:
    """Choose the debtor agent by shares; -1 where the stream has none."""
    setting = streams.setting
    if setting[s, DEBTOR_COUNT] == 0:
        return -1
    first = int(setting[s, DEBTOR_CUMULATIVE_FIRST])
    at = weighted_index(u62, streams.pool, first, first + int(setting[s, DEBTOR_COUNT])) - first
    return int(streams.pool[setting[s, DEBTOR_AGENT_FIRST] + at])


@compiled
def _draw_code(streams: Streams, s: int, at: int) -> tuple[int, int]:
    """Return state and expiry of the code on the counter of a merchant of the pool."""
    setting = streams.setting
    pool = streams.pool
    n = int(streams.state[s, NEXT_N])
    damaged = int(pool[setting[s, MERCHANT_DAMAGED_FIRST] + at])
    expiry_us = int(pool[setting[s, MERCHANT_EXPIRY_FIRST] + at])
    static62 = 0
    damaged62 = 0
    if setting[s, DAMAGED_THRESHOLD] > 0 or setting[s, STATIC_THRESHOLD] < CERTAIN:
        static62, damaged62 = _draw_pair(streams, s, n, _CODE)
    # A code given with its own expiry is what it is; chance makes the others static or dynamic.
    if expiry_us == NEVER_US and static62 >= setting[s, STATIC_THRESHOLD]:
        expiry_us = int(streams.state[s, NEXT_TIME_US] + setting[s, DYNAMIC_LIFE_US])
        if setting[s, CODE_AGE_TABLE] >= 0:
            age62, _ = _draw_pair(streams, s, n, _CODE_AGE)
            expiry_us -= quantile(streams.table, int(setting[s, CODE_AGE_TABLE]), age62)
    if damaged62 < setting[s, DAMAGED_THRESHOLD]:
        damaged = 1
    return damaged, expiry_us

"""What listed payments leave open, drawn as for payments that come at a rate.

Takes the list of one stream, with -1 where a payment does not say something; gives complete rows.
The draws are those of :mod:`sim.workload.loop`, number for number: a list that says of every
payment what was drawn for it once gives the same payments again, and so does one that leaves
everything open but times and amounts. They are made on whole columns, so nothing is compiled for a
short list.
"""

from __future__ import annotations

import numpy as np

from sim.contract.layout import CERTAIN, NEVER_US
from sim.contract.plan import Array
from sim.contract.records import WorkloadColumn
from sim.draws.arrays import draw_array_pair
from sim.workload.stream_demand import StreamDemand, classes

C = WorkloadColumn
_HALF_BITS = 31
_HALF_MASK = (1 << _HALF_BITS) - 1


def complete(demand: StreamDemand, table: Array) -> Array:
    """Return the listed payments of a stream, with everything drawn that was open.

    Parameters
    ----------
    demand : StreamDemand
        With ``written``.
    table : ndarray of int64
        ``Plan.table``.
    """
    assert demand.written is not None
    rows = demand.written.copy()
    _take_payers(demand, rows)
    debtors, creditors = draw_array_pair(demand.key, rows[:, C.ORDINAL], "agents+merchant")
    is_open = rows[:, C.DEBTOR_AGENT] < 0
    if len(demand.debtor_agent):
        at = _chosen(demand.debtor_cumulative62, debtors[is_open])
        rows[is_open, C.DEBTOR_AGENT] = demand.debtor_agent[at]
    if len(demand.merchant):
        _take_merchants(demand, rows, creditors)
        _take_codes(demand, rows, table)
    else:
        rows[rows[:, C.CODE_STATE] < 0, C.CODE_STATE] = 0
        is_open = rows[:, C.CREDITOR_AGENT] < 0
        if len(demand.creditor_agent):
            at = _chosen(demand.creditor_cumulative62, creditors[is_open])
            rows[is_open, C.CREDITOR_AGENT] = demand.creditor_agent[at]
    _take_instruments(demand, rows)
    return rows


def _take_payers(demand: StreamDemand, rows: Array) -> None:
    """Draw who pays: the busiest payers have the lowest numbers."""
    is_open = rows[:, C.PAYER] < 0
    if not is_open.any():
        return
    _, draws = draw_array_pair(demand.key, rows[is_open, C.ORDINAL], "amount+payer")
    power = draws
    for _ in range(demand.payer_skew - 1):
        power = _high62(power, draws)
    rows[is_open, C.PAYER] = _high62(power, np.full_like(power, demand.payers))


def _high62(a: Array, b: Array) -> Array:
    """Return ``floor(a * b / 2^62)``, as ``loop.high62`` does number by number."""
    a_high, a_low = a >> _HALF_BITS, a & _HALF_MASK
    b_high, b_low = b >> _HALF_BITS, b & _HALF_MASK
    middle = a_high * b_low + a_low * b_high + ((a_low * b_low) >> _HALF_BITS)
    found: Array = a_high * b_high + (middle >> _HALF_BITS)
    return found


def _take_merchants(demand: StreamDemand, rows: Array, draws: Array) -> None:
    """Draw whose code is shown: any, or one of the bank that is named."""
    is_open = rows[:, C.MERCHANT] < 0
    for agent in np.unique(rows[is_open, C.CREDITOR_AGENT]).tolist():
        mine = is_open & (rows[:, C.CREDITOR_AGENT] == agent)
        pool = np.arange(len(demand.merchant))
        if agent >= 0:
            pool = np.flatnonzero(demand.merchant_agent == agent)
        # As ``lookup.index_below``.
        at = pool[((draws[mine] >> _HALF_BITS) * len(pool)) >> _HALF_BITS]
        rows[mine, C.MERCHANT] = demand.merchant[at]
    # A merchant that is named brings its bank, where the list does not say another one.
    is_open = rows[:, C.CREDITOR_AGENT] < 0
    rows[is_open, C.CREDITOR_AGENT] = demand.merchant_agent[_place(demand, rows[is_open])]


def _place(demand: StreamDemand, rows: Array) -> Array:
    """Return the place in the pool of each payment's merchant."""
    found: Array = np.searchsorted(demand.merchant, rows[:, C.MERCHANT])
    return found


def _take_codes(demand: StreamDemand, rows: Array, table: Array) -> None:
    """Draw in which state the codes are that payers meet, where the list does not say."""
    at = np.flatnonzero(rows[:, C.CODE_STATE] < 0)
    if len(at) == 0:
        return
    place = _place(demand, rows)[at]
    damaged, expiry = demand.merchant_is_damaged[place], demand.merchant_expiry_us[place]
    ordinals = rows[at, C.ORDINAL]
    if demand.damaged_threshold62 > 0 or demand.static_threshold62 < CERTAIN:
        statics, torn = draw_array_pair(demand.key, ordinals, "code")
        damaged = np.where(torn < demand.damaged_threshold62, 1, damaged)
        # A code given with its own expiry is what it is.
        ages = (expiry == NEVER_US) & (statics >= demand.static_threshold62)
        expiry = np.where(ages, rows[at, C.TIME_US] + demand.dynamic_life_us, expiry)
        if demand.code_age_table >= 0 and ages.any():
            from sim.draws.lookup import quantile_many

            draws, _ = draw_array_pair(demand.key, ordinals[ages], "code_age")
            spent = np.empty(len(draws), dtype=np.int64)
            quantile_many(table, demand.code_age_table, draws, spent)
            expiry[ages] -= spent
    rows[at, C.CODE_STATE], rows[at, C.CODE_EXPIRY_US] = damaged, expiry


def _take_instruments(demand: StreamDemand, rows: Array) -> None:
    """Draw what the payers of listed payments carry, and the routes it opens to them."""
    count = len(demand.instrument)
    if not count:
        for column in (C.INSTRUMENT, C.INSTRUMENT_2):
            rows[rows[:, column] < 0, column] = 0
        if demand.has_classes:
            nothing = np.zeros(len(rows), dtype=np.int64)
            _take_routes(demand, rows, nothing, nothing)
            return
        is_open = rows[:, C.ROUTE_SET] < 0
        pool = len(demand.merchant)
        place = _place(demand, rows[is_open]) if pool else None
        routes = demand.default_route_set if place is None else demand.merchant_route_set[place]
        rows[is_open, C.ROUTE_SET] = routes
        rows[is_open, C.ROUTE_SET_2] = routes if pool else -1
        return
    firsts, seconds = draw_array_pair(demand.key, rows[:, C.ORDINAL], "instruments")
    said, said_second = rows[:, C.INSTRUMENT], rows[:, C.INSTRUMENT_2]
    drawn = _chosen(demand.instrument_cumulative62, firsts)
    first = np.where(said > 0, np.searchsorted(demand.instrument, said), drawn)
    table = demand.second_cumulative62.reshape(count, count)
    # How many thresholds a draw has passed says which second one it is; past all there is none.
    second = (seconds[:, None] >= table[first]).sum(axis=1)
    second = np.where(said_second > 0, np.searchsorted(demand.instrument, said_second), second)
    second = np.where(said_second == 0, count, second)
    has_second = second < count
    of = np.where(has_second, second, 0)
    rows[:, C.INSTRUMENT] = demand.instrument[first]
    # Without a second instrument nothing is ever looked up in its routes.
    rows[:, C.INSTRUMENT_2] = np.where(has_second, demand.instrument[of], 0)
    _take_routes(demand, rows, first, of)


def _take_routes(demand: StreamDemand, rows: Array, first: Array, second: Array) -> None:
    """Write the routes payments have, by the places of both instruments and by whose they are."""
    pool = len(demand.merchant)
    payees = pool or classes(demand.creditor_class)
    sets = demand.merchant_route_set if pool else demand.instrument_route_set
    payee = (
        _place(demand, rows) if pool else _class(demand.creditor_class, rows[:, C.CREDITOR_AGENT])
    )
    payer = _class(demand.debtor_class, rows[:, C.DEBTOR_AGENT]) * max(1, len(demand.instrument))
    rows[:, C.ROUTE_SET] = sets[(payer + first) * payees + payee]
    rows[:, C.ROUTE_SET_2] = sets[(payer + second) * payees + payee]


def _class(of_agents: Array, agents: Array) -> Array:
    """Return the class of each institution; nobody is in the first one."""
    if not len(of_agents):
        return np.zeros(len(agents), dtype=np.int64)
    found: Array = np.where(agents >= 0, of_agents[np.maximum(agents, 0)], 0)
    return found


def _chosen(cumulative62: Array, draws: Array) -> Array:
    """Return, as ``lookup.weighted_index``, the first whose threshold is above each draw."""
    # To the right of an equal threshold, since a draw hits strictly below it.
    found: Array = np.searchsorted(cumulative62, draws, side="right")
    return found

"""Gather what the measures of places are computed from: stations, ledgers, accounts, obligations.

Takes the plan and the engine's totals (already limited to [warm-up, horizon)); gives their measures
by name, as the catalogue defines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sim.analysis.catalogue import PLACE_MEASURES, measured
from sim.analysis.definition import LEDGER
from sim.analysis.liquidity import holding_of, whole
from sim.analysis.of_accounts import ACCOUNT_MEASURES
from sim.analysis.rates import common_currency
from sim.analysis.sources import QUANTILES, AccountUse, Amount, Netting, Place, ratio
from sim.analysis.summary import Measures
from sim.contract.agenda import AgendaKind
from sim.contract.guards import GuardColumn
from sim.contract.layout import (
    NULL,
    AccountColumn,
    AgendaColumn,
    LedgerColumn,
    ObligationColumn,
    PricingColumn,
    RouteColumn,
    StationColumn,
)
from sim.contract.loads import LoadColumn
from sim.contract.plan import Array, Plan
from sim.contract.records import AccountTotal, LedgerTotal, StationTotal
from sim.contract.run import Totals
from sim.tables.durations import Between, Durations
from sim.tables.positions import PositionFolder
from sim.tables.spans import Spans

UNLIMITED_SERVERS = 1 << 31
"""From so many servers on, a station has no utilisation to speak of."""


def station_measures(plan: Plan, totals: Totals) -> dict[str, Measures]:
    """Return the measures of every station and ledger.

    Notes
    -----
    Utilisation of a station is busy servers over the servers there, fewer while a degradation takes
    some away; of a ledger, payments and load included over what its block limit of the time admits
    at one round per interval. Waits of a ledger run from joining to commit, and are of payments
    alone, as is all else but what is said to be of load.
    """
    found: dict[str, Measures] = {
        name: measured(PLACE_MEASURES, "station", _station(plan, totals, at))
        for at, name in enumerate(plan.names.stations)
    }
    for at, name in enumerate(plan.names.ledgers):
        found[name] = measured(PLACE_MEASURES, LEDGER, _ledger(plan, totals, at))
    return found


def _station(plan: Plan, totals: Totals, at: int) -> Place:
    waits = _p99(totals.station_wait[at])
    return station_place(
        plan, at, totals.station[at].tolist(), Spans.of_run(plan), wait_p99_us=waits
    )


def station_place(
    plan: Plan, at: int, total: Sequence[int], spans: Spans, *, wait_p99_us: Between | None = None
) -> Place:
    """Return what is told of a station over some spans.

    Parameters
    ----------
    plan : Plan
    at : int
        Its number.
    total : sequence of int
        What it counted in them, see :class:`~sim.contract.records.StationTotal`.
    spans : Spans
    wait_p99_us : Between, optional
        The wait that 99 % did not exceed, where it is known.
    """
    servers = int(plan.station[at, StationColumn.SERVERS])
    there = _size_area(plan, AgendaKind.STATION_SERVERS, at, servers, spans)
    return Place(
        spans.length_us,
        used=total[StationTotal.BUSY_AREA],
        capacity=there if servers < UNLIMITED_SERVERS else 0,
        queue_area=total[StationTotal.QUEUE_AREA],
        queue_max=total[StationTotal.QUEUE_MAX],
        served=total[StationTotal.STARTS],
        wait_sum_us=total[StationTotal.WAIT_SUM_US],
        wait_p99_us=wait_p99_us,
        refused=total[StationTotal.REFUSED],
    )


def _ledger(plan: Plan, totals: Totals, at: int) -> Place:
    waits = _p99(totals.ledger_wait[at])
    return ledger_place(plan, at, totals.ledger[at].tolist(), Spans.of_run(plan), wait_p99_us=waits)


def ledger_place(
    plan: Plan,
    at: int,
    total: Sequence[int],
    spans: Spans,
    *,
    wait_p99_us: Between | None = None,
    tells_load: bool = True,
) -> Place:
    """Return what is told of a ledger over some spans; parameters as of :func:`station_place`.

    Of load only how much was carried is known between two readings, and not how much waited.
    """
    limit = int(plan.ledger[at, LedgerColumn.BLOCK_LIMIT])
    included, blocks = total[LedgerTotal.INCLUDED], total[LedgerTotal.BLOCKS]
    carried = total[LedgerTotal.LOAD]
    has_load = tells_load and bool(plan.load[at, LoadColumn.COUNT] > 0)
    return Place(
        spans.length_us,
        used=(included + carried) * int(plan.ledger[at, LedgerColumn.ROUND_INTERVAL_US]),
        capacity=_size_area(plan, AgendaKind.LEDGER_BLOCK, at, limit, spans),
        queue_area=total[LedgerTotal.QUEUE_AREA],
        queue_max=total[LedgerTotal.QUEUE_MAX],
        served=included,
        wait_sum_us=total[LedgerTotal.WAIT_SUM_US],
        wait_p99_us=wait_p99_us,
        blocks=blocks,
        rounds=total[LedgerTotal.ROUNDS],
        block_capacity=blocks * limit,
        load=(carried, total[LedgerTotal.LOAD_MAX], total[LedgerTotal.LOAD_END])
        if has_load
        else None,
    )


def _size_area(plan: Plan, kind: AgendaKind, place: int, size: int, spans: Spans) -> int:
    """Return a size of a place times the time it was so within spans, as the agenda changes it."""
    agenda = plan.agenda
    changes = (agenda[:, AgendaColumn.KIND] == kind) & (agenda[:, AgendaColumn.SUBJECT] == place)
    rows = agenda[changes][:, [AgendaColumn.TIME_US, AgendaColumn.AMOUNT]].tolist()
    begins = [0, *(at_us for at_us, _ in rows)]
    sizes = [size, *(amount for _, amount in rows)]
    ends = [*begins[1:], plan.horizon_us]
    return sum(
        each * max(0, min(end, last) - max(begin, first))
        for first, last in zip(spans.first.tolist(), spans.last.tolist(), strict=True)
        for begin, end, each in zip(begins, ends, sizes, strict=True)
    )


def _p99(waits: Array) -> Between | None:
    """Return the wait that 99 % did not exceed, from a histogram."""
    return Durations.of_histogram(waits).quantile(QUANTILES["p99"])


def account_measures(plan: Plan, totals: Totals) -> dict[str, Measures]:
    """Return the measures of every watched account and of those somebody waited for."""
    span_us = plan.horizon_us - plan.warm_up_us
    found: dict[str, Measures] = {}
    for at, name in enumerate(plan.names.accounts):
        total = [int(value) for value in totals.account[at]]
        watched = bool(plan.account[at, AccountColumn.WATCHED] == 1)
        delayed, lost = total[AccountTotal.DELAYED], total[AccountTotal.LOST]
        if not watched and delayed == 0 and lost == 0:
            continue
        held, guard = holding_of(plan, totals, at), plan.guard[at]
        use = AccountUse(
            plan.names.currencies[int(plan.account[at, AccountColumn.CURRENCY])],
            low=total[AccountTotal.LOW] if watched else None,
            mean=ratio(held.idle - held.overdrawn, span_us) if watched else None,
            end=total[AccountTotal.POSTED_END],
            delayed=delayed,
            lost=lost,
            missing=total[AccountTotal.MISSING],
            short_us=None
            if total[AccountTotal.SHORT_FIRST_US] == NULL
            else (total[AccountTotal.SHORT_FIRST_US], total[AccountTotal.SHORT_LAST_US]),
            idle=ratio(held.idle, span_us) if watched else None,
            idle_cost=whole(held.idle_cost) if watched else None,
            overdraft_cost=whole(held.overdraft_cost) if watched else None,
            alarms=None
            if guard[GuardColumn.ALARM_BELOW] == NULL
            else (total[AccountTotal.ALARMS], _or_none(total[AccountTotal.ALARM_FIRST_US])),
            closings=None
            if guard[GuardColumn.STOP_BELOW] == NULL
            else (
                total[AccountTotal.STOPS],
                _or_none(total[AccountTotal.STOP_FIRST_US]),
                total[AccountTotal.STOPPED_US],
            ),
        )
        found[name] = measured(ACCOUNT_MEASURES, "account", use)
    return found


def _or_none(instant_us: int) -> int | None:
    return None if instant_us == NULL else instant_us


def net_obligations(plan: Plan, positions: PositionFolder) -> Netting | None:
    """Return how far obligations cancel out within each scheme and currency, and the deepest debt.

    Notes
    -----
    Multilateral netting over the whole window between the obligors of one scheme in one currency:
    net is the sum of what net payers owe, gross the sum of all that stands. Only then are schemes
    and currencies added up, at the mid rates of the start. None where no route leaves anybody owing
    anything.
    """
    names, routes = plan.names.currencies, plan.obligation[:, ObligationColumn.ROUTE]
    settled = plan.pricing[plan.route[routes, RouteColumn.PRICING]]
    used = np.unique(settled[:, PricingColumn.CURRENCY_SETTLEMENT])
    if not len(used):
        return None
    common, worth = common_currency(plan, [names[int(at)] for at in used])
    if any(names[int(at)] not in worth for at in used):
        return Netting(None, Amount(None, common))
    gross = net = peak = Fraction(0)
    for at in used:
        rate, position = worth[names[int(at)]], positions.position[:, :, at]
        gross += int(positions.gross[:, at].sum()) * rate
        net += int(-position[position < 0].sum()) * rate
        peak = max(peak, int(-positions.lowest[:, :, at].min()) * rate)
    return Netting(float(1 - net / gross) if gross else None, Amount(round(peak), common))

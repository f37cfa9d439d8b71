"""Compute the measures of places: stations, ledgers, accounts, and what agents owe each other.

Takes the plan and the engine's totals (already limited to [warm-up, horizon)); gives measures by
name.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np

from sim.analysis.quantiles import histogram_quantiles
from sim.analysis.summary import Measure, Measures
from sim.contract.layout import AccountColumn, LedgerColumn, StationColumn
from sim.contract.plan import Array, Plan
from sim.contract.records import AREA_BITS, AccountTotal, LedgerTotal, StationTotal
from sim.contract.run import Totals
from sim.tables.positions import PositionFolder
from sim.units import SECOND_US

_COMMON_CURRENCY = "USD"
UNLIMITED_SERVERS = 1 << 31
"""From so many servers on, a station has no utilisation to speak of."""


def station_measures(plan: Plan, totals: Totals) -> dict[str, Measures]:
    """Return the measures of every station and ledger.

    Notes
    -----
    Utilisation of a station is busy servers over servers; of a ledger, payments included over what
    its block limit admits at one round per interval. Waits of a ledger run from joining to commit.
    """
    window_us = plan.horizon_us - plan.warm_up_us
    found: dict[str, Measures] = {}
    for at, name in enumerate(plan.names.stations):
        total = [int(value) for value in totals.station[at]]
        servers = int(plan.station[at, StationColumn.SERVERS])
        limited = servers if servers < UNLIMITED_SERVERS else 0
        starts = total[StationTotal.STARTS]
        found[name] = {
            "utilisation": Measure(
                _ratio(total[StationTotal.BUSY_AREA], limited * window_us), "share"
            ),
            "busy_mean": Measure(_ratio(total[StationTotal.BUSY_AREA], window_us), "servers"),
            "queue_mean": Measure(_ratio(total[StationTotal.QUEUE_AREA], window_us), "payments"),
            "queue_max": Measure(total[StationTotal.QUEUE_MAX], "payments"),
            "wait_mean": Measure(_ratio(total[StationTotal.WAIT_SUM_US], starts * SECOND_US), "s"),
            "wait_p99": _p99(totals.station_wait[at]),
            "block_fill_mean": Measure(None, "share"),
            "starts": Measure(starts, "payments"),
            "refused": Measure(total[StationTotal.REFUSED], "payments"),
        }
    for at, name in enumerate(plan.names.ledgers):
        found[name] = _ledger_measures(plan, totals, at)
    return found


def _ledger_measures(plan: Plan, totals: Totals, at: int) -> dict[str, Measure]:
    window_us = plan.horizon_us - plan.warm_up_us
    total = [int(value) for value in totals.ledger[at]]
    limit = int(plan.ledger[at, LedgerColumn.BLOCK_LIMIT])
    interval_us = int(plan.ledger[at, LedgerColumn.ROUND_INTERVAL_US])
    included, blocks = total[LedgerTotal.INCLUDED], total[LedgerTotal.BLOCKS]
    return {
        "utilisation": Measure(_ratio(included * interval_us, limit * window_us), "share"),
        "queue_mean": Measure(_ratio(total[LedgerTotal.QUEUE_AREA], window_us), "payments"),
        "queue_max": Measure(total[LedgerTotal.QUEUE_MAX], "payments"),
        "wait_mean": Measure(_ratio(total[LedgerTotal.WAIT_SUM_US], included * SECOND_US), "s"),
        "wait_p99": _p99(totals.ledger_wait[at]),
        "block_fill_mean": Measure(_ratio(included, blocks * limit), "share"),
        "blocks": Measure(blocks, "blocks"),
        "rounds": Measure(total[LedgerTotal.ROUNDS], "rounds"),
    }


def _p99(waits: Array) -> Measure:
    """Return the wait that 99 % did not exceed, from a histogram."""
    quantiles = histogram_quantiles(waits)
    return Measure(None if quantiles is None else quantiles["p99"] / SECOND_US, "s")


def account_measures(plan: Plan, totals: Totals) -> dict[str, Measures]:
    """Return the measures of every watched account and of those somebody waited for."""
    seconds = plan.horizon_us // SECOND_US - plan.warm_up_us // SECOND_US
    found: dict[str, Measures] = {}
    for at, name in enumerate(plan.names.accounts):
        total = [int(value) for value in totals.account[at]]
        watched = bool(plan.account[at, AccountColumn.WATCHED] == 1)
        delayed, lost = total[AccountTotal.DELAYED], total[AccountTotal.LOST]
        if not watched and delayed == 0 and lost == 0:
            continue
        currency = plan.names.currencies[int(plan.account[at, AccountColumn.CURRENCY])]
        minor = f"minor {currency}"
        area = total[AccountTotal.BALANCE_AREA]
        area += total[AccountTotal.BALANCE_AREA_HIGH] << AREA_BITS
        mean = _ratio(area, seconds) if watched else None
        found[name] = {
            "liquidity_low_minor": Measure(total[AccountTotal.LOW] if watched else None, minor),
            "balance_mean_minor": Measure(mean, minor),
            "balance_end_minor": Measure(total[AccountTotal.POSTED_END], minor),
            "delayed_for_liquidity": Measure(delayed, "payments"),
            "lost_for_liquidity": Measure(lost, "payments"),
        }
    return found


def netting_measures(plan: Plan, positions: PositionFolder) -> dict[str, Measure]:
    """Return how far obligations cancel out, and the deepest debt an agent ran up.

    Notes
    -----
    Multilateral netting over the whole window: net is the sum of what net payers owe, gross the sum
    of all settled amounts between different agents. Several settlement currencies are added up in
    one of them (dollars where there are any) at the mid rates of the start.
    """
    names = plan.names.currencies
    used = np.flatnonzero(positions.gross)
    common = _COMMON_CURRENCY
    if len(used) == 1 or common not in names:
        common = names[int(used[0])] if len(used) else common
    worth = _worth_in(plan, common) if len(used) else {}
    if not len(used) or any(names[int(at)] not in worth for at in used):
        return {
            "netting_ratio": Measure(None, "share"),
            "exposure_peak_minor": Measure(None, f"minor {common}"),
        }
    gross = net = Fraction(0)
    peak = Fraction(0)
    for at in used:
        rate = worth[names[int(at)]]
        column = positions.position[:, at]
        gross += int(positions.gross[at]) * rate
        net += int(-column[column < 0].sum()) * rate
        peak = max(peak, int(-positions.lowest[:, at].min()) * rate)
    return {
        "netting_ratio": Measure(float(1 - net / gross), "share"),
        "exposure_peak_minor": Measure(round(peak), f"minor {common}"),
    }


def _worth_in(plan: Plan, common: str) -> dict[str, Fraction]:
    """Return what one minor unit of each reachable currency is worth in another, at the start."""
    edges: dict[str, list[tuple[str, Fraction]]] = {}
    for at, pair in enumerate(plan.names.pairs):
        base, _, quote = pair.partition("/")
        rate = Fraction(int(plan.rate[at, 0]), int(plan.pair_scale[at]))
        # One unit of the base costs `rate` of the quote currency.
        edges.setdefault(quote, []).append((base, rate))
        edges.setdefault(base, []).append((quote, 1 / rate))
    worth = {common: Fraction(1)}
    queue = deque([common])
    while queue:
        known = queue.popleft()
        for other, rate in edges.get(known, []):
            if other not in worth:
                worth[other] = worth[known] * rate
                queue.append(other)
    return worth


def _ratio(part: float, whole: float) -> float | None:
    """Return a quotient, None where there is nothing to divide by."""
    return None if whole == 0 else part / whole

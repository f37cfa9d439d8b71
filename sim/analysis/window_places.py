"""Measures of stations, ledgers and accounts by window of time, from the readings at its ends.

Takes the plan and the engine's totals; gives measures by name: the window, its kind of place and
the place behind slashes. What no reading tells (quantiles of waits, when an account was first
short, what it lacked) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sim.analysis.catalogue import PLACE_MEASURES, measured
from sim.analysis.definition import LEDGER
from sim.analysis.liquidity import Holding, area_of, whole
from sim.analysis.of_accounts import ACCOUNT_MEASURES
from sim.analysis.places import ledger_place, station_place
from sim.analysis.sources import AccountUse, ratio
from sim.analysis.summary import Measures
from sim.contract.guards import GuardColumn
from sim.contract.layout import NULL, AccountColumn
from sim.contract.plan import Array, Plan
from sim.contract.records import AccountTotal, LedgerTotal, StationTotal
from sim.contract.run import Totals
from sim.contract.windows import WindowColumn, reading_instants
from sim.tables.spans import Spans

_OF_PLACES = tuple(one for one in PLACE_MEASURES if one.quantile is None)
_OF_ACCOUNTS = tuple(
    one
    for one in ACCOUNT_MEASURES
    if not one.name.endswith(("_first", "_last")) and one.name != "missing_minor"
)


class _Meters:
    """The readings of a run, and which of them lie at the ends of a window."""

    def __init__(self, plan: Plan, totals: Totals) -> None:
        self.plan, self.totals = plan, totals
        self._at_us = reading_instants(plan.window, plan.horizon_us)

    def spans(self, window: int) -> list[tuple[int, int]]:
        """Return the readings at the beginning and the end of each span of a window."""
        rows = self.plan.window[self.plan.window[:, WindowColumn.WINDOW] == window]
        first = np.searchsorted(self._at_us, rows[:, WindowColumn.FROM_US])
        # An end at the horizon, or beyond it, is the reading behind all others.
        last = np.searchsorted(self._at_us, rows[:, WindowColumn.TO_US])
        known = first < len(self._at_us)
        return list(zip(first[known].tolist(), last[known].tolist(), strict=True))


def window_places(plan: Plan, totals: Totals) -> dict[str, Measures]:
    """Return the measures of every place in every window of which something is measured."""
    meters, found = _Meters(plan, totals), dict[str, Measures]()
    for window, name in enumerate(plan.names.windows):
        spans, read = Spans.of_window(plan, window), meters.spans(window)
        if not spans.length_us:
            continue
        for at, station in enumerate(plan.names.stations):
            total = _counted(totals.station_reading[:, at], read, StationTotal.QUEUE_MAX)
            place = station_place(plan, at, total, spans)
            found[f"{name}/station/{station}"] = measured(_OF_PLACES, "station", place)
        for at, ledger in enumerate(plan.names.ledgers):
            total = _counted(totals.ledger_reading[:, at], read, LedgerTotal.QUEUE_MAX)
            place = ledger_place(plan, at, total, spans, tells_load=False)
            found[f"{name}/station/{ledger}"] = measured(_OF_PLACES, LEDGER, place)
        for account, use in _accounts(plan, totals, read, spans):
            found[f"{name}/account/{account}"] = measured(_OF_ACCOUNTS, "account", use)
    return found


def _counted(rows: Array, read: Sequence[tuple[int, int]], most: int) -> list[int]:
    """Return what was counted between readings, and the most of a column there."""
    total: Array = sum(
        (rows[last] - rows[first] for first, last in read), np.zeros(rows.shape[1], dtype=np.int64)
    )
    found: list[int] = total.tolist()
    found[most] = max(int(rows[first + 1 : last + 1, most].max()) for first, last in read)
    return found


def _accounts(
    plan: Plan, totals: Totals, read: Sequence[tuple[int, int]], spans: Spans
) -> Iterator[tuple[str, AccountUse]]:
    """Yield every watched account over some spans."""
    for at in np.flatnonzero(plan.account[:, AccountColumn.WATCHED] == 1).tolist():
        rows, guard = totals.account_reading[:, at], plan.guard[at]
        count = _counted(rows, read, AccountTotal.POSTED_END)
        balance, overdrawn = (_area(rows, read, of) for of in ("BALANCE", "OVERDRAWN"))
        held = Holding(
            balance + overdrawn,
            overdrawn,
            int(guard[GuardColumn.IDLE_PPB]),
            int(guard[GuardColumn.OVERDRAFT_PPB]),
        )
        low = min(int(rows[i + 1 : j + 1, AccountTotal.LOW].min()) for i, j in read)
        use = AccountUse(
            plan.names.currencies[int(plan.account[at, AccountColumn.CURRENCY])],
            low=low,
            mean=ratio(balance, spans.length_us),
            end=int(rows[read[-1][1], AccountTotal.POSTED_END]),
            delayed=count[AccountTotal.DELAYED],
            lost=count[AccountTotal.LOST],
            idle=ratio(held.idle, spans.length_us),
            idle_cost=whole(held.idle_cost),
            overdraft_cost=whole(held.overdraft_cost),
            alarms=None
            if guard[GuardColumn.ALARM_BELOW] == NULL
            else (count[AccountTotal.ALARMS], None),
            closings=None
            if guard[GuardColumn.STOP_BELOW] == NULL
            else (count[AccountTotal.STOPS], None, count[AccountTotal.STOPPED_US]),
        )
        yield plan.names.accounts[at], use


def _area(rows: Array, read: Sequence[tuple[int, int]], of: str) -> int:
    """Return an integral between readings, which its words alone do not subtract to."""
    return sum(
        area_of(rows[last].tolist(), of) - area_of(rows[first].tolist(), of) for first, last in read
    )

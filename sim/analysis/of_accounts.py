"""Measures of accounts: how low they were, who was harmed, what their money cost, what was watched.

Takes what :mod:`sim.analysis.sources` holds of an account; gives definitions to the catalogue.
"""

from __future__ import annotations

from sim.analysis.definition import Definition
from sim.analysis.kinds import AMOUNT, COUNT, TIME, TIMES, Better
from sim.analysis.sources import AccountUse
from sim.units import SECOND_US

_ACCOUNT = frozenset({"account"})
LOWER = Better.LOWER


def _instant(of: AccountUse, which: int) -> float | None:
    """Return when an account was short for the first or the last time, in seconds."""
    return None if of.short_us is None else of.short_us[which] / SECOND_US


def _part(of: tuple[int | None, ...] | None, which: int) -> int | None:
    """Return a part of what is told of an account, None where nothing is."""
    return None if of is None else of[which]


def _seconds(instant_us: int | None) -> float | None:
    return None if instant_us is None else instant_us / SECOND_US


ACCOUNT_MEASURES: tuple[Definition[AccountUse], ...] = (
    Definition("liquidity_low_minor", AMOUNT, _ACCOUNT, lambda of: of.low, "lowest"),
    Definition("balance_mean_minor", AMOUNT, _ACCOUNT, lambda of: of.mean),
    Definition("balance_end_minor", AMOUNT, _ACCOUNT, lambda of: of.end),
    Definition("delayed_for_liquidity", COUNT, _ACCOUNT, lambda of: of.delayed, "waited", LOWER),
    Definition("lost_for_liquidity", COUNT, _ACCOUNT, lambda of: of.lost, "refused", LOWER),
    Definition("missing_minor", AMOUNT, _ACCOUNT, lambda of: of.missing, "lacked", LOWER),
    Definition("short_first", TIME, _ACCOUNT, lambda of: _instant(of, 0), "short since"),
    Definition("short_last", TIME, _ACCOUNT, lambda of: _instant(of, 1), "short until"),
    Definition("idle_minor", AMOUNT, _ACCOUNT, lambda of: of.idle, "idle", LOWER),
    Definition(
        "idle_cost_minor", AMOUNT, _ACCOUNT, lambda of: of.idle_cost, "cost of funds", LOWER
    ),
    Definition(
        "overdraft_cost_minor",
        AMOUNT,
        _ACCOUNT,
        lambda of: of.overdraft_cost,
        "overdraft interest",
        LOWER,
    ),
    Definition("alarms", TIMES, _ACCOUNT, lambda of: _part(of.alarms, 0), better=LOWER),
    Definition(
        "alarm_first",
        TIME,
        _ACCOUNT,
        lambda of: _seconds(_part(of.alarms, 1)),
        "first alarm",
    ),
    Definition("channel_closings", TIMES, _ACCOUNT, lambda of: _part(of.closings, 0), better=LOWER),
    Definition(
        "channel_closed_first",
        TIME,
        _ACCOUNT,
        lambda of: _seconds(_part(of.closings, 1)),
        "channel first closed",
    ),
    Definition(
        "channel_closed_time",
        TIME,
        _ACCOUNT,
        lambda of: _seconds(_part(of.closings, 2)),
        "channel closed for",
        LOWER,
    ),
)

GUARD_COLUMNS: tuple[tuple[str, str, str | None], ...] = (
    ("alarms", "alarm_first", None),
    ("channel_closings", "channel_closed_first", "channel_closed_time"),
)
"""What is told of alarms and of channels: how often, when first, for how long."""
COST_COLUMNS = ("idle_minor", "idle_cost_minor", "overdraft_cost_minor")
"""What lay idle on the mean of time, and what that and an overdraft cost."""
PLACED = ("idle_prefunding_minor", "idle_prefunding_cost_minor", "overdraft_interest_minor")
"""The same of all accounts together, among the measures of a run."""

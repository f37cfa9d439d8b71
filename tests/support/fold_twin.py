"""Fold payments whole columns at a time, as a twin of the loop that folds them one by one.

Takes a plan, records and spans; gives the same sums in another way: every figure is a column of all
payments, and what belongs together is added up with NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.contract.layout import MICRO, NULL, RouteColumn, StreamColumn
from sim.contract.meaning import Cause, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.reasons import BUSINESS_REASONS, TECHNICAL_REASONS
from sim.contract.records import RecordColumn
from sim.tables.folding import BPS_SCALE, TALLY_WIDTH, WITHIN_US, Tally
from sim.tables.spans import Spans
from sim.units import SECOND_US

C = RecordColumn


@dataclass(frozen=True)
class Columns:
    """Sums by pair of stream and route, by agent, and durations by pair."""

    tally: dict[tuple[int, int], list[int]]
    maximum: dict[tuple[int, int], list[int]]
    reasons: dict[tuple[int, int], dict[tuple[int, int], int]]
    agent: Array
    peak: list[int]
    times: dict[tuple[int, int], list[int]]
    machine: dict[tuple[int, int], list[int]]
    ages: dict[tuple[int, int], list[int]]


def fold_columns(plan: Plan, rows: Array, spans: Spans) -> Columns:
    """Fold all records of a run at once."""
    outcome = rows[:, C.OUTCOME]
    done = (outcome == Outcome.COMPLETED) & spans.hold(rows[:, C.END_US])
    counts = spans.hold(rows[:, C.SUBMITTED_US])
    part = tally_rows(rows)
    promise = plan.stream[rows[:, C.STREAM], StreamColumn.PROMISE_US]
    is_open = outcome == Outcome.IN_PROGRESS
    credited, settled = rows[:, C.CREDITED_US] != NULL, rows[:, C.SETTLED_US] != NULL
    is_young = plan.horizon_us - rows[:, C.SUBMITTED_US] < promise
    part[:, Tally.OPEN_IN_TIME] = is_open & (is_young | credited)
    held = is_open & settled & ~credited
    part[:, Tally.HELD] = held
    part[:, Tally.HELD_AMOUNT] = np.where(held, np.maximum(rows[:, C.DEBITED], 0), 0)
    part[:, Tally.IN_DOUBT] = rows[:, C.IN_DOUBT_SINCE_US] != NULL
    part[~counts] = 0
    part[:, Tally.COMPLETED_IN_WINDOW] = done
    route = np.maximum(rows[:, C.ROUTE], -1)
    pairs = list(zip(rows[:, C.STREAM].tolist(), route.tolist(), strict=True))
    found = Columns({}, {}, {}, np.zeros((len(plan.agent_account), TALLY_WIDTH), dtype=np.int64),
                    _peak(plan, rows, done), {}, {}, {})  # fmt: skip
    kept = counts | done
    for pair in sorted({pair for pair, is_kept in zip(pairs, kept, strict=True) if is_kept}):
        at = np.array([pair == other for other in pairs])
        found.tally[pair] = part[at & kept].sum(axis=0).tolist()
        mine = at & counts
        completed = mine & (outcome == Outcome.COMPLETED)
        total = part[completed, Tally.END_TO_END_US]
        machine = np.maximum(total - part[completed, Tally.CAUSE_0_US + Cause.HUMAN], 0)
        still = mine & is_open & ~credited
        since = plan.horizon_us - rows[still & settled, C.SETTLED_US]
        found.times[pair], found.machine[pair] = sorted(total), sorted(machine)
        found.ages[pair] = sorted(plan.horizon_us - rows[still, C.SUBMITTED_US])
        found.maximum[pair] = [int(one.max(initial=0)) for one in (total, machine, since)]
        found.reasons[pair] = {}
        for key in zip(rows[mine, C.REASON].tolist(), outcome[mine].tolist(), strict=True):
            found.reasons[pair][key] = found.reasons[pair].get(key, 0) + 1
    settlement = np.append(plan.route[:, RouteColumn.SETTLEMENT_AGENT], np.int64(-1))[route]
    sides = np.stack([rows[:, C.DEBTOR_AGENT], rows[:, C.CREDITOR_AGENT], settlement])
    for agent in range(len(plan.agent_account)):
        # Once, however many parts it has.
        found.agent[agent] = part[(sides == agent).any(axis=0) & kept].sum(axis=0)
    return found


def _peak(plan: Plan, rows: Array, done: Array) -> list[int]:
    scope = plan.stream[rows[:, C.STREAM], StreamColumn.SCOPE]
    seconds = rows[:, C.END_US] // SECOND_US
    chosen = [done & (scope == 0), done & (scope == 1), done]
    return [int(np.unique(seconds[one], return_counts=True)[1].max(initial=0)) for one in chosen]


def tally_rows(rows: Array) -> Array:
    """Return what each record adds to a tally, one row per payment."""
    part = np.zeros((len(rows), TALLY_WIDTH), dtype=np.int64)
    outcome = rows[:, C.OUTCOME]
    part[:, Tally.SUBMITTED] = 1
    for member, column in (
        (Outcome.COMPLETED, Tally.COMPLETED),
        (Outcome.REJECTED, Tally.REJECTED),
        (Outcome.RETURNED, Tally.RETURNED),
        (Outcome.IN_PROGRESS, Tally.IN_PROGRESS),
    ):
        part[:, column] = outcome == member
    done = part[:, Tally.COMPLETED]
    is_done = done == 1
    # Up to the credit, which is what the customer waits for; what follows it counts in the
    # causes.
    total = np.where(is_done, rows[:, C.CREDITED_US] - rows[:, C.SUBMITTED_US], 0)
    part[:, Tally.END_TO_END_US] = total
    for at, limit in enumerate(WITHIN_US):
        # The bound itself is within.
        part[:, Tally.WITHIN_10S + at] = is_done & (total <= limit)
    times = slice(Tally.CAUSE_0_US, Tally.CAUSE_0_US + len(Cause))
    part[:, times] = rows[:, C.TIME_0 : C.TIME_0 + len(Cause)] * done[:, None]
    _tally_costs(rows, is_done, part)
    part[:, Tally.REQUOTES] = rows[:, C.REQUOTES]
    part[:, Tally.QUOTES_LAPSED] = rows[:, C.QUOTES_LAPSED]
    part[:, Tally.NOT_PAYABLE] = outcome == Outcome.NOT_PAYABLE
    is_sold_out = rows[:, C.REASON] == Reason.OUT_OF_STOCK
    part[:, Tally.SOLD_OUT] = part[:, Tally.NOT_PAYABLE] * is_sold_out
    part[:, Tally.FAILED_OVER] = rows[:, C.ATTEMPTS] > 1
    is_gone = rows[:, C.GONE_US] != NULL
    part[:, Tally.GONE] = is_gone
    part[:, Tally.GONE_DEBITED] = is_gone & (rows[:, C.SETTLED_US] != NULL)
    is_rejected = outcome == Outcome.REJECTED
    for reasons, column in (
        (BUSINESS_REASONS, Tally.BUSINESS),
        (TECHNICAL_REASONS, Tally.TECHNICAL),
    ):
        part[:, column] = is_rejected & np.isin(rows[:, C.REASON], reasons)
    return part


def _tally_costs(rows: Array, is_done: Array, part: Array) -> None:
    """Fill the cost columns: shares of the amount, in whole 1/BPS_SCALE bps, to the nearest."""
    scale = 1e4 * BPS_SCALE
    # Shares of an amount need one: payments without a price are left out of the mean, not
    # counted as free of charge.
    at = np.flatnonzero(is_done & (rows[:, C.PAYER_FEE] != NULL) & (rows[:, C.DEBITED] > 0))
    debited = rows[at, C.DEBITED]
    part[at, Tally.PRICED] = 1
    for source, column in (
        (C.PAYER_FEE, Tally.PAYER_FEE),
        (C.FX_MARGIN, Tally.FX_MARGIN),
        (C.FX_DRIFT, Tally.FX_DRIFT),
        (C.FX_RISK, Tally.FX_RISK),
        (C.FX_ROUNDING, Tally.FX_ROUNDING),
    ):
        cost = rows[at, source]
        cost = np.where(cost == NULL, 0, cost)
        if source == C.FX_ROUNDING:
            cost = cost / MICRO
        # Rounded payment by payment to a whole number, so that sums are exact and do not depend
        # on the order, or on how a run was cut into replications.
        part[at, column] = np.rint(cost * scale / debited).astype(np.int64)
    margin = rows[at, C.FX_MARGIN]
    part[at, Tally.PAYER_AMOUNT] = debited
    part[at, Tally.PAYER_COST] = rows[at, C.PAYER_FEE] + np.where(margin == NULL, 0, margin)
    at = np.flatnonzero(is_done & (rows[:, C.MERCHANT_FEE] != NULL) & (rows[:, C.CREDITED] > 0))
    fee = rows[at, C.MERCHANT_FEE]
    part[at, Tally.MERCHANT_PRICED] = 1
    share = fee * scale / (rows[at, C.CREDITED] + fee)
    part[at, Tally.MERCHANT_FEE] = np.rint(share).astype(np.int64)
    part[at, Tally.MERCHANT_AMOUNT] = rows[at, C.CREDITED] + fee
    part[at, Tally.MERCHANT_COST] = fee

"""What holds of every plan by construction, checked: shapes, and that indices point somewhere.

Takes a plan; raises where a number of it cannot be meant. The builder checks what it hands over and
each engine what it is given, so that neither trusts the other; the kernel, which checks no bounds,
may then rely on it. Whole columns are compared at once: a large plan takes a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.contract.agenda import AgendaKind, FileColumn, LineColumn, OrderColumn, TopUpColumn
from sim.contract.large_value import MemberColumn
from sim.contract.layout import (
    HORIZON_MAX_US,
    LEDGERS_MAX,
    REQUOTES_MAX,
    ROLE_KINDS_MAX,
    STATIONS_MAX,
    AccountColumn,
    AgendaColumn,
    CandidateColumn,
    FeeColumn,
    LedgerColumn,
    RouteColumn,
    RouteSetColumn,
    StageColumn,
)
from sim.contract.meaning import Op, Policy
from sim.contract.plan import NAMED, TABLES, Plan
from sim.contract.policies import RuleColumn
from sim.contract.table import Array, Rule, Table, Within
from sim.errors import InvariantViolation

_TOLD = 8
"""Most problems told at once; one mistake in a compiler breaks many rows."""


def check_plan(plan: Plan, *, can_run: bool = True) -> None:
    """Check what holds of every plan.

    Parameters
    ----------
    plan : Plan
        Any plan.
    can_run : bool
        Whether it is to be run; False accepts a plan compiled without its quantile tables.

    Raises
    ------
    InvariantViolation
        If an array has another type, layout or shape than declared, or holds a number the rule of
        its column does not allow.
    """
    problems = list(_shape_problems(plan))
    # Shapes first: a column that is not there cannot be looked at.
    if not problems:
        counts = count_rows(plan)
        for name, table in TABLES.items():
            problems.extend(_cell_problems(name, table, getattr(plan, name), counts, can_run))
    # What columns must agree on is asked once each of them is right by itself.
    if not problems:
        problems.extend(_joint_problems(plan))
    if problems:
        more = f"; and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        raise InvariantViolation("plan: " + "; ".join(problems[:_TOLD]) + more, seed=plan.seed)


def count_rows(plan: Plan) -> dict[str, int]:
    """Return how many there are of everything the plan's tables are counted by."""
    counts = {kind: len(getattr(plan.names, kind)) for kind in NAMED}
    counts["limit cells"] = plan.limit_cells
    for name, table in TABLES.items():
        shape = getattr(plan, name).shape
        counts.setdefault(table.rows, shape[0])
        if isinstance(table.columns, str):
            counts.setdefault(table.columns, shape[-1])
    # Shapes of arrays of other dimensions cannot be compared any further.
    return counts


def _shape_problems(plan: Plan) -> Iterator[str]:
    """Compare type, layout and shape with the declarations."""
    for name, table in TABLES.items():
        array = getattr(plan, name)
        if array.dtype != np.int64 or not array.flags.c_contiguous:
            yield f"{name}: found {array.dtype} or no C order; allowed: C-contiguous int64"
        if array.ndim != table.dimensions:
            yield f"{name}: found {array.ndim} dimensions; allowed: {table.shape_text()}"
            return
    counts = count_rows(plan)
    for name, table in TABLES.items():
        found = getattr(plan, name).shape
        if found != table.shape(counts):
            wanted = f"{table.shape(counts)}, {table.shape_text()}"
            yield f"{name}: found the shape {found}; allowed: {wanted}"
    if len(plan.payer_count) != len(plan.stream):
        yield f"payer_count: found {len(plan.payer_count)}; allowed: one for each stream"


def _cell_problems(
    name: str, table: Table, array: Array, counts: dict[str, int], can_run: bool
) -> Iterator[str]:
    """Hold every column of a table against its rule."""
    if table.each is not None and not _is_left_out(table.each, can_run):
        cells = array.reshape(-1, 1)
        for at in np.flatnonzero(table.each.broken(cells, 0, counts))[:1]:
            where = tuple(map(int, np.unravel_index(at, array.shape)))
            yield _told(f"{name}{list(where)}", cells[at, 0], table.each, counts)
    for column, rule in table.holds.items():
        if _is_left_out(rule, can_run):
            continue
        # The first of a column stands for all: one mistake of a compiler breaks many rows
        # alike.
        for at in np.flatnonzero(rule.broken(array, column, counts))[:1]:
            where_text = f"{name}[{at}] {table.column_name(column)}"
            yield _told(where_text, array[at, column], rule, counts)


def _is_left_out(rule: Rule, can_run: bool) -> bool:
    """Say whether a rule cannot be asked: without quantile tables offsets point nowhere."""
    return not can_run and isinstance(rule, Within) and rule.counted == "words"


def _told(where: str, value: int, rule: Rule, counts: dict[str, int]) -> str:
    return f"{where}: found {value}; allowed: {rule.allowed(counts)}"


def _joint_problems(plan: Plan) -> Iterator[str]:
    """Check what several columns or tables must agree on."""
    if plan.horizon_us < 0 or plan.fx_step_us < 1 or plan.sample_interval_us < 0:
        yield "found a horizon, sample interval or step of rates that is not positive"
    if plan.horizon_us > HORIZON_MAX_US:
        yield f"found a horizon of {plan.horizon_us} us; allowed: at most {HORIZON_MAX_US}"
    for what, found, most in (
        ("stations", len(plan.station), STATIONS_MAX),
        ("ledgers", len(plan.ledger), LEDGERS_MAX),
        ("kinds of account", len(plan.names.account_kinds), ROLE_KINDS_MAX),
        ("kinds of station", len(plan.names.station_kinds), ROLE_KINDS_MAX),
    ):
        # Beyond, two of them would have one id.
        if found > most:
            yield f"found {found} {what}; allowed: at most {most}"
    requotes = plan.stage[plan.stage[:, StageColumn.OP] == Op.CONVERT, StageColumn.VALUE]
    if (requotes > REQUOTES_MAX).any():
        yield f"stage: found more than {REQUOTES_MAX} new quotes"
    votes = plan.ledger[:, LedgerColumn.QUORUM] > plan.ledger[:, LedgerColumn.PEERS]
    for at in np.flatnonzero(votes)[:1]:
        yield f"ledger[{at}] QUORUM: found more than PEERS"
    times = plan.agenda[:, AgendaColumn.TIME_US]
    for at in np.flatnonzero(np.diff(times) < 0)[:1]:
        yield f"agenda[{at + 1}] TIME_US: found {times[at + 1]}; allowed: {times[at]} or later"
    deposits = plan.agenda[plan.agenda[:, AgendaColumn.KIND] == AgendaKind.DEPOSIT]
    currencies = plan.account[deposits[:, AgendaColumn.SUBJECT], AccountColumn.CURRENCY]
    if (plan.world[currencies] < 0).any():
        yield "agenda: found a deposit in a currency of which the world has no account"
    yield from _line_problems(plan)
    yield from _system_problems(plan)
    yield from _load_problems(plan)
    yield from _policy_problems(plan)
    # A fee that is priced but never charged moves no money and needs no accounts.
    charged = plan.stage[plan.stage[:, StageColumn.OP] == Op.CHARGE, StageColumn.SUBJECT]
    if (plan.fee[charged][:, [FeeColumn.DEBIT, FeeColumn.CREDIT]] == -1).any():
        yield "fee: found a fee that is charged and has no accounts"
    # Every payer of a stream has a cell of its own after the first.
    last = plan.limit_first + np.array(plan.payer_count, dtype=np.int64)
    if (last[plan.limit_first >= 0] > plan.limit_cells).any():
        yield f"limit_first: found more payers than {plan.limit_cells} state cells hold"


def _policy_problems(plan: Plan) -> Iterator[str]:
    """Check that routes scored by a function of the user's own name one."""
    for row in plan.route_set[plan.route_set[:, RouteSetColumn.POLICY] == Policy.OWN].tolist():
        first = row[RouteSetColumn.FIRST]
        routes = plan.candidate[first : first + row[RouteSetColumn.COUNT], CandidateColumn.ROUTE]
        rules = plan.route[routes, RouteColumn.RULE]
        if (rules < 0).any() or (plan.rule[rules, RuleColumn.OWN] < 0).any():
            yield "route_set: found policy OWN with a route whose rule names no function"


def _system_problems(plan: Plan) -> Iterator[str]:
    """Check that systems share no account."""
    order = np.lexsort(plan.member.T[::-1])
    if (order != np.arange(len(order))).any():
        yield "member: found rows that are not in ascending order"
    if len(np.unique(plan.member[:, MemberColumn.ACCOUNT])) < len(plan.member):
        yield "member: found an account twice"


def _load_problems(plan: Plan) -> Iterator[str]:
    """Check that the counts of a load begin at 0, never fall and reach beyond the horizon."""
    for at, (cell_us, first, count) in enumerate(plan.load.tolist()):
        found = plan.load_count[first : first + count]
        if count and (found[0] != 0 or (np.diff(found) < 0).any()):
            yield f"load[{at}]: found counts that do not begin at 0, or fall"
        if count and (count - 1) * cell_us <= plan.horizon_us:
            yield f"load[{at}]: found cells that end at or before the horizon"


def _line_problems(plan: Plan) -> Iterator[str]:
    """Check that what lines and top-ups move stays within a currency."""
    currency = plan.account[:, AccountColumn.CURRENCY]
    converted = plan.line[:, LineColumn.CONVERSION] >= 0
    # NULL, where nothing is sold, lies before every instant.
    sold_us = np.maximum(plan.file[:, FileColumn.CUT_US], plan.file[:, FileColumn.CONVERTED_US])
    is_empty = plan.file[:, FileColumn.OPENS_US] >= plan.file[:, FileColumn.CUT_US]
    if (is_empty | (sold_us > plan.file[:, FileColumn.SETTLED_US])).any():
        yield "file: found one that is closed before it opens, or paid before it is closed and sold"
    orders = plan.order
    if (orders[:, OrderColumn.ARRIVES_US] < orders[:, OrderColumn.ORDERED_US]).any():
        yield "order: found one that arrives before it is placed"
    if (plan.top_up[:, TopUpColumn.HIGH] < plan.top_up[:, TopUpColumn.LOW]).any():
        yield "top_up: found a level that is too low and too high at once"
    bought = [LineColumn.HELD, LineColumn.PAID_TO]
    sold = [LineColumn.CLOSED, LineColumn.INTERCHANGE_TO, LineColumn.SCHEME_TO]
    exchanged, refunded = plan.line[converted], plan.line[plan.line[:, LineColumn.REFUNDS] >= 0]
    if (exchanged[:, [LineColumn.SOLD_TO, LineColumn.SPREAD_TO, LineColumn.BOUGHT_FROM]] < 0).any():
        yield "line: found a conversion without the accounts of its provider"
        return
    trades = plan.top_up[plan.top_up[:, TopUpColumn.BUYS] >= 0]
    if (trades[:, [TopUpColumn.SELLS, TopUpColumn.PAYS, TopUpColumn.PAID_TO]] < 0).any():
        yield "top_up: found a covering trade without its other side"
        return
    for rows, first, others in (
        (plan.line, LineColumn.PAYMENTS, sold),
        (refunded, LineColumn.PAYMENTS, [LineColumn.REFUNDS]),
        (plan.line[~converted], LineColumn.PAYMENTS, bought),
        (exchanged, LineColumn.PAYMENTS, [LineColumn.SOLD_TO, LineColumn.SPREAD_TO]),
        (exchanged, LineColumn.BOUGHT_FROM, bought),
        (plan.top_up, TopUpColumn.ACCOUNT, [TopUpColumn.SOURCE]),
        (trades, TopUpColumn.PAYS, [TopUpColumn.PAID_TO]),
    ):
        for column in others:
            if (currency[rows[:, first]] != currency[rows[:, column]]).any():
                yield f"line or top_up: found {column.name} in another currency than {first.name}"

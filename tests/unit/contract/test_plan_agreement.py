"""What columns of a plan must agree on: each disagreement planted alone in a plan of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.agenda import FileColumn, LineColumn, OrderColumn, TopUpColumn
from sim.contract.layout import (
    ROLE_KINDS_MAX,
    AccountColumn,
    CandidateColumn,
    FeeColumn,
    LedgerColumn,
    RouteColumn,
    RouteSetColumn,
    StageColumn,
)
from sim.contract.loads import LoadColumn
from sim.contract.meaning import Op, Policy
from sim.contract.plan import Array, Plan
from sim.contract.plan_check import check_plan
from sim.contract.policies import RuleColumn
from sim.errors import InvariantViolation
from sim.scenario.scenario import load_scenario
from tests.support.scenarios import ROOT

Change = Callable[[Plan, Array], None]


@pytest.fixture(scope="module")
def plan() -> Plan:
    path = ROOT / "sim" / "study" / "fuzz" / "everything.yaml"
    return compile_scenario(load_scenario(path)).plan


def _first(rows: Array) -> int:
    return int(np.flatnonzero(rows)[0])


def _set(column: int, value: int, *, where: int = 0) -> Change:
    def change(_: Plan, array: Array) -> None:
        array[where, column] = value

    return change


def _new_quotes(_: Plan, stage: Array) -> None:
    stage[_first(stage[:, StageColumn.OP] == Op.CONVERT), StageColumn.VALUE] = 1 << 20


def _no_accounts(plan: Plan, fee: Array) -> None:
    charged = plan.stage[_first(plan.stage[:, StageColumn.OP] == Op.CHARGE)]
    fee[charged[StageColumn.SUBJECT], FeeColumn.DEBIT] = -1


def _nobodys_function(plan: Plan, rule: Array) -> None:
    own = plan.route_set[_first(plan.route_set[:, RouteSetColumn.POLICY] == Policy.OWN)]
    route = plan.candidate[own[RouteSetColumn.FIRST], CandidateColumn.ROUTE]
    rule[plan.route[route, RouteColumn.RULE], RuleColumn.OWN] = -1


def _swapped(_: Plan, member: Array) -> None:
    member[[0, 1]] = member[[1, 0]]


def _twice(_: Plan, member: Array) -> None:
    member[1] = member[0]


def _count_from_one(plan: Plan, load_count: Array) -> None:
    first = plan.load[_first(plan.load[:, LoadColumn.COUNT] > 0), LoadColumn.FIRST]
    load_count[first] = 1


def _short_cells(_: Plan, load: Array) -> None:
    load[_first(load[:, LoadColumn.COUNT] > 0), LoadColumn.CELL_US] = 1


def _paid_early(_: Plan, file: Array) -> None:
    file[0, FileColumn.SETTLED_US] = file[0, FileColumn.CUT_US] - 1


def _no_provider(_: Plan, line: Array) -> None:
    line[_first(line[:, LineColumn.CONVERSION] >= 0), LineColumn.SOLD_TO] = -1


def _one_sided(_: Plan, top_up: Array) -> None:
    top_up[_first(top_up[:, TopUpColumn.BUYS] >= 0), TopUpColumn.PAYS] = -1


def _other_currency(plan: Plan, line: Array) -> None:
    currency = plan.account[:, AccountColumn.CURRENCY]
    own = currency[line[0, LineColumn.PAYMENTS]]
    line[0, LineColumn.SCHEME_TO] = _first(currency != own)


PLANTED = [
    ("stage", _new_quotes, "more than .* new quotes"),
    ("ledger", _set(LedgerColumn.QUORUM, 60), r"ledger\[0\] QUORUM: found more than PEERS"),
    ("fee", _no_accounts, "a fee that is charged and has no accounts"),
    ("rule", _nobodys_function, "a route whose rule names no function"),
    ("member", _swapped, "rows that are not in ascending order"),
    ("member", _twice, "an account twice"),
    ("load_count", _count_from_one, "counts that do not begin at 0, or fall"),
    ("load", _short_cells, "cells that end at or before the horizon"),
    ("file", _paid_early, "paid before it is closed and sold"),
    ("file", _set(FileColumn.OPENS_US, 1 << 50), "one that is closed before it opens"),
    ("order", _set(OrderColumn.ARRIVES_US, -1), "arrives before it is placed"),
    ("top_up", _set(TopUpColumn.HIGH, -(1 << 50)), "too low and too high at once"),
    ("line", _no_provider, "a conversion without the accounts of its provider"),
    ("top_up", _one_sided, "a covering trade without its other side"),
    ("line", _other_currency, "SCHEME_TO in another currency than PAYMENTS"),
]


@pytest.mark.parametrize(("name", "change", "said"), PLANTED, ids=[one[2] for one in PLANTED])
def test_what_does_not_agree_is_told(plan: Plan, name: str, change: Change, said: str) -> None:
    check_plan(plan)
    array = getattr(plan, name).copy()
    change(plan, array)
    with pytest.raises(InvariantViolation, match=said):
        check_plan(replace(plan, **{name: array}))


def test_a_plan_beyond_the_longest_run_or_with_too_many_names_is_refused() -> None:
    with pytest.raises(InvariantViolation, match=r"a horizon of .* us; allowed: at most"):
        check_plan(replace(Plan.empty(), horizon_us=1 << 61))
    kinds = tuple(f"kind {at}" for at in range(ROLE_KINDS_MAX + 1))
    names = replace(Plan.empty().names, account_kinds=kinds)
    columns = np.zeros((0, len(kinds)), dtype=np.int64)
    many = replace(Plan.empty(), horizon_us=1, names=names, agent_account=columns)
    with pytest.raises(InvariantViolation, match="found 1025 kinds of account; allowed: at most"):
        check_plan(many)

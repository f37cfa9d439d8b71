"""Tables of a plan are declared once: declarations are checked, and plans are held against them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from sim.compiler.builder import PlanBuilder
from sim.compiler.compile import compile_scenario
from sim.contract.layout import TABLE_LENGTH, AgendaColumn, LedgerColumn, StageColumn
from sim.contract.meaning import Op
from sim.contract.plan import NAMED, TABLES, Plan
from sim.contract.plan_check import check_plan, count_rows
from sim.contract.table import Array, By, Rule, Span, Table, Within, declared_tables
from sim.draws import layout as draws_layout
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.errors import InvariantViolation
from sim.scenario.scenario import load_scenario
from tests.equivalence.compared import Kept
from tests.equivalence.random_plans import random_case

LIBRARY = Path(__file__).parents[3] / "scenarios" / "library" / "cambodia-2025.yaml"
FAR = 2**61
SEEDS = (3, 4, 5, 6, 7, 8, 9)


@pytest.fixture(scope="module")
def large() -> Plan:
    """The plan of a nationwide day: sixty-odd institutions."""
    return compile_scenario(load_scenario(LIBRARY)).plan


@pytest.fixture(scope="module")
def plans(large: Plan) -> tuple[Plan, ...]:
    return (large, *(random_case(seed, 20, ties=False).plan for seed in SEEDS))


class _Gap(IntEnum):
    FIRST = 0
    THIRD = 2


class _Whole(IntEnum):
    FIRST = 0


class _Undeclared:
    row: Array


class _WithGap:
    row: Annotated[Array, Table("rows", _Gap)]


class _RuleBeside:
    row: Annotated[Array, Table("rows", _Whole, {1: Within("rows")})]


@pytest.mark.parametrize(
    ("owner", "said"),
    [(_Undeclared, "without a table"), (_WithGap, "without gap"), (_RuleBeside, "not there")],
)
def test_declaration_that_cannot_hold_is_refused_when_read(owner: type, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        declared_tables(owner)


def test_every_array_of_a_plan_is_declared(large: Plan) -> None:
    arrays = {
        name for name in Plan.__dataclass_fields__ if isinstance(getattr(large, name), np.ndarray)
    }
    assert arrays == set(TABLES)
    for name, table in TABLES.items():
        assert f"{name} : {table.shape_text()}" in str(Plan.__doc__)


def test_rows_are_counted_by_names(large: Plan) -> None:
    counts = count_rows(large)
    assert counts["agents"] == len(large.names.agents) > 60
    assert {table.rows for table in TABLES.values()} & set(NAMED)
    for name, table in TABLES.items():
        assert getattr(large, name).shape == table.shape(counts)


def test_empty_plan_holds_and_runs() -> None:
    plan = replace(Plan.empty(), horizon_us=1)
    check_plan(plan)
    assert run_compiled(plan, [], Kept()).events == run_reference(plan, [], Kept()).events == 0


def test_large_plan_is_checked_in_milliseconds(large: Plan) -> None:
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        check_plan(large)
        taken.append(time.perf_counter() - began)
    assert min(taken) < 0.02


def _ruled_columns() -> Iterator[tuple[str, int]]:
    for name, table in TABLES.items():
        if table.each is not None:
            yield name, -1
        yield from ((name, int(column)) for column in table.holds)


def _ruled_rows(array: Array, rule: Rule) -> Array:
    """Return the rows a rule speaks of."""
    if isinstance(rule, By):
        return np.concatenate(
            [
                at[_ruled_rows(array[at], under)]
                for value, under in rule.rules.items()
                for at in [np.flatnonzero(array[:, rule.column] == value)]
            ]
        )
    if isinstance(rule, Span):
        return np.flatnonzero(array[:, rule.count] > 0)
    return np.arange(len(array))


@pytest.mark.parametrize(("name", "column"), list(_ruled_columns()))
def test_number_outside_its_range_is_told_with_its_place(
    plans: tuple[Plan, ...], name: str, column: int
) -> None:
    table = TABLES[name]
    tried = 0
    for plan in plans:
        array = getattr(plan, name).copy()
        cells = array.reshape(-1) if column < 0 else array[:, column]
        rows = np.arange(cells.size) if column < 0 else _ruled_rows(array, table.holds[column])
        if not len(rows):
            continue
        tried += 1
        cells[rows[-1]] = -FAR
        where = rf"plan: {name}\[" if column < 0 else rf"{name}\[\d+\] {table.column_name(column)}:"
        with pytest.raises(InvariantViolation, match=where):
            check_plan(replace(plan, **{name: array}))
    assert tried > 0


@pytest.mark.parametrize("name", list(TABLES))
def test_array_of_another_type_or_shape_is_refused(large: Plan, name: str) -> None:
    array = getattr(large, name)
    with pytest.raises(InvariantViolation, match=rf"{name}: found int32"):
        check_plan(replace(large, **{name: array.astype(np.int32)}))
    with pytest.raises(InvariantViolation, match=rf"{name}: found {array.ndim + 1} dimensions"):
        check_plan(replace(large, **{name: array[..., np.newaxis]}))
    if array.ndim == 2 and TABLES[name].columns != "steps":
        wider = np.zeros((array.shape[0], array.shape[1] + 1), dtype=np.int64)
        with pytest.raises(InvariantViolation, match=rf"{name}: found the shape"):
            check_plan(replace(large, **{name: wider}))
    if TABLES[name].rows in NAMED:
        # A row of zeros, as a table may have none of its own.
        longer = np.concatenate([array, np.zeros((1, *array.shape[1:]), dtype=np.int64)])
        with pytest.raises(InvariantViolation, match=rf"{name}: found the shape"):
            check_plan(replace(large, **{name: longer}))


def test_agenda_out_of_order_is_refused() -> None:
    builder = PlanBuilder(horizon_us=1_000)
    builder.deposit(5, builder.add_account("till", "KHR"), 10)
    builder.deposit(7, 0, 10)
    plan = builder.build()
    backwards = np.ascontiguousarray(plan.agenda[::-1])
    with pytest.raises(InvariantViolation, match=r"agenda\[1\] TIME_US: found 5; allowed: 7 or"):
        check_plan(replace(plan, agenda=backwards))
    poor = replace(plan, world=np.array([-1], dtype=np.int64))
    with pytest.raises(InvariantViolation, match="the world has no account"):
        check_plan(poor)
    assert plan.agenda[:, AgendaColumn.TIME_US].tolist() == [5, 7]


def test_what_tables_must_agree_on_is_checked(large: Plan) -> None:
    ledger = large.ledger.copy()
    ledger[0, LedgerColumn.QUORUM] = ledger[0, LedgerColumn.PEERS] + 1
    with pytest.raises(InvariantViolation, match="QUORUM: found more than PEERS"):
        check_plan(replace(large, ledger=ledger))
    with pytest.raises(InvariantViolation, match="more payers than"):
        check_plan(replace(large, limit_cells=large.limit_cells - 1))
    with pytest.raises(InvariantViolation, match="payer_count: found 0"):
        check_plan(replace(large, payer_count=()))
    with pytest.raises(InvariantViolation, match="not positive"):
        check_plan(replace(large, fx_step_us=0))


@pytest.mark.parametrize("engine", [run_compiled, run_reference])
def test_engine_refuses_a_plan_that_points_nowhere(engine) -> None:  # type: ignore[no-untyped-def]
    case = random_case(3, 20, ties=False)
    stage = case.plan.stage.copy()
    stage[0, StageColumn.TARGET] = len(stage)
    with pytest.raises(InvariantViolation, match=r"stage\[0\] TARGET"):
        engine(replace(case.plan, stage=stage), [case.workload], Kept())


def test_builder_refuses_a_row_that_points_nowhere() -> None:
    builder = PlanBuilder(horizon_us=1_000)
    builder.add_stage(Op.SERVE, "desk", subject=4)
    with pytest.raises(InvariantViolation, match=r"stage\[0\] SUBJECT: found 4; allowed: .*SERVE"):
        builder.build()


def test_plan_without_quantile_tables_holds_but_does_not_run() -> None:
    builder = PlanBuilder(horizon_us=1_000, with_tables=False)
    desk = builder.add_station("desk")
    table = builder.constant_table(3)
    builder.add_stage(Op.SERVE, "", subject=desk, table=table, purpose=builder.purpose("service"))
    plan = builder.build()
    with pytest.raises(InvariantViolation, match=r"stage\[0\] TABLE"):
        run_compiled(plan, [], Kept())


def test_a_quantile_table_is_as_long_as_the_contract_says() -> None:
    assert TABLE_LENGTH == draws_layout.TABLE_LENGTH

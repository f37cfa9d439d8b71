"""A table of orders that says anything else than the log or the payments beside it is found."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.analysis.measures import RunFigures, summarise
from sim.audit.run import audit_run
from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn
from sim.tables.finished_run import FinishedRun
from sim.tables.schemas import ORDERS, Record
from sim.tables.writer import RunWriter, WriterOptions
from tests.support.scenarios import RanScenario, run_text

# Three units; polls 2, 6 and 14 s after each order. Decided after 1 s, authorised 0.2 s later and
# confirmed 3 s later: at 5.2, 6.2 and 7.2 s, and 50 ms later at the ledger. Blocks begin at 5.4 and
# 7.8 s, commit 0.3 s later, and the payee's bank credits 0.2 s later: at 5.9, 8.3 and 8.3 s. The
# fourth finds nothing left.
SCENARIO = """
scenario: orders
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 2 min}
shops: {lotus: {stock: 3, code: deep_link, gives_up: 0 %, decides: 1 s, life: 20 s}}
demand:
  inbound: null
  outbound: null
  domestic:
    corridor: kh_kh
    shop: lotus
    payments: [{at: 1 s, amount: 1 000}, {at: 2 s, amount: 2 000}, {at: 3 s, amount: 3 000},
      {at: 4 s, amount: 4 000}]
"""
Rows = list[dict[str, Any]]


@cache
def ran() -> RanScenario:
    with TemporaryDirectory() as folder:
        return run_text(Path(folder), SCENARIO)


def write(folder: Path, record: Record) -> RunWriter:
    writer = RunWriter(ran().compiled.plan, folder, WriterOptions(record))
    writer.take_log(ran().log)
    writer.take_records(ran().record)
    writer.close()
    return writer


def found(folder: Path) -> set[str]:
    facts = {"payments": len(ran().record)}
    report = audit_run(FinishedRun(folder, dict(facts)), ran().compiled.plan)
    return {one.rule for one in report.violations}


def test_every_order_that_is_over_is_a_row_and_counted(tmp_path: Path) -> None:
    writer = write(tmp_path, Record.EVENTS)
    rows = pq.read_table(tmp_path / "orders.parquet").to_pylist()
    # The polls of 7 and 9 s see the first and the third; that of 8 s comes 0.3 s before the second
    # is credited, and the next one at 16 s.
    names = ("payment_id", "time_us", "state", "polls", "seen_after_us")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (0, 7_000_000, "released", 2, 1_100_000), (2, 9_000_000, "released", 2, 700_000),
        (1, 16_000_000, "released", 3, 7_700_000),
    ]  # fmt: skip
    assert {row["shop"] for row in rows} == {"lotus"}
    assert found(tmp_path) == set()
    figures = RunFigures(ran().compiled.plan, writer.summary, ran().totals)
    measures = summarise(figures).measures
    counts = ("orders", "orders_sold_out", "orders_released", "orders_expired", "polls_throttled")
    assert [measures[name].value for name in counts] == [3, 1, 3, 0, 0]
    assert measures["polls_per_order"].value == 7 / 3
    # (1.1 + 0.7 + 7.7) / 3 s, and 7.7 s at most.
    assert measures["order_seen_mean"].value == 9.5 / 3
    assert measures["order_seen_max"].value == 7.7


def _set(at: int, **cells: object) -> Callable[[Rows], object]:
    return lambda rows: rows[at].update(cells)


CHANGES: list[tuple[str, Callable[[Rows], object]]] = [
    ("another poll", _set(0, polls=4)),
    ("seen sooner", _set(0, seen_after_us=1)),
    ("expired", _set(1, state="expired", seen_after_us=None)),
    ("an order is there twice", lambda rows: rows.append(dict(rows[0]))),
    ("of another payment", _set(0, payment_id=3)),
]
BESIDE = [("an order is left out", lambda rows: rows.pop(0))]


@pytest.mark.parametrize(
    "change", [pytest.param(made, id=name) for name, made in (*CHANGES, *BESIDE)]
)
def test_changed_rows_are_found_beside_the_log(
    tmp_path: Path, change: Callable[[Rows], object]
) -> None:
    assert "shop" in _changed(tmp_path, Record.EVENTS, change)


ALONE = [*CHANGES[1:], ("never asked about", _set(0, polls=0)), ("too late", _set(0, time_us=22))]


@pytest.mark.parametrize("change", [pytest.param(made, id=name) for name, made in ALONE])
def test_changed_rows_are_found_without_the_log(
    tmp_path: Path, change: Callable[[Rows], object]
) -> None:
    assert "shop" in _changed(tmp_path, Record.PAYMENTS, change)


def _changed(folder: Path, record: Record, change: Callable[[Rows], object]) -> set[str]:
    write(folder, record)
    assert found(folder) == set()
    path = folder / "orders.parquet"
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=ORDERS), path)
    return found(folder)


INSIDE = SCENARIO.replace("life: 20 s", "life: 3 s").replace(
    "amount: 1 000}", "amount: 1 000, debtor_agent: river_bank, merchant: 0}"
)


def test_what_goes_back_inside_a_bank_is_a_row_of_its_route(tmp_path: Path) -> None:
    # Orders live 3 s and are confirmed after 4.2: all expire before they are paid, the first inside
    # River Bank, the others over the ledger, and all that complete go back.
    folder = tmp_path / "inside"
    folder.mkdir()
    inside = run_text(tmp_path, INSIDE)
    writer = RunWriter(inside.compiled.plan, folder, WriterOptions(Record.EVENTS))
    writer.take_log(inside.log)
    writer.take_records(inside.record)
    writer.close()
    rows = pq.read_table(folder / "refunds.parquet").to_pylist()
    assert {row["route"] for row in rows} == {"kh_kh/bakong"}
    ways = {inside.compiled.plan.names.stages[stage] for stage in _ends_of_refunds(inside)}
    assert ways == {"kh_kh/bakong/completed"}
    assert len(_ends_of_refunds(inside)) == 2
    facts = {"payments": len(inside.record)}
    assert audit_run(FinishedRun(folder, dict(facts)), inside.compiled.plan).violations == ()


def _ends_of_refunds(ran: RanScenario) -> set[int]:
    """Return the stages at which payments that go back have ended."""
    rows = ran.log[ran.log[:, LogColumn.KIND] == LogKind.REFUND]
    return set(rows[:, LogColumn.STAGE].tolist())

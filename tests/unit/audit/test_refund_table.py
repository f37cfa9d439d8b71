"""A table of refunds that says anything else than the log or the payments beside it is found."""

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
from sim.tables.finished_run import FinishedRun
from sim.tables.schemas import REFUNDS, Record
from sim.tables.writer import RunWriter, WriterOptions
from tests.support.scenarios import RanScenario, run_text

SCENARIO = """
scenario: refunds
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 4 h}
routing: {view_interval: 1 h}
demand:
  domestic: null
  outbound: null
  inbound:
    payments:
      - at: 1 s
        amount: 41 300
        merchant: 1
        refunds: {a: {after: 1 h, amount: 10 000}, b: {after: 2 h, amount: 40 000}}
      - {at: 2 s, amount: 20 000, refunds: {a: {after: 1 h, amount: 20 000}}}
      - {at: 3 s, amount: 20 000}
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


def test_every_part_is_a_row_and_a_measure(tmp_path: Path) -> None:
    # Paid back: 10 000 of the first and all 20 000 of the second; 40 000 more of the first is
    # refused. Two parts of two of three payments, 30 000 riel.
    writer = write(tmp_path, Record.EVENTS)
    rows = pq.read_table(tmp_path / "refunds.parquet").to_pylist()
    told = [(row["payment_id"], row["part"], row["paid_minor"], row["reason_code"]) for row in rows]
    assert told == [(0, 1, 10_000_00, None), (1, 1, 20_000_00, None), (0, 2, 0, "AM02")]
    assert {(row["route"], row["currency"]) for row in rows} == {
        ("cn_kh/alipay_plus.river_bank", "KHR")
    }
    assert found(tmp_path) == set()
    figures = RunFigures(ran().compiled.plan, writer.summary, ran().totals)
    measures = summarise(figures).measures
    assert [measures[name].value for name in ("refunds", "refunds_refused")] == [2, 1]
    assert measures["refund_share"].value == 2 / 3
    assert measures["refunded_minor"].value == 30_000_00
    assert measures["refunded_minor"].unit == "minor KHR"


def _set(at: int, **cells: object) -> Callable[[Rows], object]:
    return lambda rows: rows[at].update(cells)


CHANGES: list[tuple[str, Callable[[Rows], object]]] = [
    ("a riel more comes back", _set(0, paid_minor=10_001_00)),
    ("more comes back than was paid", _set(1, paid_minor=20_001_00)),
    ("the refused part is paid", _set(2, paid_minor=1, reason_code=None)),
    ("a part is there twice", lambda rows: rows.append(dict(rows[0]))),
    ("a part is left out", lambda rows: rows.pop(0)),
    ("another payment is paid back", _set(1, payment_id=2)),
]


@pytest.mark.parametrize("change", [pytest.param(made, id=name) for name, made in CHANGES])
def test_changed_rows_are_found_beside_the_log(
    tmp_path: Path, change: Callable[[Rows], object]
) -> None:
    assert "refund" in _changed(tmp_path, Record.EVENTS, change)


ALONE = [
    ("a part of no payment", _set(0, payment_id=7)),
    ("more comes back than was paid", _set(1, paid_minor=20_001_00)),
    ("a part is there twice", lambda rows: rows.append(dict(rows[0]))),
    ("a part is left out", lambda rows: rows.pop(0)),
    ("a part comes before its payment", _set(1, time_us=1)),
    ("a part is paid and refused", _set(1, reason_code="AM04")),
]


@pytest.mark.parametrize("change", [pytest.param(made, id=name) for name, made in ALONE])
def test_changed_rows_are_found_without_the_log(
    tmp_path: Path, change: Callable[[Rows], object]
) -> None:
    assert "refund" in _changed(tmp_path, Record.PAYMENTS, change)


def _changed(folder: Path, record: Record, change: Callable[[Rows], object]) -> set[str]:
    write(folder, record)
    assert found(folder) == set()
    path = folder / "refunds.parquet"
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=REFUNDS), path)
    return found(folder)

"""Tables that say anything else than the log beside them do not pass the audit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.audit import beside
from sim.audit.findings import Findings
from sim.audit.records import RecordMatch
from sim.audit.run import AuditReport, AuditSink, audit_run
from sim.contract.layout import NULL
from sim.contract.meaning import LogKind
from sim.contract.records import RECORD_WIDTH, LogColumn, RecordColumn
from sim.tables.finished_run import FinishedRun
from sim.tables.schemas import SCHEMAS, Record
from sim.tables.writer import RunWriter, WriterOptions
from tests.unit.tables.corridor import Ran, run_corridor

Rows = list[dict[str, Any]]
Change = Callable[[Rows], object]


@cache
def ran() -> Ran:
    return run_corridor(seed=7)


def write(folder: Path, replication: int = 0, suffix: str = "") -> None:
    """Write the corridor's run, log and all."""
    run, options = ran(), WriterOptions(Record.EVENTS, replication=replication, suffix=suffix)
    writer = RunWriter(run.plan, folder, options)
    for at in range(0, len(run.log), 500):
        writer.take_log(run.log[at : at + 500])
    for at in range(0, len(run.records), 50):
        writer.take_records(run.records[at : at + 50])
    writer.close()


def audit(folder: Path) -> AuditReport:
    facts = {"payments": len(ran().records)}
    return audit_run(FinishedRun(folder, dict(facts)), ran().plan)


def change_table(folder: Path, file: str, change: Change) -> None:
    path = folder / f"{file}.parquet"
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMAS[path.name]), path)


def done(rows: Rows) -> dict[str, Any]:
    """Return a payment with every figure: completed, priced, converted and charged."""
    return next(row for row in rows if row["merchant_fee_minor"] and row["route"] == "usd")


def failed(rows: Rows) -> dict[str, Any]:
    return next(row for row in rows if row["outcome"] == "rejected")


def set_to(pick: Callable[[Rows], dict[str, Any]], **cells: object) -> Change:
    return lambda rows: pick(rows).update(cells)


def add_to(pick: Callable[[Rows], dict[str, Any]], **cells: int) -> Change:
    def change(rows: Rows) -> None:
        row = pick(rows)
        row.update({name: row[name] + by for name, by in cells.items()})

    return change


def swap_payments(rows: Rows) -> None:
    """Let two payments have each other's number."""
    one, other = done(rows), failed(rows)
    one["payment_id"], other["payment_id"] = other["payment_id"], one["payment_id"]


PAYMENTS: list[tuple[str, Change, str]] = [
    ("an outcome is flipped", set_to(failed, outcome="completed", reason_code=None),
     "in outcome: completed"),
    ("another way to fail", set_to(failed, outcome="returned"), "rejected"),
    ("an outcome there is not", set_to(failed, outcome="lost"), "a name the plan does not have"),
    ("another reason", set_to(failed, reason_code="NOAS"), "in reason_code"),
    ("more is instructed", add_to(done, instructed_amount_minor=100), "in instructed_amount_minor"),
    ("more is debited", add_to(done, debited_amount_minor=100), "in debited_amount_minor"),
    ("more is credited", add_to(done, credited_amount_minor=100), "in credited_amount_minor"),
    ("another drift", add_to(done, fx_drift_minor=1), "in fx_drift_minor"),
    ("settled earlier", add_to(done, settled_us=-1), "in settled_us"),
    ("a time under another cause", add_to(done, service_us=1, human_us=-1), "in service_us"),
    ("ended later", add_to(done, end_us=1, retry_us=1), "in end_us"),
    ("another attempt", add_to(done, attempts=1), "in attempts"),
    ("another re-quote", add_to(done, requotes=1), "in requotes"),
    ("another route", set_to(done, route="direct"), "in route: direct, should be usd"),
    ("no route", set_to(done, route=None), "in route: null, should be usd"),
    ("another currency", set_to(done, settlement_currency="KHR"), "in settlement_currency"),
    ("another scope", set_to(done, scope="domestic"), "in scope"),
    ("another stream", set_to(done, stream="home"), "in stream"),
    ("another institution", set_to(done, debtor_agent="bank"), "in debtor_agent"),
    ("the payer's fee as margin", add_to(done, payer_fee_minor=1, fx_margin_minor=-1),
     "in payer_fee_minor"),
    ("two payments change places", swap_payments, "should be"),
    ("the first row is dropped", lambda rows: rows.pop(0), "has no row"),
    ("a row is dropped", lambda rows: rows.pop(77), "has no row"),
    ("the last row is dropped", lambda rows: rows.pop(), "has no row"),
    ("every row is dropped", lambda rows: rows.clear(), "has no row"),
    ("a row is there twice", lambda rows: rows.insert(9, dict(rows[70])), "no end in the log"),
    ("a row of nobody", lambda rows: rows.append({**rows[0], "payment_id": 10**6}),
     "no end in the log"),
    ("a row of another replication", set_to(done, replication=1), "has no row"),
]  # fmt: skip


def named(report: AuditReport, rule: str) -> list[str]:
    return [found.message for found in report.violations if found.rule == rule]


@pytest.mark.slow  # whoever runs first compiles the draws
@pytest.mark.parametrize("row_group", [64, 1 << 17])
def test_tables_beside_their_log_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row_group: int
) -> None:
    monkeypatch.setattr(beside, "BATCH_ROWS", row_group)
    write(tmp_path)
    report = audit(tmp_path)
    assert report.violations == ()
    assert (report.ok, report.level) == (True, "events")
    assert report.checks["record"] == len(ran().records)
    assert {"one_row", "amounts", "fees", "time_by_cause"} <= set(report.checks)


@pytest.mark.parametrize("row_group", [64, 1 << 17])
@pytest.mark.parametrize(("name", "change", "told"), PAYMENTS, ids=[p[0] for p in PAYMENTS])
def test_changed_payments_are_found_beside_their_log(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    change: Change,
    told: str,
    row_group: int,
) -> None:
    monkeypatch.setattr(beside, "BATCH_ROWS", row_group)
    write(tmp_path)
    change_table(tmp_path, "payments", change)
    report = audit(tmp_path)
    assert (report.ok, report.level) == (False, "events")
    messages = named(report, "record")
    assert any(told in message for message in messages), (name, messages)
    assert all(found.event == -1 for found in report.violations)
    # One change is one finding, not one for every row after it.
    assert len(messages) <= (5 if "every" in name else 2), messages


FEES: list[tuple[str, Change]] = [
    ("one unit more", add_to(lambda rows: rows[3], amount_minor=1)),
    ("another recipient", set_to(lambda rows: rows[3], recipient="wallet")),
    ("another component", set_to(lambda rows: rows[3], component="discount")),
    ("another currency", set_to(lambda rows: rows[3], currency="USD")),
    ("another bearer", set_to(lambda rows: rows[3], bearer="creditor")),
    ("a fee of nobody", set_to(lambda rows: rows[3], payment_id=10**6)),
    ("a fee is dropped", lambda rows: rows.pop(3)),
    ("a fee is there twice", lambda rows: rows.append(dict(rows[3]))),
    ("no fees", lambda rows: rows.clear()),
]


@pytest.mark.parametrize(("name", "change"), FEES, ids=[f[0] for f in FEES])
def test_changed_fees_are_found_beside_their_log(tmp_path: Path, name: str, change: Change) -> None:
    write(tmp_path)
    change_table(tmp_path, "fees", change)
    report = audit(tmp_path)
    assert (report.ok, report.level) == (False, "events")
    assert {found.rule for found in report.violations} == {"fees"}
    assert any("the log" in message for message in named(report, "fees")), name


@pytest.mark.parametrize("file", ["payments", "fees"])
def test_the_order_of_rows_is_no_finding(tmp_path: Path, file: str) -> None:
    write(tmp_path)
    change_table(tmp_path, file, lambda rows: rows.sort(key=lambda row: -row["payment_id"]))
    assert audit(tmp_path).violations == ()


@pytest.mark.parametrize("missing", ["payments", "fees"])
def test_a_table_that_is_not_there_is_no_finding(tmp_path: Path, missing: str) -> None:
    write(tmp_path)
    (tmp_path / f"{missing}.parquet").unlink()
    report = audit(tmp_path)
    assert (report.ok, report.level) == (True, "events"), report.violations
    assert ("record" in report.checks) == (missing == "fees")


def test_each_replication_is_held_to_its_own_log(tmp_path: Path) -> None:
    for number in (0, 1):
        write(tmp_path, number, f"-{number}")
    for name in SCHEMAS:
        parts = [tmp_path / name.replace(".", f"-{number}.") for number in (0, 1)]
        # A plan without refunds and without clearing files writes none of their tables.
        if not parts[0].exists():
            continue
        pq.write_table(pa.concat_tables([pq.read_table(part) for part in parts]), tmp_path / name)
    change_table(tmp_path, "payments", lambda rows: rows[-1].update(attempts=9))
    run = FinishedRun(tmp_path, {"payments": 2 * len(ran().records)})
    first, second = (audit_run(run, ran().plan, replication=number) for number in (0, 1))
    assert first.violations == ()
    assert {found.rule for found in second.violations} == {"record", "program"}


def test_a_figure_is_not_taken_for_what_the_log_does_not_know() -> None:
    """A drift of -2 is a figure; an agent of -2 is one of several."""
    findings = Findings()
    match = RecordMatch(findings)
    expected = np.full((1, RECORD_WIDTH), NULL, dtype=np.int64)
    expected[0, [RecordColumn.FX_DRIFT, RecordColumn.DEBTOR_AGENT]] = -2
    found = expected.copy()
    found[0, RecordColumn.DEBTOR_AGENT] = 1
    match.expect(expected)
    match.take(found)
    assert findings.count == 0
    found[0, RecordColumn.FX_DRIFT] = 5
    match.expect(expected)
    match.take(found)
    assert findings.count == 1


def test_a_log_that_cannot_be_read_is_a_failed_check_of_a_run_under_way() -> None:
    run = ran()
    log = run.log.copy()
    at = int(np.flatnonzero(log[:, LogColumn.KIND] == LogKind.JOIN)[0])
    log[at, LogColumn.SUBJECT] = 99
    sink = AuditSink(run.plan)
    for start in range(0, len(log), 300):
        sink.take_log(log[start : start + 300])
    sink.take_records(run.records)
    report = sink.finish(run.totals)
    assert not report.ok
    assert [found.rule for found in report.violations][-1] == "readable"

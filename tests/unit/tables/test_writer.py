"""What is written is what happened: rows, sums, visits, samples, digests, in constant memory."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.audit.run import audit_log, audit_run, read_log
from sim.compiler.builder import PlanBuilder
from sim.contract.layout import NULL
from sim.contract.meaning import Bearer, Cause, FeeKind, LogKind, Op, Outcome, Reason
from sim.contract.plan import Array
from sim.contract.records import LogColumn, RecordColumn
from sim.errors import MachineError
from sim.tables import schemas
from sim.tables.finished_run import FinishedRun
from sim.tables.folding import Tally
from sim.tables.parquet_stream import merge_parts
from sim.tables.schemas import Record
from sim.tables.writer import RunWriter, SinkGroup, WriterOptions
from tests.unit.engine.worked import workload
from tests.unit.tables.corridor import (
    Keeper,
    Ran,
    corridor_plan,
    corridor_workload,
    run_corridor,
    run_into,
)

R, L = RecordColumn, LogColumn


@cache
def ran() -> Ran:
    return run_corridor(seed=7)


def write(
    folder: Path | None, record: Record = Record.EVENTS, chunk: int = 50, suffix: str = ""
) -> RunWriter:
    """Write the corridor's run from what was kept of it."""
    run = ran()
    options = WriterOptions(record, provenance={"payroute": "{}"}, suffix=suffix)
    writer = RunWriter(run.plan, folder, options)
    for rows, take in ((run.log, writer.take_log), (run.records, writer.take_records)):
        for at in range(0, len(rows), chunk):
            take(rows[at : at + chunk])
    writer.close()
    return writer


def folder_of(path: Path) -> FinishedRun:
    return FinishedRun(path, {"payments": len(ran().records)})


@pytest.mark.parametrize(
    ("record", "names"),
    [
        (Record.NONE, set()),
        (Record.PAYMENTS, {"payments", "fees", "series", "rates", "prices"}),
        (Record.STAGES, {"payments", "fees", "stages", "series", "rates", "prices"}),
        (Record.EVENTS, {"payments", "fees", "stages", "series", "events", "rates", "prices"}),
    ],
)
def test_each_level_writes_its_tables(tmp_path: Path, record: Record, names: set[str]) -> None:
    writer = write(tmp_path, record)
    assert {path.stem for path in tmp_path.iterdir()} == names
    assert {path.stem for path in writer.files} == names
    for path in tmp_path.iterdir():
        schema = pq.read_schema(path)
        expected = schemas.SCHEMAS[path.name]
        assert schema.names == expected.names
        assert schema.metadata[b"payroute"] == b"{}"
        read = pq.read_table(path, read_dictionary=schemas.text_columns(expected))
        assert read.schema.types == expected.types


def test_payments_say_what_the_records_say(tmp_path: Path) -> None:
    run = ran()
    write(tmp_path, Record.PAYMENTS)
    rows = pq.read_table(tmp_path / "payments.parquet").to_pylist()
    names = run.plan.names
    assert len(rows) == len(run.records)
    for row, record in zip(rows, run.records.tolist(), strict=True):
        for column, at in (
            ("payment_id", R.PAYMENT),
            ("debited_amount_minor", R.DEBITED),
            ("fx_drift_minor", R.FX_DRIFT),
            ("settled_us", R.SETTLED_US),
            ("end_us", R.END_US),
            ("in_doubt_us", R.TIME_0 + Cause.IN_DOUBT),
            ("retry_us", R.TIME_0 + Cause.RETRY),
            ("in_doubt_since_us", R.IN_DOUBT_SINCE_US),
            ("gone_us", R.GONE_US),
            ("doubted_us", R.DOUBTED_US),
            ("known_us", R.KNOWN_US),
        ):
            assert row[column] == (None if record[at] == NULL else record[at])
        assert row["stream"] == names.streams[record[R.STREAM]]
        assert row["route"] == (names.routes[record[R.ROUTE]] if record[R.ROUTE] >= 0 else None)
        assert (row["debited_currency"] is None) == (row["debited_amount_minor"] is None)
        assert row["settlement_currency"] in {None, "KHR" if row["route"] == "direct" else "USD"}
        assert row["scope"] == ("domestic" if record[R.STREAM] else "cross_border")
        assert (row["reason_code"] is None) == (record[R.REASON] == 0)
        causes = [row[f"{cause}_us"] for cause in schemas.CAUSES]
        end = run.plan.horizon_us if row["end_us"] is None else row["end_us"]
        assert sum(causes) == end - row["submitted_us"]


def test_fees_add_up_to_the_minor_unit(tmp_path: Path) -> None:
    write(tmp_path, Record.PAYMENTS)
    payments = pq.read_table(tmp_path / "payments.parquet").to_pylist()
    sums: dict[tuple[int, str], int] = {}
    recipients = set()
    for fee in pq.read_table(tmp_path / "fees.parquet").to_pylist():
        key = (fee["payment_id"], fee["bearer"])
        sums[key] = sums.get(key, 0) + fee["amount_minor"]
        recipients.add((fee["component"], fee["recipient"], fee["currency"]))
    assert sum(sums.values()) > 0
    for row in payments:
        payer = (row["payer_fee_minor"] or 0) + (row["fx_margin_minor"] or 0)
        assert sums.get((row["payment_id"], "debtor"), 0) == payer
        merchant = row["merchant_fee_minor"] or 0
        assert sums.get((row["payment_id"], "creditor"), 0) == merchant
    assert recipients == {
        ("payer_service", "hub", "CNY"),
        ("discount", "bank", "KHR"),
        ("fx_spread", "bank", "CNY"),
        ("fx_spread", "wallet", "CNY"),
    }


def test_events_come_back_as_they_were_logged(tmp_path: Path) -> None:
    write(tmp_path)
    chunks = list(read_log(folder_of(tmp_path)))
    assert np.array_equal(np.vstack(chunks), ran().log)


def test_stage_visits_account_for_the_time_by_cause(tmp_path: Path) -> None:
    run = ran()
    write(tmp_path, Record.STAGES)
    visits = pq.read_table(tmp_path / "stages.parquet").to_pylist()
    horizon = run.plan.horizon_us
    spent: dict[int, int] = {}
    for visit in visits:
        assert visit["started_us"] is None or visit["started_us"] >= visit["queued_us"]
        end = horizon if visit["ended_us"] is None else visit["ended_us"]
        spent[visit["payment_id"]] = spent.get(visit["payment_id"], 0) + end - visit["queued_us"]
    causes = run.records[:, R.TIME_0 : R.TIME_0 + len(Cause)].sum(axis=1)
    due = {int(p): int(t) for p, t in zip(run.records[:, 0], causes, strict=True) if t}
    assert {p: t for p, t in spent.items() if t} == due
    starts = int((run.log[:, L.KIND] == LogKind.START).sum())
    served = [v for v in visits if v["cause"] == "service" and v["started_us"] is not None]
    assert len(served) == starts
    assert {v["station"] for v in visits} == {
        "hub.gateway", "hub.screening", "bakong.ledger", "prefund_khr", None,
    }  # fmt: skip


def test_series_hold_the_samples(tmp_path: Path) -> None:
    run = ran()
    write(tmp_path, Record.STAGES)
    rows = pq.read_table(tmp_path / "series.parquet").to_pylist()
    sampled = run.log[run.log[:, L.KIND] == LogKind.SAMPLE_ACCOUNT]
    balances = [row["value"] for row in rows if row["measure"] == "balance_minor"]
    assert balances == sampled[:, L.AMOUNT].tolist()
    assert {(row["kind"], row["name"], row["measure"]) for row in rows} == {
        ("station", "hub.gateway", "queue"), ("station", "hub.gateway", "busy"),
        ("station", "hub.screening", "queue"), ("station", "hub.screening", "busy"),
        ("ledger", "bakong.ledger", "queue"), ("ledger", "bakong.ledger", "rounds"),
        ("account", "prefund_khr", "balance_minor"), ("account", "prefund_khr", "pending_minor"),
    }  # fmt: skip


@pytest.mark.parametrize("chunk", [13, 33, 10_000])
@pytest.mark.parametrize("record", [Record.NONE, Record.EVENTS])
def test_digests_do_not_depend_on_chunks(tmp_path: Path, chunk: int, record: Record) -> None:
    writer, other = write(tmp_path, record, chunk), write(tmp_path, record, 50)
    assert writer.digest == other.digest
    assert writer.digest.startswith("log:" if record == Record.EVENTS else "records:")
    assert writer.payments_digest == other.payments_digest
    tallies = [
        dict(zip(made.summary.cells, made.summary.tally.tolist(), strict=True))
        for made in (writer, other)
    ]
    assert tallies[0] == tallies[1]
    assert writer.summary.peak.highest == other.summary.peak.highest
    assert np.array_equal(writer.summary.positions.lowest, other.summary.positions.lowest)


def test_digests_see_one_changed_cell_and_the_set_digest_no_order() -> None:
    run = ran()

    def digests(records: Array) -> tuple[str, str]:
        writer = RunWriter(run.plan)
        writer.take_records(records)
        return writer.digest, writer.payments_digest

    rolling, content = digests(run.records)
    changed = run.records.copy()
    changed[5, R.FX_DRIFT] ^= 1
    assert digests(changed)[0] != rolling
    assert digests(changed)[1] != content
    assert digests(run.records[::-1]) != (rolling, content)
    assert digests(run.records[::-1])[1] == content


def test_tallies_agree_with_a_count_by_hand() -> None:
    run = ran()
    writer = write(None)
    folder = writer.summary
    late = [row for row in run.records.tolist() if row[R.SUBMITTED_US] >= run.plan.warm_up_us]
    assert len(late) < len(run.records)
    assert int(folder.tally[:, Tally.SUBMITTED].sum()) == len(late)
    done = [row for row in late if row[R.OUTCOME] == 0]
    total = sum(row[R.CREDITED_US] - row[R.SUBMITTED_US] for row in done)
    assert int(folder.tally[:, Tally.END_TO_END_US].sum()) == total
    assert folder.end_to_end.of(range(len(folder.cells))).total == len(done)
    assert int(folder.reasons.sum()) == len(late)
    payer = sum(
        round(1e8 * row[R.PAYER_FEE] / row[R.DEBITED]) for row in done if row[R.STREAM] == 0
    )
    assert int(folder.tally[:, Tally.PAYER_FEE].sum()) == payer
    ends = [row[R.END_US] // 10**6 for row in run.records.tolist() if row[R.OUTCOME] == 0]
    ends = [second for second in ends if second >= run.plan.warm_up_us // 10**6]
    assert folder.peak.highest[2] == max(ends.count(second) for second in ends)


def test_parts_of_replications_are_merged(tmp_path: Path) -> None:
    write(tmp_path, Record.PAYMENTS, suffix="-0")
    write(tmp_path, Record.PAYMENTS, suffix="-1")
    parts = [tmp_path / "payments-0.parquet", tmp_path / "payments-1.parquet"]
    one = pq.read_table(parts[0])
    rows = merge_parts(tmp_path / "payments.parquet", parts)
    merged = pq.read_table(tmp_path / "payments.parquet")
    assert rows == merged.num_rows == 2 * one.num_rows
    assert merged.schema.metadata[b"payroute"] == b"{}"
    assert merged.to_pylist() == pa.concat_tables([one, one]).to_pylist()
    # They may be those of a finished run, which stands until the new one is complete.
    assert pq.read_table(parts[0]).equals(one)


def test_a_group_tells_each_sink_what_it_wants() -> None:
    plan = corridor_plan(3)
    keeper, writer = Keeper(), RunWriter(plan)
    group = SinkGroup([keeper, writer])
    assert (group.wants_log, group.wants_records) == (True, True)
    run_into(plan, group, corridor_workload(3, 60))
    assert len(np.vstack(keeper.records)) == 60
    assert len(np.vstack(keeper.logs)) > 60
    assert writer.digest.startswith("records:")


def test_a_folder_that_is_not_there_is_the_machines_no(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"payments\.parquet"):
        RunWriter(ran().plan, tmp_path / "nowhere")


def test_audit_of_a_folder_replays_its_log(tmp_path: Path) -> None:
    write(tmp_path)
    report = audit_run(folder_of(tmp_path), ran().plan)
    assert (report.ok, report.level) == (True, "events")


def test_audit_without_a_log_checks_the_tables_and_says_so(tmp_path: Path) -> None:
    write(tmp_path, Record.PAYMENTS)
    report = audit_run(folder_of(tmp_path), ran().plan)
    assert (report.ok, report.level) == (True, "payments"), report.violations
    assert set(report.checks) == {
        "one_row", "time_by_cause", "order", "outcome", "amounts", "fees", "names", "program",
        "series", "market", "doubt", "patience",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "column", "by", "rule"),
    [
        ("payments", "payment_id", 1, "one_row"),
        ("payments", "waiting_us", 1, "time_by_cause"),
        ("payments", "credited_us", 10**12, "order"),
        ("payments", "submitted_us", -(10**12), "order"),
        ("payments", "payer_fee_minor", 1, "fees"),
        ("payments", "merchant_fee_minor", 1, "fees"),
        ("payments", "fx_margin_minor", -1, "fees"),
        ("payments", "debited_amount_minor", -(10**9), "amounts"),
        ("payments", "attempts", -9, "outcome"),
        ("fees", "amount_minor", 1, "fees"),
        ("fees", "payment_id", 10**6, "fees"),
    ],
)
def test_a_changed_table_is_found(
    tmp_path: Path, file: str, column: str, by: int, rule: str
) -> None:
    write(tmp_path, Record.PAYMENTS)
    path = tmp_path / f"{file}.parquet"
    table = pq.read_table(path)
    values = table.column(column).to_pylist()
    # The first payment with every figure: completed, priced and charged.
    names = ["merchant_fee_minor"] if file == "payments" else ["amount_minor"]
    at = next(i for i, row in enumerate(table.select(names).to_pylist()) if row[names[0]])
    values[at] += by
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, column, pa.array(values, pa.int64())), path)
    report = audit_run(folder_of(tmp_path), ran().plan)
    assert rule in {violation.rule for violation in report.violations}


@pytest.mark.parametrize("column", ["reason_code", "outcome"])
def test_an_outcome_that_contradicts_itself_is_found(tmp_path: Path, column: str) -> None:
    write(tmp_path, Record.PAYMENTS)
    path = tmp_path / "payments.parquet"
    table = pq.read_table(path)
    words = table.column(column).to_pylist()
    at = table.column("outcome").to_pylist().index("completed")
    words[at] = "AM04" if column == "reason_code" else "rejected"
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, column, pa.array(words).dictionary_encode()), path)
    report = audit_run(folder_of(tmp_path), ran().plan)
    assert "outcome" in {violation.rule for violation in report.violations}


def test_a_price_without_a_route_is_written_too(tmp_path: Path) -> None:
    """One payment, priced by the only QUOTE its program can reach."""
    builder = PlanBuilder("bare", horizon_us=10, seed=1)
    debit, credit = builder.add_account("a", "USD"), builder.add_account("b", "USD")
    fee = builder.add_fee(
        component="flat",
        recipient="shop",
        currency="USD",
        kind=FeeKind.FIXED,
        fixed=7,
        base=0,
        bearer=Bearer.DEBTOR,
        debit=debit,
        credit=credit,
        minimum=-1,
        maximum=-1,
    )
    price = builder.add_pricing(currencies=("USD", "USD", "USD"), fee_first=fee, fee_count=1)
    builder.add_stage(Op.QUOTE, subject=price, value=0, target=2, reason=Reason.AM12)
    builder.add_stage(Op.CHARGE, subject=fee)
    builder.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    builder.add_stream("s", entry=0, corridor="c", currency="USD")
    plan = builder.build()
    keeper, writer = Keeper(), RunWriter(plan, tmp_path)
    totals = run_into(plan, SinkGroup([keeper, writer]), workload({"at": 0}))
    writer.close()
    assert audit_log(plan, keeper.logs, keeper.records, totals).ok
    row = pq.read_table(tmp_path / "payments.parquet").to_pylist()[0]
    assert (row["route"], row["debited_currency"], row["payer_fee_minor"]) == (None, "USD", 7)
    fees = pq.read_table(tmp_path / "fees.parquet").to_pylist()
    assert [(f["component"], f["recipient"], f["amount_minor"]) for f in fees] == [
        ("flat", "shop", 7)
    ]
    report = audit_run(FinishedRun(tmp_path, {"payments": 1}), plan)
    assert report.ok, report.violations

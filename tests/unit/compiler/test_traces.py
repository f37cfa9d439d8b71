"""Payments read from a file are those of the file, and what a row leaves open is drawn as ever."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.records import WorkloadColumn as Column
from sim.errors import ScenarioError
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.study.audit_folder import audit_folder
from sim.study.run import run_scenario
from tests.theory.driver import MINIMAL, SCENARIOS

HEAD = f"""
scenario: traced
extends: {MINIMAL}
"""


def _scenario(folder: Path, text: str, *, demand: str, name: str = "payments.csv") -> Path:
    """Write a scenario whose stream ``inbound`` reads a file beside it."""
    (folder / name).write_text(text, encoding="utf-8")
    path = folder / "traced.yaml"
    others = "domestic: null, outbound: null, "
    path.write_text(f"{HEAD}demand: {{{others}inbound: {{payments: null, {demand}}}}}\n")
    return path


def _compiled(folder: Path, text: str, more: str = "", name: str = "payments.csv") -> Compiled:
    demand = f"trace: {{file: {name}}}{more}"
    return compile_scenario(load_scenario(_scenario(folder, text, demand=demand, name=name)))


def _rows(compiled: Compiled) -> np.ndarray:
    return np.concatenate(list(compiled.workload()))


def _refused(folder: Path, text: str, more: str = "") -> list[str]:
    with pytest.raises(ScenarioError) as refused:
        _compiled(folder, text, more)
    return [f"{problem.path}: {problem.message}" for problem in refused.value.problems]


def test_rows_become_payments_in_order_of_time(tmp_path: Path) -> None:
    text = "at,amount,merchant,note\n2 s,41 300,1,a\n0.5 s,100.00,0,b\n2 s,500,1,\n61 s,700,1,c\n"
    compiled = _compiled(tmp_path, text)
    rows = _rows(compiled)
    # 0.5 s stands second in the file and comes first; the two of 2 s keep their order; 61 s lies
    # behind the horizon of 1 min.
    assert rows[:, Column.TIME_US].tolist() == [500_000, 2_000_000, 2_000_000]
    assert rows[:, Column.AMOUNT].tolist() == [10_000, 4_130_000, 50_000]
    assert rows[:, Column.ORDINAL].tolist() == [0, 1, 2]
    assert rows[:, Column.MERCHANT].tolist() == [0, 1, 1]
    told = dict(compiled.remarks)
    assert set(told) == {("demand", "inbound", "trace", "file")}
    messages = [message for _, message in compiled.remarks]
    assert "1 of 4 payments of payments.csv lie at or after the horizon: do not come" in messages
    assert "nothing is read from payments.csv's columns note" in messages


def test_what_a_row_says_in_other_ways_is_the_same_payment(tmp_path: Path) -> None:
    # 12:00:01.5 in Phnom Penh is 05:00:01.5 in UTC and 1.5 s after the start.
    ways = [
        "at,amount\n1.5 s,400.00\n",
        "at,amount\n2025-09-17T12:00:01.5+07:00,400\n",
        "at,amount\n2025-09-17T05:00:01.500Z,400\n",
        "submitted_us,instructed_amount_minor\n1500000,40000\n",
        "\ufeffat,amount\r\n1.5 s , 400 \r\n\r\n",
        "amount,at,instructed_currency\n400,1.5 s,KHR\n",
    ]
    found = [_rows(_compiled(tmp_path, text)) for text in ways]
    assert all((rows == found[0]).all() for rows in found)
    assert found[0][0, Column.TIME_US] == 1_500_000
    assert found[0][0, Column.AMOUNT] == 40_000
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(ways[0].encode()))
    path = _scenario(tmp_path, "", demand="trace: {file: packed.csv.gz}")
    assert (_rows(compile_scenario(load_scenario(path))) == found[0]).all()


@pytest.mark.parametrize(
    "table",
    [
        {"submitted_us": [1_500_000], "instructed_amount_minor": [40_000]},
        {"submitted_us": [1_500_000.0], "amount": [400.0], "payer": [float("nan")]},
        {"at": ["1.5 s"], "amount": pa.array(["400.00"]).dictionary_encode()},
        {"submitted_us": [1_500_000], "amount": pa.array([400], pa.int32()), "payer": [None]},
    ],
    ids=["minor units", "floats", "dictionary", "small integers"],
)
def test_parquet_is_read_in_the_types_tables_come_in(
    tmp_path: Path, table: dict[str, list]
) -> None:
    pq.write_table(pa.table(table), tmp_path / "payments.parquet")
    path = _scenario(tmp_path, "", demand="trace: {file: payments.parquet}", name="unused.csv")
    [row] = _rows(compile_scenario(load_scenario(path))).tolist()
    assert (row[Column.TIME_US], row[Column.AMOUNT]) == (1_500_000, 40_000)


def test_bad_rows_are_told_by_line(tmp_path: Path) -> None:
    text = "\n".join(
        [
            "at,amount,payer,merchant,debtor_agent",
            "1 s,100,0,1,",
            "2,100,0,1,",  # no unit
            "3 s,,0,1,",
            "4 s,-5,0,1,",
            "5 s,0.001,0,1,",  # finer than the riel's minor unit
            "6 s,0,0,1,",
            "7 s,100,x,1,",
            "8 s,100,1.5,1,",
            "2025-09-17T11:59:59+07:00,100,0,1,",
            "10 s,100,0,1,alipay",
            "11 s,100,3,1,",
            "12 s,100,0,2,",
            "13 s,100.50,0,1,",  # riel are paid in whole riel
        ]
    )
    found = _refused(tmp_path, text)
    lines = [one.partition("payments.csv: ")[2] for one in found]
    assert [one.partition(":")[0] for one in lines] == [
        "line 3, at", "line 4, amount", "line 5, amount", "line 6, amount", "line 7, amount",
        "line 8, payer", "line 9, payer", "line 10, at",
    ]  # fmt: skip
    assert all(one.startswith("demand.inbound.trace.file: payments.csv: line") for one in found)
    assert "found nothing; needed with every payment" in lines[1]
    assert "at most 2 decimal places in KHR" in lines[3]
    assert "found an instant before clock.start" in lines[7]
    # What only the scenario can tell comes once every row can be read.
    kept = [line for at, line in enumerate(text.splitlines()) if at in (0, 1, 10, 11, 12)]
    again = [one.partition("payments.csv: ")[2] for one in _refused(tmp_path, "\n".join(kept))]
    assert again == [
        "line 4, payer: found 3; allowed: below payers = 1",
        "line 5, merchant: found 2; allowed: one of 2 codes",
    ]
    coarse = _refused(tmp_path, "at,amount\n1 s,150\n2 s,100\n")
    assert coarse == [
        "demand.inbound.trace.file: payments.csv: line 2, amount: found '150.00 KHR'; allowed: "
        "whole steps of 100.00 KHR, as bakong asks"
    ]


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    found = _refused(tmp_path, "at,amount\n" + "1 s,none\n" * 500)
    assert len(found) == 21
    assert found[-1].endswith("payments.csv: 480 more lines that cannot be payments")


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("when,amount\n1 s,5\n", "", "found neither among when, amount; needed: one column at or"),
        ("at,submitted_us,amount\n1 s,1,5\n", "", "found at and submitted_us; needed: one column"),
        ("at,amout\n1 s,5\n", "", "one column amount or instructed_amount_minor. Did you mean"),
        ("at,amount\n", "", "payments.csv: found no row; needed: at least one payment"),
        ("", "", "found no header; needed: a first line that names the columns"),
        ("at,amount\n1 s,5\n2 s\n", "", "line 3: found 1 values; needed: 2, as in its header"),
        ("at,amount\n1 s,5\n\n2 s,6\n", "", "line 3, at: found nothing"),
        ("at,amount\n90 s,5\n", "", "found no payment before the horizon; needed: at least one"),
        ("at,amount,stream\n1 s,5,a\n2 s,5,b\n", "", "payments.csv has rows of a, b; needed: one"),
        ("at,amount,ordinal\n1 s,5,7\n2 s,5,7\n", "", "line 3, ordinal: found 7 again"),
        ("at,amount,instructed_currency\n1 s,5,CNY\n", "", "found CNY; needed: KHR, as the"),
        ("at,amount,instrument\n1 s,5,alipay\n", "", "line 2, instrument: unknown 'alipay'"),
        ("at,amount,creditor_agent\n1 s,5,rver\n", "", "unknown 'rver'; known: river_bank, temp"),
        (
            "at,amount\n1 s,5\n",
            ", rate: 1 /s",
            "found rate and trace; allowed: exactly one of rate, p",
        ),
        ("at,amount\n1 s,5\n", ", amount: 5 KHR", "found amount of a trace; allowed: with a rate"),
    ],
)
def test_files_that_cannot_be_meant_are_refused(
    tmp_path: Path, text: str, more: str, message: str
) -> None:
    found = _refused(tmp_path, text, more)
    assert any(message in one for one in found), found


def test_a_file_is_found_beside_whatever_names_it(tmp_path: Path) -> None:
    text = "at,amount\n1 s,400\n"
    below = tmp_path / "below"
    below.mkdir()
    _scenario(below, text, demand="trace: {file: payments.csv}")
    child = tmp_path / "child.yaml"
    child.write_text("scenario: child\nextends: below/traced.yaml\n")
    document = load_scenario(child).document
    trace = document.tree["demand"]["inbound"]["trace"]
    assert trace["file"] == str((below / "payments.csv").resolve())
    # The resolved scenario says which payments it means, and finds them beside itself, too.
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "scenario.yaml").write_text(dump_resolved(document))
    (below / "payments.csv").rename(moved / "payments.csv")
    assert len(_rows(compile_scenario(load_scenario(moved / "scenario.yaml")))) == 1
    (moved / "payments.csv").write_text("at,amount\n1 s,500\n")
    with pytest.raises(ScenarioError, match="found other payments than those meant"):
        load_scenario(moved / "scenario.yaml")
    (moved / "payments.csv").unlink()
    with pytest.raises(ScenarioError, match="no such file"):
        load_scenario(moved / "scenario.yaml")


def test_only_the_rows_asked_for_are_taken(tmp_path: Path) -> None:
    text = "at,amount,stream,replication\n1 s,500,a,0\n2 s,600,b,0\n3 s,700,b,1\n4 s,800,b,1\n"
    path = _scenario(
        tmp_path, text, demand="trace: {file: payments.csv, stream: b, replication: 1}"
    )
    rows = _rows(compile_scenario(load_scenario(path)))
    assert rows[:, Column.AMOUNT].tolist() == [70_000, 80_000]
    for wrong, known in (("stream: c", "known in payments.csv: a, b"), ("replication: 2", "0, 1")):
        field = wrong.partition(":")[0]
        bare = {"stream": "replication: 1", "replication": "stream: b"}[field]
        path = _scenario(tmp_path, text, demand=f"trace: {{file: payments.csv, {wrong}, {bare}}}")
        with pytest.raises(ScenarioError, match=known):
            compile_scenario(load_scenario(path))


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_run_s_own_payments_give_its_own_tables(tmp_path: Path, engine: str) -> None:
    source = SCENARIOS / "china-two-way.yaml"
    short = {"clock.horizon": "2 min", "demand.domestic_khr": "null", "demand.domestic_usd": "null"}
    # More of everything, so that two minutes hold damaged codes, second instruments and failures.
    short |= {"demand.cn_counter.rate": "2 /s", "demand.kh_counter_in_china.rate": "1 /s"}
    first = run_scenario(source, engine=engine, out=tmp_path / "first", overrides=short)
    assert first.folder is not None
    lines = ["scenario: again", f"extends: {first.folder / 'scenario.yaml'}", "demand:"]
    for stream in ("cn_counter", "kh_counter_in_china"):
        settings = load_scenario(first.folder / "scenario.yaml").scenario.demand[stream]
        dropped = [f for f in ("amount", "profile") if f in settings.model_fields_set]
        gone = "".join(f"{field}: null, " for field in (*dropped, "rate"))
        trace = f"trace: {{file: {first.folder / 'payments.parquet'}, stream: {stream}}}"
        lines.append(f"  {stream}: {{{gone}{trace}}}")
    again = tmp_path / "again.yaml"
    again.write_text("\n".join(lines) + "\n")
    second = run_scenario(again, engine=engine, out=tmp_path / "second", record="events")
    assert second.folder is not None
    for table in ("payments", "fees", "obligations"):
        ours = pq.read_table(second.folder / f"{table}.parquet")
        assert ours.equals(pq.read_table(first.folder / f"{table}.parquet")), table
        assert ours.num_rows > 20
    assert audit_folder(second.folder).ok
    # A control: with the numbers of draws moved by one, luck is another one.
    table = pq.read_table(first.folder / "payments.parquet")
    at = table.column_names.index("ordinal")
    moved = pa.compute.add(table.column("ordinal"), 1)
    (tmp_path / "luck").mkdir()
    pq.write_table(table.set_column(at, "ordinal", moved), tmp_path / "luck" / "payments.parquet")
    text = again.read_text().replace(str(first.folder / "payments.parquet"), "payments.parquet")
    (tmp_path / "luck" / "again.yaml").write_text(text)
    third = run_scenario(tmp_path / "luck" / "again.yaml", engine=engine, out=tmp_path / "third")
    assert third.folder is not None
    others = pq.read_table(third.folder / "payments.parquet")
    assert not others.column("end_us").equals(table.column("end_us"))


def test_times_and_amounts_alone_draw_the_rest_as_a_rate_does(tmp_path: Path) -> None:
    source = SCENARIOS / "china-two-way.yaml"
    options = ("clock.horizon=5 min", "demand.domestic_usd=null", "demand.domestic_khr=null")
    drawn = compile_scenario(load_scenario(source, options))
    rows = np.concatenate(list(drawn.workload()))
    stream = drawn.plan.names.streams.index("cn_counter")
    mine = rows[rows[:, Column.STREAM] == stream]
    table = {
        "submitted_us": mine[:, Column.TIME_US],
        "instructed_amount_minor": mine[:, Column.AMOUNT],
    }
    pq.write_table(pa.table(table), tmp_path / "payments.parquet")
    path = tmp_path / "open.yaml"
    settings = load_scenario(source).scenario.demand["cn_counter"]
    gone = [f for f in ("amount", "profile", "rate") if f in settings.model_fields_set]
    nulls = "".join(f"{field}: null, " for field in gone)
    trace = "trace: {file: payments.parquet}"
    text = f"scenario: open\nextends: {source}\ndemand: {{cn_counter: {{{nulls}{trace}}}}}\n"
    path.write_text(text)
    again = np.concatenate(list(compile_scenario(load_scenario(path, options)).workload()))
    # Payers, banks, codes and their age, instruments and routes: number for number.
    assert (again[again[:, Column.STREAM] == stream] == mine).all()
    assert len(mine) > 50

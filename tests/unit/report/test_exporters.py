"""Exports are read back by others than their writers, and say what the tables say."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.errors import MachineError, UserError
from sim.report.exporting import (
    Export,
    Exporter,
    exporter_names,
    find_exporter,
    own_exporters,
    write_export,
)
from sim.study.case import RunOptions
from sim.study.replicate.replicate import HowMany, run_replications
from sim.study.run import run_scenario
from sim.tables import lives
from sim.tables.open_run import open_run
from tests.support.tiny import write_tiny
from tests.theory.driver import ROOT

XES = "{http://www.xes-standard.org/}"
PACKAGE = ROOT / "tests" / "data" / "exporter_package"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the three payments that are worked out by hand, with everything recorded."""
    out = tmp_path_factory.mktemp("minimal") / "run"
    run_scenario("minimal", engine="reference", record="events", out=out)
    return out


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of a queue in which some wait, some are turned away and some are still there."""
    folder = tmp_path_factory.mktemp("crowd")
    run_scenario(write_tiny(folder), engine="reference", record="stages", out=folder / "run")
    return folder / "run"


def _made(run: Path, form: str, path: Path, **more: Any) -> Path:
    write_export(find_exporter(form), Export(open_run(run), **more), path)
    return path


def _rows(run: Path, name: str) -> list[dict[str, Any]]:
    return pq.read_table(run / f"{name}.parquet").to_pylist()


# --- XES -----------------------------------------------------------------------------------------

_KINDS = {"string": str, "int": int, "date": datetime.fromisoformat, "float": float}
"""Elements of attributes the standard knows, and what reads their values."""


def _attributes(element: ElementTree.Element) -> dict[str, Any]:
    """Return the attributes of an element, held to the standard."""
    found: dict[str, Any] = {}
    for child in element:
        kind = child.tag.removeprefix(XES)
        if kind in ("event", "trace", "extension", "global", "classifier"):
            continue
        assert set(child.attrib) == {"key", "value"}, child.attrib
        assert child.attrib["key"] not in found, "a key twice"
        found[child.attrib["key"]] = _KINDS[kind](child.attrib["value"])
    return found


def _read_xes(path: Path) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return the traces of a log, after checking what IEEE 1849 asks of it."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{XES}log"
    assert root.attrib["xes.version"] == "1849.2016"
    prefixes = {one.attrib["prefix"] for one in root.findall(f"{XES}extension")}
    scopes = {one.attrib["scope"]: _attributes(one) for one in root.findall(f"{XES}global")}
    order = [child.tag.removeprefix(XES) for child in root]
    # In this order: extensions, globals, classifiers, attributes, traces.
    ranks = {"extension": 0, "global": 1, "classifier": 2, "trace": 4}
    assert [ranks.get(tag, 3) for tag in order] == sorted(ranks.get(tag, 3) for tag in order)
    found = []
    for trace in root.findall(f"{XES}trace"):
        told = _attributes(trace)
        assert set(scopes["trace"]) <= set(told)
        events = [_attributes(event) for event in trace.findall(f"{XES}event")]
        for event in events:
            assert set(scopes["event"]) <= set(event)
            assert {key.partition(":")[0] for key in event if ":" in key} <= prefixes
        times = [event["time:timestamp"] for event in events]
        assert times == sorted(times)
        found.append((told, events))
    return found


def test_xes_tells_the_payment_that_is_worked_out_by_hand(run: Path, tmp_path: Path) -> None:
    traces = _read_xes(_made(run, "xes", tmp_path / "log.xes"))
    assert [told["concept:name"] for told, _ in traces] == ["0", "1", "2"]
    told, events = traces[1]
    # Payment 1 is submitted 2.1 s after 12:00; scanning takes 0.1 s, its bank 0.2 s, the payer
    # 3 s, the way to the ledger 0.05 s. It waits for the round at 6.2 s, which commits 0.3 s later;
    # the payee's bank takes 0.2 s and the message 0.1 s: 6.8 s.
    begin = datetime.fromisoformat("2025-09-17T12:00:00+07:00")
    seen = [
        (
            round((event["time:timestamp"] - begin).total_seconds(), 6),
            event["concept:name"],
            event["lifecycle:transition"],
        )
        for event in events
    ]
    assert seen == [
        (2.1, "submitted", "complete"),
        (2.1, "khqr.scan", "start"),
        (2.2, "khqr.scan", "complete"),
        (2.2, "debtor_agent.core", "start"),
        (2.4, "debtor_agent.core", "complete"),
        (2.4, "quoted", "complete"),
        (2.4, "khqr.confirm", "start"),
        (5.4, "khqr.confirm", "complete"),
        (5.4, "bakong.hop", "start"),
        (5.45, "bakong.hop", "complete"),
        (5.45, "bakong.admission", "start"),
        (5.45, "bakong.admission", "complete"),
        (5.45, "bakong.block", "schedule"),
        (6.2, "bakong.block", "start"),
        (6.5, "bakong.block", "complete"),
        (6.5, "settled", "complete"),
        (6.5, "creditor_agent.core", "start"),
        (6.7, "creditor_agent.core", "complete"),
        (6.7, "credited", "complete"),
        (6.7, "khqr.notify", "start"),
        (6.8, "khqr.notify", "complete"),
        (6.8, "completed", "complete"),
    ]
    assert events[13]["org:resource"] == "bakong.ledger"
    assert (told["corridor"], told["credited_amount_minor"]) == ("kh_kh", 1_200_000)


def test_xes_of_a_crowd_has_every_visit_and_never_ends_what_did_not_begin(
    crowd: Path, tmp_path: Path
) -> None:
    traces = _read_xes(_made(crowd, "xes", tmp_path / "log.xes"))
    assert len(traces) == len(_rows(crowd, "payments"))
    counted: Counter[str] = Counter()
    for _, events in traces:
        started = 0
        for event in events:
            if event["concept:name"] == "shop.service":
                counted[event["lifecycle:transition"]] += 1
                started += event["lifecycle:transition"] == "start"
                started -= event["lifecycle:transition"] == "complete"
                assert started in (0, 1)
    stages = _rows(crowd, "stages")
    assert counted["start"] == sum(one["started_us"] is not None for one in stages)
    assert counted["schedule"] == sum(
        one["started_us"] is None or one["started_us"] > one["queued_us"] for one in stages
    )
    assert counted["schedule"] > 10
    outcomes = Counter(told["outcome"] for told, _ in traces)
    assert outcomes == Counter(one["outcome"] for one in _rows(crowd, "payments"))
    assert outcomes["rejected"] > 0


def test_without_stages_a_trace_holds_what_happened_to_the_payment(
    run: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(run, bare)
    (bare / "stages.parquet").unlink()
    traces = _read_xes(_made(bare, "xes", tmp_path / "log.xes"))
    names = [[event["concept:name"] for event in events] for _, events in traces]
    assert names == [["submitted", "quoted", "settled", "credited", "completed"]] * 3


def test_markup_in_a_name_stays_text(run: Path, tmp_path: Path) -> None:
    odd = _with_text(run, tmp_path / "odd", "stream", '<event key="1">&"')
    ((told, _), *_) = _read_xes(_made(odd, "xes", tmp_path / "log.xes"))
    assert told["stream"] == '<event key="1">&"'


def _with_text(run: Path, copy: Path, column: str, text: str) -> Path:
    """Return a copy of a run in whose payments a text stands in a column."""
    shutil.copytree(run, copy)
    table = pq.read_table(copy / "payments.parquet")
    at = table.schema.get_field_index(column)
    words = pa.array([text] * table.num_rows).dictionary_encode()
    table = table.set_column(at, column, words.cast(pa.dictionary(pa.int32(), pa.string())))
    pq.write_table(table, copy / "payments.parquet")
    return copy


# --- OCEL ----------------------------------------------------------------------------------------

_OCEL = {
    "objectTypes": {"name": str, "attributes": [{"name": str, "type": str}]},
    "eventTypes": {"name": str, "attributes": [{"name": str, "type": str}]},
    "objects": {
        "id": str,
        "type": str,
        "attributes": [{"name": str, "time": datetime.fromisoformat, "value": None}],
        "relationships": [{"objectId": str, "qualifier": str}],
    },
    "events": {
        "id": str,
        "type": str,
        "time": datetime.fromisoformat,
        "attributes": [{"name": str, "value": None}],
        "relationships": [{"objectId": str, "qualifier": str}],
    },
}
"""What the JSON of OCEL 2.0 consists of; None: of the type that is declared."""


def _hold(found: Any, asked: Any) -> None:
    """Hold a value to a shape: its keys, no others, and what reads each."""
    if isinstance(asked, dict):
        assert set(found) == set(asked)
        for key, shape in asked.items():
            _hold(found[key], shape)
    elif isinstance(asked, list):
        for item in found:
            _hold(item, asked[0])
    elif isinstance(asked, type):
        assert isinstance(found, asked)
    elif asked is not None:
        asked(found)


def _read_ocel(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return a log, after checking what OCEL 2.0 asks of it."""
    log: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    _hold(log, {name: [shape] for name, shape in _OCEL.items()})
    ids = [one["id"] for name in ("objects", "events") for one in log[name]]
    assert len(set(ids)) == len(ids)
    objects = {one["id"] for one in log["objects"]}
    reads = {"string": str, "integer": int, "time": str, "float": float}
    for name, kinds in (("objects", "objectTypes"), ("events", "eventTypes")):
        declared = {
            kind["name"]: {one["name"]: one["type"] for one in kind["attributes"]}
            for kind in log[kinds]
        }
        for one in log[name]:
            for attribute in one["attributes"]:
                kind = declared[one["type"]][attribute["name"]]
                assert type(attribute["value"]) is reads[kind]
            assert {to["objectId"] for to in one["relationships"]} <= objects
    return log


def test_ocel_names_what_each_event_concerns(run: Path, tmp_path: Path) -> None:
    log = _read_ocel(_made(run, "ocel", tmp_path / "log.ocel.json"))
    kinds = Counter(one["type"] for one in log["objects"])
    # Three payments on three routes; the banks of both sides of each.
    assert (kinds["payment"], kinds["route"], kinds["institution"]) == (3, 3, 4)
    (block,) = [
        one
        for one in log["events"]
        if one["type"] == "bakong.block"
        and {"objectId": "payment:1", "qualifier": "payment"} in one["relationships"]
    ]
    # In the queue of the ledger from 5.45 s to 6.2 s, committed at 6.5 s.
    assert block["time"] == "2025-09-17T12:00:06.500000+07:00"
    assert {"name": "waited_us", "value": 750_000} in block["attributes"]
    assert {"objectId": "station:bakong.ledger", "qualifier": "at"} in block["relationships"]
    assert {"objectId": "route:kh_kh/bakong", "qualifier": "on"} in block["relationships"]


def test_ocel_of_a_crowd_counts_as_the_tables_do(crowd: Path, tmp_path: Path) -> None:
    log = _read_ocel(_made(crowd, "ocel", tmp_path / "log.ocel.json"))
    counted = Counter(one["type"] for one in log["events"])
    payments = _rows(crowd, "payments")
    assert counted["submitted"] == len(payments)
    ended = [one for one in _rows(crowd, "stages") if one["ended_us"] is not None]
    assert counted["shop.service"] == len(ended)
    assert counted["completed"] == sum(one["outcome"] == "completed" for one in payments)


# --- trace ---------------------------------------------------------------------------------------


def test_trace_has_visits_within_their_payment_and_waiting_within_its_visit(
    crowd: Path, tmp_path: Path
) -> None:
    trace = json.loads(_made(crowd, "trace", tmp_path / "t.trace.json").read_text("utf-8"))
    threads: dict[tuple[int, int], list[tuple[int, int, str]]] = {}
    for event in trace["traceEvents"]:
        assert event["ph"] in "XMiC"
        if event["ph"] == "X":
            assert event["dur"] >= 0
            key = event["pid"], event["tid"]
            slices = threads.setdefault(key, [])
            slices.append((event["ts"], event["ts"] + event["dur"], event["name"]))
    assert len(threads) == len(_rows(crowd, "payments"))
    horizon_us = 60_000_000
    for slices in threads.values():
        begin, end, _ = slices[0]
        assert end <= horizon_us
        for at, (start, stop, name) in enumerate(slices[1:], start=1):
            assert begin <= start <= stop <= end
            if name == "waiting":
                assert slices[at - 1][0] == start
                assert stop <= slices[at - 1][1]


def test_trace_counts_queues_as_the_series_do(run: Path, tmp_path: Path) -> None:
    trace = json.loads(_made(run, "trace", tmp_path / "t.trace.json").read_text("utf-8"))
    told = [
        (event["ts"], event["args"]["value"])
        for event in trace["traceEvents"]
        if event["ph"] == "C" and event["name"] == "bakong.ledger queue"
    ]
    assert told == [
        (one["time_us"], one["value"])
        for one in _rows(run, "series")
        if (one["name"], one["measure"]) == ("bakong.ledger", "queue")
    ]


# --- CSV and SQLite ------------------------------------------------------------------------------


def test_csv_holds_every_table_to_the_last_digit(run: Path, tmp_path: Path) -> None:
    folder = _made(run, "csv", tmp_path / "csv")
    names = {path.stem for path in run.glob("*.parquet")}
    assert {path.stem for path in folder.iterdir()} == names
    for name in names:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            found = list(csv.DictReader(stream))
        assert found == [
            {key: "" if value is None else str(value) for key, value in row.items()}
            for row in _rows(run, name)
        ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", '=cmd|"/c calc"!A1'])
def test_no_text_of_a_csv_runs_in_a_spreadsheet(run: Path, tmp_path: Path, text: str) -> None:
    odd = _with_text(run, tmp_path / "odd", "stream", text)
    folder = _made(odd, "csv", tmp_path / "csv")
    with (folder / "payments.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["stream"] for row in rows} == {f"'{text}"}
    # Numbers keep their sign: rounding takes from payment 0 what it gives to nobody.
    assert rows[0]["fx_rounding_millionths"] == "-210938"


def test_sqlite_holds_every_table_and_measure(run: Path, tmp_path: Path) -> None:
    path = _made(run, "sqlite", tmp_path / "run.sqlite")
    with closing(sqlite3.connect(path)) as database:
        for name in (path.stem for path in run.glob("*.parquet")):
            found = database.execute(f'SELECT * FROM "{name}" ORDER BY rowid')
            names = [column[0] for column in found.description]
            assert [dict(zip(names, row, strict=True)) for row in found] == _rows(run, name)
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        told = dict(database.execute("SELECT name, value FROM run").fetchall())
        assert told["digest"] == open_run(run).facts["digest"]
        unit = database.execute(
            "SELECT unit FROM columns WHERE table_name = 'payments' AND column_name = 'end_us'"
        ).fetchone()
        assert unit[0] == "us"
        value = database.execute(
            "SELECT value FROM measures WHERE kind = 'corridor' AND name = 'cn_kh' "
            "AND measure = 'completed'"
        ).fetchone()
        assert value[0] == 1


# --- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["xes", "ocel", "trace"])
def test_only_payments_of_a_corridor_are_written_where_one_is_asked_for(
    run: Path, tmp_path: Path, form: str
) -> None:
    text = _made(run, form, tmp_path / "file", corridors=("kh_kh",)).read_text("utf-8")
    assert "kh_kh" in text
    assert "cn_kh" not in text
    assert re.findall(r"khqr\.scan", text)


def test_a_corridor_that_is_not_there_is_told(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--corridor: found 'kh_th'; allowed: cn_kh, kh_cn, kh_kh"):
        _made(run, "xes", tmp_path / "log.xes", corridors=("kh_th",))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UserError, match="whole tables"):
        _made(run, "csv", tmp_path / "csv", corridors=("kh_kh",))


@pytest.mark.parametrize("form", ["xes", "ocel", "trace", "sqlite"])
def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path, form: str) -> None:
    one, other = (_made(run, form, tmp_path / name).read_bytes() for name in ("one", "other"))
    assert one == other


def test_a_file_that_ends_in_gz_is_compressed(run: Path, tmp_path: Path) -> None:
    plain = _made(run, "xes", tmp_path / "log.xes").read_bytes()
    packed = _made(run, "xes", tmp_path / "log.xes.gz").read_bytes()
    assert gzip.decompress(packed) == plain
    assert packed == _made(run, "xes", tmp_path / "again.xes.gz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "again.xes.gz", "log.xes", "log.xes.gz",
    ]  # fmt: skip


def test_payments_of_replications_keep_apart(tmp_path: Path) -> None:
    plan = HowMany(2)
    options = RunOptions("reference", "stages")
    run_replications(write_tiny(tmp_path), plan, options=options, out=tmp_path / "run")
    traces = _read_xes(_made(tmp_path / "run", "xes", tmp_path / "log.xes"))
    names = [told["concept:name"] for told, _ in traces]
    rows = _rows(tmp_path / "run", "payments")
    keys = sorted((one["replication"], one["payment_id"]) for one in rows)
    assert names == [f"{replication}-{payment}" for replication, payment in keys]
    visits = sum(
        event["lifecycle:transition"] == "start" for _, events in traces for event in events
    )
    stages = _rows(tmp_path / "run", "stages")
    assert visits == sum(one["started_us"] is not None for one in stages)


def test_heaps_on_disk_change_nothing(
    crowd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _made(crowd, "xes", tmp_path / "whole.xes").read_bytes()
    # A hundred and more payments in heaps of 7, five of them objects of Python at a time.
    monkeypatch.setattr(lives, "HEAP_PAYMENTS", 7)
    monkeypatch.setattr(lives, "_TOGETHER", 5)
    assert _made(crowd, "xes", tmp_path / "heaps.xes").read_bytes() == whole


def test_what_goes_wrong_leaves_nothing_behind(run: Path, tmp_path: Path) -> None:
    def broken(export: Export, path: Path) -> None:
        path.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    kept = tmp_path / "log.txt"
    kept.write_text("before", encoding="utf-8")
    exporter = Exporter("half a file", ".txt", broken)
    with pytest.raises(MachineError, match="disk is full"):
        write_export(exporter, Export(open_run(run)), kept)
    assert [(path.name, path.read_text("utf-8")) for path in tmp_path.iterdir()] == [
        ("log.txt", "before")
    ]


# --- formats of other packages -------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a package with an entry point of its own be there, by its metadata."""
    monkeypatch.syspath_prepend(str(PACKAGE))


def test_our_formats_are_those_documented() -> None:
    assert own_exporters() == ("csv", "ocel", "sqlite", "trace", "xes")
    assert all(find_exporter(name).words for name in own_exporters())


@pytest.mark.usefixtures("installed")
def test_another_package_adds_a_format(run: Path, tmp_path: Path) -> None:
    assert "lines" in exporter_names()
    text = _made(run, "lines", tmp_path / "lines.txt").read_text("utf-8")
    first = text.splitlines()[0]
    assert first.startswith("0 2025-09-17T12:00:01.000000+07:00 completed khqr.scan ")
    # A name of ours stays ours.
    assert find_exporter("xes").words != "a line per payment"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["broken", "wrong"])
def test_a_package_that_cannot_be_used_is_named(name: str) -> None:
    with pytest.raises(MachineError, match=r"payroute-lines brings it and .* update or remove it"):
        find_exporter(name)


def test_an_unknown_format_is_told_with_what_is_near() -> None:
    with pytest.raises(UserError, match=r"--format: found 'xex'; allowed: csv, .*'xes'\?"):
        find_exporter("xex")

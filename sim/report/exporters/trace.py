"""Payments and places over time as a trace to look at (Trace Event Format: Perfetto, Chrome).

Takes an :class:`~sim.report.exporting.Export`; writes JSON that https://ui.perfetto.dev opens
without sending it anywhere. Every corridor is a process and every payment a thread in it, its
visits slices with the waiting inside; queues, servers and balances are counters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from sim.report.exporting import Export, Exporter
from sim.tables.lives import Life, Visit
from sim.tables.reading import open_table
from sim.tables.schemas import SERIES_FILE

_PLACES = 1
"""Process of the counters; corridors follow."""
_ARGUMENTS = (
    "route", "stream", "debtor_agent", "creditor_agent", "instructed_amount_minor",
    "instructed_currency", "outcome", "reason_code",
)  # fmt: skip
_COUNTED = ("queue", "busy", "balance_minor")

_Slice = dict[str, object]


def write(export: Export, path: Path) -> None:
    """Write the trace."""
    with path.open("w", encoding="utf-8", newline="\n") as sink:
        facts = export.run.facts
        about = {"scenario": facts.get("scenario"), "seed": facts.get("seed")}
        about |= {"start": export.clock()(0), "digest": facts.get("digest")}
        sink.write(f'{{"displayTimeUnit": "ms", "otherData": {json.dumps(about)},\n')
        sink.write('"traceEvents": [')
        _write(_events(export), sink)
        sink.write("\n]}\n")


def _write(events: Iterator[_Slice], sink: TextIO) -> None:
    separator = "\n"
    for event in events:
        sink.write(separator + json.dumps(event, ensure_ascii=False))
        separator = ",\n"


def _events(export: Export) -> Iterator[_Slice]:
    corridors: dict[str, int] = {}
    for life in export.lives():
        corridor = str(life.fields["corridor"])
        if corridor not in corridors:
            corridors[corridor] = _PLACES + 1 + len(corridors)
            yield _named("process_name", corridors[corridor], corridor)
        yield from _of_payment(export, life, corridors[corridor])
    if export.run.has(SERIES_FILE):
        yield _named("process_name", _PLACES, "places")
        yield from _counters(export)


def _of_payment(export: Export, life: Life, process: int) -> Iterator[_Slice]:
    # Numbers of threads have to be whole: replications one after another.
    thread = int(str(life.fields["payment_id"])) + 1
    replication = int(str(life.fields["replication"]))
    thread += replication * 10**9
    at: _Slice = {"pid": process, "tid": thread}
    yield {**_named("thread_name", process, f"payment {export.name(life)}"), "tid": thread}
    submitted = life.number("submitted_us") or 0
    ended = life.number("end_us")
    told = {name: life.fields[name] for name in _ARGUMENTS if life.fields[name] is not None}
    yield {
        "name": str(life.fields["outcome"]), "cat": "payment", "ph": "X", "ts": submitted,
        "dur": (export.horizon_us if ended is None else ended) - submitted, **at, "args": told,
    }  # fmt: skip
    for visit in life.visits:
        yield from _of_visit(visit, at, export.horizon_us)
    for name, time_us in life.milestones()[1:]:
        yield {"name": name, "cat": "milestone", "ph": "i", "s": "t", "ts": time_us, **at}


def _of_visit(visit: Visit, at: _Slice, horizon_us: int) -> Iterator[_Slice]:
    ended = horizon_us if visit.ended_us is None else visit.ended_us
    yield {
        "name": visit.activity, "cat": visit.cause, "ph": "X", "ts": visit.queued_us,
        "dur": ended - visit.queued_us, **at,
        "args": {"station": visit.station, "stage": visit.stage},
    }  # fmt: skip
    until = ended if visit.started_us is None else visit.started_us
    if until > visit.queued_us:
        waited = until - visit.queued_us
        yield {
            "name": "waiting", "cat": "waiting", "ph": "X", "ts": visit.queued_us, "dur": waited,
            **at,
        }  # fmt: skip


def _counters(export: Export) -> Iterator[_Slice]:
    columns = ["replication", "time_us", "name", "measure", "value"]
    for batch in open_table(export.run.path / SERIES_FILE, columns):
        for row in batch.to_pylist():
            if row["measure"] not in _COUNTED:
                continue
            name = f"{row['name']} {str(row['measure']).removesuffix('_minor')}"
            if export.has_replications:
                name = f"{name} ({row['replication']})"
            yield {
                "name": name, "ph": "C", "ts": row["time_us"], "pid": _PLACES,
                "args": {"value": row["value"]},
            }  # fmt: skip


def _named(what: str, process: int, name: str) -> _Slice:
    return {"name": what, "ph": "M", "pid": process, "args": {"name": name}}


EXPORTER = Exporter("timeline for Perfetto or Chrome, JSON", ".trace.json", write)

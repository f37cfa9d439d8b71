"""Journeys of single payments, and the few paths most payments share.

Takes a run that recorded its stages; gives a figure per telling payment (the fastest, the median,
the slowest, one of each failure) and a table of paths with how many took them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from sim.analysis.summary import Measure
from sim.report.blocks import Block, Column, Figure, Heading, Table, Text, Tone
from sim.report.figure import figure
from sim.report.figures.of_run import Told
from sim.tables.finished_run import FinishedRun
from sim.tables.schemas import FAILURES, PAYMENTS_FILE, STAGES_FILE
from sim.tables.tabular import TabularData
from sim.units import SECOND_US

_PATHS_SHOWN = 15
_FAILURES_SHOWN = 4
_PAYMENTS_MAX = 5000
"""Payments whose paths are told apart; of more the first."""

Row = dict[str, object]


def journey_blocks(told: Told) -> Iterator[Block]:
    """Yield the journeys of a run, with what to do where they were not recorded.

    Parameters
    ----------
    told : Told
    """
    run = told.run
    if not run.has(PAYMENTS_FILE):
        return
    yield Heading("Journeys")
    if not run.has(STAGES_FILE):
        yield Text(
            "The way of single payments was not recorded; --record stages or more keeps it.",
            Tone.QUIET,
        )
        return
    payments, _ = covered_payments(run, told.summary.covers)
    if not payments:
        return
    visits = visits_of(run, {int(str(row["payment_id"])) for row in payments})
    for words, row in _telling(payments):
        made = _journey(words, row, visits.get(int(str(row["payment_id"])), []))
        if made is not None:
            yield made
    yield Heading("Paths", level=3)
    yield _paths(payments, visits)


def covered_payments(run: FinishedRun, covers: str) -> tuple[list[Row], int]:
    """Return payments the summary covers, of the first replication, and how many are left out.

    All that failed are kept, and of the others the first, in order.
    """
    rows = covered_table(run, covers)
    has_failed = pc.is_in(rows.column("outcome").cast(pa.string()), pa.array(FAILURES))
    failed = rows.filter(has_failed).slice(0, _PAYMENTS_MAX)
    others = rows.filter(pc.invert(has_failed)).slice(0, _PAYMENTS_MAX - failed.num_rows)
    found: list[Row] = pa.concat_tables([failed, others]).sort_by("payment_id").to_pylist()
    return found, rows.num_rows - len(found)


def covered_table(run: FinishedRun, covers: str) -> pa.Table:
    """Return the payments the summary covers, of the first replication, in order."""
    columns = ["payment_id", "stream", "ordinal", "corridor", "scope", "route", "outcome"]
    columns += ["reason_code", "submitted_us", "end_us", "replication", "in_warm_up"]
    table = run.table(PAYMENTS_FILE, columns)
    chosen = (pc.field("replication") == run.replications[0]) & (pc.field("in_warm_up") == 0)
    if covers == "cross_border":
        chosen &= pc.field("scope") == covers
    return table.filter(chosen).sort_by("payment_id")


def visits_of(run: FinishedRun, payments: set[int]) -> dict[int, list[Row]]:
    """Return the stages of payments, in the order they were entered."""
    columns = [
        "payment_id",
        "stage_name",
        "station",
        "queued_us",
        "started_us",
        "ended_us",
        "cause",
    ]
    table = run.table(STAGES_FILE, [*columns, "replication"])
    wanted = pa.array(sorted(payments), type=pa.int64())
    chosen = (pc.field("replication") == run.replications[0]) & pc.field("payment_id").isin(wanted)
    found: dict[int, list[Row]] = defaultdict(list)
    for row in table.filter(chosen).sort_by("queued_us").to_pylist():
        found[int(row["payment_id"])].append(row)
    return found


def _short(visit: Row, route: object) -> str:
    """Return a stage's name without that of its route."""
    return str(visit["stage_name"]).removeprefix(str(route)).lstrip("./")


def _took(row: Row) -> int:
    return int(str(row["end_us"])) - int(str(row["submitted_us"]))


def _telling(payments: list[Row]) -> Iterator[tuple[str, Row]]:
    """Yield payments that tell something: of those completed by time, of others by reason."""
    done = sorted(
        (row for row in payments if row["outcome"] == "completed"),
        key=lambda row: (_took(row), int(str(row["payment_id"]))),
    )
    if done:
        yield "fastest", done[0]
        yield "median", done[(len(done) - 1) // 2]
        yield "slowest", done[-1]
    seen: Counter[str] = Counter()
    for row in payments:
        reason = str(row["reason_code"])
        if row["outcome"] in FAILURES and not seen[reason]:
            seen[reason] += 1
            if len(seen) <= _FAILURES_SHOWN:
                yield f"failed {reason}", row


def _journey(words: str, row: Row, visits: list[Row]) -> Figure | None:
    """Return one payment's way as bars over time."""
    began = int(str(row["submitted_us"]))
    rows: list[tuple[str, float, float, str]] = []
    told: list[str] = []
    for at, visit in enumerate(visits, start=1):
        queued, ended = visit["queued_us"], visit["ended_us"]
        if ended is None:
            continue
        low, high = (int(str(time)) - began for time in (queued, ended))
        # All stages of a route begin with its name, which stands above.
        stage = _short(visit, row["route"])
        name = f"{at}. {stage}"
        rows.append((name, low / SECOND_US, high / SECOND_US, str(visit["cause"])))
        took = figure(Measure((high - low) / SECOND_US, "s"))
        told.append(f"{name}: {took}, {visit['cause']}")
    if not rows:
        return None
    took = figure(Measure(_took(row) / SECOND_US, "s"))
    data = TabularData(("row", "from", "to", "part"), tuple(rows))
    name = words.replace(" ", "-").lower()
    note = f"payment {row['payment_id']}, {row['route'] or 'no route'}, {took}, {row['outcome']}"
    return Figure(f"journey-{name}", "spans", f"Journey: {words}", data, tuple(told), "s", note)


def _paths(payments: list[Row], visits: dict[int, list[Row]]) -> Table:
    """Return the ways payments went, the most used first."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in payments:
        route = str(row["route"] or "no route")
        seen = visits.get(int(str(row["payment_id"])), [])
        groups[route, *(_short(visit, route) for visit in seen), str(row["outcome"])].append(row)
    order = sorted(groups, key=lambda way: (-len(groups[way]), way))
    rows = []
    for way in order[:_PATHS_SHOWN]:
        times = sorted(_took(row) for row in groups[way] if row["end_us"] is not None)
        half = times[(len(times) - 1) // 2] / SECOND_US if times else None
        rows.append((len(groups[way]), Measure(half, "s"), f"{way[0]}: {' → '.join(way[1:])}"))
    columns = (Column("payments", is_number=True), Column("p50", is_number=True))
    return Table((*columns, Column(f"path, of {len(order)}", is_prose=True)), tuple(rows))

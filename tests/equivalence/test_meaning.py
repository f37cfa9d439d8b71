"""Whole event logs stay equal to the last bit: every scenario file, and variants of some.

``meaning.csv`` holds one run per row: the scenario file, what ``--set`` changes (separated by
`` | ``; none: the file as written) and what came of it: the horizon, payments, events and the
digest that ``payroute run --record events`` reports. The short runs are repeated by default and
all of them with ``--large``. A row is added by writing its first two columns; ``--update-golden``
fills in the others, and is the only thing that rewrites them (with ``--large``: of all rows).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.plan import Array
from sim.engine.compiled import run_compiled
from sim.scenario.scenario import load_scenario
from sim.tables.digest import RollingDigest
from sim.units import SECOND_US

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("meaning.csv")
COLUMNS = ("file", "overrides", "horizon_s", "payments", "events", "digest")
BETWEEN = " | "
SHORT_EVENTS = 1_200_000
"""Runs of at most this many events are repeated by default; all of them take a few seconds."""

Row = dict[str, str]


@dataclass
class LogDigest:
    """Sink that keeps nothing of a run but the digest of its event log."""

    wants_log = True
    wants_records = False

    def __post_init__(self) -> None:
        self.rolling = RollingDigest()

    def take_log(self, rows: Array) -> None:
        self.rolling.take(rows)

    def take_records(self, rows: Array) -> None:
        pass

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        pass


def read_rows() -> list[Row]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_rows(rows: list[Row]) -> None:
    with TABLE.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def run_again(row: Row) -> Row:
    """Return a row as this code makes it."""
    overrides = [text for text in row["overrides"].split(BETWEEN) if text]
    compiled = compile_scenario(load_scenario(ROOT / row["file"], overrides))
    sink = LogDigest()
    totals = run_compiled(compiled.plan, compiled.workload(), sink)
    return {
        "file": row["file"],
        "overrides": row["overrides"],
        "horizon_s": f"{compiled.plan.horizon_us / SECOND_US:g}",
        "payments": str(totals.payments),
        "events": str(totals.events),
        "digest": f"log:{sink.rolling.text()}",
    }


def is_short(row: Row) -> bool:
    return int(row["events"] or 0) <= SHORT_EVENTS


@pytest.mark.slow
def test_every_run_is_what_it_was(request: pytest.FixtureRequest) -> None:
    is_large = request.config.getoption("--large")
    rows = read_rows()
    differing = []
    for at, row in enumerate(rows):
        if not (is_large or is_short(row)):
            continue
        again = run_again(row)
        if again != row:
            changes = f" ({row['overrides']})" if row["overrides"] else ""
            differing.append(
                f"{row['file']}{changes}: was {row['digest']} with {row['payments']} payments and "
                f"{row['events']} events, is {again['digest']} with {again['payments']} and "
                f"{again['events']}"
            )
        rows[at] = again
    if request.config.getoption("--update-golden"):
        write_rows(rows)
        return
    told = "\n".join(differing)
    assert not differing, (
        f"{len(differing)} event logs differ; if that is meant, rewrite {TABLE.name} with --large "
        f"--update-golden, and say so under 'Results change':\n{told}"
    )


def test_every_scenario_has_a_row() -> None:
    scenarios = ROOT / "scenarios"
    files = {
        path.relative_to(ROOT).as_posix()
        for path in scenarios.rglob("*.yaml")
        if "experiments" not in path.relative_to(scenarios).parts
    }
    assert files == {row["file"] for row in read_rows()}


def test_no_run_is_listed_twice() -> None:
    runs = [(row["file"], row["overrides"]) for row in read_rows()]
    assert len(runs) == len(set(runs))
    digests = [row["digest"] for row in read_rows()]
    assert len(digests) == len(set(digests)), "a variant that changes nothing shows nothing"

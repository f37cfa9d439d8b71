"""Threads ahead of an engine and behind it: same results, bounded, and none left behind."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim.compiler import compile as compiling
from sim.contract.plan import Array
from sim.engine import compiled as engine
from sim.study.pipeline import THREADS_MAX, Pipeline, Worker
from sim.study.run import run_scenario
from tests.support.scenarios import ROOT

TWO_WAY = ROOT / "scenarios" / "china-two-way.yaml"
EVERY = range(1, THREADS_MAX + 1)


class Kept:
    """A sink that keeps what it is told, and fails at one chunk."""

    wants_log = wants_records = wants_samples = True

    def __init__(self, fails_at: int | None = None) -> None:
        self.told: list[tuple[str, int]] = []
        self.threads: set[str] = set()
        self._fails_at = fails_at

    def _take(self, kind: str, rows: Array) -> None:
        self.threads.add(threading.current_thread().name)
        if len(self.told) == self._fails_at:
            raise OSError("the disk is full")
        self.told.append((kind, int(rows[0])))

    def take_log(self, rows: Array) -> None:
        self._take("log", rows)

    def take_records(self, rows: Array) -> None:
        self._take("records", rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        self.told.append(("progress", time_us))


def chunks(count: int, fails_at: int | None = None) -> Iterator[Array]:
    for number in range(count):
        if number == fails_at:
            raise ValueError("a trace that ends in the middle of a row")
        yield np.array([number])


def drive(threads: int, sink: Kept, workload: Iterator[Array], until: int = -1) -> None:
    """Pass a workload on as an engine does, and be interrupted at a chunk."""
    with Pipeline(threads) as line:
        behind = line.behind(sink)
        for rows in line.ahead(workload):
            behind.take_records(rows)
            line.aside(time.sleep, 0.001)
            if rows[0] == until:
                raise KeyboardInterrupt
        line.finish()


def left_over() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("payroute-")]


@pytest.mark.parametrize("threads", EVERY)
def test_everything_arrives_in_order(threads: int) -> None:
    sink, steps = Kept(), []
    with Pipeline(threads) as line:
        behind = line.behind(sink)
        for rows in line.ahead(chunks(50)):
            behind.take_log(rows)
            behind.take_records(rows)
            line.aside(steps.append, int(rows[0]))
        line.finish()
        # As the last table, written when nothing waits any more.
        line.aside(steps.append, 50)
    assert sink.told == [(kind, at) for at in range(50) for kind in ("log", "records")]
    assert steps == list(range(51))
    assert sink.threads == {"MainThread" if threads == 1 else "payroute-fold"}
    assert left_over() == []


@pytest.mark.parametrize("threads", EVERY)
def test_what_cannot_be_drawn_is_told_in_its_turn(threads: int) -> None:
    sink = Kept()
    with pytest.raises(ValueError, match="middle of a row"):
        drive(threads, sink, chunks(9, fails_at=7))
    seen = [at for _, at in sink.told]
    # What waits when a run fails is left undone.
    assert seen == list(range(len(seen)))
    assert len(seen) == 7 or threads > 1
    assert left_over() == []


@pytest.mark.parametrize("threads", EVERY)
def test_what_cannot_be_written_ends_the_run(threads: int) -> None:
    sink = Kept(fails_at=3)
    with pytest.raises(OSError, match="the disk is full"):
        drive(threads, sink, chunks(1_000_000))
    # Long before the end, and nothing was taken after the failure.
    assert sink.told == [("records", 0), ("records", 1), ("records", 2)]
    assert left_over() == []


def test_nothing_is_done_behind_a_failure() -> None:
    gate, done = threading.Event(), list[int]()

    def fails(_: None) -> None:
        gate.wait(10)
        raise OSError("the disk is full")

    worker = Worker("payroute-test")
    worker.do(fails, None)
    worker.do(done.append, 1)
    gate.set()
    with pytest.raises(OSError, match="the disk is full"):
        worker.finish()
    assert done == []
    assert left_over() == []


@pytest.mark.parametrize("threads", EVERY)
def test_the_last_failure_is_not_lost(threads: int) -> None:
    with pytest.raises(OSError, match="the disk is full"):
        drive(threads, Kept(fails_at=0), chunks(1))
    assert left_over() == []


@pytest.mark.parametrize("threads", EVERY)
def test_an_interrupt_leaves_no_thread(threads: int) -> None:
    slow = Kept()
    with pytest.raises(KeyboardInterrupt):
        drive(threads, slow, chunks(1_000_000), until=100)
    assert left_over() == []
    assert len(slow.told) <= 101


def test_no_more_is_drawn_than_may_wait() -> None:
    drawn = []

    def watched() -> Iterator[Array]:
        for rows in chunks(1000):
            drawn.append(len(drawn))
            yield rows

    with Pipeline(THREADS_MAX) as line:
        source = iter(line.ahead(watched()))
        next(source)
        time.sleep(0.3)
        # One is read, four wait, and one wants to.
        assert len(drawn) <= 6
    assert left_over() == []


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("name", ["wants_log", "wants_records", "wants_samples"])
def test_a_sink_behind_wants_what_the_one_it_tells_wants(name: str, wanted: bool) -> None:
    sink = Kept()
    setattr(sink, name, wanted)
    with Pipeline(2) as line:
        assert getattr(line.behind(sink), name) is wanted


def test_progress_is_told_at_once_and_where_the_engine_runs() -> None:
    sink = Kept()
    gate = threading.Event()
    with Pipeline(2) as line:
        behind = line.behind(sink)
        line._behind.do(lambda _: gate.wait(10), None)
        behind.take_records(np.array([1]))
        behind.take_progress(7, 0, 0)
        assert sink.told == [("progress", 7)]
        gate.set()
        line.finish()
    assert sink.told == [("progress", 7), ("records", 1)]


def _run(folder: Path, threads: int) -> dict[str, object]:
    """Return everything a run says, but when and where."""
    result = run_scenario(
        TWO_WAY,
        overrides=("clock.horizon=3 min", "clock.warm_up=30 s"),
        out=folder,
        record="events",
        audit=True,
        threads=threads,
    )
    said: dict[str, object] = {
        path.name: pq.read_table(path).replace_schema_metadata(None).to_pydict()
        for path in sorted(folder.glob("*.parquet"))
    }
    said["summary"] = json.loads((folder / "summary.json").read_text())
    facts = json.loads((folder / "run.json").read_text())
    said["digests"] = facts["digest"], facts["payments_digest"], facts["payments"], facts["events"]
    assert result.audit is not None
    said["audit"] = result.audit.checks, len(result.audit.violations)
    return said


@pytest.mark.slow
def test_results_depend_neither_on_threads_nor_on_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = _run(tmp_path / "plain", 1)
    assert {"payments.parquet", "stages.parquet", "events.parquet", "series.parquet"} <= set(
        expected
    )
    for threads, drawn, told, ended in ((4, 1 << 16, 1 << 15, 1 << 13), (3, 97, 4099, 61),
                                        (2, 1009, 5003, 13), (4, 31, 3001, 1999)):  # fmt: skip
        monkeypatch.setattr(compiling, "draw_workload", partial(_draw_workload, chunk=drawn))
        monkeypatch.setattr(engine, "_LOG_ROWS", told)
        monkeypatch.setattr(engine, "_RECORD_ROWS", ended)
        found = _run(tmp_path / f"{threads}-{drawn}", threads)
        for name, value in expected.items():
            assert found[name] == value, (threads, drawn, name)
    assert left_over() == []


_draw_workload = compiling.draw_workload

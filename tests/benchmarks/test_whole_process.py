"""Whole runs in processes of their own: how many events, how little memory, how soon they stop.

Prints payments and events per second and peak memory (run with ``-s``); asserts what no machine
changes: that both engines count the same events, that memory does not grow with the horizon, that
tables change nothing, and that an interrupt is answered.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim.engine.compiled import run_compiled, warm_up
from sim.engine.reference import run_reference
from tests.benchmarks.mm1_plan import Deaf, mm1_plan, mm1_workload
from tests.benchmarks.mm1_simpy import run_simpy
from tests.benchmarks.whole_process import CROSS_BORDER, DAY, SCENARIOS, TWO_WAY, Took, measure_run

EVENING = ("clock.start=2025-09-17T18:00:00+07:00", "clock.warm_up=0 s")
SHORT = (*EVENING, "clock.horizon=1 min")
PEAK_GROWTH_MAX = 1.2
ANSWER_SECONDS_MAX = 10.0
"""The aim is one; a busy machine takes longer to end a process."""


def report(name: str, took: Took) -> None:
    sys.stdout.write(f"\n{name}: {json.dumps(took.figures())}\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scenario", "overrides"),
    [
        ("one queue", SCENARIOS / "theory" / "mm3.yaml", ("clock.horizon=3000 s",)),
        ("two-way", TWO_WAY, SHORT),
        ("inbound and outbound", TWO_WAY, (*SHORT, *CROSS_BORDER)),
        ("nationwide", DAY, SHORT),
    ],
)
def test_whole_run_counts_the_events_the_reference_counts(
    name: str, scenario: Path, overrides: tuple[str, ...]
) -> None:
    compiled = measure_run(scenario, overrides=overrides)
    reference = measure_run(scenario, "--engine", "reference", overrides=overrides)
    report(f"{name}, compiled", compiled)
    report(f"{name}, reference", reference)
    assert (compiled.payments, compiled.events) == (reference.payments, reference.events)
    assert compiled.digest == reference.digest
    assert compiled.payments > 300


@pytest.mark.slow
def test_one_queue_takes_two_events_per_customer_in_every_engine() -> None:
    warm_up()
    plan, workload = mm1_plan(), mm1_workload(10_000)
    kernel = run_compiled(plan, [workload], Deaf())
    reference = run_reference(plan, [workload], Deaf())
    simpy_seconds = run_simpy(plan, workload)
    sys.stdout.write(
        f"\nM/M/1, {len(workload)} customers, events/s: kernel"
        f" {kernel.events / kernel.engine_seconds:.0f}, reference"
        f" {reference.events / reference.engine_seconds:.0f}, plain SimPy"
        f" {2 * len(workload) / simpy_seconds:.0f}\n"
    )
    assert kernel.events == reference.events == 2 * len(workload)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_horizon() -> None:
    # Short runs hold less than their buffers would take, so both must be long enough to fill them.
    took = [
        measure_run(DAY, overrides=(*EVENING, f"clock.horizon={minutes} min"))
        for minutes in (30, 90)
    ]
    for one in took:
        report("nationwide", one)
    assert took[1].payments > 2 * took[0].payments
    assert took[1].peak_mb <= PEAK_GROWTH_MAX * took[0].peak_mb


@pytest.mark.slow
@pytest.mark.large
def test_nationwide_day_is_the_same_with_and_without_tables() -> None:
    written, unwritten = measure_run(DAY), measure_run(DAY, "--record", "none")
    report("nationwide day", written)
    report("nationwide day, no tables", unwritten)
    assert (written.payments, written.events) == (unwritten.payments, unwritten.events)
    assert written.digest == unwritten.digest
    assert written.payments > 3_000_000


@pytest.mark.slow
def test_quantiles_without_tables_are_within_a_percent_of_exact_ones(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "sim", "run", str(TWO_WAY), "--json"]
    sets = [word for override in (*SHORT, *CROSS_BORDER) for word in ("--set", override)]
    exact = tmp_path / "exact"
    subprocess.run([*words, *sets, "--out", str(exact)], check=True, capture_output=True)
    close = tmp_path / "close"
    subprocess.run(
        [*words, *sets, "--out", str(close), "--record", "none"], check=True, capture_output=True
    )
    assert not (close / "payments.parquet").exists()
    table = pq.read_table(exact / "payments.parquet")
    rows = [
        outcome == "completed" and scope == "cross_border"
        for outcome, scope in zip(
            table["outcome"].to_pylist(), table["scope"].to_pylist(), strict=True
        )
    ]
    completed = table.filter(rows)
    measures = json.loads((close / "summary.json").read_text())["measures"]
    credited, submitted = completed["credited_us"].to_numpy(), completed["submitted_us"].to_numpy()
    times = np.sort(credited - submitted) / 1e6
    assert len(times) == measures["completed"]["value"] > 1_000
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        truth = float(times[int(np.ceil(share * len(times))) - 1])
        found = measures[f"end_to_end_{name}"]["value"]
        assert abs(found / truth - 1) <= 0.01, f"{name}: {found} without tables, {truth} exactly"


@pytest.mark.slow
def test_interrupt_ends_a_run_at_once_with_its_own_exit_code(tmp_path: Path) -> None:
    warm_up()
    out = tmp_path / "run"
    run = subprocess.Popen(
        [sys.executable, "-m", "sim", "run", str(DAY), "--out", str(out)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    # Rows on the disk mean that the engine is at work.
    while not any(path.stat().st_size > 1 << 16 for path in tmp_path.rglob("*.parquet*")):
        assert run.poll() is None, run.communicate()[1]
        assert time.monotonic() < deadline, "no rows were written in two minutes"
        time.sleep(0.05)
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    took = time.monotonic() - began
    sys.stdout.write(f"\ninterrupt answered in {took:.2f} s\n")
    assert run.returncode == 130
    assert "Traceback" not in said
    assert took <= ANSWER_SECONDS_MAX

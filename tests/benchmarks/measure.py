"""Measure everything ``docs/performance.md`` states, side by side in one run.

Takes the names of the measurements wanted (all by default) and ``--write``; prints the figures as
they come, and with ``--write`` keeps them in ``results/reference/performance.json``. Nothing here
asserts a speed: machines differ, and tests hold what does not.

    python -m tests.benchmarks.measure ratio mm1
    python -m tests.benchmarks.measure --write
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sim.compiler.compile import compile_scenario
from sim.contract.plan import Array, Plan
from sim.engine.compiled import run_compiled, warm_up
from sim.engine.reference import run_reference
from sim.study.run import load
from tests.benchmarks.bulk import bulk_against_alone
from tests.benchmarks.mm1_plan import (
    Deaf,
    compile_loop,
    crowd_plan,
    mm1_plan,
    mm1_workload,
    run_kernel,
    run_loop,
)
from tests.benchmarks.mm1_simpy import run_simpy
from tests.benchmarks.pages import measure_pages
from tests.benchmarks.replication_scaling import speed_ups
from tests.benchmarks.whole_process import CROSS_BORDER, DAY, TWO_WAY, measure_run
from tests.support.network import network_text

KEPT = Path(__file__).parents[2] / "results" / "reference" / "performance.json"
TURNS = 5
Figures = dict[str, object]


def drawn(path: Path, *overrides: str) -> tuple[Plan, list[Array]]:
    """Return a scenario's plan and its whole workload, drawn beforehand."""
    compiled = compile_scenario(load(path, overrides))
    return compiled.plan, [chunk.copy() for chunk in compiled.workload()]


def kernel_seconds(plan: Plan, chunks: list[Array], *, turns: int = TURNS) -> list[float]:
    """Return the seconds of several runs in ascending order.

    Of wall time inside the kernel and processor time of the call the lesser counts: the first
    leaves out Python around the kernel, the second what other programs took meanwhile.
    """
    taken = []
    for _ in range(turns):
        began = time.process_time()
        totals = run_compiled(plan, chunks, Deaf())
        taken.append(min(time.process_time() - began, totals.engine_seconds))
    return sorted(taken)


def beside_reference(path: Path, *overrides: str) -> Figures:
    """Run both engines on one workload by turns, with nothing recorded."""
    plan, chunks = drawn(path, *overrides)
    reference, kernel, totals = [], [], None
    for _ in range(3):
        kernel += kernel_seconds(plan, chunks, turns=3)
        began = time.process_time()
        totals = run_reference(plan, chunks, Deaf())
        reference.append(time.process_time() - began)
    kernel += kernel_seconds(plan, chunks, turns=3)
    assert totals is not None
    slow, fast = statistics.median(reference), statistics.median(kernel)
    return {
        "payments": totals.payments,
        "events": totals.events,
        "reference_payments_per_second": round(totals.payments / slow),
        "kernel_payments_per_second": round(totals.payments / fast),
        "kernel_events_per_second": round(totals.events / fast),
        "ratio": round(slow / fast, 1),
        "ratio_of_the_best": round(min(reference) / min(kernel), 1),
    }


def measure_ratio() -> Figures:
    """Compare the engines on ten minutes of the two-way scenario's evening."""
    return beside_reference(TWO_WAY, "clock.horizon=10 min")


def measure_flows() -> Figures:
    """Compare the engines where nearly all payments are inbound or outbound."""
    return beside_reference(TWO_WAY, "clock.horizon=10 min", *CROSS_BORDER)


def measure_mm1() -> Figures:
    """Run a million customers through one queue: kernel, C by hand, plain SimPy."""
    customers = 1_000_000
    plan, workload = mm1_plan(), mm1_workload(customers)
    kernel, loop = [], []
    with tempfile.TemporaryDirectory() as folder:
        program = compile_loop(Path(folder))
        for _ in range(TURNS):
            seconds, _, events = run_kernel(plan, workload, turns=1)
            kernel.append(seconds)
            if program is not None:
                loop.append(run_loop(program, plan, workload)[0])
    few = mm1_workload(20_000)
    simpy = statistics.median(run_simpy(plan, few) for _ in range(3)) / len(few)
    fast = statistics.median(kernel)
    return {
        "events": events,
        "kernel_events_per_second": round(events / fast),
        "kernel_events_per_second_best": round(events / min(kernel)),
        "times_the_c_loop": round(fast / statistics.median(loop), 2) if loop else None,
        "times_the_c_loop_best": round(min(kernel) / min(loop), 2) if loop else None,
        "simpy_events_per_second": round(2 / simpy),
        "simpy_times_the_kernel": round(simpy / (fast / customers)),
    }


def measure_written() -> Figures:
    """Write six hours of payments, the whole command from start to end."""
    return dict(measure_run(TWO_WAY, overrides=("clock.horizon=6 h",)).figures())


def measure_day() -> Figures:
    """Run the nationwide day and six busy hours of it, as whole commands."""
    busy_hours = ("clock.start=2025-09-17T15:00:00+07:00", "clock.horizon=6 h")
    day, hours = measure_run(DAY), measure_run(DAY, overrides=busy_hours)
    bare_day = measure_run(DAY, "--record", "none")
    bare_hours = measure_run(DAY, "--record", "none", overrides=busy_hours)
    return {
        "day": day.figures(),
        "six_hours": hours.figures(),
        "day_without_tables": bare_day.figures(),
        "six_hours_without_tables": bare_hours.figures(),
        "peak_memory_ratio": round(day.peak_mb / hours.peak_mb, 2),
        "peak_memory_ratio_without_tables": round(bare_day.peak_mb / bare_hours.peak_mb, 2),
    }


def measure_audit() -> Figures:
    """Audit a day of the two-way scenario on the way."""
    return dict(measure_run(TWO_WAY, "--audit", overrides=("clock.horizon=24 h",)).figures())


def measure_growth() -> Figures:
    """Compare the cost of a payment among a million with that among ten millions."""
    plan = mm1_plan()
    workloads = {customers: mm1_workload(customers) for customers in (1_000_000, 10_000_000)}
    taken: dict[int, list[float]] = {customers: [] for customers in workloads}
    for _ in range(TURNS):  # by turns, so that a slow moment of the machine meets both
        for customers, workload in workloads.items():
            taken[customers] += kernel_seconds(plan, [workload], turns=1)
    costs = {
        customers: statistics.median(taken[customers]) / customers * 1e9 for customers in taken
    }
    few, many = costs.values()
    return {
        "nanoseconds_per_payment_of_1e6": round(few, 1),
        "nanoseconds_per_payment_of_1e7": round(many, 1),
        "growth_percent": round(100 * (many / few - 1), 1),
    }


def measure_crowd() -> Figures:
    """Compare the cost of a payment among a thousand in flight with that among a million."""
    workload = mm1_workload(3_000_000)
    plans = {count: crowd_plan(count) for count in (1_000, 100_000, 1_000_000)}
    taken: dict[int, list[float]] = {count: [] for count in plans}
    for _ in range(3):
        for count, plan in plans.items():
            taken[count] += kernel_seconds(plan, [workload], turns=1)
    costs = {
        count: statistics.median(seconds) / len(workload) * 1e9 for count, seconds in taken.items()
    }
    few, _, many = costs.values()
    return {
        "nanoseconds_per_payment_by_payments_in_flight": {
            f"{count:,}": round(cost, 1) for count, cost in costs.items()
        },
        "a_million_against_a_thousand": round(many / few, 2),
    }


def measure_replications() -> Figures:
    """Compare two processes with one at replications of half a minute's work."""
    ratios, shortest = speed_ups()
    return {
        "two_processes_against_one": [round(ratio, 2) for ratio in ratios],
        "median": round(statistics.median(ratios), 2),
        "seconds_of_the_shortest_turn": round(shortest, 1),
    }


def measure_bulk() -> Figures:
    """Compare ten thousand small replications in one command with a process for each."""
    turns = bulk_against_alone(10_000, 50)
    ratios = sorted(alone / together for together, alone in turns)
    return {
        "milliseconds_a_replication": round(1e3 * statistics.median(one for one, _ in turns), 2),
        "milliseconds_of_a_process_each": round(1e3 * statistics.median(one for _, one in turns)),
        "ratios": [round(ratio) for ratio in ratios],
        "median_ratio": round(statistics.median(ratios)),
    }


def measure_network() -> Figures:
    """Load, compile and run a network of 2,000 institutions, 50 rails and 500 corridors."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.yaml"
        path.write_text(network_text(2000, 50, 500, rate="0.6 /s"), encoding="utf-8")
        began = time.process_time()
        loaded = load(path, ())
        read = time.process_time()
        compiled = compile_scenario(loaded)
        made = time.process_time()
        megabytes = path.stat().st_size / 1e6
    chunks = [chunk.copy() for chunk in compiled.workload()]
    payments = sum(map(len, chunks))
    taken = statistics.median(kernel_seconds(compiled.plan, chunks, turns=3))
    return {
        "seconds_to_load_per_megabyte": round((read - began) / megabytes, 2),
        "seconds_to_compile": round(made - read, 2),
        "payments": payments,
        "payments_per_second_of_the_kernel": round(payments / taken),
    }


MEASUREMENTS: dict[str, Callable[[], Figures]] = {
    "written": measure_written,
    "day": measure_day,
    "audit": measure_audit,
    "ratio": measure_ratio,
    "flows": measure_flows,
    "mm1": measure_mm1,
    "growth": measure_growth,
    "crowd": measure_crowd,
    "replications": measure_replications,
    "bulk": measure_bulk,
    "network": measure_network,
    "pages": measure_pages,
}
"""Whole commands first: a process starts with the peak of the one that started it to its name."""


def describe_machine() -> Figures:
    """Return what the figures depend on."""
    model = platform.processor()
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        lines = listing.read_text(encoding="utf-8").splitlines()
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), model)
    load_now = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_at_start": round(load_now, 1),
    }


def main(words: list[str]) -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MEASUREMENTS)}; default: all")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {KEPT.name}")
    given = parser.parse_args(words)
    unknown = set(given.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(MEASUREMENTS)}")
    kept: dict[str, Figures] = {}
    if given.write and KEPT.exists():
        kept = json.loads(KEPT.read_text(encoding="utf-8"))
    warm_up()
    for name in (name for name in MEASUREMENTS if name in (given.names or MEASUREMENTS)):
        machine = describe_machine()
        figures = MEASUREMENTS[name]()
        kept[name] = {**figures, "machine": machine}
        sys.stdout.write(f"{name}: {json.dumps(figures, indent=2)}\n")
        sys.stdout.flush()
        if given.write:
            KEPT.parent.mkdir(parents=True, exist_ok=True)
            KEPT.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

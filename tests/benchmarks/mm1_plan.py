"""One M/M/1 queue as a plan and as the input of the C loop, the same to the last bit."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.compiler.builder import PlanBuilder
from sim.contract.layout import HORIZON_MAX_US
from sim.contract.meaning import Cause, Op, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.records import WORKLOAD_WIDTH, WorkloadColumn
from sim.draws.keys import stream_key
from sim.draws.layout import SIDE_LENGTH
from sim.draws.lookup import draw62_many, quantile_many
from sim.draws.quantile import build_table
from sim.engine.compiled import run_compiled

SOURCE = Path(__file__).with_name("mm1.c")
SERVICE_MEAN_US = 900_000.0
ARRIVAL_MEAN_US = 1_000_000.0
SEED = 20_250_701


@dataclass
class Deaf:
    """Want neither log nor records: measure the engine alone."""

    wants_log: bool = False
    wants_records: bool = False
    wants_samples: bool = False

    def take_log(self, rows: Array) -> None:
        raise AssertionError("log rows came though none were wanted")

    def take_records(self, rows: Array) -> None:
        raise AssertionError("records came though none were wanted")

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        pass


def mm1_plan(*, horizon_us: int = HORIZON_MAX_US) -> Plan:
    """Return a plan of one station with one server."""
    b = PlanBuilder("mm1", horizon_us=horizon_us, seed=SEED)
    table = b.table("exponential", {"mean": SERVICE_MEAN_US})
    b.add_stage(
        Op.SERVE, "serve", subject=b.add_station("r.server", servers=1), table=table,
        purpose=b.purpose("service"), cause=Cause.SERVICE, target=1, reason=Reason.MS03,
    )  # fmt: skip
    b.add_stage(Op.END, "end", value=Outcome.COMPLETED, reason=Reason.NONE)
    b.add_stream("customers", entry=0, corridor="c", currency="USD")
    return b.build()


def crowd_plan(in_flight: int) -> Plan:
    """Return a plan in which so many payments are in flight at a time, on average (M/M/oo).

    Each has an event scheduled among as many: the queue of events is as long as the crowd.
    """
    b = PlanBuilder("crowd", horizon_us=HORIZON_MAX_US, seed=SEED)
    table = b.table("exponential", {"mean": ARRIVAL_MEAN_US * in_flight})
    b.add_stage(
        Op.SERVE, "serve", subject=b.add_station("r.everybody", servers=1 << 31), table=table,
        purpose=b.purpose("service"), cause=Cause.SERVICE, target=1, reason=Reason.MS03,
    )  # fmt: skip
    b.add_stage(Op.END, "end", value=Outcome.COMPLETED, reason=Reason.NONE)
    b.add_stream("customers", entry=0, corridor="c", currency="USD")
    return b.build()


def mm1_workload(customers: int) -> Array:
    """Return customers whose times between arrivals are exponential."""
    key = np.array(stream_key(SEED, 0, "payment", "arrivals"), dtype=np.int64)
    gaps = np.empty(customers, dtype=np.int64)
    draw62_many(key, 0, customers, 1, 0, gaps)
    quantile_many(build_table("exponential", {"mean": ARRIVAL_MEAN_US}), 0, gaps, gaps)
    rows = np.zeros((customers, WORKLOAD_WIDTH), dtype=np.int64)
    rows[:, WorkloadColumn.TIME_US] = np.cumsum(gaps)
    rows[:, WorkloadColumn.ORDINAL] = np.arange(customers)
    rows[:, WorkloadColumn.ROUTE_SET] = -1
    rows[:, WorkloadColumn.AMOUNT] = 1
    return rows


def compile_loop(folder: Path) -> Path | None:
    """Compile the C loop, or return None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    program = folder / "mm1"
    subprocess.run([compiler, "-O2", "-o", str(program), str(SOURCE)], check=True)
    return program


def run_loop(program: Path, plan: Plan, workload: Array) -> tuple[float, tuple[int, int, int]]:
    """Run the C loop; return its seconds and its busy area, queue area and longest queue."""
    head = [len(workload), SIDE_LENGTH, plan.stage[0, 4], *plan.stream_key[0]]
    words = np.concatenate([np.array(head), plan.table, workload[:, WorkloadColumn.TIME_US]])
    given = program.with_suffix(".bin")
    words.astype(np.int64).tofile(given)
    done = subprocess.run([str(program), str(given)], check=True, capture_output=True, text=True)
    seconds, *sums = done.stdout.split()
    busy_area, queue_area, queue_max = (int(value) for value in sums)
    return float(seconds), (busy_area, queue_area, queue_max)


def run_kernel(
    plan: Plan, workload: Array, *, turns: int = 5
) -> tuple[float, tuple[int, int, int], int]:
    """Run the kernel; return its best processor seconds, the same sums, and its events.

    Time inside the kernel, or the processor time of the whole call where that is less because
    another program had the processor meanwhile; the C loop measures processor time as well.
    """
    best = float("inf")
    for _ in range(turns):
        began = time.process_time()
        totals = run_compiled(plan, [workload], Deaf())
        best = min(best, time.process_time() - began, totals.engine_seconds)
    busy_area, queue_area, queue_max = (int(value) for value in totals.station[0, :3])
    return best, (busy_area, queue_area, queue_max), totals.events

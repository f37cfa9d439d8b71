"""Load counted again, payment by payment.

Takes ten minutes of ``china-two-way`` with a gateway out for a while; gives verdicts. What a plan
counts by cells is held against the payments of the same streams, one by one: their instants come
from the workload, who of them reaches the ledger from draws the plain generator makes again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.compiler.compile import Compiled
from sim.compiler.loads import LoadStream
from sim.compiler.parts import Closure
from sim.contract.loads import LoadColumn
from sim.contract.plan import Array
from sim.contract.records import WorkloadColumn
from sim.draws.arrays import draw_array_pair
from sim.draws.keys import stream_key
from sim.rails.stages import threshold
from sim.scenario.shipped import shipped_scenarios
from sim.study.verify.figures import Verdict
from sim.study.verify.kept import compile_file

_STREAMS = ("domestic_khr", "domestic_usd")
_SHORT = (
    "clock.horizon=10 min",
    "clock.warm_up=0 s",
    "disruptions.dark={outage: bakong, after: 4 min, for: 1 min}",
)


def check_load() -> Iterator[Verdict]:
    """Yield whether the load of the ledger is that of the payments, cell by cell."""
    path = shipped_scenarios()["china-two-way"]
    carried = compile_file(path, (*_SHORT, *(f"demand.{name}.as=load" for name in _STREAMS)))
    alone = compile_file(path, _SHORT)
    cell_us, first, count = carried.plan.load[0, : LoadColumn.COUNT + 1].tolist()
    found = carried.plan.load_count[first : first + count]
    joins = np.concatenate([_joining(alone, load) for load in carried.loads])
    edges = np.arange(count, dtype=np.int64) * cell_us
    expected = np.searchsorted(np.sort(joins), edges)
    differing = int((np.diff(expected) != np.diff(found)).sum())
    yield Verdict(
        "load",
        f"{len(joins):,} payments that join the ledger, in {count - 1:,} cells",
        "counted alike in each",
        "counted alike in each" if not differing else f"{differing:,} cells differ",
        not differing and len(joins) > 0,
    )


def _joining(alone: Compiled, load: LoadStream) -> Array:
    """Return when the payments of a stream join, of those that reach the ledger."""
    plan = alone.plan
    rows = np.concatenate(list(alone.workload()))
    rows = rows[rows[:, WorkloadColumn.STREAM] == plan.names.streams.index(load.name)]
    key = np.array(stream_key(plan.seed, plan.replication, "payment", load.name))
    _, luck62 = draw_array_pair(key, rows[:, WorkloadColumn.ORDINAL], "arrival")
    joins = rows[:, WorkloadColumn.TIME_US] + load.way.after_us
    closures = [part for part in alone.parts if isinstance(part, Closure)]
    reaching = np.zeros(len(joins), dtype=np.int64)
    # Span by span of what is closed, in the order of time.
    instants = sorted({0, *(at for one in closures for at in (one.from_us, one.to_us))})
    for at_us in instants:
        closed = frozenset(one.station for one in closures if one.from_us <= at_us < one.to_us)
        share = round(load.way.reaching(closed) * 10**9)
        reaching[joins >= at_us] = threshold(share)
    found: Array = joins[(luck62 < reaching) & (joins < plan.horizon_us)]
    return found

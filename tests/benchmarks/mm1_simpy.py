"""The same M/M/1 queue in plain SimPy, as its own documentation would write it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import simpy

from sim.contract.plan import Array, Plan
from sim.contract.records import WorkloadColumn
from sim.draws.lookup import draw62, quantile


def run_simpy(plan: Plan, workload: Array) -> float:
    """Serve every customer once and return the seconds it took."""
    environment = simpy.Environment()
    server = simpy.Resource(environment, capacity=1)
    purpose = int(plan.stage[0, 4])
    key = plan.stream_key[0]

    def customer(ordinal: int) -> Iterator[Any]:
        with server.request() as request:
            yield request
            yield environment.timeout(quantile(plan.table, 0, draw62(key, ordinal, purpose, 0)))

    def source() -> Iterator[Any]:
        for ordinal, time_us in enumerate(workload[:, WorkloadColumn.TIME_US].tolist()):
            yield environment.timeout(time_us - environment.now)
            environment.process(customer(ordinal))

    environment.process(source())
    draw62(key, 0, purpose, 0), quantile(plan.table, 0, 0)
    began = time.perf_counter()
    environment.run()
    return time.perf_counter() - began

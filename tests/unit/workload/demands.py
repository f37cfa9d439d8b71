"""Demand for the tests of the workload: one ordinary stream, of which tests change single parts.

Takes the parts a test cares about; gives a StreamDemand. Run as a program it prints the digest of
a small workload, which tells whether uncompiled code draws the same payments.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace

import numpy as np

from sim.contract.layout import NEVER_US
from sim.contract.plan import Array
from sim.contract.records import WORKLOAD_WIDTH
from sim.draws.keys import stream_key
from sim.draws.layout import TABLE_LENGTH
from sim.draws.quantile import build_table
from sim.draws.thresholds import cumulative62, threshold62
from sim.workload.arrivals import HAZARD_UNIT
from sim.workload.stream_demand import StreamDemand
from sim.workload.streams import draw_workload

AMOUNT_MEAN = 3_000_000.0
AMOUNT_TABLE = 0
CODE_AGE_TABLE = TABLE_LENGTH
TABLE = np.concatenate(
    (build_table("exponential", {"mean": AMOUNT_MEAN}), build_table("exponential", {"mean": 2e7}))
)
AGENT_WEIGHTS = (5.0, 3.0, 2.0)
LIFE_US = 60_000_000


def ints(*values: int) -> Array:
    return np.array(values, dtype=np.int64)


def flat(rate_per_second: int, horizon_us: int) -> tuple[Array, Array]:
    """Return a flat path by its own arithmetic."""
    return ints(0, horizon_us), ints(0, rate_per_second * horizon_us * (HAZARD_UNIT // 1_000_000))


def key_of(name: str, seed: int = 0, replication: int = 0) -> Array:
    return ints(*stream_key(seed, replication, "payment", name))


def demand(name: str = "counter", *, stream: int = 0) -> StreamDemand:
    """Return a stream with everything drawn: 100 payments a second for 100 seconds."""
    time_us, hazard = flat(100, 100_000_000)
    pool = 7
    return StreamDemand(
        stream=stream,
        name=name,
        key=key_of(name),
        written=None,
        hazard_time_us=time_us,
        hazard=hazard,
        count_max=-1,
        amount_table=AMOUNT_TABLE,
        amount_granule=100,
        amount_least=100,
        amount_fixed=-1,
        payers=1000,
        payer_skew=3,
        debtor_agent=ints(4, 9, 2),
        debtor_cumulative62=cumulative62(AGENT_WEIGHTS),
        merchant=np.arange(20, 20 + pool, dtype=np.int64),
        merchant_agent=np.arange(pool, dtype=np.int64) % 3,
        merchant_route_set=np.arange(pool, dtype=np.int64) % 2,
        merchant_is_damaged=ints(*[0] * pool),
        merchant_expiry_us=ints(*[NEVER_US] * pool),
        creditor_agent=ints(),
        creditor_cumulative62=ints(),
        default_route_set=5,
        static_threshold62=threshold62(0.6),
        dynamic_life_us=LIFE_US,
        code_age_table=CODE_AGE_TABLE,
        damaged_threshold62=threshold62(0.05),
    )


def without_merchants(base: StreamDemand) -> StreamDemand:
    """Return the stream with creditor agents in place of merchants."""
    return replace(
        base,
        merchant=ints(),
        merchant_agent=ints(),
        merchant_route_set=ints(),
        merchant_is_damaged=ints(),
        merchant_expiry_us=ints(),
        creditor_agent=ints(6, 7),
        creditor_cumulative62=cumulative62([1.0, 3.0]),
    )


def written_rows(times_us: list[int], *, stream: int, debtor_agent: int = -1) -> Array:
    """Return a written list, distinct in every column."""
    rows = np.zeros((len(times_us), WORKLOAD_WIDTH), dtype=np.int64)
    for n, time_us in enumerate(times_us):
        given = (time_us, stream, n, 3, 1000 + n, n, debtor_agent, 8, 0, NEVER_US, 30 + n)
        rows[n] = (*given, 2, 4, 1)
    return rows


def draw(*demands: StreamDemand, horizon_us: int = 100_000_000, chunk: int = 1 << 12) -> Array:
    """Return the whole workload of some streams."""
    chunks = list(draw_workload(TABLE, demands, horizon_us=horizon_us, chunk=chunk))
    return np.concatenate([np.zeros((0, WORKLOAD_WIDTH), dtype=np.int64), *chunks])


def small_digest() -> str:
    """Return the digest of a workload that goes through every branch of the loop."""
    rows = draw(
        demand("counter", stream=0),
        without_merchants(demand("remittance", stream=1)),
        replace(
            demand("list", stream=2), written=written_rows([5, 70_000, 70_000, 900_000], stream=2)
        ),
        replace(demand("fixed", stream=3), amount_fixed=777, payers=1, code_age_table=-1),
        horizon_us=1_000_000,
    )
    return f"{len(rows)} {hashlib.blake2b(rows.tobytes(), digest_size=16).hexdigest()}"


if __name__ == "__main__":
    sys.stdout.write(small_digest())

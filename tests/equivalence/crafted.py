"""Plans made so that a particular thing happens, and dense ones in which everything grows."""

from __future__ import annotations

import numpy as np

from sim.compiler.builder import PlanBuilder
from sim.contract.plan import Array
from sim.contract.spec import (
    WORKLOAD_WIDTH,
    Cause,
    Flag,
    Op,
    Outcome,
    Reason,
    Register,
    WorkloadColumn,
)
from sim.units import SECOND_US
from tests.equivalence.random_plans import Case


def simple_workload(times_us: list[int], *, amount: int = 10) -> Array:
    """Return payments of one stream at given instants."""
    rows = np.zeros((len(times_us), WORKLOAD_WIDTH), dtype=np.int64)
    rows[:, WorkloadColumn.TIME_US] = times_us
    rows[:, WorkloadColumn.ORDINAL] = np.arange(len(times_us))
    rows[:, WorkloadColumn.ROUTE_SET] = -1
    rows[:, WorkloadColumn.AMOUNT] = amount
    rows[:, WorkloadColumn.CODE_EXPIRY_US] = 1 << 61
    return rows


def crowd_released_at_once(payments: int) -> Case:
    """Let everybody wait for the same money, which one deposit then gives to all of them."""
    b = PlanBuilder("crowd", horizon_us=100 * SECOND_US, sample_interval_us=10 * SECOND_US)
    poor = b.add_account("poor", "USD", overdraft=0, watched=True)
    rich = b.add_account("rich", "USD", watched=True)
    b.deposit(50 * SECOND_US, poor, 10 * payments - 25)
    held = b.add_transfer(poor, rich, Register.INSTRUCTED)
    failed = b.add_stage(Op.VOID, "void")
    b.add_stage(Op.END, "rejected", value=Outcome.REJECTED, reason=-1)
    entry = b.add_stage(
        Op.DEADLINE, "deadline", value=80 * SECOND_US, target=failed, reason=Reason.AB03
    )
    b.add_stage(
        Op.RESERVE, "reserve", first=held, flags=Flag.QUEUE, target=failed, reason=Reason.AM04
    )
    b.add_stage(Op.POST, "post", first=held, count=1, flags=Flag.SETTLES)
    b.add_stage(Op.END, "completed", value=Outcome.COMPLETED, reason=0)
    b.add_stream("s", entry=entry, corridor="c", currency="USD")
    return Case(b.build(), simple_workload([at * 1_000 for at in range(payments)]))


def block_of_everybody(payments: int) -> Case:
    """Let a block commit money that others wait for, who then join the next block."""
    b = PlanBuilder("block", horizon_us=60 * SECOND_US, warm_up_us=3 * SECOND_US)
    poor = b.add_account("poor", "USD", overdraft=0, watched=True)
    rich = b.add_account("rich", "USD")
    b.deposit(0, poor, 30)
    held = b.add_transfer(poor, rich, Register.INSTRUCTED)
    back = b.add_transfer(rich, poor, Register.INSTRUCTED)
    ledger = b.add_ledger(
        "r.l", round_interval_us=SECOND_US, block_limit=4, vote_table=b.constant_table(SECOND_US),
        peers=4, idle_max_us=4 * SECOND_US,
    )  # fmt: skip
    failed = b.add_stage(Op.END, "rejected", value=Outcome.REJECTED, reason=-1)
    entry = b.add_stage(
        Op.RESERVE, "reserve", first=held, flags=Flag.QUEUE, target=failed, reason=Reason.AM04
    )
    b.add_stage(
        Op.BATCH, "batch", subject=ledger, first=held, count=2, flags=Flag.SETTLES | Flag.CREDITS,
        cause=Cause.LEDGER,
    )  # fmt: skip
    assert back == held + 1
    b.add_stage(Op.END, "completed", value=Outcome.COMPLETED, reason=0)
    b.add_stream("s", entry=entry, corridor="c", currency="USD")
    return Case(b.build(), simple_workload([at // 3 * SECOND_US for at in range(payments)]))


def busy_station(payments: int, *, gap_us: int, horizon_us: int) -> Case:
    """Serve everybody at one station that keeps up."""
    b = PlanBuilder("station", horizon_us=horizon_us)
    station = b.add_station("r.s", servers=2)
    b.add_stage(
        Op.SERVE, "serve", subject=station, table=b.table("exponential", {"mean": 1.0 * gap_us}),
        purpose=b.purpose("service"), cause=Cause.SERVICE, target=1, reason=Reason.MS03,
    )  # fmt: skip
    b.add_stage(Op.END, "end", value=Outcome.COMPLETED, reason=0)
    b.add_stream("s", entry=0, corridor="c", currency="USD")
    return Case(b.build(), simple_workload([at * gap_us for at in range(payments)]))


def rounds_beyond_the_step(rounds: int) -> Case:
    """Run a ledger with blocks on both sides of the wrap of the step at 2^20."""
    b = PlanBuilder("wrap", horizon_us=rounds)
    vote = b.constant_table(1)
    ledger = b.add_ledger("r.l", round_interval_us=1, block_limit=3, vote_table=vote)
    b.add_stage(Op.BATCH, "batch", subject=ledger, first=0, count=0, cause=Cause.LEDGER)
    b.add_stage(Op.END, "end", value=Outcome.COMPLETED, reason=0)
    b.add_stream("s", entry=0, corridor="c", currency="USD")
    wrap = 1 << 19
    return Case(b.build(), simple_workload([wrap - 6 + at for at in range(12)]))

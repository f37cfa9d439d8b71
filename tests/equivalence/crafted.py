"""Plans made so that a particular thing happens, and dense ones in which everything grows."""

from __future__ import annotations

import numpy as np

from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import Cause, Discipline, Flag, Op, Outcome, Reason
from sim.contract.plan import Array
from sim.contract.records import WORKLOAD_WIDTH, Register, WorkloadColumn
from sim.draws.quantile import build_empirical
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


def ranks_at_one_desk(payments: int, discipline: Discipline) -> Case:
    """Let payers of three ranks crowd at a desk that is too slow, so that who is next is chosen.

    In random plans a rank seldom decides: payers of two must wait at one desk at one time.
    """
    b = PlanBuilder("ranks", horizon_us=(payments + 20) * SECOND_US)
    desk = b.add_station("r.desk", servers=1, queue_limit=40, discipline=discipline)
    b.add_stage(
        Op.SERVE, "serve", subject=desk, table=b.constant_table(SECOND_US),
        purpose=b.purpose("service"), cause=Cause.SERVICE, target=1, reason=Reason.MS03,
    )  # fmt: skip
    b.add_stage(Op.END, "end", value=Outcome.COMPLETED, reason=0)
    for number, priority in enumerate((7, 0, 3)):
        b.add_stream(f"s{number}", entry=0, corridor="c", currency="USD", priority=priority)
    rows = simple_workload([at * SECOND_US // 2 for at in range(payments)])
    rows[:, WorkloadColumn.STREAM] = stream = np.arange(payments) * 5 % 7 % 3
    for number in range(3):
        mine = stream == number
        rows[mine, WorkloadColumn.ORDINAL] = np.arange(mine.sum())
    return Case(b.build(), rows)


def station_of_family(family: str, parameters: dict[str, float] | None) -> Case:
    """Serve at one station in times of one family; without parameters, of points."""
    b = PlanBuilder("family", horizon_us=60 * SECOND_US)
    if parameters is None:
        points = build_empirical([(10_000, 0.1), (50_000, 0.5), (50_000, 0.7), (200_000, 1.0)])
        table = b.add_table(points, (family,))
    else:
        table = b.table(family, parameters)
    b.add_stage(
        Op.SERVE, "serve", subject=b.add_station("r.s", servers=1), table=table,
        purpose=b.purpose("service"), cause=Cause.SERVICE, target=1, reason=Reason.MS03,
    )  # fmt: skip
    b.add_stage(Op.END, "end", value=Outcome.COMPLETED, reason=0)
    b.add_stream("s", entry=0, corridor="c", currency="USD")
    return Case(b.build(), simple_workload([at * 100_000 for at in range(300)]))


def timeouts_out_of_order(payments: int) -> Case:
    """Arm time-outs of a dozen lengths, many in one instant and last come first.

    A station that was closed serves the crowd in no time, the latest first, so that within one
    instant time-outs are armed against the order of payments, and some are armed anew.
    """
    b = PlanBuilder("timeouts", horizon_us=400 * SECOND_US)
    table = b.table("exponential", {"mean": 30.0 * SECOND_US})
    failed = b.add_stage(Op.END, "rejected", value=Outcome.REJECTED, reason=-1)
    crowd = b.add_station("r.crowd", servers=1, discipline=Discipline.LIFO)
    streams = []
    for length in range(12):
        entry = b.add_stage(
            Op.SERVE, "queue", subject=crowd, table=b.constant_table(0), purpose=b.purpose("queue"),
            cause=Cause.SERVICE, target=failed, reason=Reason.MS03,
        )  # fmt: skip
        for again in range(2):
            b.add_stage(
                Op.DEADLINE, f"deadline{again}", value=(1 + length) * SECOND_US, target=failed,
                reason=Reason.AB05,
            )  # fmt: skip
            b.add_stage(
                Op.TRANSIT, "wait", table=table, purpose=b.purpose(f"wait{again}"),
                cause=Cause.TRANSIT,
            )  # fmt: skip
        b.add_stage(Op.END, "completed", value=Outcome.COMPLETED, reason=0)
        streams.append(b.add_stream(f"s{length:02}", entry=entry, corridor="c", currency="USD"))
    b.close_station(crowd, 0, 20 * SECOND_US)
    b.close_station(crowd, 40 * SECOND_US, 50 * SECOND_US)
    workload = simple_workload([at // 20 * SECOND_US for at in range(payments)])
    workload[:, WorkloadColumn.STREAM] = np.arange(payments) % len(streams)
    workload[:, WorkloadColumn.ORDINAL] = np.arange(payments) // len(streams)
    return Case(b.build(), workload)


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

"""A small corridor that uses every kind of stage, and what came out of running it.

Takes a seed and a few settings; gives the plan, the log, the records and the totals of a run with
the reference engine. Nothing here is checked; the tests read what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import (
    Bearer,
    Cause,
    Discipline,
    FeeKind,
    Flag,
    Op,
    Outcome,
    Policy,
    Reason,
    Scope,
)
from sim.contract.plan import Array, Plan
from sim.contract.records import LOG_WIDTH, RECORD_WIDTH, WORKLOAD_WIDTH, Register, WorkloadColumn
from sim.contract.run import Sink, Totals
from sim.engine.reference import run_reference

SECOND = 1_000_000


class Keeper:
    """Keep everything an engine tells."""

    def __init__(self) -> None:
        self.wants_log = True
        self.wants_records = True
        self.logs: list[Array] = [np.zeros((0, LOG_WIDTH), dtype=np.int64)]
        self.records: list[Array] = [np.zeros((0, RECORD_WIDTH), dtype=np.int64)]

    def take_log(self, rows: Array) -> None:
        self.logs.append(rows)

    def take_records(self, rows: Array) -> None:
        self.records.append(rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        pass


@dataclass(frozen=True)
class Ran:
    """Hold a run."""

    plan: Plan
    log: Array
    records: Array
    totals: Totals


def _two_rails(builder: PlanBuilder) -> tuple[int, int]:
    """Add the accounts, prices and programs; return the entry of routing and the limit."""
    b = builder
    for agent in ("wallet", "bank"):
        for currency in ("CNY", "KHR"):
            account = b.add_account(f"{agent}_{currency.lower()}", currency)
            b.assign_account(agent, currency.lower(), account)
    hub_cny, hub_khr = b.add_account("hub_cny", "CNY"), b.add_account("hub_khr", "KHR")
    prefund = b.add_account("prefund_khr", "KHR", overdraft=0, watched=True)
    b.deposit(0, prefund, 2_500_000)
    for at in range(20, 200, 20):
        b.deposit(at * SECOND, prefund, 2_500_000)
    pair = b.add_pair("CNY/KHR", [568_00, 571_00, 566_50], 100)
    conversion = b.add_conversion(pair, inverted=True, spread_ppm=8_000)
    conversion_2 = b.add_conversion(
        b.add_pair("USD/KHR", [4084_00, 4091_00], 100), inverted=True, spread_ppm=1_000
    )
    first_usd = b.add_conversion(
        b.add_pair("USD/CNY", [7_1875, 7_2000], 10_000), inverted=False, spread_ppm=5_000
    )
    cny_debit = b.account_ref(0, "cny")
    fee = b.add_fee(
        component="payer_service",
        recipient="hub",
        currency="CNY",
        kind=FeeKind.PROPORTIONAL,
        base=Register.DEBITED,
        fixed=5,
        ppm=2_500,
        minimum=10,
        maximum=400,
        bearer=Bearer.DEBTOR,
        debit=cny_debit,
        credit=hub_cny,
        threshold=0,
    )
    discount = b.add_fee(
        component="discount",
        recipient="bank",
        currency="KHR",
        kind=FeeKind.PROPORTIONAL,
        base=Register.CREDITED_GROSS,
        ppm=6_000,
        bearer=Bearer.CREDITOR,
        granule=100,
        debit=b.account_ref(1, "khr"),
        credit=hub_khr,
        minimum=-1,
        maximum=-1,
    )
    direct = b.add_pricing(
        currencies=("CNY", "KHR", "KHR"),
        conversions=(conversion, -1),
        providers=("bank", ""),
        granules=(1, 100, 100),
        fee_first=fee,
        fee_count=2,
    )
    through_usd = b.add_pricing(
        currencies=("CNY", "USD", "KHR"),
        conversions=(first_usd, conversion_2),
        providers=("wallet", "bank"),
        granules=(1, 1, 100),
        fee_first=fee,
        fee_count=2,
    )
    desk = b.add_station(
        "hub.gateway", servers=2, queue_limit=4, rate_count=3, rate_period_us=SECOND
    )
    check = b.add_station("hub.screening", servers=1, discipline=Discipline.PRIORITY)
    b.close_station(desk, 60 * SECOND, 70 * SECOND)
    ledger = b.add_ledger(
        "bakong.ledger",
        round_interval_us=800_000,
        block_limit=3,
        idle_max_us=3_000_000,
        peers=4,
        vote_table=b.table("lognormal", {"median": 100_000, "sigma": 0.4}),
        leader_failure=1 << 58,
    )
    to_bank = b.add_transfer(prefund, b.account_ref(1, "khr"), Register.CREDITED_GROSS)
    to_hub = b.add_transfer(cny_debit, hub_cny, Register.DEBITED)
    limit = b.add_limit("daily", register=Register.DEBITED, per_payment=950, per_day=2_500)
    entry = b.add_stage(Op.ROUTE, reason=Reason.AG03, purpose=b.purpose("route.tie"))
    routes = []
    for name, pricing, table in (
        ("direct", direct, b.table("lognormal", {"median": 900_000, "sigma": 0.6})),
        ("usd", through_usd, b.table("lognormal", {"median": 1_500_000, "sigma": 0.6})),
    ):
        quote = b.add_stage(Op.QUOTE, subject=pricing, value=9 * SECOND, reason=Reason.AM12)
        stages = [quote]
        stages.append(
            b.add_stage(
                Op.TRANSIT,
                cause=Cause.HUMAN,
                purpose=b.purpose(f"{name}/confirm"),
                table=b.table("lognormal", {"median": 4_000_000, "sigma": 0.7}),
            )
        )
        stages.append(b.add_stage(Op.CONVERT, subject=quote, value=1, reason=Reason.NOAS))
        stages.append(b.add_stage(Op.DEADLINE, value=9 * SECOND, reason=Reason.AB05))
        stages.append(b.add_stage(Op.LIMIT, subject=limit, value=0))
        stages.append(
            b.add_stage(
                Op.SERVE,
                subject=desk,
                table=table,
                purpose=b.purpose(f"{name}/authorise"),
                cause=Cause.SERVICE,
                reason=Reason.MS03,
                flags=Flag.ASKS,
            )
        )
        stages.append(
            b.add_stage(
                Op.DECIDE, value=1 << 57, reason=Reason.RR04, purpose=b.purpose(f"{name}/screen")
            )
        )
        stages.append(
            b.add_stage(
                Op.SERVE,
                subject=check,
                table=b.constant_table(200_000),
                cause=Cause.SERVICE,
                purpose=b.purpose(f"{name}/check"),
                reason=Reason.MS03,
            )
        )
        stages.append(b.add_stage(Op.RESERVE, first=to_bank, flags=Flag.QUEUE, reason=Reason.AM04))
        stages.append(
            b.add_stage(
                Op.BATCH,
                subject=ledger,
                first=to_bank,
                count=1,
                cause=Cause.LEDGER,
                flags=Flag.SETTLES,
            )
        )
        b.add_stage(Op.POST, first=to_hub, count=1, flags=Flag.CREDITS)
        b.add_stage(Op.CHARGE, subject=fee)
        b.add_stage(Op.CHARGE, subject=discount)
        b.add_stage(Op.DEADLINE, value=0)
        b.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
        wait = b.add_stage(Op.AWAIT, value=2 * SECOND, cause=Cause.IN_DOUBT)
        b.add_stage(
            Op.TRANSIT,
            cause=Cause.IN_DOUBT,
            purpose=b.purpose(f"{name}/answer"),
            table=b.constant_table(300_000),
        )
        b.set_stage(wait, target=b.add_stage(Op.RESOLVE))
        b.add_stage(Op.VOID)
        b.add_stage(Op.ROUTE, flags=Flag.NEXT, purpose=b.purpose("route.tie"))
        rejected = b.add_stage(Op.END, value=Outcome.REJECTED)
        for stage in stages:
            b.set_stage(stage, target=wait)
        b.set_stage(entry, target=rejected)
        route = b.add_route(name, rail="hub", corridor="cn_kh", entry=quote, pricing=pricing)
        b.owe(route, "hub", debtor="wallet", creditor="bank")
        b.set_route_view(route, [(0, desk, 400_000), (1, ledger, 0)])
        routes.append(route)
    b.add_route_set("cheap", routes, policy=Policy.CHEAPEST, max_attempts=2)
    b.add_route_set("fast", routes, policy=Policy.FASTEST, max_attempts=2)
    b.add_route_set("fixed", routes, policy=Policy.PRIORITY, max_attempts=1)
    return entry, limit


def corridor_plan(seed: int = 7, horizon_s: int = 200, warm_up_s: int = 20) -> Plan:
    """Return the plan: one cross-border stream over two routes, one domestic over the ledger."""
    b = PlanBuilder(
        "corridor",
        horizon_us=horizon_s * SECOND,
        warm_up_us=warm_up_s * SECOND,
        sample_interval_us=5 * SECOND,
        fx_step_us=60 * SECOND,
        seed=seed,
    )
    entry, limit = _two_rails(b)
    domestic = b.add_stage(
        Op.BATCH, subject=0, first=0, count=0, cause=Cause.LEDGER, flags=Flag.SETTLES
    )
    b.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    abroad = b.add_stream(
        "abroad", entry=entry, corridor="cn_kh", currency="KHR", payers=40, priority=1
    )
    b.add_stream(
        "home", entry=domestic, corridor="kh", currency="KHR", scope=Scope.DOMESTIC, payers=1
    )
    b.use_limit(limit, abroad)
    return b.build()


def corridor_workload(seed: int = 7, count: int = 400, horizon_s: int = 200) -> Array:
    """Return payments at random times, a third of them domestic."""
    random = np.random.default_rng(seed)
    rows = np.zeros((count, WORKLOAD_WIDTH), dtype=np.int64)
    # Whole tenths of a second, so that many payments share an instant.
    rows[:, WorkloadColumn.TIME_US] = random.integers(0, horizon_s * 10, count) * (SECOND // 10)
    rows[:, WorkloadColumn.STREAM] = random.integers(0, 3, count) // 2
    rows = rows[np.lexsort((rows[:, WorkloadColumn.STREAM], rows[:, WorkloadColumn.TIME_US]))]
    for stream in (0, 1):
        mine = rows[:, WorkloadColumn.STREAM] == stream
        rows[mine, WorkloadColumn.ORDINAL] = np.arange(mine.sum())
    rows[:, WorkloadColumn.ROUTE_SET] = random.integers(0, 3, count)
    rows[:, WorkloadColumn.AMOUNT] = random.integers(1, 60, count) * 100_00
    rows[:, WorkloadColumn.PAYER] = random.integers(0, 40, count)
    rows[:, WorkloadColumn.DEBTOR_AGENT] = 0
    rows[:, WorkloadColumn.CREDITOR_AGENT] = 1
    rows[:, WorkloadColumn.CODE_EXPIRY_US] = 1 << 62
    return rows


def run_into(plan: Plan, sink: Sink, payments: Array, chunk_rows: int = 64) -> Totals:
    """Run a plan into a sink, the workload in chunks."""
    chunks: Sequence[Array] = [
        payments[at : at + chunk_rows] for at in range(0, len(payments), chunk_rows)
    ]
    return run_reference(plan, chunks, sink)


def run_corridor(seed: int = 7, count: int = 400) -> Ran:
    """Run the corridor and keep everything."""
    plan, keeper = corridor_plan(seed), Keeper()
    totals = run_into(plan, keeper, corridor_workload(seed, count))
    return Ran(plan, np.vstack(keeper.logs), np.vstack(keeper.records), totals)

"""A plan whose payments run some fifteen stages, like a payment by code at a counter."""

from __future__ import annotations

import numpy as np

from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import Cause, FeeKind, Flag, Op, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.records import WORKLOAD_WIDTH, Register, WorkloadColumn
from sim.units import SECOND_US

ARRIVAL_GAP_US = 25_000


def realistic_plan(payments: int) -> Plan:
    """Return a plan with a router, a price, liquidity, a ledger and time-outs."""
    horizon_us = payments * ARRIVAL_GAP_US + 60 * SECOND_US
    b = PlanBuilder("realistic", horizon_us=horizon_us, sample_interval_us=60 * SECOND_US, seed=3)
    debtor, creditor = b.add_account("debtor", "USD"), b.add_account("creditor", "USD")
    nostro = b.add_account("nostro", "USD", overdraft=0, watched=True)
    b.deposit(0, nostro, 1 << 50)
    fee = b.add_fee(
        component="fee", recipient="bank", currency="USD", kind=FeeKind.PROPORTIONAL,
        base=Register.DEBITED, fixed=1, ppm=5_000, bearer=0, debit=debtor, credit=nostro,
    )  # fmt: skip
    pricing = b.add_pricing(currencies=("USD", "USD", "USD"), fee_first=fee, fee_count=1)
    host = b.add_station("r.host", servers=40)
    switch = b.add_station("r.switch", servers=8, rate_count=200, rate_period_us=SECOND_US)
    ledger = b.add_ledger(
        "r.ledger", round_interval_us=2 * SECOND_US, block_limit=400, peers=4,
        vote_table=b.table("exponential", {"mean": 300_000.0}),
    )  # fmt: skip
    think = b.table("lognormal", {"mean": 4_000_000.0, "sigma": 0.8})
    short = b.table("exponential", {"mean": 40_000.0})
    failed = b.add_stage(Op.VOID, "void")
    b.add_stage(Op.ROUTE, "next", flags=Flag.NEXT)
    b.add_stage(Op.END, "rejected", value=Outcome.REJECTED, reason=-1)
    entry = b.add_stage(Op.CODE, "scan", target=failed)
    b.add_stage(Op.DEADLINE, "patience", value=60 * SECOND_US, target=failed, reason=Reason.AB05)
    b.add_stage(Op.ROUTE, "route", target=failed, reason=Reason.AG03)
    route_entry = b.add_stage(
        Op.QUOTE, "quote", subject=pricing, value=120 * SECOND_US, target=failed, reason=Reason.AM12
    )
    b.add_stage(Op.TRANSIT, "think", table=think, purpose=b.purpose("think"), cause=Cause.HUMAN)
    b.add_stage(
        Op.CONVERT, "convert", subject=route_entry, value=2, target=failed, reason=Reason.NOAS
    )
    for name, station, purpose in (("debit", host, "debit"), ("switch", switch, "switch")):
        b.add_stage(
            Op.SERVE, name, subject=station, table=short, purpose=b.purpose(purpose),
            cause=Cause.SERVICE, target=failed, reason=Reason.MS03,
        )  # fmt: skip
    b.add_stage(
        Op.DECIDE, "screen", value=int(0.01 * 2.0**62), purpose=b.purpose("screen"), target=failed,
        reason=Reason.RR04,
    )  # fmt: skip
    held = b.add_transfer(nostro, creditor, Register.CREDITED)
    b.add_stage(
        Op.RESERVE, "reserve", first=held, flags=Flag.QUEUE, target=failed, reason=Reason.AM04
    )
    back = b.add_transfer(debtor, nostro, Register.DEBITED)
    b.add_stage(
        Op.BATCH, "ledger", subject=ledger, first=back, count=1, flags=Flag.SETTLES,
        cause=Cause.LEDGER,
    )  # fmt: skip
    b.add_stage(Op.CHARGE, "fee", subject=fee)
    b.add_stage(Op.TRANSIT, "notify", table=short, purpose=b.purpose("notify"), cause=Cause.TRANSIT)
    b.add_stage(Op.POST, "credit", first=held, count=1, flags=Flag.CREDITS)
    b.add_stage(Op.END, "done", value=Outcome.COMPLETED, reason=Reason.NONE)
    route = b.add_route("route", rail="r", corridor="c", entry=route_entry, pricing=pricing)
    b.add_route_set("set", [route], max_attempts=1)
    b.add_stream("customers", entry=entry, corridor="c", currency="USD")
    return b.build()


def realistic_workload(payments: int) -> Array:
    """Return payments at a steady rate."""
    rows = np.zeros((payments, WORKLOAD_WIDTH), dtype=np.int64)
    rows[:, WorkloadColumn.TIME_US] = np.arange(payments) * ARRIVAL_GAP_US
    rows[:, WorkloadColumn.ORDINAL] = np.arange(payments)
    rows[:, WorkloadColumn.AMOUNT] = 1_000 + np.arange(payments) % 977
    rows[:, WorkloadColumn.CODE_EXPIRY_US] = 1 << 60
    return rows

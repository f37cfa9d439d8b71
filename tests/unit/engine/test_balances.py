"""What stops a run: money that came from nowhere, and sums that outgrow 64 bits.

Bounds are tried from both sides: one unit below a run goes on, at the bound both engines stop.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim.compiler.builder import PlanBuilder
from sim.contract.layout import BALANCE_MAX, SUM_MAX
from sim.contract.meaning import Flag, Op, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.records import Register, StationTotal
from sim.contract.run import BALANCE_TOO_LARGE, SUM_TOO_LARGE
from sim.engine.compiled import run_compiled
from sim.engine.read_out import check_balances
from sim.engine.reference import run_reference
from sim.errors import InvariantViolation, TooLargeError
from tests.equivalence.compared import Kept, run_both
from tests.equivalence.crafted import simple_workload

Engine = Callable[..., object]
ENGINES = [run_reference, run_compiled]


def test_currencies_must_sum_to_zero() -> None:
    builder = PlanBuilder(horizon_us=1)
    for name, currency in (("a", "USD"), ("b", "USD"), ("c", "KHR"), ("d", "KHR")):
        builder.add_account(name, currency)
    plan = builder.build()
    check_balances(plan, np.array([-5, 5, 7, -7], dtype=np.int64))
    for wrong in ([-5, 6, 7, -7], [-5, 7, 7, -9]):
        with pytest.raises(InvariantViolation, match="currencies sum to"):
            check_balances(plan, np.array(wrong, dtype=np.int64))


def _stops(engine: Engine, plan: Plan, workload: Array, message: str) -> None:
    with pytest.raises(TooLargeError) as caught:
        engine(plan, [workload], Kept())
    assert str(caught.value) == message


def _deposited(*amounts: int) -> Plan:
    builder = PlanBuilder(horizon_us=10)
    rich = builder.add_account("rich", "KHR", overdraft=0, watched=True)
    for at, amount in enumerate(amounts):
        builder.deposit(at, rich, amount)
    return builder.build()


def test_deposits_may_fill_a_balance_up_to_its_bound() -> None:
    # 2^59 + (2^59 - 1) = 2^60 - 1, on the account and, below zero, on the world's.
    plan = _deposited(BALANCE_MAX // 2, BALANCE_MAX // 2 - 1)
    kept = run_both(plan, simple_workload([]))
    assert isinstance(kept, Kept)
    assert len(kept.log) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_balance_at_its_bound_stops_the_run(engine: Engine) -> None:
    _stops(engine, _deposited(BALANCE_MAX // 2, BALANCE_MAX // 2), simple_workload([]),
           BALANCE_TOO_LARGE)  # fmt: skip
    # Three deposits of 4 * 10^18, which is 4 * 10^16 riel: 1.2 * 10^19 is beyond 2^63.
    _stops(engine, _deposited(*[4 * 10**18] * 3), simple_workload([]), BALANCE_TOO_LARGE)


def _promised(payments: int, amount: int) -> tuple[Plan, Array]:
    """Let payments reserve money of an account without limit, and hold it until the horizon."""
    builder = PlanBuilder(horizon_us=10_000)
    debit, credit = builder.add_account("from", "USD"), builder.add_account("to", "USD")
    held = builder.add_transfer(debit, credit, Register.INSTRUCTED)
    failed = builder.add_stage(Op.VOID, "void")
    builder.add_stage(Op.END, "rejected", value=Outcome.REJECTED, reason=-1)
    entry = builder.add_stage(
        Op.RESERVE, "reserve", first=held, flags=Flag.QUEUE, target=failed, reason=Reason.AM04
    )
    builder.add_stage(Op.TRANSIT, "long", table=builder.constant_table(10**9), purpose=0, cause=2)
    builder.add_stage(Op.END, "completed", value=Outcome.COMPLETED, reason=0)
    builder.add_stream("s", entry=entry, corridor="c", currency="USD")
    return builder.build(), simple_workload(list(range(payments)), amount=amount)


def test_pending_debits_are_bounded_where_an_account_is_not() -> None:
    # Registers stay below 2^53: 255 amounts of 2^52 are pending, the 256th makes 2^60.
    run_both(*_promised(255, 1 << 52))
    for engine in ENGINES:
        _stops(engine, *_promised(256, 1 << 52), BALANCE_TOO_LARGE)


def _waiting(payments: int) -> tuple[Plan, Array]:
    """Let payments wait at a closed station, from the first instant to the horizon of 2^50 us."""
    builder = PlanBuilder(horizon_us=1 << 50)
    desk = builder.add_station("desk", servers=1)
    builder.close_station(desk, 0, 1 << 50)
    failed = builder.add_stage(Op.END, "rejected", value=Outcome.REJECTED, reason=-1)
    entry = builder.add_stage(
        Op.SERVE, "serve", subject=desk, table=builder.constant_table(1), purpose=0, cause=1,
        target=failed, reason=Reason.MS03,
    )  # fmt: skip
    builder.add_stage(Op.END, "completed", value=Outcome.COMPLETED, reason=0)
    builder.add_stream("s", entry=entry, corridor="c", currency="USD")
    return builder.build(), simple_workload([0] * payments)


def test_areas_are_bounded() -> None:
    # 4095 payments wait for 2^50 us each: 2^62 - 2^50. One more makes 2^62.
    plan, workload = _waiting(4095)
    totals = run_compiled(plan, [workload], Kept())
    assert int(totals.station[0, StationTotal.QUEUE_AREA]) == SUM_MAX - (1 << 50)
    run_both(plan, workload)
    for engine in ENGINES:
        _stops(engine, *_waiting(4096), SUM_TOO_LARGE)

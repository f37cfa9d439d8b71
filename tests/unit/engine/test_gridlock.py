"""The set an offset settles is the largest there is: compared with every set, one by one.

Queues are small and random, with payments against payment among them; every order-closed subset is
tried (``2^8`` at most). In both engines, equal to the last bit, and audited.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.compiler.builder import PlanBuilder
from sim.contract.large_value import Offset, Order
from sim.contract.meaning import Cause, LogKind, Op, Outcome, Reason
from sim.contract.plan import Plan
from sim.contract.records import LogColumn as L
from sim.contract.records import Register
from tests.equivalence.compared import run_both
from tests.unit.engine.worked import SECOND, workload

MEMBERS = 4
Leg = tuple[int, int, int]
"""Debit account, credit account, amount."""
Payment = tuple[Leg, ...]


def _draw(random: np.random.Generator) -> tuple[list[int], list[Payment]]:
    """Return balances, in two currencies, and payments; a fifth of them against payment."""
    balances = random.integers(0, 30, 2 * MEMBERS).tolist()
    payments: list[Payment] = []
    for _ in range(int(random.integers(3, 9))):
        one, two = (int(member) for member in random.choice(MEMBERS, 2, replace=False))
        amount = int(random.integers(1, 100))
        first = (one, two, amount)
        back = (MEMBERS + two, MEMBERS + one, amount)
        payments.append((first, back) if random.random() < 0.2 else (first,))
    return balances, payments


def _plan(balances: list[int], payments: list[Payment], offset: Offset) -> Plan:
    """Return a plan in which all payments wait, and an offset is due after a minute."""
    b = PlanBuilder("gridlock", horizon_us=120 * SECOND)
    accounts = [
        b.add_account(f"{at % MEMBERS}:{at // MEMBERS}", "USD" if at < MEMBERS else "KHR",
                      overdraft=0)
        for at in range(2 * MEMBERS)
    ]  # fmt: skip
    for account, balance in zip(accounts, balances, strict=True):
        b.deposit(0, account, balance)
    system = b.add_system(
        "system", accounts=accounts, order=Order.DEFERRED, offset=offset, on_arrival=0,
        offsets_us=[60 * SECOND],
    )  # fmt: skip
    for number, legs in enumerate(payments):
        rows = [
            b.add_transfer(accounts[debit], accounts[credit], Register.INSTRUCTED)
            for debit, credit, _ in legs
        ]
        entry = b.add_stage(
            Op.SETTLE, "settle", subject=system, first=rows[0], count=len(rows),
            cause=Cause.LIQUIDITY, reason=Reason.AM04,
        )  # fmt: skip
        b.add_stage(Op.END, "end", value=Outcome.COMPLETED, reason=0)
        rejected = b.add_stage(Op.END, "end", value=Outcome.REJECTED, reason=-1)
        b.set_stage(entry, target=rejected)
        b.add_stream(f"s{number}", entry=entry, corridor="c", currency="USD")
    return b.build()


def _bears(balances: list[int], chosen: list[Payment]) -> bool:
    left = list(balances)
    for legs in chosen:
        for debit, credit, amount in legs:
            left[debit] -= amount
            left[credit] += amount
    return min(left) >= 0


def _keeps_order(queue: list[Payment], chosen: tuple[int, ...]) -> bool:
    """Say whether of the payments that debit an account those before each chosen one are in."""
    for at in chosen:
        mine = {debit for debit, _, _ in queue[at]}
        before = {i for i in range(at) if mine & {debit for debit, _, _ in queue[i]}}
        if not before <= set(chosen):
            return False
    return True


def _largest(balances: list[int], queue: list[Payment], among: list[int]) -> tuple[int, ...]:
    """Try every subset of some payments, the largest first."""
    for size in range(len(among), 0, -1):
        found = [
            chosen
            for chosen in combinations(among, size)
            if _keeps_order([queue[i] for i in among], tuple(among.index(i) for i in chosen))
            and _bears(balances, [queue[i] for i in chosen])
        ]
        # Of one size there is one at most: the union of two would be larger.
        assert len(found) <= 1
        if found:
            return found[0]
    return ()


def _between(queue: list[Payment], of: Payment) -> list[int]:
    """Return who waits between the accounts of a payment, up to where others are in the way."""
    [(debit, credit, _)] = of
    found, closed = [], set[int]()
    for at, legs in enumerate(queue):
        mine = {one for one, _, _ in legs}
        if len(legs) == 1 and {*legs[0][:2]} == {debit, credit} and not mine & closed:
            found.append(at)
        else:
            closed |= mine
    return found


def _settled(balances: list[int], payments: list[Payment], offset: Offset) -> list[set[int]]:
    """Return the sets an offset settles, one after the other, by trying all."""
    left, level, sets = list(range(len(payments))), list(balances), list[set[int]]()
    while True:
        queue = [payments[i] for i in left]
        if offset is Offset.MULTILATERAL:
            chosen = _largest(level, queue, list(range(len(queue)))) if not sets else ()
        else:
            pairs = (_between(queue, legs) for legs in queue if len(legs) == 1)
            tried = (_largest(level, queue, among) for among in pairs)
            chosen = next((found for found in tried if found), ())
        if not chosen:
            return sets
        sets.append({left[at] for at in chosen})
        for at in chosen:
            for debit, credit, amount in queue[at]:
                level[debit] -= amount
                level[credit] += amount
        left = [i for i in left if i not in sets[-1]]


@pytest.mark.parametrize("offset", [Offset.MULTILATERAL, Offset.BILATERAL])
def test_an_offset_settles_what_trying_all_sets_finds(offset: Offset) -> None:
    random, met = np.random.default_rng(9_2001), list[int]()
    for draw in range(60):
        balances, payments = _draw(random)
        plan = _plan(balances, payments, offset)
        asked = workload(
            *(
                {"at": 1 + number, "stream": number, "amount": legs[0][2], "ordinal": 0}
                for number, legs in enumerate(payments)
            )
        )
        both = run_both(plan, asked)
        assert not audit_log(plan, [both.log], [both.record], both.totals).violations
        found = both.log[both.log[:, L.KIND] == LogKind.SETTLE, L.PAYMENT].tolist()
        sizes = both.log[both.log[:, L.KIND] == LogKind.OFFSET, L.AMOUNT].tolist()
        sets = _settled(balances, payments, offset)
        told = f"draw {draw}: balances {balances}, payments {payments}"
        assert sizes == [len(one) for one in sets], told
        assert found == [payment for one in sets for payment in sorted(one)], told
        met.append(sum(sizes))
    # Neither nothing nor everything, in most draws.
    assert sum(count > 0 for count in met) > 20

"""Parts of a completed payment that are paid back.

Takes the plan, the state and the slot of a payment that has ended; schedules its parts and pays
them. The meaning is in :mod:`sim.contract.refunds`.
"""

from __future__ import annotations

from sim.contract.guards import GuardColumn
from sim.contract.layout import PPM, AccountColumn, PricingColumn, StageColumn, TransferColumn
from sim.contract.meaning import LogKind, Reason
from sim.contract.plan import Plan
from sim.contract.records import Register
from sim.contract.refunds import (
    REFUND_WITHIN_US,
    RefundColumn,
    RefundRate,
    RefundTotal,
    WrittenRefundColumn,
)
from sim.draws.lookup import draw62, quantile
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import read_register, resolve_account, transfer
from sim.engine.kernel.journal import write_log, write_refund
from sim.engine.kernel.levels import available
from sim.engine.kernel.payments import schedule
from sim.engine.kernel.state import (
    C_ACCOUNT_ENDS,
    C_FREE,
    C_FX_STEP,
    C_LIVE,
    C_NOW,
    C_WARM_UP,
    P_ASKED,
    P_BACK,
    P_ENDED,
    P_ID,
    P_PART,
    P_STAGE,
    Q_HEAD,
    KernelState,
)
from sim.jit.functions import called
from sim.money.exchange import mul_div_floor, part_floor, unit_price

NO_PART = -1
"""Stands for the delay of a part that never comes."""


@called
def begin_refunds(plan: Plan, state: KernelState, slot: int) -> int:
    """Return how long after its end a payment's first part falls due, -1 for never."""
    pool = state.pool
    if plan.stage[pool[slot, P_STAGE], StageColumn.COUNT] == 0:
        return NO_PART
    pool[slot, P_PART] = 0
    pool[slot, P_BACK] = 0
    pool[slot, P_ENDED] = state.cursor[C_NOW]
    return _find_part(plan, state, slot)


@called
def await_part(state: KernelState, slot: int, delay_us: int) -> None:
    """Let a payment that has ended stay until its next part falls due."""
    pool = state.pool
    # A time-out still scheduled must find nobody; elsewhere an ended payment has left its slot.
    pool[slot, st.P_ARMED_STEP] = -1
    pool[slot, st.P_PATIENCE_STEP] = -1
    pool[slot, st.P_WAIT] = st.W_REFUND
    at = pool[slot, P_STAGE]
    number = pool[slot, P_PART] + 1
    asked = pool[slot, P_ASKED]
    write_log(
        state.cursor, state.log, LogKind.REFUND_DUE, pool[slot, P_ID], at, number, asked, delay_us
    )
    schedule(state.cursor, state.heap, pool, slot, delay_us, 0)


@called
def pay_part(plan: Plan, state: KernelState, slot: int) -> None:
    """Pay or refuse the part that falls due, and wait for the next or leave for good."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    before = pool[slot, P_BACK]
    after = before + pool[slot, P_ASKED]
    pool[slot, P_PART] += 1
    reason = 0
    if after > pool[slot, st.P_INSTRUCTED]:
        reason = Reason.AM02 + 0
    elif not _is_covered(plan, state, slot, after):
        reason = Reason.AM04 + 0
    paid = 0
    if reason == 0:
        paid = after - before
    write_refund(
        cursor, state.log, LogKind.REFUND, pool[slot, P_ID], at, pool[slot, P_PART], paid, reason
    )
    _count(state, slot, paid, reason)
    if reason == 0:
        first = plan.stage[at, StageColumn.FIRST]
        for row in range(first, first + plan.stage[at, StageColumn.COUNT]):
            amount = _amount(plan, state, slot, row, after)
            debit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.DEBIT])
            credit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.CREDIT])
            if amount > 0 and debit >= 0 and credit >= 0:
                write_log(
                    cursor, state.log, LogKind.MOVED, pool[slot, P_ID], at, debit, amount, credit
                )
                transfer(plan, state, debit, credit, amount)
        pool[slot, P_BACK] = after
    delay_us = _find_part(plan, state, slot)
    if delay_us >= 0:
        await_part(state, slot, delay_us)
        return
    pool[slot, P_ID] = -1
    pool[slot, st.P_NEXT] = cursor[C_FREE]
    cursor[C_FREE] = slot
    cursor[C_LIVE] -= 1


@called
def _find_part(plan: Plan, state: KernelState, slot: int) -> int:
    """Note what the next part asks for; return the time until it falls due, -1 for never."""
    pool = state.pool
    stream = pool[slot, st.P_STREAM]
    ordinal = pool[slot, st.P_ORDINAL]
    number = pool[slot, P_PART] + 1
    after_us = NO_PART
    # What is written for a payment takes the place of every draw.
    first = plan.refund[stream, RefundColumn.WRITTEN_FIRST]
    found = 0
    for row in range(first, first + plan.refund[stream, RefundColumn.WRITTEN_COUNT]):
        if plan.written_refund[row, WrittenRefundColumn.ORDINAL] == ordinal:
            found += 1
            if found == number:
                after_us = plan.written_refund[row, WrittenRefundColumn.AFTER_US]
                pool[slot, P_ASKED] = plan.written_refund[row, WrittenRefundColumn.AMOUNT]
    if found == 0:
        after_us = _draw_part(plan, state, slot, number)
    if after_us < 0:
        return NO_PART
    delay_us = max(after_us, 1)
    if state.cursor[C_NOW] + delay_us - pool[slot, P_ENDED] > REFUND_WITHIN_US:
        return NO_PART
    return int(delay_us)


@called
def _draw_part(plan: Plan, state: KernelState, slot: int, number: int) -> int:
    """Draw whether a part comes and when, and note what it asks for; -1 for never."""
    pool = state.pool
    stream = pool[slot, st.P_STREAM]
    ordinal = pool[slot, st.P_ORDINAL]
    parts = plan.refund[stream, RefundColumn.PARTS]
    share = plan.refund[stream, RefundColumn.SHARE]
    if number > parts or share == 0:
        return NO_PART
    key = plan.stream_key[stream]
    if number == 1:
        u62 = draw62(key, ordinal, plan.refund[stream, RefundColumn.PURPOSE_SHARE], 0)
        if u62 >= share:
            return NO_PART
    part_of = plan.refund[stream, RefundColumn.TOTAL_PPM]
    total = mul_div_floor(pool[slot, st.P_INSTRUCTED], part_of, PPM)
    # What the parts so far come to is rounded, so that together they are the total.
    pool[slot, P_ASKED] = mul_div_floor(total, number, parts) - mul_div_floor(
        total, number - 1, parts
    )
    u62 = draw62(key, ordinal, plan.refund[stream, RefundColumn.PURPOSE_AFTER], number)
    return int(quantile(plan.table, plan.refund[stream, RefundColumn.AFTER_TABLE], u62))


@called
def _is_covered(plan: Plan, state: KernelState, slot: int, after: int) -> bool:
    """Tell whether every account a part debits has its amount, and nobody waiting for it."""
    at = state.pool[slot, P_STAGE]
    first = plan.stage[at, StageColumn.FIRST]
    for row in range(first, first + plan.stage[at, StageColumn.COUNT]):
        amount = _amount(plan, state, slot, row, after)
        if amount == 0:
            continue
        debit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.DEBIT])
        if debit < 0:
            return False
        if state.ends[state.cursor[C_ACCOUNT_ENDS] + debit, Q_HEAD] >= 0:
            return False
        left = available(plan, state, debit)
        if plan.guard[debit, GuardColumn.POOL] != 0:
            left -= plan.account[debit, AccountColumn.OVERDRAFT]
        if left < amount:
            return False
    return True


@called
def _amount(plan: Plan, state: KernelState, slot: int, row: int, after: int) -> int:
    """Return what a row moves where so much is paid back once the part at hand is."""
    pool = state.pool
    register = plan.transfer[row, TransferColumn.REGISTER]
    pricing = pool[slot, st.P_PRICING]
    rate = plan.refund[pool[slot, st.P_STREAM], RefundColumn.RATE]
    # Of a payment that was never priced there are only shares.
    if rate == RefundRate.CURRENT and pricing >= 0:
        conversion = plan.pricing[pricing, PricingColumn.CONVERSION_1]
        if conversion >= 0:
            if register == Register.SPREAD_1:
                return 0
            if register in (Register.DEBITED, Register.MID_1):
                settled = _share(state, slot, Register.SETTLEMENT, after)
                cost, unit = unit_price(
                    plan.conversion,
                    plan.rate,
                    plan.pair_scale,
                    state.cursor[C_FX_STEP],
                    conversion,
                    state.cursor[C_NOW],
                )
                return int(mul_div_floor(settled, cost, unit))
    return _share(state, slot, register, after)


@called
def _share(state: KernelState, slot: int, register: int, after: int) -> int:
    """Return a register's share of the part at hand."""
    pool = state.pool
    whole = pool[slot, st.P_INSTRUCTED]
    value = read_register(state.cursor, pool, slot, register)
    # The difference of two shares: what rounding keeps back comes with a later part.
    return part_floor(value, after, whole) - part_floor(value, pool[slot, P_BACK], whole)


@called
def _count(state: KernelState, slot: int, paid: int, reason: int) -> None:
    """Count a part in its stream's totals."""
    if state.cursor[C_NOW] < state.cursor[C_WARM_UP]:
        return
    stream = state.pool[slot, st.P_STREAM]
    if reason != 0:
        state.refund[stream, RefundTotal.REFUSED] += 1
        return
    state.refund[stream, RefundTotal.PARTS] += 1
    state.refund[stream, RefundTotal.VALUE] += paid
    if state.pool[slot, P_BACK] == 0:
        state.refund[stream, RefundTotal.PAYMENTS] += 1

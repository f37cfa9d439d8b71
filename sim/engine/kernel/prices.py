"""QUOTE, CONVERT, CHARGE, LIMIT: what a payment costs and whether it may.

Takes a payment at one of these stages; each function tells whether the payment passes on. The
arithmetic is in ``sim.money.pricing``, the meaning in ``meaning.Op``.
"""

from __future__ import annotations

from sim.contract.layout import NEVER_US, FeeColumn, LimitColumn, PricingColumn, StageColumn
from sim.contract.meaning import Bearer, LogKind, Reason
from sim.contract.plan import Array, Plan
from sim.contract.records import REGISTER_COUNT, Register
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import move, read_register, resolve_account
from sim.engine.kernel.journal import break_off, write_log
from sim.engine.kernel.payments import fail
from sim.engine.kernel.state import (
    C_DAY_OFFSET,
    C_FX_STEP,
    C_NOW,
    P_ID,
    P_LIMITS,
    P_PRICING,
    P_REGISTER,
    P_STAGE,
    KernelState,
)
from sim.jit.functions import called, inlined
from sim.money.pricing import price_payment
from sim.units import DAY_US


@called
def price(plan: Plan, state: KernelState, slot: int, row: int) -> int:
    """Price a payment now into the scratch registers; 0 where the price cannot be used."""
    return price_payment(
        plan.pricing,
        plan.conversion,
        plan.rate,
        plan.pair_scale,
        plan.fee,
        plan.tier,
        state.cursor[C_FX_STEP],
        row,
        state.pool[slot, st.P_INSTRUCTED],
        state.cursor[C_NOW],
        state.pool[slot, st.P_SUBMITTED],
        state.scratch,
    )


@called
def quote(plan: Plan, state: KernelState, slot: int) -> bool:
    """Price a payment and hold the price for a while, or fail."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    row = plan.stage[at, StageColumn.SUBJECT]
    is_usable = price(plan, state, slot, row)
    for register in range(REGISTER_COUNT):
        pool[slot, P_REGISTER + register] = state.scratch[register]
    pool[slot, P_PRICING] = row
    if is_usable == 0:
        fail(plan, state, slot, plan.stage[at, StageColumn.REASON])
        return False
    debited = pool[slot, P_REGISTER + Register.DEBITED]
    credited = pool[slot, P_REGISTER + Register.CREDITED]
    write_log(cursor, state.log, LogKind.QUOTE, pool[slot, P_ID], at, row, debited, credited)
    validity = plan.stage[at, StageColumn.VALUE]
    pool[slot, st.P_EXPIRY] = cursor[C_NOW] + validity if validity > 0 else NEVER_US
    return True


@called
def convert(plan: Plan, state: KernelState, slot: int) -> bool:
    """Use the quote; where it lapsed go back for another, or fail."""
    cursor = state.cursor
    pool = state.pool
    if cursor[C_NOW] <= pool[slot, st.P_EXPIRY]:
        return True
    at = pool[slot, P_STAGE]
    write_log(cursor, state.log, LogKind.LAPSE, pool[slot, P_ID], at, -1, -1, -1)
    pool[slot, st.P_LAPSED] += 1
    if pool[slot, st.P_REQUOTES] < plan.stage[at, StageColumn.VALUE]:
        pool[slot, st.P_REQUOTES] += 1
        pool[slot, P_STAGE] = plan.stage[at, StageColumn.SUBJECT]
    else:
        fail(plan, state, slot, plan.stage[at, StageColumn.REASON])
    return False


@called
def charge(plan: Plan, state: KernelState, slot: int) -> None:
    """Charge one fee of the last price."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    row = plan.stage[at, StageColumn.SUBJECT]
    if pool[slot, P_PRICING] < 0:
        break_off(cursor, st.E_NO_QUOTE, pool[slot, P_ID])
        return
    fee_slot = row - plan.pricing[pool[slot, P_PRICING], PricingColumn.FEE_FIRST]
    amount = read_register(cursor, pool, slot, Register.FEE_0 + fee_slot)
    if amount <= 0:
        return
    debit = resolve_account(plan, state, slot, plan.fee[row, FeeColumn.DEBIT])
    credit = resolve_account(plan, state, slot, plan.fee[row, FeeColumn.CREDIT])
    if debit < 0 or credit < 0:
        return
    move(plan, state, slot, debit, credit, amount)
    write_log(cursor, state.log, LogKind.FEE, pool[slot, P_ID], at, row, amount, -1)
    if (pool[slot, st.P_CHARGED] >> fee_slot) & 1 == 0:
        pool[slot, st.P_CHARGED] |= 1 << fee_slot
        pool[slot, st.P_FEE + fee_slot] = 0
    pool[slot, st.P_FEE + fee_slot] += amount
    if plan.fee[row, FeeColumn.BEARER] == Bearer.DEBTOR:
        pool[slot, st.P_PAYER_FEE] += amount
    else:
        pool[slot, st.P_MERCHANT_FEE] += amount


@called
def check_limit(plan: Plan, state: KernelState, slot: int) -> bool:
    """Check a limit and use it, or fail."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    row = plan.stage[at, StageColumn.SUBJECT]
    amount = read_register(cursor, pool, slot, plan.limit[row, LimitColumn.REGISTER])
    per_payment = plan.limit[row, LimitColumn.PER_PAYMENT]
    if 0 <= per_payment < amount:
        fail(plan, state, slot, Reason.AM02)
        return False
    per_day = plan.limit[row, LimitColumn.PER_DAY]
    if per_day < 0:
        return True
    first = plan.limit_first[row, pool[slot, st.P_STREAM]]
    cell = first + pool[slot, st.P_PAYER]
    if first < 0 or pool[slot, st.P_PAYER] < 0 or cell >= state.limit.shape[0]:
        break_off(cursor, st.E_NO_LIMIT_CELL, pool[slot, P_ID])
        return True
    day = _today(cursor)
    used = state.limit[cell, 1] if state.limit[cell, 0] == day else 0
    if used + amount > per_day:
        fail(plan, state, slot, Reason.AM14)
        return False
    state.limit[cell, 0] = day
    state.limit[cell, 1] = used + amount
    which = plan.stage[at, StageColumn.VALUE]
    pool[slot, P_LIMITS] |= 1 << which
    base = st.P_LIMIT + which * st.LIMIT_COLUMNS
    pool[slot, base] = row
    pool[slot, base + 1] = cell
    pool[slot, base + 2] = amount
    pool[slot, base + 3] = day
    payer = pool[slot, st.P_PAYER]
    write_log(cursor, state.log, LogKind.LIMIT, pool[slot, P_ID], at, row, amount, payer)
    return True


@called
def give_back_limits(state: KernelState, slot: int) -> None:
    """Give back what a payment used of its limits today; forget the rest."""
    cursor = state.cursor
    pool = state.pool
    mask = pool[slot, P_LIMITS]
    pool[slot, P_LIMITS] = 0
    base = st.P_LIMIT
    while mask > 0:
        if mask & 1 and pool[slot, base + 3] == _today(cursor):
            amount = pool[slot, base + 2]
            state.limit[pool[slot, base + 1], 1] -= amount
            write_log(
                cursor,
                state.log,
                LogKind.GIVE_BACK,
                pool[slot, P_ID],
                pool[slot, P_STAGE],
                pool[slot, base],
                amount,
                pool[slot, st.P_PAYER],
            )
        mask >>= 1
        base += st.LIMIT_COLUMNS


@inlined
def _today(cursor: Array) -> int:
    """Return the number of the local day."""
    return int((cursor[C_NOW] + cursor[C_DAY_OFFSET]) // DAY_US)

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
def price(plan: Plan, state: KernelState, slot: int, row: int, at_us: int) -> int:
    """Price a payment at the rates of an instant into scratch; 0 where that cannot be used."""
    # Into scratch and not into the payment: a policy that compares prices must not overwrite
    # the price the payment was promised.
    return price_payment(
        plan.pricing,
        plan.conversion,
        plan.rate,
        plan.pair_scale,
        plan.spread,
        plan.fee,
        plan.tier,
        state.cursor[C_FX_STEP],
        row,
        state.pool[slot, st.P_INSTRUCTED],
        at_us,
        state.pool[slot, st.P_SUBMITTED],
        state.scratch,
    )


@called
def price_again(plan: Plan, state: KernelState, slot: int, row: int, at_us: int) -> int:
    """Price a payment into its own registers; 0 where the price cannot be used."""
    is_usable = price(plan, state, slot, row, at_us)
    for register in range(REGISTER_COUNT):
        state.pool[slot, P_REGISTER + register] = state.scratch[register]
    state.pool[slot, P_PRICING] = row
    state.pool[slot, st.P_QUOTED] = at_us
    return is_usable


@called
def quote(plan: Plan, state: KernelState, slot: int) -> bool:
    """Price a payment and hold the price for a while, or fail."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    row = plan.stage[at, StageColumn.SUBJECT]
    # The registers are kept even where the price cannot be used: a record tells what would have
    # been asked.
    is_usable = price_again(plan, state, slot, row, cursor[C_NOW])
    # No QUOTE row for a price nobody was given.
    if is_usable == 0:
        fail(plan, state, slot, plan.stage[at, StageColumn.REASON])
        return False
    debited = pool[slot, P_REGISTER + Register.DEBITED]
    credited = pool[slot, P_REGISTER + Register.CREDITED]
    write_log(cursor, state.log, LogKind.QUOTE, pool[slot, P_ID], at, row, debited, credited)
    validity = plan.stage[at, StageColumn.VALUE]
    # A validity of 0 holds for ever.
    pool[slot, st.P_EXPIRY] = cursor[C_NOW] + validity if validity > 0 else NEVER_US
    return True


@called
def convert(plan: Plan, state: KernelState, slot: int) -> bool:
    """Use the quote; where it lapsed go back for another, or fail."""
    cursor = state.cursor
    pool = state.pool
    # A quote is good up to and including its last instant.
    if cursor[C_NOW] <= pool[slot, st.P_EXPIRY]:
        return True
    at = pool[slot, P_STAGE]
    write_log(cursor, state.log, LogKind.LAPSE, pool[slot, P_ID], at, -1, -1, -1)
    # Lapses count all that ran out; requotes only those that were asked again.
    pool[slot, st.P_LAPSED] += 1
    # Bounded, since each requote may lapse again; REQUOTES_MAX keeps a visit's number apart
    # from the next attempt's (64 per attempt).
    if pool[slot, st.P_REQUOTES] < plan.stage[at, StageColumn.VALUE]:
        # Before the jump: the stages it comes to again then draw fresh random numbers.
        pool[slot, st.P_REQUOTES] += 1
        pool[slot, st.P_VISIT] += 1
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
    # The slot by position within the price that was quoted last, which after a fail-over is
    # another route's.
    fee_slot = row - plan.pricing[pool[slot, P_PRICING], PricingColumn.FEE_FIRST]
    amount = read_register(cursor, pool, slot, Register.FEE_0 + fee_slot)
    # A fee of 0 is not charged, not marked and not logged.
    if amount <= 0:
        return
    debit = resolve_account(plan, state, slot, plan.fee[row, FeeColumn.DEBIT])
    credit = resolve_account(plan, state, slot, plan.fee[row, FeeColumn.CREDIT])
    if debit < 0 or credit < 0:
        return
    # The transfer, then those it sets free, then the FEE row, as the specification orders them.
    move(plan, state, slot, debit, credit, amount)
    write_log(cursor, state.log, LogKind.FEE, pool[slot, P_ID], at, row, amount, -1)
    # The columns of fees are not cleared for a new payment; the first charge of a slot starts
    # the sum.
    if (pool[slot, st.P_CHARGED] >> fee_slot) & 1 == 0:
        pool[slot, st.P_CHARGED] |= 1 << fee_slot
        pool[slot, st.P_FEE + fee_slot] = 0
    # Added and not set: charged on a first route and on the next, a fee was paid twice.
    pool[slot, st.P_FEE + fee_slot] += amount
    if plan.fee[row, FeeColumn.BEARER] == Bearer.DEBTOR:
        pool[slot, st.P_PAYER_FEE] += amount
    elif plan.fee[row, FeeColumn.BEARER] == Bearer.CREDITOR:
        pool[slot, st.P_MERCHANT_FEE] += amount


@called
def check_limit(plan: Plan, state: KernelState, slot: int) -> bool:
    """Check a limit and use it, or fail."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    row = plan.stage[at, StageColumn.SUBJECT]
    amount = read_register(cursor, pool, slot, plan.limit[row, LimitColumn.REGISTER])
    # No bound is -1, which nothing is below.
    if amount < plan.limit[row, LimitColumn.LEAST]:
        fail(plan, state, slot, Reason.AM06)
        return False
    # The bound of one payment comes before that of the day, and decides the reason.
    per_payment = plan.limit[row, LimitColumn.PER_PAYMENT]
    if 0 <= per_payment < amount:
        fail(plan, state, slot, Reason.AM02)
        return False
    per_day = plan.limit[row, LimitColumn.PER_DAY]
    # No daily bound, so nothing is stored and nothing is logged.
    if per_day < 0:
        return True
    first = plan.limit_first[row, pool[slot, st.P_STREAM]]
    cell = first + pool[slot, st.P_PAYER]
    # An unchecked cell would be another payer's.
    if first < 0 or pool[slot, st.P_PAYER] < 0 or cell >= state.limit.shape[0]:
        break_off(cursor, st.E_NO_LIMIT_CELL, pool[slot, P_ID])
        return True
    day = _today(plan, cursor, row)
    # A cell that was written on another day counts as unused. So the days need no reset at
    # midnight, which would be an event for every payer.
    used = state.limit[cell, 1] if state.limit[cell, 0] == day else 0
    # Up to and including the bound is allowed; the amount that breaks it is not added.
    if used + amount > per_day:
        named = plan.stage[at, StageColumn.REASON]
        if named > 0:
            fail(plan, state, slot, named)
        else:
            fail(plan, state, slot, Reason.AM14)
        return False
    state.limit[cell, 0] = day
    state.limit[cell, 1] = used + amount
    which = plan.stage[at, StageColumn.VALUE]
    # Noted even for an amount of 0, as the specification says: giving back 0 writes a row, too.
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
def give_back_limits(plan: Plan, state: KernelState, slot: int) -> None:
    """Give back what a payment used of its limits today; forget the rest."""
    cursor = state.cursor
    pool = state.pool
    mask = pool[slot, P_LIMITS]
    # All are forgotten, those of other days too: they can never be given back.
    pool[slot, P_LIMITS] = 0
    base = st.P_LIMIT
    while mask > 0:
        # Only within the same local day. What was used yesterday is no longer in the cell, and
        # taking it off today's use would give the payer more than the limit.
        if mask & 1 and pool[slot, base + 3] == _today(plan, cursor, pool[slot, base]):
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
def _today(plan: Plan, cursor: Array, row: int) -> int:
    """Return the number of the period of a limit that runs now."""
    # Local days, as limits are per calendar day of the payer and a scenario may begin in the
    # evening.
    day = (cursor[C_NOW] + cursor[C_DAY_OFFSET]) // DAY_US
    return int((day + plan.limit[row, LimitColumn.SHIFT]) // plan.limit[row, LimitColumn.DAYS])

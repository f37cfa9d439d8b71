"""Clearing files and top-ups: what the agenda does besides deposits and closures.

Takes the plan and the state; moves money that no payment moves. The meaning of every kind is in
:class:`~sim.contract.agenda.AgendaKind`.
"""

from __future__ import annotations

from sim.contract.agenda import (
    AgendaKind,
    FileColumn,
    FileTotal,
    LineColumn,
    Negative,
    OrderColumn,
    TopUpColumn,
)
from sim.contract.layout import AMOUNT_MAX, PPM, UNLIMITED, AccountColumn, ConversionColumn
from sim.contract.meaning import LogKind
from sim.contract.plan import Plan
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import transfer
from sim.engine.kernel.journal import break_off, write_log, write_sample
from sim.engine.kernel.levels import available
from sim.engine.kernel.shares import share
from sim.engine.kernel.state import A_PENDING, A_POSTED, C_FX_STEP, C_NOW, KernelState
from sim.jit.functions import called
from sim.money.covering import trade_cost
from sim.money.exchange import mid_value, mul_div_floor

# Columns of ``KernelState.carried``.
_UNPAID = 0
_UNSOLD = 1


@called
def follow_clearing(plan: Plan, state: KernelState, kind: int, subject: int) -> None:
    """Do what a row of the agenda says with a file or an order."""
    if kind == AgendaKind.FILE_CUT:
        _cut(plan, state, subject)
    elif kind == AgendaKind.FILE_CONVERTED:
        _convert(plan, state, subject)
    elif kind == AgendaKind.FILE_SETTLED:
        _settle(plan, state, subject)
    elif kind == AgendaKind.TOP_UP_ORDERED:
        _order(plan, state, subject)
    else:
        _arrive(plan, state, subject)


@called
def _cut(plan: Plan, state: KernelState, file: int) -> None:
    line = plan.file[file, FileColumn.LINE]
    payments = plan.line[line, LineColumn.PAYMENTS]
    refunds = plan.line[line, LineColumn.REFUNDS]
    closed = plan.line[line, LineColumn.CLOSED]
    # What a refund holds back is not closed: it leaves the account when the refund ends.
    paid = state.account[payments, A_POSTED] - state.account[payments, A_PENDING]
    back = 0
    if refunds >= 0:
        back = -state.account[refunds, A_POSTED]
    interchange = share(paid - back, plan.line[line, LineColumn.INTERCHANGE_PPM])
    # The scheme's fee is of payments only; interchange comes back with a refund.
    scheme = share(paid, plan.line[line, LineColumn.SCHEME_PPM])
    net = paid - back - interchange - scheme
    state.net[file] = net
    write_sample(state.cursor, state.log, LogKind.FILE_CUT, file, paid - back, net)
    _move(plan, state, payments, closed, paid)
    _move(plan, state, closed, refunds, back)
    _move(plan, state, closed, plan.line[line, LineColumn.INTERCHANGE_TO], interchange)
    _move(plan, state, closed, plan.line[line, LineColumn.SCHEME_TO], scheme)


@called
def _convert(plan: Plan, state: KernelState, file: int) -> None:
    line = plan.file[file, FileColumn.LINE]
    sold = state.net[file] + state.carried[line, _UNSOLD]
    if sold <= 0:
        # Nothing to sell; what is missing is made up by later files.
        state.carried[line, _UNSOLD] = sold
        state.net[file] = 0
        write_sample(state.cursor, state.log, LogKind.FILE_CONVERTED, file, 0, 0)
        return
    # The arithmetic of prices is proved below this bound, and a file sums many payments.
    if sold >= AMOUNT_MAX:
        break_off(state.cursor, st.E_TOO_LARGE, -1)
        return
    conversion = plan.line[line, LineColumn.CONVERSION]
    spread = plan.conversion[conversion, ConversionColumn.SPREAD_PPM]
    mid = mul_div_floor(sold, PPM, PPM + spread)
    bought = mid_value(
        plan.conversion,
        plan.rate,
        plan.pair_scale,
        state.cursor[C_FX_STEP],
        conversion,
        mid,
        state.cursor[C_NOW],
    )
    state.carried[line, _UNSOLD] = 0
    state.net[file] = bought
    write_sample(state.cursor, state.log, LogKind.FILE_CONVERTED, file, sold, bought)
    closed = plan.line[line, LineColumn.CLOSED]
    held = plan.line[line, LineColumn.HELD]
    _move(plan, state, closed, plan.line[line, LineColumn.SOLD_TO], mid)
    _move(plan, state, closed, plan.line[line, LineColumn.SPREAD_TO], sold - mid)
    _move(plan, state, plan.line[line, LineColumn.BOUGHT_FROM], held, bought)


@called
def _settle(plan: Plan, state: KernelState, file: int) -> None:
    line = plan.file[file, FileColumn.LINE]
    paid_to = plan.line[line, LineColumn.PAID_TO]
    due = state.net[file] + state.carried[line, _UNPAID]
    paid = 0
    # At least one unit, so that a threshold of nothing pays no empty file.
    if due >= max(plan.line[line, LineColumn.THRESHOLD], 1):
        paid = due
    is_owed = due < 0 and plan.line[line, LineColumn.NEGATIVE] == Negative.PAY
    # An agent that cannot pay now owes it on with the next file.
    if is_owed and available(plan, state, paid_to) >= -due:
        paid = due
    state.carried[line, _UNPAID] = due - paid
    state.filed[file, FileTotal.PAID] = paid
    state.filed[file, FileTotal.CARRIED] = due - paid
    write_sample(state.cursor, state.log, LogKind.FILE_SETTLED, file, paid, due - paid)
    _move(plan, state, plan.line[line, LineColumn.HELD], paid_to, paid)


@called
def _order(plan: Plan, state: KernelState, order: int) -> None:
    rule = plan.order[order, OrderColumn.TOP_UP]
    account = plan.top_up[rule, TopUpColumn.ACCOUNT]
    # With what is on the way, so that two looks do not order the same money twice.
    level = state.account[account, A_POSTED] - state.account[account, A_PENDING]
    level += state.coming[rule]
    amount = 0
    if level < plan.top_up[rule, TopUpColumn.LOW]:
        amount = plan.top_up[rule, TopUpColumn.TARGET] - level
        most = plan.top_up[rule, TopUpColumn.MOST]
        if most >= 0:
            amount = min(amount, most)
    elif level > plan.top_up[rule, TopUpColumn.HIGH]:
        amount = plan.top_up[rule, TopUpColumn.TARGET] - level
    # The arithmetic of prices is proved below this bound.
    if plan.top_up[rule, TopUpColumn.BUYS] >= 0 and max(amount, -amount) >= AMOUNT_MAX:
        break_off(state.cursor, st.E_TOO_LARGE, -1)
        return
    state.ordered[order] = amount
    state.coming[rule] += amount
    write_sample(state.cursor, state.log, LogKind.TOP_UP_ORDERED, order, amount, level)


@called
def _arrive(plan: Plan, state: KernelState, order: int) -> None:
    rule = plan.order[order, OrderColumn.TOP_UP]
    source = plan.top_up[rule, TopUpColumn.SOURCE]
    ordered = state.ordered[order]
    amount = ordered
    # A treasury without limit always has it; a written account gives what it has.
    if plan.account[source, AccountColumn.OVERDRAFT] < UNLIMITED:
        amount = min(ordered, max(available(plan, state, source), 0))
    state.coming[rule] -= ordered
    write_sample(state.cursor, state.log, LogKind.TOP_UP_ARRIVED, order, amount, ordered)
    _move(plan, state, source, plan.top_up[rule, TopUpColumn.ACCOUNT], amount)
    if plan.top_up[rule, TopUpColumn.BUYS] >= 0:
        _pay(plan, state, order, amount)


@called
def _pay(plan: Plan, state: KernelState, order: int, traded: int) -> None:
    """Pay for what a covering trade has brought, or be paid for what it has taken."""
    rule = plan.order[order, OrderColumn.TOP_UP]
    cost = trade_cost(
        plan.conversion,
        plan.rate,
        plan.pair_scale,
        state.cursor[C_FX_STEP],
        plan.top_up[rule, TopUpColumn.BUYS],
        plan.top_up[rule, TopUpColumn.SELLS],
        traded,
        # At the rates of the order: what comes later is the money only.
        plan.order[order, OrderColumn.ORDERED_US],
    )
    paid_to = plan.top_up[rule, TopUpColumn.PAID_TO]
    _move(plan, state, plan.top_up[rule, TopUpColumn.PAYS], paid_to, cost)
    room = plan.top_up[rule, TopUpColumn.ROOM]
    if room >= 0:
        _move(plan, state, room, plan.top_up[rule, TopUpColumn.TAKEN], traded)
    other = plan.top_up[rule, TopUpColumn.OTHER_ROOM]
    if other >= 0:
        _move(plan, state, plan.top_up[rule, TopUpColumn.OTHER_TAKEN], other, cost)


@called
def _move(plan: Plan, state: KernelState, debit: int, credit: int, amount: int) -> None:
    """Move money and log it; a negative amount goes the other way."""
    if amount > 0:
        write_log(state.cursor, state.log, LogKind.MOVED, -1, -1, debit, amount, credit)
        transfer(plan, state, debit, credit, amount)
    elif amount < 0:
        write_log(state.cursor, state.log, LogKind.MOVED, -1, -1, credit, -amount, debit)
        transfer(plan, state, credit, debit, -amount)

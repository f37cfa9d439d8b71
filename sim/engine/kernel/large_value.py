"""Large-value systems: SETTLE, queues, offsets, closes.

Takes a payment at a SETTLE stage, a row of the agenda, or a system that was marked. The meaning is
in :mod:`sim.contract.large_value`. What settles at one stroke is chosen first and settled one by
one, a step of the loop each, so that no step writes more rows than there is room for.
"""

from __future__ import annotations

from sim.contract.agenda import AgendaKind
from sim.contract.large_value import (
    AtClose,
    How,
    MemberColumn,
    MemberTotal,
    Offset,
    Order,
    SystemColumn,
)
from sim.contract.layout import AccountColumn, StageColumn, StreamColumn, TransferColumn
from sim.contract.meaning import LogKind
from sim.contract.plan import Plan
from sim.contract.records import AccountTotal
from sim.engine.kernel import state as st
from sim.engine.kernel.accounts import (
    mark_system,
    note_flags,
    read_register,
    resolve_account,
    transfer,
)
from sim.engine.kernel.guards import settle_account
from sim.engine.kernel.journal import account_time, write_log, write_sample
from sim.engine.kernel.levels import available
from sim.engine.kernel.offsets import (
    IN,
    OUT,
    block,
    choose_all,
    choose_offset,
    is_blocked,
    next_stamp,
    shrink,
)
from sim.engine.kernel.payments import fail
from sim.engine.kernel.queues import append, insert_behind, unlink
from sim.engine.kernel.state import (
    A_POSTED,
    C_BETWEEN,
    C_HOW,
    C_MARKED,
    C_NOW,
    C_READY,
    C_SETTLING,
    C_SYSTEM_ENDS,
    C_WARM_UP,
    E_AMOUNT,
    E_COUNTED,
    E_CREDIT,
    E_DEBIT,
    E_IN,
    E_LEG,
    E_LEGS,
    E_RANK,
    E_TRIED,
    G_LEVEL,
    G_MEMBER,
    G_SYSTEM,
    P_ID,
    P_NEXT,
    P_PREVIOUS,
    P_STAGE,
    Q_HEAD,
    Q_TAIL,
    X_CLOSE_DUE,
    X_COUNT,
    X_MARKED,
    X_OFFSET_DUE,
    X_SETTLED,
    KernelState,
)
from sim.jit.functions import called

_DELAYED = st.A_TOTAL + AccountTotal.DELAYED
_LOW = st.A_TOTAL + AccountTotal.LOW
_LOST = st.A_TOTAL + AccountTotal.LOST
_RETURNING = -1
"""What is done with a queue at a close, where others settle: see C_HOW."""


@called
def settle(plan: Plan, state: KernelState, slot: int) -> bool:
    """Settle at once or wait; tell whether the payment goes on."""
    cursor, pool = state.cursor, state.pool
    at = pool[slot, P_STAGE]
    if pool[slot, st.P_WAIT] == st.W_RETURNED:
        pool[slot, st.P_WAIT] = st.W_NOTHING
        fail(plan, state, slot, plan.stage[at, StageColumn.REASON])
        return True
    system = plan.stage[at, StageColumn.SUBJECT]
    if not _read_legs(plan, state, slot, system):
        return False
    _tell_legs(state, slot)
    _count_arrival(state, slot)
    if _may_settle_first(plan, state, slot, system):
        _settle_one(plan, state, slot, system, How.AT_ONCE)
        return True
    _count(state, slot, MemberTotal.WAITED)
    _count_places(state, slot, state.entry[slot, E_COUNTED], _DELAYED)
    debit, amount = state.entry[slot, E_LEG + E_DEBIT], state.entry[slot, E_LEG + E_AMOUNT]
    rank = state.entry[slot, E_RANK]
    write_log(cursor, state.log, LogKind.QUEUED, pool[slot, P_ID], at, debit, amount, rank)
    queue = cursor[C_SYSTEM_ENDS] + system
    # From the end: nearly always it stands behind everybody.
    before = state.ends[queue, Q_TAIL]
    while before >= 0 and state.entry[before, E_RANK] > rank:
        before = pool[before, P_PREVIOUS]
    insert_behind(pool, state.ends, queue, slot, before)
    state.system[system, X_COUNT] += 1
    pool[slot, st.P_WAIT] = st.W_SYSTEM
    pool[slot, st.P_PLACE] = system
    is_tried = plan.system[system, SystemColumn.OFFSET] != Offset.NONE
    if is_tried and plan.system[system, SystemColumn.ON_ARRIVAL] != 0:
        state.system[system, X_OFFSET_DUE] = 1
        mark_system(state, system)
    return False


@called
def leave_system(state: KernelState, system: int, slot: int) -> None:
    """Take a payment out of a system's queue; those it stood before may go now."""
    unlink(state.pool, state.ends, slot)
    state.system[system, X_COUNT] -= 1
    mark_system(state, system)


@called
def follow_system(state: KernelState, kind: int, system: int) -> None:
    """Do what a row of the agenda says: an offset or a close is due."""
    waiting = state.system[system, X_COUNT]
    if kind == AgendaKind.SYSTEM_OFFSET:
        offset = LogKind.SYSTEM_OFFSET
        write_log(state.cursor, state.log, offset, -1, -1, system, waiting, -1)
        state.system[system, X_OFFSET_DUE] = 1
    else:
        close = LogKind.SYSTEM_CLOSE
        write_log(state.cursor, state.log, close, -1, -1, system, waiting, -1)
        state.system[system, X_CLOSE_DUE] = 1
    mark_system(state, system)


@called
def look(plan: Plan, state: KernelState) -> None:
    """Do the first thing there is to do in the lowest system that is marked."""
    cursor = state.cursor
    system = 0
    while state.system[system, X_MARKED] == 0:
        system += 1
    slot = _first_in_turn(plan, state, system)
    if slot >= 0:
        _settle_waiting(plan, state, slot, system, How.IN_TURN)
        return
    if state.system[system, X_OFFSET_DUE] != 0:
        if choose_offset(plan, state, system):
            _begin_set(plan, state, system, How.OFFSET)
            return
        state.system[system, X_OFFSET_DUE] = 0
    if state.system[system, X_CLOSE_DUE] != 0:
        state.system[system, X_CLOSE_DUE] = 0
        cursor[C_SETTLING] = system
        cursor[C_HOW] = _RETURNING
        if plan.system[system, SystemColumn.AT_CLOSE] == AtClose.NET:
            choose_all(state, system)
            if shrink(plan, state, system):
                _begin_set(plan, state, system, How.NET)
        return
    state.system[system, X_MARKED] = 0
    cursor[C_MARKED] -= 1


@called
def settle_next(plan: Plan, state: KernelState) -> None:
    """Settle the next payment of the set at hand, or return the next of a close."""
    cursor, pool = state.cursor, state.pool
    system, how = cursor[C_SETTLING], cursor[C_HOW]
    slot = state.ends[cursor[C_SYSTEM_ENDS] + system, Q_HEAD]
    if how != _RETURNING:
        while slot >= 0 and state.entry[slot, E_IN] != IN:
            slot = pool[slot, P_NEXT]
        if slot >= 0:
            _settle_waiting(plan, state, slot, system, how)
        else:
            cursor[C_BETWEEN] = 0
            _see_members(plan, state, system, 1)
            cursor[C_HOW] = _RETURNING
            if how == How.OFFSET:
                cursor[C_SETTLING] = -1
        return
    if slot < 0:
        cursor[C_SETTLING] = -1
        return
    at = pool[slot, P_STAGE]
    unlink(pool, state.ends, slot)
    state.system[system, X_COUNT] -= 1
    _count(state, slot, MemberTotal.RETURNED)
    _count_places(state, slot, int(cursor[C_NOW] >= cursor[C_WARM_UP]), _LOST)
    write_log(cursor, state.log, LogKind.LEAVE, pool[slot, P_ID], at, system, -1, 3)
    account_time(cursor, pool, slot, plan.stage[at, StageColumn.CAUSE])
    # It fails when its turn in the ready list comes.
    pool[slot, st.P_WAIT] = st.W_RETURNED
    append(pool, state.ends, cursor[C_READY], slot)


@called
def _read_legs(plan: Plan, state: KernelState, slot: int, system: int) -> bool:
    """Keep accounts and amounts of a payment's legs; False and a broken run where one lacks."""
    cursor, pool, entry = state.cursor, state.pool, state.entry
    at = pool[slot, P_STAGE]
    first = plan.stage[at, StageColumn.FIRST]
    legs = plan.stage[at, StageColumn.COUNT]
    entry[slot, E_IN] = OUT
    entry[slot, E_TRIED] = 0
    entry[slot, E_LEGS] = legs
    entry[slot, E_COUNTED] = int(cursor[C_NOW] >= cursor[C_WARM_UP])
    rank = 0
    if plan.system[system, SystemColumn.ORDER] == Order.PRIORITY:
        rank = plan.stream[pool[slot, st.P_STREAM], StreamColumn.PRIORITY]
    entry[slot, E_RANK] = rank
    for leg in range(legs):
        to = E_LEG + 3 * leg
        row = first + leg
        debit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.DEBIT])
        credit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.CREDIT])
        if debit < 0 or credit < 0:
            return False
        entry[slot, to + E_DEBIT] = debit
        entry[slot, to + E_CREDIT] = credit
        amount = read_register(cursor, pool, slot, plan.transfer[row, TransferColumn.REGISTER])
        entry[slot, to + E_AMOUNT] = amount
    return True


@called
def _is_covered(plan: Plan, state: KernelState, slot: int) -> bool:
    for leg in range(state.entry[slot, E_LEGS]):
        at = E_LEG + 3 * leg
        debit = state.entry[slot, at + E_DEBIT]
        if available(plan, state, debit) < state.entry[slot, at + E_AMOUNT]:
            return False
    return True


@called
def _may_settle_first(plan: Plan, state: KernelState, slot: int, system: int) -> bool:
    """Say whether a payment that has just come need not wait."""
    order = plan.system[system, SystemColumn.ORDER]
    if order == Order.DEFERRED or not _is_covered(plan, state, slot):
        return False
    if order == Order.BYPASS:
        return True
    stamp = next_stamp(state)
    other = state.ends[state.cursor[C_SYSTEM_ENDS] + system, Q_HEAD]
    while other >= 0 and state.entry[other, E_RANK] <= state.entry[slot, E_RANK]:
        block(state, other, stamp)
        other = state.pool[other, P_NEXT]
    return not is_blocked(state, slot, stamp)


@called
def _first_in_turn(plan: Plan, state: KernelState, system: int) -> int:
    """Return the first waiting payment that may settle alone, -1 for none."""
    order = plan.system[system, SystemColumn.ORDER]
    if order == Order.DEFERRED:
        return -1
    stamp = next_stamp(state)
    slot = state.ends[state.cursor[C_SYSTEM_ENDS] + system, Q_HEAD]
    while slot >= 0:
        is_free = order == Order.BYPASS or not is_blocked(state, slot, stamp)
        if is_free and _is_covered(plan, state, slot):
            return int(slot)
        block(state, slot, stamp)
        slot = state.pool[slot, P_NEXT]
    return -1


@called
def _begin_set(plan: Plan, state: KernelState, system: int, how: int) -> None:
    """Write down how many settle at one stroke, and let them, one by one."""
    cursor = state.cursor
    count = 0
    slot = state.ends[cursor[C_SYSTEM_ENDS] + system, Q_HEAD]
    while slot >= 0:
        count += state.entry[slot, E_IN] == IN
        slot = state.pool[slot, P_NEXT]
    write_log(cursor, state.log, LogKind.OFFSET, -1, -1, system, count, how)
    cursor[C_SETTLING] = system
    cursor[C_HOW] = how
    _see_members(plan, state, system, 0)
    cursor[C_BETWEEN] = 1


@called
def _see_members(plan: Plan, state: KernelState, system: int, is_after: int) -> None:
    """Count the balances that stand before a set settles at one stroke, or after it."""
    # What stood before counts from behind the warm-up on, as before every change.
    is_measured = is_after != 0 and state.cursor[C_NOW] >= state.cursor[C_WARM_UP]
    for account in range(plan.account.shape[0]):
        if state.gauge[account, G_SYSTEM] == system:
            settle_account(plan, state, account)
            if is_measured and plan.account[account, AccountColumn.WATCHED] != 0:
                low = min(state.account[account, _LOW], state.account[account, A_POSTED])
                state.account[account, _LOW] = low


@called
def _settle_waiting(plan: Plan, state: KernelState, slot: int, system: int, how: int) -> None:
    """Settle a payment out of the queue; it goes on when its turn in the ready list comes."""
    cursor, pool = state.cursor, state.pool
    unlink(pool, state.ends, slot)
    state.system[system, X_COUNT] -= 1
    at = pool[slot, P_STAGE]
    _settle_one(plan, state, slot, system, how)
    account_time(cursor, pool, slot, plan.stage[at, StageColumn.CAUSE])
    pool[slot, st.P_WAIT] = st.W_NOTHING
    append(pool, state.ends, cursor[C_READY], slot)


@called
def _settle_one(plan: Plan, state: KernelState, slot: int, system: int, how: int) -> None:
    """Move the money of a payment and let it pass its stage."""
    cursor, pool, log = state.cursor, state.pool, state.log
    at = pool[slot, P_STAGE]
    # Money moves for good: no time-out undoes it.
    pool[slot, st.P_ARMED_STEP] = -1
    state.system[system, X_SETTLED] += 1
    _count(state, slot, MemberTotal.SETTLED)
    amount = state.entry[slot, E_LEG + E_AMOUNT]
    write_log(cursor, log, LogKind.SETTLE, pool[slot, P_ID], at, system, amount, how)
    for leg in range(state.entry[slot, E_LEGS]):
        to = E_LEG + 3 * leg
        debit, credit = state.entry[slot, to + E_DEBIT], state.entry[slot, to + E_CREDIT]
        amount = state.entry[slot, to + E_AMOUNT]
        # Moves of 0 leave none, here as everywhere.
        if amount > 0:
            write_log(cursor, log, LogKind.MOVED, -1, -1, debit, amount, credit)
            transfer(plan, state, debit, credit, amount)
    note_flags(plan, state, slot)
    pool[slot, P_STAGE] = at + 1


@called
def sample_systems(plan: Plan, state: KernelState) -> None:
    """Log what waits and what has settled, system by system, then member by member."""
    cursor, log, gauge = state.cursor, state.log, state.gauge
    for row in range(plan.member.shape[0]):
        gauge[plan.member[row, MemberColumn.ACCOUNT], G_LEVEL] = 0
    for system in range(plan.system.shape[0]):
        count, settled = state.system[system, X_COUNT], state.system[system, X_SETTLED]
        write_sample(cursor, log, LogKind.SAMPLE_SYSTEM, system, count, settled)
        slot = state.ends[cursor[C_SYSTEM_ENDS] + system, Q_HEAD]
        while slot >= 0:
            for leg in range(state.entry[slot, E_LEGS]):
                at = E_LEG + 3 * leg
                debit = state.entry[slot, at + E_DEBIT]
                gauge[debit, G_LEVEL] += state.entry[slot, at + E_AMOUNT]
            slot = state.pool[slot, P_NEXT]
    for row in range(plan.member.shape[0]):
        account = plan.member[row, MemberColumn.ACCOUNT]
        settled = state.member[row, MemberTotal.SETTLED]
        write_sample(cursor, log, LogKind.SAMPLE_MEMBER, account, gauge[account, G_LEVEL], settled)


@called
def _tell_legs(state: KernelState, slot: int) -> None:
    """Write down what a payment that has come is to move."""
    at, payment = state.pool[slot, P_STAGE], state.pool[slot, P_ID]
    for leg in range(state.entry[slot, E_LEGS]):
        to = E_LEG + 3 * leg
        debit, credit = state.entry[slot, to + E_DEBIT], state.entry[slot, to + E_CREDIT]
        amount = state.entry[slot, to + E_AMOUNT]
        write_log(state.cursor, state.log, LogKind.LEG, payment, at, debit, amount, credit)


@called
def _count_places(state: KernelState, slot: int, is_counted: int, column: int) -> None:
    """Count a payment that waits, or is returned, at every account it debits."""
    for leg in range(state.entry[slot, E_LEGS]):
        state.account[state.entry[slot, E_LEG + 3 * leg + E_DEBIT], column] += is_counted


@called
def _count_arrival(state: KernelState, slot: int) -> None:
    """Count what members have to pay and are to be paid."""
    entry, member = state.entry, state.member
    if entry[slot, E_COUNTED] == 0:
        return
    for leg in range(entry[slot, E_LEGS]):
        at = E_LEG + 3 * leg
        debit = state.gauge[entry[slot, at + E_DEBIT], G_MEMBER]
        credit = state.gauge[entry[slot, at + E_CREDIT], G_MEMBER]
        member[debit, MemberTotal.OUT] += entry[slot, at + E_AMOUNT]
        member[credit, MemberTotal.IN] += entry[slot, at + E_AMOUNT]
    # Both legs first: they come at one stroke.
    for leg in range(entry[slot, E_LEGS]):
        debit = state.gauge[entry[slot, E_LEG + 3 * leg + E_DEBIT], G_MEMBER]
        net = member[debit, MemberTotal.IN] - member[debit, MemberTotal.OUT]
        member[debit, MemberTotal.NET_LOW] = min(member[debit, MemberTotal.NET_LOW], net)


@called
def _count(state: KernelState, slot: int, column: int) -> None:
    """Count what a payment's legs debit in one of its members' totals."""
    if state.entry[slot, E_COUNTED] == 0:
        return
    for leg in range(state.entry[slot, E_LEGS]):
        at = E_LEG + 3 * leg
        member = state.gauge[state.entry[slot, at + E_DEBIT], G_MEMBER]
        state.member[member, column] += state.entry[slot, at + E_AMOUNT]

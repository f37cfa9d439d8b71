"""RESERVE, POST, VOID: balances, reservations and who waits for money.

Takes a payment at one of these stages, a deposit, or a payment that leaves an account's queue. The
meaning is in ``spec``: Money, and the operations.
"""

from __future__ import annotations

from sim.contract.layout import (
    AMOUNT_MAX,
    NULL,
    ROLE_KINDS_MAX,
    AccountColumn,
    StageColumn,
    TransferColumn,
)
from sim.contract.meaning import Cause, Flag, LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import AREA_BITS, AccountTotal, Register
from sim.engine.kernel import state as st
from sim.engine.kernel.journal import account_time, break_off, write_log
from sim.engine.kernel.payments import fail
from sim.engine.kernel.queues import append, unlink
from sim.engine.kernel.state import (
    A_PENDING,
    A_POSTED,
    A_SINCE,
    A_TOTAL,
    C_ACCOUNT_ENDS,
    C_NODE,
    C_NOW,
    C_READY,
    C_WARM_UP,
    N_AMOUNT,
    N_CREDIT,
    N_DEBIT,
    N_NEXT,
    N_TRANSFER,
    P_ID,
    P_NODE,
    P_STAGE,
    P_WANTED,
    Q_HEAD,
    KernelState,
)
from sim.jit.functions import called

# Numba knows members of an IntEnum as constants, those of an IntFlag it does not.
_SETTLES = int(Flag.SETTLES)
_CREDITS = int(Flag.CREDITS)
_QUEUE = int(Flag.QUEUE)
_SECOND_US = 1_000_000
_AREA_MASK = (1 << AREA_BITS) - 1
_LOW = A_TOTAL + AccountTotal.LOW
_AREA = A_TOTAL + AccountTotal.BALANCE_AREA
_AREA_HIGH = A_TOTAL + AccountTotal.BALANCE_AREA_HIGH
_DELAYED = A_TOTAL + AccountTotal.DELAYED
_LOST = A_TOTAL + AccountTotal.LOST


@called
def reserve(plan: Plan, state: KernelState, slot: int) -> bool:
    """Reserve one transfer, wait for it or fail; tell whether the payment goes on."""
    cursor = state.cursor
    pool = state.pool
    node = state.node
    at = pool[slot, P_STAGE]
    row = plan.stage[at, StageColumn.FIRST]
    amount = read_register(cursor, pool, slot, plan.transfer[row, TransferColumn.REGISTER])
    if amount <= 0:
        pool[slot, P_STAGE] = at + 1
        return True
    debit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.DEBIT])
    credit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.CREDIT])
    if debit < 0 or credit < 0:
        return False
    queue = cursor[C_ACCOUNT_ENDS] + debit
    is_free = state.ends[queue, Q_HEAD] < 0
    has_enough = is_free and _available(plan, state, debit) >= amount
    if not has_enough and (plan.stage[at, StageColumn.FLAGS] & _QUEUE) == 0:
        if cursor[C_NOW] >= cursor[C_WARM_UP]:
            state.account[debit, _LOST] += 1
        fail(plan, state, slot, plan.stage[at, StageColumn.REASON])
        return True
    wanted = cursor[C_NODE]
    cursor[C_NODE] = node[wanted, N_NEXT]
    node[wanted, N_TRANSFER] = row
    node[wanted, N_DEBIT] = debit
    node[wanted, N_CREDIT] = credit
    node[wanted, N_AMOUNT] = amount
    if has_enough:
        _hold(state, slot, wanted)
        pool[slot, P_STAGE] = at + 1
        return True
    pool[slot, P_WANTED] = wanted
    pool[slot, st.P_WAIT] = st.W_ACCOUNT
    pool[slot, st.P_PLACE] = debit
    append(pool, state.ends, queue, slot)
    if cursor[C_NOW] >= cursor[C_WARM_UP]:
        state.account[debit, _DELAYED] += 1
    write_log(cursor, state.log, LogKind.SHORT, pool[slot, P_ID], at, debit, amount, -1)
    return False


@called
def post_rows(plan: Plan, state: KernelState, slot: int) -> None:
    """Post the transfer rows of the stage a payment is at, then note what its flags say."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    first = plan.stage[at, StageColumn.FIRST]
    for row in range(first, first + plan.stage[at, StageColumn.COUNT]):
        held = _take_held(state, slot, row)
        if held >= 0:
            _post_held(plan, state, slot, held)
        else:
            amount = read_register(cursor, pool, slot, plan.transfer[row, TransferColumn.REGISTER])
            if amount > 0:
                debit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.DEBIT])
                credit = resolve_account(
                    plan, state, slot, plan.transfer[row, TransferColumn.CREDIT]
                )
                if debit >= 0 and credit >= 0:
                    move(plan, state, slot, debit, credit, amount)
    flags = plan.stage[at, StageColumn.FLAGS]
    if (flags & _SETTLES) != 0 and pool[slot, st.P_SETTLED] == NULL:
        pool[slot, st.P_SETTLED] = cursor[C_NOW]
    if (flags & _CREDITS) != 0 and pool[slot, st.P_CREDITED] == NULL:
        pool[slot, st.P_CREDITED] = cursor[C_NOW]


@called
def move(plan: Plan, state: KernelState, slot: int, debit: int, credit: int, amount: int) -> None:
    """Transfer an amount at once and log it for a payment."""
    pool = state.pool
    write_log(
        state.cursor,
        state.log,
        LogKind.TRANSFER,
        pool[slot, P_ID],
        pool[slot, P_STAGE],
        debit,
        amount,
        credit,
    )
    transfer(plan, state, debit, credit, amount)


@called
def transfer(plan: Plan, state: KernelState, debit: int, credit: int, amount: int) -> None:
    """Move an amount between two accounts, and set free who waited for it."""
    _change_posted(plan, state, debit, -amount)
    _change_posted(plan, state, credit, amount)
    release_waiting(plan, state, credit)


@called
def void_all(plan: Plan, state: KernelState, slot: int) -> None:
    """Give back every reservation a payment holds."""
    cursor = state.cursor
    pool = state.pool
    node = state.node
    while pool[slot, P_NODE] >= 0:
        held = pool[slot, P_NODE]
        pool[slot, P_NODE] = node[held, N_NEXT]
        debit = node[held, N_DEBIT]
        amount = node[held, N_AMOUNT]
        credit = node[held, N_CREDIT]
        _release_pending(state, slot, debit, amount)
        free_node(cursor, node, held)
        write_log(
            cursor,
            state.log,
            LogKind.VOID,
            pool[slot, P_ID],
            pool[slot, P_STAGE],
            debit,
            amount,
            credit,
        )
        release_waiting(plan, state, debit)


@called
def release_waiting(plan: Plan, state: KernelState, account: int) -> None:
    """Reserve for those who wait for an account, from the head, as long as there is enough."""
    cursor = state.cursor
    pool = state.pool
    queue = cursor[C_ACCOUNT_ENDS] + account
    while True:
        slot = state.ends[queue, Q_HEAD]
        if slot < 0:
            break
        wanted = pool[slot, P_WANTED]
        if _available(plan, state, account) < state.node[wanted, N_AMOUNT]:
            break
        unlink(pool, state.ends, slot)
        _hold(state, slot, wanted)
        account_time(cursor, pool, slot, Cause.LIQUIDITY)
        pool[slot, st.P_WAIT] = st.W_NOTHING
        pool[slot, P_STAGE] += 1
        append(pool, state.ends, cursor[C_READY], slot)


@called
def resolve_account(plan: Plan, state: KernelState, slot: int, ref: int) -> int:
    """Return the account a transfer names, for this payment; -1 and a broken run if none."""
    if ref >= 0:
        return ref
    account = -1
    number = -ref - 2
    if number >= 0:
        agent = state.pool[slot, st.P_DEBTOR_AGENT + number // ROLE_KINDS_MAX]
        if agent >= 0:
            account = int(plan.agent_account[agent, number % ROLE_KINDS_MAX])
    if account < 0:
        break_off(state.cursor, st.E_NO_ACCOUNT, state.pool[slot, P_ID])
    return account


@called
def read_register(cursor: Array, pool: Array, slot: int, register: int) -> int:
    """Return a register that must be known and not negative."""
    if register == Register.INSTRUCTED:
        return int(pool[slot, st.P_INSTRUCTED])
    if pool[slot, st.P_PRICING] < 0:
        break_off(cursor, st.E_NO_QUOTE, pool[slot, P_ID])
        return 0
    value = int(pool[slot, st.P_REGISTER + register])
    if value < 0:
        break_off(cursor, st.E_AMOUNT, pool[slot, P_ID])
    if value >= AMOUNT_MAX:
        break_off(cursor, st.E_TOO_LARGE, pool[slot, P_ID])
    return value


@called
def free_node(cursor: Array, node: Array, held: int) -> None:
    """Put a reservation node back among the free ones."""
    node[held, N_NEXT] = cursor[C_NODE]
    cursor[C_NODE] = held


@called
def settle_account(plan: Plan, state: KernelState, account: int) -> None:
    """Bring a watched account's area and low up to now; call it before its balance changes."""
    cursor = state.cursor
    now = cursor[C_NOW]
    since = state.account[account, A_SINCE]
    if plan.account[account, AccountColumn.WATCHED] == 0 or now <= cursor[C_WARM_UP]:
        return
    posted = state.account[account, A_POSTED]
    # Whole-second instants only: a balance times microseconds would not fit an int64.
    seconds = now // _SECOND_US - since // _SECOND_US
    state.account[account, _AREA] += (posted & _AREA_MASK) * seconds
    state.account[account, _AREA_HIGH] += (posted >> AREA_BITS) * seconds
    state.account[account, A_SINCE] = now
    state.account[account, _LOW] = min(state.account[account, _LOW], posted)


@called
def _change_posted(plan: Plan, state: KernelState, account: int, change: int) -> None:
    """Change a posted balance."""
    settle_account(plan, state, account)
    posted = state.account[account, A_POSTED] + change
    state.account[account, A_POSTED] = posted
    is_measured = state.cursor[C_NOW] >= state.cursor[C_WARM_UP]
    if is_measured and plan.account[account, AccountColumn.WATCHED] != 0:
        state.account[account, _LOW] = min(state.account[account, _LOW], posted)


@called
def _available(plan: Plan, state: KernelState, account: int) -> int:
    """Return what may be debited from an account now."""
    posted = state.account[account, A_POSTED]
    return int(
        posted - state.account[account, A_PENDING] + plan.account[account, AccountColumn.OVERDRAFT]
    )


@called
def _hold(state: KernelState, slot: int, held: int) -> None:
    """Make a reservation: it is pending from now on, and the payment remembers it."""
    cursor = state.cursor
    pool = state.pool
    node = state.node
    debit = node[held, N_DEBIT]
    amount = node[held, N_AMOUNT]
    row = node[held, N_TRANSFER]
    state.account[debit, A_PENDING] += amount
    before = -1
    after = pool[slot, P_NODE]
    while after >= 0 and node[after, N_TRANSFER] < row:
        before = after
        after = node[after, N_NEXT]
    if after >= 0 and node[after, N_TRANSFER] == row:
        break_off(cursor, st.E_RESERVED_TWICE, pool[slot, P_ID])
    node[held, N_NEXT] = after
    if before >= 0:
        node[before, N_NEXT] = held
    else:
        pool[slot, P_NODE] = held
    write_log(
        cursor,
        state.log,
        LogKind.RESERVE,
        pool[slot, P_ID],
        pool[slot, P_STAGE],
        debit,
        amount,
        node[held, N_CREDIT],
    )


@called
def _take_held(state: KernelState, slot: int, row: int) -> int:
    """Take the reservation of a transfer row from a payment; -1 if it holds none."""
    node = state.node
    before = -1
    held = state.pool[slot, P_NODE]
    while held >= 0 and node[held, N_TRANSFER] < row:
        before = held
        held = node[held, N_NEXT]
    if held < 0 or node[held, N_TRANSFER] != row:
        return -1
    if before >= 0:
        node[before, N_NEXT] = node[held, N_NEXT]
    else:
        state.pool[slot, P_NODE] = node[held, N_NEXT]
    return int(held)


@called
def _post_held(plan: Plan, state: KernelState, slot: int, held: int) -> None:
    """Make a reservation final."""
    pool = state.pool
    node = state.node
    debit = node[held, N_DEBIT]
    credit = node[held, N_CREDIT]
    amount = node[held, N_AMOUNT]
    _release_pending(state, slot, debit, amount)
    free_node(state.cursor, node, held)
    write_log(
        state.cursor,
        state.log,
        LogKind.POST,
        pool[slot, P_ID],
        pool[slot, P_STAGE],
        debit,
        amount,
        credit,
    )
    transfer(plan, state, debit, credit, amount)


@called
def _release_pending(state: KernelState, slot: int, debit: int, amount: int) -> None:
    """Take a reservation off an account's pending debits."""
    pending = state.account[debit, A_PENDING] - amount
    state.account[debit, A_PENDING] = pending
    if pending < 0:
        break_off(state.cursor, st.E_PENDING, state.pool[slot, P_ID])

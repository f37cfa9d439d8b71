"""RESERVE, POST, VOID: balances, reservations and who waits for money.

Takes a payment at one of these stages, a deposit, or a payment that leaves an account's queue. The
meaning is in ``spec``: Money, and the operations.
"""

from __future__ import annotations

from sim.contract.layout import (
    AMOUNT_MAX,
    BALANCE_MAX,
    NULL,
    ROLE_KINDS_MAX,
    AccountColumn,
    StageColumn,
    TransferColumn,
)
from sim.contract.meaning import Cause, Flag, LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import AccountTotal, Register
from sim.engine.kernel import state as st
from sim.engine.kernel.guards import look_at, settle_account
from sim.engine.kernel.journal import account_time, break_off, write_log
from sim.engine.kernel.levels import available, note_missing, note_refused, note_short
from sim.engine.kernel.payments import fail
from sim.engine.kernel.queues import append, unlink
from sim.engine.kernel.state import (
    A_PENDING,
    A_POSTED,
    A_REFUSED,
    A_TOTAL,
    A_WAITING,
    C_ACCOUNT_ENDS,
    C_GUARDED,
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
_CONFIRMS = int(Flag.CONFIRMS)
_AUTHORISES = int(Flag.AUTHORISES)
_CREDITS = int(Flag.CREDITS)
_QUEUE = int(Flag.QUEUE)
_LOW = A_TOTAL + AccountTotal.LOW
_DELAYED = A_TOTAL + AccountTotal.DELAYED
_LOST = A_TOTAL + AccountTotal.LOST


@called
def reserve(plan: Plan, state: KernelState, slot: int) -> bool:
    """Reserve one transfer, wait for it or fail; tell whether the payment goes on."""
    cursor = state.cursor
    pool = state.pool
    node = state.node
    at = pool[slot, P_STAGE]
    # RESERVE has a single row and therefore no COUNT; several moves are several stages, so that
    # each of them can fail or wait on its own.
    row = plan.stage[at, StageColumn.FIRST]
    amount = read_register(cursor, pool, slot, plan.transfer[row, TransferColumn.REGISTER])
    # Nothing to reserve: passed on without a row, even if others wait for the account.
    if amount <= 0:
        pool[slot, P_STAGE] = at + 1
        return True
    debit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.DEBIT])
    credit = resolve_account(plan, state, slot, plan.transfer[row, TransferColumn.CREDIT])
    if debit < 0 or credit < 0:
        return False
    queue = cursor[C_ACCOUNT_ENDS] + debit
    # There is no overtaking: who finds others waiting for an account waits behind them, even if
    # the money would do for a small amount.
    is_free = state.ends[queue, Q_HEAD] < 0
    has_enough = is_free and available(plan, state, debit) >= amount
    if not has_enough and (plan.stage[at, StageColumn.FLAGS] & _QUEUE) == 0:
        # Lost for liquidity: the refusal is counted by account, as SHORT is not logged here.
        if cursor[C_NOW] >= cursor[C_WARM_UP]:
            state.account[debit, _LOST] += 1
            note_refused(state, debit, amount)
            note_short(plan, state, debit)
        fail(plan, state, slot, plan.stage[at, StageColumn.REASON])
        return True
    # The loop has made sure that a node is free. It is taken now and not when the money comes:
    # setting somebody free then needs nothing that could be lacking.
    wanted = cursor[C_NODE]
    cursor[C_NODE] = node[wanted, N_NEXT]
    node[wanted, N_TRANSFER] = row
    # With the accounts of now. The payment's agents may change by a fail-over, and POST and
    # VOID must find the accounts the money was reserved on.
    node[wanted, N_DEBIT] = debit
    node[wanted, N_CREDIT] = credit
    node[wanted, N_AMOUNT] = amount
    if has_enough:
        _hold(plan, state, slot, wanted)
        # Had it all been granted, this might have been the one that lacked.
        if state.account[debit, A_REFUSED] > 0:
            note_missing(plan, state, debit)
        pool[slot, P_STAGE] = at + 1
        return True
    pool[slot, P_WANTED] = wanted
    pool[slot, st.P_WAIT] = st.W_ACCOUNT
    # For the time-out, which has to look at this account's queue again.
    pool[slot, st.P_PLACE] = debit
    append(pool, state.ends, queue, slot)
    state.account[debit, A_WAITING] += amount
    if cursor[C_NOW] >= cursor[C_WARM_UP]:
        state.account[debit, _DELAYED] += 1
        note_short(plan, state, debit)
    # Logged after joining: SHORT says that the payment waits, and for how much.
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
        # A row that this payment holds becomes final, any other moves at once. Which of the two
        # it is follows from what happened to the payment and not from the program.
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
                # An account that is missing has already broken the run off; nothing moves in
                # what is left of this step.
                if debit >= 0 and credit >= 0:
                    move(plan, state, slot, debit, credit, amount)
    note_flags(plan, state, slot)


@called
def note_flags(plan: Plan, state: KernelState, slot: int) -> None:
    """Note what the flags of the stage say at which a payment has posted."""
    cursor = state.cursor
    pool = state.pool
    at = pool[slot, P_STAGE]
    # Instants are set once and kept: a return after settlement posts again and settles nothing
    # new.
    flags = plan.stage[at, StageColumn.FLAGS]
    if (flags & _SETTLES) != 0 and pool[slot, st.P_SETTLED] == NULL:
        pool[slot, st.P_SETTLED] = cursor[C_NOW]
    if (flags & _CREDITS) != 0 and pool[slot, st.P_CREDITED] == NULL:
        pool[slot, st.P_CREDITED] = cursor[C_NOW]
    if (flags & _CONFIRMS) != 0:
        pool[slot, st.P_STANDING] = max(pool[slot, st.P_STANDING], 1)
    if (flags & _AUTHORISES) != 0:
        pool[slot, st.P_STANDING] = 2


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
    # Both sides in one function, and no other function changes a balance: so every currency
    # sums to zero by construction.
    _change_posted(plan, state, debit, -amount)
    _change_posted(plan, state, credit, amount)
    if state.cursor[C_GUARDED] != 0:
        look_at(plan, state, debit)
        look_at(plan, state, credit)
    # Only the credited account has more than before. The row of the transfer is written by the
    # caller, since the rows of those set free follow it.
    release_waiting(plan, state, credit)
    # A member's money may let somebody settle, once this event has done all else.
    if state.gauge.shape[0] > 0 and state.gauge[credit, st.G_SYSTEM] >= 0:
        mark_system(state, state.gauge[credit, st.G_SYSTEM])


@called
def mark_system(state: KernelState, system: int) -> None:
    """Note that a large-value system is to be looked at."""
    if state.system[system, st.X_MARKED] == 0:
        state.system[system, st.X_MARKED] = 1
        state.cursor[st.C_MARKED] += 1


@called
def void_all(plan: Plan, state: KernelState, slot: int) -> None:
    """Give back every reservation a payment holds."""
    cursor = state.cursor
    pool = state.pool
    node = state.node
    # The list is in ascending order of transfer row, which is the order VOID asks for.
    while pool[slot, P_NODE] >= 0:
        held = pool[slot, P_NODE]
        pool[slot, P_NODE] = node[held, N_NEXT]
        debit = node[held, N_DEBIT]
        amount = node[held, N_AMOUNT]
        credit = node[held, N_CREDIT]
        # Freed before it is logged and before others are served: they are to see the money.
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
        if cursor[C_GUARDED] != 0:
            look_at(plan, state, debit)
        release_waiting(plan, state, debit)


@called
def release_waiting(plan: Plan, state: KernelState, account: int) -> None:
    """Reserve for those who wait for an account, from the head, as long as there is enough."""
    cursor = state.cursor
    pool = state.pool
    queue = cursor[C_ACCOUNT_ENDS] + account
    while True:
        # Strictly from the head and until the first who does not get enough. Giving it to a
        # smaller one behind would starve large amounts.
        slot = state.ends[queue, Q_HEAD]
        if slot < 0:
            break
        wanted = pool[slot, P_WANTED]
        if available(plan, state, account) < state.node[wanted, N_AMOUNT]:
            break
        unlink(pool, state.ends, slot)
        state.account[account, A_WAITING] -= state.node[wanted, N_AMOUNT]
        # The RESERVE row belongs to the payment set free, with the key of the event at hand.
        _hold(plan, state, slot, wanted)
        account_time(cursor, pool, slot, Cause.LIQUIDITY)
        pool[slot, st.P_WAIT] = st.W_NOTHING
        # It passes its RESERVE here; what the ready list advances is the stage behind it.
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
    # A negative account would index from the end of the table and move somebody else's money.
    if account < 0:
        break_off(state.cursor, st.E_NO_ACCOUNT, state.pool[slot, P_ID])
    return account


@called
def read_register(cursor: Array, pool: Array, slot: int, register: int) -> int:
    """Return a register that must be known and not negative."""
    # Known before any quote; all other registers are filled by one.
    if register == Register.INSTRUCTED:
        return int(pool[slot, st.P_INSTRUCTED])
    if pool[slot, st.P_PRICING] < 0:
        break_off(cursor, st.E_NO_QUOTE, pool[slot, P_ID])
        return 0
    # The registers of a slot are not cleared for each payment (P_PRICING says whether they are
    # its own), hence the test above.
    value = int(pool[slot, st.P_REGISTER + register])
    if value < 0:
        break_off(cursor, st.E_AMOUNT, pool[slot, P_ID])
    # The compiler proves that no amount gets here. Sums of balances rely on it: 2^53 leaves
    # room for a thousand such amounts in 64 bits.
    if value >= AMOUNT_MAX:
        break_off(cursor, st.E_TOO_LARGE, pool[slot, P_ID])
    return value


@called
def free_node(cursor: Array, node: Array, held: int) -> None:
    """Put a reservation node back among the free ones."""
    # Last freed, first taken: it is still in the processor's cache.
    node[held, N_NEXT] = cursor[C_NODE]
    cursor[C_NODE] = held


@called
def _change_posted(plan: Plan, state: KernelState, account: int, change: int) -> None:
    """Change a posted balance."""
    # The old balance is counted up to now before it is gone.
    settle_account(plan, state, account)
    # Both below 2^61 before the test, so the sum cannot have wrapped.
    posted = state.account[account, A_POSTED] + change
    if posted >= BALANCE_MAX or posted <= -BALANCE_MAX:
        break_off(state.cursor, st.E_BALANCE, -1)
        return
    state.account[account, A_POSTED] = posted
    # The balance after a change counts from the warm-up on, at that instant included.
    is_measured = state.cursor[C_NOW] >= state.cursor[C_WARM_UP]
    is_measured = is_measured and state.cursor[st.C_BETWEEN] == 0
    if is_measured and plan.account[account, AccountColumn.WATCHED] != 0:
        state.account[account, _LOW] = min(state.account[account, _LOW], posted)


@called
def _hold(plan: Plan, state: KernelState, slot: int, held: int) -> None:
    """Make a reservation: it is pending from now on, and the payment remembers it."""
    cursor = state.cursor
    pool = state.pool
    node = state.node
    debit = node[held, N_DEBIT]
    amount = node[held, N_AMOUNT]
    row = node[held, N_TRANSFER]
    pending = state.account[debit, A_PENDING] + amount
    state.account[debit, A_PENDING] = pending
    # Accounts without limit may promise any number of amounts.
    if pending >= BALANCE_MAX:
        break_off(cursor, st.E_BALANCE, pool[slot, P_ID])
    # Sorted in on the way in, since VOID needs them by transfer row; the list is short, so a
    # search costs less than an order of its own.
    before = -1
    after = pool[slot, P_NODE]
    while after >= 0 and node[after, N_TRANSFER] < row:
        before = after
        after = node[after, N_NEXT]
    # A program that reserves a row twice would post it once, and the second amount would stay
    # pending for good.
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
    if cursor[C_GUARDED] != 0:
        look_at(plan, state, debit)


@called
def _take_held(state: KernelState, slot: int, row: int) -> int:
    """Take the reservation of a transfer row from a payment; -1 if it holds none."""
    node = state.node
    before = -1
    held = state.pool[slot, P_NODE]
    # The order of the list ends the search early.
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
    # Off the pending debits first: for an instant the amount is nowhere, but nobody looks
    # before the transfer below has moved it.
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
    # The counterpart of ``_hold``: no reservation is taken off twice, or off another account.
    if pending < 0:
        break_off(state.cursor, st.E_PENDING, state.pool[slot, P_ID])

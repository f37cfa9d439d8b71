"""What is available on an account, and what it lacks.

Takes the plan and the state; notes when an account was short and how much more it would have needed
(:attr:`~sim.contract.records.AccountTotal.MISSING`).
"""

from __future__ import annotations

from sim.contract.layout import BALANCE_MAX, NULL, AccountColumn
from sim.contract.plan import Plan
from sim.contract.records import AccountTotal
from sim.engine.kernel.state import (
    A_PENDING,
    A_POSTED,
    A_REFUSED,
    A_TOTAL,
    A_WAITING,
    C_NOW,
    C_WARM_UP,
    KernelState,
)
from sim.jit.functions import called

_SHORT_FIRST = A_TOTAL + AccountTotal.SHORT_FIRST_US
_SHORT_LAST = A_TOTAL + AccountTotal.SHORT_LAST_US
_MISSING = A_TOTAL + AccountTotal.MISSING


@called
def available(plan: Plan, state: KernelState, account: int) -> int:
    """Return what may be debited from an account now."""
    # Balance and pending debits stay below BALANCE_MAX, 2^60, and an overdraft is at most
    # UNLIMITED, 2^61: the sum stays within 2^62.
    posted = state.account[account, A_POSTED]
    return int(
        posted - state.account[account, A_PENDING] + plan.account[account, AccountColumn.OVERDRAFT]
    )


@called
def note_refused(state: KernelState, account: int, amount: int) -> None:
    """Note that an amount asked of an account is not paid from it."""
    if state.cursor[C_NOW] >= state.cursor[C_WARM_UP]:
        refused = state.account[account, A_REFUSED] + amount
        state.account[account, A_REFUSED] = min(refused, BALANCE_MAX)


@called
def note_short(plan: Plan, state: KernelState, account: int) -> None:
    """Note that an account was short now."""
    now = state.cursor[C_NOW]
    if state.account[account, _SHORT_FIRST] == NULL:
        state.account[account, _SHORT_FIRST] = now
    state.account[account, _SHORT_LAST] = now
    note_missing(plan, state, account)


@called
def note_missing(plan: Plan, state: KernelState, account: int) -> None:
    """Note what an account lacks now for all that was asked of it."""
    asked = state.account[account, A_REFUSED] + state.account[account, A_WAITING]
    lacks = asked - available(plan, state, account)
    state.account[account, _MISSING] = max(state.account[account, _MISSING], lacks)

"""Which waiting payments of a large-value system settle at one stroke.

Takes the plan, the state and a system; marks the payments of the set in ``KernelState.entry``. The
meaning is in :mod:`sim.contract.large_value`.
"""

from __future__ import annotations

from sim.contract.large_value import Offset, Order, SystemColumn
from sim.contract.plan import Plan
from sim.engine.kernel.levels import available
from sim.engine.kernel.state import (
    C_STAMP,
    C_SYSTEM_ENDS,
    E_AMOUNT,
    E_CREDIT,
    E_DEBIT,
    E_IN,
    E_LEG,
    E_LEGS,
    E_TRIED,
    G_LEVEL,
    G_STAMP,
    P_NEXT,
    P_PREVIOUS,
    Q_HEAD,
    Q_TAIL,
    X_OFFSET_DUE,
    KernelState,
)
from sim.jit.functions import called

OUT, IN, TAKEN_AWAY = 0, 1, 2
"""Whether a waiting payment is in the set at hand; the third stands in the way of those behind."""


@called
def choose_offset(plan: Plan, state: KernelState, system: int) -> bool:
    """Choose the largest set of the queue or of a pair; say whether it is not empty."""
    if plan.system[system, SystemColumn.OFFSET] == Offset.MULTILATERAL:
        state.system[system, X_OFFSET_DUE] = 0
        choose_all(state, system)
        return shrink(plan, state, system)
    if plan.system[system, SystemColumn.OFFSET] == Offset.NONE:
        return False
    slot = state.ends[state.cursor[C_SYSTEM_ENDS] + system, Q_HEAD]
    search = next_stamp(state)
    while slot >= 0:
        # A pair that is met again would be tried in vain.
        if state.entry[slot, E_LEGS] == 1 and state.entry[slot, E_TRIED] != search:
            _choose_pair(plan, state, system, slot, search)
            if shrink(plan, state, system):
                return True
        slot = state.pool[slot, P_NEXT]
    return False


@called
def choose_all(state: KernelState, system: int) -> None:
    """Begin with everybody who waits."""
    slot = state.ends[state.cursor[C_SYSTEM_ENDS] + system, Q_HEAD]
    while slot >= 0:
        state.entry[slot, E_IN] = IN
        slot = state.pool[slot, P_NEXT]


@called
def shrink(plan: Plan, state: KernelState, system: int) -> bool:
    """Take payments out of a set until all accounts can bear it; say whether any is left."""
    head = state.ends[state.cursor[C_SYSTEM_ENDS] + system, Q_HEAD]
    while True:
        _weigh(plan, state, head)
        if not _take_away(state, system):
            break
        _close_order(state, head)
    slot = head
    while slot >= 0:
        if state.entry[slot, E_IN] == IN:
            return True
        slot = state.pool[slot, P_NEXT]
    return False


@called
def is_blocked(state: KernelState, slot: int, stamp: int) -> bool:
    """Say whether somebody stands before a payment on an account it debits."""
    for leg in range(state.entry[slot, E_LEGS]):
        if state.gauge[state.entry[slot, E_LEG + 3 * leg + E_DEBIT], G_STAMP] == stamp:
            return True
    return False


@called
def block(state: KernelState, slot: int, stamp: int) -> None:
    """Let nobody behind a payment take from an account it debits."""
    for leg in range(state.entry[slot, E_LEGS]):
        state.gauge[state.entry[slot, E_LEG + 3 * leg + E_DEBIT], G_STAMP] = stamp


@called
def next_stamp(state: KernelState) -> int:
    """Return a number no account carries yet, so that no mark need be taken away."""
    state.cursor[C_STAMP] += 1
    return int(state.cursor[C_STAMP])


@called
def _choose_pair(plan: Plan, state: KernelState, system: int, of: int, search: int) -> None:
    """Begin with those who wait between the two accounts of a payment and may be offset."""
    entry, pool = state.entry, state.pool
    bypasses = plan.system[system, SystemColumn.ORDER] == Order.BYPASS
    debit, credit = entry[of, E_LEG + E_DEBIT], entry[of, E_LEG + E_CREDIT]
    stamp = next_stamp(state)
    slot = state.ends[state.cursor[C_SYSTEM_ENDS] + system, Q_HEAD]
    while slot >= 0:
        mine, other = entry[slot, E_LEG + E_DEBIT], entry[slot, E_LEG + E_CREDIT]
        same = mine == debit and other == credit
        turned = mine == credit and other == debit
        is_between = entry[slot, E_LEGS] == 1 and (same or turned)
        entry[slot, E_IN] = OUT
        if is_between:
            entry[slot, E_TRIED] = search
        if is_between and not is_blocked(state, slot, stamp):
            entry[slot, E_IN] = IN
        elif not bypasses:
            block(state, slot, stamp)
        slot = pool[slot, P_NEXT]


@called
def _weigh(plan: Plan, state: KernelState, head: int) -> None:
    """Work out what accounts would have left, were the set settled."""
    entry, gauge = state.entry, state.gauge
    # First what is there, then what moves: an account may be met many times.
    for turn in range(2):
        slot = head
        while slot >= 0:
            if entry[slot, E_IN] == IN:
                for leg in range(entry[slot, E_LEGS]):
                    at = E_LEG + 3 * leg
                    debit, credit = entry[slot, at + E_DEBIT], entry[slot, at + E_CREDIT]
                    if turn == 0:
                        gauge[debit, G_LEVEL] = available(plan, state, debit)
                        gauge[credit, G_LEVEL] = available(plan, state, credit)
                    else:
                        gauge[debit, G_LEVEL] -= entry[slot, at + E_AMOUNT]
                        gauge[credit, G_LEVEL] += entry[slot, at + E_AMOUNT]
            slot = state.pool[slot, P_NEXT]


@called
def _take_away(state: KernelState, system: int) -> bool:
    """Take away, from the end, whoever debits an account that falls short; say whether anybody.

    What a payment taken away would have paid in is still counted: it was not there for the largest
    set either, and is left out when all are weighed again.
    """
    entry, gauge = state.entry, state.gauge
    found = False
    slot = state.ends[state.cursor[C_SYSTEM_ENDS] + system, Q_TAIL]
    while slot >= 0:
        if entry[slot, E_IN] == IN:
            for leg in range(entry[slot, E_LEGS]):
                if gauge[entry[slot, E_LEG + 3 * leg + E_DEBIT], G_LEVEL] < 0:
                    entry[slot, E_IN] = TAKEN_AWAY
            if entry[slot, E_IN] == TAKEN_AWAY:
                found = True
                for leg in range(entry[slot, E_LEGS]):
                    at = E_LEG + 3 * leg
                    gauge[entry[slot, at + E_DEBIT], G_LEVEL] += entry[slot, at + E_AMOUNT]
        slot = state.pool[slot, P_PREVIOUS]
    return found


@called
def _close_order(state: KernelState, head: int) -> None:
    """Take away who stands behind a payment taken away, on an account both debit."""
    stamp = next_stamp(state)
    slot = head
    while slot >= 0:
        is_in = state.entry[slot, E_IN]
        if is_in == IN and is_blocked(state, slot, stamp):
            is_in = TAKEN_AWAY
            state.entry[slot, E_IN] = is_in
        if is_in == TAKEN_AWAY:
            block(state, slot, stamp)
        slot = state.pool[slot, P_NEXT]

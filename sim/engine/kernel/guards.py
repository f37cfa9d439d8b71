"""What is watched of an account: its balance over time, its alarm and its channel.

Takes an account whose balance or level changes. The meaning is in :mod:`sim.contract.guards` and
:class:`~sim.contract.records.AccountTotal`.
"""

from __future__ import annotations

from sim.contract.guards import GuardColumn
from sim.contract.layout import NULL, AccountColumn
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import AREA_BITS, AccountTotal
from sim.engine.kernel import state as st
from sim.engine.kernel.journal import write_sample
from sim.engine.kernel.state import (
    A_ALARMED,
    A_CLOSED,
    A_CLOSED_SINCE,
    A_PENDING,
    A_POSTED,
    A_SINCE,
    A_TOTAL,
    C_NOW,
    C_WARM_UP,
    KernelState,
)
from sim.jit.functions import called

_SECOND_US = 1_000_000
_AREA_MASK = (1 << AREA_BITS) - 1
_LOW = A_TOTAL + AccountTotal.LOW
_AREA = A_TOTAL + AccountTotal.BALANCE_AREA
_AREA_HIGH = A_TOTAL + AccountTotal.BALANCE_AREA_HIGH
_AREA_REST = A_TOTAL + AccountTotal.BALANCE_REST
_OVERDRAWN = A_TOTAL + AccountTotal.OVERDRAWN_AREA
_OVERDRAWN_HIGH = A_TOTAL + AccountTotal.OVERDRAWN_AREA_HIGH
_OVERDRAWN_REST = A_TOTAL + AccountTotal.OVERDRAWN_REST
_ALARMS = A_TOTAL + AccountTotal.ALARMS
_ALARM_FIRST = A_TOTAL + AccountTotal.ALARM_FIRST_US
_STOPS = A_TOTAL + AccountTotal.STOPS
_STOP_FIRST = A_TOTAL + AccountTotal.STOP_FIRST_US
_STOPPED = A_TOTAL + AccountTotal.STOPPED_US


@called
def settle_account(plan: Plan, state: KernelState, account: int) -> None:
    """Bring a watched account's areas and low up to now; call it before its balance changes."""
    cursor = state.cursor
    now = cursor[C_NOW]
    # The instant up to which areas are counted begins at the warm-up.
    since = state.account[account, A_SINCE]
    if plan.account[account, AccountColumn.WATCHED] == 0 or now <= cursor[C_WARM_UP]:
        return
    posted = state.account[account, A_POSTED]
    total, past = state.account, now - since
    _add_area(total, account, (_AREA, _AREA_HIGH, _AREA_REST), posted, past)
    if posted < 0:
        words = (_OVERDRAWN, _OVERDRAWN_HIGH, _OVERDRAWN_REST)
        _add_area(total, account, words, -posted, past)
    state.account[account, A_SINCE] = now
    # One that lasted no time was counted when it came.
    if cursor[st.C_BETWEEN] == 0 and past > 0:
        state.account[account, _LOW] = min(state.account[account, _LOW], posted)


@called
def look_at(plan: Plan, state: KernelState, account: int) -> None:
    """Raise or end an account's alarm, close or open its channel, as its level asks for."""
    cursor = state.cursor
    now = cursor[C_NOW]
    level = state.account[account, A_POSTED] - state.account[account, A_PENDING]
    is_counted = now >= cursor[C_WARM_UP]
    # No level is below NULL, which stands for no threshold.
    is_low = int(level < plan.guard[account, GuardColumn.ALARM_BELOW])
    if is_low != state.account[account, A_ALARMED]:
        state.account[account, A_ALARMED] = is_low
        write_sample(cursor, state.log, LogKind.ALARM, account, level, is_low)
        if is_low != 0 and is_counted:
            state.account[account, _ALARMS] += 1
            if state.account[account, _ALARM_FIRST] == NULL:
                state.account[account, _ALARM_FIRST] = now
    is_low = int(level < plan.guard[account, GuardColumn.STOP_BELOW])
    if is_low != state.account[account, A_CLOSED]:
        settle_channel(state, account)
        state.account[account, A_CLOSED] = is_low
        write_sample(cursor, state.log, LogKind.CHANNEL, account, level, is_low)
        if is_low != 0 and is_counted:
            state.account[account, _STOPS] += 1
            if state.account[account, _STOP_FIRST] == NULL:
                state.account[account, _STOP_FIRST] = now


@called
def settle_channel(state: KernelState, account: int) -> None:
    """Count how long an account's channel was closed until now."""
    now = state.cursor[C_NOW]
    since = max(state.account[account, A_CLOSED_SINCE], state.cursor[C_WARM_UP])
    if state.account[account, A_CLOSED] != 0 and now > since:
        state.account[account, _STOPPED] += now - since
    state.account[account, A_CLOSED_SINCE] = now


@called
def _add_area(
    total: Array, account: int, words: tuple[int, int, int], level: int, past: int
) -> None:
    """Add a level times the microseconds it stood to an area of three words."""
    area, high, rest = words
    # Level and time in two parts each: halves of 31 bits, and seconds with what is left of one.
    # A level is below 2^60 and a time below 2^51 us, 2^31.1 s; so no product below reaches 2^62.1.
    low, above = level & _AREA_MASK, level >> AREA_BITS
    seconds, micros = past // _SECOND_US, past % _SECOND_US
    part = above * micros
    carried = part // _SECOND_US
    micros = ((part - carried * _SECOND_US) << AREA_BITS) + low * micros + total[account, rest]
    found = total[account, area] + low * seconds + micros // _SECOND_US
    total[account, rest] = micros % _SECOND_US
    total[account, area] = found & _AREA_MASK
    total[account, high] += above * seconds + carried + (found >> AREA_BITS)

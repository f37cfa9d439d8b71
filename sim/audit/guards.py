"""Check alarms and channels: told right behind the row that moved the level, and what they close.

Takes levels as the replay rebuilds them and the rows that tell of them; reports an alarm or a
channel that is late, early or of another level. Written from :mod:`sim.contract.guards`.
"""

from __future__ import annotations

from sim.audit.containers import check
from sim.audit.messages import Check
from sim.audit.state import NOBODY, AccountState, Count, GuardState, Things
from sim.audit.world import World
from sim.contract.agenda import AgendaKind
from sim.contract.guards import GuardColumn
from sim.contract.layout import (
    PAYMENT_BITS,
    STEP_BITS,
    AgendaColumn,
    CandidateColumn,
    RouteColumn,
    RouteViewColumn,
)
from sim.contract.meaning import EventClass, LogKind
from sim.jit.functions import called

_OF_ACCOUNT = 2
"""Kind of a route's view that names an account."""
_FIRST, _COUNT = 2, 3
"""Columns of a way to come to a route."""
_PAYMENT_MASK = (1 << PAYMENT_BITS) - 1


@called
def note_levels(w: World, first: int, second: int) -> None:
    """Note whose level the row at hand changed; the next row may tell what follows from it."""
    w.g[Count.LOOK_FIRST] = first
    w.g[Count.LOOK_SECOND] = second


@called
def expect_guards(w: World, kind: int, subject: int) -> None:
    """Check that what follows from a level is told by the very next rows, in their order."""
    for which in (Count.LOOK_FIRST + 0, Count.LOOK_SECOND + 0):
        account = w.g[which]
        if account == NOBODY:
            continue
        if _is_due(w, account):
            if kind in (LogKind.ALARM, LogKind.CHANNEL) and subject == account:
                return
            check(w.g, Check.GUARD_LATE, False, (account, level_of(w, account)))
            # As if it had been told: one finding, and not one for every row to come.
            row = w.first[Things.GUARD] + account
            w.things[row, GuardState.ALARMED] = _is_low(w, account, GuardColumn.ALARM_BELOW)
            w.things[row, GuardState.CLOSED] = _is_low(w, account, GuardColumn.STOP_BELOW)
        else:
            w.g[Count.CHECKED + Check.GUARD_LATE] += 1
        w.g[which] = NOBODY


@called
def guard_row(w: World, kind: int, account: int, amount: int, value: int) -> None:
    """Check an ALARM or CHANNEL row."""
    row, level = w.first[Things.GUARD] + account, level_of(w, account)
    looked = account in (w.g[Count.LOOK_FIRST], w.g[Count.LOOK_SECOND])
    check(w.g, Check.GUARD_TURN, looked or _is_put_nothing(w, account), (account,))
    column, threshold = GuardState.ALARMED + 0, GuardColumn.ALARM_BELOW + 0
    if kind == LogKind.CHANNEL:
        column, threshold = GuardState.CLOSED + 0, GuardColumn.STOP_BELOW + 0
    is_low = _is_low(w, account, threshold)
    right = amount == level and value == is_low and w.things[row, column] != is_low
    # The alarm first.
    is_heard = w.things[row, GuardState.ALARMED] == _is_low(w, account, GuardColumn.ALARM_BELOW)
    right = right and (kind == LogKind.ALARM or is_heard)
    check(w.g, Check.GUARD_LEVEL, right, (account, amount, value, level))
    w.things[row, column] = value


@called
def is_told(w: World, account: int) -> bool:
    """Say whether alarm and channel of an account are as its level asks for."""
    return not _is_due(w, account)


@called
def is_closed(w: World, route: int) -> bool:
    """Say whether a route leads over an account whose channel is closed."""
    row = w.first[Things.ROUTE] + route
    first = w.first[Things.VIEW] + w.things[row, RouteColumn.VIEW_FIRST]
    for view in range(first, first + max(w.things[row, RouteColumn.VIEW_COUNT], 0)):
        if w.things[view, RouteViewColumn.KIND] == _OF_ACCOUNT:
            account = w.things[view, RouteViewColumn.SUBJECT]
            if w.things[w.first[Things.GUARD] + account, GuardState.CLOSED] != 0:
                return True
    return False


@called
def may_find_closed(w: World) -> bool:
    """Say whether there is a route set of which every route is closed."""
    # The payment's own set is not in the log.
    for choice in range(w.first[Things.CHOICE], w.first[Things.CHOICE] + w.size[Things.CHOICE]):
        first = w.first[Things.CANDIDATE] + w.things[choice, _FIRST]
        closed = 0
        for at in range(first, first + w.things[choice, _COUNT]):
            closed += int(is_closed(w, w.things[at, CandidateColumn.ROUTE]))
        if closed == w.things[choice, _COUNT]:
            return True
    return False


@called
def level_of(w: World, account: int) -> int:
    """Return what is posted on an account less what is pending."""
    row = w.first[Things.ACCOUNT] + account
    return int(w.things[row, AccountState.POSTED] - w.things[row, AccountState.PENDING])


@called
def _is_low(w: World, account: int, threshold: int) -> int:
    return int(level_of(w, account) < w.things[w.first[Things.GUARD] + account, threshold])


@called
def _is_due(w: World, account: int) -> bool:
    """Say whether an alarm or a channel is not as the level asks for."""
    row = w.first[Things.GUARD] + account
    alarm = _is_low(w, account, GuardColumn.ALARM_BELOW)
    channel = _is_low(w, account, GuardColumn.STOP_BELOW)
    return bool(
        w.things[row, GuardState.ALARMED] != alarm or w.things[row, GuardState.CLOSED] != channel
    )


@called
def _is_put_nothing(w: World, account: int) -> bool:
    """Say whether the event at hand is a deposit of 0 on an account."""
    key = w.g[Count.KEY]
    index = (key >> STEP_BITS) & _PAYMENT_MASK
    if key >> (PAYMENT_BITS + STEP_BITS) != EventClass.CALENDAR or index >= w.size[Things.AGENDA]:
        return False
    row = w.first[Things.AGENDA] + index
    is_deposit = w.things[row, AgendaColumn.KIND] == AgendaKind.DEPOSIT
    is_empty = w.things[row, AgendaColumn.AMOUNT] == 0
    return bool(is_deposit and is_empty and w.things[row, AgendaColumn.SUBJECT] == account)

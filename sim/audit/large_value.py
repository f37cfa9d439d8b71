"""Check large-value systems: who waits, who settles in which order, in which sets, what returns.

Takes rows of the log about systems; rebuilds their queues and works out who may settle, and which
set is the largest that all accounts can bear. The meaning is in :mod:`sim.contract.large_value`;
none of the engines' code is used.
"""

from __future__ import annotations

from sim.audit.accounts import available
from sim.audit.clearing import end_moves, expect_move
from sim.audit.containers import append, check, number_of, unlink
from sim.audit.messages import Check
from sim.audit.offsets import (
    choose_offset,
    choose_whole,
    could_settle,
    first_chosen,
    first_in_turn,
)
from sim.audit.program import account_time, amount_of, leave_stage
from sim.audit.queues import (
    first_waiting,
    line_of,
    next_waiting,
    order_of,
    touch_system,
    waiting_before,
    waiting_count,
)
from sim.audit.routes import is_account
from sim.audit.state import NOBODY, AccountState, Count, Pay, SystemState, Things, Wait
from sim.audit.turns import act_at, check_in_time, make_ready
from sim.audit.visits import begin_visit, end_visit
from sim.audit.world import World
from sim.contract.large_value import (
    AtClose,
    How,
    MemberTotal,
    Offset,
    Order,
    SystemColumn,
)
from sim.contract.layout import StageColumn as S
from sim.contract.layout import StreamColumn, TransferColumn
from sim.contract.meaning import LogKind, Op
from sim.jit.functions import called


@called
def leg_row(w: World, p: int, stage: int, debit: int, amount: int, credit: int) -> None:
    """Check a LEG row: what a payment that has come to its system is to move."""
    g, number, told = w.g, w.pay[p, Pay.NUMBER], w.pay[p, Pay.LEGS]
    right = act_at(w, p, stage, Op.SETTLE) and told < w.things[stage, S.COUNT]
    if not check(g, Check.LEG, right, (number, debit, credit)):
        return
    transfer = w.things[stage, S.FIRST] + told
    row = w.first[Things.TRANSFER] + transfer
    right = is_account(w, p, w.things[row, TransferColumn.DEBIT], debit)
    right = is_account(w, p, w.things[row, TransferColumn.CREDIT], credit) and right
    # Both are members of the very system, and no others.
    first, system = w.first[Things.ACCOUNT], w.things[stage, S.SUBJECT]
    right = right and w.things[first + debit, AccountState.SYSTEM] == system
    right = right and w.things[first + credit, AccountState.SYSTEM] == system
    right = right and amount == amount_of(w, p, transfer) and amount > 0
    check(g, Check.LEG, right, (number, debit, credit))
    at = Pay.LEG_0 + 3 * told
    w.pay[p, at], w.pay[p, at + 1], w.pay[p, at + 2] = debit, credit, amount
    w.pay[p, Pay.LEGS] = told + 1
    if g[Count.NOW] >= g[Count.WARM_UP_US]:
        w.things[first + debit, AccountState.TOTAL_0 + MemberTotal.OUT] += amount
        w.things[first + credit, AccountState.TOTAL_0 + MemberTotal.IN] += amount
        if told + 1 == w.things[stage, S.COUNT]:
            _note_lows(w, p)
    w.pay[p, Pay.CAME_US] = g[Count.NOW]


@called
def queued_row(w: World, p: int, stage: int, account: int, amount: int, rank: int) -> None:
    """Check a QUEUED row: a payment that cannot settle waits, in its place."""
    g, number = w.g, w.pay[p, Pay.NUMBER]
    if not act_at(w, p, stage, Op.SETTLE):
        return
    system = w.things[stage, S.SUBJECT]
    line = line_of(w, p, system)
    right = w.pay[p, Pay.LEGS] == w.things[stage, S.COUNT]
    right = right and account == w.pay[p, Pay.LEG_0] and amount == w.pay[p, Pay.LEG_0 + 2]
    due_rank = 0
    if order_of(w, system) == Order.PRIORITY:
        due_rank = w.things[w.first[Things.STREAM] + w.pay[p, Pay.STREAM], StreamColumn.PRIORITY]
    right = right and rank == due_rank
    check(g, Check.QUEUES, right, (number, amount, account))
    check(g, Check.QUEUES_COVERED, not could_settle(w, p, system), (number, system))
    append(w, line, p)
    w.pay[p, Pay.WAIT], w.pay[p, Pay.QUEUED_ROW] = Wait.SYSTEM, g[Count.ROW]
    w.pay[p, Pay.WAIT_SUBJECT], w.pay[p, Pay.WAIT_AMOUNT] = account, amount
    w.pay[p, Pay.CAUSE] = w.things[stage, S.CAUSE]
    begin_visit(w, p)
    _count(w, p, MemberTotal.WAITED)
    row = w.first[Things.SYSTEM] + system
    touch_system(w, system)
    if w.things[row, SystemColumn.OFFSET] != Offset.NONE:
        w.things[row, SystemState.OFFSET_DUE] |= w.things[row, SystemColumn.ON_ARRIVAL]


@called
def settle_row(w: World, p: int, stage: int, system: int, amount: int, how: int) -> None:
    """Check a SETTLE row: whose turn it was; note the moves that must follow."""
    g, number = w.g, w.pay[p, Pay.NUMBER]
    end_moves(w)
    in_set = how in (How.OFFSET, How.NET)
    if how == How.AT_ONCE:
        if not act_at(w, p, stage, Op.SETTLE):
            return
        check(g, Check.SETTLES, could_settle(w, p, system), (number, system))
    else:
        waits = w.pay[p, Pay.WAIT] == Wait.SYSTEM and w.pay[p, Pay.PC] == stage
        if not check(g, Check.SETTLES_ELSEWHERE, waits, (number, system)):
            return
        due = first_chosen(w, system) if in_set else first_in_turn(w, system)
        check(g, Check.SYSTEM_OVERTAKES, due == p, (number, system, number_of(w, due)))
        if w.pay[p, Pay.DEADLINE_US] >= 0:
            check_in_time(w, p)
        unlink(w, p)
        end_visit(w, p, g[Count.NOW])
        account_time(w, p, w.pay[p, Pay.CAUSE])
        w.pay[p, Pay.WAIT] = Wait.NOTHING
        _set_free(w, p)
    # Nobody else settles in the middle of a set.
    is_whole = in_set == (g[Count.SET_LEFT] > 0)
    check(g, Check.SET_BROKEN, is_whole, (system, g[Count.SET_LEFT]))
    g[Count.SET_LEFT] = max(0, g[Count.SET_LEFT] - 1) if in_set else 0
    right = system == w.things[stage, S.SUBJECT] and amount == w.pay[p, Pay.LEG_0 + 2]
    right = right and w.pay[p, Pay.LEGS] == w.things[stage, S.COUNT]
    check(g, Check.SETTLES_OTHERWISE, right, (number, amount))
    w.things[w.first[Things.SYSTEM] + w.things[stage, S.SUBJECT], SystemState.SETTLED] += 1
    for leg in range(w.pay[p, Pay.LEGS]):
        at = Pay.LEG_0 + 3 * leg
        expect_move(w, w.pay[p, at], w.pay[p, at + 1], w.pay[p, at + 2])
    _count(w, p, MemberTotal.SETTLED)
    w.pay[p, Pay.LEGS], w.pay[p, Pay.IN_SET], w.pay[p, Pay.DEADLINE_US] = 0, 0, -1
    leave_stage(w, p)


@called
def offset_row(w: World, system: int, count: int, how: int) -> None:
    """Check an OFFSET row: one was due, and the set is the largest there is."""
    g, row = w.g, w.first[Things.SYSTEM] + system
    end_moves(w)
    # Who can settle alone does so first.
    right = first_in_turn(w, system) == NOBODY and g[Count.SET_LEFT] == 0
    found = 0
    if how == How.NET:
        right = right and w.things[row, SystemState.CLOSE_DUE] == 1
        right = right and w.things[row, SystemColumn.AT_CLOSE] == AtClose.NET
        found = choose_whole(w, system)
        w.things[row, SystemState.HAS_NETTED] = 1
    else:
        right = right and w.things[row, SystemState.OFFSET_DUE] == 1
        found = choose_offset(w, system)
        if w.things[row, SystemColumn.OFFSET] == Offset.MULTILATERAL:
            w.things[row, SystemState.OFFSET_DUE] = 0
    check(g, Check.OFFSET_DUE, right, (system, how))
    check(g, Check.OFFSET_LARGEST, count == found, (system, count, found))
    g[Count.SET_LEFT], g[Count.SET_SYSTEM] = count, system
    touch_system(w, system)


@called
def returned_row(w: World, p: int, stage: int, system: int) -> None:
    """Check the LEAVE row of a payment that a close returns."""
    g, row = w.g, w.first[Things.SYSTEM] + system
    end_moves(w)
    waits = w.pay[p, Pay.WAIT] == Wait.SYSTEM and w.pay[p, Pay.PC] == stage
    waits = waits and system == w.things[stage, S.SUBJECT]
    if not check(g, Check.RETURNS, waits, (w.pay[p, Pay.NUMBER], system)):
        return
    right = w.things[row, SystemState.CLOSE_DUE] == 1 and first_waiting(w, system) == p
    if w.things[row, SystemState.HAS_RETURNED] == 0:
        # The first of them: nothing else may be left to do, unless a net cycle has been all.
        if w.things[row, SystemState.HAS_NETTED] == 0:
            right = right and first_in_turn(w, system) == NOBODY
            if w.things[row, SystemState.OFFSET_DUE] == 1:
                right = right and choose_offset(w, system) == 0
            if w.things[row, SystemColumn.AT_CLOSE] == AtClose.NET:
                right = right and choose_whole(w, system) == 0
        w.things[row, SystemState.HAS_RETURNED] = 1
        w.things[row, SystemState.CLOSED_ROW] = g[Count.ROW]
    check(g, Check.RETURNS, right, (w.pay[p, Pay.NUMBER], system))
    unlink(w, p)
    end_visit(w, p, g[Count.NOW])
    account_time(w, p, w.pay[p, Pay.CAUSE])
    _count(w, p, MemberTotal.RETURNED)
    w.pay[p, Pay.WAIT], w.pay[p, Pay.RETURNED] = Wait.NOTHING, 1
    _set_free(w, p)


@called
def system_row(w: World, kind: int, system: int, waiting: int) -> None:
    """Note what a row of the agenda makes due in a system."""
    row = w.first[Things.SYSTEM] + system
    found = waiting_count(w, system)
    check(w.g, Check.SYSTEM_COUNT, waiting == found, (system, waiting, found))
    if kind == LogKind.SYSTEM_OFFSET:
        w.things[row, SystemState.OFFSET_DUE] = 1
    else:
        w.things[row, SystemState.CLOSE_DUE] = 1
        w.things[row, SystemState.CLOSED_ROW] = w.g[Count.ROW]
    touch_system(w, system)


@called
def sampled_system(w: World, kind: int, subject: int, amount: int, value: int) -> None:
    """Check a sample of a system, or of one of its members."""
    if kind == LogKind.SAMPLE_SYSTEM:
        settled = w.things[w.first[Things.SYSTEM] + subject, SystemState.SETTLED]
        waiting = waiting_count(w, subject)
    else:
        row = w.first[Things.ACCOUNT] + subject
        settled = w.things[row, AccountState.TOTAL_0 + MemberTotal.SETTLED]
        waiting = _queued(w, w.things[row, AccountState.SYSTEM], subject)
    right = amount == waiting and value == settled
    check(w.g, Check.SAMPLE, right, (kind, amount, value, subject, waiting, settled))


@called
def _queued(w: World, system: int, account: int) -> int:
    """Return what those who wait in a system are to take from an account."""
    total = 0
    p = first_waiting(w, system) if system != NOBODY else NOBODY
    while p != NOBODY:
        for leg in range(w.pay[p, Pay.LEGS]):
            at = Pay.LEG_0 + 3 * leg
            if w.pay[p, at] == account:
                total += w.pay[p, at + 2]
        p = next_waiting(w, system, p)
    return total


@called
def look_after_systems(w: World) -> None:
    """Check at the end of an event that nobody waits who could settle, alone or with others."""
    g = w.g
    for system in range(w.size[Things.SYSTEM]):
        row = w.first[Things.SYSTEM] + system
        if w.things[row, SystemState.TOUCHED] == 0:
            continue
        p = first_in_turn(w, system)
        check(g, Check.SYSTEM_WAITS, p == NOBODY, (number_of(w, p), system))
        check(g, Check.SET_BROKEN, g[Count.SET_LEFT] == 0, (system, g[Count.SET_LEFT]))
        g[Count.SET_LEFT] = 0
        if w.things[row, SystemState.OFFSET_DUE] == 1:
            found = choose_offset(w, system)
            check(g, Check.OFFSET_LEFT, found == 0, (system, found))
        if w.things[row, SystemState.CLOSE_DUE] == 1:
            left = waiting_before(w, system, w.things[row, SystemState.CLOSED_ROW])
            check(g, Check.CLOSE_LEFT, left == 0, (system, left))
        for column in range(SystemState.TOUCHED, SystemState.HAS_RETURNED + 1):
            w.things[row, column] = 0


@called
def check_bearable(w: World) -> None:
    """Check, once a set has settled, that every account of the system can bear it."""
    g = w.g
    if g[Count.SET_SYSTEM] == NOBODY or g[Count.SET_LEFT] > 0:
        return
    first = w.first[Things.ACCOUNT]
    for account in range(w.size[Things.ACCOUNT]):
        if w.things[first + account, AccountState.SYSTEM] == g[Count.SET_SYSTEM]:
            left = available(w, account)
            check(g, Check.SET_BALANCE, left >= 0, (g[Count.SET_SYSTEM], account, -left))
    g[Count.SET_SYSTEM] = NOBODY


@called
def _set_free(w: World, p: int) -> None:
    """Let a payment that waited act once those before it have."""
    # It may be the one that came in this very event and has acted last: it waits for its turn anew.
    if w.g[Count.CURRENT] == p:
        w.g[Count.CURRENT] = NOBODY
    make_ready(w, p)


@called
def _note_lows(w: World, p: int) -> None:
    """Note how far the members a payment debits would be below zero, had everybody settled."""
    for leg in range(w.pay[p, Pay.LEGS]):
        at = w.first[Things.ACCOUNT] + w.pay[p, Pay.LEG_0 + 3 * leg]
        net = w.things[at, AccountState.TOTAL_0 + MemberTotal.IN]
        net -= w.things[at, AccountState.TOTAL_0 + MemberTotal.OUT]
        low = AccountState.TOTAL_0 + MemberTotal.NET_LOW
        w.things[at, low] = min(w.things[at, low], net)


@called
def _count(w: World, p: int, column: int) -> None:
    """Count what a payment debits in one of the totals of its members."""
    if w.pay[p, Pay.CAME_US] < w.g[Count.WARM_UP_US]:
        return
    for leg in range(w.pay[p, Pay.LEGS]):
        at = w.first[Things.ACCOUNT] + w.pay[p, Pay.LEG_0 + 3 * leg]
        w.things[at, AccountState.TOTAL_0 + column] += w.pay[p, Pay.LEG_0 + 3 * leg + 2]

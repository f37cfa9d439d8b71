"""Work out who of a large-value system's queue may settle, alone or in a set.

Takes a system; gives a payment, or marks the payments of the largest set (``Pay.IN_SET``) and gives
their number. Account by account, until nothing changes: another way to the one set there is than
the engines take.
"""

from __future__ import annotations

from sim.audit.accounts import available
from sim.audit.queues import first_waiting, line_of, next_waiting, order_of
from sim.audit.state import NOBODY, AccountState, Pay, Things
from sim.audit.world import World
from sim.contract.large_value import Offset, Order, SystemColumn
from sim.jit.functions import called

_LEFT_OUT = 2
"""In no set any more, and in the way of those behind."""


@called
def could_settle(w: World, p: int, system: int) -> bool:
    """Say whether a payment that has just come need not wait."""
    order = order_of(w, system)
    if order == Order.DEFERRED or not _is_covered(w, p):
        return False
    if order == Order.BYPASS:
        return True
    mine = line_of(w, p, system)
    other = first_waiting(w, system)
    while other != NOBODY and w.pay[other, Pay.LINE] <= mine:
        if _share_debit(w, p, other):
            return False
        other = next_waiting(w, system, other)
    return True


@called
def first_in_turn(w: World, system: int) -> int:
    """Return the first payment of the queue that may settle alone, -1 for nobody."""
    order = order_of(w, system)
    p = first_waiting(w, system)
    while p != NOBODY and order != Order.DEFERRED:
        if _is_covered(w, p):
            before = first_waiting(w, system) if order != Order.BYPASS else p
            while before != p and not _share_debit(w, p, before):
                before = next_waiting(w, system, before)
            if before == p:
                return p
        p = next_waiting(w, system, p)
    return NOBODY


@called
def first_chosen(w: World, system: int) -> int:
    """Return the first payment of the set at hand that still waits, -1 for nobody."""
    p = first_waiting(w, system)
    while p != NOBODY and w.pay[p, Pay.IN_SET] != 1:
        p = next_waiting(w, system, p)
    return p


@called
def choose_whole(w: World, system: int) -> int:
    """Mark the largest set of a whole queue; return how many are in it."""
    p = first_waiting(w, system)
    while p != NOBODY:
        w.pay[p, Pay.IN_SET] = 1
        p = next_waiting(w, system, p)
    return _reduce(w, system)


@called
def choose_offset(w: World, system: int) -> int:
    """Mark the set an offset of a system settles next; return how many are in it."""
    offset = w.things[w.first[Things.SYSTEM] + system, SystemColumn.OFFSET]
    if offset == Offset.MULTILATERAL:
        return choose_whole(w, system)
    p = first_waiting(w, system)
    while p != NOBODY:
        w.pay[p, Pay.TRIED] = 0
        p = next_waiting(w, system, p)
    p = first_waiting(w, system)
    while p != NOBODY and offset == Offset.BILATERAL:
        if w.pay[p, Pay.LEGS] == 1 and w.pay[p, Pay.TRIED] == 0:
            _choose_pair(w, system, w.pay[p, Pay.LEG_0], w.pay[p, Pay.LEG_0 + 1])
            found = _reduce(w, system)
            if found > 0:
                return found
        p = next_waiting(w, system, p)
    return 0


@called
def _choose_pair(w: World, system: int, one: int, two: int) -> None:
    """Mark who waits between two accounts, up to where others stand in the way."""
    keeps_order = order_of(w, system) != Order.BYPASS
    # In the way of either account, once somebody who is not between them debits it.
    ends_one, ends_two = False, False
    p = first_waiting(w, system)
    while p != NOBODY:
        debit, credit = w.pay[p, Pay.LEG_0], w.pay[p, Pay.LEG_0 + 1]
        forth = w.pay[p, Pay.LEGS] == 1 and debit == one and credit == two
        back = w.pay[p, Pay.LEGS] == 1 and debit == two and credit == one
        if forth or back:
            w.pay[p, Pay.TRIED] = 1
        is_in = (forth and not ends_one) or (back and not ends_two)
        w.pay[p, Pay.IN_SET] = 1 if is_in else 0
        if keeps_order and not is_in:
            ends_one = ends_one or _debits(w, p, one)
            ends_two = ends_two or _debits(w, p, two)
        p = next_waiting(w, system, p)


@called
def _reduce(w: World, system: int) -> int:
    """Take payments out of the marked set until every account can bear it; count the rest."""
    first, changed = w.first[Things.ACCOUNT], True
    while changed:
        changed = False
        for account in range(w.size[Things.ACCOUNT]):
            if w.things[first + account, AccountState.SYSTEM] != system:
                continue
            while available(w, account) + _net_of(w, system, account) < 0:
                # Nobody debits an account that lacks money all the same: reported elsewhere.
                if not _leave_last_out(w, system, account):
                    break
                changed = True
    count = 0
    p = first_waiting(w, system)
    while p != NOBODY:
        count += 1 if w.pay[p, Pay.IN_SET] == 1 else 0
        p = next_waiting(w, system, p)
    return count


@called
def _net_of(w: World, system: int, account: int) -> int:
    """Return what an account would gain by the marked set."""
    gain = 0
    p = first_waiting(w, system)
    while p != NOBODY:
        if w.pay[p, Pay.IN_SET] == 1:
            for leg in range(w.pay[p, Pay.LEGS]):
                at = Pay.LEG_0 + 3 * leg
                if w.pay[p, at] == account:
                    gain -= w.pay[p, at + 2]
                if w.pay[p, at + 1] == account:
                    gain += w.pay[p, at + 2]
        p = next_waiting(w, system, p)
    return gain


@called
def _leave_last_out(w: World, system: int, account: int) -> bool:
    """Leave out the last of the set that debits an account, and all whom the order then forbids.

    Says whether there was one.
    """
    last = NOBODY
    p = first_waiting(w, system)
    while p != NOBODY:
        if w.pay[p, Pay.IN_SET] == 1 and _debits(w, p, account):
            last = p
        p = next_waiting(w, system, p)
    if last == NOBODY:
        return False
    w.pay[last, Pay.IN_SET] = _LEFT_OUT
    # It was the last of this account. Of two legs the other account has an order, too.
    if w.pay[last, Pay.LEGS] == 1:
        return True
    p = next_waiting(w, system, last)
    while p != NOBODY:
        if w.pay[p, Pay.IN_SET] == 1:
            before = first_waiting(w, system)
            while before != p:
                if w.pay[before, Pay.IN_SET] == _LEFT_OUT and _share_debit(w, p, before):
                    w.pay[p, Pay.IN_SET] = _LEFT_OUT
                    break
                before = next_waiting(w, system, before)
        p = next_waiting(w, system, p)
    return True


@called
def _is_covered(w: World, p: int) -> bool:
    for leg in range(w.pay[p, Pay.LEGS]):
        at = Pay.LEG_0 + 3 * leg
        if available(w, w.pay[p, at]) < w.pay[p, at + 2]:
            return False
    return True


@called
def _debits(w: World, p: int, account: int) -> bool:
    has_two = w.pay[p, Pay.LEGS] > 1
    return bool(w.pay[p, Pay.LEG_0] == account or (has_two and w.pay[p, Pay.LEG_0 + 3] == account))


@called
def _share_debit(w: World, p: int, other: int) -> bool:
    for leg in range(w.pay[other, Pay.LEGS]):
        if _debits(w, p, w.pay[other, Pay.LEG_0 + 3 * leg]):
            return True
    return False
